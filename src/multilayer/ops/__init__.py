"""Keras' operations: functions of arrays, tensors, variables and of tensors of a model, under Keras' names.

Of arrays they are NumPy's functions, with Keras' types. Of a tensor that a tape records they are recorded, so that what
is written with them has a derivative. Of a tensor of a model, `Input(...)` or what a layer gave, they are steps of the
model. NumPy's own functions, operators and indexing do the same, where they are enough.

    >>> from multilayer import Input, Variable, gradient, ops
    >>> ops.add([1, 2], 0.5).tolist()
    [1.5, 2.5]
    >>> float(gradient(lambda x: ops.sum(ops.square(x)))(3.0))
    6.0
    >>> ops.softmax(Input((3,)), axis=-1).shape
    (None, 3)
"""

from __future__ import annotations

from multilayer.ops import (
    control,
    core,
    creation,
    derivatives,
    elementwise,
    linalg,
    math,
    nn,
    numpy,
    orders,
    products,
    reductions,
    shapes,
)
from multilayer.ops.control import *
from multilayer.ops.core import *
from multilayer.ops.creation import *
from multilayer.ops.derivatives import *
from multilayer.ops.elementwise import *
from multilayer.ops.linalg import *
from multilayer.ops.math import *
from multilayer.ops.nn import *
from multilayer.ops.orders import *
from multilayer.ops.products import *
from multilayer.ops.reductions import *
from multilayer.ops.shapes import *

__all__ = [
    "core",
    "linalg",
    "math",
    "nn",
    "numpy",
    *control.__all__,
    *core.__all__,
    *creation.__all__,
    *derivatives.__all__,
    *elementwise.__all__,
    *linalg.__all__,
    *math.__all__,
    *nn.__all__,
    *orders.__all__,
    *products.__all__,
    *reductions.__all__,
    *shapes.__all__,
]
