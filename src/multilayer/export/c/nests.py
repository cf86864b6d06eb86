"""Loops over the axes of several arrays at once, with as few loops and as little arithmetic as their strides allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_LETTERS = "ijkpqrstuv"


def strides_of(shape: Sequence[int], to: Sequence[int] | None = None) -> list[int]:
    """How far apart neighbours along each axis are in memory; where the array is repeated to a shape, 0 there.

    Example:
        >>> strides_of((2, 3)), strides_of((3, 1), (2, 3, 4))
        ([3, 1], [0, 1, 0])
    """
    strides = []
    size = 1
    for side in reversed(shape):
        strides.append(size if side != 1 or to is None else 0)
        size *= side
    strides.reverse()
    return strides if to is None else [0] * (len(to) - len(shape)) + strides


class Nest(NamedTuple):
    """Nested loops.

    Attributes:
        heads: Their first lines, from the outermost on.
        places: For each array, the expression of its place within.
    """

    heads: list[str]
    places: list[str]


def nest(sides: Sequence[int], strides: Sequence[Sequence[int]], skip: int = 0) -> Nest:
    """Loops over axes of these lengths, and where each array is, of which the strides are given.

    Axes that lie one behind the other in every array are one loop. `skip` letters are left to loops around.

    Example:
        >>> nest([2, 3], [[3, 1], [0, 1]]).places
        ['3u * i + j', 'j']
        >>> nest([2, 3], [[3, 1], [3, 1]]).heads
        ['for (size_t i = 0; i < 6u; i++) {']
    """
    merged: list[tuple[int, tuple[int, ...]]] = []
    for side, each in zip(sides, zip(*strides, strict=True), strict=True):
        if side == 1:
            continue
        if merged and all(outer == side * inner for outer, inner in zip(merged[-1][1], each, strict=True)):
            merged[-1] = (merged[-1][0] * side, each)
        else:
            merged.append((side, each))
    letters = _LETTERS[skip:]
    heads = [
        f"for (size_t {one} = 0; {one} < {side}u; {one}++) {{" for one, (side, _) in zip(letters, merged, strict=False)
    ]
    places = [place([(letters[i], each[k]) for i, (_, each) in enumerate(merged)]) for k in range(len(strides))]
    return Nest(heads, places)


def place(terms: Sequence[tuple[str, int]]) -> str:
    """A place as a sum of indices times strides."""
    return " + ".join(one if stride == 1 else f"{stride}u * {one}" for one, stride in terms if stride) or "0"


def element(pointer: str, place: str) -> str:
    """The number at a place of what a pointer, or a sum of a pointer and a number, points to.

    Example:
        >>> element("work + 8u", "i")
        '(work + 8u)[i]'
    """
    return f"({pointer})[{place}]" if " " in pointer else f"{pointer}[{place}]"


def braced(heads: Sequence[str], body: Sequence[str], depth: int) -> list[str]:
    """The lines of loops and what is within, indented from a depth on."""
    lines = [f"{'    ' * (depth + i)}{head}" for i, head in enumerate(heads)]
    lines += [f"{'    ' * (depth + len(heads))}{line}" for line in body]
    return lines + [f"{'    ' * (depth + i)}}}" for i in reversed(range(len(heads)))]
