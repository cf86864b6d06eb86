"""The fully connected layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer import activations, initializers, kernels, registry
from multilayer.arena import Variable
from multilayer.functional import Array
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

    def __init__(
        self,
        units: int,
        activation: str | activations.Activation | None = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(units, bool) or not isinstance(units, (int, np.integer)) or units < 1:
            raise ValueError(
                f"Received an invalid value for `units`, expected a positive integer. Received: units={units!r}"
            )
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel: Variable
        self.bias: Variable | None = None

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ValueError(
                f"Layer '{self.name}' needs inputs of shape (n, d) with d known. Received: input_shape={input_shape}."
            )
        self.kernel = self.add_weight((input_shape[-1], self.units), self.kernel_initializer, name="kernel")
        if self.use_bias:
            self.bias = self.add_weight((self.units,), self.bias_initializer, name="bias")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)

    def check_input_shape(self, input_shape: Shape) -> None:
        expected = self.kernel.shape[0]
        if len(input_shape) < 2 or input_shape[-1] != expected:
            raise ValueError(
                f'Input 0 of layer "{self.name}" is incompatible with the layer: expected axis -1 of input shape to '
                f"have value {expected}, but received input with shape {tuple(input_shape)}"
            )

    def linear_forward(self, x: Array, training: bool = False) -> Array:
        """The affine part, a = x W + b."""
        return self._forward(x, training, activations.linear)

    def forward(self, x: Array, training: bool = False) -> Array:
        y = self._forward(x, training, self.activation)
        if training:
            self._y = y
        return y

    def _forward(self, x: Array, training: bool, activation: activations.Activation) -> Array:
        out = None
        if training:
            self._x = x
            out = self.scratch("a", (*x.shape[:-1], self.units))
        a = kernels.matmul(x, self.kernel.value, out)  # (n, h)
        return activation.forward_with_bias(a, None if self.bias is None else self.bias.value, out=a)

    def backward(self, dy: Array) -> Array | None:
        if self.activation is activations.linear:
            return self.linear_backward(dy)
        db = None if self.bias is None else self.bias.gradient
        return self._products(self.activation.backward_with_bias(dy, self._y, self.scratch("da", dy.shape), db))

    def linear_backward(self, da: Array) -> Array | None:
        """The backward pass from the gradient of the affine part on."""
        if self.bias is not None and self.bias.gradient is not None:
            kernels.sum_rows(da, out=self.bias.gradient)  # (h,)
        return self._products(da)

    def _products(self, da: Array) -> Array | None:
        """The products of the backward pass, dW = x^T da and dx = da W^T."""
        x = self._x
        if x.ndim > 2:
            x, da = x.reshape(-1, x.shape[-1]), da.reshape(-1, self.units)  # every row is a sample
        if self.kernel.gradient is not None:
            kernels.matmul(x.T, da, self.kernel.gradient)  # (d, h)
        if not self.needs_dx:
            return None
        dx = np.matmul(da, self.kernel.value.T, out=self.scratch("dx", x.shape))  # (n, d)
        return dx.reshape(self._x.shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }
