"""The table that `model.summary()` prints, laid out as Keras lays it out."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from multilayer._checks.arguments import function, listed
from multilayer._checks.scalars import whole_number
from multilayer._core.arena import Variable
from multilayer._language import tr
from multilayer._system.progress import is_terminal, say
from multilayer.layers import Layer
from multilayer.optimizers import Optimizer

if TYPE_CHECKING:
    from rich.table import Table

_COLUMNS = {"Layer (type)": 0.45, "Output Shape": 0.80, "Param #": 1.0}  # where they end, in parts of the whole width
_COLUMNS_OF_BRANCHES = {"Layer (type)": 0.3, "Output Shape": 0.56, "Param #": 0.74, "Connected to": 1.0}


class Row(NamedTuple):
    """A layer of a model as it is drawn.

    Attributes:
        layer: The layer.
        shape: The shape of its output, a list of shapes where there are several, None where it is not known yet.
        sources: What it is connected to: the name of a layer, which of its calls, and which of that call's outputs.
    """

    layer: Layer
    shape: Any
    sources: list[tuple[str, int, int]]


class Summarized(Protocol):
    """A model, as its summary sees it. `models.Model` says what each is."""

    name: str
    optimizer: Optimizer | None

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""

    def rows(self) -> list[Row]:
        """Each layer as it is drawn."""


def readable_size(num_bytes: float) -> str:
    """A number of bytes for people.

    Example:
        >>> readable_size(159040)
        '155.31 KB'
    """
    units = ("B", "KB", "MB", "GB", "TB")
    unit = 0
    while num_bytes >= 1024 and unit < len(units) - 1:
        num_bytes /= 1024
        unit += 1
    return f"{num_bytes:.2f} {units[unit]}"


def _counts(variables: Iterable[Variable]) -> tuple[int, int]:
    """Number of weights, and of bytes."""
    arrays = [v.value for v in variables]
    return sum(a.size for a in arrays), sum(a.nbytes for a in arrays)


def print_summary(
    model: Summarized,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], object] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Prints a model's layers, their output shapes and numbers of parameters: see `Model.summary`.

    Raises:
        ValueError: An argument does not fit the model.
    """
    if line_length is not None:
        whole_number("line_length", line_length, 1)
    show = say if print_fn is None else function("print_fn", print_fn)
    show_trainable = bool(show_trainable)
    every = model.rows()
    branches = not _is_chain(every)
    rows = list(_drawn(_within(every, layer_range), expand_nested))
    ends = _ends(positions, branches)
    try:
        from rich.console import Console
        from rich.markup import escape
    except ImportError:  # it draws the table, and is no more than that
        text = _plain_summary(model, rows, show_trainable, branches)
        show(text)
        return

    # Where rich itself could not write, as nothing but `write` is to be had, the text goes out in one piece.
    page = None if print_fn is None and is_terminal() else _Page()
    console = Console(highlight=False)
    if page is not None:
        console = Console(file=page, width=console.width, highlight=False, force_terminal=False, color_system=None)
    console.print(f'[bold]Model: "{escape(model.name)}"[/bold]')
    width = line_length or min(88 + 20 * branches + 12 * show_trainable, console.width - 4)
    console.print(_table(rows, width, ends, show_trainable, branches))
    for title, (count, size) in _totals(model).items():
        console.print(f"[bold] {title} params: [/bold][color(34)]{count:,}[/color(34)] ({readable_size(size)})")
    if page is not None:
        show(page.getvalue())


def summarized(model: Summarized) -> dict[str, Any]:
    """A model's layers and their numbers of parameters, as plain data."""
    layers = [
        {
            "name": row.layer.name,
            "class": row.layer.kind,
            "output_shape": row.shape,
            "parameters": _counts(row.layer.weights)[0],
        }
        for row in model.rows()
    ]
    totals = {title.lower(): count for title, (count, _) in _totals(model).items()}
    return {"name": model.name, "layers": layers, "parameters": totals}


class _Page(io.StringIO):
    """Text for the standard output: what that cannot encode is drawn otherwise."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(sys.stdout, "encoding", None) or "utf-8"


def _ends(positions: Sequence[float] | None, branches: bool) -> dict[str, float]:
    """Each column's title, and where it ends in parts of the whole width."""
    ends = _COLUMNS_OF_BRANCHES if branches else _COLUMNS
    if positions is None:
        return ends
    if len(listed("positions", positions)) != len(ends):
        raise ValueError(
            tr(
                "`positions` must say where {count} columns end, as {values} does.",
                count=len(ends),
                values=list(ends.values()),
            )
        )
    return dict(zip(ends, positions, strict=True))


