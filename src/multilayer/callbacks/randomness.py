"""Where a model's layers draw from: how far their streams have come, as plain data, and back to there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from multilayer.layers import Layer
from multilayer.random import SeedGenerator, Stream

Source: TypeAlias = "Stream | SeedGenerator | np.random.Generator"  # as text: NumPy loads `random` when it is used


def sources(layers: list[Layer]) -> Iterator[Source]:
    """Every stream, generator of seeds and NumPy generator that a layer has, in the order of the layers."""
    yield from _sources(layers, set())


def _sources(value: Any, seen: set[int]) -> Iterator[Source]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, (Stream, SeedGenerator, np.random.Generator)):
        yield value
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _sources(one, seen)
    elif isinstance(value, Layer):  # those of layers inside it, too; of a model nothing but its layers
        for one in getattr(value, "layers", list(vars(value).values())):
            yield from _sources(one, seen)


def position(source: Source) -> Any:
    """How far a source has come."""
    if isinstance(source, Stream):
        return [source.key, source.counter]
    if isinstance(source, SeedGenerator):
        return [int(number) for number in source.state]
    return source.bit_generator.state


def move(source: Source, to: Any) -> None:
    """Lets a source go on from where `position` found it."""
    if isinstance(source, Stream):
        source.key, source.counter = to
    elif isinstance(source, SeedGenerator):
        source.state[...] = to
    else:
        source.bit_generator.state = to
