"""Derivatives of sums, means, extremes and running sums over axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from multilayer._core.tape.elementwise import root
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


def _spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The gradient of a sum: the same for all that was summed."""
    if isinstance(g, Operand):
        return np.broadcast_to(_kept(g, x, axis, keepdims), x.shape)
    spread = np.empty(x.shape, x.dtype)
    spread[...] = g if axis is None or keepdims else _kept(g, x, axis, keepdims)
    return spread


def _sum(x: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return np.add.reduce(x, axis=axis, keepdims=keepdims)  # what `np.sum` comes to


def _mean(x: Any, axis: Any = None, keepdims: Any = False) -> Any:
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:  # those NumPy adds up in another type
        return np.mean(x, axis=axis, keepdims=keepdims)
    return np.add.reduce(x, axis=axis, keepdims=keepdims) / _count(x, axis)


_SUM = Rule(_sum, lambda g, y, x, axis=None, keepdims=False: _spread(g, x, axis, keepdims), name="sum")
_MEAN = Rule(
    _mean,
    lambda g, y, x, axis=None, keepdims=False: _spread(g / _count(x, axis), x, axis, keepdims),
    name="mean",
)


def _extreme_backward(g: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """To the entries that are the extreme; where several are, each gets the same share."""
    is_it = (plain(x) == _kept(plain(y), x, axis, keepdims)).astype(x.dtype)
    share = is_it / np.sum(is_it, axis=axis, keepdims=True)
    return _kept(g, x, axis, keepdims) * share


_MAX = Rule(np.max, _extreme_backward)
_MIN = Rule(np.min, _extreme_backward)


def _flag(keepdims: Any) -> bool:
    return keepdims is not np._NoValue and bool(keepdims)


def _reduction(rule: Rule) -> Any:
    def reduce(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **others: Any
    ) -> Any:
        _refuse(rule.name, out, others)
        x = np.stack(a) if isinstance(a, (list, tuple)) else a
        if dtype is not None:
            x = call(astype, (x, np.dtype(dtype)), {})
        if isinstance(axis, list):
            axis = tuple(axis)
        return record(rule, (x,), {"axis": axis, "keepdims": _flag(keepdims)})

    return reduce


def _refuse(name: str, out: Any, others: dict[str, Any]) -> None:
    """Raises where a reduction is asked for something that it has no derivative for, such as `where=`."""
    if out is None and not others:
        return
    others = {key: value for key, value in others.items() if value is not np._NoValue and value is not True}
    if out is not None or others:
        raise TypeError(
            f"`{name}` of a tensor takes `axis`, `keepdims` and `dtype`; got {', '.join(others) or 'out'}. Instead of "
            f"`where`, take `np.where(condition, x, 0)`.{users_line()}"
        )


table[np.sum] = table[np.add.reduce] = _reduction(_SUM)
table[np.mean] = _reduction(_MEAN)
table[np.max] = table[np.amax] = table[np.maximum.reduce] = _reduction(_MAX)
table[np.min] = table[np.amin] = table[np.minimum.reduce] = _reduction(_MIN)


def _prod_backward(g: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product of all others: of those before times those behind, so that zeros are no trouble."""
    if not x.size:
        return np.zeros(x.shape, x.dtype)
    axes = _axes(x, axis)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    order = (*rest, *axes)
    rows = np.reshape(np.transpose(x, order), (*(x.shape[i] for i in rest), -1))  # the axes of the product, in one
    ones = np.ones((*rows.shape[:-1], 1), x.dtype)
    before = np.cumprod(np.concatenate([ones, rows[..., :-1]], axis=-1), axis=-1)
    behind = np.flip(np.cumprod(np.concatenate([ones, np.flip(rows[..., 1:], -1)], axis=-1), axis=-1), -1)
    others = np.reshape(before * behind, tuple(x.shape[i] for i in order))
    return _kept(g, x, axis, keepdims) * np.transpose(others, tuple(np.argsort(order).tolist()))


table[np.prod] = table[np.multiply.reduce] = _reduction(Rule(np.prod, _prod_backward))


def _centred(x: Any, axis: Any) -> Any:
    return x - np.mean(x, axis=axis, keepdims=True)


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
    squares = np.sum(np.square(_centred(a, axis)), axis=axis, dtype=dtype, keepdims=_flag(keepdims))
    return squares / max(_count(a, axis) - ddof, 0)


table[np.var] = _var


def _std(a: Any, *args: Any, **kwargs: Any) -> Any:
    return root(_var(a, *args, **kwargs))


table[np.std] = _std


def _cumsum_backward(g: Any, y: Any, x: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(np.flip(np.cumsum(np.flip(g, 0), axis=0), 0), x.shape)
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


_CUMSUM = Rule(np.cumsum, _cumsum_backward)


def _cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    x = a if dtype is None else call(astype, (a, np.dtype(dtype)), {})
    return record(_CUMSUM, (x,), {"axis": axis})


table[np.cumsum] = _cumsum
table[np.add.accumulate] = lambda array, axis=0, dtype=None: _cumsum(array, axis, dtype)
table[np.multiply.accumulate] = lambda array, axis=0, dtype=None: _cumprod(array, axis, dtype)
if hasattr(np, "cumulative_sum"):  # NumPy 2.1
    table[np.cumulative_sum] = lambda x, /, *, axis=0, dtype=None: _cumsum(x, axis, dtype)
    table[np.cumulative_prod] = lambda x, /, *, axis=0, dtype=None: _cumprod(x, axis, dtype)


def _cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """One product after the other: zeros among the factors are no trouble, as they are where it is divided by them."""
    x = a if dtype is None else call(astype, (a, np.dtype(dtype)), {})
    x, axis = (np.ravel(x), 0) if axis is None else (x, axis % x.ndim)
    length = x.shape[axis]
    parts: list[Any] = []
    for i in range(length):
        one = x[along(axis, slice(i, i + 1))]
        parts.append(parts[-1] * one if parts else one)
    return np.concatenate(parts, axis=axis) if parts else x


table[np.cumprod] = _cumprod


def _average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: Any = False) -> Any:
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=_flag(keepdims))
        total: Any = np.broadcast_to(np.asarray(_count(a, axis), a.dtype), mean.shape)
    else:
        if np.shape(weights) != np.shape(a):
            shape = [1] * a.ndim
            shape[axis] = -1
            weights = np.broadcast_to(np.reshape(weights, shape), np.shape(a))
        total = np.sum(weights, axis=axis, keepdims=_flag(keepdims))
        mean = np.sum(a * weights, axis=axis, keepdims=_flag(keepdims)) / total
    return (mean, total) if returned else mean


table[np.average] = _average


def _without_nan(function: Any, instead: float) -> Any:
    def of_numbers(a: Any, *args: Any, **kwargs: Any) -> Any:
        return function(np.where(np.isnan(plain(a)), instead, a), *args, **kwargs)

    return of_numbers


def _nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    count = np.sum(~np.isnan(plain(a)), axis=axis, keepdims=_flag(keepdims)).astype(a.dtype)
    return np.nansum(a, axis=axis, dtype=dtype, keepdims=_flag(keepdims)) / count


def _nanvar(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False) -> Any:
    squares = np.square(a - np.nanmean(a, axis=axis, keepdims=True))
    count = np.sum(~np.isnan(plain(a)), axis=axis, keepdims=_flag(keepdims)).astype(a.dtype)
    return np.nansum(squares, axis=axis, dtype=dtype, keepdims=_flag(keepdims)) / (count - ddof)


for nan_function, function, instead in (
    (np.nansum, np.sum, 0.0),
    (np.nanprod, np.prod, 1.0),
    (np.nanmax, np.max, -np.inf),
    (np.nanmin, np.min, np.inf),
    (np.nancumsum, np.cumsum, 0.0),
    (np.nancumprod, np.cumprod, 1.0),
):
    table[nan_function] = _without_nan(function, instead)
table[np.nanmean] = _nanmean
table[np.nanvar] = _nanvar
table[np.nanstd] = lambda *args, **kwargs: root(_nanvar(*args, **kwargs))
table[np.ptp] = lambda a, axis=None, out=None, keepdims=False: (
    np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)
)


def _cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None) -> Any:
    x = np.atleast_2d(m if rowvar or np.ndim(m) < 2 else np.transpose(m))
    if y is not None:
        x = np.concatenate([x, np.atleast_2d(y if rowvar or np.ndim(y) < 2 else np.transpose(y))])
    centred = _centred(x, 1)
    return np.squeeze(np.matmul(centred, centred.T) / (x.shape[1] - ((0 if bias else 1) if ddof is None else ddof)))


def _corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    cov = np.cov(x, y, rowvar)
    if np.ndim(cov) == 0:
        return cov / cov
    deviations = np.sqrt(np.diagonal(cov))
    return cov / deviations / np.expand_dims(deviations, 1)


table[np.cov] = _cov
table[np.corrcoef] = _corrcoef


def _sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, **_: Any) -> Any:
    a, axis = (np.ravel(a), 0) if axis is None else (a, axis)
    return np.take_along_axis(a, np.argsort(plain(a), axis=axis, kind="stable"), axis=axis)


table[np.sort] = _sort
table[np.partition] = lambda a, kth, axis=-1: np.take_along_axis(a, np.argpartition(plain(a), kth, axis), axis)


def _quantile(a: Any, q: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    """The linear interpolation between the two sorted values beside it."""
    x, along = (np.ravel(a), 0) if axis is None else (a, axis % a.ndim)
    ordered = np.sort(x, axis=along)
    q = np.asarray(require_constant("a quantile's `q`", q), x.dtype)
    at = q * (x.shape[along] - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, x.shape[along] - 1)
    share = np.reshape(at - low, q.shape + (1,) * (x.ndim - 1)) if x.ndim > 1 else at - low
    below, above = (np.moveaxis(np.take(ordered, i, axis=along), _place(along, q), _front(q)) for i in (low, high))
    result = below + (above - below) * share.astype(x.dtype)
    if _flag(keepdims):
        shape = (1,) * a.ndim if axis is None else tuple(1 if i == along else side for i, side in enumerate(a.shape))
        result = np.reshape(result, (*q.shape, *shape))
    return result


def _place(along: int, q: Any) -> Any:
    return tuple(range(along, along + q.ndim))


def _front(q: Any) -> Any:
    return tuple(range(q.ndim))


table[np.quantile] = _quantile
table[np.percentile] = lambda a, q, *args, **kwargs: _quantile(
    a, np.asarray(require_constant("a percentile's `q`", q)) / 100.0, *args, **kwargs
)
table[np.median] = lambda a, axis=None, out=None, overwrite_input=False, keepdims=False: _quantile(
    a, 0.5, axis, keepdims=keepdims
)
