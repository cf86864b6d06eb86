"""The four forms of a column, and what is said of its rows."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multilayer._language import tr
from multilayer.functional import Array

_MOST_SHOWN = 5
_LONGEST_NAME = 100  # letters
Place = Callable[[int], str]
"""What a row is called in messages, from its index: `row 3` of a frame, `line 5` of a file."""


def row(index: int) -> str:
    """A row's name in messages, counted from 0, as frames and arrays do."""
    return tr("row {index}", index=index)


def places(rows: Sequence[int] | Array, place: Place) -> str:
    """The names of some rows, the first few of them.

    Example:
        >>> places([1, 2, 3, 4, 5, 6, 7], row)
        'row 1, row 2, row 3, row 4, row 5 and 2 more'
    """
    shown = ", ".join(place(int(i)) for i in rows[:_MOST_SHOWN])
    return (
        shown
        if len(rows) <= _MOST_SHOWN
        else tr("{shown} and {count} more", shown=shown, count=len(rows) - _MOST_SHOWN)
    )


def listed(names: Sequence[Any], most: int = 10) -> str:
    """Names in messages, the first few of them.

    Example:
        >>> listed(["age", "city", "plan"], 2)
        "'age', 'city' and 1 more"
    """
    shown = ", ".join(map(_short, names[:most]))
    return shown if len(names) <= most else tr("{shown} and {count} more", shown=shown, count=len(names) - most)


def _short(name: Any) -> str:
    text = repr(name)
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"


def normal(name: str) -> str:
    r"""A name with each letter as one sign: macOS takes 각 and é apart, and the same name would be another.

    Example:
        >>> normal("cafe\u0301") == "caf\u00e9"
        True
    """
    return unicodedata.normalize("NFC", name)


def form_of(column: Array) -> str:
    """Which form a column has: "number", "boolean", "date" or "text"."""
    return {"f": "number", "b": "boolean", "M": "date"}.get(column.dtype.kind, "text")


def missing(column: Array) -> Array:
    """Which of a column's values are missing.

    Example:
        >>> missing(np.array([1.0, np.nan])).tolist()
        [False, True]
    """
    if column.dtype.kind == "f":
        return np.isnan(column)
    if column.dtype.kind == "M":
        return np.isnat(column)
    if column.dtype.kind == "b":
        return np.zeros(len(column), bool)
    return np.fromiter((one is None for one in column), bool, len(column))


def check_finite(column: Array, name: str, place: Place = row) -> Array:
    """The column, where it holds no infinities.

    Raises:
        ValueError: It does; the message says where.
    """
    if column.dtype.kind == "f" and np.isinf(column).any():
        found = np.flatnonzero(np.isinf(column))
        raise ValueError(
            tr(
                "The column `{name}` holds infinite values, in {found}. Expected finite numbers, or missing "
                "ones: put in NaN (an empty cell in a file) where a value is not known, or the largest it can "
                "have.",
                name=name,
                found=places(found, place),
            )
        )
    return column


def plain(value: Any) -> str:
    """A value as people write it: whole numbers without a point.

    Example:
        >>> plain(3.0), plain(0.5), plain("x")
        ('3', '0.5', 'x')
    """
    if isinstance(value, (float, np.floating)) and float(value).is_integer() and abs(value) < 1e16:
        return str(int(value))
    return str(value)
