"""A small network as nodes and edges."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

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


class _Column(NamedTuple):
    """A layer as it is drawn: which of its units, and where they stand."""

    label: str
    units: int
    shown: list[int]
    heights: Array
    biases: Array | None


def plot_network(model: Model, *, most_units: int = 16, biases: bool = True, ax: Axes | None = None) -> Figure:
    """Draws a network of `Dense` layers as nodes and edges: vermilion for weights above zero, blue for those below.

    The larger a weight, the stronger its edge, by the largest of its layer. A node's colour is its bias. Of a layer
    with many units the first and the last are drawn, with dots for those between.

    Args:
        model: A model that is built, with one input and one output and its `Dense` layers in a row; what has no weights
            between them is passed over.
        most_units: The most units of a layer to draw.
        biases: Whether nodes are coloured by their bias.
        ax: Axes to draw into.

    Returns:
        The figure that holds the network.

    Raises:
        ValueError: The model is not built, its layers are not in a row, or `most_units` is less than 2.

    Example:
        >>> from multilayer import Sequential, layers
        >>> figure = plot_network(Sequential([layers.Input((2,)), layers.Dense(3, "tanh"), layers.Dense(1)]))
        >>> edges = figure.axes[0].collections[0]
        >>> len(edges.get_segments())
        9
    """
    from matplotlib.collections import LineCollection

    whole_number("most_units", most_units, 2)
    kernels, columns = _columns(model, most_units)
    colours = style.diverging()
    if ax is None:
        tallest = max(len(column.heights) for column in columns)
        ax = style.new_axes(1.6 + 1.7 * len(kernels), max(2.4, 0.34 * tallest + 0.9))
    segments, strengths = [], []
    for x, (kernel, left, right) in enumerate(zip(kernels, columns, columns[1:], strict=False)):
        largest = float(np.abs(kernel).max()) or 1.0
        for i, bottom in zip(left.shown, left.heights, strict=True):
            for j, top in zip(right.shown, right.heights, strict=True):
                segments.append([(x, bottom), (x + 1, top)])
                strengths.append(float(kernel[i, j]) / largest)
    order = np.argsort(np.abs(strengths), kind="stable")  # the strongest on top
    shares = np.asarray(strengths)[order]
    edges = LineCollection(
        [segments[i] for i in order],
        colors=[(*colours(0.5 + 0.42 * np.sign(s))[:3], 0.12 + 0.88 * abs(s)) for s in shares],
        linewidths=0.3 + 2.2 * np.abs(shares),
        zorder=1,
    )
    ax.add_collection(edges)
    for x, column in enumerate(columns):
        faces: Any = "white"
        if biases and column.biases is not None:
            scale = float(np.abs(column.biases).max()) or 1.0
            faces = [colours(0.5 + 0.42 * b / scale) for b in column.biases[column.shown]]
        size = 110 if len(column.heights) <= 10 else 60
        ax.scatter([x] * len(column.heights), column.heights, s=size, c=faces, edgecolors=style.INK, lw=0.9, zorder=2)
        if len(column.shown) < column.units:
            ax.text(x, 0.0, "⋮", ha="center", va="center", fontsize=14, zorder=3)
        ax.annotate(
            column.label, (x, 0.0), xycoords=("data", "axes fraction"), xytext=(0, -4), textcoords="offset points",
            ha="center", va="top", fontsize=8,
        )  # fmt: skip
    reach = max(float(np.abs(column.heights).max()) for column in columns)
    ax.set(xlim=(-0.35, len(kernels) + 0.35), ylim=(-reach - 0.6, reach + 0.6))
    ax.axis("off")
    return style.finished(ax)


def _columns(model: Model, most_units: int) -> tuple[list[Array], list[_Column]]:
    """The kernels from layer to layer, and the layers from the input on."""
    from multilayer.layers import Dense

    model.require_built("plot_network")
    graph = model.flat_graph()
    row = [graph.inputs, *(call.outputs for call in graph.calls)]
    if any(call.inputs != before for call, before in zip(graph.calls, row, strict=False)):
        raise ValueError(
            tr("Model '{name}' branches: only layers in a row can be drawn. See `utils.plot_model`.", name=model.name)
        )
    dense = [call.layer for call in graph.calls if isinstance(call.layer, Dense)]
    if not dense:
        raise ValueError(tr("Model '{name}' has no Dense layer to draw.", name=model.name))
    kernels = [layer.kernel.numpy() for layer in dense]
    if any(left.shape[1] != right.shape[0] for left, right in itertools.pairwise(kernels)):
        raise ValueError(
            tr("Model '{name}' changes shapes between its Dense layers: it cannot be drawn.", name=model.name)
        )
    columns = [_column(spoken("input\n{count}", count=len(kernels[0])), len(kernels[0]), None, most_units)]
    for layer in dense:
        biases = None if layer.bias is None else layer.bias.numpy()
        label = f"{layer.name}\n{layer.units} {layer.activation.name}"
        columns.append(_column(label, layer.units, biases, most_units))
    return kernels, columns


def _column(label: str, count: int, biases: Array | None, most_units: int) -> _Column:
    if count <= most_units:
        return _Column(label, count, list(range(count)), (count - 1) / 2.0 - np.arange(count), biases)
    half = most_units // 2
    shown = [*range(half), *range(count - half, count)]
    heights = np.concatenate([half + 0.5 - np.arange(half), -1.5 - np.arange(half)])  # a gap for the dots
    return _Column(label, count, shown, heights, biases)
