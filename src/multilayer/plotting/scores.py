"""How good predictions are: which classes are taken for which, and whether a confidence can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.arrays import as_numbers
from multilayer._checks.scalars import whole_number
from multilayer._language import tr
from multilayer.functional import Array
from multilayer.plotting import style
from multilayer.plotting.fonts import spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

_MOST_NUMBERED = 20  # classes whose cells have room for a number


def plot_confusion_matrix(
    labels: ArrayLike,
    predictions: ArrayLike,
    *,
    classes: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draws how often each true class was predicted as each class.

    A cell's number is the count, its colour the share of its row. Right answers lie on the diagonal, in grey; mistakes
    are in colour, so that few of them are seen beside many right answers.

    Args:
        labels: The true classes, whole numbers from 0, shape (n,).
        predictions: What `predict` returns, shape (n, classes), or the predicted classes, shape (n,).
        classes: The classes' names; by default their numbers.
        ax: Axes to draw into.

    Returns:
        The figure that holds the matrix.

    Raises:
        ValueError: Labels and predictions do not fit each other, or there is not one name for each class.

    Example:
        >>> figure = plot_confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['1', '1', '2']
    """
    truth, guess, count = _as_classes(labels, predictions)
    if classes is not None:
        if len(classes) < count:
            raise ValueError(
                tr("Expected a name for each of the {count} classes; got {got}.", count=count, got=len(classes))
            )
        count = len(classes)
    counts = np.bincount(truth * count + guess, minlength=count * count).reshape(count, count)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    if ax is None:
        side = 1.7 + 0.36 * min(count, 30)
        ax = style.new_axes(max(3.6, side), max(3.3, side - 0.2))
    wrong = np.where(np.eye(count, dtype=bool), np.nan, shares)
    right = np.where(np.eye(count, dtype=bool), shares, np.nan)
    largest = float(np.nanmax(wrong)) if count > 1 else 0.0
    ax.imshow(right, cmap="Greys", vmin=0, vmax=1.8)  # no darker than a number in ink can be read on
    ax.imshow(wrong, cmap=_warm(), vmin=0, vmax=largest or 1.0)
    ax.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5))
    if count <= _MOST_NUMBERED:
        for row, column in zip(*np.nonzero(counts), strict=True):
            dark = row != column and shares[row, column] > 0.6 * largest
            ax.text(
                column, row, f"{counts[row, column]:,}", ha="center", va="center",
                fontsize=8 if counts.max() < 1000 else 7, color="white" if dark else style.INK,
            )  # fmt: skip
    names = [str(number) for number in range(count)] if classes is None else list(map(str, classes))
    every = max(1, count // 25)
    slanted = max(map(len, names), default=0) > 3
    ax.set_xticks(range(0, count, every), names[::every], fontsize=8, rotation=45 if slanted else 0,
                  ha="right" if slanted else "center", rotation_mode="anchor" if slanted else None)  # fmt: skip
    ax.set_yticks(range(0, count, every), names[::every], fontsize=8)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel=spoken("predicted"), ylabel=spoken("true"))
    ax.set_title(
        spoken("{share:.1%} of {count:,} right", share=float(np.mean(truth == guess)), count=len(truth)), fontsize=10
    )
    return style.finished(ax)


def _warm() -> LinearSegmentedColormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("white to vermilion", ["#FFFFFF", "#F2B48C", style.VERMILION, "#8A3B00"])


def _as_classes(labels: ArrayLike, predictions: ArrayLike) -> tuple[Array, Array, int]:
    """True and predicted classes, and how many classes there are."""
    truth, predicted = as_numbers(labels, "labels"), as_numbers(predictions, "predictions")
    if truth.ndim != 1 or predicted.ndim not in (1, 2) or len(truth) != len(predicted) or not len(truth):
        raise ValueError(
            tr(
                "Expected labels of shape (n,) and predictions of shape (n,) or (n, classes), n at least 1; "
                "got {shape} and {got}.",
                shape=truth.shape,
                got=predicted.shape,
            )
        )
    if predicted.ndim == 2 and predicted.shape[1] == 1:
        raise ValueError(tr("A single output is no class: pass `(predictions[:, 0] > 0.5).astype(int)`."))
    guess = predicted.argmax(axis=1) if predicted.ndim == 2 else predicted
    for name, numbers in (("labels", truth), ("predictions", guess)):
        if numbers.dtype.kind not in "iub" and not np.all(numbers == np.floor(numbers)):
            raise ValueError(
                tr(
                    "`{name}` must be whole numbers, one class a sample; probabilities have a column a class.",
                    name=name,
                )
            )
        if np.any(numbers < 0):
            raise ValueError(
                tr("`{name}` must be classes numbered from 0; got {lowest}.", name=name, lowest=numbers.min())
            )
    truth, guess = truth.astype(int), guess.astype(int)
    columns = predicted.shape[1] if predicted.ndim == 2 else 0
    return truth, guess, max(columns, int(max(truth.max(), guess.max())) + 1)


