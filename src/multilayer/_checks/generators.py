"""Where generators of random numbers can stand, told before one is moved there.

NumPy believes what it is given: a place behind the end of a generator's memory is read from, and the process ends there
or draws from what lies there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

# The largest numbers, by the name that NumPy gives them, of the generators that NumPy has.
_NUMPYS = {"MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"}
_LARGEST = {"pos": 624, "buffer_pos": 4, "has_uint32": 1, "has_gauss": 1, "uinteger": 2**32 - 1}
_MOST = 2**128 - 1
_WORDS, _UPPER_BIT = 624, 0x80000000


def check_numpy_position(to: Any, now: Any) -> None:
    """Raises ValueError where a state is none that NumPy's generator, which stands at another now, can have."""
    _check(to, now, "", isinstance(now, dict) and now.get("bit_generator") in _NUMPYS)
    if now.get("bit_generator") == "MT19937":
        _check_twister(to["state"]["key"].tolist())
    if now.get("bit_generator") in ("PCG64", "PCG64DXSM") and to["state"]["inc"] % 2 == 0:
        raise ValueError("a PCG64 generator cannot step by an even number")


def check_python_position(to: Any) -> None:
    """Raises ValueError where a state is none that a generator of Python's `random` can have."""
    version, words, gauss = to if isinstance(to, tuple) and len(to) == 3 else (None, None, None)
    if version != 3 or not isinstance(words, tuple) or len(words) != _WORDS + 1:
        raise ValueError(f"Python's generator cannot stand at {repr(to)[:100]}")
    if not all(type(word) is int and 0 <= word < 2**32 for word in words) or words[-1] > _WORDS:
        raise ValueError(f"Python's generator cannot stand at place {words[-1]!r} of such numbers")
    if gauss is not None and not (type(gauss) is float and math.isfinite(gauss)):
        raise ValueError(f"Python's generator cannot have drawn {repr(gauss)[:100]} ahead")
    _check_twister(list(words[:-1]))


def _check_twister(words: list[int]) -> None:
    """Zeros alone give zeros for ever, and whoever draws until there is something else never ends."""
    if not (words[0] & _UPPER_BIT or any(words[1:])):
        raise ValueError("a Mersenne Twister cannot hold zeros alone")


def _check(to: Any, now: Any, name: str, known: bool) -> None:
    """Compares a state with another of the same generator, part by part."""
    if isinstance(now, dict):
        if not isinstance(to, dict) or set(to) != set(now):
            raise ValueError(f"a generator cannot stand at {repr(to)[:100]}; it has {', '.join(map(str, now))}")
        for key, value in now.items():
            _check(to[key], value, key, known)
    elif isinstance(now, np.ndarray):
        if not isinstance(to, np.ndarray) or (to.shape, to.dtype) != (now.shape, now.dtype):
            raise ValueError(f"a generator's `{name}` is {now.shape} of {now.dtype}, not {repr(to)[:100]}")
    elif isinstance(now, str) or now is None:
        if to != now:
            raise ValueError(f"the state is of a generator {repr(to)[:100]}, and this one is a {now}")
    elif isinstance(now, float):
        if type(to) is not float or not math.isfinite(to):
            raise ValueError(f"a generator's `{name}` cannot be {repr(to)[:100]}")
    elif type(to) is not int or not 0 <= to <= (_LARGEST.get(name, _MOST) if known else _MOST):
        raise ValueError(f"a generator's `{name}` cannot be {repr(to)[:100]}")
