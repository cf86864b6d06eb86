"""Results that are numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer.config import floatx


class Number(float):
    """A Python number that also does what programs for Keras ask of a result: `numpy()`, `dtype`, `shape`, `item()`.

    Example:
        >>> loss = Number(0.25)
        >>> loss, loss.numpy(), loss.shape
        (0.25, np.float32(0.25), ())
    """

    shape: tuple[()] = ()
    ndim = 0

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that NumPy has it in, that of `floatx`."""
        return np.dtype(floatx())

    def numpy(self) -> Any:
        """The number as NumPy has it."""
        return self.dtype.type(self)

    def item(self) -> float:
        """The plain number."""
        return float(self)

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        """A copy, and what a file holds, is the plain number."""
        return float, (float(self),)
