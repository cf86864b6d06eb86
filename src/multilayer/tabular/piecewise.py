"""Numbers as how far they are through each of their quantiles: what a tree splits at, a network then sees at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer._checks.arguments import listed
from multilayer._checks.scalars import whole_number
from multilayer._core.arena import Variable
from multilayer._names.custom_objects import register_keras_serializable
from multilayer.functional import Array
from multilayer.layers.base import Shape
from multilayer.tabular.inputs import OfColumns

_NARROWEST = 1e-30  # of a bin


@register_keras_serializable("multilayer")
class PiecewiseLinear(OfColumns):
    """Each number as one for each bin between its quantiles: -1/2 below the bin, 1/2 above it, a line within.

        y_t = clip((x - b_{t-1}) / (b_t - b_{t-1}), 0, 1) - 1/2

    `adapt` takes the edges b of a column's bins from the quantiles of training rows; equal ones are a single edge.

    Args:
        bins: How many bins each column has at most.
        counts: How many each column has, as `adapt` found.
        **kwargs: `name`, `dtype`, `input_shape` of a `Layer`.

    Input (n, d), output (n, bins of all columns).

    Source: Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning", 2022.

    Raises:
        ValueError: A number of bins is no whole one, or inputs are no rows of so many columns.

    Example:
        >>> layer = PiecewiseLinear(2)
        >>> layer.adapt(np.array([[0.0], [2.0], [4.0]]))
        >>> layer([[1.0], [3.0], [9.0]]).tolist()
        [[0.0, -0.5], [0.5, 0.0], [0.5, 0.5]]
    """

    low: Variable
    factor: Variable

    def __init__(self, bins: int, counts: Sequence[int] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bins = whole_number("bins", bins, 1)
        self.counts = None if counts is None else [whole_number("counts", one, 0) for one in listed("counts", counts)]

    def adapt(self, x: Any) -> None:
        """Measures the bins of training rows (n, d)."""
        edges = [_edges(column, self.bins) for column in np.asarray(x, np.float64).T]
        self.counts = [len(one) - 1 for one in edges]
        self.ensure_built((None, len(edges)))
        self.low.assign(np.concatenate([one[:-1] for one in edges]))
        self.factor.assign(np.concatenate([1 / np.diff(one) for one in edges]))

    def build(self, input_shape: Shape) -> None:
        if self.counts is None:
            raise ValueError(f"Layer '{self.name}' does not know its bins yet: call `adapt` with training rows first.")
        self.check_input_shape(input_shape)
        self.low = self.add_weight((sum(self.counts),), "zeros", trainable=False, name="low")
        self.factor = self.add_weight((sum(self.counts),), "ones", trainable=False, name="factor")
        self._column = np.repeat(np.arange(len(self.counts)), self.counts)  # that each bin is of

    def _columns(self) -> int | None:
        return None if self.counts is None else len(self.counts)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self.check_input_shape(input_shape)
        return (input_shape[0], sum(self.counts or ()))

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        through = (x[:, self._column] - self.low) * self.factor
        return np.clip(through, 0.0, 1.0) - 0.5

    def forward(self, x: Array, training: bool = False) -> Array:
        through = x[:, self._column]
        through -= self.low.value
        through *= self.factor.value
        if training:
            self._within = (through > 0) & (through < 1)
        np.clip(through, 0.0, 1.0, out=through)
        through -= x.dtype.type(0.5)
        return through

    def backward(self, dy: Array) -> Array:
        dx = np.zeros((len(dy), len(self.counts or ())), dy.dtype)
        np.add.at(dx.T, self._column, (dy * self._within * self.factor.value).T)
        return dx

    def write_onnx(self, op: Any, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG002
        """The layer in ONNX's operators."""
        gathered = op("Gather", xs[0], self._column, axis=1)
        through = op("Mul", op("Sub", gathered, self.low), self.factor)
        return str(op("Sub", op("Min", op("Max", through, 0.0), 1.0), 0.5))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bins": self.bins, "counts": self.counts}


def _edges(column: Array, bins: int) -> Array:
    """The quantiles of a column; of those so near to each other that float32 has no gap to divide by, the first."""
    edges = np.unique(np.quantile(column, np.linspace(0, 1, bins + 1)))
    return edges[np.r_[True, np.diff(edges.astype(np.float32)) > _NARROWEST]]
