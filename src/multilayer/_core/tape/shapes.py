"""Derivatives of what moves numbers: reshaping, joining, cutting, choosing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer._core.tape.elementwise import define
from multilayer._core.tape.tensor import Node, Rule, getitem, plain, record, table, users_line


def along(axis: int, index: Any) -> tuple[Any, ...]:
    """What is chosen along one axis alone, for an index of the array."""
    return (slice(None),) * axis + (index,)


# --- Other shapes, the same numbers ---


def _reshape_backward(g: Any, y: Any, x: Any, shape: Any = None, order: Any = "C", copy: Any = None) -> Any:
    if order in ("A", "K"):  # that of the memory, which for the gradient may be another one
        flags = plain(x).flags
        if order == "K" and not flags.forc:
            raise TypeError(f"`order='K'` of a tensor that lies in neither order has no derivative.{users_line()}")
        order = "F" if flags.fnc else "C"
    return np.reshape(g, x.shape, order=order)


define(np.reshape, _reshape_backward)
define(np.ravel, lambda g, y, x, order="C": _reshape_backward(g, y, x, order=order))
define(np.squeeze, lambda g, y, x, axis=None: np.reshape(g, x.shape))
define(np.expand_dims, lambda g, y, x, axis: np.reshape(g, x.shape))
define(np.swapaxes, lambda g, y, x, axis1, axis2: np.swapaxes(g, axis1, axis2))
define(np.moveaxis, lambda g, y, x, source, destination: np.moveaxis(g, destination, source))
define(np.flip, lambda g, y, x, axis=None: np.flip(g, axis))
define(np.roll, lambda g, y, x, shift, axis=None: np.roll(g, _turned(shift), axis))
define(np.tril, lambda g, y, x, k=0: np.tril(g, k))
define(np.triu, lambda g, y, x, k=0: np.triu(g, k))
define(np.broadcast_to, lambda g, y, x, shape: g)  # `fitted` sums what was repeated


def _turned(shift: Any) -> Any:
    return tuple(-one for one in shift) if isinstance(shift, (tuple, list)) else -shift


_TRANSPOSE = Rule(
    np.transpose,
    lambda g, y, x, axes=None: np.transpose(
        g, None if axes is None else np.argsort([i % x.ndim for i in axes]).tolist()
    ),
)


def _transpose(a: Any, axes: Any = None) -> Any:
    return record(_TRANSPOSE, (a, None if axes is None else tuple(int(i) for i in axes)), {})


table[np.transpose] = table[np.permute_dims] = _transpose
table[np.matrix_transpose] = lambda x: np.swapaxes(x, -1, -2)
table[np.fliplr] = lambda m: np.flip(m, 1)
table[np.flipud] = lambda m: np.flip(m, 0)


def _rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    for _ in range(k % 4):
        m = np.flip(np.swapaxes(m, *axes), axes[0])
    return m


table[np.rot90] = _rot90
table[np.atleast_1d] = lambda x: np.reshape(x, (1,)) if x.ndim == 0 else x
table[np.atleast_2d] = lambda x: np.reshape(x, (1, -1)) if x.ndim < 2 else x
table[np.atleast_3d] = lambda x: np.reshape(x, np.atleast_3d(x.value).shape)


def _rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    axis, start = axis % a.ndim, start + a.ndim if start < 0 else start
    return np.moveaxis(a, axis, start - (start > axis))


table[np.rollaxis] = _rollaxis
table[np.broadcast_arrays] = lambda *arrays, **_: tuple(
    np.broadcast_to(one, np.broadcast_shapes(*map(np.shape, arrays))) for one in arrays
)

# --- Joined ---


class _Join(Rule):
    """Arrays one after the other along an axis that is there: each gets its own part of the gradient."""

    __slots__ = ()

    def differentiable(self, position: int) -> bool:
        return True

    def backward(self, node: Node, g: Any, positions: Sequence[int], recorded: bool) -> list[Any]:
        axis = node.kwargs["axis"] % np.ndim(node.value)
        ends = list(itertools.accumulate(part.shape[axis] for part in node.values))
        return [g[along(axis, slice(ends[i] - node.values[i].shape[axis], ends[i]))] for i in positions]


_CONCATENATE = _Join(lambda *arrays, axis: np.concatenate(arrays, axis=axis), name="concatenate")


def _concatenate(arrays: Any, axis: Any = 0, *, dtype: Any = None, casting: Any = None) -> Any:
    if axis is None:
        arrays, axis = [np.ravel(one) for one in arrays], 0
    arrays = tuple(one if hasattr(one, "shape") else np.asarray(one) for one in arrays)
    joined = record(_CONCATENATE, arrays, {"axis": axis})
    return joined if dtype is None else joined.astype(dtype)


def _stack(arrays: Any, axis: Any = 0, *, dtype: Any = None, casting: Any = None) -> Any:
    return np.concatenate([np.expand_dims(one, axis) for one in arrays], axis=axis, dtype=dtype)


def _dstack(tup: Any) -> Any:
    return np.concatenate([np.reshape(one, (*np.shape(np.atleast_2d(plain(one))), 1)[:3]) for one in tup], axis=2)


def _column_stack(tup: Any) -> Any:
    return np.concatenate([np.reshape(one, (-1, 1)) if np.ndim(one) < 2 else one for one in tup], axis=1)


table[np.concatenate] = _concatenate
table[np.stack] = _stack
table[np.vstack] = lambda tup, *, dtype=None, casting=None: np.concatenate(
    [np.atleast_2d(one) for one in tup], axis=0, dtype=dtype
)
table[np.hstack] = lambda tup, *, dtype=None, casting=None: np.concatenate(
    [np.atleast_1d(one) for one in tup], axis=0 if np.ndim(tup[0]) < 2 else 1, dtype=dtype
)
table[np.dstack] = _dstack
table[np.column_stack] = _column_stack
table[np.append] = lambda arr, values, axis=None: np.concatenate([arr, values], axis=axis)


def _block(arrays: Any) -> Any:
    if not isinstance(arrays, list):
        return arrays
    depth = 1
    inner = arrays
    while isinstance(inner[0], list):
        depth, inner = depth + 1, inner[0]
    return np.concatenate([_block(one) for one in arrays], axis=-depth)


table[np.block] = _block


def _tile(A: Any, reps: Any) -> Any:
    reps = (reps,) if isinstance(reps, (int, np.integer)) else tuple(reps)
    ndim = max(len(reps), A.ndim)
    reps, shape = (1,) * (ndim - len(reps)) + reps, (1,) * (ndim - A.ndim) + A.shape
    beside = np.reshape(A, [n for side in shape for n in (1, side)])
    wide = np.broadcast_to(beside, [n for pair in zip(reps, shape, strict=True) for n in pair])
    return np.reshape(wide, [n * side for n, side in zip(reps, shape, strict=True)])


def _repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    a, axis = (np.ravel(a), 0) if axis is None else (a, axis)
    return np.take(a, np.repeat(np.arange(a.shape[axis]), plain(repeats)), axis=axis)


table[np.tile] = _tile
table[np.repeat] = _repeat


def _pad_backward(g: Any, y: Any, x: Any, pad_width: Any, mode: Any = "constant", **_: Any) -> Any:
    sides = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
    return g[tuple(slice(int(a), int(a) + n) for (a, _b), n in zip(sides, x.shape, strict=True))]


_PAD = Rule(np.pad, _pad_backward)


def _pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    if mode == "constant":
        return record(_PAD, (array, pad_width), {"mode": mode, **kwargs})
    if mode not in ("edge", "reflect", "symmetric", "wrap") or kwargs.get("reflect_type", "even") != "even":
        raise TypeError(
            f"`np.pad` of a tensor takes the modes 'constant', 'edge', 'reflect', 'symmetric' and 'wrap', and no odd "
            f"reflection; got {mode!r}. Take `np.concatenate`.{users_line()}"
        )
    # These take entries of the array: those whose numbers the same padding of numbers gives.
    sides = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2))
    for axis, (before, behind) in enumerate(sides.tolist()):
        places = np.pad(np.arange(array.shape[axis]), (before, behind), mode=mode, **kwargs)
        array = np.take(array, places, axis=axis)
    return array


table[np.pad] = _pad

# --- Cut, and chosen ---


def scatter(g: Any, shape: Any, index: Any) -> Any:
    """Zeros of this shape with g added at an index: what choosing entries is the other way round."""
    out = np.zeros(shape, g.dtype)
    if _is_basic(index):
        out[index] = g
    else:
        np.add.at(out, index, g)  # an entry may have been chosen several times
    return out


def _is_basic(index: Any) -> bool:
    return all(
        one is None or one is Ellipsis or isinstance(one, (int, np.integer, slice))
        for one in (index if isinstance(index, tuple) else (index,))
    )


_GETITEM: Rule = Rule(getitem, lambda g, y, x, index: record(_SCATTER, (g, x.shape, index), {}), name="indexing")
_SCATTER: Rule = Rule(scatter, lambda h, y, g, shape, index: h[index])


def _getitem(x: Any, index: Any) -> Any:
    return record(_GETITEM, (x, plain(index)), {})


table[getitem] = _getitem


def _take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
    a = a if hasattr(a, "shape") else np.asarray(a)
    indices = np.asarray(plain(indices))
    a, axis = (np.ravel(a), 0) if axis is None else (a, axis % a.ndim)
    if mode != "raise":
        side = a.shape[axis]
        indices = indices % side if mode == "wrap" else np.clip(indices, 0, side - 1)
    return a[along(axis, indices)]


table[np.take] = _take


def _put_along(g: Any, shape: Any, indices: Any, axis: int) -> Any:
    """Zeros of this shape with g added at indices along an axis."""
    out = np.zeros(shape, g.dtype)
    places = list(np.ogrid[tuple(slice(side) for side in indices.shape)])
    places[axis] = indices
    np.add.at(out, tuple(places), g)
    return out


_TAKE_ALONG: Rule = Rule(
    np.take_along_axis,
    lambda g, y, x, indices, axis: record(_PUT_ALONG, (g, x.shape, indices, axis % x.ndim), {}),
)
_PUT_ALONG: Rule = Rule(_put_along, lambda h, y, g, shape, indices, axis: np.take_along_axis(h, indices, axis=axis))


def _take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    arr, axis = (np.ravel(arr), 0) if axis is None else (arr, axis)
    indices = np.asarray(plain(indices))
    sides = [
        n if i == axis % arr.ndim else max(n, m) for i, (n, m) in enumerate(zip(indices.shape, arr.shape, strict=True))
    ]
    return record(
        _TAKE_ALONG, (np.broadcast_to(arr, _beside(sides, arr, axis)), np.broadcast_to(indices, sides), axis), {}
    )


def _beside(sides: list[int], arr: Any, axis: int) -> tuple[int, ...]:
    return tuple(arr.shape[i] if i == axis % arr.ndim else side for i, side in enumerate(sides))


table[np.take_along_axis] = _take_along_axis


def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """The parts of an array: the places are NumPy's own."""
    parts = np.split(np.arange(ary.shape[axis]), indices_or_sections)
    return _parts(ary, parts, axis)


