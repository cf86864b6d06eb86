"""The command line: `multilayer train`, `evaluate`, `predict`, `compare`, `inspect` and others."""

from __future__ import annotations

import sys
import warnings

from multilayer._core import kernels
from multilayer._language import tr
from multilayer.cli import speaking
from multilayer.cli.output import prepare_streams

_PACKAGES = {"typer": "typer", "rich": "rich", "matplotlib": "matplotlib", "PIL": "pillow"}  # as imported, as installed


def main() -> None:
    """Runs the command line; `multilayer` and `python -m multilayer` start here."""
    prepare_streams()
    speaking.begin()
    if kernels.fault and len(sys.argv) > 1 and not {"-h", "--help", "--version"} & set(sys.argv):
        sys.exit(tr("Error: {fault}", fault=kernels.fault))
    try:
        import typer

        from multilayer.cli.terminal import note

        # The library's warnings in one line, and what they repeat of files escaped.
        warnings.showwarning = lambda message, *_: note(str(message))
        from multilayer.cli.commands import app

        command = typer.main.get_command(app)
        speaking.translate(command)
        command(prog_name="multilayer")
    except ModuleNotFoundError as error:
        package = _PACKAGES.get((error.name or "").partition(".")[0])
        if package is None:
            raise
        sys.exit(
            tr(
                "multilayer: the command line needs {package}. Try: pip install {packages}",
                package=package,
                packages=" ".join(_PACKAGES.values()),
            )
        )
