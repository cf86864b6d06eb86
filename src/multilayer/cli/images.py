"""Images of digits: read from files, and brought to the size that a network takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from multilayer.datasets import idx

Array: TypeAlias = NDArray[Any]

_FAINTEST_INK = 32  # grey values between ink and its background; paper that was scanned varies by less
_GZIP, _IDX = b"\x1f\x8b", b"\0\0"


class DigitImage(NamedTuple):
    """What to call it, and its grey values, uint8 of shape (rows, columns)."""

    name: str
    pixels: Array


def read(path: Path) -> list[DigitImage]:
    """Reads the images in a file: any number from IDX (raw or gzip), one from PNG and whatever else Pillow reads.

    Raises:
        OSError: The file cannot be read.
        ValueError: It holds no images, or broken ones.
    """
    with path.open("rb") as file:
        start = file.read(2)
    if start not in (_GZIP, _IDX):
        return [DigitImage(str(path), _read_with_pillow(path))]
    images = idx.read(path)
    if images.ndim != 3 or images.dtype != np.uint8 or images.size == 0:
        raise ValueError(
            f"{path}: expected images, bytes of shape (n, rows, columns); the file holds {images.dtype} of shape "
            f"{images.shape}."
        )
    return [DigitImage(f"{path}[{i}]", image) for i, image in enumerate(images)]


def _read_with_pillow(path: Path) -> Array:
    """The grey values of an image; where it is transparent, white paper shows."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.mode.startswith("I"):  # 16 bit, which Pillow would clip
                return (np.asarray(image) // 257).astype(np.uint8)
            coloured = image.convert("RGBA")
    except UnidentifiedImageError:
        raise ValueError(f"{path} is neither a picture (PNG) nor an IDX file.") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # as Pillow's readers raise
        raise ValueError(f"{path} is broken: {error}.") from error
    paper = Image.new("RGBA", coloured.size, "white")
    return np.asarray(Image.alpha_composite(paper, coloured).convert("L"))


def fit(images: Sequence[DigitImage], side: int, invert: bool) -> Array:
    """The images as uint8 of shape (n, side, side), light ink on dark, resized without changing their proportions."""
    return np.stack([_fit(255 - pixels if invert else pixels, side) for _, pixels in images])


def _fit(pixels: Array, side: int) -> Array:
    from PIL import Image, ImageOps

    if pixels.shape == (side, side):
        return pixels
    return np.asarray(ImageOps.pad(Image.fromarray(pixels), (side, side), color=background(pixels)))


def is_blank(pixels: Array) -> bool:
    """Whether an image holds no ink: all of it has nearly the same grey value."""
    return int(np.ptp(pixels)) < _FAINTEST_INK


def background(pixels: Array) -> int:
    """The grey value of an image's background: the median along its border."""
    return int(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])))