def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    return _parts(ary, np.array_split(np.arange(ary.shape[axis]), indices_or_sections), axis)


def _parts(ary: Any, places: list[Any], axis: int) -> list[Any]:
    cuts = [slice(int(one[0]), int(one[-1]) + 1) if len(one) else slice(0, 0) for one in places]
    return [ary[along(axis % ary.ndim, cut)] for cut in cuts]


table[np.split] = _split
table[np.array_split] = _array_split
table[np.hsplit] = lambda ary, n: _split(ary, n, 0 if ary.ndim < 2 else 1)
table[np.vsplit] = lambda ary, n: _split(ary, n, 0)
table[np.dsplit] = lambda ary, n: _split(ary, n, 2)
table[np.unstack] = lambda x, /, *, axis=0: tuple(np.moveaxis(x, axis, 0)[i] for i in range(x.shape[axis]))
table[np.compress] = lambda condition, a, axis=None, out=None: np.take(a, np.flatnonzero(plain(condition)), axis=axis)
table[np.delete] = lambda arr, obj, axis=None: np.take(
    arr, np.delete(np.arange(arr.size if axis is None else arr.shape[axis]), obj), axis=axis
)
table[np.extract] = lambda condition, arr: np.ravel(arr)[np.flatnonzero(plain(condition))]


