"""Derivatives of sums, means, extremes, running sums and orders over axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from multilayer._core.tape.elementwise import implements, root
from multilayer._core.tape.operands import Operand, users_line
from multilayer._core.tape.shapes import along
from multilayer._core.tape.tensor import Rule, astype, call, plain, record, require_constant, table


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(one % x.ndim for one in (axis if isinstance(axis, (tuple, list)) else (axis,)))


def _kept(y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """What a reduction gave, or its gradient, with the axes over which was reduced as axes of length 1."""
    if keepdims:
        return y
    shape = list(x.shape)
    for i in range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,):
        shape[i] = 1
    return y.reshape(shape)


def _count(x: Any, axis: Any) -> int:
    """How many numbers one of the results is made of."""
    if axis is None:
        return x.size  # type: ignore[no-any-return]
    return math.prod(x.shape[i] for i in _axes(x, axis))


def _in_rows(x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """An array with the axes of a reduction as one, its last; and the order of axes that it was turned into before."""
    axes = _axes(x, axis)
    order = (*(i for i in range(x.ndim) if i not in axes), *axes)
    turned = np.transpose(x, order)
    kept = turned.shape[: x.ndim - len(axes)]
    return np.reshape(turned, (*kept, _count(x, axis))), order


def _of_type(x: Any, dtype: Any) -> Any:
    return x if dtype is None else call(astype, (x, np.dtype(dtype)), {})


def _refuse(name: str, out: Any, others: dict[str, Any]) -> None:
    """Raises where a reduction is asked for something that it has no derivative for, such as `where=`."""
    others = {key: value for key, value in others.items() if value is not np._NoValue and value is not True}
    if out is not None or others:
        raise TypeError(
            f"`{name}` of a tensor takes `axis`, `keepdims` and `dtype`; got {', '.join(others) or 'out'}. Instead of "
            f"`where`, take `np.where(condition, x, 0)`.{users_line()}"
        )


def _reduction(rule: Rule, *functions: Any) -> None:
    """Enters a rule of (x, axis, keepdims) for functions that take more, as NumPy's reductions do."""

    @implements(*functions)
    def reduce(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **others: Any
    ) -> Any:
        if others or out is not None:
            _refuse(rule.name, out, others)
        x = _of_type(np.stack(a) if isinstance(a, (list, tuple)) else a, dtype)
        axis = tuple(axis) if isinstance(axis, list) else axis
        return record(rule, (x, axis, keepdims is not np._NoValue and bool(keepdims)), {})


# --- Sums, means and products ---


def _spread(g: Any, y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The gradient of a sum: the same for all that was summed."""
    if isinstance(g, Operand):
        return np.broadcast_to(_kept(g, x, axis, keepdims), x.shape)
    spread = np.empty(x.shape, x.dtype)
    spread[...] = g if axis is None or keepdims else _kept(g, x, axis, keepdims)
    return spread


def _mean(x: Any, axis: Any, keepdims: Any) -> Any:
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:  # those NumPy adds up in another type
        return np.mean(x, axis=axis, keepdims=keepdims)
    return np.add.reduce(x, axis=axis, keepdims=keepdims) / _count(x, axis)


def _mean_backward(g: Any, y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    wide = g if x.dtype.itemsize > 2 else g.astype("float32")  # the count may be more than a float16 can be
    return _spread(wide / _count(x, axis), y, x, axis, keepdims)


def _prod_backward(g: Any, y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The product of all others: of those before times those behind, so that zeros are no trouble."""
    if not x.size:
        return np.zeros(x.shape, x.dtype)
    rows, order = _in_rows(x, axis)
    ones = np.ones((*rows.shape[:-1], 1), x.dtype)
    before = np.cumprod(np.concatenate([ones, rows[..., :-1]], axis=-1), axis=-1)
    behind = np.flip(np.cumprod(np.concatenate([ones, np.flip(rows[..., 1:], -1)], axis=-1), axis=-1), -1)
    others = np.reshape(before * behind, tuple(x.shape[i] for i in order))
    return _kept(g, x, axis, keepdims) * np.transpose(others, tuple(np.argsort(order).tolist()))


def _of(ufunc: Any) -> Callable[..., Any]:
    """What `np.sum` and its like come to."""
    reduce = ufunc.reduce
    return lambda x, axis, keepdims: reduce(x, axis=axis, keepdims=keepdims)


_reduction(Rule(_of(np.add), _spread, name="sum"), np.sum, np.add.reduce)
_reduction(Rule(_mean, _mean_backward, name="mean"), np.mean)
_reduction(Rule(_of(np.multiply), _prod_backward, name="prod"), np.prod, np.multiply.reduce)


@implements(np.var)
def _var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    correction: Any = np._NoValue,
    **others: Any,
) -> Any:
    _refuse("var", out, others)
    axis = tuple(axis) if isinstance(axis, list) else axis
    ddof = ddof if correction is np._NoValue else correction
    squares = np.square(a - np.mean(a, axis=axis, keepdims=True))
    return np.sum(squares, axis=axis, dtype=dtype, keepdims=keepdims) / max(_count(a, axis) - ddof, 0)


