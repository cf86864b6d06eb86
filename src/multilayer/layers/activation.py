"""An activation as a layer of its own."""

from __future__ import annotations

from typing import Any

from multilayer import activations, registry
from multilayer.functional import Array
from multilayer.layers.base import Layer


@registry.register("layer")
class Activation(Layer):
    """Applies an activation function: y = f(x).

    Args:
        activation: A name such as 'relu', or an `activations.Activation`.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Example:
        >>> Activation("relu")([[-1.0, 2.0]])
        array([[0., 2.]], dtype=float32)
    """

    def __init__(self, activation: str | activations.Activation | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.built = True  # there is nothing to build

    def linear_forward(self, x: Array, training: bool = False) -> Array:  # noqa: ARG002
        """What the activation is applied to: the input itself."""
        return x

    def linear_backward(self, da: Array) -> Array:
        """The gradient with respect to the input, from that of what the activation is applied to."""
        return da

    def forward(self, x: Array, training: bool = False) -> Array:
        if not training:
            return self.activation.forward(x)
        self._y = self.activation.forward(x, out=self.scratch("y", x.shape))
        return self._y

    def backward(self, dy: Array) -> Array:
        return self.activation.backward(dy, self._y, out=self.scratch("dx", dy.shape))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
