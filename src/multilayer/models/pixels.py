"""Which numbers a network takes for the grey values of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from multilayer import layers

if TYPE_CHECKING:
    from multilayer.models.base import Model

_BYTES_MEAN = 1.5  # no mean of pixels from 0 to 1, and less than that of any pictures from 0 to 255
_BYTES_SCALE = 0.1  # larger than 1 / 127.5, which makes -1 to 1 of bytes


def takes_bytes(model: Model) -> bool:
    """Whether a network takes pixels from 0 to 255, and not from 0 to 1.

    It does where its input is whole numbers, or where it brings them into a smaller range itself before the first
    layer with weights, as `Rescaling(1 / 255)` does.

    Example:
        >>> from multilayer import Sequential, layers
        >>> takes_bytes(Sequential([layers.Input((784,)), layers.Rescaling(1 / 255), layers.Dense(10)]))
        True
        >>> takes_bytes(Sequential([layers.Input((784,)), layers.Dense(10)]))
        False
    """
    if np.dtype(model.input_dtypes[0]).kind in "iu":
        return True
    for call in model.flat_graph().calls:
        layer = call.layer
        if isinstance(layer, layers.Rescaling):
            return bool(np.max(np.abs(layer.scale)) < _BYTES_SCALE)
        if isinstance(layer, layers.Normalization):
            return bool(np.max(layer.mean_and_deviation(np.dtype("float32"))[0]) > _BYTES_MEAN)
        if layer.weights:
            break
    return False
