"""What a training did to the layers, as a `LayerHistory` recorded it: the size of their gradients, and dead units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multilayer._language import tr
from multilayer.functional import Array
from multilayer.plotting import style
from multilayer.plotting.fonts import spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from multilayer.callbacks import LayerHistory


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
    shades = style.shades(len(record.gradients))
    for (name, sizes), shade in zip(record.gradients.items(), shades, strict=True):
        ax.plot(record.steps, _above_zero(sizes), color=shade, lw=1.3, label=name)
    ax.set_yscale("log")
    style.label_axes(ax, spoken("step"), spoken("size of the gradient (root mean square)"))
    style.whole_number_ticks(ax)
    ax.legend(
        fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), title=spoken("first layer on top")
    )
    return style.finished(ax)


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
        raise ValueError(tr("Expected at least one record, by its name; got none."))
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
    style.label_axes(ax, spoken("layer, from the input"), spoken("size of the gradient (root mean square)"))
    most = max(len(record.gradients) for record in by_name.values())
    ax.set_xticks(range(1, most + 1, 1 + most // 16))
    if any(by_name):
        ax.legend(frameon=False, loc="best")
    return style.finished(ax)


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
                tr(
                    "No dead units were counted. Give `LayerHistory` samples to count them with, "
                    "`x=x_train[:500]`; layers that are linear or end in a softmax have none."
                )
            )
    ax = style.new_axes(6.4, 3.6) if ax is None else ax
    if several:
        lines = [(name, one.steps, np.mean(list(one.dead.values()), axis=0)) for name, one in runs.items()]
        colours: Sequence[Any] = [style.color(number) for number in range(len(lines))]
    else:
        lines = [(name, runs[""].steps, shares) for name, shares in runs[""].dead.items()]
        colours = style.shades(len(lines))
    dashes = ("-", "--", ":") if several else ("-",)  # lines at 0 lie on each other
    for number, ((name, steps, shares), colour) in enumerate(zip(lines, colours, strict=True)):
        ax.plot(steps, shares, dashes[number % len(dashes)], color=colour, lw=1.6, label=name)
    style.label_axes(ax, spoken("step"), spoken("share of dead units"))
    style.whole_number_ticks(ax)
    largest = max(float(np.max(shares)) for _, _, shares in lines)
    ax.set_ylim(-0.02 * max(largest, 0.1), min(1.02, 1.1 * max(largest, 0.1)))
    ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return style.finished(ax)


def _require_recorded(record: LayerHistory) -> None:
    if not record.steps or not record.gradients:
        raise ValueError(
            tr(
                "Nothing was recorded: pass the `LayerHistory` to `fit(..., callbacks=[record])`, and train a "
                "model that has layers with a kernel."
            )
        )


def _mean(sizes: Sequence[float]) -> float:
    """The geometric mean of what is above zero, which a logarithmic axis shows in the middle."""
    logs = np.log([size for size in sizes if 0 < size < math.inf])
    return float(np.exp(logs.mean())) if len(logs) else math.nan


def _above_zero(sizes: Sequence[float]) -> Array:
    numbers = np.asarray(sizes, np.float64)
    return np.where(numbers > 0, numbers, np.nan)
