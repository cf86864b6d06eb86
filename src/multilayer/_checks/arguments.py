"""Checks of what users pass in that is no single number: text, functions, files' names, lists, shapes.

One check for each sort of argument, called where the argument is given. What a constructor takes, and a training
finds to be unfit an hour later, has cost the hour.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from multilayer._checks.scalars import is_whole, shown
from multilayer._language import tr


def text(name: str, value: Any) -> str:
    """The value, where it is text.

    Args:
        name: What the user calls it, for the message.
        value: What the user gave.

    Raises:
        ValueError: It is something else.

    Example:
        >>> text("monitor", 5)
        Traceback (most recent call last):
        ValueError: `monitor` must be text. Received: monitor=5
    """
    if not isinstance(value, str):
        raise _unfit(name, value, "text")
    return value


def require_flag(name: str, value: Any) -> None:
    """Raises ValueError where the value is neither True nor False.

    Example:
        >>> require_flag("trainable", "no")
        Traceback (most recent call last):
        ValueError: Argument `trainable` is expected to be a boolean, True or False. Received: trainable='no'
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(
            tr(
                "Argument `{name}` is expected to be a boolean, True or False. Received: {name}={shown}",
                name=name,
                shown=shown(value),
            )
        )


def function(name: str, value: Any) -> Callable[..., Any]:
    """The value, where it can be called.

    Raises:
        ValueError: It cannot.

    Example:
        >>> function("schedule", 0.1)
        Traceback (most recent call last):
        ValueError: `schedule` must be a function. Received: schedule=0.1
    """
    if callable(value):
        found: Callable[..., Any] = value
        return found
    raise _unfit(name, value, tr("a function"))


def file_name(name: str, value: Any) -> str:
    """The name of a file or folder as text.

    Raises:
        ValueError: It is neither text nor a path.

    Example:
        >>> file_name("filepath", 3)
        Traceback (most recent call last):
        ValueError: `filepath` must be the name of a file, text or a path. Received: filepath=3
    """
    found = os.fspath(value) if isinstance(value, (str, os.PathLike)) else value
    if not isinstance(found, str):
        raise _unfit(name, value, tr("the name of a file, text or a path"))
    return found


def listed(name: str, value: Any) -> list[Any]:
    """What a list, a tuple or anything else that can be gone through holds; text is a single thing.

    Raises:
        ValueError: It is a single thing.

    Example:
        >>> listed("values", (0.1, 0.2))
        [0.1, 0.2]
        >>> listed("values", "0.1")
        Traceback (most recent call last):
        ValueError: `values` must be a list. Received: values='0.1'
    """
    single = isinstance(value, (str, bytes, type)) or not isinstance(value, Iterable)
    if single or (isinstance(value, np.ndarray) and not value.ndim):
        raise _unfit(name, value, tr("a list"))
    return list(value)


def mapping(name: str, value: Any) -> Mapping[Any, Any]:
    """The value, where it is a dict or the like.

    Raises:
        ValueError: It is something else.

    Example:
        >>> mapping("custom_objects", [1])
        Traceback (most recent call last):
        ValueError: `custom_objects` must be a dict. Received: custom_objects=[1]
    """
    if not isinstance(value, Mapping):
        raise _unfit(name, value, tr("a dict"))
    return value


def numbers(name: str, value: Any) -> Any:
    """The value as it is, where it is a number or an array of numbers, one of each output, say.

    Raises:
        ValueError: It holds something else.

    Example:
        >>> numbers("threshold", [0.2, 0.5])
        [0.2, 0.5]
        >>> numbers("threshold", "0.5")
        Traceback (most recent call last):
        ValueError: `threshold` must be a number, or an array of numbers. Received: threshold='0.5'
    """
    try:
        kind = np.asarray(value).dtype.kind
    except ValueError:  # rows of several lengths
        kind = "O"
    if kind not in "fiub":
        raise _unfit(name, value, tr("a number, or an array of numbers"))
    return value


def axes(name: str, value: Any) -> Any:
    """An axis, or several, or None for all: one as an int, several as a tuple.

    Raises:
        ValueError: One is no whole number.

    Example:
        >>> axes("axis", [0, np.int64(-1)]), axes("axis", 0), axes("axis", None)
        ((0, -1), 0, None)
        >>> axes("axis", "last")
        Traceback (most recent call last):
        ValueError: `axis` must be a whole number, or a list of them. Received: axis='last'
    """
    several = isinstance(value, (list, tuple))
    if value is not None and not all(map(is_whole, value if several else [value])):
        raise _unfit(name, value, tr("a whole number, or a list of them"))
    return value if value is None else tuple(int(one) for one in value) if several else int(value)


def sides(name: str, value: Any) -> tuple[int, ...]:
    """A shape as a tuple, of an array that can be made; a single number is that of a vector.

    Raises:
        ValueError: A side is no whole number of at least 0.

    Example:
        >>> sides("shape", [2, np.int64(3)]), sides("shape", 2)
        ((2, 3), (2,))
        >>> sides("shape", (2, None))
        Traceback (most recent call last):
        ValueError: `shape` must be a tuple of whole numbers of at least 0. Received: shape=(2, None)
    """
    found = [value] if is_whole(value) else value
    if not isinstance(found, (list, tuple, np.ndarray)) or not all(is_whole(side, 0) for side in found):
        raise _unfit(name, value, tr("a tuple of whole numbers of at least 0"))
    return tuple(int(side) for side in found)


def _unfit(name: str, value: Any, wanted: str) -> ValueError:
    return ValueError(
        tr("`{name}` must be {wanted}. Received: {name}={shown}", name=name, wanted=wanted, shown=shown(value))
    )
