"""Checks of what users pass in, shared by whoever takes arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from multilayer._checks.tables import as_array, reads_as_number
from multilayer._language import tr
from multilayer.functional import Array


def as_numbers(values: ArrayLike, name: str) -> Array:
    """The array, where it holds real numbers.

    Args:
        values: Anything NumPy makes an array of, a frame or a column of one, or a sparse matrix.
        name: What the user calls it, for the message.

    Raises:
        ValueError: It holds anything else, rows of different lengths, or is a single number.
    """
    if callable(values) and not hasattr(values, "__array__"):
        raise ValueError(_uncalled(values, name))
    given = as_array(values, name)
    try:
        array = np.asarray(given)
    except ValueError as error:
        raise ValueError(tr("`{name}` cannot be made into one array: {error}", name=name, error=error)) from error
    if array.dtype.kind not in "fiub":
        raise ValueError(
            tr(
                "`{name}` must hold numbers; got an array of type {dtype} and shape {shape}. {value}",
                name=name,
                dtype=array.dtype,
                shape=array.shape,
                value=_into_numbers(array, name),
            )
        )
    if array.ndim == 0:
        raise ValueError(
            tr("`{name}` must hold one entry a sample; got the single number {value}.", name=name, value=array)
        )
    return array


def _uncalled(values: Any, name: str) -> str:
    called = getattr(values, "__name__", type(values).__name__)
    if isinstance(values, type):
        return tr(
            "`{name}` is the class {called} itself: pass an object of it, `{called}(...)`.", name=name, called=called
        )
    kind = tr("generator function") if inspect.isgeneratorfunction(values) else tr("function")
    return tr(
        "`{name}` is the {kind} {called}, which was not called: pass what it gives, `{called}()`.",
        name=name,
        kind=kind,
        called=called,
    )


def _into_numbers(array: Array, name: str) -> str:
    """What turns an array that holds no numbers into one that does."""
    first = array.flat[0] if array.size else None
    if not isinstance(first, (str, bytes)):
        return _of_objects(array, name) if array.dtype.kind == "O" else tr("Convert it first.")
    if any(isinstance(one, (bytes, str)) and not reads_as_number(one) for one in array.flat[:100]):
        return tr(
            "Text such as {first!r} becomes whole numbers by `names, {name} = np.unique({name}, "
            "return_inverse=True)`: `names[3]` is then what the number 3 stands for.",
            first=str(first)[:50],
            name=name,
        )
    return tr("It holds numbers as text: convert it by `{name}.astype(float)`.", name=name)


def _of_objects(array: Array, name: str) -> str:
    """What hinders an array of Python objects from being one of numbers, or how it becomes one."""
    for index, one in zip(np.ndindex(array.shape), array.flat, strict=True):
        if isinstance(one, (list, tuple, np.ndarray)):
            return tr(
                "Its entries are arrays of their own: `np.stack({name})` makes one array of them where all "
                "have one shape.",
                name=name,
            )
        try:
            float(one)
        except (TypeError, ValueError):
            return tr(
                "It holds {one!r} at index {index}, which is no number: leave such samples out, or fill it in.",
                one=one,
                index=index,
            )
    return tr("All that it holds are numbers, but as Python objects: convert it by `{name}.astype(float)`.", name=name)


def require_finite(array: Array, name: str) -> None:
    """Checks that no value is NaN or infinite.

    Raises:
        ValueError: One is; the message names the first place.
    """
    where = _first_not_finite(array)
    if where is not None:
        raise ValueError(_not_finite(array[where], where, name))


def _not_finite(value: Any, where: tuple[int, ...], name: str) -> str:
    return tr(
        "`{name}` holds {value} at index {where}; every value must be finite. Drop such samples, or fill "
        "them in with a value that means something, such as the median of the others in its column.",
        name=name,
        value=value,
        where=where,
    )


def finite_as(
    array: Array, dtype: DTypeLike, name: str, place: Callable[[int], tuple[int, ...]] | None = None
) -> Array:
    """The array in the type a model computes in; whole numbers, all of which fit, stay as they are.

    Args:
        array: The array.
        dtype: The type.
        name: What the user calls it, for the message.
        place: Where in what the user has a number of the array stands, where that is somewhere else.

    Raises:
        ValueError: A value is not finite, or not in that type; the message names the first place.
    """
    if array.dtype.kind != "f":
        return array
    with np.errstate(over="ignore"):
        converted = array.astype(dtype, copy=False)
    where = _first_not_finite(converted)
    if where is None:
        return converted
    shown = where if place is None else place(where[0])
    if np.isfinite(array[where]):
        raise ValueError(
            tr(
                "`{name}` holds {value} at index {shown}, which is too large for {dtype}, the type this model "
                "computes in. Scale the data first, or give the layers `dtype='float64'`.",
                name=name,
                value=array[where],
                shown=shown,
                dtype=dtype,
            )
        )
    raise ValueError(_not_finite(array[where], shown, name))


def _first_not_finite(array: Array) -> tuple[int, ...] | None:
    """Where the first NaN or infinite value is; None where all are finite."""
    if array.dtype.kind != "f":
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum()):  # one pass at the speed of memory: NaN and infinity both survive a sum
            return None
    for start in range(0, len(array), 4096):
        bad = ~np.isfinite(array[start : start + 4096])
        if bad.any():
            first = np.argwhere(bad)[0]
            return tuple(int(i) for i in (first[0] + start, *first[1:]))
    return None


def read_only(array: Array) -> Array:
    """The array in a view that nobody can write through: a layer of the user's own must not change the user's data."""
    view: Array = array.view()
    view.setflags(write=False)
    return view


def own_arrays(results: Sequence[Array], given: Sequence[Array], borrowed: bool = False) -> list[Array]:
    """Results that nobody else writes into: copies of those that may be what was given, as an identity returns it.

    Args:
        results: The results.
        given: What they were made of.
        borrowed: Whether all of them lie in working memory, which the next step writes over.
    """
    return [y.copy() if borrowed or any(np.may_share_memory(y, x) for x in given) else y for y in results]
