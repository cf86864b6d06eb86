"""Pictures of digits prepared as MNIST's makers prepared theirs: cropped to the ink, scaled, centred by mass.

Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998, section III.A:
the digits were scaled into a box of 20 x 20 pixels, their proportions kept, and moved so that their centre of mass lies
in the centre of 28 x 28.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from multilayer._pictures import reading as images
from multilayer._pictures.reading import DigitImage

Array: TypeAlias = NDArray[Any]

_FIELD, _BOX = 28, 20  # MNIST's own sides
# What a digit of a data set may differ from that by. MNIST's are exact; those of `synthetic_digits` are 19 to 22 pixels
# long, and off the centre by up to 3.3.
_SIZE_SLACK, _CENTRE_SLACK = 3, 3.5
_MAP = 250  # cells a side of the map that shapes are told apart on


class Prepared(NamedTuple):
    """An image as a network takes it.

    Attributes:
        pixels: Light ink on dark, uint8 of shape (side, side).
        done: What was done to it, in words; empty where it was as it should be.
        doubt: Why it cannot be a single digit; empty where it can.
    """

    pixels: Array
    done: tuple[str, ...] = ()
    doubt: str = ""


def prepare(image: DigitImage, side: int, invert: bool | None) -> Prepared:
    """Prepares an image for a network that was trained on MNIST, or on digits like those.

    Args:
        image: The image.
        side: The side of the square images that the network takes.
        invert: Whether the ink is darker than its paper; None looks.
    """
    done = ["turned upright (EXIF)"] if image.turned else []
    light_paper = images.background(image.pixels) > 127
    if invert is None:
        invert = light_paper and not image.prepared and not images.is_blank(image.pixels)
        done += ["dark ink on light paper inverted"] if invert else []
    pixels = 255 - image.pixels if invert else image.pixels
    if images.is_blank(pixels):
        return Prepared(images.resized(pixels, side), tuple(done), "no ink, nothing to read")
    if image.prepared or invert != light_paper:  # a data set's, or whoever called knows better than this module
        return Prepared(images.resized(pixels, side), tuple(done))
    ink = _ink(pixels)
    doubt = _doubt(ink)
    if pixels.shape == (side, side) and _is_placed(ink, side):
        return Prepared(pixels, tuple(done), doubt)
    box = round(side * _BOX / _FIELD)
    done.append(f"cropped to the ink, scaled into {box} x {box} pixels, centred by mass")
    return Prepared(_placed(_scaled(_cropped(ink), box), side), tuple(done), doubt)


def _ink(pixels: Array) -> Array:
    """How much ink there is at each pixel, float32 from 0 to 1: its paper's grain is none, its full strokes are 1."""
    rise = np.maximum(pixels.astype(np.float32) - images.background(pixels), 0)
    border = np.concatenate([rise[0], rise[-1], rise[:, 0], rise[:, -1]])
    grain = min(3 * float(np.median(border[border > 0])), _threshold(rise) / 2) if np.any(border > 0) else 0.0
    full = float(np.percentile(rise[rise > _threshold(rise)], 90))
    ink: Array = np.clip((rise - grain) / (full - grain), 0, 1)
    return ink


def _threshold(rise: Array) -> float:
    """The grey value that parts ink from paper best: Otsu's, which makes the variance between the two largest.

    Source: Otsu, "A threshold selection method from gray-level histograms", 1979.
    """
    counts = np.bincount(rise.astype(np.uint8).ravel(), minlength=256).astype(np.float64)
    below, mass = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (mass / below - (mass[-1] - mass) / above) ** 2
    return float(np.argmax(np.nan_to_num(between)))


def _extent(mask: Array) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


_FAINT = 0.15  # ink, as a share of a full stroke, that still belongs to it: the soft edge


def _cropped(ink: Array) -> Array:
    """The ink's own rectangle, without what lies apart from it and is too small to be a part of it."""
    shapes = _Shapes(ink)
    kept = np.where(shapes.mask_of(shapes.large, ink.shape), ink, 0)
    return kept[_extent(kept > _FAINT)]


def _is_placed(ink: Array, side: int) -> bool:
    """Whether a digit has the size and the place that one of a data set has."""
    rows, columns = _extent(ink > _FAINT)
    longest = max(rows.stop - rows.start, columns.stop - columns.start)
    scale = side / _FIELD
    off = max(abs(centre - side / 2) for centre in _centre(ink))
    return abs(longest - _BOX * scale) <= _SIZE_SLACK * scale and off <= _CENTRE_SLACK * scale


def _centre(ink: Array) -> tuple[float, float]:
    """The centre of mass, (row, column)."""
    whole = float(ink.sum())
    rows, columns = (float((ink.sum(axis=1 - axis) * np.arange(ink.shape[axis])).sum()) for axis in (0, 1))
    return rows / whole, columns / whole


def _scaled(ink: Array, box: int) -> Array:
    """The ink scaled so that its longer side is `box`."""
    from PIL import Image

    height, width = ink.shape
    scale = box / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    scaled = np.asarray(Image.fromarray(ink.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)).clip(0, 1)
    full = float(np.percentile(scaled[scaled > _FAINT / 2], 95)) if np.any(scaled > _FAINT / 2) else 1.0
    return np.minimum(scaled / full, 1)  # thin strokes become faint when many pixels become one


