"""The connected shapes of a picture's ink, and which of them are one digit."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

_MAP = 500  # cells a side of the map that shapes are told apart on
_SPECK = 0.05  # of the largest shape's cells; what has fewer is none that counts
_GAP, _SECOND = 0.05, 0.25

# Of the tallest shape's height: how tall one is that can be a digit of its own, and how far apart parts of one are.
_WHOLE, _BROKEN, _BELOW, _ABOVE = 0.45, 0.05, 0.1, 0.3


class Shapes:
    """The connected shapes of an image's ink, on a map of at most 500 x 500 cells.

    Args:
        ink: How much ink there is at each pixel, from 0 to 1.

    Attributes:
        cells: For each shape its cells, (n, 2) of row and column; the largest first.
        large: Those of them that are no specks.
    """

    def __init__(self, ink: Array) -> None:
        self._size = ink.shape
        self._factor = -(-max(ink.shape) // _MAP)
        self.cells = sorted(connected(_reduced(ink > 0.5, self._factor)), key=len, reverse=True)
        self.large = [cells for cells in self.cells if len(cells) >= _SPECK * len(self.cells[0])]

    @property
    def scattered(self) -> float:
        """The share of the ink that lies in specks."""
        return 1 - sum(map(len, self.large)) / sum(map(len, self.cells))

    @property
    def side_by_side(self) -> bool:
        """Whether two shapes of similar size leave white between them from top to bottom."""
        big = [cells for cells in self.large if len(cells) >= _SECOND * len(self.cells[0])]
        height = max(int(np.ptp(cells[:, 0])) + 1 for cells in big)
        spans = sorted((int(cells[:, 1].min()), int(cells[:, 1].max())) for cells in big)
        ends = np.maximum.accumulate([end for _, end in spans])
        return any(start - end - 1 > _GAP * height for (start, _), end in zip(spans[1:], ends, strict=False))

    def mask_of(self, shapes: list[Array]) -> Array:
        """Where these shapes and their soft edges are, in the image."""
        rows, columns = (-(-length // self._factor) for length in self._size)
        found = np.zeros((rows + 2, columns + 2), bool)
        cells = np.concatenate(shapes)
        for i in range(3):  # with its neighbours
            for j in range(3):
                found[cells[:, 0] + i, cells[:, 1] + j] = True
        whole: Array = found[1:-1, 1:-1].repeat(self._factor, axis=0).repeat(self._factor, axis=1)
        return whole[: self._size[0], : self._size[1]]

    def digits(self) -> list[list[Array]]:
        """The shapes that are one digit each, or its parts: line by line, in each from left to right.

        Parts of one stand above each other, as a 5's bar does, or nearly touch, where a pen has skipped. What is too
        small to be a digit, and lies apart from all, is none: a comma, a dash.
        """
        boxes = [_Box.of(cells) for cells in self.large]
        tallest = max(box.height for box in boxes)
        whole = [box.height >= _WHOLE * tallest for box in boxes]
        group = list(range(len(boxes)))

        def joined(i: int, j: int) -> None:
            old, new = group[j], group[i]
            group[:] = [new if one == old else one for one in group]

        for i, one in enumerate(boxes):
            for j in range(i):
                if group[i] == group[j]:  # to measure how near they are takes long
                    continue
                other = boxes[j]
                room = _BELOW if whole[i] and whole[j] else _ABOVE
                above = one.beside(other) < -0.5 * min(one.width, other.width) and one.apart(other) <= room * tallest
                near = max(one.beside(other), one.apart(other)) <= _BROKEN * tallest and one.narrow_with(other)
                if above or (near and _distance(self.large[i], self.large[j], _BROKEN * tallest)):
                    joined(i, j)
        kept = {group[i] for i, tall in enumerate(whole) if tall}
        found = [[self.large[i] for i in range(len(boxes)) if group[i] == one] for one in kept]
        return _in_order(found)


class _Box:
    """The rectangle around some cells."""

    def __init__(self, top: int, left: int, bottom: int, right: int) -> None:
        self.top, self.left, self.bottom, self.right = top, left, bottom, right
        self.height, self.width = bottom - top, right - left

    @classmethod
    def of(cls, cells: Array) -> _Box:
        (top, left), (bottom, right) = cells.min(axis=0).tolist(), (cells.max(axis=0) + 1).tolist()
        return cls(top, left, bottom, right)

    def beside(self, other: _Box) -> int:
        """How many columns lie between the two; below 0, how many they share."""
        return max(self.left, other.left) - min(self.right, other.right)

    def apart(self, other: _Box) -> int:
        """How many rows lie between the two; below 0, how many they share."""
        return max(self.top, other.top) - min(self.bottom, other.bottom)

    def narrow_with(self, other: _Box) -> bool:
        """Whether the two together are no wider than high, as a digit is."""
        width = max(self.right, other.right) - min(self.left, other.left)
        return width <= max(self.bottom, other.bottom) - min(self.top, other.top)


def _distance(a: Array, b: Array, most: float) -> bool:
    """Whether two shapes come as near to each other as this."""
    reach = int(most) + 1
    low, high = b.min(axis=0) - reach, b.max(axis=0) + reach
    near = a[((a >= low) & (a <= high)).all(axis=1)]
    low, high = a.min(axis=0) - reach, a.max(axis=0) + reach
    own = b[((b >= low) & (b <= high)).all(axis=1)]
    limit = (most + 1) ** 2  # from cell to cell; those that touch are 1 apart
    return any(
        bool((((part[:, None, :] - own[None, :, :]) ** 2).sum(axis=2) <= limit).any())
        for part in np.array_split(near, -(-len(near) // 256) or 1)
        if len(part) and len(own)
    )


def _in_order(digits: list[list[Array]]) -> list[list[Array]]:
    """As one reads: a digit belongs to a line where its middle lies within the line's first."""
    boxed = sorted(((_Box.of(np.concatenate(one)), one) for one in digits), key=lambda pair: pair[0].top)
    lines: list[list[tuple[_Box, list[Array]]]] = []
    for box, one in boxed:
        line = next((line for line in lines if (box.top + box.bottom) / 2 < line[0][0].bottom), None)
        if line is None:
            lines.append([(box, one)])
        else:
            line.append((box, one))
    return [one for line in lines for _, one in sorted(line, key=lambda pair: pair[0].left)]