def _plain_summary(model: Summarized, rows: Sequence[tuple[str, Row]], show_trainable: bool, branches: bool) -> str:
    """The summary in letters alone: what is printed where rich is not installed."""
    titles = [*(_COLUMNS_OF_BRANCHES if branches else _COLUMNS), *(["Trainable"] if show_trainable else [])]
    lines = [titles]
    for prefix, (layer, shape, sources) in rows:
        line = [f"{prefix}{layer.name} ({layer.kind})", str(shape or "?"), _plain_params(layer)]
        if branches:
            line.append(", ".join(f"{name}[{call}][{index}]" for name, call, index in sources) or "-")
        if show_trainable:
            line.append(_trainable_text(layer))
        lines.append(line)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    drawn = [
        "  ".join(
            cell.rjust(width) if title == "Param #" else cell.ljust(width)
            for title, cell, width in zip(titles, line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    drawn.insert(1, "-" * (sum(widths) + 2 * (len(widths) - 1)))
    totals = [f" {title} params: {count:,} ({readable_size(size)})" for title, (count, size) in _totals(model).items()]
    return "\n".join([f'Model: "{model.name}"', *drawn, *totals]) + "\n"


def _trainable_text(layer: Layer) -> str:
    return ("Y" if layer.trainable else "N") if layer.weights else "-"


def html_summary(model: Summarized) -> str:
    """The same as a table for notebooks."""
    from multilayer.glass import page  # only here: `import multilayer` is quick

    rows = model.rows()
    branches = not _is_chain(rows)
    header = ["Layer (type)", "Output Shape", "Param #", *(["Connected to"] if branches else [])]
    lines: list[str] = []
    for layer, shape, sources in rows:
        cells = [f"{layer.name} ({layer.kind})", str(shape or "?"), _plain_params(layer)]
        if branches:
            cells.append(", ".join(f"{name}[{call}][{index}]" for name, call, index in sources) or "-")
        lines.append(page.row(cells))
    totals = (f"{title} params: {count:,} ({readable_size(size)})" for title, (count, size) in _totals(model).items())
    return page.table(f'Model: "{model.name}"', page.row(header, kind="th"), lines, foot=page.lines(totals))


def _is_chain(rows: list[Row]) -> bool:
    """Whether each layer is called once, with what the one before it gave."""
    before = [[], *([(row.layer.name, 0, 0)] for row in rows)]
    return all(row.sources == source for row, source in zip(rows, before, strict=False))


def _within(rows: list[Row], layer_range: Sequence[str] | None) -> list[Row]:
    """The rows from the first to the last layer of these names, or of names that match these patterns."""
    if layer_range is None:
        return rows
    if (
        not isinstance(layer_range, (list, tuple))
        or len(layer_range) != 2
        or not all(isinstance(one, str) for one in layer_range)
    ):
        raise ValueError(
            tr(
                "`layer_range` must be a list of the names of two layers. Received: {layer_range!r}",
                layer_range=layer_range,
            )
        )
    first, last = (
        [number for number, row in enumerate(rows) if re.match(pattern, row.layer.name)] for pattern in layer_range
    )
    if not first or not last:
        raise ValueError(
            tr(
                "Passed layer_names do not match the layer names in the model. Received: {layer_range}. Its "
                "layers are {rows}.",
                layer_range=layer_range,
                rows=[row.layer.name for row in rows],
            )
        )
    if min(first) > max(last):
        first, last = last, first
    return rows[min(first) : max(last) + 1]


def _drawn(rows: Iterable[Row], expand_nested: bool, depth: int = 0) -> Iterator[tuple[str, Row]]:
    """Each row with what stands before the layer's name; the layers of models among them follow where asked for."""
    for row in rows:
        yield "   " * depth + "\u2514 " if depth else "", row if not depth else row._replace(sources=[])
        if expand_nested and hasattr(row.layer, "rows"):
            yield from _drawn(row.layer.rows(), True, depth + 1)


def _table(
    rows: Iterable[tuple[str, Row]],
    width: int,
    ends: dict[str, float],
    show_trainable: bool,
    branches: bool,
) -> Table:
    from rich.markup import escape
    from rich.table import Column, Table

    edges = [0, *(int(edge * (0.9 if show_trainable else 1.0) * width) for edge in ends.values())]
    columns = [
        Column(title, justify="right" if title == "Param #" else "left", width=stop - start)
        for title, start, stop in zip(ends, edges, edges[1:], strict=False)
    ]
    if show_trainable:
        columns.append(Column("Trainable", justify="center", width=width - edges[-1]))
    table = Table(*columns, width=width, show_lines=True)
    for prefix, (layer, shape, sources) in rows:
        name = f"{prefix}{escape(layer.name)} ([color(33)]{escape(layer.kind)}[/color(33)])"
        row = [name, _shape_text(shape), _params_text(layer)]
        if branches:
            row.append(", ".join(_source_text(*source) for source in sources) or "-")
        if show_trainable:
            row.append(_trainable_text(layer))
        table.add_row(*row)
    return table


def _number(number: int | None) -> str:
    return f"[color(34)]{number}[/color(34)]"


def _source_text(name: str, call: int, index: int) -> str:
    from rich.markup import escape

    return f"{escape(name)}\\[{_number(call)}]\\[{_number(index)}]"


def _shape_text(shape: Any) -> str:
    if shape is None:
        return "?"
    if isinstance(shape, list):
        return f"\\[{', '.join(map(_shape_text, shape))}]"
    sides = ["None" if side is None else _number(side) for side in shape]
    return f"({', '.join(sides)})" if len(shape) != 1 else f"({', '.join(sides)},)"


def _plain_params(layer: Layer) -> str:
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _params_text(layer: Layer) -> str:
    count, *rest = _plain_params(layer).split(" ", 1)
    return " ".join([f"[color(34)]{count}[/color(34)]", *rest])


def _totals(model: Summarized) -> dict[str, tuple[int, int]]:
    trainable, frozen = _counts(model.trainable_weights), _counts(model.non_trainable_weights)
    totals = {"Trainable": trainable, "Non-trainable": frozen}
    optimizer = model.optimizer
    if optimizer is not None and optimizer.built:
        slots = optimizer.memory().values()
        # As Keras counts: the slots, the number of steps (a 64-bit integer) and the learning rate (a 32-bit float).
        totals["Optimizer"] = (sum(s.size for s in slots) + 2, sum(s.nbytes for s in slots) + 12)
    total = (sum(count for count, _ in totals.values()), sum(size for _, size in totals.values()))
    return {"Total": total, **totals}
