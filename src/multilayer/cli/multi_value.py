"""Options that take several values, separated by spaces or commas: `--activation sigmoid tanh relu`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from typer.core import TyperCommand

Value = TypeVar("Value")

_NUMBER = re.compile(r"-\.?\d")


class MultiValueCommand(TyperCommand):
    """A command without arguments, so that all that follows an option up to the next one belongs to it.

    The parser below knows options of one value each; what belongs to one option is handed to it joined by commas.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Joins the values of each option, then parses as ever."""
        return super().parse_args(ctx, join_values(args))


def join_values(arguments: list[str]) -> list[str]:
    """The arguments with the values of each option joined by commas.

    Example:
        >>> join_values(["--layers", "1", "8", "--rate=0.1,", "0.2", "--layers", "3", "--help"])
        ['--layers=1,8,3', '--rate=0.1,0.2', '--help']
    """
    stray: list[str] = []
    values: dict[str, list[str]] = {}
    option = ""
    for argument in arguments:
        if argument.startswith("-") and not _NUMBER.match(argument):
            option, equals, value = argument.partition("=")
            values.setdefault(option, []).extend([value] if equals else [])
        else:
            values.get(option, stray).append(argument)
    given = {name: ",".join(text.strip(",") for text in texts) for name, texts in values.items()}
    return [*stray, *(f"{name}={text}" if values[name] else name for name, text in given.items())]


def parse_values(text: str, convert: Callable[[str], Value]) -> list[Value]:
    """The values of an option, without repetition, in the order given.

    Raises:
        ValueError: There is none, or one cannot be read; the message says which.

    Example:
        >>> parse_values("0.1, 0.01,0.1", float)
        [0.1, 0.01]
    """
    texts = [part for part in re.split(r"[\s,]+", text) if part]
    if not texts:
        raise ValueError("expected at least one value.")
    return list(dict.fromkeys(convert(part) for part in texts))
