"""The command line: `multilayer train`, `evaluate`, `predict`, `compare` and others."""

from __future__ import annotations

import sys

from multilayer.cli.output import prepare_streams

_PACKAGES = {"typer": "typer", "rich": "rich", "matplotlib": "matplotlib", "PIL": "pillow"}  # as imported, as installed


def main() -> None:
    """Runs the command line; `multilayer` and `python -m multilayer` start here."""
    prepare_streams()
    try:
        from multilayer.cli.commands import app

        app(prog_name="multilayer")
    except ModuleNotFoundError as error:
        package = _PACKAGES.get((error.name or "").partition(".")[0])
        if package is None:
            raise
        sys.exit(f"multilayer: the command line needs {package}. Try: pip install {' '.join(_PACKAGES.values())}")
