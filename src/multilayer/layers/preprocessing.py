"""Layers that prepare data inside the model, so that it takes raw input wherever it is used."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer import kernels, registry
from multilayer.functional import Array
from multilayer.layers.base import Layer


@registry.register("layer")
class Rescaling(Layer):
    """Scales and shifts its input: y = x scale + offset.

    `Rescaling(1 / 255)` takes pixels from [0, 255] to [0, 1].

    Args:
        scale: Factor.
        offset: Added after scaling.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Example:
        >>> Rescaling(1 / 127.5, offset=-1)(np.array([[0, 255]], dtype="uint8"))
        array([[-1.,  1.]], dtype=float32)
    """

    def __init__(self, scale: float, offset: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = float(scale)
        self.offset = float(offset)

    def forward(self, x: Array, training: bool = False) -> Array:
        return kernels.rescale(x, self.scale, self.offset, self.scratch("y", x.shape) if training else None)

    def backward(self, dy: Array) -> Array:
        return np.multiply(dy, self.scale, out=self.scratch("dx", dy.shape))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}
