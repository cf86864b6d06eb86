"""How the command line speaks: notes and errors on stderr, and what the terminal is able to show."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.text import Text

from multilayer._containers.errors import printable


def note(message: str, kind: str = "Note", style: str = "bold yellow") -> None:
    """Prints a message on stderr; its lines are broken only where a terminal is too narrow for them."""
    console = Console(stderr=True)
    console.print(Text.assemble((f"{kind}: ", style), printable(message)), soft_wrap=not console.is_terminal)


def fail(message: str) -> typer.Exit:
    """Prints an error, and returns what to raise to end the command with exit code 1."""
    note(message, kind="Error", style="bold red")
    return typer.Exit(1)


@contextmanager
def failing_on(*errors: type[Exception], doing: str = "") -> Iterator[None]:
    """Turns the named errors, which are the user's to mend, into a message and exit code 1; all others pass.

    Args:
        *errors: The kinds of error.
        doing: What failed, where the error's own message does not say.
    """
    try:
        yield
    except errors as error:
        raise fail(f"{doing}: {reason(error)}" if doing else reason(error)) from error


def reason(error: Exception) -> str:
    """What an error says, an operating system's error without its number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def can_redraw() -> bool:
    """Whether a progress bar can be redrawn in place: not in a pipe, nor on a terminal that says it is dumb."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
