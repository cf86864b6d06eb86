"""Where every random number comes from: one seed, from which each user of randomness gets a stream of its own."""

from __future__ import annotations

import numpy as np

_root: np.random.SeedSequence | None = None  # made at first use: NumPy itself loads `numpy.random` only then


def set_random_seed(seed: int) -> None:
    """Seeds everything: Python's `random`, NumPy's global generator, and every stream drawn here from now on.

    Two programs that set the same seed and then do the same get the same weights, batches and dropout masks.

    Args:
        seed: A whole number from 0 to 2^32 - 1.

    Raises:
        ValueError: `seed` is not such a number.

    Example:
        >>> set_random_seed(7)
        >>> first = new_generator().random()
        >>> set_random_seed(7)
        >>> new_generator().random() == first
        True
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"Argument `seed` must be a whole number from 0 to 2**32 - 1. Received: seed={seed!r}.")
    import random as python_random

    global _root
    _root = np.random.SeedSequence(int(seed))
    python_random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 - programs that use NumPy's global generator expect it


def checked_seed(seed: int | None) -> int | None:
    """The seed as a plain int; raises ValueError where it is neither None nor a whole number of at least 0."""
    if seed is None:
        return None
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"Argument `seed` must be None or a whole number of at least 0. Received: seed={seed!r}")
    return int(seed)


class Stream:
    """A stream of random blocks (see `functional.philox`): its key and the blocks used are all the state it has.

    Args:
        key: Which stream, 64 bits.

    Example:
        >>> stream = Stream(7)
        >>> stream.take(16), stream.take(16)
        (0, 16)
    """

    def __init__(self, key: int) -> None:
        self.key = key
        self.counter = 0

    def take(self, blocks: int) -> int:
        """Sets so many blocks aside and returns the number of the first."""
        first = self.counter
        self.counter += blocks
        return first


def new_stream(seed: int | None = None) -> Stream:
    """A stream of its own: from `seed`, or, where that is None, the next stream of the global seed."""
    return Stream(int(new_generator(seed).integers(2**64, dtype=np.uint64)))


def new_generator(seed: int | None = None) -> np.random.Generator:
    """A generator of its own: from `seed`, or, where that is None, the next stream of the global seed."""
    global _root
    if seed is not None:
        return np.random.Generator(np.random.PCG64(seed))
    if _root is None:
        _root = np.random.SeedSequence()
    return np.random.Generator(np.random.PCG64(_root.spawn(1)[0]))
