"""What is in a model's layers: the weights of the first, and how the outputs of all are distributed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from multilayer._checks.scalars import whole_number
from multilayer._language import tr
from multilayer.functional import Array
from multilayer.plotting import style
from multilayer.plotting.fonts import spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from multilayer.models import Model


def plot_weights(
    model: Model,
    layer: str | None = None,
    *,
    shape: tuple[int, int] | None = None,
    limit: int = 50,
    columns: int = 10,
    scale: float | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draws what each unit of the first layer looks for: the weights from all pixels to it, as an image.

    Blue pixels speak against the unit's firing, vermilion ones for it. All images have one scale.

    Args:
        model: A model that is built.
        layer: Name of the `Dense` layer; by default the first.
        shape: Rows and columns of an image; by default it is square.
        limit: The most units to draw.
        columns: How many images stand in one row.
        scale: The size of a weight that has the full colour, for pictures that are to be compared; by default nearly
            the largest.
        ax: Axes to draw into.

    Returns:
        The figure that holds the images.

    Raises:
        ValueError: There is no such layer with a kernel, its inputs do not make an image of that shape, a number is
            less than 1, or `scale` is not above 0.

    Example:
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((784,)), layers.Dense(30, "relu"), layers.Dense(10, "softmax")])
        >>> figure = plot_weights(model)
        >>> len(figure.axes[0].images), figure.axes[0].images[0].get_array().shape
        (30, (28, 28))
    """
    model.require_built("plot_weights")
    whole_number("limit", limit, 1)
    whole_number("columns", columns, 1)
    if scale is not None and not scale > 0:
        raise ValueError(tr("`scale` must be a number above 0. Received: scale={scale}", scale=scale))
    name, kernel = kernel_of(model, layer)
    rows, width = _image_shape(len(kernel), shape, name)
    images = kernel.T[:limit].reshape(-1, rows, width)
    columns = max(1, min(columns, len(images)))
    lines = math.ceil(len(images) / columns)
    largest = scale or full_colour(images)
    cell, tall = 1.08, 1.08 * rows / width

    ax = style.new_axes(columns * 0.72 + 0.9, lines * 0.72 * tall / cell + 0.5) if ax is None else ax
    colours = style.diverging()
    for i, image in enumerate(images):
        left, bottom = i % columns * cell, -(i // columns + 1) * tall
        extent = (left, left + 1.0, bottom, bottom + rows / width)
        drawn = ax.imshow(image, cmap=colours, vmin=-largest, vmax=largest, extent=extent, interpolation="nearest")
    ax.set(xlim=(-0.08, columns * cell), ylim=(-lines * tall - 0.02, 0.02), aspect="equal")
    ax.axis("off")
    of = (
        spoken("{count} of {shape:,}", count=len(images), shape=kernel.shape[1])
        if len(images) < kernel.shape[1]
        else f"{len(images)}"
    )
    ax.set_title(spoken("weights into the {of} units of '{name}'", of=of, name=name), fontsize=9)
    bar = style.figure_of(ax).colorbar(drawn, ax=ax, shrink=0.8, pad=0.02, aspect=25)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)
    return style.finished(ax)


def full_colour(weights: Array) -> float:
    """The size of a weight from which on it has the full colour.

    A few outlying weights would leave all others pale: the largest 0.2 % may be cut off.
    """
    return float(np.quantile(np.abs(weights), 0.998)) or 1.0


def kernel_of(model: Model, name: str | None) -> tuple[str, Array]:
    """The name and the kernel of a Dense layer: of the one that is asked for, or of the first."""
    from multilayer.layers import Dense

    layers = [call.layer for call in model.flat_graph().calls]
    dense = [layer for layer in layers if isinstance(layer, Dense) and name in (None, layer.name)]
    if not dense:
        known = [layer.name for layer in layers if isinstance(layer, Dense)]
        raise ValueError(
            tr("Expected the name of a Dense layer, one of {known}. Received: layer={name!r}", known=known, name=name)
        )
    return dense[0].name, dense[0].kernel.numpy()


def _image_shape(inputs: int, shape: tuple[int, int] | None, name: str) -> tuple[int, int]:
    side = math.isqrt(inputs)
    rows, columns = (side, side) if shape is None else shape
    if rows * columns != inputs:
        wanted = (
            tr("are no square image: pass `shape=(rows, columns)`")
            if shape is None
            else tr("do not make {shape}", shape=shape)
        )
        raise ValueError(
            tr("Layer '{name}' takes {inputs} numbers, which {wanted}.", name=name, inputs=inputs, wanted=wanted)
        )
    return rows, columns


def plot_activations(model: Model, x: Any, *, bins: int = 60, ax: Axes | None = None) -> Figure:
    """Draws how the outputs of every layer are distributed, the first layer at the bottom.

    Zeros of relu and its kin would hide all else and are left out of the histogram; their share is written beside it.
    What a healthy start looks like: the histograms are about as wide in the last layer as in the first.

    Args:
        model: A model that is built.
        x: Inputs, shape (n, ...), as `predict` takes them; a few hundred tell.
        bins: Number of bars of a histogram.
        ax: Axes to draw into.

    Returns:
        The figure that holds the plot.

    Raises:
        ValueError: The model is not built, or has no layer with an activation, or the inputs do not fit.

    Example:
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((3,)), layers.Dense(4, "relu"), layers.Dense(2, "softmax")])
        >>> figure = plot_activations(model, np.eye(3))
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['z1: relu', 'y_hat: softmax']
    """
    from multilayer.glass import layer_outputs

    whole_number("bins", bins, 1)
    outputs = [output for output in layer_outputs(model, x) if output.name.startswith(("z", "y_hat"))]
    if not outputs:
        raise ValueError(tr("Model '{name}' has no layer with an activation.", name=model.name))
    values = [output.value.astype(np.float64).ravel() for output in outputs]
    values = [numbers[np.isfinite(numbers)] for numbers in values]
    low, high = min(v.min(initial=0.0) for v in values), max(v.max(initial=0.0) for v in values)
    edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)

    ax = style.new_axes(6.4, 1.0 + 0.62 * len(outputs)) if ax is None else ax
    shades = style.shades(len(outputs))
    for level, (numbers, shade) in enumerate(zip(values, shades, strict=True)):
        zeros = float(np.mean(numbers == 0)) if numbers.size else 0.0
        shown = numbers[numbers != 0] if zeros > 0.05 else numbers
        counts, _ = np.histogram(shown, edges)
        heights = 0.86 * counts / (counts.max() or 1)
        ax.stairs(level + heights, edges, baseline=level, fill=True, color=shade, alpha=0.75)
        ax.stairs(level + heights, edges, baseline=level, color=shade, lw=0.8)
        if zeros > 0.05:
            ax.annotate(
                spoken("{zeros:.0%} zero", zeros=zeros),
                (1.0, level + 0.12), xycoords=("axes fraction", "data"), ha="right", va="bottom",
                fontsize=8, color=style.INK,
            )  # fmt: skip
    style.label_axes(ax, spoken("output"), "")
    ax.spines["left"].set_visible(False)
    ax.set_yticks(range(len(outputs)), [f"{o.name}: {_activation_name(o.layer)}" for o in outputs], va="bottom")
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.03, len(outputs))
    return style.finished(ax)


def _activation_name(layer: Any) -> str:
    return str(getattr(getattr(layer, "activation", None), "name", layer.name))
