"""Photographs of paper: light that is not the same everywhere is taken out, so that ink is what is left.

The paper's own brightness is looked for at each place: what is left of a picture when everything is taken out that is
thinner than a window (a closing, from mathematical morphology). Ink is what is darker than that, in proportion: a
shadow halves paper and ink alike.

Source: Serra, "Image Analysis and Mathematical Morphology", 1982.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from multilayer._pictures.shapes import connected

Array: TypeAlias = NDArray[Any]

_SMALLEST = 64  # pixels a side of what is taken for a photograph
_SIDE = 128  # of the small picture on which the paper is looked for
_WINDOW = 27  # of it; strokes are thinner, and shadows wider
_LIGHT = 118  # a grey value that paper has where it is lit best, and a blackboard nowhere
_EVEN = 40  # grey values from the darkest paper to the lightest; a scan's differ by less
_GRAINS = 3  # standard deviations of grain that are no ink
_MAP, _LONGEST, _FEWEST = 250, 0.6, 10  # cells a side; a shape's share of a side; a digit's cells
_MOST_INK = 0.4  # of a picture
_FAINTEST = 0.12  # of the paper's brightness that ink takes at the least


def evened(pixels: Array) -> list[Array]:
    """What a photograph of unevenly lit paper can be, as light ink on dark, uint8; the likelier first.

    Args:
        pixels: Grey values, uint8 of shape (rows, columns).

    Returns:
        The ink, if it is the darker or the lighter; nothing where the light is even.
    """
    if min(pixels.shape) < _SMALLEST:
        return []
    # Of a photograph of paper some of it is light, whatever the shadows; else it is of a blackboard.
    of_paper = np.percentile(pixels, 90) >= _LIGHT
    found = [_dark_ink(255 - pixels if inverted else pixels) for inverted in (not of_paper, of_paper)]
    return [] if found[0] is None else [np.rint(255 * ink).astype(np.uint8) for ink in found if ink is not None]


def _dark_ink(pixels: Array) -> Array | None:
    """What is darker than the paper around it, from 0 to 1; None where that is even, or without ink."""
    small = _resized(pixels.astype(np.float32), _small(pixels.shape))
    paper = _averaged(_closed(small, _WINDOW), _WINDOW // 3)
    low, high = np.percentile(paper, [1, 99])
    if high - low < _EVEN:
        return None
    whole = np.maximum(_resized(paper, pixels.shape), 8)  # darker than that is all noise
    ink = np.clip(1 - (pixels + _GRAINS * _grain(pixels)) / whole, 0, 1)
    strokes = ink > _FAINTEST
    if not 0 < float(strokes.mean()) < _MOST_INK:
        return None
    full = max(float(np.percentile(ink[strokes], 90)), 2 * _FAINTEST)
    ink = np.where(_of_the_frame(ink > max(full / 2, _FAINTEST)), 0, ink / full)
    return np.minimum(ink, 1)


def _grain(pixels: Array) -> float:
    """The standard deviation of the grain, by the differences of neighbours; on dark paper it would look like ink."""
    return float(np.median(np.abs(np.diff(pixels.astype(np.float32), axis=1)))) / (0.6745 * 2**0.5)


def _of_the_frame(strokes: Array) -> Array:
    """Where shapes lie that are none of a digit's, if there are others.

    They reach the border, as the table beside the paper does, or go through most of the picture: its edge, a line.
    """
    factor = -(-max(strokes.shape) // _MAP)
    rows, columns = (-(-side // factor) for side in strokes.shape)
    padded = np.zeros((rows * factor, columns * factor), bool)
    padded[: strokes.shape[0], : strokes.shape[1]] = strokes
    size = np.array([rows, columns])
    found = np.zeros((rows + 2, columns + 2), bool)
    most = 0
    for cells in connected(np.asarray(padded.reshape(rows, factor, columns, factor).any(axis=(1, 3)))):
        low, high = cells.min(axis=0), cells.max(axis=0) + 1
        if (low == 0).any() or (high == size).any() or (high - low > _LONGEST * size).any():
            for i in range(3):  # with its neighbours
                for j in range(3):
                    found[cells[:, 0] + i, cells[:, 1] + j] = True
        else:
            most = max(most, len(cells))
    if most < _FEWEST:
        return np.zeros_like(strokes)
    whole: Array = np.kron(found[1:-1, 1:-1], np.ones((factor, factor), bool))
    return whole[: strokes.shape[0], : strokes.shape[1]]


def _small(shape: tuple[int, ...]) -> tuple[int, int]:
    share = min(1, _SIDE / max(shape))
    return max(1, round(shape[0] * share)), max(1, round(shape[1] * share))


def _resized(values: Array, shape: tuple[int, ...]) -> Array:
    from PIL import Image

    image = Image.fromarray(values.astype(np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


def _closed(values: Array, window: int) -> Array:
    """The largest value in a window around each place, then the smallest of these: dark things narrower are gone."""
    return -_largest(-_largest(values, window), window)


def _largest(values: Array, window: int) -> Array:
    for axis in (0, 1):
        half = window // 2
        padded = np.pad(values, [(half, half) if axis == a else (0, 0) for a in (0, 1)], mode="edge")
        values = np.lib.stride_tricks.sliding_window_view(padded, window, axis=axis).max(axis=-1)
    return values


def _averaged(values: Array, window: int) -> Array:
    for axis in (0, 1):
        half = window // 2
        padded = np.pad(values, [(half, half) if axis == a else (0, 0) for a in (0, 1)], mode="edge")
        values = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=axis).mean(axis=-1)
    return values
