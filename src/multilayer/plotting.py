"""Pictures: how a training went, and which digits a network got wrong.

Every function draws into `ax` where one is given, and into a figure of its own otherwise, and returns the figure:
`plot_history(history).savefig("loss.png")`. None of them touches pyplot, so they need no display and leave no state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from multilayer import registry

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from multilayer.callbacks import History
    from multilayer.utils import LearningRateRange

# Blue and vermilion of Okabe and Ito's palette (2008), which colour-blind readers tell apart as well.
_BLUE, _VERMILION = "#0072B2", "#D55E00"
_MOST_MARKERS = 50


def plot_history(
    history: History | Mapping[str, Sequence[float]],
    metric: str = "loss",
    *,
    labels: tuple[str, str] = ("train", "validation"),
    xlabel: str = "epoch",
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
    from matplotlib.ticker import MaxNLocator

    values = history if isinstance(history, Mapping) else history.history
    if metric not in values:
        raise registry.unknown("metric", metric, values)
    lines = [values[name] for name in (metric, f"val_{metric}") if name in values]
    if len(lines[0]) != len(lines[-1]):
        raise ValueError(
            f"{metric!r} has {len(lines[0])} values and 'val_{metric}' {len(lines[-1])}: which belong together is "
            "unknown. Validate in every epoch (`validation_freq=1`), or leave one of the two out."
        )
    steps = 1 + np.asarray(getattr(history, "epoch", range(len(lines[0]))))

    ax = _new_axes(6.4, 4.0) if ax is None else ax
    styles = ((_BLUE, "-", "o"), (_VERMILION, "--", "s"))
    few = len(steps) <= _MOST_MARKERS
    for line, label, (color, dashes, marker) in zip(lines, labels, styles, strict=False):
        ax.plot(
            steps, line, dashes, color=color, label=label, lw=1.5 if few else 0.6, marker=marker if few else "", ms=4
        )
    is_accuracy = metric.endswith(("accuracy", "acc"))
    ax.set_ylim(0, 1 if is_accuracy else None)
    ax.set(xlabel=xlabel, ylabel=metric)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    ax.grid(color="0.9")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="lower right" if is_accuracy else "best", frameon=False)
    return _figure_of(ax)


def learning_rate_range(result: LearningRateRange, *, momentum: float = 0.9, ax: Axes | None = None) -> Figure:
    """Draws the loss by learning rate, and marks the rate at which it falls most steeply.

    The loss of single batches is drawn pale, their mean (`LearningRateRange.smoothed`) in full, which the axis is made
    for: a last batch that blew up does not press everything else together.

    Args:
        result: What `utils.learning_rate_range_test` returns.
        momentum: The weight of a neighbour in the mean, in [0, 1).
        ax: Axes to draw into.

    Returns:
        The figure that holds the plot.

    Raises:
        ValueError: There are fewer than two finite losses.

    Source: Smith, "Cyclical learning rates for training neural networks", 2017.

    Example:
        >>> from multilayer.utils import LearningRateRange
        >>> rates = 10.0 ** np.linspace(-4, 0, 50)
        >>> figure = learning_rate_range(LearningRateRange(rates, 1 / (1 + 100 * rates) + rates))
        >>> figure.axes[0].get_xscale()
        'log'
    """
    smooth = result.smoothed(momentum)
    if len(smooth) < 2:
        raise ValueError(f"Expected at least two finite losses; got {len(smooth)} of {len(result.losses)}.")
    rates, losses = result.rates[: len(smooth)], result.losses[: len(smooth)]
    slopes = np.gradient(smooth, np.log(rates))
    steepest = int(np.argmin(slopes))

    ax = _new_axes(6.4, 4.0) if ax is None else ax
    ax.plot(rates, losses, color="0.7", lw=0.8, label="each batch")
    ax.plot(rates, smooth, color=_BLUE, lw=1.5, label="mean")
    if slopes[steepest] < 0:
        ax.axvline(rates[steepest], color=_VERMILION, ls="--", lw=1.0, label=f"steepest fall: {rates[steepest]:.1g}")
    margin = 0.1 * float(np.ptp(smooth)) or 1.0
    ax.set_ylim(float(smooth.min()) - margin, float(smooth.max()) + margin)
    ax.set_xscale("log")
    ax.set(xlabel="learning rate", ylabel="loss")
    ax.grid(color="0.9")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="best", frameon=False)
    return _figure_of(ax)


def plot_digits(
    images: ArrayLike, captions: Sequence[str] | None = None, *, columns: int = 10, ax: Axes | None = None
) -> Figure:
    """Draws images side by side, with a caption above each.

    Args:
        images: Grey values, shape (n, rows, columns), or (n, pixels) for square images; larger means more ink.
        captions: One text for each image.
        columns: How many images stand in one row.
        ax: Axes to draw into.

    Returns:
        The figure that holds the images.

    Raises:
        ValueError: The images have another shape, or there is not one caption for each.

    Example:
        >>> figure = plot_digits(np.eye(8).reshape(1, 64), captions=["a stroke"])
        >>> len(figure.axes[0].images)
        1
    """
    pixels = _as_images(images)
    captions = [""] * len(pixels) if captions is None else captions
    if len(captions) != len(pixels):
        raise ValueError(f"Expected one caption for each of the {len(pixels)} images; got {len(captions)}.")
    lines = 1 + max((caption.count("\n") for caption in captions if caption), default=-1)
    columns = max(1, min(columns, len(pixels)))
    rows = max(1, math.ceil(len(pixels) / columns))
    width, height = 1.15, 1.1 + 0.15 * lines  # of a cell; an image fills the unit square at its bottom

    ax = _new_axes(max(columns * width, 4.0), rows * height) if ax is None else ax
    for i, (image, caption) in enumerate(zip(pixels, captions, strict=True)):
        left, bottom = i % columns * width, -(i // columns + 1) * height
        ax.imshow(image, cmap="gray_r", extent=(left, left + 1, bottom, bottom + 1))
        ax.text(left + 0.5, bottom + 1.04, caption, ha="center", va="bottom", fontsize=8, linespacing=1.1)
    ax.set(xlim=(width - 1.3, columns * width), ylim=(-rows * height - 0.1, 0), aspect="equal")
    ax.axis("off")
    return _figure_of(ax)


def plot_mistakes(
    images: ArrayLike, labels: ArrayLike, predictions: ArrayLike, *, limit: int = 40, ax: Axes | None = None
) -> Figure:
    """Draws the images that were classified wrongly, each with its prediction and the truth.

    Given probabilities, the mistakes that the network was surest of come first; given classes, they keep their order.

    Args:
        images: Grey values, shape (n, rows, columns), or (n, pixels) for square images; larger means more ink.
        labels: The true classes, shape (n,).
        predictions: What `predict` returns, shape (n, classes), or the predicted classes, shape (n,).
        limit: The most mistakes to draw.
        ax: Axes to draw into.

    Returns:
        The figure that holds the mistakes; where there are none, it says so.

    Raises:
        ValueError: The three differ in length, or are not shaped as above.

    Example:
        >>> figure = plot_mistakes(np.zeros((3, 4, 4)), labels=[7, 1, 2], predictions=[7, 7, 2])
        >>> figure.axes[0].get_title()
        '1 of 3 wrong'
    """
    pixels, truth, predicted = _as_images(images), np.asarray(labels), np.asarray(predictions)
    if not len(pixels) == len(truth) == len(predicted):
        raise ValueError(
            f"Expected as many labels and predictions as images; got {len(pixels)} images, {len(truth)} labels and "
            f"{len(predicted)} predictions."
        )
    if truth.ndim != 1 or predicted.ndim not in (1, 2):
        raise ValueError(
            f"Expected labels of shape (n,) and predictions of shape (n,) or (n, classes); got {truth.shape} and "
            f"{predicted.shape}."
        )
    classes, order = predicted, "first"
    if predicted.ndim == 2:
        surest = np.argsort(-predicted.max(axis=1), kind="stable")
        pixels, truth, classes, order = pixels[surest], truth[surest], predicted[surest].argmax(axis=1), "surest"
    wrong = np.flatnonzero(classes != truth)
    shown = wrong[:limit]
    captions = [f"predicted {classes[i]}\ntrue {truth[i]}" for i in shown]
    count = f"{len(wrong):,}" if len(wrong) else "None"
    which = f" (the {limit} {order})" if len(wrong) > limit else ""

    figure = plot_digits(pixels[shown], captions, columns=8, ax=ax)
    (ax or figure.axes[0]).set_title(f"{count} of {len(truth):,} wrong{which}")
    return figure


def _as_images(images: ArrayLike) -> NDArray[Any]:
    """The images as (n, rows, columns).

    Raises:
        ValueError: They are neither that nor flattened squares.
    """
    array = np.asarray(images)
    side = math.isqrt(array.shape[-1]) if array.ndim == 2 else 0
    if array.ndim == 2 and side * side == array.shape[-1]:
        array = array.reshape(-1, side, side)
    if array.ndim != 3:
        raise ValueError(f"Expected images of shape (n, rows, columns) or (n, side * side); got {array.shape}.")
    return array


def _new_axes(width: float, height: float) -> Axes:
    """Axes in a figure of their own, `width` by `height` inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=150, layout="constrained").add_subplot()


def _figure_of(ax: Axes) -> Figure:
    """The figure that the axes lie in, also where they lie in a subfigure of it."""
    return ax.figure.figure
