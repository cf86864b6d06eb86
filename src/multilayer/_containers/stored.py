"""Arrays in a file that are not read yet, and the checks that come before anything is read or built."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from multilayer._checks.scalars import is_whole
from multilayer.functional import Array

# What a config may be: a network of a thousand layers has 1 MiB and 60,000 values, and a model in a model adds about
# six levels. Python takes up to 100 bytes for a value, however short its text, and 4 for a letter.
MOST_JSON, _MOST_VALUES, _DEEPEST = 4 * 2**20, 300_000, 100
_REAL = "fiub"


class Stored(NamedTuple):
    """An array in a file: what the file says of it, and how to get it.

    `read` gives an array of just this shape and type, and takes no more memory than that.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[], Array]

    @property
    def size(self) -> int:
        """The number of its elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The memory that it takes."""
        return self.size * self.dtype.itemsize


def declared(shape: Sequence[Any], dtype: np.dtype[Any], available: int, what: str) -> tuple[int, ...]:
    """The shape that a file declares for an array, once it is one whose bytes the file can hold.

    Args:
        shape: The lengths.
        dtype: The type.
        available: The bytes that the file has for it.
        what: Which array, for the message.

    Raises:
        ValueError: It does not hold real numbers, a length is no whole number of at least 0, or it is larger than what
            there is.
    """
    if dtype.kind not in _REAL:
        raise ValueError(f"{what} does not hold real numbers: its type is {dtype}.")
    if len(shape) > 32 or not all(is_whole(n, 0) for n in shape):
        raise ValueError(f"{what} has no shape of an array: {str(shape)[:200]}.")
    lengths = tuple(int(n) for n in shape)
    needed = math.prod(lengths) * dtype.itemsize
    if needed > available:
        raise ValueError(
            f"{what} has the shape {lengths} and needs {needed:,} bytes; the file has {available:,} for it."
        )
    return lengths


def finite(array: Array, what: str) -> Array:
    """The array, where all its numbers are finite.

    Raises:
        ValueError: One is NaN or infinite.
    """
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(
            f"{what} holds {array[place]} at {place}: the training that wrote it had come apart. Pass "
            "`allow_nonfinite=True` to read it all the same."
        )
    return array


def parse_json(text: bytes, what: str) -> Any:
    """What a JSON text says, where it is one that a config can be.

    Raises:
        ValueError: It is no JSON in UTF-8; it is larger, holds more or is nested deeper than any config; or it
            has a name twice in one place.
    """
    values = text.count(b",") + text.count(b"[") + text.count(b"{")
    if len(text) > MOST_JSON or values > _MOST_VALUES:
        raise ValueError(
            f"{what} has {len(text):,} bytes and about {values:,} values; a config has {MOST_JSON:,} and "
            f"{_MOST_VALUES:,} at the most."
        )
    import json  # only here: `import multilayer` is quick

    too_deep = ValueError(f"{what} is nested more than {_DEEPEST} deep.")
    try:
        found = json.loads(text.decode("utf-8"), object_pairs_hook=lambda pairs: _named_once(pairs, what))
    except json.JSONDecodeError as error:
        raise ValueError(f"{what} is no JSON: {error}.") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{what} is no text in UTF-8: {error}.") from error
    except RecursionError as error:
        raise too_deep from error
    level = [found]
    for _ in range(_DEEPEST):
        inner = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list)))
        level = [value for values in inner for value in values]
        if not level:
            return found
    raise too_deep


def _named_once(pairs: Iterable[tuple[str, Any]], what: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{what} has the name {name[:100]!r} twice in one place.")
        found[name] = value
    return found
