"""Operations over axes: sums, means, extremes, orders, running sums; and the same without what is not a number."""

from __future__ import annotations

from builtins import max as builtin_max
from builtins import min as builtin_min
from typing import Any

import numpy as np

from multilayer._core.tape import plain
from multilayer.ops.operands import as_type, counted, dtype_of, floats, operand, operation

_INT = np.int32  # of Keras' counts and places


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


# --- Sums and means ---


@operation
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over axes, by default over all.

    Example:
        >>> sum([[1, 2], [3, 4]], axis=0).tolist()
        [4, 6]
    """
    x = counted(x)
    return as_type(np.sum(x, axis=_axis(axis), keepdims=keepdims), dtype_of(x))


@operation
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The product over axes, by default over all."""
    x = counted(x) if dtype is None else as_type(operand(x), dtype)
    return as_type(np.prod(x, axis=_axis(axis), keepdims=keepdims), dtype_of(x))


@operation
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over axes, by default over all."""
    return np.mean(floats(x), axis=_axis(axis), keepdims=keepdims)


@operation
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """The mean with weights, sum(w x) / sum(w)."""
    return np.average(floats(x), axis=_axis(axis), weights=None if weights is None else floats(weights))


@operation
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The variance over axes, mean((x - mean(x))^2)."""
    return np.var(floats(x), axis=_axis(axis), keepdims=keepdims)


@operation
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The standard deviation over axes, sqrt(var(x))."""
    return np.std(floats(x), axis=_axis(axis), keepdims=keepdims)


@operation
def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """The running sum along an axis, by default of all numbers in a row."""
    x = counted(x) if dtype is None else as_type(operand(x), dtype)
    return as_type(np.cumsum(x, axis=axis), dtype_of(x))


@operation
def cumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """The running product along an axis, by default of all numbers in a row."""
    x = counted(x) if dtype is None else as_type(operand(x), dtype)
    return as_type(np.cumprod(x, axis=axis), dtype_of(x))


@operation
def count_nonzero(x: Any, axis: Any = None) -> Any:
    """How many numbers are not 0, over axes."""
    return as_type(np.asarray(np.count_nonzero(plain(operand(x)), axis=_axis(axis))), _INT)


@operation
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of y along an axis by the trapezoidal rule, at places x, or at distances dx."""
    return np.trapezoid(floats(y), None if x is None else floats(x), dx=dx, axis=axis)


# --- Extremes ---


