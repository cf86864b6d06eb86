"""What the formulas take and give: arrays of floating point numbers."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[Any]


def floating(x: ArrayLike) -> Array:
    """`x` as a floating point array; integers become float64, as NumPy's own functions have it."""
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)
