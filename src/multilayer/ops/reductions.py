"""Operations over axes: sums, means, extremes, orders, running sums; and the same without what is not a number."""

from __future__ import annotations

from builtins import max as builtin_max
from builtins import min as builtin_min
from collections.abc import Callable
from typing import Any

import numpy as np

from multilayer._core.tape import plain
from multilayer.ops.operands import as_type, counted, dtype_of, floats, named, operand, operation

_INT = np.int32  # of Keras' counts and places


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _values(x: Any) -> Any:
    """The numbers as constants."""
    return plain(operand(x))


def _over_axes(
    function: Callable[..., Any], prepare: Callable[[Any], Any], meaning: str, name: str = "", dtype: Any = None
) -> Any:
    """A reduction in Keras' arguments: a function of what x is made into before, whose results get a type."""

    def reduced(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        y = function(prepare(x), axis=_axis(axis), keepdims=keepdims)
        return y if dtype is None else as_type(y, dtype)

    return named(reduced, name or function.__name__, __name__, meaning)


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


mean = _over_axes(np.mean, floats, "The mean over axes, by default over all.")
var = _over_axes(np.var, floats, "The variance over axes, mean((x - mean(x))^2).")
std = _over_axes(np.std, floats, "The standard deviation over axes, sqrt(var(x)).")


@operation
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """The mean with weights, sum(w x) / sum(w)."""
    return np.average(floats(x), axis=_axis(axis), weights=None if weights is None else floats(weights))


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


amax = _over_axes(np.max, operand, "The largest number over axes: `max`.", "amax")
amin = _over_axes(np.min, operand, "The smallest number over axes: `min`.", "amin")
ptp = _over_axes(np.ptp, operand, "The largest number less the smallest over axes.")
argmax = _over_axes(
    np.argmax, _values, "The first place of the largest number along an axis, or in all numbers in a row.", dtype=_INT
)
argmin = _over_axes(
    np.argmin, _values, "The first place of the smallest number along an axis, or in all numbers in a row.", dtype=_INT
)
all = _over_axes(np.all, _values, "Whether all are true, or not 0, over axes.")
any = _over_axes(np.any, _values, "Whether any is true, or not 0, over axes.")


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
    x = floats(x)
    q = np.asarray(plain(q), dtype_of(x))
    return np.quantile(x, q, axis=_axis(axis), method=method, keepdims=keepdims)  # type: ignore[call-overload]


@operation
def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """`quantile` with q in [0, 100]."""
    return quantile(x, np.asarray(plain(q)) / 100.0, axis, method, keepdims)


@operation
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle one of the sorted numbers, or the mean of the two in the middle, over axes."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


# --- Without what is not a number ---


def _filled(number: float) -> Callable[[Any], Any]:
    """What puts a number in the place of each NaN."""

    def filled(x: Any) -> Any:
        x = operand(x)
        return np.where(np.isnan(plain(x)), np.asarray(number, dtype_of(x)), x) if dtype_of(x).kind == "f" else x

    return filled


def _filled_and_running(function: Any, number: float, meaning: str, name: str) -> Any:
    return named(lambda x, axis=None, dtype=None: function(_filled(number)(x), axis, dtype), name, __name__, meaning)


def _where_nothing_is(otherwise: Any, reduce: Any, number: float) -> Callable[..., Any]:
    """A reduction of what is a number, and another result where there was none at all."""

    def reduced(x: Any, axis: Any, keepdims: bool) -> Any:
        y = reduce(_filled(number)(x), axis, keepdims)
        nothing = np.all(np.isnan(plain(floats(x))), axis=axis, keepdims=keepdims)
        return np.where(nothing, np.asarray(otherwise, dtype_of(y)), y) if np.any(nothing) else y

    return reduced


def _nanmean(x: Any, axis: Any, keepdims: bool) -> Any:
    count = np.sum(~np.isnan(plain(x)), axis=axis, keepdims=keepdims)
    with np.errstate(invalid="ignore"):
        return nansum(x, axis, keepdims) / as_type(np.asarray(count), dtype_of(x))


def _nanvar(x: Any, axis: Any, keepdims: bool) -> Any:
    return _nanmean(np.square(x - _nanmean(x, axis, True)), axis, keepdims)


def _nanstd(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.sqrt(_nanvar(x, axis, keepdims))


nansum = _over_axes(sum, _filled(0.0), "`sum` of what is a number.", "nansum")
nanprod = _over_axes(prod, _filled(1.0), "`prod` of what is a number.", "nanprod")
nancumsum = _filled_and_running(cumsum, 0.0, "`cumsum` of what is a number.", "nancumsum")
nancumprod = _filled_and_running(cumprod, 1.0, "`cumprod` of what is a number.", "nancumprod")
nanmean = _over_axes(_nanmean, floats, "`mean` of what is a number.", "nanmean")
nanvar = _over_axes(_nanvar, floats, "`var` of what is a number.", "nanvar")
nanstd = _over_axes(_nanstd, floats, "`std` of what is a number.", "nanstd")
nanmax = _over_axes(
    _where_nothing_is(np.nan, max, -np.inf), operand, "`max` of what is a number; NaN where nothing is.", "nanmax"
)
nanmin = _over_axes(
    _where_nothing_is(np.nan, min, np.inf), operand, "`min` of what is a number; NaN where nothing is.", "nanmin"
)
nanargmax = _over_axes(
    _where_nothing_is(-1, argmax, -np.inf), operand, "`argmax` of what is a number; -1 where nothing is.", "nanargmax"
)
nanargmin = _over_axes(
    _where_nothing_is(-1, argmin, np.inf), operand, "`argmin` of what is a number; -1 where nothing is.", "nanargmin"
)


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
