"""Options that take several values, separated by spaces or commas: `--activation sigmoid tanh relu`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from typer.core import TyperCommand

from multilayer._language import tr

Value = TypeVar("Value")

_NUMBER = re.compile(r"-\.?\d")


class MultiValueCommand(TyperCommand):
    """A command without arguments, so that all that follows an option up to the next one belongs to it.

    The parser below knows options of one value each; what belongs to one option is handed to it joined by commas. That
    holds for the options whose metavar ends in "..."; all others, a path with a comma in it among them, are left alone.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Joins the values of each option that takes several, then parses as ever."""
        several = {name for one in self.params if str(one.metavar).endswith("...") for name in one.opts}
        return super().parse_args(ctx, join_values(args, several))


def join_values(arguments: list[str], several: Collection[str]) -> list[str]:
    """The arguments with the values of each option that takes several joined by commas.

    Example:
        >>> join_values(["--layers", "1", "8", "--epochs", "3", "--layers", "3", "--help"], {"--layers"})
        ['--epochs', '3', '--help', '--layers=1,8,3']
    """
    others: list[str] = []
    values: dict[str, list[str]] = {}
    option = ""
    for argument in arguments:
        if argument.startswith("-") and not _NUMBER.match(argument):
            option, equals, value = argument.partition("=")
            if option in several:
                values.setdefault(option, []).extend([value] if equals else [])
                continue
        values.get(option, others).append(argument)
    given = {name: ",".join(text.strip(",") for text in texts) for name, texts in values.items()}
    return [*others, *(f"{name}={text}" if values[name] else name for name, text in given.items())]


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
        raise ValueError(tr("expected at least one value."))
    return list(dict.fromkeys(convert(part) for part in texts))
