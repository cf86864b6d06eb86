"""Sums of linear splines, a spline for each column: what a product of `PiecewiseLinear` is, looked up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer import activations
from multilayer._checks.arguments import listed
from multilayer._checks.scalars import whole_number
from multilayer._core import kernels
from multilayer._core.arena import Variable
from multilayer._language import tr
from multilayer._names.custom_objects import register_keras_serializable
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape


@register_keras_serializable("multilayer")
class LinearSplines(Layer):
    """An additive model on top of a base: y = f(base + sum over the columns c of s_c(x_c)), each s_c a linear spline.

    A fully connected layer of `PiecewiseLinear` is such a sum. Its product has a term for every bin of every column;
    this takes of each column the two knots that its number lies between. It is for prediction, with weights from
    layers that were trained.

    Args:
        units: Number of outputs h.
        counts: How many bins each column has.
        activation: f: a name, or an `activations.Activation`.
        **kwargs: `name`, `dtype` of a `Layer`.

    Inputs base (n, h) and x (n, d), output (n, h).

    Raises:
        ValueError: A number is no whole one, or inputs are not of these shapes.

    Example:
        >>> roof = LinearSplines(1, counts=[2])
        >>> roof.build([(None, 1), (None, 1)])
        >>> roof.set_weights([np.array([0.0, 2.0]), np.array([0.5, 1.0]), np.array([[0.0], [1.0], [0.0]])])
        >>> roof([np.zeros((3, 1)), np.array([[1.0], [2.5], [9.0]])]).tolist()
        [[0.5], [0.5], [0.0]]
    """

    takes_several = True
    low: Variable
    factor: Variable
    values: Variable

    def __init__(self, units: int, counts: Sequence[int], activation: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = whole_number("units", units, 1)
        self.counts = [whole_number("counts", one, 0) for one in listed("counts", counts)]
        self.activation = activations.get(activation)

    def build(self, input_shape: Any) -> None:
        self.check_input_shape(input_shape)
        bins = sum(self.counts)
        self.low = self.add_weight((bins,), "zeros", trainable=False, name="low")
        self.factor = self.add_weight((bins,), "ones", trainable=False, name="factor")
        self.values = self.add_weight((bins + len(self.counts), self.units), "zeros", trainable=False, name="values")
        self._counts = np.array(self.counts, np.intp)
        self._column = np.repeat(np.arange(len(self.counts)), self.counts)  # that each bin is of
        self._knot = np.arange(bins) + self._column  # at which each bin begins
        self._first = np.cumsum(self._counts + 1) - self._counts - 1  # each column's first knot

    def check_input_shape(self, input_shape: Any) -> None:
        expected = [(None, self.units), (None, len(self.counts))]
        shapes = [tuple(one) for one in input_shape] if isinstance(input_shape, list) else input_shape
        if not isinstance(shapes, list) or [one[1:] for one in shapes] != [one[1:] for one in expected]:
            raise ValueError(
                tr(
                    'Inputs of layer "{name}" are incompatible with the layer: expected shapes {expected}, found '
                    "{shapes}",
                    name=self.name,
                    expected=expected,
                    shapes=shapes,
                )
            )

    def compute_output_shape(self, input_shape: Any) -> Shape:
        self.check_input_shape(input_shape)
        return (input_shape[0][0], self.units)

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: ARG002
        base, x = inputs
        through = np.clip((x[:, self._column] - self.low) * self.factor, 0.0, 1.0)
        rise = self.values[self._knot + 1] - self.values[self._knot]
        start = np.sum(self.values[self._first], axis=0)
        return self.activation(base + start + np.matmul(through, rise))

    def forward(self, inputs: Any, training: bool = False) -> Any:
        if training:
            return self.forward_by_call(inputs, training)
        base, x = inputs
        low, factor, values = self.low.value, self.factor.value, self.values.value
        name = self.activation.in_dense
        a = kernels.linear_splines(x, low, factor, self._counts, values, base, name or "linear")
        return a if name else self.activation.forward(a)

    def backward(self, dy: Array) -> Any:
        return self.backward_by_call(dy)

    def write_onnx(self, op: Any, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG002
        """The layer in ONNX's operators."""
        from multilayer.saving.formats.onnx.activations import write

        values = self.values.value
        through = op("Mul", op("Sub", op("Gather", xs[1], self._column, axis=1), self.low), self.factor)
        within = op("Min", op("Max", through, 0.0), 1.0)
        above = op("MatMul", within, values[self._knot + 1] - values[self._knot])
        return str(write(op, self.activation, op("Add", op("Add", xs[0], above), values[self._first].sum(axis=0))))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "counts": self.counts,
            "activation": activations.serialize(self.activation),
        }
