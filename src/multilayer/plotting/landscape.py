"""The loss landscape, which training walks down: the loss along a line or on a plane through sets of weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

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

Weights: TypeAlias = Sequence[Array]


def plot_loss_line(
    model: Model,
    x: Any,
    y: Any,
    start: Weights,
    end: Weights,
    *,
    steps: int = 51,
    span: tuple[float, float] = (-0.25, 1.25),
    limit: int = 1000,
    label: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draws the loss along the straight line from one set of weights to another, w(t) = (1 - t) start + t end.

    Drawn into the same axes from several starts, it shows why it matters where one starts.

    Args:
        model: A compiled model; it stays as it is.
        x: Inputs, shape (n, ...).
        y: Targets, as `fit` takes them.
        start: Weights as `model.get_weights()` returns them, at t = 0.
        end: Others, at t = 1.
        steps: Number of points at which the loss is computed.
        span: The first and the last t.
        limit: The most samples to compute it with, evenly from all.
        label: What a legend calls the line.
        ax: Axes to draw into.

    Returns:
        The figure that holds the plot.

    Raises:
        ValueError: The model is not compiled, weights do not fit it, or there are fewer than 2 points.

    Source: Goodfellow, Vinyals and Saxe, "Qualitatively characterizing neural network optimization problems", 2015.

    Example:
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((1,)), layers.Dense(1, use_bias=False)])
        >>> model.compile("sgd", "mse")
        >>> figure = plot_loss_line(model, np.ones((1, 1)), [2.0], [np.array([[0.0]])], [np.array([[2.0]])], steps=7)
        >>> figure.axes[0].lines[0].get_ydata().round(2)[[1, 5]]
        array([4., 0.])
    """
    first, last = span
    whole_number("steps", steps, 2)
    if not first < last:
        raise ValueError(tr("Expected a span that rises. Received: span={span}", span=span))
    landscape = _Landscape(model, x, y, limit, "plot_loss_line")
    a, b = landscape.vector(start, "start"), landscape.vector(end, "end")
    ts = np.linspace(first, last, steps)
    losses = landscape.losses([a + t * (b - a) for t in ts])

    new = ax is None
    ax = style.new_axes(6.4, 4.0) if ax is None else ax
    (line,) = ax.plot(ts, losses, color=style.color(len(ax.lines)), lw=1.8, label=label)
    ends = landscape.losses([a, b])
    ax.scatter([0, 1], ends, color=line.get_color(), s=30, zorder=3)
    if new or label is None:
        for t, loss, text in ((0, ends[0], spoken("start")), (1, ends[1], spoken("end"))):
            ax.annotate(text, (t, loss), xytext=(6, 6), textcoords="offset points", fontsize=9)
    style.label_axes(ax, spoken("from start (0) to end (1)"), spoken("loss"))
    if label is not None:
        ax.legend(frameon=False)
    return style.finished(ax)


def plot_loss_plane(
    model: Model,
    x: Any,
    y: Any,
    start: Weights,
    end: Weights,
    third: Weights | None = None,
    *,
    paths: Mapping[str, Sequence[Weights]] | Sequence[Weights] = (),
    resolution: int = 31,
    margin: float = 0.35,
    limit: int = 500,
    seed: int = 0,
    ax: Axes | None = None,
) -> Figure:
    """Draws the loss on the plane through sets of weights as a map with contour lines: the mountain.

    One axis runs from `start` to `end`. The other, at a right angle to it and to the same scale, leads towards `third`,
    or, without one, in a direction drawn at random. A path that training took is drawn where it comes nearest to the
    plane.

    Args:
        model: A compiled model; it stays as it is.
        x: Inputs, shape (n, ...).
        y: Targets, as `fit` takes them.
        start: Weights as `model.get_weights()` returns them.
        end: Others.
        third: A third set, which spans the plane with the two.
        paths: Lists of weights that were passed on the way; one list, or several by name.
        resolution: Number of points along each side; the loss is computed for the square of it.
        margin: How far the map reaches beyond the points, as a share of its side.
        limit: The most samples to compute the loss with, evenly from all.
        seed: Seed of the random direction.
        ax: Axes to draw into.

    Returns:
        The figure that holds the map.

    Raises:
        ValueError: The model is not compiled, weights do not fit it or lie on one line, or `resolution` is less than 2.

    Source: Li et al., "Visualizing the Loss Landscape of Neural Nets", 2018.

    Example:
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((2,)), layers.Dense(1, use_bias=False)])
        >>> model.compile("sgd", "mse")
        >>> start, end = [np.array([[0.0], [0.0]])], [np.array([[1.0], [1.0]])]
        >>> figure = plot_loss_plane(model, np.eye(2), [1.0, 1.0], start, end, resolution=5)
        >>> figure.axes[0].get_xlabel()
        'from start (0) to end (1)'
    """
    whole_number("resolution", resolution, 2)
    landscape = _Landscape(model, x, y, limit, "plot_loss_plane")
    a, b = landscape.vector(start, "start"), landscape.vector(end, "end")
    rise = (
        np.random.default_rng(seed).standard_normal(len(a)) if third is None else landscape.vector(third, "third") - a
    )
    along, up = _axes_of_plane(b - a, rise)
    named = paths if isinstance(paths, Mapping) else {"path": paths} if len(paths) else {}
    trajectories = {
        name: np.array(
            [_coordinates(landscape.vector(w, tr("a path ({name})", name=name)) - a, along, up) for w in path]
        )
        for name, path in named.items()
    }
    marked = {spoken("start"): np.zeros(2), spoken("end"): np.array([1.0, 0.0])}
    if third is not None:
        marked[spoken("third")] = np.array(_coordinates(rise, along, up))
    points = np.concatenate([np.array(list(marked.values())), *trajectories.values()])
    sides = _sides(points, margin, resolution)
    losses = landscape.losses([a + s * along + t * up for t in sides[1] for s in sides[0]])
    heights = losses.reshape(resolution, resolution)

    ax = style.new_axes(6.0, 4.8) if ax is None else ax
    levels = _levels(heights)
    shown = np.clip(np.where(np.isfinite(heights), heights, levels[-1]), levels[0], levels[-1])
    filled = ax.contourf(*sides, shown, levels=levels, cmap="cividis")
    ax.contour(*sides, shown, levels=levels[1:-1], colors="white", linewidths=0.4, alpha=0.6)
    bar = style.figure_of(ax).colorbar(filled, ax=ax, label=spoken("loss"), format="%.3g")
    bar.outline.set_visible(False)
    for number, (name, path) in enumerate(trajectories.items()):
        ax.plot(path[:, 0], path[:, 1], color=style.COLORS[1:][number % 6], lw=1.6, marker="o", ms=2.5, label=name)
    for name, point in marked.items():
        ax.plot(*point, marker="o", ms=6, mfc="white", mec=style.INK, ls="")
        ax.annotate(
            name,
            (point[0], point[1]),
            xytext=(6, 6),
            textcoords="offset points",
            color="white",
            fontsize=9,
        )
    if trajectories and isinstance(paths, Mapping):
        ax.legend(fontsize=8, framealpha=0.85, edgecolor="none")
    ax.set(
        xlabel=spoken("from start (0) to end (1)"),
        ylabel=spoken("at a right angle") if third is None else spoken("towards the third"),
    )
    return style.finished(ax)


