"""`multilayer inspect`: what is in a model file, printed so that nothing in it can do anything to the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from multilayer._containers.stored import Stored
from multilayer._language import tr
from multilayer.cli.terminal import escaped, say_json
from multilayer.saving.inspection import Contents, contents, is_state

_MOST_ROWS = 1000


def print_contents(path: Path, as_json: bool, read: bool, more: Mapping[str, Any]) -> None:
    """Prints what is in a file.

    Args:
        path: The file.
        as_json: Whether to print JSON instead of tables.
        read: Whether to read all arrays, to say whether their numbers are finite.
        more: What is known of the file besides, for JSON.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is refused.
    """
    with contents(path) as found:
        rows = {name: _row(one, read) for name, one in found.arrays.items()}
    if as_json:
        say_json({**_described(path, found, rows), **more})
    else:
        _print(path, found, rows)


def _row(one: Stored, read: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"shape": list(one.shape), "dtype": str(one.dtype), "bytes": one.nbytes}
    if read:
        array = one.read()
        row["finite"] = bool(array.dtype.kind != "f" or np.isfinite(array).all())
    return row


def _described(path: Path, found: Contents, rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "format": found.format,
        "metadata": dict(found.metadata),
        "layers": [{"name": one.name, "class": one.kind, "settings": dict(one.settings)} for one in found.entries],
        "arrays": [{"name": name, **row} for name, row in rows.items()],
        "optimizer": dict(found.optimizer),
        "parameters": found.parameters,
    }


def _print(path: Path, found: Contents, rows: dict[str, dict[str, Any]]) -> None:
    console = Console(highlight=False)
    about = Table(show_header=False, box=None, pad_edge=False)
    about.add_column(style="bold")
    about.add_column(overflow="fold")
    about.add_row(tr("file"), _text(tr("{path}, {st_size:,} bytes", path=path, st_size=path.stat().st_size)))
    about.add_row("format", found.format)
    for key, value in found.metadata.items():
        if value not in (None, "", []):
            about.add_row(_text(key), _text(value))
    if found.optimizer:
        about.add_row("optimizer", _text(_optimizer(found.optimizer)))
    about.add_row("parameters", f"{found.parameters:,}")
    console.print(about)
    if found.entries:
        table = _table("layer", "class", Column("settings", overflow="fold", style="dim"))
        for entry in found.entries[:_MOST_ROWS]:
            settings = ", ".join(f"{key}={value}" for key, value in entry.settings.items())
            table.add_row(_text(entry.name), _text(entry.kind), _text(settings))
        _show(console, table, len(found.entries))
    if rows:
        table = _table("array", "shape", "type", Column("bytes", justify="right"))
        if any("finite" in row for row in rows.values()):
            table.add_column("finite")
        for name, row in list(rows.items())[:_MOST_ROWS]:
            finite = [Text("yes") if row["finite"] else Text("no", "bold red")] if "finite" in row else []
            style = "dim" if is_state(name) else ""
            table.add_row(_text(name, style), str(tuple(row["shape"])), row["dtype"], f"{row['bytes']:,}", *finite)
        _show(console, table, len(rows))


def _table(*columns: Column | str) -> Table:
    first, *others = columns
    return Table(Column(str(first), overflow="fold"), *others, box=SIMPLE_HEAD, padding=(0, 1))


def _show(console: Console, table: Table, count: int) -> None:
    console.print(table)
    if count > _MOST_ROWS:
        console.print(tr("and {count:,} more, which --json shows.", count=count - _MOST_ROWS))


def _optimizer(described: Any) -> str:
    """Its class, and of its numbers those that are written as such."""
    config = described.get("config")
    if not isinstance(config, dict) or not config:
        config = described
    numbers = {**config, **config["numbers"]} if isinstance(config.get("numbers"), dict) else config
    shown = [
        f"{key}={value}" for key, value in numbers.items() if isinstance(value, (int, float)) and value is not False
    ]
    return f"{described.get('class_name', '')} {', '.join(shown)}"


def _text(value: Any, style: str = "") -> Text:
    return Text(escaped(value), style)
