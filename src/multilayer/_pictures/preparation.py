"""Pictures of digits prepared as MNIST's makers prepared theirs: cropped to the ink, scaled, centred by mass.

Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998, section III.A:
the digits were scaled into a box of 20 x 20 pixels, their proportions kept, and moved so that their centre of mass lies
in the centre of 28 x 28.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from multilayer._language import later, tr
from multilayer._pictures import paper
from multilayer._pictures import reading as images
from multilayer._pictures.reading import DigitImage
from multilayer._pictures.shapes import Shapes

Array: TypeAlias = NDArray[Any]

NO_INK = later("no ink, nothing to read")
_FIELD, _BOX = 28, 20  # MNIST's own sides
# What a digit of a data set may differ from that by. MNIST's are exact; those of `synthetic_digits` are 19 to 22 pixels
# long, and off the centre by up to 3.3.
_SIZE_SLACK, _CENTRE_SLACK = 3, 3.5


class Prepared(NamedTuple):
    """A digit as a network takes it.

    Attributes:
        pixels: Light ink on dark, uint8 of shape (side, side).
        done: What was done to its picture, in words; empty where it was as it should be.
        doubt: Why it cannot be a single digit; empty where it can.
        part: Its number among the digits of its picture, counted from 0, and how many they are; None of a single one.
        box: Where it lies in its picture, in pixels: left, top, right, bottom; None of what was not looked for.
    """

    pixels: Array
    done: tuple[str, ...] = ()
    doubt: str = ""
    part: tuple[int, int] | None = None
    box: tuple[int, int, int, int] | None = None


def prepare(image: DigitImage, side: int, invert: bool | None) -> list[Prepared]:
    """Prepares an image for a network that was trained on MNIST, or on digits like those.

    Args:
        image: The image.
        side: The side of the square images that the network takes.
        invert: Whether the ink is darker than its paper; None looks.

    Returns:
        The digits in it, line by line, in each from left to right; one where there is a single one, or none that can
        be told apart.
    """
    if not image.prepared and invert is None:
        turned = [tr("turned upright (EXIF)")] if image.turned else []
        for flat in paper.evened(image.pixels):
            if not images.is_blank(flat):
                found = _of_ink(image, flat, side, [*turned, tr("uneven light of a photograph evened out")])
                if not any(one.doubt for one in found):
                    return found
    return _evenly_lit(image, side, invert)


def _evenly_lit(image: DigitImage, side: int, invert: bool | None) -> list[Prepared]:
    done = [tr("turned upright (EXIF)")] if image.turned else []
    light_paper = images.background(image.pixels) > 127
    if invert is None:
        invert = light_paper and not image.prepared and not images.is_blank(image.pixels)
        done += [tr("dark ink on light paper inverted")] if invert else []
    pixels = 255 - image.pixels if invert else image.pixels
    if images.is_blank(pixels):
        return [Prepared(images.resized(pixels, side), tuple(done), tr(NO_INK))]
    if image.prepared or invert != light_paper:  # a data set's, or whoever called knows better than this module
        return [Prepared(images.resized(pixels, side), tuple(done))]
    return _of_ink(image, pixels, side, done)


def _of_ink(image: DigitImage, pixels: Array, side: int, done: list[str]) -> list[Prepared]:
    """The digits of light ink on dark paper."""
    ink = _ink(pixels)
    shapes = Shapes(ink)
    if pixels.shape == (side, side) and _is_placed(ink, side):
        return [Prepared(pixels, tuple(done), _doubt(ink, shapes))]
    box = round(side * _BOX / _FIELD)
    done = [*done, tr("cropped to the ink, scaled into {box} x {box} pixels, centred by mass", box=box)]
    digits = [] if _is_no_writing(ink, shapes) else shapes.digits()
    if len(digits) < 2:
        return [_one(image, ink, shapes, shapes.large, side, done)]
    parts = [_one(image, ink, shapes, cells, side, done) for cells in digits]
    return [one._replace(part=(i, len(parts))) for i, one in enumerate(parts)]


def _one(image: DigitImage, ink: Array, shapes: Shapes, cells: list[Array], side: int, done: list[str]) -> Prepared:
    """One digit: the ink of some shapes, without what lies apart from it."""
    own = np.where(shapes.mask_of(cells), ink, 0)
    rows, columns = _extent(own > _FAINT)
    cropped = own[rows, columns]
    doubt = _doubt(ink, shapes) if cells is shapes.large else _doubt(cropped, Shapes(cropped))
    pixels = _placed(_scaled(cropped, round(side * _BOX / _FIELD)), side)
    return Prepared(pixels, tuple(done), doubt, box=_in_picture(image, rows, columns))


def _in_picture(image: DigitImage, rows: slice, columns: slice) -> tuple[int, int, int, int]:
    """A rectangle in the pixels that the picture had before it was made smaller to be looked at."""
    height, width = image.pixels.shape
    across, down = (whole / seen for whole, seen in zip(image.size or (width, height), (width, height), strict=True))
    left, right = round(columns.start * across), round(columns.stop * across)
    return left, round(rows.start * down), right, round(rows.stop * down)


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
_MOST_STROKES = 6  # a row or column through a digit meets three or four
_MOST_SCATTERED = 0.3  # of the ink
# Of a picture with several digits.
_MOST_DIGITS, _MOST_SHAPES = 30, 200


def _is_no_writing(ink: Array, shapes: Shapes) -> bool:
    """Whether the ink is no lines of digits, but a pattern, noise, or crumbs."""
    if shapes.scattered > _MOST_SCATTERED or len(shapes.large) > _MOST_SHAPES:
        return True
    return _strokes_across(ink > 0.5) > _MOST_STROKES * _MOST_DIGITS


def _doubt(ink: Array, shapes: Shapes) -> str:
    """Why this ink cannot be one digit; empty where it can."""
    rows, columns = _extent(shapes.mask_of(shapes.large) & (ink > 0.5))
    height, width = rows.stop - rows.start, columns.stop - columns.start
    if max(height, width) < 5:
        return tr("its ink is a dot of {width} x {height} pixels", width=width, height=height)
    if _strokes_across(ink[rows, columns] > 0.5) > _MOST_STROKES:
        return tr("its ink is a pattern or noise, not a few lines")
    if shapes.scattered > _MOST_SCATTERED or len(shapes.large) > 5:
        return tr("its ink is scattered over {count} shapes", count=len(shapes.cells))
    if shapes.side_by_side:
        return tr("there are several shapes side by side, as of several digits")
    if width > _WIDEST * height:
        return tr("its ink is {width:.1f} times as wide as high", width=width / height)
    if width > 0.4 * height and float(np.mean(ink[rows, columns] > 0.5)) > _FULLEST:
        return tr("its ink fills an area, and draws no lines")
    return ""


def _strokes_across(mask: Array) -> float:
    """How many strokes the middle row or column meets, whichever meets more."""
    return max(float(np.median((np.diff(mask, axis=axis, prepend=False) & mask).sum(axis=axis))) for axis in (0, 1))
