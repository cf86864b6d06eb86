"""What `multilayer predict` prints: the digit in each image, its probabilities, and notes on images hard to read."""

from __future__ import annotations

import csv
import sys
from typing import Any, TypeAlias

from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from multilayer._language import tr
from multilayer._pictures import NO_INK, Prepared, background, is_blank
from multilayer.cli.terminal import escaped, note

Array: TypeAlias = NDArray[Any]


def note_prepared(names: list[str], prepared: list[Prepared]) -> None:
    """Says what was done to the images, and which of them cannot be a single digit; those of one kind in one line."""
    done: dict[tuple[str, ...], list[str]] = {}
    doubts: dict[str, list[str]] = {}
    for name, one in zip(names, prepared, strict=True):
        done.setdefault(one.done, []).append(name)
        doubts.setdefault(one.doubt, []).append(name)
    for steps, found in done.items():
        if steps:
            note(tr("{images}: {steps}. --as-is leaves this out.", images=_first_of(found), steps=", ".join(steps)))
    for doubt, found in doubts.items():
        if doubt:
            cannot = "" if doubt == tr(NO_INK) else tr("cannot be a single digit: ")
            note(
                tr(
                    "{images}: {cannot}{doubt}. What is printed for it means nothing.",
                    images=_first_of(found),
                    cannot=cannot,
                    doubt=doubt,
                )
            )


def names_of(name: str, parts: list[Prepared]) -> list[str]:
    """What the digits of a picture are called: as it is, or numbered where they are several."""
    return [name] if len(parts) == 1 else [f"{name}[{i}]" for i in range(len(parts))]


def note_several(names: list[str], read: list[list[Prepared]]) -> None:
    """Says which pictures hold several digits."""
    for name, parts in zip(names, read, strict=True):
        if len(parts) > 1:
            note(tr("{name}: {count} digits, read one by one, from left to right.", name=name, count=len(parts)))


def note_light(names: list[str], prepared: list[Prepared], inverted: bool | None) -> None:
    """Says which images have a light background for the network, unlike what networks are trained on here."""
    light = [
        name
        for name, one in zip(names, prepared, strict=True)
        if not is_blank(one.pixels) and background(one.pixels) > 127
    ]
    if light:
        how, remedy = (tr("after --invert"), tr("without")) if inverted else (tr("to the network"), tr("with"))
        note(
            tr(
                "{light}: dark ink on light paper {how}. Light ink on dark is read better; try {remedy} --invert.",
                light=_first_of(light),
                how=how,
                remedy=remedy,
            )
        )


def _first_of(names: list[str]) -> str:
    return names[0] + (tr(" and {count} more", count=len(names) - 1) if len(names) > 1 else "")


def described(names: list[str], prepared: list[Prepared], probabilities: Array) -> list[dict[str, Any]]:
    """Each image as plain data: its name, what was done to it, the digit, the probability of each digit."""
    return [
        {
            "image": name,
            "digit": int(row.argmax()),
            "probabilities": row.tolist(),
            "prepared": list(one.done),
            "doubt": one.doubt or None,
            "box": one.box,
        }
        for name, one, row in zip(names, prepared, probabilities, strict=True)
    ]


def print_csv(names: list[str], probabilities: Array) -> None:
    """A line for each image: its name, the digit, the probability of each digit."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["image", "digit", *range(probabilities.shape[1])])
    for name, row in zip(names, probabilities, strict=True):
        writer.writerow([escaped(name) if sys.stdout.isatty() else name, row.argmax(), *row])


def print_table(names: list[str], probabilities: Array) -> None:
    """A row for each image, its digit's probability in bold."""
    table = Table(Column("image", overflow="fold"), Column("digit", style="bold"), box=SIMPLE_HEAD, padding=0)
    for digit in range(probabilities.shape[1]):
        table.add_column(str(digit), justify="right")
    for name, row in zip(names, probabilities, strict=True):
        best = row.argmax()
        table.add_row(
            Text(escaped(name)),
            str(best),
            *(Text(f"{p:.2f}", "bold" if i == best else "dim") for i, p in enumerate(row)),
        )
    Console(highlight=False).print(table)
