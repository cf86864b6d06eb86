"""What an optimizer has gathered on its way, as the list of arrays that Keras keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from multilayer._core.arena import Variable
from multilayer.functional import Array
from multilayer.optimizers.adagrad import RMSprop
from multilayer.optimizers.adam import Nadam
from multilayer.optimizers.base import Optimizer
from multilayer.optimizers.ftrl import Ftrl
from multilayer.optimizers.kept import Segment, segments_of


class SavedVariable(NamedTuple):
    """One array of the list: a slot's part for a weight; a variable of the optimizer's own; else a number."""

    name: str
    segment: Segment | None = None
    own: Variable | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return self.own.shape if self.own is not None else () if self.segment is None else self.segment.shape

    @property
    def is_number(self) -> bool:
        """Whether it is a number of the optimizer's, which it has before its first step."""
        return self.segment is None and self.own is None


def saved_variables(
    optimizer: Optimizer, trained: Sequence[Variable], trained_in_keras: Sequence[Variable]
) -> list[SavedVariable]:
    """The list of arrays that Keras keeps.

    Args:
        optimizer: The optimizer.
        trained: The weights in the order in which they lie in the vector.
        trained_in_keras: The same weights in the order in which Keras has them.
    """
    by_variable = dict(zip(trained, segments_of(trained), strict=True))
    segments = [by_variable[v] for v in trained_in_keras]
    found = [SavedVariable("iterations")]
    if isinstance(optimizer._learning_rate, float):  # what follows a schedule has no state
        found.append(SavedVariable("learning_rate"))
    built: Optimizer = optimizer.built_for(trained)
    own = {v: SavedVariable(v.name, own=v) for v in built.own_variables()}
    found += [own.pop(v) for v in built.first_variables()]
    found += [SavedVariable(slot, segment) for slot, segment in optimizer.slots_of(segments)]
    if isinstance(optimizer, Nadam):
        found.append(SavedVariable("product"))
    found += own.values()
    return found


def of_keras_2(wanted: Sequence[SavedVariable]) -> list[SavedVariable]:
    """The list as Keras 2 keeps it, whose learning rate is in the config alone, and whose Nadam forgets its product."""
    return [saved for saved in wanted if saved.name not in ("learning_rate", "product")]


def of_keras_2_legacy(optimizer: Optimizer, wanted: Sequence[SavedVariable]) -> list[SavedVariable]:
    """The list as Keras 2's legacy optimizers keep it: each slot of all weights after another, but for Ftrl's.

    Raises:
        ValueError: None of them goes on as this optimizer does.
    """
    if isinstance(optimizer, Nadam):
        raise ValueError("the file has the state of Keras 2's legacy Nadam, whose momentum follows another schedule.")
    if isinstance(optimizer, Ftrl):  # the one whose slots stand side by side there, too
        return [wanted[0], *(saved for saved in wanted if saved.segment is not None)]
    segments = list(dict.fromkeys(saved.segment.variable for saved in wanted if saved.segment is not None))
    parts = {(saved.name, saved.segment.variable): saved for saved in wanted if saved.segment is not None}
    slots = list(dict.fromkeys(name for name, _ in parts))
    if isinstance(optimizer, RMSprop):
        slots = [slot for slot in ("velocity", "momentum", "average_gradient") if slot in slots]
    return [wanted[0], *(parts[slot, variable] for slot in slots for variable in segments)]


def describe(optimizer: Optimizer, wanted: Sequence[SavedVariable]) -> list[Array]:
    """The values of these variables."""
    return [_described(optimizer, saved) for saved in wanted]


def _described(optimizer: Optimizer, saved: SavedVariable) -> Array:
    if saved.own is not None:
        return saved.own.value
    if saved.name == "iterations":
        return np.asarray(optimizer._batches, np.int64)
    if saved.name == "learning_rate":
        return np.asarray(float(optimizer.learning_rate), np.float32)
    if saved.name == "product":
        assert isinstance(optimizer, Nadam)  # no other has it
        return np.asarray(optimizer._product(int(optimizer.iterations)), np.float32)
    assert saved.segment is not None  # all others are parts of slots
    assert saved.segment.variable is not None  # `saved_variables` has given it one
    if not optimizer.built:
        values = saved.segment.variable.value
        alike = values if values.shape == saved.shape else np.zeros(saved.shape, values.dtype)
        return optimizer.initial_values(saved.name, alike)
    return optimizer.state[saved.name][saved.segment.part].reshape(saved.shape)


def restore(
    optimizer: Optimizer, wanted: Sequence[SavedVariable], arrays: Sequence[Array], trained: Sequence[Variable]
) -> None:
    """Gives an optimizer the values of these variables; where there are no more than its numbers, it has no slots yet.

    Raises:
        ValueError: It has trained other weights, or a number is none of its kind; nothing is changed.
    """
    numbers = {p.name: a.item() for p, a in zip(wanted, arrays, strict=False) if p.is_number}
    if not 0 <= numbers["iterations"] < 2**53 or not 0 <= numbers.get("learning_rate", 0.0) < np.inf:
        raise ValueError(f"its number of steps and learning rate are {numbers}.")
    optimizer.follow(trained)
    if len(arrays) == len(wanted) and not all(saved.is_number for saved in wanted) and not optimizer.built:
        optimizer.build(list(trained))
    own = iter(optimizer.own_variables())
    for saved, array in zip(wanted, arrays, strict=False):
        if saved.own is not None:
            next(own).assign(array)
        if saved.segment is not None:
            optimizer.state[saved.name][saved.segment.part] = array.reshape(-1)
    optimizer._batches = int(numbers["iterations"])
    rate = numbers.get("learning_rate")
    if rate is not None and np.float32(rate) != np.float32(optimizer.learning_rate):  # else ours has more digits
        optimizer.learning_rate = float(rate)