def _reduced(mask: Array, factor: int) -> Array:
    """A map with a cell for each `factor` x `factor` pixels: whether there is ink in it."""
    rows, columns = (-(-length // factor) for length in mask.shape)
    padded = np.zeros((rows * factor, columns * factor), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return np.asarray(padded.reshape(rows, factor, columns, factor).any(axis=(1, 3)))


def connected(mask: Array) -> list[Array]:
    """The cells of each shape, (n, 2) of row and column; those that touch at a corner belong together.

    A row's cells that lie side by side are a run. Runs of neighbouring rows that touch get the lower one's number,
    until none changes; and each goes on to its number's number on the way, so that a few rounds are enough.
    """
    width = mask.shape[1] + 2  # so that the end of a row touches nothing of the next
    padded = np.pad(mask, ((0, 0), (1, 1))).ravel().astype(np.int8)
    steps = np.diff(padded, prepend=0)
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)  # ends lie behind the last cell
    # Of each run those of the row below that begin before it ends and end behind its beginning, corners counted.
    first = np.searchsorted(ends, starts + width, "left")
    last = np.searchsorted(starts, ends + width, "right")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(starts)), counts)
    lower = np.arange(len(upper)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    number = np.arange(len(starts))
    while True:
        least = np.minimum(number[upper], number[lower])
        new = number.copy()
        np.minimum.at(new, number[upper], least)
        np.minimum.at(new, number[lower], least)
        new = np.minimum(new, new[new])
        new = new[new]
        if np.array_equal(new, number):
            break
        number = new
    cells = np.flatnonzero(padded)
    numbers = np.repeat(number, ends - starts)
    order = np.argsort(numbers, kind="stable")
    places = np.stack([cells // width, cells % width - 1], axis=1)[order]
    borders = np.flatnonzero(np.diff(numbers[order])) + 1
    return np.split(places, borders) if len(places) else []
