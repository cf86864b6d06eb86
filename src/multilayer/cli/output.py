"""What happens where stdout can no longer be written to: its reader has gone away, or the disk is full."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from multilayer._language import tr


class Output:
    """A stream that, where it can no longer be written to, ends the program without a traceback, or swallows the rest.

    Args:
        stream: The stream that is written to.
        optional: Whether the work matters more than what is printed about it.
    """

    def __init__(self, stream: TextIOWrapper, optional: bool) -> None:
        self._stream = stream
        self.optional = optional

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes the text, or fails as the class says."""
        self._do(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flushes what there is, or fails as the class says."""
        self._do(self._stream.flush)

    def _do(self, what: Callable[[], object]) -> None:
        try:
            what()
        except OSError as error:
            with Path(os.devnull).open("w") as nothing:  # takes also what the stream still holds
                os.dup2(nothing.fileno(), self._stream.fileno())
            if self.optional:
                print(
                    tr("Note: {strerror}: nothing more is printed, the work goes on.", strerror=error.strerror),
                    file=sys.stderr,
                )
                return
            sys.exit(
                1
                if isinstance(error, BrokenPipeError)
                else tr("Error: Cannot print: {strerror}", strerror=error.strerror)
            )


def prepare_streams() -> None:
    """Makes sure that printing raises no error.

    A closed stream swallows what is printed, one that fails is dealt with by `Output`, what the terminal cannot encode
    is replaced, and a pipe gets every line as soon as it is complete.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace", line_buffering=True)
            setattr(sys, name, Output(stream, optional=name == "stderr"))


def outlast_readers() -> None:
    """From here on the program goes on where stdout fails: hours of training are not given up for a line printed."""
    if isinstance(sys.stdout, Output):
        sys.stdout.optional = True
