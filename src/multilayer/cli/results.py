"""What `multilayer compare` leaves: tables, and a picture of the runs side by side."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from multilayer import plotting
from multilayer.cli.grid import Cell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RESULTS, CURVES, PICTURE = "results.csv", "curves.csv", "comparison.png"
CONTENTS = {
    PICTURE: "loss, accuracy, and the size of the gradient by layer",
    RESULTS: "a row for each network: its settings and how it ended",
    CURVES: "loss and accuracy of every network and epoch",
}
_GRADIENT_STEPS = 100  # the picture shows what reaches the layers at the start; later every network is another
_MOST_DRAWN = 12


def rows(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """A row for each cell: settings, figures, status."""
    return [
        {
            **{option: "" if value is None else value for option, value in cell.settings.items()},
            "epochs": len(cell.history.get("loss", ())),
            "loss": cell.last("loss"),
            "accuracy": cell.last("accuracy"),
            "test_loss": cell.last("val_loss"),
            "test_accuracy": cell.last("val_accuracy"),
            "best_test_accuracy": max(cell.history.get("val_accuracy") or [math.nan]),
            "gradient_first_layer": cell.gradient(0),
            "gradient_last_layer": cell.gradient(-1),
            "dead_units": cell.dead_units,
            "seconds": round(cell.seconds, 2),
            "status": cell.status,
        }
        for cell in cells
    ]


def save(folder: Path, cells: Sequence[Cell]) -> None:
    """Writes the tables and, where a network was trained, the picture."""
    table = rows(cells)
    _write(folder / RESULTS, list(table[0]), [list(row.values()) for row in table])
    metrics = ("loss", "accuracy", "val_loss", "val_accuracy")
    curves = [
        [cell.name, epoch, *figures]
        for cell in cells
        if cell.history
        for epoch, figures in enumerate(zip(*(cell.history[metric] for metric in metrics), strict=True), start=1)
    ]
    _write(folder / CURVES, ["name", "epoch", "loss", "accuracy", "test_loss", "test_accuracy"], curves)
    figure = picture(cells)
    if figure is not None:
        figure.savefig(folder / PICTURE)


def _write(path: Path, header: Sequence[str], lines: Sequence[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(lines)


def picture(cells: Sequence[Cell]) -> Figure | None:
    """The picture of the runs; of many, of those that read the test digits best. None where nothing was trained."""
    drawn = [cell for cell in cells if any(cell.history.values()) and cell.record.steps]
    if not drawn:
        return None
    if len(drawn) > _MOST_DRAWN:
        best = sorted(drawn, key=lambda cell: -np.nan_to_num(cell.last("val_accuracy"), nan=-1.0))[:_MOST_DRAWN]
        drawn = [cell for cell in drawn if cell in best]
    histories = {cell.name: cell.history for cell in drawn}
    return plotting.plot_comparison(histories, {cell.name: cell.record for cell in drawn}, steps=_GRADIENT_STEPS)


def print_table(cells: Sequence[Cell]) -> None:
    """Prints what differs between the networks and how they ended, the best first."""
    best_first = sorted(cells, key=lambda cell: -np.nan_to_num(cell.last("val_accuracy"), nan=-1.0))
    numbers = ("test\naccuracy", "test\nloss", "loss", "dead\nunits", "first\ngradient", "last\ngradient", "s")
    columns = (Column(name, justify="right", no_wrap=True) for name in numbers)
    table = Table(Column("network", min_width=16, overflow="fold"), *columns, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for cell in best_first:
        name = cell.name if cell.status == "ok" else f"{cell.name}\n{cell.status.partition(':')[0]}"
        figures = [_short(cell.last(metric)) for metric in ("val_accuracy", "val_loss", "loss")]
        figures += [f"{cell.dead_units:.0%}" if math.isfinite(cell.dead_units) else "nan"]
        figures += [f"{cell.gradient(layer):.1e}" for layer in (0, -1)]
        table.add_row(escape(name), *figures, f"{cell.seconds:.1f}")
    Console(file=sys.stdout, highlight=False).print(table)


def _short(figure: float) -> str:
    return f"{figure:.1e}" if math.isfinite(figure) and figure >= 1000 else f"{figure:.4f}"
