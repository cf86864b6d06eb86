"""Several runs side by side: loss, accuracy, and what reached their layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from multilayer._language import tr
from multilayer.plotting import style
from multilayer.plotting.fonts import spoken
from multilayer.plotting.history import Run, plot_runs
from multilayer.plotting.layer_history import plot_gradients_by_layer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from multilayer.callbacks import LayerHistory


def plot_comparison(
    runs: Mapping[str, Run],
    records: Mapping[str, LayerHistory],
    *,
    metrics: Sequence[str] = ("loss", "accuracy"),
    steps: int | None = None,
    axes: Sequence[Axes] | None = None,
) -> Figure:
    """Draws the metrics of several runs by epoch, and beside them the size of the gradient by layer.

    Where it falls by orders of magnitude towards the first layer, there is the vanishing gradient.

    Args:
        runs: What `fit` returned for each run, by name.
        records: The `callbacks.LayerHistory` of each run, by the same names.
        metrics: The metrics to draw.
        steps: Of how many steps from the start the mean gradient is drawn; by default of all that were recorded.
        axes: Axes to draw into: one for each metric, and one for the gradients.

    Returns:
        The figure that holds the plots; runs have the same colour in all of them, and one legend.

    Raises:
        ValueError: There is no run, the names differ, or there are not as many axes as plots.

    Example:
        >>> import numpy as np
        >>> from multilayer import Sequential, callbacks, layers
        >>> runs, records = {}, {}
        >>> for name in ("sigmoid", "relu"):
        ...     model = Sequential([layers.Input((4,)), layers.Dense(8, name), layers.Dense(1)])
        ...     model.compile("sgd", "mse")
        ...     records[name] = callbacks.LayerHistory()
        ...     runs[name] = model.fit(np.eye(4), np.ones(4), epochs=2, verbose=0, callbacks=[records[name]])
        >>> [ax.get_ylabel() for ax in plot_comparison(runs, records, metrics=["loss"]).axes]
        ['loss', 'size of the gradient']
    """
    if set(runs) != set(records):
        raise ValueError(
            tr(
                "Expected runs and records of the same names; got {runs} and {records}.",
                runs=sorted(runs),
                records=sorted(records),
            )
        )
    count = len(metrics) + 1
    if axes is None:
        figure = style.new_figure(3.9 * count, 3.7)
        axes = [figure.add_subplot(1, count, number + 1) for number in range(count)]
        outside = True
    else:
        outside = False
    if len(axes) != count:
        raise ValueError(
            tr(
                "Expected {count} axes, one for each metric and one for the gradients; got {got}.",
                count=count,
                got=len(axes),
            )
        )
    for metric, ax in zip(metrics, axes, strict=False):
        plot_runs(runs, metric, ax=ax)
    plot_gradients_by_layer({name: records[name] for name in runs}, steps=steps, ax=axes[-1])
    axes[-1].set_ylabel(
        spoken("size of the gradient") + ("" if steps is None else spoken(", first {steps} steps", steps=steps))
    )
    figure = style.figure_of(axes[0])
    if outside:
        handles, labels = axes[0].get_legend_handles_labels()
        for ax in axes:
            if (legend := ax.get_legend()) is not None:
                legend.remove()
        figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 6), frameon=False)
    return figure
