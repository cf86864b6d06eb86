"""Each activation in the operators of ONNX."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from multilayer import activations
from multilayer.functional import of_input
from multilayer.saving.formats.onnx.writer import Writer


def write(op: Writer, activation: activations.Activation, x: str) -> str:
    """Writes an activation of x.

    Raises:
        ValueError: It is one of the user's own.
    """
    forward: Any = activation.forward
    options: dict[str, Any] = {}
    if isinstance(forward, functools.partial):
        forward, options = forward.func, forward.keywords
    formula = _FORMULAS.get(forward)
    if formula is None:
        raise ValueError(
            f"'{activation.name}' of layer '{op.layer}' is an activation of your own, which ONNX has no operators for. "
            f"Use one of multilayer.activations where the model is to be exported."
        )
    return formula(op, x, **options)


def _one(kind: str, **attributes: Any) -> Callable[..., str]:
    """An activation that is one operator."""
    return lambda op, x: op(kind, x, **attributes)


def _along(kind: str) -> Callable[..., str]:
    return lambda op, x, axis=-1: op(kind, x, axis=axis)


def _clipped_relu(
    op: Writer, x: str, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> str:
    if threshold:
        below = op("Mul", op("Sub", x, float(threshold)), float(negative_slope))
        y = op("Where", op("Greater", x, float(threshold)), x, below)
    else:
        y = op("LeakyRelu", x, alpha=float(negative_slope)) if negative_slope else op("Relu", x)
    return y if max_value is None else op("Min", y, float(max_value))


def _leaky_relu(op: Writer, x: str, negative_slope: float = 0.2) -> str:
    return _clipped_relu(op, x, negative_slope)


def _elu(op: Writer, x: str, alpha: float = 1.0) -> str:
    return op("Elu", x, alpha=float(alpha))


def _celu(op: Writer, x: str, alpha: float = 1.0) -> str:
    below = op("Elu", op("Mul", op("Min", x, 0.0), 1.0 / alpha), alpha=1.0)
    return op("Add", op("Relu", x), op("Mul", below, float(alpha)))


def _gelu(op: Writer, x: str, approximate: bool = False) -> str:
    half = op("Mul", x, 0.5)
    if not approximate:
        return op("Mul", half, op("Add", op("Erf", op("Mul", x, math.sqrt(0.5))), 1.0))
    cubic = op("Mul", op("Mul", op("Mul", x, x), x), 0.044715)
    return op("Mul", half, op("Add", op("Tanh", op("Mul", op("Add", x, cubic), math.sqrt(2.0 / math.pi))), 1.0))


def _glu(op: Writer, x: str, axis: int = -1) -> str:
    first, gate = op.several("Split", 2, x, axis=axis, num_outputs=2)
    return op("Mul", first, op("Sigmoid", gate))


def _log_sigmoid(op: Writer, x: str) -> str:
    return op("Neg", op("Softplus", op("Neg", x)))


def _mish(op: Writer, x: str) -> str:
    return op("Mul", x, op("Tanh", op("Softplus", x)))


def _silu(op: Writer, x: str) -> str:
    return op("Mul", x, op("Sigmoid", x))


def _hard_shrink(op: Writer, x: str, threshold: float = 0.5) -> str:
    return op("Shrink", x, lambd=float(threshold), bias=0.0)


def _soft_shrink(op: Writer, x: str, threshold: float = 0.5) -> str:
    return op("Shrink", x, lambd=float(threshold), bias=float(threshold))


def _tanh_shrink(op: Writer, x: str) -> str:
    return op("Sub", x, op("Tanh", x))


def _threshold(op: Writer, x: str, threshold: float = 0.0, default_value: float = 0.0) -> str:
    return op("Where", op("Greater", x, float(threshold)), x, float(default_value))


def _sparse_plus(op: Writer, x: str) -> str:
    shifted = op("Add", op("Max", x, -1.0), 1.0)
    return op("Where", op("Less", x, 1.0), op("Mul", op("Mul", shifted, shifted), 0.25), x)


def _sparse_sigmoid(op: Writer, x: str) -> str:
    return op("Clip", op("Mul", op("Add", x, 1.0), 0.5), 0.0, 1.0)


def _squareplus(op: Writer, x: str, b: float = 4.0) -> str:
    return op("Mul", op("Add", x, op("Sqrt", op("Add", op("Mul", x, x), float(b)))), 0.5)


def _sparsemax(op: Writer, x: str, axis: int = -1) -> str:
    shape = op("Shape", x)
    falling, _ = op.several("TopK", 2, x, op("Gather", shape, [axis]), axis=axis)
    sums = op("CumSum", falling, [axis])
    places = op("CumSum", op("Expand", 1.0, shape), [axis])
    positive = op("Greater", op("Add", op("Mul", places, falling), 1.0), sums)
    count = op("ReduceSum", op.cast(positive, op.dtype), [axis], keepdims=1)
    last = op("GatherElements", sums, op.cast(op("Sub", count, 1.0), "int64"), axis=axis)
    return op("Relu", op("Sub", x, op("Div", op("Sub", last, 1.0), count)))


_BY_NAME: dict[str, Callable[..., str]] = {
    "celu": _celu,
    "elu": _elu,
    "exponential": _one("Exp"),
    "gelu": _gelu,
    "glu": _glu,
    "hard_shrink": _hard_shrink,
    "hard_sigmoid": _one("HardSigmoid", alpha=1.0 / 6.0, beta=0.5),
    "keras2_hard_sigmoid": _one("HardSigmoid", alpha=0.2, beta=0.5),
    "hard_silu": _one("HardSwish"),
    "hard_tanh": lambda op, x: op("Clip", x, -1.0, 1.0),
    "leaky_relu": _leaky_relu,
    "linear": lambda _, x: x,  # nothing is to be done
    "log_sigmoid": _log_sigmoid,
    "log_softmax": _along("LogSoftmax"),
    "mish": _mish,
    "relu": _one("Relu"),
    "relu6": lambda op, x: op("Clip", x, 0.0, 6.0),
    "selu": _one("Selu", alpha=of_input.SELU_ALPHA, gamma=of_input.SELU_SCALE),
    "sigmoid": _one("Sigmoid"),
    "silu": _silu,
    "soft_shrink": _soft_shrink,
    "softmax": _along("Softmax"),
    "softplus": _one("Softplus"),
    "softsign": _one("Softsign"),
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": _sparse_sigmoid,
    "sparsemax": _sparsemax,
    "squareplus": _squareplus,
    "tanh": _one("Tanh"),
    "tanh_shrink": _tanh_shrink,
    "threshold": _threshold,
}
# By the function itself: another's activation may bear the same name. The last two are what options make of the first.
_FORMULAS: dict[Any, Callable[..., str]] = {
    **{getattr(activations, name).forward: formula for name, formula in _BY_NAME.items()},
    of_input.clipped_relu: _clipped_relu,
    of_input.softmax_along: _along("Softmax"),
}
