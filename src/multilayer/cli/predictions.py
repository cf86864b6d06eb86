"""What `multilayer predict` prints: the digit in each image, its probabilities, and notes on images hard to read."""

from __future__ import annotations

import csv
import sys
from typing import Any, TypeAlias

from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from multilayer.cli import images
from multilayer.cli.terminal import note

Array: TypeAlias = NDArray[Any]


def note_unreadable(names: list[str], pixels: Array, inverted: bool) -> None:
    """Says which images hold no ink, and which have a light background, unlike what networks are trained on here.

    Args:
        names: What the images are called.
        pixels: Their grey values as the network gets them, shape (n, side, side).
        inverted: Whether they were inverted before.
    """
    blank, light = [], []
    for name, image in zip(names, pixels, strict=True):
        if images.is_blank(image):
            blank.append(name)
        elif images.background(image) > 127:
            light.append(name)
    _note_blank(blank)
    _note_light(light, inverted)


def _note_blank(names: list[str]) -> None:
    """Says in which images there is nothing to read: a network answers all the same."""
    if names:
        note(f"{_first_of(names)}: no ink, nothing to read. What is printed for it means nothing.")


def _note_light(names: list[str], inverted: bool) -> None:
    """Says which images have a light background, unlike what networks are trained on here."""
    if not names:
        return
    how, remedy = ("after --invert", "without") if inverted else ("to the network", "with")
    note(f"{_first_of(names)}: dark ink on light paper {how}. Light ink on dark is read better; try {remedy} --invert.")


def _first_of(names: list[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def print_csv(names: list[str], probabilities: Array) -> None:
    """A line for each image: its name, the digit, the probability of each digit."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["image", "digit", *range(probabilities.shape[1])])
    for name, row in zip(names, probabilities, strict=True):
        writer.writerow([name, row.argmax(), *row])


def print_table(names: list[str], probabilities: Array) -> None:
    """A row for each image, its digit's probability in bold."""
    table = Table(Column("image", overflow="fold"), Column("digit", style="bold"), box=SIMPLE_HEAD, padding=0)
    for digit in range(probabilities.shape[1]):
        table.add_column(str(digit), justify="right")
    for name, row in zip(names, probabilities, strict=True):
        best = row.argmax()
        table.add_row(
            escape(name), str(best), *(Text(f"{p:.2f}", "bold" if i == best else "dim") for i, p in enumerate(row))
        )
    Console(highlight=False).print(table)
