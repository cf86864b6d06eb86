"""Checks of the single numbers that users pass in: sizes, axes, rates."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from multilayer._language import tr

_LARGEST = float(np.finfo(np.float64).max)


def is_whole(value: Any, least: int | None = None) -> bool:
    """Whether a value is a whole number, Python's or NumPy's, of at least `least`; True and False are none.

    Example:
        >>> is_whole(np.int64(3), least=1), is_whole(0, least=1), is_whole(3.0), is_whole(True)
        (True, False, False, False)
    """
    value = _single(value)
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole and (least is None or bool(value >= least))


def is_real(value: Any) -> bool:
    """Whether a value is a number such as a rate, Python's or a float of NumPy's; True and False are none.

    Example:
        >>> is_real(0.5), is_real(1), is_real(np.float32(0.5)), is_real("0.5"), is_real(True)
        (True, True, True, False, False)
    """
    value = _single(value)
    return isinstance(value, (int, float, np.floating)) and not isinstance(value, bool)


def real_number(
    name: str,
    value: Any,
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
    infinite: bool = False,
) -> float:
    """The value, of NumPy's type or Python's as one of Python's.

    Args:
        name: What the user calls it, for the message.
        value: What the user gave.
        least: The smallest number that will do.
        most: The largest one.
        above: What it has to be more than.
        below: What it has to be less than.
        infinite: Whether infinity will do, too: as a patience it means that nothing ever happens.

    Raises:
        ValueError: It is no number, NaN or infinite: text, a list, None; or it is out of bounds. What is computed with
            it would be, too.

    Example:
        >>> real_number("stddev", np.float32(0.5)), real_number("stddev", 1)
        (0.5, 1)
        >>> real_number("beta_1", 1.0, least=0, below=1)
        Traceback (most recent call last):
        ValueError: `beta_1` must be a finite number of at least 0 and less than 1. Received: beta_1=1.0
    """
    number: Any = value.item() if isinstance(value, np.generic) else _single(value)
    real = isinstance(number, (int, float)) and (abs(number) < _LARGEST or (infinite and abs(number) == math.inf))
    bounds = ((least, operator.ge), (most, operator.le), (above, operator.gt), (below, operator.lt))
    if not (real and all(limit is None or holds(number, limit) for limit, holds in bounds)):
        words = (
            tr("at least {limit}", limit=least),
            tr("at most {limit}", limit=most),
            tr("more than {limit}", limit=above),
            tr("less than {limit}", limit=below),
        )
        within = [one for one, (limit, _) in zip(words, bounds, strict=True) if limit is not None]
        kind = tr("a number") if infinite else tr("a finite number")
        if within:
            limits = tr(" and ").join(within)
            kind += tr(" of {limits}", limits=limits) if within[0] in words[:2] else tr(" {limits}", limits=limits)
        raise ValueError(
            tr("`{name}` must be {kind}. Received: {name}={shown}", name=name, kind=kind, shown=shown(value))
        )
    found: float = number
    return found


def whole_number(name: str, value: Any, least: int | None = None) -> int:
    """The value as an int.

    Args:
        name: What the user calls it, for the message.
        value: What the user gave.
        least: The smallest number that will do; None for any.

    Raises:
        ValueError: It is no whole number, or less than `least`.

    Example:
        >>> whole_number("epochs", 0, least=1)
        Traceback (most recent call last):
        ValueError: `epochs` must be a whole number of at least 1. Received: epochs=0
    """
    if not is_whole(value, least):
        within = "" if least is None else tr(" of at least {least}", least=least)
        raise ValueError(
            tr(
                "`{name}` must be a whole number{within}. Received: {name}={shown}",
                name=name,
                within=within,
                shown=shown(value),
            )
        )
    return int(value)


def _single(value: Any) -> Any:
    """What an array without axes holds, as one of Python's numbers; anything else as it is."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def shown(value: Any) -> str:
    """A value in a message, of bounded length."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
