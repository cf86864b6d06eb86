"""Operations on tensors as such: what they are, their types, and what is cut out of them or put into them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from multilayer._core.tape import Operand, Rule, Tensor, plain, record
from multilayer._core.tape.shapes import scatter as added_at
from multilayer.ops.operands import as_type, dtype_of, operand, operation

__all__ = [
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "dtype",
    "is_tensor",
    "ndim",
    "saturate_cast",
    "scatter",
    "scatter_update",
    "shape",
    "size",
    "slice",
    "slice_update",
    "stop_gradient",
    "unstack",
]

# --- Tensors and arrays ---


@operation
def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Any:
    """The numbers as an array that a tape can watch; a tensor that one records stays itself.

    Args:
        x: Numbers, an array, a variable or a tensor, which stays itself.
        dtype: Their type; by default that of an array, `floatx` for Python's real numbers and int32 for whole ones.
        sparse: For Keras' sake: tensors are dense.
        ragged: For Keras' sake: all rows are of one length.

    Example:
        >>> x = convert_to_tensor([1.0, 2.0])
        >>> x, x.numpy()
        (array([1., 2.], dtype=float32), array([1., 2.], dtype=float32))
    """
    if sparse or ragged:
        raise ValueError("Tensors are dense here, and all their rows of one length: no `sparse` and no `ragged`.")
    x = operand(x)
    x = x if dtype is None else as_type(x, dtype)
    if isinstance(x, Operand):
        x = x if type(x) is Tensor else np.positive(x)  # a variable, or the tensor that stands for it on a tape
    return x if type(x) is Tensor else np.array(x)


def convert_to_numpy(x: Any) -> Any:
    """The numbers as an array, a constant from here on.

    Raises:
        ValueError: It is a tensor of a model, which has none.
    """
    return np.array(plain(operand(x)))


def is_tensor(x: Any) -> bool:
    """Whether x is a tensor or an array.

    Example:
        >>> is_tensor(np.zeros(2)), is_tensor([0.0])
        (True, False)
    """
    return isinstance(x, (Tensor, np.ndarray, np.generic))


def shape(x: Any) -> tuple[int | None, ...]:
    """The shape, None for a side that is not known yet."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(operand(x))


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(shape(x))


def size(x: Any) -> Any:
    """The number of numbers; None where it is not known yet."""
    sides = shape(x)
    known = [side for side in sides if side is not None]
    return math.prod(known) if len(known) == len(sides) else None


def dtype(x: Any) -> str:
    """The name of the type.

    Example:
        >>> dtype([1.0])
        'float32'
    """
    return str(x.dtype) if hasattr(x, "dtype") else str(operand(x).dtype)


@operation
def cast(x: Any, dtype: Any) -> Any:
    """The numbers in another type.

    Example:
        >>> cast([1.9, -1.9], "int32").tolist()
        [1, -1]
    """
    return as_type(operand(x), np.dtype(dtype))


@operation
def saturate_cast(x: Any, dtype: Any) -> Any:
    """The numbers in another type, those beyond what it can hold as the largest and smallest that it can.

    Example:
        >>> saturate_cast([-1.0, 300.0], "uint8").tolist()
        [0, 255]
    """
    x, dtype = operand(x), np.dtype(dtype)
    if dtype.kind == "b":
        return as_type(x, dtype)
    limits: Any = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
    known = dtype_of(x)
    if known.kind == "f" and dtype.kind in "iu":  # the largest whole number need not be one of x's type
        info = np.finfo(known)
        x = np.clip(x, max(float(limits.min), float(info.min)), _below(limits.max, known))
    elif known.kind in "iu" and dtype.kind in "iu":
        own = np.iinfo(known)
        x = np.clip(x, max(limits.min, own.min), min(limits.max, own.max))
    elif known.kind == "f" and np.finfo(known).max > limits.max:
        x = np.clip(x, float(limits.min), float(limits.max))
    return as_type(x, dtype)


def _below(number: int, dtype: Any) -> Any:
    """The largest real number of a type that is not above a whole one."""
    nearest = np.asarray(number, np.float64).astype(dtype)
    if not np.isfinite(nearest):
        return np.finfo(dtype).max
    return nearest if int(nearest) <= number else np.nextafter(nearest, dtype.type(0))