def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue) -> Any:
    ends = [one if np.ndim(one) or one is np._NoValue else np.expand_dims(one, 0) for one in (prepend, append)]
    axis = axis % np.ndim(a)
    sides = (*np.shape(a)[:axis], 1, *np.shape(a)[axis + 1 :])
    before, behind = (
        [] if one is np._NoValue else [np.broadcast_to(one, sides) if np.size(one) == 1 else one] for one in ends
    )
    a = np.concatenate([*before, a, *behind], axis=axis) if before or behind else a
    for _i in range(n):
        a = a[along(axis, slice(1, None))] - a[along(axis, slice(None, -1))]
    return a


def _insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    arr, axis = (np.ravel(arr), 0) if axis is None else (arr, axis)
    if not isinstance(obj, (int, np.integer)):
        raise TypeError("`np.insert` of a tensor takes one place; for several, take `np.concatenate`.")
    before, behind = _split(arr, [obj], axis)
    values = np.reshape(values, (1,) * (arr.ndim - np.ndim(values)) + np.shape(values))
    values = np.moveaxis(values, 0, axis)  # as `np.insert` does
    axis = axis % arr.ndim
    between = np.broadcast_to(values, (*arr.shape[:axis], values.shape[axis], *arr.shape[axis + 1 :]))
    return np.concatenate([before, between, behind], axis=axis)


