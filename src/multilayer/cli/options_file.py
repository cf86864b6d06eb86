"""A file of options: what stands in it is given to a command as its defaults, and checked as if it were typed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from multilayer._containers.stored import parse_json
from multilayer._language import tr
from multilayer._names import registry
from multilayer.cli.run_folder import text_of
from multilayer.cli.terminal import reason

_NEVER = ("options", "resume", "help")  # which say what to do rather than how


def read(context: typer.Context, path: Path | None) -> Path | None:
    """The callback of `--options`: has all other options of the command take their defaults from a file.

    Raises:
        typer.BadParameter: The file cannot be read, or says something else.
    """
    if path is None or context.resilient_parsing:
        return path
    named = {one.opts[0].lstrip("-").replace("-", "_"): one for one in context.command.params}
    allowed = {name: one for name, one in named.items() if name not in _NEVER}
    try:
        given = {name.replace("-", "_"): value for name, value in _content(path).items() if value is not None}
        for name in given:
            if name not in allowed:
                raise registry.unknown("option", name, allowed)
        context.default_map = {
            str(allowed[name].name): _as_typed(name, value, allowed[name]) for name, value in given.items()
        }
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path}: {reason(error)}") from error
    return path


def _content(path: Path) -> dict[str, Any]:
    text = text_of(path)
    if path.suffix != ".toml":
        content = parse_json(text, "it")
    elif sys.version_info >= (3, 11):
        import tomllib

        try:
            content = tomllib.loads(text.decode())
        except RecursionError as error:
            raise ValueError(tr("it is nested too deep")) from error
    else:
        raise ValueError(tr("TOML is read by Python 3.11 and newer. Write JSON."))
    if isinstance(content, dict) and isinstance(content.get("options"), dict):  # a run.json
        content = content["options"]
    if not isinstance(content, dict):
        raise ValueError(tr('expected options with their values, such as {"hidden": "512,256", "epochs": 20}'))
    return content


def _as_typed(name: str, value: Any, option: Any) -> Any:
    """The value as it would stand on the command line, so that it is read and checked as there."""
    if getattr(option, "is_flag", False):
        if not isinstance(value, bool):
            raise ValueError(tr("{name} is {given!r}: expected true or false.", name=name, given=str(value)[:100]))
        return value
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, (str, int, float)) and not isinstance(one, bool) for one in values):
        raise ValueError(
            tr("{name} is {given!r}: expected text, a number, or a list of these.", name=name, given=str(value)[:100])
        )
    return ",".join(map(str, values))