def plot_calibration(labels: ArrayLike, predictions: ArrayLike, *, bins: int = 10, ax: Axes | None = None) -> Figure:
    """Draws how often a network is right where it is so sure: the reliability diagram.

    With several classes, a sample's confidence is its largest probability, and it is right where that class is true.
    With one output, which is the probability of class 1, it is that probability and how often class 1 is true. On the
    diagonal a confidence can be believed; below it the network is too sure of itself. The bars at the bottom show how
    many samples there are of each confidence. The expected calibration error is the mean distance from the diagonal,
    weighted by the number of samples.

    Args:
        labels: The true classes, shape (n,).
        predictions: Probabilities: shape (n, classes), or (n,) or (n, 1) for the probability of class 1.
        bins: Number of equally wide bins of confidence.
        ax: Axes to draw into.

    Returns:
        The figure that holds the plot.

    Raises:
        ValueError: The two do not fit each other, or predictions are no probabilities.

    Source: Guo et al., "On Calibration of Modern Neural Networks", 2017.

    Example:
        >>> figure = plot_calibration([1, 0, 1, 1], [0.9, 0.1, 0.9, 0.9])
        >>> figure.axes[0].get_title()
        'expected calibration error 0.100'
    """
    confidence, right, single = _confidence(labels, predictions)
    whole_number("bins", bins, 1)
    where = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(where, minlength=bins)
    some = np.maximum(counts, 1)
    mean_confidence = np.bincount(where, confidence, bins) / some
    accuracy = np.bincount(where, right, bins) / some
    error = float(np.sum(counts * np.abs(accuracy - mean_confidence)) / len(confidence))

    ax = style.new_axes(4.8, 4.6) if ax is None else ax
    edges = np.linspace(0, 1, bins + 1)
    ax.bar(edges[:-1], 0.25 * counts / counts.max(), 1 / bins, align="edge", color=style.GRID, edgecolor="white",
           label=spoken("samples"))  # fmt: skip
    ax.plot([0, 1], [0, 1], "--", color=style.PALE, lw=1.2, label=spoken("as sure as right"))
    filled = counts > 0
    ax.vlines(mean_confidence[filled], accuracy[filled], mean_confidence[filled], color=style.VERMILION, lw=1.2)
    x, y = mean_confidence[filled], accuracy[filled]
    ax.plot(x, y, color=style.BLUE, lw=1.0, alpha=0.6)
    # Of a few samples the share says little: the area of a point is that of its bin's share of the samples.
    ax.scatter(
        x,
        y,
        s=6 + 110 * counts[filled] / counts.max(),
        color=style.BLUE,
        zorder=3,
        clip_on=False,
        label=spoken("the network"),
    )
    what = (
        (spoken("probability of class 1"), spoken("share of class 1"))
        if single
        else (spoken("confidence"), spoken("share of right answers"))
    )
    style.label_axes(ax, *what)
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ax.set_title(spoken("expected calibration error {error:.3f}", error=error), fontsize=10)
    ax.legend(loc="best", framealpha=0.9, edgecolor="none", fontsize=8, markerscale=0.7)
    return style.finished(ax)


def _confidence(labels: ArrayLike, predictions: ArrayLike) -> tuple[Array, Array, bool]:
    """How sure each prediction is, whether it is right, and whether there is only one output."""
    truth, p = as_numbers(labels, "labels"), as_numbers(predictions, "predictions").astype(np.float64)
    p = p[:, 0] if p.ndim == 2 and p.shape[1] == 1 else p
    truth = truth[:, 0] if truth.ndim == 2 and truth.shape[1] == 1 else truth
    if truth.ndim != 1 or p.ndim not in (1, 2) or len(truth) != len(p) or not len(p):
        raise ValueError(
            tr(
                "Expected labels of shape (n,) and probabilities of shape (n, classes), (n,) or (n, 1), n at "
                "least 1; got {labels} and {predictions}.",
                labels=np.shape(labels),
                predictions=np.shape(predictions),
            )
        )
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(
            tr(
                "Expected probabilities, in [0, 1]; got numbers from {lowest:.4g} to {highest:.4g}. Apply softmax or "
                "sigmoid to logits first.",
                lowest=p.min(),
                highest=p.max(),
            )
        )
    if p.ndim == 1:
        if not np.all((truth == 0) | (truth == 1)):
            raise ValueError(tr("With the probability of class 1, labels are 0 or 1."))
        return p, truth.astype(np.float64), True
    return p.max(axis=1), (p.argmax(axis=1) == truth).astype(np.float64), False
