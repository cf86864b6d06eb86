"""Operations that move numbers: other shapes, joining, cutting, choosing, putting into place."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer._core.tape import plain
from multilayer.ops.operands import as_type, axes_of, dtype_of, floats, operand, operation, result_type, together

__all__ = [
    "append",
    "array_split",
    "broadcast_to",
    "concatenate",
    "correlate",
    "diag",
    "diagflat",
    "diagonal",
    "diff",
    "dsplit",
    "dstack",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "get_item",
    "hsplit",
    "hstack",
    "isin",
    "moveaxis",
    "nonzero",
    "pad",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "take",
    "take_along_axis",
    "tile",
    "trace",
    "transpose",
    "tril",
    "triu",
    "unravel_index",
    "view",
    "vsplit",
    "vstack",
]

_INT = np.int32

# --- Other shapes ---


@operation
def reshape(x: Any, newshape: Any) -> Any:
    """The same numbers in another shape, in which one side may be -1: what is left.

    Example:
        >>> reshape([1, 2, 3, 4], (2, -1)).tolist()
        [[1, 2], [3, 4]]
    """
    x, newshape = operand(x), plain(newshape)
    return np.reshape(x, newshape if isinstance(newshape, int) else _known(newshape, x))


def _known(shape: Any, x: Any) -> tuple[int, ...]:
    """A shape in which None, what `shape` gives for a side that is not known yet, stands for the side of x there."""
    return tuple(x.shape[i] if n is None else int(n) for i, n in enumerate(shape))


@operation
def ravel(x: Any) -> Any:
    """The numbers in a row."""
    return np.ravel(operand(x))


@operation
def transpose(x: Any, axes: Any = None) -> Any:
    """The axes in another order, by default the reverse one."""
    return np.transpose(operand(x), axes)


@operation
def squeeze(x: Any, axis: Any = None) -> Any:
    """Without axes of length 1: without all of them, or those named."""
    return np.squeeze(operand(x), axis=axes_of(axis))


@operation
def expand_dims(x: Any, axis: Any) -> Any:
    """With an axis of length 1 more, in this place; or with several."""
    return np.expand_dims(operand(x), axes_of(axis))


@operation
def broadcast_to(x: Any, shape: Any) -> Any:
    """Repeated along axes of length 1, and new ones in front, until it has this shape."""
    x = operand(x)
    return np.broadcast_to(x, _known(shape, x))


@operation
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    return np.swapaxes(operand(x), axis1, axis2)


@operation
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other places, the others in their order."""
    return np.moveaxis(operand(x), source, destination)


@operation
def flip(x: Any, axis: Any = None) -> Any:
    """The numbers along axes in the reverse order."""
    return np.flip(operand(x), axis)


@operation
def fliplr(x: Any) -> Any:
    """The columns in the reverse order."""
    return np.flip(operand(x), 1)


@operation
def flipud(x: Any) -> Any:
    """The rows in the reverse order."""
    return np.flip(operand(x), 0)


