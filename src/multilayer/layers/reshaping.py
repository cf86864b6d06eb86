"""Layers that change a sample's shape and nothing else."""

from __future__ import annotations

import math

from multilayer import registry
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape


@registry.register("layer")
class Flatten(Layer):
    """Makes each sample one row: (n, 28, 28) becomes (n, 784).

    Example:
        >>> import numpy as np
        >>> Flatten()(np.zeros((32, 28, 28))).shape
        (32, 784)
    """

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sides = input_shape[1:]
        if None in sides:
            return (input_shape[0], None)
        return (input_shape[0], math.prod(side for side in sides if side is not None))

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._shape = x.shape
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def backward(self, dy: Array) -> Array:
        return dy.reshape(self._shape)
