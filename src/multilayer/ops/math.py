"""Operations that NumPy does not have: logarithms of sums, the error function, the largest k, sums by segment."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from multilayer._core.tape import Rule, plain, record
from multilayer._core.tape import activations as of_tape
from multilayer._core.tape.elementwise import root
from multilayer._core.tape.shapes import scatter as added_at
from multilayer.functional import of_input
from multilayer.functional.arrays import Array
from multilayer.ops.operands import as_type, axes_of, dtype_of, floats, operand, operation

__all__ = [
    "cdist",
    "erf",
    "erfc",
    "erfinv",
    "in_top_k",
    "logsumexp",
    "rsqrt",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "top_k",
    "view_as_complex",
    "view_as_real",
]

_INT = np.int32


# --- Logarithms of sums ---


def _logsumexp(x: Array, axis: Any = None) -> Array:
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)  # infinities come out of the sum by themselves
    with np.errstate(divide="ignore"):
        y: Array = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y


def _share(g: Any, y: Any, x: Any, axis: Any = None) -> Any:
    """The softmax: each gets its share. Where all are -inf nobody has any."""
    return g * np.exp(x - np.where(np.isfinite(plain(y)), y, 0))


_LOGSUMEXP = Rule(_logsumexp, _share, name="logsumexp")


@operation
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over axes, without overflow.

    Example:
        >>> logsumexp(np.array([1000.0, 1000.0])).round(4)
        np.float64(1000.6931)
    """
    x = floats(x)
    axis = axes_of(axis)
    y = record(_LOGSUMEXP, (x,), {"axis": axis})
    return y if keepdims else np.squeeze(y, axis=axis)[()]


@operation
def rsqrt(x: Any) -> Any:
    """1 / sqrt(x)."""
    return 1 / np.sqrt(floats(x))


# --- The error function ---


_ERFC = Rule(of_input.erfc, lambda g, y, x: -of_tape.erf_backward(g, y, x))


@operation
def erf(x: Any) -> Any:
    """The error function 2 / sqrt(pi) int_0^x exp(-s^2) ds."""
    return of_tape.erf(floats(x))


@operation
def erfc(x: Any) -> Any:
    """1 - erf(x), which keeps its digits where erf(x) is close to 1."""
    return record(_ERFC, (floats(x),), {})


def _erfinv(x: Array) -> Array:
    """An approximation in closed form, then Newton's method on erf(y) = x.

    Source: Winitzki, "A handy approximation for the error function and its inverse", 2008.
    """
    size = np.abs(x).astype(np.float64)
    with np.errstate(all="ignore"):
        tail = np.log1p(-size * size)
        a = 2.0 / (math.pi * 0.147) + 0.5 * tail
        y = np.sqrt(np.sqrt(a * a - tail / 0.147) - a)
        for _ in range(4):
            # By the complement, which keeps its digits in the tail.
            y = y + (of_input.erfc(y) - (1.0 - size)) * (math.sqrt(math.pi) / 2.0) * np.exp(y * y)
    c = math.pi * size * size  # near 0, where 1 - size has no digits to give, the beginning of its power series
    near = size * (math.sqrt(math.pi) / 2.0) * (1.0 + c * (1 / 12 + c * (7 / 480 + c * (127 / 40320))))
    y = np.where(size < 1e-2, near, y)
    y = np.where(size == 1.0, np.inf, np.where(size > 1.0, np.nan, y))
    return np.copysign(y, x).astype(x.dtype)


_ERFINV = Rule(
    _erfinv,
    lambda g, y, x: g * (math.sqrt(math.pi) / 2.0) * np.exp(np.square(y)),
    name="erfinv",
)


@operation
def erfinv(x: Any) -> Any:
    """The number whose `erf` is x, for x in (-1, 1).

    Example:
        >>> erfinv(np.array([0.0, 0.5])).round(4).tolist()
        [0.0, 0.4769]
    """
    return record(_ERFINV, (floats(x),), {})


# --- The largest ---


