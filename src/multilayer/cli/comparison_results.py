"""What `multilayer compare` leaves: tables, and a plot of the runs side by side."""

from __future__ import annotations

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
from multilayer._language import later, tr
from multilayer.cli import run_folder
from multilayer.cli.grid import Trial

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RESULTS, CURVES, COMPARISON = "results.csv", "curves.csv", "comparison.png"
CONTENTS = {
    COMPARISON: later("loss, accuracy, and the size of the gradient by layer"),
    RESULTS: later("a row for each network: its settings and how it ended"),
    CURVES: later("loss and accuracy of every network and epoch"),
}
_GRADIENT_STEPS = 100  # the plot shows what reaches the layers at the start; later every network is another
_MOST_DRAWN = 12


def rows(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """A row for each trial: settings, metrics, status."""
    return [
        {
            **{option: "" if value is None else value for option, value in trial.settings.items()},
            "epochs": len(trial.history.get("loss", ())),
            "loss": trial.last("loss"),
            "accuracy": trial.last("accuracy"),
            "test_loss": trial.last("val_loss"),
            "test_accuracy": trial.last("val_accuracy"),
            "best_test_accuracy": max(trial.history.get("val_accuracy") or [math.nan]),
            "gradient_first_layer": trial.gradient(0),
            "gradient_last_layer": trial.gradient(-1),
            "dead_units": trial.dead_units,
            "seconds": round(trial.seconds, 2),
            "status": trial.status,
        }
        for trial in trials
    ]


def save(folder: Path, trials: Sequence[Trial]) -> None:
    """Writes the tables and, where a network was trained, the plot."""
    save_tables(folder, trials)
    figure = plot(trials)
    if figure is not None:
        run_folder.save_figure(figure, folder / COMPARISON)


def save_tables(folder: Path, trials: Sequence[Trial]) -> None:
    """Writes what there is of the tables."""
    table = rows(trials)
    run_folder.write_csv(folder / RESULTS, list(table[0]), [list(row.values()) for row in table])
    metrics = ("loss", "accuracy", "val_loss", "val_accuracy")
    curves = [
        [trial.name, epoch, *values]
        for trial in trials
        if trial.history
        for epoch, values in enumerate(zip(*(trial.history[metric] for metric in metrics), strict=True), start=1)
    ]
    run_folder.write_csv(folder / CURVES, ["name", "epoch", "loss", "accuracy", "test_loss", "test_accuracy"], curves)


def plot(trials: Sequence[Trial]) -> Figure | None:
    """The plot of the runs; of many, of those that read the test digits best. None where nothing was trained."""
    drawn = [trial for trial in trials if any(trial.history.values()) and trial.record.steps]
    if not drawn:
        return None
    if len(drawn) > _MOST_DRAWN:
        best = _best_first(drawn)[:_MOST_DRAWN]
        drawn = [trial for trial in drawn if trial in best]
    histories = {trial.name: trial.history for trial in drawn}
    return plotting.plot_comparison(histories, {trial.name: trial.record for trial in drawn}, steps=_GRADIENT_STEPS)


def _best_first(trials: Sequence[Trial]) -> list[Trial]:
    """By test accuracy; those that have none come last."""
    return sorted(trials, key=lambda trial: -np.nan_to_num(trial.last("val_accuracy"), nan=-1.0))


def print_table(trials: Sequence[Trial]) -> None:
    """Prints what differs between the networks and how they ended, the best first."""
    numbers = (
        tr("test\naccuracy"),
        tr("test\nloss"),
        tr("loss"),
        tr("dead\nunits"),
        tr("first\ngradient"),
        tr("last\ngradient"),
        "s",
    )
    columns = (Column(name, justify="right", no_wrap=True) for name in numbers)
    table = Table(Column(tr("network"), min_width=16, overflow="fold"), *columns, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for trial in _best_first(trials):
        name = trial.name if trial.status == "ok" else f"{trial.name}\n{trial.status.partition(':')[0]}"
        values = [_short(trial.last(metric)) for metric in ("val_accuracy", "val_loss", "loss")]
        values += [f"{trial.dead_units:.0%}" if math.isfinite(trial.dead_units) else "nan"]
        values += [f"{trial.gradient(layer):.1e}" for layer in (0, -1)]
        table.add_row(escape(name), *values, f"{trial.seconds:.1f}")
    Console(file=sys.stdout, highlight=False).print(table)


def _short(value: float) -> str:
    return f"{value:.1e}" if math.isfinite(value) and value >= 1000 else f"{value:.4f}"
