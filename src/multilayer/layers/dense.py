"""The fully connected layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer import activations, constraints, initializers, regularizers
from multilayer._checks.scalars import is_whole
from multilayer._core import kernels
from multilayer._core.arena import Variable
from multilayer._language import tr
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.layers.activation import activation_shape, warn_of_softmax_over_one
from multilayer.layers.base import Layer, Shape


@registry.register("layer")
class Dense(Layer):
    """A fully connected layer: y = activation(x W + b).

    Its backward pass, with a = x W + b:

        da = dy activation'(a),   dW = x^T da,   db = sum over the samples of da,   dx = da W^T

    Args:
        units: Number of outputs h, at least 1.
        activation: A name such as 'sigmoid', an `activations.Activation`, or None for a linear layer.
        use_bias: Whether b is added.
        kernel_initializer: Where W (d, h) starts.
        bias_initializer: Where b (h,) starts.
        kernel_regularizer: The penalty on W.
        bias_regularizer: The penalty on b.
        activity_regularizer: The penalty on the output.
        kernel_constraint: What W must fulfil after every step.
        bias_constraint: What b must fulfil after every step.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n, ..., d), output (n, ..., h).

    Raises:
        ValueError: `units` is no whole number of at least 1, or a name is unknown.

    Example:
        >>> layer = Dense(50, activation="sigmoid")
        >>> layer(np.zeros((32, 784))).shape
        (32, 50)
        >>> layer.kernel.shape, layer.bias.shape
        ((784, 50), (50,))
    """

    _x: Array  # what the last forward pass in training keeps for the way back
    _y: Array

    def __init__(
        self,
        units: int,
        activation: str | activations.Activation | None = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        for name in ("lora_rank", "lora_alpha", "quantization_config"):
            if kwargs.pop(name, None) is not None:
                raise ValueError(
                    tr("`{name}` is out of scope here: weights are trained whole, in float32 or float64.", name=name)
                )
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not is_whole(units, 1):
            raise ValueError(
                tr(
                    "Received an invalid value for `units`, expected a positive integer. Received: units={units!r}",
                    units=units,
                )
            )
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel: Variable
        if self.units == 1 and self.activation is activations.softmax:
            warn_of_softmax_over_one(self.name)
        self.bias: Variable | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        # `layer.activation = None` and `= "relu"` are what the constructor takes, too.
        super().__setattr__(name, activations.get(value) if name == "activation" else value)

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ValueError(
                tr(
                    "Layer '{name}' needs inputs of shape (n, d) with d known. Received: input_shape={input_shape}.",
                    name=self.name,
                    input_shape=input_shape,
                )
            )
        self.kernel = self.add_weight(
            (input_shape[-1], self.units),
            self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return activation_shape(self.activation, (*input_shape[:-1], self.units))

    def check_input_shape(self, input_shape: Shape) -> None:
        expected = self.kernel.shape[0]
        if len(input_shape) < 2 or input_shape[-1] != expected:
            raise ValueError(
                tr(
                    'Input 0 of layer "{name}" is incompatible with the layer: expected axis -1 of input shape '
                    "to have value {expected}, but received input with shape {input_shape}",
                    name=self.name,
                    expected=expected,
                    input_shape=tuple(input_shape),
                )
            )

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        a = np.matmul(x, self.kernel)
        return self.activation(a if self.bias is None else a + self.bias)

    def linear_forward(self, x: Array, training: bool = False) -> Array:
        """The affine part, a = x W + b."""
        return self._forward(x, training, activations.linear)

    def forward(self, x: Array, training: bool = False) -> Array:
        y = self._forward(x, training, self.activation)
        if training:
            self.__dict__["_y"] = y
        return y

    def forward_in_two(self, x: Array) -> tuple[Array, Array]:
        """What the activation is applied to, and the output, in training; for one whose `backward` knows its output."""
        a = self._forward(x, True, activations.linear)
        self._y = self.activation.forward(a)
        return a, self._y

    def _forward(self, x: Array, training: bool, activation: activations.Activation) -> Array:
        out = None
        if training:
            # Past `__setattr__`, which looks whether a user assigns a layer or a weight: longer than a small product.
            self.__dict__["_x"] = x
            out = self._scratch("a", (*x.shape[:-1], self.units), self.dtype)
        if activation.in_dense is not None and x.ndim == 2:
            bias = None if self.bias is None else self.bias.value
            return kernels.dense(x, self.kernel.value, bias, activation.in_dense, out)  # (n, h)
        a = self._product(x, out)
        if activation.of_input:
            return self._of_input(a, activation, training)
        # The backward pass is written with the output: a itself is not needed again, and y takes its memory.
        return activation.forward_with_bias(a, None if self.bias is None else self.bias.value, out=a)

    def _product(self, x: Array, out: Array | None) -> Array:
        """The product of x and W, every row of x a sample."""
        a = kernels.matmul(_rows(x), self.kernel.value, _rows(out))
        return a if x.ndim == 2 else a.reshape(*x.shape[:-1], self.units)

    def _of_input(self, a: Array, activation: activations.Activation, training: bool) -> Array:
        """The output of an activation whose backward pass wants to know what it was applied to."""
        if self.bias is not None:
            np.add(a, self.bias.value, out=a)
        if not training:
            return activation.forward(a)
        self._a = a
        return activation.forward(a, out=self.scratch("y", activation_shape(activation, a.shape)))

    def backward(self, dy: Array) -> Array | None:
        name = self.activation.in_dense
        if name is None:
            db = None if self.bias is None else self.bias.gradient
            kept = self._a if self.activation.of_input else self._y
            return self.linear_backward(
                self.activation.backward_with_bias(dy, kept, self.scratch("da", kept.shape), db), bias_too=False
            )
        if name == "linear":
            return self.linear_backward(dy)
        return self._backward(dy, self._y, name, self._scratch("da", self._y.shape, self.dtype))

    def linear_backward(self, da: Array, bias_too: bool = True) -> Array | None:
        """The backward pass from the gradient of the affine part on."""
        return self._backward(da, None, "linear", None, bias_too)

    def _backward(
        self, dy: Array, y: Array | None, activation: str, da: Array | None, bias_too: bool = True
    ) -> Array | None:
        x = self._x
        db = self.bias.gradient if bias_too and self.bias is not None else None
        if not self.needs_dx and self.kernel.gradient is None and db is None:
            return None
        dx = self._scratch("dx", x.shape, self.dtype) if self.needs_dx else None
        W, dW = self.kernel.value, self.kernel.gradient
        if x.ndim == 2:
            kernels.dense_backward(dy, y, x, W, activation, da, dW, db, dx)
        else:
            kernels.dense_backward(_rows(dy), _rows(y), _rows(x), W, activation, _rows(da), dW, db, _rows(dx))
        return dx

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


def _rows(array: Array | None) -> Any:
    """A batch as a matrix: in one of more axes every row is a sample."""
    return array if array is None or array.ndim == 2 else array.reshape(-1, array.shape[-1])
