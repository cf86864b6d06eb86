"""Probabilities that say how sure the members of an ensemble can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer._checks.scalars import real_number
from multilayer._names.custom_objects import register_keras_serializable
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape

_LEAST = 1e-12  # of 0, no power could be taken back


@register_keras_serializable("multilayer")
class Calibration(Layer):
    """Probabilities with more or less confidence: y = softmax(a log p), which is p^a, made to sum to 1.

    With a = 1 / T it is temperature scaling.

    Args:
        power: a, above 0: 1 leaves them as they are, less makes them more equal, more makes them surer.
        **kwargs: `name` of a `Layer`.

    Input (..., classes), output of the same shape.

    Source: Guo et al., "On Calibration of Modern Neural Networks", 2017.

    Raises:
        ValueError: `power` is not above 0.

    Example:
        >>> Calibration(2.0)([[0.8, 0.2]]).round(3)
        array([[0.941, 0.059]], dtype=float32)
    """

    _nothing_to_build = True

    def __init__(self, power: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.power = real_number("power", power, above=0)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        powers = np.power(np.maximum(x, _LEAST), self.power)
        return powers / np.sum(powers, axis=-1, keepdims=True)

    def forward(self, x: Array, training: bool = False) -> Array:
        # In the network's own type: a Python number would do, and NumPy's float64 would make all of it float64.
        powers = np.power(np.maximum(x, x.dtype.type(_LEAST)), x.dtype.type(self.power))
        y: Array = powers / powers.sum(axis=-1, keepdims=True)
        if training:
            self._x, self._y = x, y
        return y

    def backward(self, dy: Array) -> Array:
        # dy_j / dx_i = a / x_i y_i (1[i = j] - y_j)
        inner = (dy * self._y).sum(axis=-1, keepdims=True)
        believed = np.where(self._x > _LEAST, self._x, np.inf)
        dx: Array = (self.power * self._y * (dy - inner) / believed).astype(dy.dtype)
        return dx

    def write_onnx(self, op: Any, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG002
        """The layer in ONNX's operators."""
        powers = op("Pow", op("Max", xs[0], _LEAST), self.power)
        return str(op("Div", powers, op("ReduceSum", powers, [-1], keepdims=1)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power": self.power}
