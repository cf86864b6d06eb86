"""Keras' operations that have NumPy's names, also found here, as `keras.ops.numpy`."""

from __future__ import annotations

from multilayer.ops import creation, elementwise, orders, products, reductions, shapes
from multilayer.ops.control import vectorize
from multilayer.ops.core import ndim, size
from multilayer.ops.creation import *
from multilayer.ops.elementwise import *
from multilayer.ops.linalg import slogdet
from multilayer.ops.orders import *
from multilayer.ops.products import *
from multilayer.ops.reductions import *
from multilayer.ops.shapes import *

__all__ = [
    "ndim",
    "size",
    "slogdet",
    "vectorize",
    *creation.__all__,
    *elementwise.__all__,
    *orders.__all__,
    *products.__all__,
    *reductions.__all__,
    *shapes.__all__,
]
