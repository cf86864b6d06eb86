"""How a training went, and how several compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from multilayer._language import later, tr
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.plotting import style
from multilayer.plotting.fonts import spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from multilayer.callbacks import History

Run: TypeAlias = "History | Mapping[str, Sequence[float]]"

_MOST_MARKERS = 50
_TRAIN, _VALIDATION, _EPOCH = later("train"), later("validation"), later("epoch")


def plot_history(
    history: Run,
    metric: str = "loss",
    *,
    labels: tuple[str, str] = (_TRAIN, _VALIDATION),
    xlabel: str = _EPOCH,
    ax: Axes | None = None,
) -> Figure:
    """Draws a metric by epoch: a line for the training data and, where it was recorded, one for the validation data.

    An accuracy is drawn on the whole range from 0 to 1, everything else from 0 upwards.

    Args:
        history: What `fit` returns, or a mapping of lists such as its `history`.
        metric: The list to draw, 'loss' or 'accuracy' say; its validation line is `val_<metric>`.
        labels: What the legend calls the two lines.
        xlabel: What one value stands for: 'step' for a list with the loss of every step.
        ax: Axes to draw into.

    Returns:
        The figure that holds the plot.

    Raises:
        ValueError: The history has no such metric, or its two lists differ in length.

    Example:
        >>> figure = plot_history({"loss": [0.9, 0.5, 0.4], "val_loss": [0.8, 0.6, 0.5]})
        >>> [line.get_label() for line in figure.axes[0].lines]
        ['train', 'validation']
    """
    steps, lines = _lines(history, metric)
    ax = style.new_axes(6.4, 4.0) if ax is None else ax
    styles = ((style.BLUE, "-", "o"), (style.VERMILION, "--", "s"))
    few = len(steps) <= _MOST_MARKERS
    for line, label, (color, dashes, marker) in zip(lines, labels, styles, strict=False):
        ax.plot(
            steps,
            line,
            dashes,
            color=color,
            label=spoken(label),
            lw=1.5 if few else 0.6,
            marker=marker if few else "",
            ms=4,
        )
    _finish(ax, metric, xlabel)
    return style.finished(ax)


def plot_runs(
    runs: Mapping[str, Run],
    metric: str = "loss",
    *,
    validation: bool = True,
    xlabel: str = _EPOCH,
    ax: Axes | None = None,
) -> Figure:
    """Draws a metric of several runs by epoch, one colour for each run.

    Where validation was recorded, its line is the full one, and the training's is drawn thin and dashed beside it, as
    the legend says.

    Args:
        runs: What `fit` returned for each run, by the name that the legend gives it.
        metric: The list to draw, 'loss' or 'accuracy' say.
        validation: Whether the lists `val_<metric>` are drawn, too.
        xlabel: What one value stands for.
        ax: Axes to draw into.

    Returns:
        The figure that holds the plot.

    Raises:
        ValueError: There is no run, or one has no such metric, or lists of different lengths.

    Example:
        >>> figure = plot_runs({"sgd": {"loss": [0.9, 0.8]}, "adam": {"loss": [0.7, 0.3]}})
        >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        ['sgd', 'adam']
    """
    if not runs:
        raise ValueError(tr("Expected at least one run, by its name; got none."))
    found = {name: _lines(run, metric, tr("Run {name!r}: ", name=name)) for name, run in runs.items()}
    ax = style.new_axes(6.4, 4.0) if ax is None else ax
    for number, (name, (steps, lines)) in enumerate(found.items()):
        color, few = style.color(number), len(steps) <= _MOST_MARKERS
        marker = style.marker(number) if few else ""
        beside = len(lines) > 1 and validation
        ax.plot(steps, lines[-1] if beside else lines[0], "-", color=color, label=name, lw=1.5, marker=marker, ms=4)
        if beside:
            ax.plot(steps, lines[0], "--", color=color, lw=0.9, alpha=0.7)
    if validation and any(len(lines) > 1 for _, lines in found.values()):
        ax.plot([], [], "--", color="0.5", lw=0.9, label=spoken(_TRAIN))
    _finish(ax, metric, xlabel, corner="best")
    return style.finished(ax)


def _lines(run: Run, metric: str, whose: str = "") -> tuple[Array, list[Sequence[float]]]:
    """The numbers of the epochs, and the metric's one or two lists."""
    values = run if isinstance(run, Mapping) else run.history
    if metric not in values:
        raise ValueError(f"{whose}{registry.unknown('metric', metric, values)}")
    lines = [values[name] for name in (metric, f"val_{metric}") if name in values]
    if len(lines[0]) != len(lines[-1]):
        raise ValueError(
            tr(
                "{whose}{metric!r} has {count} values and 'val_{metric}' {val_count}: which belong together is "
                "unknown. Validate in every epoch (`validation_freq=1`), or leave one of the two out.",
                whose=whose,
                metric=metric,
                count=len(lines[0]),
                val_count=len(lines[-1]),
            )
        )
    return 1 + np.asarray(getattr(run, "epoch", range(len(lines[0])))), lines


def _finish(ax: Axes, metric: str, xlabel: str, corner: Literal["lower right", "best"] = "lower right") -> None:
    is_accuracy = metric.endswith(("accuracy", "acc"))
    ax.set_ylim(0, 1 if is_accuracy else None)
    style.label_axes(ax, spoken(xlabel), spoken(metric))
    style.whole_number_ticks(ax)
    ax.legend(loc=corner if is_accuracy else "best", frameon=False)
