"""What happens in the layers: their weights, their outputs, their gradients, and units that have died."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multilayer.functional import Array
from multilayer.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from multilayer.callbacks import LayerHistory
    from multilayer.models import Model


def plot_weights(
    model: Model,
    layer: str | None = None,
    *,
    shape: tuple[int, int] | None = None,
    limit: int = 50,
    columns: int = 10,
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
        ax: Axes to draw into.

    Returns:
        The figure that holds the images.

    Raises:
        ValueError: There is no such layer with a kernel, its inputs do not make an image of that shape, or a number is
            less than 1.

    Example:
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((784,)), layers.Dense(30, "relu"), layers.Dense(10, "softmax")])
        >>> figure = plot_weights(model)
        >>> len(figure.axes[0].images), figure.axes[0].images[0].get_array().shape
        (30, (28, 28))
    """
    model.require_built("plot_weights")
    style.require_whole(1, limit=limit, columns=columns)
    name, kernel = _kernel(model, layer)
    rows, width = _image_shape(len(kernel), shape, name)
    images = kernel.T[:limit].reshape(-1, rows, width)
    columns = max(1, min(columns, len(images)))
    lines = math.ceil(len(images) / columns)
    largest = float(np.quantile(np.abs(images), 0.998)) or 1.0
    cell, tall = 1.08, 1.08 * rows / width + 0.0

    ax = style.new_axes(columns * 0.72 + 0.9, lines * 0.72 * tall / cell + 0.5) if ax is None else ax
    colours = style.diverging()
    for i, image in enumerate(images):
        left, bottom = i % columns * cell, -(i // columns + 1) * tall
        extent = (left, left + 1.0, bottom, bottom + rows / width)
        drawn = ax.imshow(image, cmap=colours, vmin=-largest, vmax=largest, extent=extent, interpolation="nearest")
    ax.set(xlim=(-0.08, columns * cell), ylim=(-lines * tall - 0.02, 0.02), aspect="equal")
    ax.axis("off")
    of = f"{len(images)} of {kernel.shape[1]:,}" if len(images) < kernel.shape[1] else f"{len(images)}"
    ax.set_title(f"weights into the {of} units of '{name}'", fontsize=9)
    bar = style.figure_of(ax).colorbar(drawn, ax=ax, shrink=0.8, pad=0.02, aspect=25)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)
    return style.figure_of(ax)


def _kernel(model: Model, name: str | None) -> tuple[str, Array]:
    from multilayer.layers import Dense

    layers = [call.layer for call in model.flat_graph().calls]
    dense = [layer for layer in layers if isinstance(layer, Dense) and name in (None, layer.name)]
    if not dense:
        known = [layer.name for layer in layers if isinstance(layer, Dense)]
        raise ValueError(f"Expected the name of a Dense layer, one of {known}. Received: layer={name!r}")
    return dense[0].name, dense[0].kernel.numpy()


def _image_shape(inputs: int, shape: tuple[int, int] | None, name: str) -> tuple[int, int]:
    side = math.isqrt(inputs)
    rows, columns = (side, side) if shape is None else shape
    if rows * columns != inputs:
        wanted = "are no square image: pass `shape=(rows, columns)`" if shape is None else f"do not make {shape}"
        raise ValueError(f"Layer '{name}' takes {inputs} numbers, which {wanted}.")
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

    style.require_whole(1, bins=bins)
    outputs = [output for output in layer_outputs(model, x) if output.name.startswith(("z", "y_hat"))]
    if not outputs:
        raise ValueError(f"Model '{model.name}' has no layer with an activation.")
    values = [output.value.astype(np.float64).ravel() for output in outputs]
    values = [numbers[np.isfinite(numbers)] for numbers in values]
    low, high = min(v.min(initial=0.0) for v in values), max(v.max(initial=0.0) for v in values)
    edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)

    ax = style.new_axes(6.4, 1.0 + 0.62 * len(outputs)) if ax is None else ax
    shades = _shades(len(outputs))
    for level, (numbers, shade) in enumerate(zip(values, shades, strict=True)):
        zeros = float(np.mean(numbers == 0)) if numbers.size else 0.0
        shown = numbers[numbers != 0] if zeros > 0.05 else numbers
        counts, _ = np.histogram(shown, edges)
        heights = 0.86 * counts / (counts.max() or 1)
        ax.stairs(level + heights, edges, baseline=level, fill=True, color=shade, alpha=0.75)
        ax.stairs(level + heights, edges, baseline=level, color=shade, lw=0.8)
        if zeros > 0.05:
            ax.annotate(
                f"{zeros:.0%} zero", (1.0, level + 0.12), xycoords=("axes fraction", "data"), ha="right", va="bottom",
                fontsize=8, color=style.INK,
            )  # fmt: skip
    style.dress(ax, "output", "")
    ax.spines["left"].set_visible(False)
    ax.set_yticks(range(len(outputs)), [f"{o.name}: {_activation_name(o.layer)}" for o in outputs], va="bottom")
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.03, len(outputs))
    return style.figure_of(ax)


