"""One set of samples into two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from multilayer import random
from multilayer._checks.sparse import is_sparse
from multilayer._checks.tables import is_table, rows_of
from multilayer._language import tr
from multilayer._tracebacks import filter_traceback
from multilayer.functional import Array


@filter_traceback
def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Any, Any]:
    """Splits samples into a left and a right part, for training and testing, say.

    Where Keras gives two `tf.data.Dataset`s, this gives arrays, or frames, in the form in which they came: a pair
    `(x, y)` becomes two such pairs, which `fit` and `evaluate` take apart.

    Args:
        dataset: An array, a frame, a series or a sparse matrix whose rows are the samples; or a list, a tuple or a dict
            of such, which may hold further ones, all of the same length. Text and lists of numbers are no arrays: make
            them such.
        left_size: Number of samples on the left, or their share as a float; by default all that is not on the right.
        right_size: Number of samples on the right, or their share as a float; by default all that is not on the left.
        shuffle: Whether the samples are shuffled before, with all arrays in the same new order.
        seed: Seed of that order; by default the next stream of the global seed.

    Returns:
        The left and the right part. Without shuffling arrays are views: nothing is copied.

    Raises:
        TypeError: The dataset is something else, or a size is no number.
        ValueError: No size is given, a size is too large or leaves one side empty, or the arrays differ in length.

    Example:
        >>> x, y = np.arange(10.0).reshape(5, 2), np.arange(5)
        >>> (x_train, y_train), (x_test, y_test) = split_dataset((x, y), left_size=0.8)
        >>> x_train.shape, y_test
        ((4, 2), array([4]))
    """
    lengths = {array.shape[0] if is_sparse(array) else len(array) for array in arrays_of(dataset)}
    if len(lengths) != 1:
        raise ValueError(
            tr(
                "The arrays of `dataset` must have the same number of samples, and at least one is needed. "
                "Received lengths: {lengths}",
                lengths=sorted(lengths),
            )
        )
    n = lengths.pop()
    left, right = _sizes(left_size, right_size, n)
    if not shuffle:
        return for_each_array(dataset, lambda a: rows_of(a, slice(left))), for_each_array(
            dataset, lambda a: rows_of(a, slice(n - right, n))
        )
    order = random.new_generator(random.checked_seed(seed)).permutation(n)
    return (
        for_each_array(dataset, lambda a: rows_of(a, order[:left])),
        for_each_array(dataset, lambda a: rows_of(a, order[n - right :])),
    )


def for_each_array(structure: Any, function: Callable[[Array], Any]) -> Any:
    """The same lists, tuples and dicts, with the function's result in the place of every array.

    Raises:
        TypeError: There is something in it that is none of these.
    """
    if isinstance(structure, dict):
        return {key: for_each_array(value, function) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        parts = [for_each_array(value, function) for value in structure]
        if hasattr(structure, "_fields"):  # a named tuple takes its fields one by one
            return type(structure)(*parts)
        return type(structure)(parts)
    if is_table(structure) or is_sparse(structure):
        return function(structure)
    if isinstance(structure, np.ndarray) or (hasattr(structure, "__array__") and hasattr(structure, "shape")):
        array = np.asarray(structure)
        if array.ndim:
            return function(array)
    raise TypeError(
        tr(
            "The `dataset` argument must be an array, or a list, tuple or dict of arrays. Received: "
            "{structure!r} of type {kind}",
            structure=structure,
            kind=type(structure),
        )
    )


def arrays_of(structure: Any) -> Iterator[Array]:
    """Every array in lists, tuples and dicts, in their order."""
    found: list[Array] = []
    for_each_array(structure, found.append)
    return iter(found)


def _sizes(left_size: float | None, right_size: float | None, n: int) -> tuple[int, int]:
    """The number of samples on either side."""
    left = None if left_size is None else _number("left_size", left_size, n)
    right = None if right_size is None else _number("right_size", right_size, n)
    if left is None:
        if right is None:
            raise ValueError(
                tr(
                    "At least one of the `left_size` or `right_size` must be specified. Received: "
                    "left_size=None and right_size=None"
                )
            )
        left = n - right
    elif right is None:
        right = n - left
    if left + right > n:
        raise ValueError(
            tr(
                "The sum of `left_size` and `right_size` must be at most the number of samples, {n}. Received: "
                "left_size={left_size} and right_size={right_size}, {left} and {right} samples.",
                n=n,
                left_size=left_size,
                right_size=right_size,
                left=left,
                right=right,
            )
        )
    if 0 in (left, right):
        raise ValueError(
            tr(
                "With `dataset` of length={n}, `left_size`={left_size} and `right_size`={right_size} the "
                "{side} side is empty. Adjust any of these.",
                n=n,
                left_size=left_size,
                right_size=right_size,
                side="left" if left == 0 else "right",
            )
        )
    return left, right


def _number(name: str, size: Any, n: int) -> int:
    """A number of samples, from it or from their share."""
    if isinstance(size, bool) or not isinstance(size, (int, float, np.integer, np.floating)):
        raise TypeError(
            tr(
                "Invalid `{name}` Type. Expected: int or float or None, Received: type({name})={kind}.",
                name=name,
                kind=type(size),
            )
        )
    share = isinstance(size, (float, np.floating))
    if not 0 < size < (1 if share else n):
        raise ValueError(
            tr(
                "`{name}` should be either a positive integer smaller than {n}, or a float within the range "
                "`[0, 1]`. Received: {name}={size}",
                name=name,
                n=n,
                size=size,
            )
        )
    return round(float(size) * n) if share else int(size)
