"""What a network that reads digits takes: square images, in the shape and the numbers of its input."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from multilayer.models.pixels import takes_bytes

if TYPE_CHECKING:
    from multilayer.models import Model

Array: TypeAlias = NDArray[Any]


def side_of(model: Model) -> int:
    """The side, in pixels, of the square images that a network takes.

    Raises:
        ValueError: It takes something else.
    """
    size = math.prod(_sample_shape(model))
    side = math.isqrt(size)
    if size == 0 or side * side != size:
        raise ValueError(f"The model takes inputs of shape {model.input_shape[1:]}, which are no square images.")
    return side


def as_input(images: Array, model: Model) -> Array:
    """Images with grey values from 0 to 255 as a network's input, in the shape that it takes.

    The values are from 0 to 1, or left as they are where the network divides them itself.

    Raises:
        ValueError: It takes images of another size, or something else.
    """
    side = side_of(model)
    if images.shape[1:] != (side, side):
        raise ValueError(f"The model takes images of {side} x {side} pixels; these have {images.shape[1:]}.")
    pixels = images if takes_bytes(model) else images.astype(np.float32) / 255
    return pixels.astype(model.input_dtypes[0], copy=False).reshape(len(images), *_sample_shape(model))


def _sample_shape(model: Model) -> tuple[int, ...]:
    """The shape of one input, with 0 for a side that is not fixed."""
    return tuple(side or 0 for side in model.input_shape[1:])
