"""Networks while they learn: the pictures of the other modules, one for each of the weights that training passed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.scalars import shown
from multilayer._language import tr
from multilayer.plotting.animation import Animation
from multilayer.plotting.fonts import spoken
from multilayer.plotting.landscape import plot_loss_plane
from multilayer.plotting.layers import full_colour, kernel_of, plot_weights
from multilayer.plotting.regions import plot_decision_regions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from multilayer.callbacks import WeightHistory
    from multilayer.models import Model


def animate_weights(
    model: Model,
    record: WeightHistory,
    layer: str | None = None,
    *,
    shape: tuple[int, int] | None = None,
    limit: int = 50,
    columns: int = 10,
    interval: int = 150,
) -> Animation:
    """Shows how the weights of the first layer become what `plot_weights` draws. All frames have one scale.

    Args:
        model: A model that is built; it stays as it is.
        record: A `callbacks.WeightHistory` that its `fit` was given.
        layer: Name of the `Dense` layer; by default the first.
        shape: Rows and columns of an image; by default it is square.
        limit: The most units to draw.
        columns: How many images stand in one row.
        interval: Milliseconds from one frame to the next.

    Returns:
        The animation. A notebook shows it; `save("learning.gif")` and `save("learning.html")` write it.

    Raises:
        ValueError: Nothing was recorded, or the weights are not those of the model; and what `plot_weights` says.

    Example:
        >>> from multilayer import Sequential, callbacks, layers
        >>> model = Sequential([layers.Input((16,)), layers.Dense(8, "relu"), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> record = callbacks.WeightHistory()
        >>> _ = model.fit(np.eye(16), np.ones(16), epochs=3, verbose=0, callbacks=[record])
        >>> animation = animate_weights(model, record)
        >>> len(animation), len(animation.frame(-1).axes[0].images)
        (4, 8)
    """
    frames = _Frames(model, record, "animate_weights")
    kernels = [kernel_of(frames.model_at(number), layer)[1] for number in range(len(record.steps))]
    scale = max(full_colour(kernel[:, :limit]) for kernel in kernels)
    return frames.animation(
        lambda model: plot_weights(model, layer, shape=shape, limit=limit, columns=columns, scale=scale),
        tr("The weights of a network while it learns"),
        interval,
    )


def animate_decision_regions(
    model: Model,
    record: WeightHistory,
    x: ArrayLike,
    y: ArrayLike,
    *,
    threshold: float = 0.5,
    resolution: int = 100,
    limit: int = 1000,
    interval: int = 150,
) -> Animation:
    """Shows how a network of two inputs comes to the regions that `plot_decision_regions` draws.

    Args:
        model: A model with inputs of shape (n, 2); it stays as it is.
        record: A `callbacks.WeightHistory` that its `fit` was given.
        x: Samples, shape (n, 2).
        y: Their classes, whole numbers from 0, shape (n,), or one-hot rows.
        threshold: From where on a single output means class 1.
        resolution: Number of points along each side of the plane.
        limit: The most samples to draw, evenly from all.
        interval: Milliseconds from one frame to the next.

    Returns:
        The animation. A notebook shows it; `save("learning.gif")` and `save("learning.html")` write it.

    Raises:
        ValueError: Nothing was recorded, or the weights are not those of the model; and what `plot_decision_regions`
            says.

    Example:
        >>> from multilayer import Sequential, callbacks, layers
        >>> model = Sequential([layers.Input((2,)), layers.Dense(3, "softmax")])
        >>> model.compile("sgd", "sparse_categorical_crossentropy")
        >>> x, y = [[0, 0], [1, 0], [0, 1]], [0, 1, 2]
        >>> record = callbacks.WeightHistory()
        >>> _ = model.fit(np.array(x), np.array(y), epochs=3, verbose=0, callbacks=[record])
        >>> animate_decision_regions(model, record, x, y, resolution=20).frame(-1).get_suptitle()
        'step 3'
    """
    return _Frames(model, record, "animate_decision_regions").animation(
        lambda model: plot_decision_regions(model, x, y, threshold=threshold, resolution=resolution, limit=limit),
        tr("The regions that a network divides the plane into while it learns"),
        interval,
    )


def animate_loss_plane(
    model: Model,
    x: Any,
    y: Any,
    records: WeightHistory | Mapping[str, WeightHistory],
    *,
    resolution: int = 31,
    margin: float = 0.35,
    limit: int = 500,
    seed: int = 0,
    interval: int = 150,
) -> Animation:
    """Shows training as a ball that rolls down the mountain, on the map that `plot_loss_plane` draws.

    The plane goes through the first record's start and end; the second record's end, where there is one, is the third
    point. Several balls roll at the same time: each frame shows all of them after equally many steps.

    Args:
        model: A compiled model; it stays as it is.
        x: Inputs, shape (n, ...).
        y: Targets, as `fit` takes them.
        records: A `callbacks.WeightHistory` that a `fit` of the model was given, or several by name, such as one for
            each optimizer.
        resolution: Number of points along each side; the loss is computed for the square of it.
        margin: How far the map reaches beyond the points, as a share of its side.
        limit: The most samples to compute the loss with, evenly from all.
        seed: Seed of the random direction, where there is one record.
        interval: Milliseconds from one frame to the next.

    Returns:
        The animation. A notebook shows it; `save("descent.gif")` and `save("descent.html")` write it.

    Raises:
        ValueError: Nothing was recorded; and what `plot_loss_plane` says.

    Example:
        >>> from multilayer import Sequential, callbacks, layers
        >>> model = Sequential([layers.Input((2,)), layers.Dense(1, use_bias=False)])
        >>> model.compile("sgd", "mse")
        >>> record = callbacks.WeightHistory()
        >>> _ = model.fit(np.eye(2), np.array([1.0, 2.0]), epochs=4, verbose=0, callbacks=[record])
        >>> animation = animate_loss_plane(model, np.eye(2), [1.0, 2.0], record, resolution=5)
        >>> len(animation), len(animation.frame(2).axes[0].lines[0].get_xydata())
        (5, 3)
    """
    runs = dict(records) if isinstance(records, Mapping) else {"path": records}
    for record in runs.values() or [None]:
        _require_kept(record)
    first, *others = runs.values()
    third = others[0].weights[-1] if others else None
    paths = {name: record.weights for name, record in runs.items()}
    figure = plot_loss_plane(
        model, x, y, first.weights[0], first.weights[-1], third,
        paths=paths if isinstance(records, Mapping) else first.weights,
        resolution=resolution, margin=margin, limit=limit, seed=seed,
    )  # fmt: skip
    ax = figure.axes[0]
    lines = ax.lines[: len(runs)]
    ways = [np.asarray(line.get_xydata()) for line in lines]
    balls = [ax.plot([], [], "o", ms=9, c=line.get_color(), mec="white", zorder=4)[0] for line in lines]
    steps = sorted({step for record in runs.values() for step in record.steps})

    def draw(number: int) -> Figure:
        for line, way, ball, record in zip(lines, ways, balls, runs.values(), strict=True):
            passed = int(np.searchsorted(record.steps, steps[number], side="right"))
            line.set_data(*way[:passed].T)
            ball.set_data(*way[passed - 1 : passed].T)
        return figure

    return Animation(draw, _captions(steps), tr("Training as a ball that rolls down the loss"), interval)


class _Frames:
    """A model's copy that takes the weights of any frame."""

    def __init__(self, model: Model, record: WeightHistory, caller: str) -> None:
        _require_kept(record)
        model.require_built(caller)
        self._model = copy.deepcopy(model)
        self._record = record

    def model_at(self, number: int) -> Model:
        """The model as it was at the frame of this number."""
        self._model.set_weights(self._record.weights[number])
        return self._model

    def animation(self, plot: Callable[[Model], Figure], description: str, interval: int) -> Animation:
        """What a plot shows of the model, from the first frame to the last."""
        return Animation(
            lambda number: plot(self.model_at(number)), _captions(self._record.steps), description, interval
        )


def _captions(steps: list[int]) -> list[str]:
    return [spoken("step {step:,}", step=step) for step in steps]


def _require_kept(record: Any) -> None:
    if not (hasattr(record, "weights") and hasattr(record, "steps")):
        raise ValueError(
            tr(
                "Expected a `callbacks.WeightHistory` that a `fit` was given, or, of `animate_loss_plane`, a dict of "
                "them by name. Received: {given}",
                given=shown(record),
            )
        )
    if not record.weights:
        raise ValueError(tr("Nothing was recorded: pass the `WeightHistory` to `fit(..., callbacks=[record])`."))