def _activation_name(layer: Any) -> str:
    return str(getattr(getattr(layer, "activation", None), "name", layer.name))


def _shades(count: int) -> list[Any]:
    """A colour for each layer: dark for the first, light for the last, in order also without colour."""
    from matplotlib import colormaps

    return [colormaps["cividis"](0.05 + 0.8 * i / max(1, count - 1)) for i in range(count)]


def plot_gradients(record: LayerHistory, *, ax: Axes | None = None) -> Figure:
    """Draws the size of each layer's gradient over the training, dark for the first layer, light for the last.

    The axis of sizes is logarithmic. Sizes of 0, which it cannot show, are left out.

    Args:
        record: A `callbacks.LayerHistory` that a `fit` was given.
        ax: Axes to draw into.

    Returns:
        The figure that holds the plot.

    Raises:
        ValueError: Nothing was recorded.

    Example:
        >>> from multilayer import Sequential, callbacks, layers
        >>> model = Sequential([layers.Input((4,)), layers.Dense(8, "relu"), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> record = callbacks.LayerHistory()
        >>> _ = model.fit(np.eye(4), np.ones(4), epochs=3, verbose=0, callbacks=[record])
        >>> len(plot_gradients(record).axes[0].lines)
        2
    """
    _require_recorded(record)
    ax = style.new_axes(6.4, 4.0) if ax is None else ax
    shades = _shades(len(record.gradients))
    for (name, sizes), shade in zip(record.gradients.items(), shades, strict=True):
        ax.plot(record.steps, _above_zero(sizes), color=shade, lw=1.3, label=name)
    ax.set_yscale("log")
    style.dress(ax, "step", "size of the gradient (root mean square)")
    style.whole_numbers(ax)
    ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), title="first layer on top")
    return style.figure_of(ax)


