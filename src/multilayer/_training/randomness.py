"""Where a training draws from: how far each source has come, as plain data, and back to there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from multilayer import random
from multilayer._checks.generators import check_numpy_position, check_python_position
from multilayer._training.random_sources import Source
from multilayer.random import SeedGenerator, Stream


def position(source: Source) -> Any:
    """How far a source has come."""
    if isinstance(source, (Stream, SeedGenerator)):
        return source.position()
    if isinstance(source, np.random.RandomState):
        return source.get_state(legacy=False)
    if isinstance(source, np.random.BitGenerator):
        return source.state
    return source.bit_generator.state if isinstance(source, np.random.Generator) else source.getstate()


def move(source: Source, to: Any) -> None:
    """Lets a source go on from where `position` found it.

    Raises:
        ValueError: It cannot stand there; nothing is changed.
    """
    check_position(source, to)
    if isinstance(source, (Stream, SeedGenerator)):
        source.move(to)
    elif isinstance(source, np.random.RandomState):
        source.set_state(to)
    elif isinstance(source, np.random.BitGenerator):
        source.state = to
    elif isinstance(source, np.random.Generator):
        source.bit_generator.state = to
    else:  # of Python's `random`
        source.setstate(to)


def check_position(source: Source, to: Any) -> None:
    """Raises ValueError where a source cannot stand at a place that a file names."""
    if isinstance(source, (Stream, SeedGenerator)):
        if not _are_words(to):
            raise ValueError(f"a stream of random numbers cannot stand at {str(to)[:100]}")
    elif isinstance(source, (np.random.Generator, np.random.BitGenerator, np.random.RandomState)):
        check_numpy_position(to, position(source))
    else:
        check_python_position(to)


def _are_words(to: Any) -> bool:
    """Whether these are two numbers of 64 bits."""
    return isinstance(to, list) and len(to) == 2 and all(type(number) is int and 0 <= number < 2**64 for number in to)


def global_positions() -> dict[str, Any]:
    """How far the generators have come that a whole program shares: this library's, NumPy's and Python's."""
    import random as python_random  # only here and below: `import multilayer` is quick

    return {
        "library": random.root_position(),
        "numpy": np.random.get_state(legacy=False),  # noqa: NPY002 - programs draw from it
        "python": python_random.getstate(),
    }


def check_global_positions(to: Any) -> None:
    """Raises ValueError where the generators that a program shares cannot stand at places that a file names."""
    if not isinstance(to, dict) or not {"library", "numpy", "python"} <= set(to):
        raise ValueError("it does not say where the random numbers of a whole program stand")
    library = to["library"]
    if library is not None:
        if not isinstance(library, list) or len(library) != 2 or not all(type(number) is int for number in library):
            raise ValueError(f"the global seed cannot stand at {str(library)[:100]}")
        if not (0 <= library[0] < 2**128 and 0 <= library[1] < 2**63):  # as NumPy draws seeds; no run draws so many
            raise ValueError(f"the global seed cannot stand at {str(library)[:100]}")
    check_numpy_position(to["numpy"], np.random.get_state(legacy=False))  # noqa: NPY002 - as above
    check_python_position(to["python"])


def move_globals(to: dict[str, Any]) -> None:
    """Lets them go on from where `global_positions` found them.

    Raises:
        ValueError: One cannot stand there; nothing is changed.
    """
    check_global_positions(to)
    random.move_root(to["library"])
    _move_others_globals(to)


def _move_others_globals(to: dict[str, Any]) -> None:
    """The same for those of NumPy and of Python."""
    import random as python_random

    np.random.set_state(to["numpy"])  # noqa: NPY002
    python_random.setstate(to["python"])


@contextmanager
def globals_given_back_on_error() -> Iterator[None]:
    """What is drawn from them within this context counts as not drawn where it ends in an error.

    Streams of the global seed that another thread was given meanwhile are not handed out a second time.
    """
    before = global_positions()
    with random.given_back_on_error():
        try:
            yield
        except BaseException:
            _move_others_globals(before)
            raise
