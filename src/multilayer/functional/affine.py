"""The affine layer: products, and their chain rule."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from multilayer.functional.arrays import Array, floating

AffineCache: TypeAlias = tuple[Array, Array, Array]


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    """The matrix product a b, (m, k) times (k, n); leading axes as in `numpy.matmul`."""
    return np.matmul(a, b, out=out)


def affine(x: Array, W: Array, b: Array | None = None, out: Array | None = None) -> Array:
    """The affine map y = x W + b.

    Args:
        x: Inputs, shape (n, d).
        W: Weights, shape (d, h).
        b: Biases, shape (h,), or None for the linear map y = x W.
        out: Where to write the result, shape (n, h).

    Returns:
        y, shape (n, h).

    Example:
        >>> affine(np.array([[1.0, 2.0]]), np.array([[1.0], [10.0]]), np.array([0.5]))
        array([[21.5]])
    """
    y = np.matmul(x, W, out=out)
    if b is not None:
        y += b
    return y


def affine_layer_forward(X: ArrayLike, W: ArrayLike, b: ArrayLike) -> tuple[Array, AffineCache]:
    """Forward pass of an affine (fully connected) layer: y = X W + b.

    Args:
        X: Inputs, one sample a row, shape (n, d).
        W: Weights, shape (d, h).
        b: Biases, shape (h,).

    Returns:
        `y`, shape (n, h), and `cache = (X, W, b)`, which `affine_layer_backward` needs.

    Raises:
        ValueError: The shapes of X, W and b do not fit together.

    Example:
        >>> y, cache = affine_layer_forward(np.ones((2, 3)), np.ones((3, 4)), np.zeros(4))
        >>> y.shape
        (2, 4)
    """
    X, W, b = floating(X), floating(W), floating(b)
    if X.ndim != 2 or W.ndim != 2 or X.shape[1] != W.shape[0] or b.shape != W.shape[1:]:
        raise ValueError(
            f"affine_layer_forward expects X (n, d), W (d, h) and b (h,); got X {X.shape}, W {W.shape}, b {b.shape}."
        )
    return affine(X, W, b), (X, W, b)  # (n, h)


def affine_layer_backward(dy: ArrayLike, cache: AffineCache) -> tuple[Array, Array, Array]:
    """Backward pass of an affine layer, by the chain rule.

        dX = dy W^T,   dW = X^T dy,   db = sum over the samples of dy

    Args:
        dy: Gradient of the loss with respect to the layer's output, shape (n, h).
        cache: What `affine_layer_forward` returned.

    Returns:
        dX (n, d), dW (d, h) and db (h,).

    Example:
        >>> y, cache = affine_layer_forward(np.ones((2, 3)), np.ones((3, 4)), np.zeros(4))
        >>> dX, dW, db = affine_layer_backward(np.ones((2, 4)), cache)
        >>> dX.shape, dW.shape, db
        ((2, 3), (3, 4), array([2., 2., 2., 2.]))
    """
    X, W, _ = cache
    dy = floating(dy)
    dX = dy @ W.T  # (n, d)
    dW = X.T @ dy  # (d, h)
    db = dy.sum(axis=0)  # (h,)
    return dX, dW, db
