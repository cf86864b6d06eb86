"""Where each value of a plan lies while it is needed: in the caller's buffers, or in working memory used again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from multilayer.export.plan import Plan, Step, Value


class Place(NamedTuple):
    """Where a value lies.

    Attributes:
        buffer: 'input', 'output' or 'work'.
        offset: Which of the inputs or outputs it is, or where in the working memory it begins.
    """

    buffer: str
    offset: int


class Layout(NamedTuple):
    """The places of a plan's values.

    Attributes:
        places: The place of each value; of values that no step gives or takes, there is none.
        work: The size of the working memory, in the units of `size_of`.
        copies: The outputs that lie elsewhere at the end, in an input or another output: the output's number, and its
            value.
    """

    places: dict[int, Place]
    work: int
    copies: tuple[tuple[int, int], ...]


@dataclass
class _Storage:
    """Memory that several values have one after the other, or in different shapes."""

    first: int  # the step that writes it
    size: int
    values: list[int] = field(default_factory=list)
    place: Place | None = None
    last: int = -1


def layout_of(
    plan: Plan, in_place: Callable[[Plan, Step], bool], size_of: Callable[[Value], int] = lambda value: value.size
) -> Layout:
    """Gives every value a place.

    Args:
        plan: The network.
        in_place: Whether a step may write its output over its first input, which has the output's size, if nothing
            else needs that.
        size_of: How much memory a value takes.
    """
    last = _last_uses(plan)
    storages: list[_Storage] = []
    of: dict[int, _Storage] = {}

    def joins(value: int, storage: _Storage) -> None:
        storage.values.append(value)
        of[value] = storage

    for i, value in enumerate(plan.inputs):
        storages.append(_Storage(-1, 0, place=Place("input", i)))
        joins(value, storages[-1])
    for i, step in enumerate(plan.steps):
        source = of[step.inputs[0]]
        free = source.place is None and all(last[one] <= i for one in source.values)
        if not (step.kind == "reshape" or (free and in_place(plan, step))):
            source = _Storage(i, size_of(plan.values[step.output]))
            storages.append(source)
        joins(step.output, source)
    copies = []
    for i, value in enumerate(plan.outputs):
        if of[value].place is None:
            of[value].place = Place("output", i)
        else:
            copies.append((i, value))
    for storage in storages:
        storage.last = max(last[one] for one in storage.values)
    work = _packed([one for one in storages if one.place is None])
    places = {value: one.place for one in storages for value in one.values if one.place is not None}
    return Layout(places, work, tuple(copies))


def _last_uses(plan: Plan) -> list[int]:
    """The last step that takes each value; for those that come out, one after all."""
    last = [-1] * len(plan.values)
    for i, step in enumerate(plan.steps):
        last[step.output] = i
        for value in step.inputs:
            last[value] = i
    for value in plan.outputs:
        last[value] = len(plan.steps)
    return last


def _packed(storages: list[_Storage]) -> int:
    """Gives each a place in one memory, the largest first, each as low as those allow that are needed with it."""
    placed: list[tuple[int, _Storage]] = []
    for one in sorted(storages, key=lambda storage: -storage.size):
        offset = 0
        for begin, other in sorted(placed, key=lambda pair: pair[0]):
            together = other.first <= one.last and one.first <= other.last
            if together and begin < offset + one.size and offset < begin + other.size:
                offset = begin + other.size
        one.place = Place("work", offset)
        placed.append((offset, one))
    return max((begin + one.size for begin, one in placed), default=0)
