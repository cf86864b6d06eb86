"""The options that several commands have in common, and how options are checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from multilayer.cli import digits


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


Data = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        callback=checked_by(digits.check_name),
        help="mnist, fashion_mnist or synthetic_digits.",
        show_default="mnist, or synthetic_digits where it cannot be had",
    ),
]
Samples = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Take only so many training digits, and a sixth as many test digits.",
        show_default="all",
    ),
]
Epochs = Annotated[int, typer.Option(metavar="N", min=1, help="How often every digit is seen.")]
Output = Annotated[Path | None, typer.Option(metavar="FOLDER", help="The run folder.", show_default="runs/DATE_TIME")]
