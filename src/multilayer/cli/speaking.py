"""The command line in the language that is spoken: its help, and what typer says of commands that are wrong."""

from __future__ import annotations

import gettext
import os
from collections.abc import Iterator
from typing import Any

from multilayer._language import language, locales, tr


def begin() -> None:
    """Has typer's own texts translated by this library's catalogue; before typer is imported, which asks for them then.

    The texts go through Python's `gettext`, which has one catalogue for a program and reads its language from the
    environment.
    """
    if language() != "en":
        os.environ["LANGUAGE"] = language()
        gettext.bindtextdomain("multilayer", str(locales()))
        gettext.textdomain("multilayer")
        _measure_by_cells()


def _measure_by_cells() -> None:
    """Has rich cut the spaces at a line's end by the width that letters take: it counts letters, and Korean takes two.

    Where a line with its last space is one cell too wide, the last letter would be lost.
    """
    try:
        from rich.text import Text
    except ModuleNotFoundError:  # of which the command line says itself what to install
        return

    def rstrip_end(self: Text, size: int) -> None:
        spaces = len(self.plain) - len(self.plain.rstrip())
        excess = min(spaces, self.cell_len - size)
        if excess > 0:
            self.right_crop(excess)

    Text.rstrip_end = rstrip_end  # type: ignore[method-assign]


def translate(command: Any) -> None:
    """Translates what the help of a command says, of its options, and of the commands in it."""
    for owner, attribute in help_texts(command):
        setattr(owner, attribute, tr(getattr(owner, attribute)))


def help_texts(command: Any) -> Iterator[tuple[Any, str]]:
    """Where the help has its texts: the objects, and their attributes."""
    owners: list[tuple[Any, tuple[str, ...]]] = [(command, ("help", "epilog"))]
    owners += [(parameter, ("help", "show_default", "rich_help_panel")) for parameter in command.params]
    for owner, attributes in owners:
        for attribute in attributes:
            if isinstance(getattr(owner, attribute, None), str) and getattr(owner, attribute):
                yield owner, attribute
    for one in getattr(command, "commands", {}).values():
        yield from help_texts(one)
