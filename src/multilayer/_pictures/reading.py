"""Images of digits: read from files and bytes that are believed nothing."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from multilayer._language import tr
from multilayer.datasets import idx

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Array: TypeAlias = NDArray[Any]

# Pillow would look at a file with every reader that it has, and one of them (EPS) starts Ghostscript.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
MOST_PIXELS = 50_000_000  # what a telephone takes; a file of 20 KB can claim ten times as many
_LONGEST_SIDE = 65_535  # of a JPEG; Pillow keeps a pointer for each row, which are more than the pixels of a thin one
_ENOUGH = 1000  # pixels a side that are looked at: fifty for each that a network gets
_FAINTEST_INK = 32  # grey values between ink and its background; paper that was scanned varies by less
_GZIP, _IDX = b"\x1f\x8b", b"\0\0"
# A progressive JPEG comes in ten scans or so, each of which goes over all pixels in as few as 20 bytes: a megabyte
# could keep a decoder busy for minutes. Within compressed data the two bytes cannot stand.
_JPEG, _SCAN, _MOST_SCANS = b"\xff\xd8", b"\xff\xda", 100


class DigitImage(NamedTuple):
    """An image as it was read.

    Attributes:
        name: What to call it.
        pixels: Its grey values, uint8 of shape (rows, columns).
        turned: Whether it was turned upright, as the camera noted in its EXIF data.
        prepared: Whether it comes from a data set's file, whose images are as networks take them.
        size: Its width and height before it was made smaller to be looked at.
    """

    name: str
    pixels: Array
    turned: bool = False
    prepared: bool = False
    size: tuple[int, int] | None = None


def read(path: Path) -> list[DigitImage]:
    """Reads the images in a file: any number from IDX (raw or gzip), one from PNG, JPEG, BMP, GIF, TIFF or WebP.

    Raises:
        OSError: The file cannot be read.
        ValueError: It holds no images, broken ones, or more pixels than any picture of a digit has.
    """
    if path.exists() and not path.is_file() and not path.is_dir():  # a device has no end, and a pipe may never begin
        raise ValueError(tr("{path} is no plain file. Expected a picture or an IDX file.", path=path))
    with path.open("rb") as file:
        start = file.read(2)
    if start not in (_GZIP, _IDX):
        return [_unpacked(path, str(path), FORMATS, MOST_PIXELS)]
    images = idx.read(path)
    if images.ndim != 3 or images.dtype != np.uint8 or images.size == 0:
        raise ValueError(
            tr(
                "{path}: expected images, bytes of shape (n, rows, columns); the file holds {dtype} of shape {shape}.",
                path=path,
                dtype=images.dtype,
                shape=images.shape,
            )
        )
    return [DigitImage(f"{path}[{i}]", image, prepared=True) for i, image in enumerate(images)]


def decode(data: bytes, name: str, formats: tuple[str, ...] = FORMATS, most_pixels: int = MOST_PIXELS) -> DigitImage:
    """The picture that some bytes are, such as those that came with a request.

    Args:
        data: The bytes of a file.
        name: What to call it in messages.
        formats: Pillow's names of the formats that it may have.
        most_pixels: How many pixels it may declare; one of more is not unpacked.

    Raises:
        ValueError: It is no picture, a broken one, or has too many pixels.
    """
    if data.count(_SCAN) > _MOST_SCANS and data.startswith(_JPEG):
        raise ValueError(
            tr("{name} is broken: it is a JPEG of more than {most_scans} scans.", name=name, most_scans=_MOST_SCANS)
        )
    return _unpacked(BytesIO(data), name, formats, most_pixels)


def _unpacked(source: Path | BytesIO, name: str, formats: tuple[str, ...], most_pixels: int) -> DigitImage:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():  # Pillow warns of sizes that are refused here, and of metadata that is not used
            warnings.simplefilter("ignore")
            with Image.open(source, formats=formats) as image:  # reads the header alone
                _check_size(name, image.size, most_pixels)
                size = image.size
                image.draft("L", (_ENOUGH, _ENOUGH))  # a JPEG is not even unpacked in full
                orientation = image.getexif().get(_ORIENTATION, 1)
                turned = orientation in range(2, 9)
                # It gives a copy in any case, and a large picture takes a hundred megabytes as it is.
                upright = ImageOps.exif_transpose(image) if turned else image
                if orientation in range(5, 9):  # on its side
                    size = size[::-1]
                return DigitImage(name, _grey_values(upright), turned, size=size)
    except UnidentifiedImageError:
        raise ValueError(tr("{name} is {formats}.", name=name, formats=_expected(formats))) from None
    except Image.DecompressionBombError:  # Pillow's own bound, which lies higher
        raise _too_large(name, most_pixels) from None
    except (TooLargeError, IsADirectoryError, PermissionError):
        raise
    except Exception as error:  # whatever a decoder raises at bytes that are not its own
        raise ValueError(tr("{name} is broken: {error}.", name=name, error=error)) from error


def _expected(formats: tuple[str, ...]) -> str:
    if formats == FORMATS:
        return tr("neither a picture (PNG, JPEG, BMP, GIF, TIFF, WebP) nor an IDX file")
    return tr("no picture. Expected {formats}", formats=" or ".join(formats))


_ORIENTATION = 0x0112  # EXIF's tag


class TooLargeError(ValueError):
    """A picture declares more pixels than any that is read."""


def _check_size(name: str, size: tuple[int, int], most_pixels: int) -> None:
    if size[0] * size[1] > most_pixels:
        raise _too_large(name, most_pixels)
    if max(size) > _LONGEST_SIDE:
        raise TooLargeError(
            tr(
                "{name} says that it has {width:,} x {height:,} pixels, and is not unpacked. Expected a picture "
                "of digits, of {longest_side:,} pixels a side at most.",
                name=name,
                width=size[0],
                height=size[1],
                longest_side=_LONGEST_SIDE,
            )
        )


def _too_large(name: str, most_pixels: int) -> TooLargeError:
    return TooLargeError(
        tr(
            "{name} says that it has more than {most_pixels} million pixels, and is not unpacked. Expected a "
            "picture of digits. Scale it down.",
            name=name,
            most_pixels=most_pixels // 1000000,
        )
    )


def _grey_values(image: Picture) -> Array:
    """The grey values, uint8, of a picture that is not larger than needed; paper shows where it is transparent."""
    if image.mode.startswith("I") or image.mode == "F":  # more than a byte a pixel, which Pillow would clip
        return _in_bytes(np.asarray(image.resize(_enough(image.size)) if max(image.size) > _ENOUGH else image))
    if not image.has_transparency_data:
        grey = image.convert("L")
        return np.asarray(grey.resize(_enough(grey.size), reducing_gap=2.0) if max(grey.size) > _ENOUGH else grey)
    coloured = image if image.mode == "RGBA" else image.convert("RGBA")
    if max(coloured.size) > _ENOUGH:
        coloured = coloured.resize(_enough(coloured.size), reducing_gap=2.0)
    alpha = np.asarray(coloured.getchannel("A"), np.float32) / 255
    ink = np.asarray(coloured.convert("L"), np.float32)
    return np.rint(ink * alpha + _paper(ink, alpha) * (1 - alpha)).astype(np.uint8)


def _enough(size: tuple[int, int]) -> tuple[int, int]:
    share = _ENOUGH / max(size)
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def _in_bytes(values: Array) -> Array:
    """Grey values of 16 or 32 bits as bytes."""
    values = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    top = 65535 if values.min() >= 0 and 1 < values.max() <= 65535 else max(float(values.max()), 1e-30)
    return (values.clip(0) * (255 / top)).astype(np.uint8)


def _paper(ink: Array, alpha: Array) -> float:
    """The grey value of the paper that a transparent picture lies on: what its ink can be seen on.

    A picture that is opaque nearly everywhere brings its paper along.
    """
    opaque = alpha > 0.5
    if np.mean(opaque) > 0.8:
        return float(np.median(ink[opaque]))
    return 0.0 if float((ink * alpha).sum()) > 127 * float(alpha.sum()) else 255.0


def fit(images: Sequence[DigitImage], side: int, invert: bool) -> Array:
    """The images as uint8 of shape (n, side, side), resized without changing their proportions, and nothing else."""
    return np.stack([resized(255 - image.pixels if invert else image.pixels, side) for image in images])


def resized(pixels: Array, side: int) -> Array:
    """An image as uint8 of shape (side, side), its proportions kept by more of its background."""
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
