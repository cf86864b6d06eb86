"""Derivatives of what moves numbers: reshaping, joining, cutting, choosing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multilayer._core.tape.elementwise import define, implements
from multilayer._core.tape.operands import Operand, users_line
from multilayer._core.tape.tensor import EVERY_POSITION, Node, Rule, getitem, plain, record, table


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
define(np.roll, lambda g, y, x, shift, axis=None: np.roll(g, np.negative(shift), axis))
define(np.tril, lambda g, y, x, k=0: np.tril(g, k))
define(np.triu, lambda g, y, x, k=0: np.triu(g, k))
define(np.broadcast_to, lambda g, y, x, shape: g)  # `fitted` sums what was repeated
_TRANSPOSE = Rule(
    np.transpose,
    lambda g, y, x, axes=None: np.transpose(
        g, None if axes is None else np.argsort([i % x.ndim for i in axes]).tolist()
    ),
)


@implements(np.transpose, np.permute_dims)
def _transpose(a: Any, axes: Any = None) -> Any:
    return record(_TRANSPOSE, (a, None if axes is None else tuple(int(i) for i in axes)), {})


table[np.matrix_transpose] = table[np.linalg.matrix_transpose] = lambda x: np.swapaxes(x, -1, -2)
table[np.atleast_1d] = lambda x: np.reshape(x, (1,)) if x.ndim == 0 else x
table[np.atleast_2d] = lambda x: np.reshape(x, (1, -1)) if x.ndim < 2 else x
table[np.fliplr] = lambda m: np.flip(m, 1)
table[np.flipud] = lambda m: np.flip(m, 0)
table[np.broadcast_arrays] = lambda *arrays, **_: tuple(
    np.broadcast_to(one, np.broadcast_shapes(*map(np.shape, arrays))) for one in arrays
)

# --- Joined ---


class _Join(Rule):
    """Arrays one after the other along an axis that is there: each gets its own part of the gradient."""

    __slots__ = ()
    differentiable = EVERY_POSITION

    def backward(self, node: Node, g: Any, positions: Sequence[int], recorded: bool) -> list[Any]:
        axis = node.kwargs["axis"] % np.ndim(node.value)
        ends = list(itertools.accumulate(part.shape[axis] for part in node.values))
        return [g[along(axis, slice(ends[i] - node.values[i].shape[axis], ends[i]))] for i in positions]


_CONCATENATE = _Join(lambda *arrays, axis: np.concatenate(arrays, axis=axis), name="concatenate")


@implements(np.concatenate)
def _concatenate(arrays: Any, axis: Any = 0, *, dtype: Any = None, casting: Any = None) -> Any:
    if axis is None:
        arrays, axis = [np.ravel(one) for one in arrays], 0
    arrays = tuple(one if hasattr(one, "shape") else np.asarray(one) for one in arrays)
    joined = record(_CONCATENATE, arrays, {"axis": axis})
    return joined if dtype is None else joined.astype(dtype)


@implements(np.stack)
def _stack(arrays: Any, axis: Any = 0, *, dtype: Any = None, casting: Any = None) -> Any:
    return np.concatenate([np.expand_dims(one, axis) for one in arrays], axis=axis, dtype=dtype)


@implements(np.dstack)
def _dstack(tup: Any) -> Any:
    return np.concatenate([np.reshape(one, (*np.shape(np.atleast_2d(plain(one))), 1)[:3]) for one in tup], axis=2)


@implements(np.column_stack)
def _column_stack(tup: Any) -> Any:
    return np.concatenate([np.reshape(one, (-1, 1)) if np.ndim(one) < 2 else one for one in tup], axis=1)


@implements(np.block)
def _block(arrays: Any) -> Any:
    if not isinstance(arrays, list):
        return arrays
    depth = 1
    inner = arrays
    while isinstance(inner[0], list):
        depth, inner = depth + 1, inner[0]
    return np.concatenate([_block(one) for one in arrays], axis=-depth)


table[np.vstack] = lambda tup, *, dtype=None, casting=None: np.concatenate(
    [np.atleast_2d(one) for one in tup], axis=0, dtype=dtype
)
table[np.hstack] = lambda tup, *, dtype=None, casting=None: np.concatenate(
    [np.atleast_1d(one) for one in tup], axis=0 if np.ndim(tup[0]) < 2 else 1, dtype=dtype
)
table[np.append] = lambda arr, values, axis=None: np.concatenate([arr, values], axis=axis)


@implements(np.tile)
def _tile(A: Any, reps: Any) -> Any:
    reps = (reps,) if isinstance(reps, (int, np.integer)) else tuple(reps)
    ndim = max(len(reps), A.ndim)
    reps, shape = (1,) * (ndim - len(reps)) + reps, (1,) * (ndim - A.ndim) + A.shape
    beside = np.expand_dims(np.reshape(A, shape), tuple(range(0, 2 * ndim, 2)))
    sides = list(zip(reps, shape, strict=True))
    return np.reshape(np.broadcast_to(beside, [n for pair in sides for n in pair]), [n * side for n, side in sides])


@implements(np.repeat)
def _repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    a, axis = (np.ravel(a), 0) if axis is None else (a, axis)
    return np.take(a, np.repeat(np.arange(a.shape[axis]), plain(repeats)), axis=axis)


def _pad_backward(g: Any, y: Any, x: Any, pad_width: Any, **_: Any) -> Any:
    sides = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
    return g[tuple(slice(int(a), int(a) + n) for (a, _b), n in zip(sides, x.shape, strict=True))]


_PAD = Rule(np.pad, _pad_backward)


# --- Chosen ---


def _scatter(g: Any, shape: Any, index: Any) -> Any:
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


_GETITEM: Rule = Rule(getitem, lambda g, y, x, index: scatter(g, x.shape, index), name="indexing")
_SCATTER = Rule(_scatter, lambda h, y, g, shape, index: h[index], name="scatter")


def scatter(g: Any, shape: Any, index: Any) -> Any:
    """Zeros of a shape with the numbers of a tensor added at an index."""
    return record(_SCATTER, (g, shape, index), {})


@implements(getitem)
def _getitem(x: Any, index: Any) -> Any:
    return record(_GETITEM, (x, plain(index)), {})


@implements(np.take)
def _take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
    a = a if hasattr(a, "shape") else np.asarray(a)
    indices = np.asarray(plain(indices))
    a, axis = (np.ravel(a), 0) if axis is None else (a, axis % a.ndim)
    if mode != "raise":
        side = a.shape[axis]
        indices = indices % side if mode == "wrap" else np.clip(indices, 0, side - 1)
    return a[along(axis, indices)]


@implements(np.take_along_axis)
def _take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    arr, axis = (np.ravel(arr), 0) if axis is None else (arr, axis)
    indices = np.asarray(plain(indices))
    if indices.ndim != arr.ndim:
        raise ValueError(f"`indices` of shape {indices.shape} and an array of shape {arr.shape} have different axes.")
    places = list(np.ogrid[tuple(slice(side) for side in arr.shape)])
    places[axis] = indices
    return arr[tuple(places)]


@implements(np.choose)
def _choose(a: Any, choices: Any, out: Any = None, mode: Any = "raise") -> Any:
    places = np.choose(plain(a), np.arange(len(choices)), mode=mode)
    return np.select([places == i for i in range(len(choices))], list(choices))


@implements(np.unique)
def _unique(ar: Any, return_index: Any = False, return_inverse: Any = False, return_counts: Any = False) -> Any:
    """The values, each once, as those that come first; and their places, which are constants."""
    _, *others = np.unique(plain(ar), return_index=True, return_inverse=True, return_counts=True)
    wanted = [one for one, asked in zip(others, (return_index, return_inverse, return_counts), strict=True) if asked]
    values = np.ravel(ar)[others[0]]
    return (values, *wanted) if wanted else values


@implements(np.bincount)
def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    places = np.asarray(plain(x))
    if weights is None:
        return np.bincount(places, None, minlength)
    return scatter(weights, (len(np.bincount(places, None, minlength)),), places)


def _moving(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that moves entries without looking at them: given their places instead, it says where each is from.

    What is used often has a rule of its own above, which is faster.
    """

    def moved(*args: Any, **kwargs: Any) -> Any:
        given: list[Any] = [one for one in (*args, *kwargs.values()) if isinstance(one, Operand)]
        if not given:
            return function(*args, **kwargs)
        x = given[0]
        places = np.arange(x.value.size).reshape(x.value.shape)
        replaced = {key: places if one is x else plain(one) for key, one in kwargs.items()}
        found = function(*(places if one is x else plain(one) for one in args), **replaced)
        entries = np.ravel(x)
        return type(found)(entries[one] for one in found) if isinstance(found, (list, tuple)) else entries[found]

    return moved