def _choose(a: Any, choices: Any, out: Any = None, mode: Any = "raise") -> Any:
    places = np.choose(plain(a), np.arange(len(choices)), mode=mode)
    return np.select([places == i for i in range(len(choices))], list(choices))


def _unique(ar: Any, return_index: Any = False, return_inverse: Any = False, return_counts: Any = False) -> Any:
    """The values, each once, as those that come first; and their places, which are constants."""
    _, *others = np.unique(plain(ar), return_index=True, return_inverse=True, return_counts=True)
    wanted = [one for one, asked in zip(others, (return_index, return_inverse, return_counts), strict=True) if asked]
    values = np.ravel(ar)[others[0]]
    return (values, *wanted) if wanted else values


def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    places = plain(x)
    if weights is None:
        return np.bincount(places, None, minlength)
    return record(_SCATTER, (weights, (len(np.bincount(places, None, minlength)),), np.asarray(places)), {})


table[np.insert] = _insert
table[np.choose] = _choose
table[np.unique] = _unique
table[np.bincount] = _bincount
table[np.diff] = _diff
table[np.ediff1d] = lambda ary, to_end=None, to_begin=None: np.concatenate(
    [*([] if to_begin is None else [np.ravel(to_begin)]), _diff(np.ravel(ary))]
    + ([] if to_end is None else [np.ravel(to_end)])
)


def _diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows = np.arange(max(0, min(a.shape[-2] + min(offset, 0), a.shape[-1] - max(offset, 0))))
    return a[..., rows - min(offset, 0), rows + max(offset, 0)]


def _diag(v: Any, k: int = 0) -> Any:
    if v.ndim == 2:
        return _diagonal(v, k)
    side = v.shape[0] + abs(k)
    rows = np.arange(v.shape[0])
    return record(_SCATTER, (v, (side, side), (rows - min(k, 0), rows + max(k, 0))), {})