@implements(np.std)
def _std(a: Any, *args: Any, **kwargs: Any) -> Any:
    return root(_var(a, *args, **kwargs))


@implements(np.average)
def _average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: Any = False) -> Any:
    a = np.asarray(a) if isinstance(a, (list, tuple)) else a
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        total: Any = np.broadcast_to(np.asarray(_count(a, axis), a.dtype), mean.shape)
    else:
        if np.shape(weights) != np.shape(a):
            shape = [1] * a.ndim
            shape[axis] = -1
            weights = np.broadcast_to(np.reshape(weights, shape), np.shape(a))
        total = np.sum(weights, axis=axis, keepdims=keepdims)
        mean = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (mean, total) if returned else mean


# --- Extremes ---


def _extreme_backward(g: Any, y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """To the entries that are the extreme; where several are, each gets the same share."""
    is_it = (plain(x) == _kept(plain(y), x, axis, keepdims)).astype(x.dtype)
    share = is_it / np.sum(is_it, axis=axis, keepdims=True)
    return _kept(g, x, axis, keepdims) * share


_reduction(Rule(_of(np.maximum), _extreme_backward, name="max"), np.max, np.amax, np.maximum.reduce)
_reduction(Rule(_of(np.minimum), _extreme_backward, name="min"), np.min, np.amin, np.minimum.reduce)
table[np.ptp] = lambda a, axis=None, out=None, keepdims=False: (
    np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)
)


# --- Running sums and products ---


