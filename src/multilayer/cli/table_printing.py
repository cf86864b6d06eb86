"""A table's columns, figures and predictions, as tables in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column as Heading
from rich.table import Table as Grid
from rich.text import Text

from multilayer._language import later, tr
from multilayer._tables import Column
from multilayer.cli.terminal import escaped
from multilayer.functional import Array
from multilayer.tabular.importance import Importance

NAMES = {
    "accuracy": later("accuracy"),
    "auc": "AUC",
    "log_loss": later("log loss"),
    "f1": "F1",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
}
MODELS = {"network": later("this network"), "linear": later("a linear model"), "constant": later("a constant")}
HIGHER_IS_BETTER = {"accuracy", "auc", "f1", "r2"}
_MOST_COLUMNS = 200
_MOST_CLASSES = 12
_BAR = 24  # letters


def _console() -> Console:
    return Console(file=sys.stdout, highlight=False)


def _grid(*headings: Heading | str, title: str | None = None) -> Grid:
    return Grid(*headings, box=SIMPLE_HEAD, padding=(0, 1), title=title, title_justify="left", title_style="bold")


def print_columns(columns: Sequence[Column]) -> None:
    """What each column was taken for, and why."""
    grid = _grid(Heading(tr("column"), overflow="fold"), tr("taken for"), Heading(tr("because"), overflow="fold"))
    for one in columns[:_MOST_COLUMNS]:
        style = "dim" if one.kind in ("identifier", "constant", "duplicate") else ""
        grid.add_row(Text(escaped(one.name), style), Text(tr(one.kind), style), Text(escaped(one.reason), style))
    console = _console()
    console.print(grid)
    if len(columns) > _MOST_COLUMNS:
        console.print(tr("and {count:,} more", count=len(columns) - _MOST_COLUMNS))


def print_figures(figures: Mapping[str, Mapping[str, float]], deviations: Mapping[str, float]) -> None:
    """The figures of the models beside each other, the best of each in bold."""
    names = list(figures["network"])
    grid = _grid("", *(Heading(tr(NAMES[name]), justify="right") for name in names))
    for model, of_model in figures.items():
        cells = []
        for name in names:
            best = best_of([one[name] for one in figures.values()], name)
            text = number(of_model[name])
            if model == "network" and name in deviations:
                text += f" ± {number(deviations[name])}"
            cells.append(Text(text, "bold" if of_model[name] == best else ""))
        grid.add_row(tr(MODELS.get(model, model)), *cells)
    _console().print(grid)


def best_of(values: Sequence[float], name: str) -> float:
    """The best of several values of a figure."""
    return float(np.nanmax(values) if name in HIGHER_IS_BETTER else np.nanmin(values))


def number(value: float) -> str:
    """A figure with as many digits as tell something.

    Example:
        >>> number(0.123456), number(123.456), number(1234567.8)
        ('0.123', '123.5', '1,234,568')
    """
    if value != value:
        return "—"
    size = abs(value)
    return f"{value:.3f}" if size < 10 else f"{value:,.1f}" if size < 10_000 else f"{value:,.0f}"


def signed(value: float) -> str:
    """A figure with its sign.

    Example:
        >>> signed(0.25), signed(-0.00001)
        ('+0.250', '0.000')
    """
    text = number(abs(value))
    return text if not text.strip("0.,—") else f"{'+' if value > 0 else '-'}{text}"


def print_confusion(counts: Array, classes: Sequence[str]) -> None:
    """How often each true class was predicted as each class."""
    if len(classes) > _MOST_CLASSES:
        return
    grid = _grid(
        Heading(tr("true ↓  predicted →"), overflow="fold"),
        *(Heading(Text(escaped(one)), justify="right") for one in classes),
    )
    for i, name in enumerate(classes):
        cells = [Text(f"{count:,}", "bold" if i == j else "" if count else "dim") for j, count in enumerate(counts[i])]
        grid.add_row(Text(escaped(name)), *cells)
    _console().print(grid)


def print_importance(importance: Sequence[Importance], loss: str, most: int = 10) -> None:
    """How much each column matters, the first few."""
    largest = max((one.mean for one in importance), default=0)
    grid = _grid(
        Heading(tr("column"), overflow="fold"),
        Heading(tr("{loss} when shuffled", loss=loss), justify="right"),
        "",
    )
    for one in importance[:most]:
        bar = "█" * max(0, round(_BAR * one.mean / largest)) if largest > 0 else ""
        grid.add_row(Text(escaped(one.name)), f"{signed(one.mean)} ± {number(one.deviation)}", Text(bar, "blue"))
    console = _console()
    console.print(grid)
    if len(importance) > most:
        console.print(tr("and {count} more in the report", count=len(importance) - most))
