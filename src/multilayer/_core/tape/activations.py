"""The derivatives of activations once more, written with NumPy's functions: what is differentiated a second time.

An activation passes a gradient on by its own backward function. Where that gradient is to be differentiated again, a
penalty on it for example, it is computed by one of these instead, which the tape can follow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from multilayer._core.tape.tensor import Rule, record
from multilayer.functional import of_input
from multilayer.functional import sigmoid as sigmoid_of_array


def erf_backward(g: Any, y: Any, x: Any) -> Any:
    """The gradient at x, for g at erf(x)."""
    return g * np.exp(-x * x) * (2.0 / math.sqrt(math.pi))


_SIGMOID = Rule(sigmoid_of_array, lambda g, y, x: g * y * (1.0 - y))
_ERF = Rule(of_input.erf, erf_backward)


def sigmoid(x: Any) -> Any:
    """The logistic function of a tensor."""
    return record(_SIGMOID, (x,), {})


def erf(x: Any) -> Any:
    """The error function of a tensor."""
    return record(_ERF, (x,), {})


def _below(x: Any) -> Any:
    """min(x, 0), which at 0 itself belongs to the side below."""
    return np.where(x > 0, 0.0, x)


def _elu(g: Any, y: Any, x: Any, alpha: float = 1.0) -> Any:
    return g * np.where(x > 0, 1.0, alpha * np.exp(_below(x)))


def _gelu(g: Any, y: Any, x: Any, approximate: bool = False) -> Any:
    if not approximate:
        density = np.exp(-0.5 * x * x) * (1.0 / math.sqrt(2.0 * math.pi))
        return g * (0.5 * (1.0 + erf(x * math.sqrt(0.5))) + x * density)
    th = np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x))
    slope = math.sqrt(2.0 / math.pi) * (1.0 + 3.0 * 0.044715 * x * x)
    return g * (0.5 * (1.0 + th) + 0.5 * x * (1.0 - th * th) * slope)


def _glu(g: Any, y: Any, x: Any, axis: int = -1) -> Any:
    first, gate = np.split(x, 2, axis=axis)
    s = sigmoid(gate)
    return np.concatenate([g * s, g * first * s * (1.0 - s)], axis=axis)


def _mish(g: Any, y: Any, x: Any) -> Any:
    t = np.tanh(np.logaddexp(x, 0.0))
    return g * (t + x * (1.0 - t * t) * sigmoid(x))


def _silu(g: Any, y: Any, x: Any) -> Any:
    s = sigmoid(x)
    return g * s * (1.0 + x * (1.0 - s))


def _softmax(g: Any, y: Any, x: Any, axis: Any = -1) -> Any:
    axis = axis if isinstance(axis, int) else tuple(axis)
    return y * (g - np.sum(g * y, axis=axis, keepdims=True))


def _sparsemax(g: Any, y: Any, x: Any, axis: int = -1) -> Any:
    support = (y > 0).astype(x.dtype)
    return support * (g - np.sum(g * support, axis=axis, keepdims=True) / support.sum(axis=axis, keepdims=True))


# Of straight lines: the slope is a constant, which their backward functions say.
PIECEWISE_LINEAR = (
    *("hard_shrink", "hard_sigmoid", "hard_tanh", "keras2_hard_sigmoid", "leaky_relu", "linear", "relu", "relu6"),
    *("soft_shrink", "sparse_sigmoid", "threshold"),
)

# By the activation's name: g is the gradient at y, and y = f(x); the options are those of the activation.
VJPS: dict[str, Callable[..., Any]] = {
    "celu": lambda g, y, x, alpha=1.0: g * np.exp(_below(x) * (1.0 / alpha)),
    "elu": _elu,
    "exponential": lambda g, y, x: g * y,
    "gelu": _gelu,
    "glu": _glu,
    "hard_silu": lambda g, y, x: g * np.where(np.abs(x) < 3, x / 3.0 + 0.5, x > 0),
    "log_sigmoid": lambda g, y, x: g * sigmoid(-x),
    "log_softmax": lambda g, y, x, axis=-1: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True),
    "mish": _mish,
    "selu": lambda g, y, x: _elu(g, y, x, of_input.SELU_ALPHA) * of_input.SELU_SCALE,
    "sigmoid": lambda g, y, x: g * y * (1.0 - y),
    "silu": _silu,
    "softmax": _softmax,
    "softplus": lambda g, y, x: g * sigmoid(x),
    "softsign": lambda g, y, x: g / np.square(1.0 + np.abs(x)),
    "sparse_plus": lambda g, y, x: g * np.where(x >= 1, 1.0, 0.5 * (np.where(x > -1, x, -1.0) + 1.0)),
    "sparsemax": _sparsemax,
    "squareplus": lambda g, y, x, b=4.0: g * (0.5 + 0.5 * x / np.sqrt(x * x + b)),
    "tanh": lambda g, y, x: g * (1.0 - np.square(y)),
    "tanh_shrink": lambda g, y, x: g * np.square(np.tanh(x)),
}
