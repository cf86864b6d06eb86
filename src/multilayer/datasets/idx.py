"""IDX, the file format of MNIST: a header with type and shape, then the values; every number is big-endian.

| bytes | meaning |
|---|---|
| 2 | zero |
| 1 | type of the values: 08 unsigned byte, 09 signed byte, 0B int16, 0C int32, 0D float32, 0E float64 |
| 1 | number of dimensions |
| 4 each | length of each dimension |
| the rest | the values, the last dimension running fastest |

Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", http://yann.lecun.com/exdb/mnist/.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

_GZIP = b"\x1f\x8b"
_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_LIMIT = 1 << 30  # bytes; twenty times MNIST. A small gzip file can claim to unpack to more than memory holds.


def read(path: Path) -> Array:
    """Reads an IDX file, raw or gzip; which of the two is seen from its first bytes, not from its name.

    Args:
        path: The file. It may unpack to 1 GiB at most.

    Returns:
        The values, in the file's type and shape, as an array of one's own (writable, native byte order).

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no IDX file, or truncated, or longer than its header says.

    Example:
        >>> images = read(Path("t10k-images-idx3-ubyte.gz"))  # doctest: +SKIP
        >>> images.shape  # doctest: +SKIP
        (10000, 28, 28)
    """
    try:
        with path.open("rb") as file:
            return parse(unpack(file, _LIMIT))
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error


def unpack(file: BinaryIO, limit: int) -> bytes:
    """The bytes of a file, unpacked where it is gzip.

    Args:
        file: The open file; it must be seekable.
        limit: The most bytes to give. No more is ever unpacked, however much the file claims to hold.

    Raises:
        ValueError: The gzip stream is broken, or there is more than `limit`.

    Example:
        >>> import io
        >>> unpack(io.BytesIO(gzip.compress(b"seven")), limit=5)
        b'seven'
    """
    packed = file.read(2) == _GZIP
    file.seek(0)
    try:
        data = gzip.GzipFile(fileobj=file).read(limit + 1) if packed else file.read(limit + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"expected a whole gzip stream, found a broken one ({error})") from error
    if len(data) > limit:
        raise ValueError(f"expected at most {limit:,} bytes, found more")
    return data


def parse(data: bytes) -> Array:
    """The array that the bytes of an IDX file describe.

    Raises:
        ValueError: They are not those of an IDX file, or too few or too many for the shape that they state.

    Example:
        >>> parse(bytes.fromhex("0000 08 02  00000002 00000003  010203 040506"))
        array([[1, 2, 3],
               [4, 5, 6]], dtype=uint8)
    """
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _TYPES:
        raise ValueError(f"expected IDX, which begins with 00 00 and a type 08 to 0e, found {data[:4].hex(' ')!r}")
    dtype, dimensions = np.dtype(_TYPES[data[2]]), data[3]
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise ValueError(f"expected {start} bytes of header, found {len(data)}")
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    size = start + math.prod(shape) * dtype.itemsize
    if len(data) != size:
        raise ValueError(f"expected {size:,} bytes for {dtype.name} of shape {shape}, found {len(data):,}")
    return np.frombuffer(data, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))
