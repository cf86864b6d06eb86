"""Layers that networks for tables are built of, beside those of Keras."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer import activations, initializers
from multilayer._checks.scalars import whole_number
from multilayer._core import kernels
from multilayer._core.arena import Variable
from multilayer._names.custom_objects import register_keras_serializable
from multilayer.functional import Array
from multilayer.layers.base import Shape
from multilayer.tabular.inputs import OfColumns

_FARTHEST = float(np.finfo(np.float32).max)


@register_keras_serializable("multilayer")
class Scale(OfColumns):
    """One learned factor a column, 1 at the start: y = x s.

        ds = sum over the samples of x dy,   dx = dy s

    With a large learning rate it chooses among columns.

    Args:
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n, d), output (n, d).

    Example:
        >>> Scale()([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
    """

    scale: Variable

    def build(self, input_shape: Shape) -> None:
        self.scale = self.add_weight((self._known(input_shape),), "ones", name="scale")

    def _columns(self) -> int | None:
        return self.scale.shape[0]

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return x * self.scale

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._x = x
        return np.multiply(x, self.scale.value, out=self.scratch("y", x.shape) if training else None)

    def backward(self, dy: Array) -> Array | None:
        if self.scale.gradient is not None:
            product = np.multiply(dy, self._x, out=self.scratch("product", dy.shape))
            kernels.sum_rows(product, out=self.scale.gradient)
        return np.multiply(dy, self.scale.value, out=self.scratch("dx", dy.shape)) if self.needs_dx else None

    def write_onnx(self, op: Any, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG002
        """The layer in ONNX's operators."""
        return str(op("Mul", xs[0], self.scale))


@register_keras_serializable("multilayer")
class NTPDense(OfColumns):
    """A fully connected layer whose kernel, N(0, 1) at the start, is divided by a root in use: y = x W / sqrt(d) + b.

        dW = x^T dy / sqrt(d),   db = sum over the samples of dy,   dx = dy W^T / sqrt(d)

    This is the neural tangent parametrization: one learning rate for W suits layers of any width.

    Args:
        units: Number of outputs h, at least 1.
        kernel_initializer: Where W (d, h) starts; N(0, 1) by default.
        bias_initializer: Where b (h,) starts; N(0, 1) by default.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n, d), output (n, h).

    Source: Jacot, Gabriel and Hongler, "Neural Tangent Kernel", 2018.

    Raises:
        ValueError: `units` is no whole number of at least 1, or inputs are no rows.

    Example:
        >>> NTPDense(256)(np.zeros((5, 30))).shape
        (5, 256)
    """

    kernel: Variable
    bias: Variable

    def __init__(self, units: int, kernel_initializer: Any = None, bias_initializer: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = whole_number("units", units, 1)
        self.kernel_initializer, self.bias_initializer = (
            initializers.RandomNormal(0.0, 1.0) if one is None else initializers.get(one)
            for one in (kernel_initializer, bias_initializer)
        )

    def build(self, input_shape: Shape) -> None:
        self.kernel = self.add_weight((self._known(input_shape), self.units), self.kernel_initializer, name="kernel")
        self.bias = self.add_weight((self.units,), self.bias_initializer, name="bias")

    def _columns(self) -> int | None:
        return self.kernel.shape[0]

    @property
    def factor(self) -> float:
        """What the kernel is multiplied with."""
        return 1.0 / math.sqrt(max(self.kernel.shape[0], 1))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.units)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return np.matmul(x, self.kernel) * self.factor + self.bias

    def forward(self, x: Array, training: bool = False) -> Array:
        # Of the three that could be scaled, W is the smallest: it has fewer rows than a batch has samples, or as many.
        W = np.multiply(self.kernel.value, self.factor, out=self.scratch("W", self.kernel.shape) if training else None)
        out = None
        if training:
            self._x, self._W, out = x, W, self.scratch("y", (len(x), self.units))
        return kernels.dense(x, W, self.bias.value, "linear", out)

    def backward(self, dy: Array) -> Array | None:
        dx = self.scratch("dx", self._x.shape) if self.needs_dx else None
        dW, db = self.kernel.gradient, self.bias.gradient
        if dx is not None or dW is not None:
            kernels.dense_backward(dy, None, self._x, self._W, "linear", None, dW, db, dx)
        if dW is not None:
            dW *= self.factor
        return dx

    def write_onnx(self, op: Any, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG002
        """The layer in ONNX's operators."""
        return str(op("Add", op("MatMul", xs[0], self.kernel.value * np.asarray(self.factor, op.dtype)), self.bias))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }


@register_keras_serializable("multilayer")
class ParametricActivation(OfColumns):
    """An activation f, of which every unit learns how much it wants: y = x + alpha (f(x) - x).

        dalpha = sum over the samples of (f(x) - x) dy,   dx = (1 - alpha) dy + f'(x) (alpha dy)

    alpha is 1 at the start, where y = f(x).

    Args:
        activation: A name such as 'selu', or an `activations.Activation`.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n, d), output (n, d).

    Example:
        >>> ParametricActivation("relu")([[-1.0, 2.0]])
        array([[0., 2.]], dtype=float32)
    """

    alpha: Variable

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def build(self, input_shape: Shape) -> None:
        self.alpha = self.add_weight((self._known(input_shape),), "ones", name="alpha")

    def _columns(self) -> int | None:
        return self.alpha.shape[0]

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return x + self.alpha * (self.activation(x) - x)

    def forward(self, x: Array, training: bool = False) -> Array:
        if not training:
            y: Array = x + self.alpha.value * (self.activation.forward(x) - x)
            return y
        f = self.activation.forward(x, out=self.scratch("f", x.shape))
        self._change = np.subtract(f, x, out=self.scratch("change", x.shape))
        self._kept = x if self.activation.of_input else f
        y = np.multiply(self._change, self.alpha.value, out=self.scratch("y", x.shape))
        y += x
        return y

    def backward(self, dy: Array) -> Array:
        if self.alpha.gradient is not None:
            kernels.sum_rows(np.multiply(self._change, dy, out=self._change), out=self.alpha.gradient)
        through = np.multiply(dy, self.alpha.value, out=self._change)
        dx = np.subtract(dy, through, out=self.scratch("dx", dy.shape))
        dx += self.activation.backward(through, self._kept, out=self.scratch("through", dy.shape))
        return dx

    def write_onnx(self, op: Any, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG002
        """The layer in ONNX's operators."""
        from multilayer.saving.formats.onnx.activations import write

        change = op("Sub", write(op, self.activation, xs[0]), xs[0])
        return str(op("Add", xs[0], op("Mul", self.alpha, change)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


@register_keras_serializable("multilayer")
class Clamp(OfColumns):
    """Holds what is predicted within the range of the targets in training: y = min(max(x, low), high).

    In training y = x, so that there is a gradient beyond the range, too. `adapt` measures the range.

    Args:
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n, d), output (n, d).

    Example:
        >>> layer = Clamp()
        >>> layer.adapt(np.array([[-1.0], [2.0]]))
        >>> layer([[3.0]]), layer([[3.0]], training=True)
        (array([[2.]], dtype=float32), array([[3.]], dtype=float32))
    """

    acts_in_training = True
    low: Variable
    high: Variable

    def build(self, input_shape: Shape) -> None:
        columns = (self._known(input_shape),)
        self.low = self.add_weight(columns, initializers.Constant(-_FARTHEST), trainable=False, name="low")
        self.high = self.add_weight(columns, initializers.Constant(_FARTHEST), trainable=False, name="high")

    def _columns(self) -> int | None:
        return self.low.shape[0]

    def adapt(self, y: Any) -> None:
        """Measures the range of training targets (n, d)."""
        y = np.asarray(y)
        self.ensure_built((None, *y.shape[1:]))
        self.low.assign(y.min(axis=0))
        self.high.assign(y.max(axis=0))

    def call(self, x: Any, training: bool = False) -> Any:
        return x if training else np.clip(x, self.low, self.high)

    def formula(self, x: Any) -> Any:
        return x

    def forward(self, x: Array, training: bool = False) -> Array:
        return x if training else np.clip(x, self.low.value, self.high.value)

    def backward(self, dy: Array) -> Array:
        return dy

    def write_onnx(self, op: Any, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG002
        """The layer in ONNX's operators."""
        return str(op("Min", op("Max", xs[0], self.low), self.high))
