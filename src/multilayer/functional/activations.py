"""Activations, three functions each.

The activation of x; `_grad`, its derivative at x; and `_backward(dy, y)`, the chain rule written with the output
y = f(x), which the forward pass has at hand. The forward function can add a bias (k,) to x (n, k) first; the backward
function can write that bias's gradient, the sum of dx over the rows, to `db`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from multilayer.functional.arrays import Array, floating


def _biased(x: ArrayLike, bias: Array | None, out: Array | None) -> Array:
    x = floating(x)
    return x if bias is None else np.add(x, bias, out=out)


def sum_rows(x: Array, out: Array | None = None) -> Array:
    """The sum over all axes but the last, (n, k) to (k,): a bias's gradient from that of what it was added to.

    Example:
        >>> sum_rows(np.array([[1.0, 2.0], [10.0, 20.0]]))
        array([11., 22.])
    """
    return np.add.reduce(x.reshape(-1, x.shape[-1]), axis=0, out=out)


def linear(x: ArrayLike, out: Array | None = None, bias: Array | None = None) -> Array:
    """The identity, f(x) = x."""
    x = _biased(x, bias, out)
    if out is None or out is x:
        return x
    np.copyto(out, x)
    return out


def linear_backward(dy: Array, y: Array, out: Array | None = None, db: Array | None = None) -> Array:  # noqa: ARG001
    """Backward pass of the identity: dx = dy."""
    dx = linear(dy, out)
    if db is not None:
        sum_rows(dx, out=db)
    return dx


def sigmoid(x: ArrayLike, out: Array | None = None, bias: Array | None = None) -> Array:
    """The logistic function 1 / (1 + exp(-x)), which squeezes any number into (0, 1).

    The exponent is limited so that exp never overflows: far on the left the result is next to the smallest normal
    number of the type instead of zero, and its logarithm stays finite.

    Example:
        >>> sigmoid(np.array([-1e4, 0.0, 1e4])).round(6)
        array([0. , 0.5, 1. ])
    """
    x = _biased(x, bias, out)
    # Not `np.negative`: that of NumPy 2.4.6 takes the wrong numbers where both arrays have just every fourth of some.
    y: Array = np.multiply(x, -1.0, out=np.empty_like(x) if out is None else out)
    np.minimum(y, -math.log(2.0 * np.finfo(y.dtype).tiny), out=y)
    np.exp(y, out=y)
    y += 1.0
    np.reciprocal(y, out=y)
    return y


def sigmoid_grad(x: ArrayLike) -> Array:
    """Derivative of the sigmoid at x: sigmoid'(x) = (1 - sigmoid(x)) sigmoid(x), at most 1/4.

    Example:
        >>> sigmoid_grad([0.0, 100.0]).round(3)
        array([0.25, 0.  ])
    """
    y = sigmoid(x)
    return (1.0 - y) * y


def sigmoid_backward(dy: Array, y: Array, out: Array | None = None, db: Array | None = None) -> Array:
    """Backward pass of y = sigmoid(x): dx = dy y (1 - y)."""
    dx = np.subtract(1.0, y, out=out)
    dx *= y
    dx *= dy
    if db is not None:
        sum_rows(dx, out=db)
    return dx


def tanh(x: ArrayLike, out: Array | None = None, bias: Array | None = None) -> Array:
    """The hyperbolic tangent, (exp(x) - exp(-x)) / (exp(x) + exp(-x)), which squeezes any number into (-1, 1).

    Example:
        >>> tanh([-100.0, 0.0, 100.0])
        array([-1.,  0.,  1.])
    """
    return np.tanh(_biased(x, bias, out), out=out)


def tanh_grad(x: ArrayLike) -> Array:
    """Derivative of the hyperbolic tangent at x: tanh'(x) = 1 - tanh(x)^2."""
    y = tanh(x)
    return 1.0 - y * y


def tanh_backward(dy: Array, y: Array, out: Array | None = None, db: Array | None = None) -> Array:
    """Backward pass of y = tanh(x): dx = dy (1 - y^2)."""
    dx = np.multiply(y, y, out=out)
    np.subtract(1.0, dx, out=dx)
    dx *= dy
    if db is not None:
        sum_rows(dx, out=db)
    return dx


def relu(x: ArrayLike, out: Array | None = None, bias: Array | None = None) -> Array:
    """The rectified linear unit max(x, 0).

    Source: Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", 2010.

    Example:
        >>> relu([-2.0, 0.0, 3.0])
        array([0., 0., 3.])
    """
    return np.maximum(_biased(x, bias, out), 0.0, out=out)


def relu_grad(x: ArrayLike) -> Array:
    """Derivative of the rectified linear unit at x: 1 where x > 0, else 0 (at the kink too)."""
    return np.heaviside(floating(x), 0.0)


def relu_backward(dy: Array, y: Array, out: Array | None = None, db: Array | None = None) -> Array:
    """Backward pass of y = relu(x): dx = dy where y > 0, else 0."""
    dx = np.sign(y, out=out)  # y is never negative: its sign is the derivative
    dx *= dy
    if db is not None:
        sum_rows(dx, out=db)
    return dx


def softmax(x: ArrayLike, out: Array | None = None, bias: Array | None = None) -> Array:
    """Scores to probabilities over the last axis: y_k = exp(x_k) / sum_j exp(x_j).

    Subtracting the largest score first changes nothing in the quotient and keeps exp from overflowing.

    Args:
        x: Scores, shape (k,) or (n, k) or more axes in front.
        out: Where to write the result; may be x.
        bias: Added to x first, shape (k,).

    Example:
        >>> softmax(np.array([[0.0, 1e4], [1.0, 1.0]]))
        array([[0. , 1. ],
               [0.5, 0.5]])
    """
    x = _biased(x, bias, out)
    y: Array = np.subtract(x, x.max(axis=-1, keepdims=True), out=out)
    np.exp(y, out=y)
    y /= y.sum(axis=-1, keepdims=True)
    return y


def softmax_backward(dy: Array, y: Array, out: Array | None = None, db: Array | None = None) -> Array:
    """Backward pass of y = softmax(x): dx_k = y_k (dy_k - sum_j dy_j y_j).

    Example:
        >>> softmax_backward(np.array([[1.0, 0.0]]), y=np.array([[0.5, 0.5]]))
        array([[ 0.25, -0.25]])
    """
    dx = np.multiply(dy, y, out=out)
    np.subtract(dy, dx.sum(axis=-1, keepdims=True), out=dx)
    dx *= y
    if db is not None:
        sum_rows(dx, out=db)
    return dx
