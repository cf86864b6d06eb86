"""The options that several commands have in common, and how options are checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from multilayer._names import registry
from multilayer.cli import digits, options_file


def checked_by(check: Callable[[Any], object]) -> Callable[[Any], Any]:
    """An option's callback: where `check` raises ValueError, its message becomes a usage error."""

    def callback(value: Any) -> Any:
        try:
            if value is not None:
                check(value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        return value

    return callback


def names_of(kind: str) -> Callable[[str], list[str]]:
    """What a shell completes an option by: the names that are registered for a kind of object."""
    return lambda incomplete: [name for name in registry.names(kind) if name.startswith(incomplete)]


MOST = 2**31 - 1  # more epochs, or digits in a step, are a slip of the hand

ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A run's folder, its model.npz, or a model file of Keras.")
]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        callback=checked_by(digits.check_name),
        autocompletion=lambda incomplete: [name for name in digits.NAMES if name.startswith(incomplete)],
        help="mnist, fashion_mnist or synthetic_digits.",
        show_default="mnist, or synthetic_digits where it cannot be had",
    ),
]
Samples = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=10_000_000,
        help="Take only so many training digits, and a sixth as many test digits.",
        show_default="all",
    ),
]
Epochs = Annotated[int, typer.Option(metavar="N", min=1, max=MOST, help="How often every digit is seen.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the result and nothing of the work.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
OptionsFile = Annotated[
    Path | None,
    typer.Option(
        "--options",
        metavar="FILE",
        is_eager=True,
        callback=options_file.read,
        help="Take options from a JSON or TOML file, such as an earlier run's run.json. Those given here come first.",
    ),
]
Output = Annotated[Path | None, typer.Option(metavar="FOLDER", help="The run folder.", show_default="runs/DATE_TIME")]