@operation
def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    """The k largest numbers of the last axis, the largest first, and their places.

    Example:
        >>> values, places = top_k([1.0, 5.0, 3.0], 2)
        >>> values.tolist(), places.tolist()
        ([5.0, 3.0], [1, 2])
    """
    x = operand(x)
    side = x.shape[-1]
    # Sorted from behind and turned round, so that of equal ones the first comes first.
    places = (side - 1 - np.argsort(np.flip(plain(x), -1), axis=-1, kind="stable"))[..., ::-1][..., :k]
    return np.take_along_axis(x, places, axis=-1), places.astype(_INT)


@operation
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether the prediction for each target's class is one of the k largest."""
    targets, predictions = np.asarray(plain(operand(targets))), np.asarray(plain(operand(predictions)))
    own = np.take_along_axis(predictions, targets[..., None], axis=-1)
    own = np.where(np.isnan(own), -np.inf, own)
    return np.sum(predictions > own, axis=-1) < k


# --- By segment ---


def _segments(data: Any, segment_ids: Any, num_segments: Any) -> tuple[Any, Any, int]:
    data, ids = operand(data), np.asarray(plain(operand(segment_ids)))
    count = int(num_segments) if num_segments is not None else int(ids.max()) + 1 if ids.size else 0
    inside = (ids >= 0) & (ids < count)
    if not np.all(inside):  # those are left out, as in Keras
        data, ids = data[np.flatnonzero(inside)], ids[inside]
    return data, ids, count


@operation
def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The sum of the rows of each segment.

    Args:
        data: Rows, (n, ...).
        segment_ids: The segment that each row belongs to, (n,): whole numbers from 0 on.
        num_segments: How many segments there are; by default as many as are named.
        sorted: Whether the numbers of segments are in ascending order, which changes nothing here.

    Example:
        >>> segment_sum([1.0, 2.0, 4.0], [0, 0, 1]).tolist()
        [3.0, 4.0]
    """
    data, ids, count = _segments(data, segment_ids, num_segments)
    return added_at(data, (count, *data.shape[1:]), (ids,))


def _by_segment(reduce: Any, nothing: Any, data: Any, segment_ids: Any, num_segments: Any) -> Any:
    data, ids, count = _segments(data, segment_ids, num_segments)
    empty = np.full(data.shape[1:], nothing(dtype_of(data)), dtype_of(data))
    rows = (np.flatnonzero(ids == i) for i in range(count))
    return np.stack([reduce(data[one], axis=0) if len(one) else empty for one in rows])


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _highest(dtype: Any) -> Any:
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max


@operation
def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The largest of each segment, number by number; the type's smallest for one without rows."""
    return _by_segment(np.max, _lowest, data, segment_ids, num_segments)


@operation
def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The smallest of each segment, number by number; the type's largest for one without rows."""
    return _by_segment(np.min, _highest, data, segment_ids, num_segments)


@operation
def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The product of each segment, number by number; 1 for one without rows."""
    return as_type(_by_segment(np.prod, lambda _: 1, data, segment_ids, num_segments), dtype_of(operand(data)))


# --- Distances, and complex numbers ---


@operation
def cdist(x: Any, y: Any) -> Any:
    """The distances between all pairs of rows of x (..., n, k) and y (..., m, k): (..., n, m)."""
    x, y = floats(x), floats(y)
    if x.ndim < 2 or y.ndim < 2 or x.shape[-1] != y.shape[-1]:
        raise ValueError(f"`cdist` takes rows of one length: x of shape {x.shape} and y of shape {y.shape} do not fit.")
    return root(np.sum(np.square(np.expand_dims(x, -2) - np.expand_dims(y, -3)), axis=-1))


@operation
def view_as_complex(x: Any) -> Any:
    """Complex numbers from their real and imaginary parts, which stand along the last axis; a constant."""
    x = plain(operand(x))
    if x.ndim < 1 or x.shape[-1] != 2:
        raise ValueError(f"Last dimension of input must be size 2 (real and imaginary). Received shape: {x.shape}")
    return x[..., 0] + np.asarray(1j, np.result_type(x.dtype, np.complex64)) * x[..., 1]


@operation
def view_as_real(x: Any) -> Any:
    """The real and imaginary parts of complex numbers along a new last axis; a constant."""
    x = plain(operand(x))
    return np.stack([x.real, x.imag], axis=-1)
