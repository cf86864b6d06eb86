"""What an optimizer keeps from step to step, as variables: its numbers, and each weight's part of its slots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from multilayer._core.arena import Variable
from multilayer.functional import Array


class Segment(NamedTuple):
    """Which part of the vector a weight is."""

    part: slice
    shape: tuple[int, ...]
    path: str
    variable: Variable | None


def segments_of(variables: Sequence[Variable]) -> list[Segment]:
    """The parts of the vector in which these weights lie end to end."""
    stops = np.cumsum([v.value.size for v in variables]).tolist()
    parts = map(slice, [0, *stops[:-1]], stops)  # of no weights, none: `map` ends with the shorter
    return [Segment(part, v.shape, v.path, v) for part, v in zip(parts, variables, strict=True)]


class Kept(Variable):
    """A number or running mean of an optimizer, as it is now; with what is assigned to it, the optimizer goes on.

    Unlike a weight, which is one of many and equal to itself alone, it compares like its value.

    Args:
        value: What it is now; copied, as the optimizer's own memory is one vector for all weights.
        name: Its name.
        take: Puts an array in its place.
    """

    def __init__(self, value: ArrayLike, name: str, take: Callable[[Array], None]) -> None:
        super().__init__(value, name=name, trainable=False)
        self._take = take

    def assign(self, value: ArrayLike) -> None:
        super().assign(value)
        self._take(self.value)

    def __eq__(self, other: object) -> Any:
        return self.value == np.asarray(other)

    __hash__ = Variable.__hash__


class KeptMixin:
    """What every optimizer says of what it keeps, and how it goes on from such values."""

    # A mixin and no functions, since derived classes write over `variables` and `has_slot`.

    name: str
    slots: tuple[str, ...]
    side_by_side: tuple[str, ...]
    built: bool
    state: dict[str, Array]
    learning_rate: Any
    _learning_rate: Any
    _batches: int
    _segments: list[Segment]

    def _slots(self) -> list[str]:
        """The names of all slots, those of what stands around the rule last."""
        raise NotImplementedError

    def first_variables(self) -> list[Variable]:
        """Those of them that it had before it was built."""
        raise NotImplementedError

    def own_variables(self) -> list[Variable]:
        """The variables that a class of the user's keeps."""
        raise NotImplementedError

    def stored(self, slot: str, segment: Segment) -> Segment:
        """Where in a slot the numbers of a weight lie, and their shape."""
        raise NotImplementedError

    @property
    def variables(self) -> list[Variable]:
        """What it keeps, as it is now and in Keras' order: `iteration`, `learning_rate`, and each weight's slots.

        The learning rate is left out where it is a schedule or a function. What is assigned to one of them, by `assign`
        or all at once by `set_weights`, the optimizer goes on with.
        """
        kept: list[Variable] = [Kept(self._batches, "iteration", self._take_batches)]
        if isinstance(self._learning_rate, float):
            kept.append(Kept(np.float32(self._learning_rate), "learning_rate", self._take_rate))
        kept += self.first_variables()
        if self.built:
            kept += [self._kept_slot(slot, segment) for slot, segment in self.slots_of(self._segments)]
        for one in kept:
            one.path = f"{self.name}/{one.name}"
        return list(dict.fromkeys([*kept, *self.own_variables()]))

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Goes on from values of `variables`, another optimizer's perhaps.

        Raises:
            ValueError: They are not as many, or of other shapes, or the optimizer has no slots yet; nothing is changed.
        """
        if not self.built:
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that has not yet been built: call "
                "`optimizer.build(model.trainable_variables)` before."
            )
        variables, arrays = self.variables, [np.asarray(one) for one in weights]
        wanted, found = [one.shape for one in variables], [one.shape for one in arrays]
        if wanted != found:
            raise ValueError(
                f"`set_weights` of optimizer '{self.name}' takes {len(wanted)} arrays, of the shapes of its "
                f"`variables`: {wanted}. Received {len(found)}: {found}."
            )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)

    def slots_of(self, segments: Sequence[Segment]) -> list[tuple[str, Segment]]:
        """The slots of these weights, and where in them each lies, in Keras' order.

        Those of one group come weight by weight, one group after another.
        """
        return [
            (slot, self.stored(slot, segment))
            for group in self._slot_groups()
            for segment in segments
            for slot in group
            if self.has_slot(slot, segment)
        ]

    def _slot_groups(self) -> list[tuple[str, ...]]:
        first = [slot for slot in ("average", "accumulated_gradient") if slot in self._slots()]
        together = [self.side_by_side] if self.side_by_side else []
        return [*((slot,) for slot in first), *together, *((s,) for s in self.slots if s not in self.side_by_side)]

    def has_slot(self, slot: str, segment: Segment) -> bool:  # noqa: ARG002
        """Whether a slot means anything for a weight."""
        return True

    def _kept_slot(self, slot: str, segment: Segment) -> Kept:
        memory = self.state[slot][segment.part].reshape(segment.shape)  # a view
        return Kept(memory, f"{segment.path.replace('/', '_')}_{slot}", lambda value: np.copyto(memory, value))

    def _take_batches(self, value: Array) -> None:
        self._batches = int(value)

    def _take_rate(self, value: Array) -> None:
        self.learning_rate = float(value)