def _with_initial(extreme: Any, bound: Any, x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    x = operand(x)
    result = extreme(x, axis=_axis(axis), keepdims=keepdims)
    return result if initial is None else as_type(bound(result, initial), dtype_of(x))


@operation
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The largest number over axes, at least `initial` where it is given."""
    return _with_initial(np.max, np.maximum, x, axis, keepdims, initial)


@operation
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The smallest number over axes, at most `initial` where it is given."""
    return _with_initial(np.min, np.minimum, x, axis, keepdims, initial)


@operation
def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest number over axes: `max`."""
    return max(x, axis, keepdims)


@operation
def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest number over axes: `min`."""
    return min(x, axis, keepdims)


@operation
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest number less the smallest over axes."""
    return max(x, axis, keepdims) - min(x, axis, keepdims)


@operation
def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Where the largest number along an axis is: the first place; without an axis, in all numbers in a row."""
    return as_type(np.argmax(plain(operand(x)), axis=axis, keepdims=keepdims), _INT)


@operation
def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Where the smallest number along an axis is: the first place; without an axis, in all numbers in a row."""
    return as_type(np.argmin(plain(operand(x)), axis=axis, keepdims=keepdims), _INT)


@operation
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether all are true, or not 0, over axes."""
    return np.all(plain(operand(x)), axis=_axis(axis), keepdims=keepdims)


@operation
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether any is true, or not 0, over axes."""
    return np.any(plain(operand(x)), axis=_axis(axis), keepdims=keepdims)


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
    x, axis = floats(x), _axis(axis)
    if method not in _METHODS:
        raise ValueError(f"`method` of `quantile` must be one of {', '.join(_METHODS)}. Received: method={method}")
    if isinstance(axis, tuple):
        x, axis, shape = _axes_last(x, axis)
        result = _quantile(x, q, axis, method, False)
        return np.reshape(result, (*np.shape(q), *shape)) if keepdims else result
    return _quantile(x, q, axis, method, keepdims)


def _quantile(x: Any, q: Any, axis: Any, method: str, keepdims: bool) -> Any:
    q = np.asarray(plain(q), dtype_of(x))
    if method == "linear":
        return np.quantile(x, q, axis=axis, keepdims=keepdims)
    # Which of the sorted numbers it is depends on how many there are, not on which.
    count = x.size if axis is None else x.shape[axis]
    at = q.astype(np.float64) * (count - 1)
    low, high = np.floor(at), np.ceil(at)
    places = {"lower": (low, low), "higher": (high, high), "midpoint": (low, high), "nearest": (np.round(at),) * 2}
    below, above = (
        np.quantile(x, one / builtin_max(count - 1, 1), axis=axis, keepdims=keepdims) for one in places[method]
    )
    return as_type((below + above) * 0.5, dtype_of(x))


def _axes_last(x: Any, axes: tuple[int, ...]) -> tuple[Any, int, tuple[int, ...]]:
    """The array with several axes as its last one, and the shape with them of length 1."""
    axes = tuple(one % x.ndim for one in axes)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    rows = np.reshape(np.transpose(x, (*rest, *axes)), (*(x.shape[i] for i in rest), -1))
    return rows, rows.ndim - 1, tuple(1 if i in axes else side for i, side in enumerate(x.shape))


@operation
def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """`quantile` with q in [0, 100]."""
    return quantile(x, np.asarray(plain(q)) / 100.0, axis, method, keepdims)


@operation
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle one of the sorted numbers, or the mean of the two in the middle, over axes."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


# --- Without what is not a number ---


def _filled(x: Any, number: float) -> Any:
    """x with a number in the place of each NaN."""
    x = operand(x)
    if dtype_of(x).kind != "f":
        return x
    return np.where(np.isnan(plain(x)), np.asarray(number, dtype_of(x)), x)


def _or_nan(result: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """A result, and NaN where there was no number at all."""
    none = np.all(np.isnan(plain(floats(x))), axis=_axis(axis), keepdims=keepdims)
    return np.where(none, np.asarray(np.nan, dtype_of(result)), result) if np.any(none) else result


@operation
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`sum` of what is a number."""
    return sum(_filled(x, 0.0), axis, keepdims)


@operation
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`prod` of what is a number."""
    return prod(_filled(x, 1.0), axis, keepdims)


@operation
def nancumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """`cumsum` of what is a number."""
    return cumsum(_filled(x, 0.0), axis, dtype)


@operation
def nancumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """`cumprod` of what is a number."""
    return cumprod(_filled(x, 1.0), axis, dtype)


@operation
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`mean` of what is a number."""
    x = floats(x)
    count = np.sum(~np.isnan(plain(x)), axis=_axis(axis), keepdims=keepdims)
    with np.errstate(invalid="ignore"):
        return nansum(x, axis, keepdims) / as_type(np.asarray(count), dtype_of(x))


@operation
def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`var` of what is a number."""
    x = floats(x)
    return nanmean(np.square(x - nanmean(x, axis, True)), axis, keepdims)


@operation
def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`std` of what is a number."""
    return np.sqrt(nanvar(x, axis, keepdims))


@operation
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`max` of what is a number; NaN where nothing is."""
    return _or_nan(max(_filled(x, -np.inf), axis, keepdims), x, axis, keepdims)


@operation
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`min` of what is a number; NaN where nothing is."""
    return _or_nan(min(_filled(x, np.inf), axis, keepdims), x, axis, keepdims)


@operation
def nanargmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`argmax` of what is a number; -1 where nothing is."""
    return _or_minus_one(argmax(_filled(x, -np.inf), axis, keepdims), x, axis, keepdims)


@operation
def nanargmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`argmin` of what is a number; -1 where nothing is."""
    return _or_minus_one(argmin(_filled(x, np.inf), axis, keepdims), x, axis, keepdims)


def _or_minus_one(places: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    none = np.all(np.isnan(plain(floats(x))), axis=axis, keepdims=keepdims)
    return np.where(none, _INT(-1), places)


@operation
def nanquantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """`quantile` of what is a number; a constant."""
    x = floats(x)
    q = np.asarray(plain(q), dtype_of(x))
    return np.nanquantile(x, q, axis=_axis(axis), method=method, keepdims=keepdims)  # type: ignore[call-overload]


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
    _dense(sparse)
    x = plain(operand(x))
    weights = None if weights is None else plain(operand(weights))
    dtype = _INT if weights is None else weights.dtype
    if x.ndim < 2:
        return np.bincount(x, weights, minlength).astype(dtype)
    length = builtin_max(minlength, int(x.max()) + 1 if x.size else 0)
    rows = [np.bincount(one, None if weights is None else weights[i], length) for i, one in enumerate(x)]
    return np.stack(rows).astype(dtype)


def _dense(sparse: Any) -> None:
    if sparse:
        raise ValueError("`sparse=True` is not supported: all arrays here are dense, NumPy's.")


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
        missing = builtin_max(size - values.shape[along], 0)
        values = np.take(values, range(builtin_min(size, values.shape[along])), axis=along)
        filling = np.take(values, [0], axis=along) if fill_value is None else np.full_like(values[:1], fill_value)
        values = np.concatenate([values, *[filling] * missing], axis=along)
        index = np.concatenate([index[:size], np.full(missing, index[0])])
        counts = np.concatenate([counts[:size], np.zeros(missing, counts.dtype)])
    asked = (return_index, return_inverse, return_counts)
    others = [one.astype(_INT) for one, wanted in zip((index, inverse, counts), asked, strict=True) if wanted]
    return (values, *others) if others else values