class _Landscape:
    """The loss of a model's copy at any weights."""

    def __init__(self, model: Model, x: Any, y: Any, limit: int, caller: str) -> None:
        whole_number("limit", limit, 1)
        model.compiled_trainer(caller)
        model.require_built(caller)
        self.model = copy.deepcopy(model)  # the user's keeps its weights, its metrics and its random streams
        self.shapes = [variable.shape for variable in self.model.weights]
        n = len(x) if hasattr(x, "__len__") else 0
        if not n or isinstance(x, dict) or len(y) != n:
            raise ValueError(
                tr("Expected `x` and `y` as arrays with one entry a sample, as many of each, at least one.")
            )
        rows = np.unique(np.linspace(0, n - 1, min(limit, n)).astype(int))
        self.x, self.y = np.asarray(x)[rows], np.asarray(y)[rows]

    def vector(self, weights: Weights, name: str) -> Array:
        """Weights as one vector."""
        shapes = [np.shape(array) for array in weights]
        if shapes != self.shapes:
            raise ValueError(
                tr(
                    "`{name}` does not fit the model: expected arrays of the shapes {shapes}, as `get_weights` "
                    "returns them; got {got}.",
                    name=name,
                    shapes=self.shapes,
                    got=shapes,
                )
            )
        return np.concatenate([np.ravel(array) for array in weights]).astype(np.float64)

    def losses(self, vectors: Sequence[Array]) -> Array:
        """The loss at each of these; what is no finite number stays so."""
        return np.array([self._loss(vector) for vector in vectors])

    def _loss(self, vector: Array) -> float:
        stops = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]
        parts = np.split(vector, stops)
        self.model.set_weights([part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)])
        with np.errstate(all="ignore"):  # far out the loss may have no number
            results = self.model.evaluate(self.x, self.y, batch_size=1024, verbose=0, return_dict=True)
        return float(results["loss"])


def _axes_of_plane(along: Array, rise: Array) -> tuple[Array, Array]:
    """Two directions at a right angle, both of the length of the first."""
    length = float(np.linalg.norm(along))
    if length == 0:
        raise ValueError(tr("`start` and `end` are the same weights: there is no line between them."))
    up = rise - along * (rise @ along) / length**2
    norm = float(np.linalg.norm(up))
    if norm <= 1e-9 * float(np.linalg.norm(rise)):
        if len(along) > 1:
            raise ValueError(tr("The third set of weights lies on the line through the two: there is no plane."))
        raise ValueError(tr("A model of one weight has a line of losses and no plane. See `plot_loss_line`."))
    return along, up * (length / norm)


def _coordinates(offset: Array, along: Array, up: Array) -> tuple[float, float]:
    return float(offset @ along / (along @ along)), float(offset @ up / (up @ up))


def _sides(points: Array, margin: float, resolution: int) -> tuple[Array, Array]:
    """Where the map begins and ends: around all points, and as high as it is wide where they lie in a row."""
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.maximum(high - low, 0.6 * float((high - low).max()))
    middle = (low + high) / 2
    reach = size * (0.5 + margin)
    first, second = (np.linspace(m - r, m + r, resolution) for m, r in zip(middle, reach, strict=True))
    return first, second


def _levels(heights: Array) -> Array:
    """Heights of the contour lines: closer together where the land is low, which is where training ends."""
    finite = heights[np.isfinite(heights)]
    if not finite.size:
        raise ValueError(tr("The loss is no finite number anywhere on the plane."))
    # Corners far out can be so high that all levels would lie there: the uppermost 2 % share the last one.
    low, high = float(finite.min()), float(np.quantile(finite, 0.98))
    if not high > low:
        high = low + max(abs(low), 1.0) * 1e-3
    return low + (high - low) * np.linspace(0.0, 1.0, 19) ** 1.7