table[np.diagonal] = _diagonal
table[np.linalg.diagonal] = lambda x, /, *, offset=0: _diagonal(x, offset, -2, -1)
table[np.trace] = lambda a, offset=0, axis1=0, axis2=1, dtype=None, out=None: np.sum(
    _diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype
)
table[np.linalg.trace] = lambda x, /, *, offset=0, dtype=None: np.trace(x, offset, -2, -1, dtype)
table[np.diagflat] = lambda v, k=0: _diag(np.ravel(v), k)
table[np.diag] = _diag


def _meshgrid(*xi: Any, indexing: str = "xy", sparse: bool = False, copy: bool = True) -> Any:
    xi = tuple(np.ravel(x) for x in xi)
    order = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        order[:2] = [1, 0]
    sides = [xi[i].shape[0] for i in order]
    beside = tuple(np.reshape(x, [-1 if j == i else 1 for j in order]) for i, x in enumerate(xi))
    return beside if sparse else tuple(np.broadcast_to(x, sides) for x in beside)


table[np.meshgrid] = _meshgrid


def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    if not (left is right is period is None):
        raise TypeError("`np.interp` of a tensor takes no `left`, `right` or `period`.")
    xp, fp = (one if hasattr(one, "shape") else np.asarray(one) for one in (xp, fp))
    places = np.clip(np.searchsorted(plain(xp), plain(x), side="right") - 1, 0, len(xp) - 2)
    share = np.clip((x - xp[places]) / (xp[places + 1] - xp[places]), 0.0, 1.0)
    return fp[places] + (fp[places + 1] - fp[places]) * share


table[np.interp] = _interp


def _trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    y = np.moveaxis(y, axis, -1)
    width = dx if x is None else np.diff(x if np.ndim(x) == 1 else np.moveaxis(x, axis, -1))
    return np.sum((y[..., 1:] + y[..., :-1]) * width, axis=-1) * 0.5


table[np.trapezoid] = _trapezoid


def _gradient(f: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Central differences, and one-sided ones at the ends."""
    axes = range(f.ndim) if axis is None else [axis] if isinstance(axis, int) else list(axis)
    steps = spacing * len(axes) if len(spacing) == 1 else spacing or (1.0,) * len(axes)
    if edge_order != 1 or len(steps) != len(axes) or any(np.ndim(one) for one in steps):
        raise TypeError("`np.gradient` of a tensor takes one number as the spacing of each axis, and `edge_order=1`.")
    slopes = []
    for i, step in zip(axes, steps, strict=True):
        x = np.moveaxis(f, i, 0)
        slope = np.concatenate([x[1:2] - x[:1], (x[2:] - x[:-2]) / 2, x[-1:] - x[-2:-1]])
        slopes.append(np.moveaxis(slope / step, 0, i))
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _convolve(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = (v, a) if np.size(v) > np.size(a) else (a, v)
    n, m = np.size(a), np.size(v)
    windows = np.pad(a, m - 1)[np.arange(n + m - 1)[:, None] + np.arange(m)]
    full = np.matmul(windows, np.flip(v))
    first = (m - 1) // 2
    return {"full": full, "same": full[first : first + n], "valid": full[m - 1 : n]}[mode]


def _polyval(p: Any, x: Any) -> Any:
    x = np.asarray(x) if isinstance(x, (list, tuple)) else x
    y = p[0] + 0 * x
    for i in range(1, len(p)):
        y = y * x + p[i]
    return y


table[np.gradient] = _gradient
table[np.convolve] = _convolve
table[np.correlate] = lambda a, v, mode="valid": _convolve(a, np.flip(v), mode)
table[np.polyval] = _polyval
table[np.vander] = lambda x, N=None, increasing=False: (
    np.expand_dims(x, -1) ** np.arange(len(x) if N is None else N)[:: 1 if increasing else -1]
)
