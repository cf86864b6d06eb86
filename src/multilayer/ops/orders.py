"""Operations of orders and counts: sorting, quantiles, histograms, and which numbers there are."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer._core.tape import plain
from multilayer.ops.operands import axes_of, dtype_of, floats, operand, operation, require_dense

__all__ = [
    "argpartition",
    "argsort",
    "bincount",
    "digitize",
    "histogram",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
    "searchsorted",
    "sort",
    "unique",
]

_INT = np.int32  # of Keras' counts and places

# --- Orders ---


@operation
def sort(x: Any, axis: int = -1) -> Any:
    """The numbers along an axis in ascending order."""
    return np.sort(operand(x), axis=axis)


@operation
def argsort(x: Any, axis: int = -1) -> Any:
    """The places of the numbers along an axis in ascending order; equal ones stay in theirs."""
    values = plain(operand(x))
    return np.argsort(values, axis=axis if np.ndim(values) else None, kind="stable").astype(_INT)


@operation
def argpartition(x: Any, kth: int, axis: int = -1) -> Any:
    """Places such that the number in place kth stands where sorting puts it, smaller ones before it."""
    return np.argpartition(plain(operand(x)), kth, axis=axis).astype(_INT)


_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@operation
def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """The number below which the share q of all lies, over axes.

    Args:
        x: The numbers.
        q: A share in [0, 1], or several: their results stand along a first axis.
        axis: The axes; by default all.
        method: What is taken between two numbers: 'linear', 'lower', 'higher', 'midpoint' or 'nearest'.
        keepdims: Whether the axes stay, of length 1.

    Example:
        >>> quantile([1.0, 2.0, 4.0], 0.75)
        np.float32(3.0)
    """
    if method not in _METHODS:
        raise ValueError(f"`method` of `quantile` must be one of {', '.join(_METHODS)}. Received: method={method}")
    return _between(np.quantile, x, q, axis, method, keepdims)


def _between(function: Any, x: Any, q: Any, axis: Any, method: str, keepdims: bool) -> Any:
    """One of NumPy's quantiles, of x's type whatever that of q is."""
    x = floats(x)
    return function(x, np.asarray(plain(q), dtype_of(x)), axis=axes_of(axis), method=method, keepdims=keepdims)


@operation
def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """`quantile` with q in [0, 100]."""
    return quantile(x, np.asarray(plain(q)) / 100.0, axis, method, keepdims)


@operation
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle one of the sorted numbers, or the mean of the two in the middle, over axes."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


@operation
def nanquantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """`quantile` of what is a number; a constant."""
    return _between(np.nanquantile, x, q, axis, method, keepdims)


@operation
def nanpercentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """`percentile` of what is a number; a constant."""
    return nanquantile(x, np.asarray(plain(q)) / 100.0, axis, method, keepdims)


@operation
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`median` of what is a number; a constant."""
    return nanquantile(x, 0.5, axis, keepdims=keepdims)


# --- Counts ---


@operation
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each whole number from 0 on is there, or the sum of its weights; of a matrix, row by row.

    Example:
        >>> bincount([1, 1, 3]).tolist()
        [0, 2, 0, 1]
    """
    require_dense(sparse)
    x = plain(operand(x))
    weights = None if weights is None else plain(operand(weights))
    dtype = _INT if weights is None else weights.dtype
    if x.ndim < 2:
        return np.bincount(x, weights, minlength).astype(dtype)
    length = max(minlength, int(x.max()) + 1 if x.size else 0)
    rows = [np.bincount(one, None if weights is None else weights[i], length) for i, one in enumerate(x)]
    return np.stack(rows).astype(dtype)


@operation
def histogram(x: Any, bins: Any = 10, range: Any = None) -> Any:
    """How many numbers lie in each of so many bins of equal width, and the bins' edges; constants."""
    x = plain(floats(x))
    counts, edges = np.histogram(x, bins=bins, range=range)
    return counts.astype(x.dtype), edges.astype(x.dtype)


@operation
def digitize(x: Any, bins: Any) -> Any:
    """The number of the bin that each number lies in: how many of the ascending edges are not above it."""
    return np.digitize(plain(operand(x)), np.asarray(plain(bins))).astype(_INT)


@operation
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Where numbers would have to be put into an ascending sequence to keep it ascending."""
    sequence = plain(operand(sorted_sequence))
    if sequence.ndim != 1:
        raise ValueError(
            "`searchsorted` only supports 1-D sorted sequences. You can use `ops.vectorized_map` to extend it to N-D "
            f"sequences. Received: sorted_sequence.shape={sequence.shape}"
        )
    return np.asarray(np.searchsorted(sequence, plain(operand(values)), side=side)).astype(_INT)  # type: ignore[call-overload]


@operation
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The numbers that are there, once each and ascending; with where they first are, which each is, how many each is.

    Args:
        x: The numbers.
        sorted: They are sorted in any case.
        return_index: Whether to say where each is first.
        return_inverse: Whether to say which of the unique ones each number is.
        return_counts: Whether to say how often each is there.
        axis: Along which slices are compared instead of numbers.
        size: How many to give: further ones are dropped, missing ones filled up.
        fill_value: With what; by default with the smallest.
    """
    x = plain(operand(x))
    found: Any = np.unique(x, True, True, True, axis=axis, equal_nan=False)
    along = axis or 0
    values, index, inverse, counts = found
    if size is not None:
        missing = max(size - values.shape[along], 0)
        values = np.take(values, range(min(size, values.shape[along])), axis=along)
        filling = np.take(values, [0], axis=along) if fill_value is None else np.full_like(values[:1], fill_value)
        values = np.concatenate([values, *[filling] * missing], axis=along)
        index = np.concatenate([index[:size], np.full(missing, index[0])])
        counts = np.concatenate([counts[:size], np.zeros(missing, counts.dtype)])
    asked = (return_index, return_inverse, return_counts)
    others = [one.astype(_INT) for one, wanted in zip((index, inverse, counts), asked, strict=True) if wanted]
    return (values, *others) if others else values
