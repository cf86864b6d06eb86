"""The affine layer: products, and their chain rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from multilayer.functional import activations
from multilayer.functional.activations import sum_rows
from multilayer.functional.arrays import Array, floating

AffineCache: TypeAlias = tuple[Array, Array, Array]

# The activations whose loops add the bias, and sum up its gradient, on the way.
FUSED = ("linear", "relu", "sigmoid", "tanh", "softmax")
FORWARD: dict[str, Callable[..., Array]] = {name: getattr(activations, name) for name in FUSED}
BACKWARD: dict[str, Callable[..., Array]] = {name: getattr(activations, f"{name}_backward") for name in FUSED}


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


def dense(x: Array, W: Array, b: Array | None = None, activation: str = "linear", out: Array | None = None) -> Array:
    """A fully connected layer, y = f(x W + b), or k of them side by side.

    Args:
        x: Inputs, shape (n, d); of k layers (k, n, d).
        W: Weights, shape (d, h); of k layers (k, d, h).
        b: Biases, shape (h,), of k layers (k, h), or None.
        activation: The name of f: 'linear', 'relu', 'sigmoid', 'tanh' or 'softmax'.
        out: Where to write the result, shape (n, h); of k layers (k, n, h).

    Returns:
        y, shape (n, h); of k layers (k, n, h).

    Example:
        >>> dense(np.array([[1.0, 2.0]]), np.array([[1.0, -1.0], [10.0, 1.0]]), np.array([0.5, -2.0]), "relu")
        array([[21.5,  0. ]])
    """
    a = np.matmul(x, W, out=out)  # (n, h)
    return FORWARD[activation](a, a, b if b is None or b.ndim == 1 else b[:, None])


def dense_backward(
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
    """The backward pass of `dense`, by the chain rule.

        da = dy f'(a),   dW = x^T da,   db = sum over the samples of da,   dx = da W^T

    Args:
        dy: Gradient of the loss with respect to y, shape (n, h).
        y: What `dense` returned, shape (n, h); of no use where f is the identity.
        x: Inputs, shape (n, d).
        W: Weights, shape (d, h).
        activation: The name of f.
        da: Where to write da, shape (n, h).
        dW: Where to write W's gradient, shape (d, h), or None where nobody wants it.
        db: Where to write b's gradient, shape (h,), or None where nobody wants it.
        dx: Where to write x's gradient, shape (n, d), or None where nobody wants it.

    Returns:
        `dx`.

    Example:
        >>> dW, dx = np.empty((3, 2)), np.empty((1, 3))
        >>> dense_backward(np.ones((1, 2)), None, np.full((1, 3), 5.0), np.ones((3, 2)), dW=dW, dx=dx)
        array([[2., 2., 2.]])
    """
    if activation == "linear":
        da = dy
        if db is not None:
            sum_rows(da, out=db)
    else:
        assert y is not None
        da = BACKWARD[activation](dy, y, da, db)
    if dW is not None:
        np.matmul(x.T, da, out=dW)
    return None if dx is None else np.matmul(da, W.T, out=dx)


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
