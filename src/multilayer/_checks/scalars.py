"""Checks of the single numbers that users pass in: sizes, axes, rates."""

from __future__ import annotations

from typing import Any

import numpy as np

_LARGEST = float(np.finfo(np.float64).max)


def is_whole(value: Any, least: int | None = None) -> bool:
    """Whether a value is a whole number, Python's or NumPy's, of at least `least`; True and False are none.

    Example:
        >>> is_whole(np.int64(3), least=1), is_whole(0, least=1), is_whole(3.0), is_whole(True)
        (True, False, False, False)
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole and (least is None or bool(value >= least))


def is_real(value: Any) -> bool:
    """Whether a value is a number such as a rate, Python's or a float of NumPy's; True and False are none.

    Example:
        >>> is_real(0.5), is_real(1), is_real(np.float32(0.5)), is_real("0.5"), is_real(True)
        (True, True, True, False, False)
    """
    return isinstance(value, (int, float, np.floating)) and not isinstance(value, bool)


def real_number(name: str, value: Any) -> Any:
    """The value, of NumPy's type or Python's as one of Python's.

    Args:
        name: What the user calls it, for the message.
        value: What the user gave.

    Raises:
        ValueError: It is no number, NaN or infinite: text, a list, None. What is computed with it would be, too.

    Example:
        >>> real_number("stddev", np.float32(0.5)), real_number("stddev", 1)
        (0.5, 1)
        >>> real_number("stddev", [0.5])
        Traceback (most recent call last):
        ValueError: `stddev` must be a finite number. Received: stddev=[0.5]
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    number = value.item() if isinstance(value, np.generic) else value
    if not isinstance(number, (int, float)) or not abs(number) < _LARGEST:
        raise ValueError(f"`{name}` must be a finite number. Received: {name}={str(value)[:200]}")
    return number


def whole_number(name: str, value: Any, least: int) -> int:
    """The value as an int.

    Args:
        name: What the user calls it, for the message.
        value: What the user gave.
        least: The smallest number that will do.

    Raises:
        ValueError: It is no whole number, or less than `least`.

    Example:
        >>> whole_number("epochs", 0, least=1)
        Traceback (most recent call last):
        ValueError: `epochs` must be a whole number of at least 1. Received: epochs=0
    """
    if not is_whole(value, least):
        raise ValueError(f"`{name}` must be a whole number of at least {least}. Received: {name}={value!r}")
    return int(value)