@operation
def rot90(array: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """Turned k times by 90 degrees in the plane of two axes."""
    return np.rot90(operand(array), k, axes)


@operation
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Moved on along axes; what leaves at the end comes back at the beginning."""
    return np.roll(operand(x), shift, axis)


@operation
def tile(x: Any, repeats: Any) -> Any:
    """The whole array so many times side by side along each axis."""
    return np.tile(operand(x), repeats)


@operation
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each number so many times, along an axis or all in a row."""
    return np.repeat(operand(x), plain(repeats), axis)


@operation
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """More numbers before and behind along each axis: zeros, or what `mode` takes from the array."""
    if constant_values is not None and mode != "constant":
        raise ValueError(
            f"Argument `constant_values` can only be provided when `mode == 'constant'`. Received: mode={mode}"
        )
    options = {} if constant_values is None else {"constant_values": plain(constant_values)}
    return np.pad(operand(x), pad_width, mode=mode, **options)  # type: ignore[call-overload]


# --- Joined and cut ---


def _in_one_type(xs: Any) -> list[Any]:
    given = [operand(one) for one in xs]
    types = {dtype_of(one) for one in given}
    return given if len(types) < 2 else [as_type(one, result_type(*types)) for one in given]


@operation
def concatenate(xs: Any, axis: Any = 0) -> Any:
    """One after the other along an axis.

    Example:
        >>> concatenate([[1, 2], [3]]).tolist()
        [1, 2, 3]
    """
    return np.concatenate(_in_one_type(xs), axis=axis)


@operation
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """One behind the other along an axis; without one, all in a row."""
    x1, x2 = _in_one_type((x1, x2))
    return np.concatenate([np.ravel(x1), np.ravel(x2)] if axis is None else [x1, x2], axis=axis or 0)


@operation
def stack(x: Any, axis: int = 0) -> Any:
    """Side by side along a new axis."""
    return np.stack(_in_one_type(x), axis=axis)


@operation
def vstack(xs: Any) -> Any:
    """One below the other: along the first axis of matrices, vectors as rows."""
    return np.vstack(_in_one_type(xs))


@operation
def hstack(xs: Any) -> Any:
    """Side by side: along the second axis, of vectors the first."""
    return np.hstack(_in_one_type(xs))


@operation
def dstack(xs: Any) -> Any:
    """Behind each other: along the third axis."""
    return np.dstack(_in_one_type(xs))


def _sections(indices_or_sections: Any) -> Any:
    return indices_or_sections if isinstance(indices_or_sections, int) else list(plain(indices_or_sections))


@operation
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """A list of so many equal parts along an axis, or of those between the given places."""
    return list(np.split(operand(x), _sections(indices_or_sections), axis))


@operation
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """A list of so many parts along an axis, the first ones longer by 1 where they cannot be equal."""
    return list(np.array_split(operand(x), _sections(indices_or_sections), axis))


@operation
def vsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` along the first axis."""
    return split(x, indices_or_sections, 0)


@operation
def hsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` along the second axis, of vectors along the first."""
    x = operand(x)
    return split(x, indices_or_sections, 0 if x.ndim < 2 else 1)


@operation
def dsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` along the third axis."""
    return split(x, indices_or_sections, 2)


# --- Chosen ---


@operation
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The numbers, or slices along an axis, in these places; negative ones count from the end."""
    return np.take(operand(x), plain(operand(indices)), axis=axis)


@operation
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """For each place of `indices` the number of x that stands there along the axis, as `argsort` gives them."""
    return np.take_along_axis(operand(x), plain(operand(indices)), axis)


@operation
def get_item(x: Any, key: Any) -> Any:
    """x[key]."""
    return operand(x)[plain(key)]


@operation
def tril(x: Any, k: int = 0) -> Any:
    """What is on and below the diagonal k, else zeros."""
    return np.tril(operand(x), k)


@operation
def triu(x: Any, k: int = 0) -> Any:
    """What is on and above the diagonal k, else zeros."""
    return np.triu(operand(x), k)


@operation
def diag(x: Any, k: int = 0) -> Any:
    """The diagonal k of a matrix, or the matrix that has a vector as its diagonal k."""
    return np.diag(operand(x), k)


@operation
def diagflat(x: Any, k: int = 0) -> Any:
    """The matrix that has all numbers in a row as its diagonal k."""
    return np.diag(np.ravel(operand(x)), k)


@operation
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonals of the matrices of two axes."""
    return np.diagonal(operand(x), offset, axis1, axis2)


@operation
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sums of those diagonals."""
    x = operand(x)
    return as_type(np.sum(np.diagonal(x, offset, axis1, axis2), axis=-1), result_type(dtype_of(x), int))


@operation
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Each number less the one before it along an axis; n times."""
    return np.diff(operand(a), n, axis)


@operation
def nonzero(x: Any) -> Any:
    """The places of what is not 0: an array for each axis."""
    return tuple(one.astype(_INT) for one in np.nonzero(plain(operand(x))))


@operation
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each number is one of others."""
    return np.isin(plain(operand(x1)), plain(operand(x2)), assume_unique=assume_unique, invert=invert)


@operation
def unravel_index(indices: Any, shape: Any) -> Any:
    """Places in a row of all numbers as places along each axis of an array of this shape."""
    found = np.unravel_index(plain(operand(indices)), tuple(shape))
    return tuple(np.asarray(one).astype(_INT) for one in found)


@operation
def view(x: Any, dtype: Any = None) -> Any:
    """The same bits read as another type; a constant."""
    x = plain(operand(x))
    return x if dtype is None else x.view(dtype)


@operation
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """The sums of products of a vector with another that is moved along it; a constant."""
    x1, x2 = (plain(one) for one in together(floats(x1), floats(x2)))
    return np.correlate(x1, x2, mode=mode)  # type: ignore[call-overload]
