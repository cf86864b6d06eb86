"""What decides what a training on a table comes to, and how its options are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from multilayer._language import later, tr
from multilayer._names import registry
from multilayer.cli.common_options import checked_by
from multilayer.tabular.recipes import RECIPES

TYPES = ("number", "boolean", "date", "text")
TASKS = (later("classification"), later("regression"))
_PANEL = "Options for tables"


class TableOptions(NamedTuple):
    """The options of `train` for a table that a run is repeated with, under their names on the command line.

    Args:
        table: The file.
        target: The column to predict.
        task: 'classification' or 'regression'; None to find it out.
        types: Types of columns, such as 'zip=text,size=number'.
        drop: Columns that are left out, such as 'name,row'.
        group: The column by which rows belong together.
        time: The column by which rows follow each other.
        validation: The share of rows to measure by.
        folds: How often to measure in cross-validation; None to measure once.
        recipe: How the network is drawn up and trained.
        members: How many networks are averaged; None for the recipe's number.
        budget: Seconds that training may take.
        seed: Where all random numbers come from.
        separator: What stands between two values of a text file; None to find it out.
        encoding: The text's encoding; None to find it out.
        memory: How much memory to do with, such as '2GB'; None for half of what there is.
    """

    table: str
    target: str | None
    task: str | None
    types: str | None
    drop: str | None
    group: str | None
    time: str | None
    validation: float
    folds: int | None
    recipe: str
    members: int | None
    budget: float | None
    seed: int
    separator: str | None
    encoding: str | None
    memory: str | None = None


def names_in(text: str | None) -> list[str]:
    """'name, row' -> ['name', 'row'].

    Example:
        >>> names_in("name, row"), names_in(None)
        (['name', 'row'], [])
    """
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def types_in(text: str | None) -> dict[str, str]:
    """'zip=text,size=number' -> {'zip': 'text', 'size': 'number'}.

    Raises:
        ValueError: It says something else.

    Example:
        >>> types_in("zip=text")
        {'zip': 'text'}
    """
    types = {}
    for part in names_in(text):
        name, _, form = part.rpartition("=")
        if not name or form not in TYPES:
            raise ValueError(
                tr(
                    "{part!r}: expected COLUMN=TYPE, with the type {types} or {last}.",
                    part=part[:100],
                    types=", ".join(TYPES[:-1]),
                    last=TYPES[-1],
                )
            )
        types[name.strip()] = form
    return types


def check_task(task: str) -> None:
    """Raises ValueError where there is no such task."""
    if task not in TASKS:
        raise ValueError(tr("{task!r}: expected {tasks}.", task=task[:100], tasks=" or ".join(TASKS)))


def check_recipe(name: str) -> None:
    """Raises ValueError where there is no such recipe."""
    if name not in RECIPES:
        raise registry.unknown("recipe", name, RECIPES)


def check_validation(share: float) -> None:
    """Raises ValueError where this is no share of the rows to measure by."""
    if not 0 < share < 1:
        raise ValueError(tr("{share}: expected a share of the rows between 0 and 1, such as 0.2.", share=share))


def check_budget(seconds: float) -> None:
    """Raises ValueError where this is no time to train in."""
    if not 0 < seconds < float("inf"):
        raise ValueError(tr("{seconds}: expected seconds, more than 0.", seconds=seconds))


def check_separator(sign: str) -> None:
    """Raises ValueError where this cannot stand between two values."""
    if len(real_separator(sign)) != 1:
        raise ValueError(tr("{sign!r}: expected one sign, such as ';', or 'tab'.", sign=sign[:100]))


def bytes_in(size: str) -> int:
    """'2GB' -> 2000000000.

    Raises:
        ValueError: It says something else.

    Example:
        >>> bytes_in("512MB"), bytes_in("1.5 GB")
        (512000000, 1500000000)
    """
    found = _SIZE.fullmatch(size.strip())
    if found is None:
        raise ValueError(tr("{size!r}: expected a size, such as 512MB or 2GB.", size=size[:100]))
    return int(float(found[1]) * 1000 ** (1 + "kmg".index(found[2].lower())))


_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([kmg])i?b?", re.IGNORECASE)


def real_separator(sign: str) -> str:
    """A separator as it stands in a file; a tab cannot be typed everywhere."""
    return "\t" if sign in ("tab", r"\t") else sign


TableFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="TABLE", help="A table to learn from: .csv, .tsv, .parquet, .feather or .npz.", show_default=False
    ),
]
Target = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="The column to predict.", show_default=False, rich_help_panel=_PANEL),
]
TaskName = Annotated[
    str | None,
    typer.Option(
        "--task",
        metavar="NAME",
        callback=checked_by(check_task),
        help="classification or regression.",
        show_default="by the target's values",
        rich_help_panel=_PANEL,
    ),
]
Types = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN=TYPE,...",
        callback=checked_by(types_in),
        help="What columns hold: number, boolean, date or text.",
        show_default="found out",
        rich_help_panel=_PANEL,
    ),
]
Drop = Annotated[
    str | None,
    typer.Option(metavar="COLUMN,...", help="Columns to leave out.", show_default=False, rich_help_panel=_PANEL),
]
Group = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Rows with the same value belong together: none of them is measured by when others are trained on.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Time = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Train on what comes first by this column, and measure by what follows.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Validation = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        callback=checked_by(check_validation),
        help="The share of the rows that is not trained on, but measured by.",
        rich_help_panel=_PANEL,
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=2,
        max=100,
        help="Measure by cross-validation, and train on all rows in the end.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Recipe = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        callback=checked_by(check_recipe),
        autocompletion=lambda incomplete: [name for name in RECIPES if name.startswith(incomplete)],
        help=f"How the network is drawn up and trained: {', '.join(RECIPES)}.",
        rich_help_panel=_PANEL,
    ),
]
Members = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=1000,
        help="How many networks are averaged.",
        show_default="the recipe's number",
        rich_help_panel=_PANEL,
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        callback=checked_by(check_budget),
        help="How long training may take, about.",
        show_default="as long as it needs",
        rich_help_panel=_PANEL,
    ),
]
Separator = Annotated[
    str | None,
    typer.Option(
        metavar="SIGN",
        callback=checked_by(check_separator),
        help="What stands between two values of a text file.",
        show_default="found out",
        rich_help_panel=_PANEL,
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="A text file's encoding.", show_default="found out", rich_help_panel=_PANEL),
]
Memory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        callback=checked_by(bytes_in),
        help="How much memory to do with, such as 2GB: a table for which that is too little is trained on in parts.",
        show_default="half of what there is",
        rich_help_panel=_PANEL,
    ),
]