def plot_gradients_by_layer(
    records: LayerHistory | Mapping[str, LayerHistory], *, steps: int | None = None, ax: Axes | None = None
) -> Figure:
    """Draws the size of the gradient from the first layer to the last, a line for each run.

    A line that falls by orders of magnitude towards the first layer is the vanishing gradient: there is next to nothing
    that this layer could learn from. The axis of sizes is logarithmic.

    Args:
        records: A `callbacks.LayerHistory`, or several by name.
        steps: Of how many steps from the start the mean is drawn; by default of all that were recorded.
        ax: Axes to draw into.

    Returns:
        The figure that holds the plot.

    Raises:
        ValueError: Nothing was recorded.

    Example:
        >>> from multilayer import Sequential, callbacks, layers
        >>> model = Sequential([layers.Input((4,)), layers.Dense(8, "relu"), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> record = callbacks.LayerHistory()
        >>> _ = model.fit(np.eye(4), np.ones(4), verbose=0, callbacks=[record])
        >>> plot_gradients_by_layer({"relu": record}).axes[0].lines[0].get_xdata().tolist()
        [1, 2]
    """
    by_name = records if isinstance(records, Mapping) else {"": records}
    if not by_name:
        raise ValueError("Expected at least one record, by its name; got none.")
    for record in by_name.values():
        _require_recorded(record)
    ax = style.new_axes(6.4, 4.0) if ax is None else ax
    for number, (name, record) in enumerate(by_name.items()):
        counted = [i for i, step in enumerate(record.steps) if steps is None or step <= steps]
        means = [_mean([sizes[i] for i in counted]) for sizes in record.gradients.values()]
        layers = np.arange(1, len(means) + 1)
        ax.plot(
            layers, _above_zero(means), color=style.color(number), marker=style.marker(number), ms=4, lw=1.5,
            label=name or None,
        )  # fmt: skip
    ax.set_yscale("log")
    style.dress(ax, "layer, from the input", "size of the gradient (root mean square)")
    most = max(len(record.gradients) for record in by_name.values())
    ax.set_xticks(range(1, most + 1, 1 + most // 16))
    if any(by_name):
        ax.legend(frameon=False, loc="best")
    return style.figure_of(ax)


def plot_dead_units(record: LayerHistory | Mapping[str, LayerHistory], *, ax: Axes | None = None) -> Figure:
    """Draws the share of dead units over the training: of each layer of one run, or of all layers of several runs.

    Args:
        record: A `callbacks.LayerHistory(x=...)` that a `fit` was given, or several by name.
        ax: Axes to draw into.

    Returns:
        The figure that holds the plot.

    Raises:
        ValueError: No dead units were counted.

    Example:
        >>> from multilayer import Sequential, callbacks, layers
        >>> model = Sequential([layers.Input((4,)), layers.Dense(8, "relu", name="hidden"), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> record = callbacks.LayerHistory(x=np.eye(4))
        >>> _ = model.fit(np.eye(4), np.ones(4), epochs=3, verbose=0, callbacks=[record])
        >>> [line.get_label() for line in plot_dead_units(record).axes[0].lines]
        ['hidden']
    """
    several = isinstance(record, Mapping)
    runs = record if isinstance(record, Mapping) else {"": record}
    for one in runs.values():
        if not one.dead:
            raise ValueError(
                "No dead units were counted. Give `LayerHistory` samples to count them with, `x=x_train[:500]`; layers "
                "that are linear or end in a softmax have none."
            )
    ax = style.new_axes(6.4, 3.6) if ax is None else ax
    if several:
        lines = [(name, one.steps, np.mean(list(one.dead.values()), axis=0)) for name, one in runs.items()]
        colours: Sequence[Any] = [style.color(number) for number in range(len(lines))]
    else:
        lines = [(name, runs[""].steps, shares) for name, shares in runs[""].dead.items()]
        colours = _shades(len(lines))
    dashes = ("-", "--", ":") if several else ("-",)  # lines at 0 lie on each other
    for number, ((name, steps, shares), colour) in enumerate(zip(lines, colours, strict=True)):
        ax.plot(steps, shares, dashes[number % len(dashes)], color=colour, lw=1.6, label=name)
    style.dress(ax, "step", "share of dead units")
    style.whole_numbers(ax)
    largest = max(float(np.max(shares)) for _, _, shares in lines)
    ax.set_ylim(-0.02 * max(largest, 0.1), min(1.02, 1.1 * max(largest, 0.1)))
    ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return style.figure_of(ax)


def _require_recorded(record: LayerHistory) -> None:
    if not record.steps or not record.gradients:
        raise ValueError(
            "Nothing was recorded: pass the `LayerHistory` to `fit(..., callbacks=[record])`, and train a model that "
            "has layers with a kernel."
        )


def _mean(sizes: Sequence[float]) -> float:
    """The geometric mean of what is above zero, which a logarithmic axis shows in the middle."""
    logs = np.log([size for size in sizes if 0 < size < math.inf])
    return float(np.exp(logs.mean())) if len(logs) else math.nan


def _above_zero(sizes: Sequence[float]) -> Array:
    numbers = np.asarray(sizes, np.float64)
    return np.where(numbers > 0, numbers, np.nan)