_MOVING: tuple[Any, ...] = (
    *(np.array_split, np.atleast_3d, np.compress, np.delete, np.diagonal, np.dsplit, np.extract, np.hsplit),
    *(np.linalg.diagonal, np.rollaxis, np.rot90, np.vsplit, *([np.unstack] if hasattr(np, "unstack") else [])),  # 2.1
)
for function in _MOVING:
    table[function] = _moving(function)


@implements(np.pad)
def _pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    if mode == "constant":
        return record(_PAD, (array, pad_width), kwargs)
    if mode not in ("edge", "reflect", "symmetric", "wrap") or kwargs.get("reflect_type", "even") != "even":
        raise TypeError(
            f"`np.pad` of a tensor takes the modes 'constant', 'edge', 'reflect', 'symmetric' and 'wrap', and no odd "
            f"reflection; got {mode!r}. Take `np.concatenate`.{users_line()}"
        )
    return _moving(np.pad)(array, pad_width, mode, **kwargs)


# --- Cut ---


@implements(np.split)
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    places = np.split(np.arange(ary.shape[axis]), indices_or_sections)
    cuts = [slice(int(one[0]), int(one[-1]) + 1) if len(one) else slice(0, 0) for one in places]
    return [ary[along(axis % ary.ndim, cut)] for cut in cuts]


@implements(np.insert)
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


# --- Diagonals ---


@implements(np.diag)
def _diag(v: Any, k: int = 0) -> Any:
    if v.ndim == 2:
        return np.diagonal(v, k)
    side = v.shape[0] + abs(k)
    rows = np.arange(v.shape[0])
    return scatter(v, (side, side), (rows - min(k, 0), rows + max(k, 0)))


@implements(np.trace)
def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


table[np.diagflat] = lambda v, k=0: _diag(np.ravel(v), k)
table[np.linalg.trace] = lambda x, /, *, offset=0, dtype=None: _trace(x, offset, -2, -1, dtype)