@operation
def stop_gradient(variable: Any) -> Any:
    """The numbers as a constant: nothing is learned through it."""
    return plain(variable if isinstance(variable, (list, tuple, dict)) else operand(variable))


# --- Blocks, slices and places ---


@operation
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """A block of this shape, from these places on; -1 is all that is left along an axis.

    Example:
        >>> slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2)).tolist()
        [[2, 3], [5, 6]]
    """
    inputs = operand(inputs)
    return inputs[_block(inputs.shape, plain(start_indices), shape)]


def _block(sides: Any, starts: Any, shape: Any) -> tuple[Any, ...]:
    lengths = [side - int(start) if n == -1 else int(n) for side, start, n in zip(sides, starts, shape, strict=True)]
    begins = [min(max(int(start), 0), side - n) for side, start, n in zip(sides, starts, lengths, strict=True)]
    return tuple(np.s_[begin : begin + n] for begin, n in zip(begins, lengths, strict=True))


@operation
def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """A list of the slices along an axis."""
    x = operand(x)
    if num is not None and num != x.shape[axis]:
        raise ValueError(f"`num` of `unstack` is {num}; axis {axis} of an array of shape {x.shape} has another length.")
    rows = np.moveaxis(x, axis, 0)
    return [rows[i] for i in range(x.shape[axis])]


def _put(x: Any, updates: Any, key: Any) -> Any:
    y = np.array(x)
    y[key] = updates
    return y


# What is replaced has no gradient.
_PUT: Rule = Rule(
    _put,
    lambda g, y, x, updates, key: record(_PUT, (g, np.zeros((), g.dtype), key), {}),
    lambda g, y, x, updates, key: g[key],
    name="scatter_update",
)


@operation
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Zeros of this shape with values added at these places; a place that comes twice gets the sum.

    Args:
        indices: Places, (..., number of axes).
        values: A value for each.
        shape: The shape of the result.

    Example:
        >>> scatter([[0], [2]], [1.0, 5.0], (4,)).tolist()
        [1.0, 0.0, 5.0, 0.0]
    """
    values = operand(values)
    return scatter_update(np.zeros(tuple(shape), dtype_of(values)), indices, values, "add")


_REDUCTIONS = {"max": np.maximum, "min": np.minimum, "mul": np.multiply}


@operation
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """A copy of the array with other numbers in these places.

    Args:
        inputs: The array.
        indices: Places, (n, number of axes).
        updates: A number, or slice, for each.
        reduction: What becomes of the old and the new one: None (the new one), 'add', 'max', 'min' or 'mul'.

    Example:
        >>> scatter_update([1.0, 2.0, 3.0], [[1]], [9.0]).tolist()
        [1.0, 9.0, 3.0]
    """
    inputs = operand(inputs)
    updates = as_type(operand(updates), dtype_of(inputs))
    places = np.asarray(plain(operand(indices)))
    key = tuple(np.moveaxis(places, -1, 0))
    if reduction is None:
        return record(_PUT, (inputs, updates, key), {})
    if reduction == "add":
        return inputs + added_at(updates, inputs.shape, key)
    if reduction not in _REDUCTIONS:
        raise ValueError(
            f"`reduction` must be None or one of {', '.join(('add', *_REDUCTIONS))}. Received: {reduction}"
        )
    for i, _ in enumerate(places):  # one after the other, as a place may come several times
        at = tuple(one[i] for one in key)
        inputs = record(_PUT, (inputs, _REDUCTIONS[reduction](inputs[at], updates[i]), at), {})
    return inputs


@operation
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """A copy of the array with a block of other numbers, from these places on.

    Example:
        >>> slice_update([1, 2, 3, 4], [1], [8, 9]).tolist()
        [1, 8, 9, 4]
    """
    inputs = operand(inputs)
    updates = as_type(operand(updates), dtype_of(inputs))
    return record(_PUT, (inputs, updates, _block(inputs.shape, plain(start_indices), updates.shape)), {})
