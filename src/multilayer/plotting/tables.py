"""What a network for a table learned: which columns matter, and how far its values lie from the true ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.arrays import as_numbers
from multilayer._language import tr
from multilayer.plotting import style
from multilayer.plotting.fonts import spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_POINTS = 2_000  # more of them are one blot
_LONGEST_NAME = 30  # letters


def plot_residuals(truth: ArrayLike, predictions: ArrayLike, *, ax: Axes | None = None) -> Figure:
    """Draws predicted values over true ones, and the line on which they would be the same.

    The vertical distance of a point from the line is its residual, predicted - true. Above the line the network says
    too much. Of more than 2,000 points that many are drawn, chosen evenly.

    Args:
        truth: The true values (n,).
        predictions: The predicted values (n,).
        ax: Axes to draw into.

    Returns:
        The figure that holds the plot.

    Raises:
        ValueError: The two do not fit each other.

    Example:
        >>> figure = plot_residuals([1.0, 2.0, 3.0], [1.5, 2.0, 2.0])
        >>> figure.axes[0].get_title()
        'mean absolute residual 0.5'
    """
    t, y = as_numbers(truth, "truth"), as_numbers(predictions, "predictions")
    if t.ndim != 1 or t.shape != y.shape or not len(t):
        raise ValueError(
            tr(
                "Expected true and predicted values (n,), n at least 1; got {shape} and {got}.",
                shape=t.shape,
                got=y.shape,
            )
        )
    ax = style.new_axes(4.8, 4.6) if ax is None else ax
    some = np.linspace(0, len(t) - 1, min(len(t), _MOST_POINTS)).astype(int)
    ends = [min(t.min(), y.min()), max(t.max(), y.max())]
    ax.plot(ends, ends, "--", color=style.PALE, lw=1.2, label=spoken("predicted = true"))
    ax.scatter(t[some], y[some], s=14, color=style.BLUE, alpha=0.5, edgecolor="none", label=spoken("a row"))
    style.label_axes(ax, spoken("true"), spoken("predicted"))
    ax.set_title(spoken("mean absolute residual {mean:.4g}", mean=np.abs(y - t).mean()), fontsize=10)
    ax.legend(loc="best", framealpha=0.9, edgecolor="none", fontsize=8)
    return style.finished(ax)


def plot_importance(
    importance: Mapping[str, tuple[float, float]], *, loss: str = "loss", most: int = 20, ax: Axes | None = None
) -> Figure:
    """Draws how much each column matters: by how much the loss rises when it is shuffled.

    Args:
        importance: Mean and standard deviation of the rise by the column's name.
        loss: What the loss is called.
        most: How many columns are drawn, those that matter most.
        ax: Axes to draw into.

    Returns:
        The figure that holds the plot.

    Raises:
        ValueError: There is no column.

    Example:
        >>> figure = plot_importance({"age": (0.3, 0.02), "city": (0.1, 0.01)})
        >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
        ['age', 'city']
    """
    if not importance:
        raise ValueError(tr("There is no column to draw. Expected at least one."))
    shown = sorted(importance.items(), key=lambda one: -one[1][0])[:most]
    names = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name, _ in shown]
    means, deviations = np.array([one for _, one in shown]).T
    ax = style.new_axes(6.0, 1.2 + 0.28 * len(shown)) if ax is None else ax
    ax.barh(range(len(shown)), means, xerr=deviations, color=style.BLUE, ecolor=style.INK, height=0.7)
    # A name is text, whatever signs are in it.
    ax.set_yticks(range(len(shown)), [name.replace("$", r"\$") for name in names], fontsize=8)
    ax.invert_yaxis()
    style.label_axes(ax, spoken("rise of the {loss} when the column is shuffled", loss=spoken(loss)), "")
    ax.grid(visible=False, axis="y")
    return style.finished(ax)
