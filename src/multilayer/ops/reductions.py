"""Operations over axes: sums, means, extremes, running sums; and the same without what is not a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multilayer._core.tape import plain
from multilayer.ops.operands import as_type, axes_of, counted, dtype_of, floats, named, operand, operation

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "average",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "max",
    "mean",
    "min",
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
    "prod",
    "ptp",
    "std",
    "sum",
    "trapezoid",
    "var",
]

_INT = np.int32  # of Keras' counts and places


def _values(x: Any) -> Any:
    """The numbers as constants."""
    return plain(operand(x))


def _over_axes(
    function: Callable[..., Any], prepare: Callable[[Any], Any], meaning: str, name: str = "", dtype: Any = None
) -> Any:
    """A reduction in Keras' arguments: a function of what x is made into before, whose results get a type."""

    def reduced(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        y = function(prepare(x), axis=axes_of(axis), keepdims=keepdims)
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
    return as_type(np.sum(x, axis=axes_of(axis), keepdims=keepdims), dtype_of(x))


@operation
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The product over axes, by default over all."""
    x = counted(x) if dtype is None else as_type(operand(x), dtype)
    return as_type(np.prod(x, axis=axes_of(axis), keepdims=keepdims), dtype_of(x))


mean = _over_axes(np.mean, floats, "The mean over axes, by default over all.")
var = _over_axes(np.var, floats, "The variance over axes, mean((x - mean(x))^2).")
std = _over_axes(np.std, floats, "The standard deviation over axes, sqrt(var(x)).")


@operation
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """The mean with weights, sum(w x) / sum(w)."""
    return np.average(floats(x), axis=axes_of(axis), weights=None if weights is None else floats(weights))


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
    return as_type(np.asarray(np.count_nonzero(plain(operand(x)), axis=axes_of(axis))), _INT)


@operation
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of y along an axis by the trapezoidal rule, at places x, or at distances dx."""
    return np.trapezoid(floats(y), None if x is None else floats(x), dx=dx, axis=axis)


# --- Extremes ---


def _with_initial(extreme: Any, bound: Any, x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    x = operand(x)
    result = extreme(x, axis=axes_of(axis), keepdims=keepdims)
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
