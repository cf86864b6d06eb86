"""A fully connected layer whose products are NumPy's, and with that its BLAS library's, between the other kernels.

It stands in for the native kernels of the same names where the BLAS library is the faster one (see `products`), and
does what does not suit them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer.functional import Array


class Composed:
    """`dense` and `dense_backward` of `functional`, with the activations of a module.

    Args:
        kernels: The module, which has `relu`, `relu_backward` and so on.
    """

    def __init__(self, kernels: Any) -> None:
        self._kernels = kernels

    def dense(
        self, x: Array, W: Array, b: Array | None = None, activation: str = "linear", out: Array | None = None
    ) -> Array:
        a = np.matmul(x, W, out=out)  # (n, h)
        y: Array = getattr(self._kernels, activation)(a, a, b if b is None or b.ndim == 1 else b[:, None])
        return y

    def dense_backward(
        self,
        dy: Array,
        y: Array | None,
        x: Array,
        W: Array,
        activation: str = "linear",
        da: Array | None = None,
        dW: Array | None = None,
        db: Array | None = None,
        dx: Array | None = None,
    ) -> Array | None:
        if activation != "linear":
            da = getattr(self._kernels, f"{activation}_backward")(dy, y, da, db)
        elif db is not None:
            self._kernels.sum_rows(dy, out=db)
        da = dy if activation == "linear" else da
        assert da is not None
        if dW is not None:
            np.matmul(x.T, da, out=dW)  # (d, h)
        return None if dx is None else np.matmul(da, W.T, out=dx)  # (n, d)
