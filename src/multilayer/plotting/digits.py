"""Digits, and those that a network got wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from multilayer._language import tr
from multilayer.plotting import style
from multilayer.plotting.fonts import spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
    pixels = as_images(images)
    captions = [""] * len(pixels) if captions is None else captions
    if len(captions) != len(pixels):
        raise ValueError(
            tr(
                "Expected one caption for each of the {count} images; got {got}.",
                count=len(pixels),
                got=len(captions),
            )
        )
    lines = 1 + max((caption.count("\n") for caption in captions if caption), default=-1)
    columns = max(1, min(columns, len(pixels)))
    rows = max(1, math.ceil(len(pixels) / columns))
    width, height = 1.15, 1.1 + 0.15 * lines  # of a cell; an image fills the unit square at its bottom

    ax = style.new_axes(max(columns * width, 4.0), rows * height) if ax is None else ax
    for i, (image, caption) in enumerate(zip(pixels, captions, strict=True)):
        left, bottom = i % columns * width, -(i // columns + 1) * height
        ax.imshow(image, cmap="gray_r", extent=(left, left + 1, bottom, bottom + 1))
        ax.text(left + 0.5, bottom + 1.04, caption, ha="center", va="bottom", fontsize=8, linespacing=1.1)
    ax.set(xlim=(width - 1.3, columns * width), ylim=(-rows * height - 0.1, 0), aspect="equal")
    ax.axis("off")
    return style.finished(ax)


def plot_mistakes(
    images: ArrayLike,
    labels: ArrayLike,
    predictions: ArrayLike,
    *,
    limit: int = 40,
    columns: int = 8,
    ax: Axes | None = None,
) -> Figure:
    """Draws the images that were classified wrongly, each with its prediction and the truth.

    Given probabilities, the mistakes that the network was surest of come first; given classes, they keep their order.

    Args:
        images: Grey values, shape (n, rows, columns), or (n, pixels) for square images; larger means more ink.
        labels: The true classes, shape (n,).
        predictions: What `predict` returns, shape (n, classes), or the predicted classes, shape (n,).
        limit: The most mistakes to draw.
        columns: How many images stand in one row.
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
    pixels, truth, predicted = as_images(images), np.asarray(labels), np.asarray(predictions)
    if not len(pixels) == len(truth) == len(predicted):
        raise ValueError(
            tr(
                "Expected as many labels and predictions as images; got {count} images, {got} labels and "
                "{predictions} predictions.",
                count=len(pixels),
                got=len(truth),
                predictions=len(predicted),
            )
        )
    if truth.ndim != 1 or predicted.ndim not in (1, 2):
        raise ValueError(
            tr(
                "Expected labels of shape (n,) and predictions of shape (n,) or (n, classes); got {shape} and {got}.",
                shape=truth.shape,
                got=predicted.shape,
            )
        )
    classes, order = predicted, spoken("first")
    if predicted.ndim == 2:
        surest = np.argsort(-predicted.max(axis=1), kind="stable")
        pixels, truth, classes, order = (
            pixels[surest],
            truth[surest],
            predicted[surest].argmax(axis=1),
            spoken("surest"),
        )
    wrong = np.flatnonzero(classes != truth)
    shown = wrong[:limit]
    captions = [spoken("predicted {classes}\ntrue {truth}", classes=classes[i], truth=truth[i]) for i in shown]
    count = f"{len(wrong):,}" if len(wrong) else "None"
    which = spoken(" (the {limit} {order})", limit=limit, order=order) if len(wrong) > limit else ""

    figure = plot_digits(pixels[shown], captions, columns=columns, ax=ax)
    (ax or figure.axes[0]).set_title(
        spoken("{count} of {all:,} wrong{which}", count=count, all=len(truth), which=which)
    )
    return figure


def as_images(images: ArrayLike) -> NDArray[Any]:
    """The images as (n, rows, columns).

    Raises:
        ValueError: They are neither that nor flattened squares.
    """
    array = np.asarray(images)
    side = math.isqrt(array.shape[-1]) if array.ndim == 2 else 0
    if array.ndim == 2 and side * side == array.shape[-1]:
        array = array.reshape(-1, side, side)
    if array.ndim != 3:
        raise ValueError(
            tr("Expected images of shape (n, rows, columns) or (n, side * side); got {shape}.", shape=array.shape)
        )
    return array
