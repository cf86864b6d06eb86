"""Which learning rates a model can be trained with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from multilayer._language import tr
from multilayer.plotting import style
from multilayer.plotting.fonts import spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from multilayer.utils import LearningRateRange


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
        raise ValueError(
            tr(
                "Expected at least two finite losses; got {count} of {all}.",
                count=len(smooth),
                all=len(result.losses),
            )
        )
    rates, losses = result.rates[: len(smooth)], result.losses[: len(smooth)]
    slopes = np.gradient(smooth, np.log(rates))
    steepest = int(np.argmin(slopes))

    ax = style.new_axes(6.4, 4.0) if ax is None else ax
    ax.plot(rates, losses, color="0.7", lw=0.8, label=spoken("each batch"))
    ax.plot(rates, smooth, color=style.BLUE, lw=1.5, label=spoken("mean"))
    if slopes[steepest] < 0:
        ax.axvline(
            rates[steepest],
            color=style.VERMILION,
            ls="--",
            lw=1.0,
            label=spoken("steepest fall: {rates:.1g}", rates=rates[steepest]),
        )
    margin = 0.1 * float(np.ptp(smooth)) or 1.0
    ax.set_ylim(float(smooth.min()) - margin, float(smooth.max()) + margin)
    ax.set_xscale("log")
    style.label_axes(ax, spoken("learning rate"), spoken("loss"))
    ax.legend(loc="best", frameon=False)
    return style.finished(ax)
