"""How the command line speaks: results on stdout, all else on stderr, and nothing that a terminal takes for a command.

Names in files (of models, metrics, layers, of the files themselves) are believed nothing: what is printed goes through
`say`, `note` or `escaped`.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import typer
from rich.console import Console
from rich.text import Text

from multilayer._containers.errors import printable
from multilayer._language import later, tr

_LONGEST = 200
_NOTE, _ERROR = later("Note"), later("Error")


def escaped(value: Any) -> str:
    """What a file says, as a line that is not too long, and that no terminal takes for a command."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return printable(text[:_LONGEST].replace("\n", "\\n")) + ("…" if len(text) > _LONGEST else "")


def say(text: str = "") -> None:
    """Prints a text, with what a terminal would take for a command escaped."""
    print(printable(text))


def say_json(content: Any) -> None:
    """Prints a result for programs: JSON, null for what is no finite number, text for what JSON has not."""
    print(json.dumps(finite(content), indent=2, default=str))


def finite(content: Any) -> Any:
    """The content with None in place of numbers that JSON has not."""
    if isinstance(content, dict):
        return {name: finite(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


@contextmanager
def reporting(quiet: bool = False) -> Iterator[None]:
    """Within it, what is printed is no result but tells of the work: it goes to stderr, or, where `quiet`, nowhere."""
    if not quiet:
        with redirect_stdout(sys.stderr):
            yield
        return
    with Path(os.devnull).open("w", encoding="utf-8") as nothing, redirect_stdout(nothing):
        yield


@contextmanager
def stamped() -> Iterator[None]:
    """Within it, each line that is printed begins with date and time, unless somebody at a terminal watches it come."""
    if can_redraw():
        yield
        return
    with redirect_stdout(_Stamped(sys.stdout)):
        yield


class _Stamped:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._within_line = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes the text, with a time before each of its lines that is not empty."""
        now = datetime.now().astimezone().isoformat(" ", "seconds")
        for line in text.splitlines(keepends=True):
            self._stream.write(line if self._within_line or not line.strip() else f"{now}  {line}")
            self._within_line = not line.endswith("\n")
        return len(text)


def note(message: str, kind: str = _NOTE, style: str = "bold yellow") -> None:
    """Prints a message on stderr; its lines are broken only where a terminal is too narrow for them."""
    console = Console(stderr=True)
    console.print(Text.assemble((f"{tr(kind)}: ", style), printable(message)), soft_wrap=not console.is_terminal)


def fail(message: str) -> typer.Exit:
    """Prints an error, and returns what to raise to end the command with exit code 1."""
    note(message, kind=_ERROR, style="bold red")
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
        said = tr(error.strerror)
        return f"{error.filename}: {said}" if error.filename else said
    return str(error)


def can_redraw() -> bool:
    """Whether a progress bar can be redrawn in place on stderr: not in a pipe, nor on a terminal that is dumb."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
