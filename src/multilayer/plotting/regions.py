"""Decision regions: which class a network of two inputs gives every point of the plane."""

from __future__ import annotations

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
    from matplotlib.figure import Figure

    from multilayer.models import Model

_MOST_CLASSES = len(style.COLORS)


def plot_decision_regions(
    model: Model,
    x: ArrayLike,
    y: ArrayLike,
    *,
    threshold: float = 0.5,
    resolution: int = 200,
    limit: int = 1000,
    ax: Axes | None = None,
) -> Figure:
    """Draws which class a network of two inputs gives every point around the samples, and the samples themselves.

    The stronger a colour, the surer the network. The line runs where it is undecided.

    Args:
        model: A model with inputs of shape (n, 2). One output is taken for the probability of class 1; of several, the
            largest counts.
        x: Samples, shape (n, 2).
        y: Their classes, whole numbers from 0, shape (n,), or one-hot rows.
        threshold: From where on a single output means class 1.
        resolution: Number of points along each side of the plane.
        limit: The most samples to draw, evenly from all.
        ax: Axes to draw into.

    Returns:
        The figure that holds the plot.

    Raises:
        ValueError: Samples or classes are shaped otherwise, or there are more than 7 classes.

    Example:
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((2,)), layers.Dense(3, "softmax")])
        >>> figure = plot_decision_regions(model, [[0, 0], [1, 0], [0, 1]], [0, 1, 2], resolution=20)
        >>> figure.axes[0].images[0].get_array().shape
        (20, 20, 4)
    """
    whole_number("resolution", resolution, 2)
    whole_number("limit", limit, 1)
    points = as_numbers(x, "x").astype(np.float64)
    classes = _classes(y, len(points))
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(
            tr("Expected samples of two features, shape (n, 2) with n at least 1; got {shape}.", shape=points.shape)
        )
    if model.built and model.input_shape != (None, 2):
        raise ValueError(
            tr(
                "Expected a model with inputs of shape (n, 2); '{name}' takes {input_shape}.",
                name=model.name,
                input_shape=model.input_shape,
            )
        )
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.12 * np.where(high > low, high - low, 1.0)
    sides = [np.linspace(a, b, resolution) for a, b in zip(low - margin, high + margin, strict=True)]
    grid = np.stack([part.ravel() for part in np.meshgrid(*sides)], axis=1)
    predicted = np.asarray(model.predict(grid, batch_size=4096, verbose=0), np.float64)
    if predicted.ndim != 2:
        raise ValueError(tr("Expected a model with outputs of shape (n, k); got {shape}.", shape=predicted.shape))
    count = max(2, predicted.shape[1], int(classes.max()) + 1)
    if count > _MOST_CLASSES:
        raise ValueError(
            tr(
                "Expected at most {most_classes} classes, which can be told apart by colour; got {count}.",
                most_classes=_MOST_CLASSES,
                count=count,
            )
        )

    ax = style.new_axes(5.2, 4.6) if ax is None else ax
    extent = (sides[0][0], sides[0][-1], sides[1][0], sides[1][-1])
    tints, margins = _tints(predicted, threshold)
    square = (resolution, resolution)
    ax.imshow(tints.reshape(*square, 4), origin="lower", extent=extent, aspect="auto", interpolation="bilinear")
    for margin_of_class in margins.T:
        if margin_of_class.min() < 0 < margin_of_class.max():
            ax.contour(*sides, margin_of_class.reshape(square), levels=[0.0], colors=[style.INK], linewidths=0.9)
    every = np.unique(np.linspace(0, len(points) - 1, min(limit, len(points))).astype(int))
    for number in range(count):
        mine = points[every][classes[every] == number]
        if len(mine):
            ax.scatter(
                mine[:, 0], mine[:, 1], s=18, marker=style.MARKERS[number], c=style.color(number),
                edgecolors="white", linewidths=0.5, label=str(number),
            )  # fmt: skip
    ax.set(xlabel="x[:, 0]", ylabel="x[:, 1]", xlim=extent[:2], ylim=extent[2:])
    ax.legend(title=spoken("class"), loc="upper right", fontsize=8, framealpha=0.85, edgecolor="none")
    return style.finished(ax)


def _classes(y: ArrayLike, n: int) -> Array:
    classes = as_numbers(y, "y")
    if classes.ndim == 2 and classes.shape[1] > 1:
        classes = classes.argmax(axis=1)
    classes = classes.reshape(-1) if classes.ndim == 2 else classes
    if classes.shape != (n,) or not np.all(classes == np.floor(classes)) or np.any(classes < 0):
        raise ValueError(
            tr(
                "Expected a class for each of the {n} samples, whole numbers from 0, or one-hot rows; got an "
                "array of shape {y}.",
                n=n,
                y=np.shape(y),
            )
        )
    return classes.astype(int)


def _tints(predicted: Array, threshold: float) -> tuple[Array, Array]:
    """The colour of every point, paler where the network is less sure, and how far each class is ahead of the others.

    Of two classes one margin is enough, for the other's is the same with the other sign.
    """
    from matplotlib.colors import to_rgba_array

    colours = to_rgba_array(style.COLORS)
    if predicted.shape[1] == 1:
        p = predicted[:, 0]
        winners = (p > threshold).astype(int)
        reach = np.where(winners == 1, np.maximum(p.max() - threshold, 1e-12), np.maximum(threshold - p.min(), 1e-12))
        sure = np.abs(p - threshold) / reach
        margins = (p - threshold)[:, None]
    else:
        winners = predicted.argmax(axis=1)
        first, second = -np.sort(-predicted, axis=1)[:, :2].T
        sure = (first - second) / np.maximum((first - second).max(), 1e-12)
        margins = predicted - np.where(predicted == first[:, None], second[:, None], first[:, None])
        margins = margins if margins.shape[1] > 2 else margins[:, :1]
    tints = colours[winners]
    # Never opaque: the samples in the same colours must stand out.
    tints[:, 3] = 0.12 + 0.43 * np.clip(sure, 0.0, 1.0)
    return tints, margins
