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
_EVEN = 40  # grey values from the darkest paper to the lightest; a scan's differ by less
_FAINTEST = 0.12  # of the paper's brightness, that ink takes at the least


def evened(pixels: Array) -> Array | None:
    """A photograph as light ink on dark, uint8; None where its paper is evenly lit, or no paper is found.

    Args:
        pixels: Grey values, uint8 of shape (rows, columns).
    """
    if min(pixels.shape) < _SMALLEST:
        return None
    small = _resized(pixels.astype(np.float32), _small(pixels.shape))
    dark_ink = _ink_is_dark(small)
    if not dark_ink:
        small, pixels = 255 - small, 255 - pixels
    paper = _averaged(_closed(small, _WINDOW), _WINDOW // 3)
    low, high = np.percentile(paper, [2, 98])
    if high - low < _EVEN:
        return None
    whole = np.maximum(_resized(paper, pixels.shape), 8)  # darker than that is all noise
    ink = np.clip(1 - pixels / whole, 0, 1)
    strokes = ink > _FAINTEST
    if not strokes.any():
        return None
    full = max(float(np.percentile(ink[strokes], 90)), 2 * _FAINTEST)
    ink = np.where(_of_the_frame(ink > max(full / 2, _FAINTEST)), 0, ink / full)
    return np.rint(255 * np.minimum(ink, 1)).astype(np.uint8)


def _ink_is_dark(small: Array) -> bool:
    """Whether what stands out from its surroundings, which is less than they are, is darker than they."""
    rise = small - _averaged(small, _WINDOW)
    return float((rise**3).mean()) < 0


def _of_the_frame(strokes: Array) -> Array:
    """Where shapes lie that reach the border, such as the table beside the paper, if there are others."""
    factor = -(-max(strokes.shape) // 250)
    rows, columns = (-(-side // factor) for side in strokes.shape)
    padded = np.zeros((rows * factor, columns * factor), bool)
    padded[: strokes.shape[0], : strokes.shape[1]] = strokes
    shapes = connected(padded.reshape(rows, factor, columns, factor).any(axis=(1, 3)))
    last = np.array([rows - 1, columns - 1])
    touching = [cells for cells in shapes if (cells == 0).any() or (cells == last).any()]
    inner = max((len(cells) for cells in shapes if not ((cells == 0).any() or (cells == last).any())), default=0)
    found = np.zeros((rows + 2, columns + 2), bool)
    if inner >= 10:
        for cells in touching:
            for i in range(3):
                for j in range(3):
                    found[cells[:, 0] + i, cells[:, 1] + j] = True
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
