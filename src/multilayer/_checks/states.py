"""Checks of states that come from a file: it is believed nothing, neither a type, nor a range, nor a length."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from multilayer._checks.scalars import is_whole
from multilayer.functional import Array

_MOST = 2**53  # what is counted: beyond it a float would not tell one from the next


class Kind(NamedTuple):
    """What a part of a state may be.

    Attributes:
        fits: Whether a value is that.
        words: What it must be, for messages.
    """

    fits: Callable[[Any], bool]
    words: str


def is_number(value: Any) -> bool:
    """Whether it is a number, or an array of one; NaN and infinity are numbers, too."""
    if isinstance(value, np.ndarray):
        return value.size == 1 and value.dtype.kind in "fiub"
    return isinstance(value, (bool, int, float, np.number, np.bool_))


def is_finite(value: Any) -> bool:
    """Whether it is a number, and a finite one; a whole number that is none as a float is not."""
    try:
        return is_number(value) and math.isfinite(float(value))
    except OverflowError:
        return False


def _is_best(value: Any) -> bool:
    """NaN is no best of anything: nothing would ever be better."""
    try:
        return value is None or (is_number(value) and not math.isnan(float(np.ravel(value)[0])))
    except OverflowError:
        return False


def _is_count(value: Any) -> bool:
    return is_whole(value, 0) and bool(value < _MOST)


def _are_texts(value: Any) -> bool:
    """Names are shown: what a terminal would take for a command is none."""
    return isinstance(value, list) and all(isinstance(one, str) and one.isprintable() for one in value)


def _are_sums(value: Any) -> bool:
    """Sums of four things, each for all or for every class; a bare number before the first batch."""
    if not isinstance(value, np.ndarray) or not value.ndim:
        return is_finite(value)
    return value.ndim <= 2 and value.shape[0] == 4 and value.dtype.kind == "f" and bool(np.isfinite(value).all())


def _are_four(value: Any) -> bool:
    """Four arrays of one shape."""
    if not isinstance(value, (tuple, list)) or len(value) != 4 or not all(isinstance(one, np.ndarray) for one in value):
        return False
    return (
        len({one.shape for one in value}) == 1
        and value[0].ndim > 0
        and all(one.dtype.kind in "fiu" and np.isfinite(one).all() for one in value)
    )


COUNT = Kind(_is_count, "a whole number of at least 0")
SIZE = Kind(lambda value: value is None or _is_count(value), "a whole number of at least 0, or None")
NUMBER = Kind(is_number, "a number")
FINITE = Kind(is_finite, "a finite number")
BEST = Kind(_is_best, "a number other than NaN, or None")
FLAG = Kind(lambda value: isinstance(value, (bool, np.bool_)), "True or False")
NAMES = Kind(lambda value: value is None or _are_texts(value), "a list of names, or None")
COUNTS = Kind(lambda value: isinstance(value, list) and all(map(_is_count, value)), "a list of whole numbers")
COLUMNS = Kind(
    lambda value: isinstance(value, dict) and _are_texts([*value]) and all(isinstance(v, list) for v in value.values()),
    "lists under names",
)
SIZES = Kind(
    lambda value: isinstance(value, dict) and _are_texts([*value]) and all(map(_is_count, value.values())),
    "sizes under names",
)
SUMS = Kind(_are_sums, "a number, or four rows of finite ones")
FOUR = Kind(_are_four, "four arrays of finite numbers")
FOUR_OR_NONE = Kind(lambda value: value is None or _are_four(value), "four arrays of finite numbers, or None")
ANYTHING = Kind(lambda value: True, "anything")  # noqa: ARG005 - whoever says so looks at it himself


def require_entries(state: Any, who: str, kinds: Mapping[str, Kind]) -> None:
    """Raises ValueError where a state lacks a part, or a part is not of its kind; further parts are somebody else's.

    Example:
        >>> require_entries({"wait": -1}, "EarlyStopping", {"wait": COUNT})
        Traceback (most recent call last):
        ValueError: of EarlyStopping it says wait=-1, which must be a whole number of at least 0
    """
    if not isinstance(state, dict):
        raise ValueError(f"of {who} it holds {_shown(state)}, which is no state")
    for name, kind in kinds.items():
        if name not in state:
            raise ValueError(f"of {who} it does not say '{name}'")
        if not kind.fits(state[name]):
            raise ValueError(f"of {who} it says {name}={_shown(state[name])}, which must be {kind.words}")


def require_arrays_like(values: Any, like: Sequence[Array], what: str) -> None:
    """Raises ValueError where values are not as many arrays of the same shapes, finite also in the type of these.

    Args:
        values: What a file has.
        like: What they are to take the place of.
        what: What one is called, for the message.
    """
    if not isinstance(values, list) or len(values) != len(like):
        number = f"{len(values)} arrays" if isinstance(values, list) else _shown(values)
        raise ValueError(f"it holds {number} for {len(like)} of {what}")
    for i, (value, present) in enumerate(zip(values, like, strict=True)):
        require_array_like(value, present, f"{what} {i}")


def require_array_like(value: Any, like: Array, what: str) -> None:
    """Raises ValueError where a value is no array of the same shape, finite also in the type of the other."""
    if not isinstance(value, np.ndarray) or value.shape != like.shape or value.dtype.kind not in "fiub":
        found = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else _shown(value)
        raise ValueError(f"{what} in it is {found}, not an array of shape {like.shape}")
    with np.errstate(over="ignore"):  # a number beyond the type is infinite in it, and told as that
        bad = ~np.isfinite(value.astype(like.dtype, copy=False))
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{what} in it holds {value[place]} at {place}, which is no finite number of {like.dtype}")


def is_own(function: Callable[..., Any] | type) -> bool:
    """Whether a function or class is this library's, rather than a user's, whose states nobody else can judge."""
    return (function.__module__ or "").partition(".")[0] == __name__.partition(".")[0]  # a class of a doctest has none


def _shown(value: Any) -> str:
    text = repr(value) if not isinstance(value, np.ndarray) else f"an array of {value.dtype}, shape {value.shape}"
    return text if len(text) <= 100 else f"{text[:100]}…"