def _placed(ink: Array, side: int) -> Array:
    """The ink on a dark square, its centre of mass in the middle, as far as the square reaches."""
    field = np.zeros((side, side), np.uint8)
    corner = [
        min(max(round(side / 2 - centre), 0), side - length)
        for centre, length in zip(_centre(ink), ink.shape, strict=True)
    ]
    field[corner[0] : corner[0] + ink.shape[0], corner[1] : corner[1] + ink.shape[1]] = np.rint(ink * 255)
    return field


# --- Can it be a digit? -----------------------------------------------------------------------------------------------

# Drawn so that one in a thousand of MNIST's own digits is doubted, most of them written in two parts.
_WIDEST, _FULLEST = 2.5, 0.8
_GAP, _SECOND = 0.05, 0.25
_MOST_STROKES = 6  # a row or column through a digit meets three or four


def _doubt(ink: Array) -> str:
    """Why this ink cannot be one digit; empty where it can."""
    shapes = _Shapes(ink)
    rows, columns = _extent(shapes.mask_of(shapes.large, ink.shape) & (ink > 0.5))
    height, width = rows.stop - rows.start, columns.stop - columns.start
    if max(height, width) < 5:
        return f"its ink is a dot of {width} x {height} pixels"
    if _strokes_across(ink[rows, columns] > 0.5) > _MOST_STROKES:
        return "its ink is a pattern or noise, not a few lines"
    if shapes.scattered > 0.3 or len(shapes.large) > 5:
        return f"its ink is scattered over {len(shapes.cells)} shapes"
    if shapes.side_by_side:
        return "there are several shapes side by side, as of several digits"
    if width > _WIDEST * height:
        return f"its ink is {width / height:.1f} times as wide as high"
    if width > 0.4 * height and float(np.mean(ink[rows, columns] > 0.5)) > _FULLEST:
        return "its ink fills an area, and draws no lines"
    return ""


def _strokes_across(mask: Array) -> float:
    """How many strokes the middle row or column meets, whichever meets more."""
    return max(float(np.median((np.diff(mask, axis=axis, prepend=False) & mask).sum(axis=axis))) for axis in (0, 1))


class _Shapes:
    """The connected shapes of an image's ink, on a map of at most 250 x 250 cells.

    Attributes:
        cells: For each shape its cells, (row, column); the largest first.
        large: Those of them that are no specks.
    """

    def __init__(self, ink: Array) -> None:
        self._factor = -(-max(ink.shape) // _MAP)
        self.cells = sorted(_connected(_reduced(ink > 0.5, self._factor)), key=len, reverse=True)
        self.large = [cells for cells in self.cells if len(cells) >= 0.05 * len(self.cells[0])]

    @property
    def scattered(self) -> float:
        """The share of the ink that lies in specks."""
        return 1 - sum(map(len, self.large)) / sum(map(len, self.cells))

    @property
    def side_by_side(self) -> bool:
        """Whether two shapes of similar size leave white between them from top to bottom."""
        big = [cells for cells in self.large if len(cells) >= _SECOND * len(self.cells[0])]
        height = max(_length(cells, 0) for cells in big)
        spans = sorted((min(c for _, c in cells), max(c for _, c in cells)) for cells in big)
        ends = np.maximum.accumulate([end for _, end in spans])
        return any(start - end - 1 > _GAP * height for (start, _), end in zip(spans[1:], ends, strict=False))

    def mask_of(self, shapes: list[list[tuple[int, int]]], size: tuple[int, ...]) -> Array:
        """Where these shapes and their soft edges are, in an image of this size."""
        rows, columns = (-(-length // self._factor) for length in size)
        found = np.zeros((rows + 2, columns + 2), bool)
        for row, column in (cell for cells in shapes for cell in cells):
            found[row : row + 3, column : column + 3] = True  # with its neighbours
        whole: Array = np.kron(found[1:-1, 1:-1], np.ones((self._factor, self._factor), bool))
        return whole[: size[0], : size[1]]


def _length(cells: list[tuple[int, int]], axis: int) -> int:
    places = [cell[axis] for cell in cells]
    return max(places) - min(places) + 1


def _reduced(mask: Array, factor: int) -> Array:
    """A map with a cell for each `factor` x `factor` pixels: whether there is ink in it."""
    rows, columns = (-(-length // factor) for length in mask.shape)
    padded = np.zeros((rows * factor, columns * factor), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return np.asarray(padded.reshape(rows, factor, columns, factor).any(axis=(1, 3)))


def _connected(cells: Array) -> Iterator[list[tuple[int, int]]]:
    """The cells of each shape; those that touch at a corner belong together."""
    left = set(zip(*(places.tolist() for places in np.nonzero(cells)), strict=True))
    while left:
        shape = [left.pop()]
        for row, column in shape:  # which grows meanwhile
            near = {(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            shape += near
        yield shape
