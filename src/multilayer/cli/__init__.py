"""The command line: `multilayer train`, `evaluate`, `predict`, `summary` and `plot`."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path

_PACKAGES = ("typer", "rich", "matplotlib", "PIL")


def main() -> None:
    """Runs the command line; `multilayer` and `python -m multilayer` start here."""
    _prepare_streams()
    try:
        from multilayer.cli.commands import app

        app(prog_name="multilayer")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _PACKAGES:
            raise
        sys.exit(f"multilayer: the command line needs {package}. Try: pip install typer rich matplotlib")


def _prepare_streams() -> None:
    """Makes sure that printing cannot end a training.

    A closed stream swallows what is printed, what the terminal cannot encode is replaced, and a pipe gets every line as
    soon as it is complete.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace", line_buffering=True)