def _cumsum_backward(g: Any, y: Any, x: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(np.flip(np.cumsum(np.flip(g, 0), axis=0), 0), x.shape)
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


_CUMSUM = Rule(np.cumsum, _cumsum_backward)


@implements(np.cumsum)
def _cumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    return record(_CUMSUM, (_of_type(a, dtype),), {"axis": axis})


@implements(np.cumprod)
def _cumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """One product after the other: zeros among the factors are no trouble, as they are where it is divided by them."""
    x = _of_type(a, dtype)
    x, axis = (np.ravel(x), 0) if axis is None else (x, axis % x.ndim)
    parts: list[Any] = []
    for i in range(x.shape[axis]):
        one = x[along(axis, slice(i, i + 1))]
        parts.append(parts[-1] * one if parts else one)
    return np.concatenate(parts, axis=axis) if parts else x


table[np.add.accumulate] = lambda array, axis=0, dtype=None: _cumsum(array, axis, dtype)
table[np.multiply.accumulate] = lambda array, axis=0, dtype=None: _cumprod(array, axis, dtype)
if hasattr(np, "cumulative_sum"):  # NumPy 2.1
    table[np.cumulative_sum] = lambda x, /, *, axis=0, dtype=None: _cumsum(x, axis, dtype)
    table[np.cumulative_prod] = lambda x, /, *, axis=0, dtype=None: _cumprod(x, axis, dtype)


# --- Without what is not a number ---


def _without_nan(function: Any, instead: float) -> Any:
    def of_numbers(a: Any, *args: Any, **kwargs: Any) -> Any:
        return function(np.where(np.isnan(plain(a)), instead, a), *args, **kwargs)

    return of_numbers


for nan_function, function, instead in (
    (np.nansum, np.sum, 0.0),
    (np.nanprod, np.prod, 1.0),
    (np.nanmax, np.max, -np.inf),
    (np.nanmin, np.min, np.inf),
    (np.nancumsum, np.cumsum, 0.0),
    (np.nancumprod, np.cumprod, 1.0),
):
    table[nan_function] = _without_nan(function, instead)


def _mean_of_numbers(a: Any, axis: Any, dtype: Any, keepdims: Any, ddof: Any = 0) -> Any:
    count = np.sum(~np.isnan(plain(a)), axis=axis, keepdims=keepdims).astype(a.dtype)
    return np.nansum(a, axis=axis, dtype=dtype, keepdims=keepdims) / (count - ddof)


@implements(np.nanmean)
def _nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    return _mean_of_numbers(a, axis, dtype, keepdims)


@implements(np.nanvar)
def _nanvar(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False) -> Any:
    squares = np.square(a - np.nanmean(a, axis=axis, keepdims=True))
    return _mean_of_numbers(squares, axis, dtype, keepdims, ddof)


table[np.nanstd] = lambda *args, **kwargs: root(_nanvar(*args, **kwargs))


# --- Orders: what is sorted is taken from its places, which are constants ---


@implements(np.sort)
def _sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, **_: Any) -> Any:
    a, axis = (np.ravel(a), 0) if axis is None else (a, axis)
    return np.take_along_axis(a, np.argsort(plain(a), axis=axis, kind="stable"), axis=axis)


@implements(np.partition)
def _partition(a: Any, kth: Any, axis: Any = -1) -> Any:
    return np.take_along_axis(a, np.argpartition(plain(a), kth, axis), axis)


# Which of the sorted numbers a quantile lies between, for its place among them, which need not be a whole number.
_BETWEEN: dict[str, Any] = {
    "linear": lambda at: (np.floor(at), np.ceil(at), at - np.floor(at)),
    "lower": lambda at: (np.floor(at), np.floor(at), at * 0),
    "higher": lambda at: (np.ceil(at), np.ceil(at), at * 0),
    "midpoint": lambda at: (np.floor(at), np.ceil(at), at * 0 + 0.5),
    "nearest": lambda at: (np.round(at), np.round(at), at * 0),
}


@implements(np.quantile)
def _quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = False,
) -> Any:
    rows, _ = _in_rows(a, axis)
    # What is not a number is the last one in order, and makes every quantile one: so each is told of it.
    ordered = np.sort(rows, axis=-1)
    none = np.isnan(plain(ordered[..., -1:]))
    ordered = np.where(none, np.nan, ordered) if none.any() else ordered
    q = np.asarray(require_constant("a quantile's `q`", q), float)
    low, high, share = _BETWEEN[method](q * (rows.shape[-1] - 1))
    share = np.reshape(share.astype(np.result_type(a.dtype, np.float16)), q.shape + (1,) * (rows.ndim - 1))
    below, above = (np.take(ordered, places.astype(int), axis=-1) for places in (low, high))
    of_q = tuple(range(q.ndim))  # whose axes come first
    below, above = (np.moveaxis(one, [i - q.ndim for i in of_q], of_q) for one in (below, above))
    result = below + (above - below) * share
    if not keepdims:
        return result
    axes = _axes(a, axis)
    return np.reshape(result, (*q.shape, *(1 if i in axes else side for i, side in enumerate(a.shape))))


@implements(np.percentile)
def _percentile(a: Any, q: Any, *args: Any, **kwargs: Any) -> Any:
    return _quantile(a, np.asarray(require_constant("a percentile's `q`", q)) / 100.0, *args, **kwargs)


@implements(np.median)
def _median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    return _quantile(a, 0.5, axis, keepdims=keepdims)
