"""Nested plain data with arrays in it as what a file holds, a JSON config and named arrays, and back, type by type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from multilayer.functional import Array

# A dict with one of these as its only key stands for what JSON does not have. A dict of the user's own that has such a
# key, or keys that are no text, is written as a list of pairs.
_ARRAY, _NUMBER, _NUMBERS, _TUPLE, _PAIRS = "$array", "$number", "$numbers", "$tuple", "$pairs"
_MARKS = {_ARRAY, _NUMBER, _NUMBERS, _TUPLE, _PAIRS}
_MANY = 8  # so many numbers in a list are worth an array of their own


def pack(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """What JSON can hold of a value; its arrays are added to `arrays`, under the numbers in which they come.

    Args:
        value: Numbers, text, None, arrays, and lists, tuples and dicts of them.
        name: What the value is called, for messages.
        arrays: Where the arrays go.

    Raises:
        TypeError: Something in it is none of these; the message says where and what.

    Example:
        >>> arrays = {}
        >>> packed = pack({"best": 0.5, "weights": [np.zeros(3)]}, "state", arrays)
        >>> packed, list(arrays)
        ({'best': 0.5, 'weights': [{'$array': '0'}]}, ['0'])
        >>> unpack(packed, arrays)
        {'best': 0.5, 'weights': [array([0., 0., 0.])]}
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fiub":
        return {_ARRAY if isinstance(value, np.ndarray) else _NUMBER: _entered(np.asarray(value), arrays)}
    if isinstance(value, (bool, int, float, str)):  # a class of somebody's own that is one
        return pack(next(kind(value) for kind in (bool, int, float, str) if isinstance(value, kind)), name, arrays)
    if isinstance(value, (list, tuple)):
        parts = _packed_list(list(value), name, arrays)
        return {_TUPLE: parts} if isinstance(value, tuple) else parts
    if isinstance(value, Mapping):
        if all(type(key) is str for key in value) and not _MARKS & set(value):
            return {key: pack(one, f"{name}/{key}", arrays) for key, one in value.items()}
        pairs = [list(pair) for pair in value.items()]
        return {_PAIRS: [pack(pair, f"{name}/{i}", arrays) for i, pair in enumerate(pairs)]}
    raise TypeError(
        f"{name} is of the type {type(value).__name__}. A backup holds numbers, text, None, arrays of numbers, and "
        "lists, tuples and dicts of them."
    )


def _entered(array: Array, arrays: dict[str, Array]) -> str:
    """Enters an array, and returns the name that it got."""
    name = str(len(arrays))
    arrays[name] = array
    return name


def _packed_list(values: list[Any], name: str, arrays: dict[str, Array]) -> Any:
    kinds = set(map(type, values))
    if len(values) >= _MANY and (kinds == {float} or (kinds == {int} and _fit_int64(values))):
        return {_NUMBERS: _entered(np.array(values), arrays)}
    return [pack(one, f"{name}/{i}", arrays) for i, one in enumerate(values)]


def _fit_int64(values: list[int]) -> bool:
    return min(values) >= -(2**63) and max(values) < 2**63


def unpack(packed: Any, arrays: Mapping[str, Array]) -> Any:
    """The value that `pack` was given.

    Raises:
        KeyError: An array is missing, or is asked for twice: `pack` enters each by itself, and a list of numbers that
            stood for many would take their memory as often.
    """
    return _unpacked(packed, dict(arrays))


def _unpacked(packed: Any, left: dict[str, Array]) -> Any:
    if isinstance(packed, list):
        return [_unpacked(one, left) for one in packed]
    if not isinstance(packed, dict):
        return packed
    mark = next(iter(packed)) if len(packed) == 1 else None
    if mark not in _MARKS:
        return {key: _unpacked(one, left) for key, one in packed.items()}
    inner = packed[mark]
    if mark == _TUPLE:
        return tuple(_unpacked(inner, left))
    if mark == _PAIRS:
        return dict(_unpacked(inner, left))
    array = left.pop(inner)
    if mark == _NUMBERS:
        return array.tolist()
    return array if mark == _ARRAY else array[()]
