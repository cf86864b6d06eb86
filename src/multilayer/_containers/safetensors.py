"""Safetensors files: arrays under their names behind a header of JSON, with nothing in them that could be run."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from multilayer._containers.errors import refusing
from multilayer._containers.files import open_to_read
from multilayer._containers.stored import MOST_JSON, Stored, declared, parse_json
from multilayer._system.atomic import replaced
from multilayer.functional import Array

_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",  # the upper half of a float32
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
_METADATA = "__metadata__"
_LONGEST_NAME = 2000
_MOST_ARRAYS = 20_000  # a network of a thousand layers has some thousands


def write(path: str | os.PathLike[str], arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Writes named arrays to a safetensors file, which appears whole or not at all.

    Args:
        path: Where to.
        arrays: Arrays of numbers under their names.
        metadata: What else the file is to say, in text.

    Raises:
        ImportError: The safetensors library is not installed.
        ValueError: There are no arrays: the library would write a file that cannot be read again.
        OSError: The folder is missing or not writable, or the disk is full; what was there is as it was.
    """
    try:
        from safetensors.numpy import save
    except ImportError as error:
        raise ImportError(
            "A safetensors file is written by the library of that name. Install it with `pip install safetensors`."
        ) from error
    if not arrays:
        raise ValueError(f"There are no weights to write to {os.fspath(path)!r}.")
    # The library takes the memory of an array as it lies there, whatever its strides are.
    content = save({name: np.array(array, order="C") for name, array in arrays.items()}, dict(metadata))
    with replaced(path) as file:
        file.write(content)


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[tuple[dict[str, str], dict[str, Stored]]]:
    """The metadata of a safetensors file, and its arrays, to be read one by one while it is open.

    The header is checked before anything is read by it: the arrays fill the file, one after the other, without a hole
    and without an overlap. Numbers of 16 bits in the brain's format ('BF16') are read as float32, which they are the
    upper halves of; NumPy has no such type. To read, no library is needed.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or not such a file.

    Source: https://github.com/huggingface/safetensors, "Format".
    """
    with open_to_read(path) as file, refusing(path):
        header, start = _header(file)
        available = os.fstat(file.fileno()).st_size - start
        metadata = header.pop(_METADATA, {})
        if len(header) > _MOST_ARRAYS:
            raise ValueError(f"it has {len(header):,} arrays, and no model has more than {_MOST_ARRAYS:,}.")
        if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
            raise ValueError("its metadata is not text under names.")
        places = {name: _place(name, entry, available) for name, entry in header.items()}
        _check_places(places, available)
        yield metadata, {name: _stored(file, name, header[name], start + places[name][0]) for name in header}


def _header(file: io.BufferedReader) -> tuple[dict[str, Any], int]:
    """What the header says, and where it ends."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        raise ValueError(
            f"its header is to have {length:,} bytes, and the file has {size:,}: it is no safetensors file."
        )
    if length > MOST_JSON:
        raise ValueError(f"its header has {length:,} bytes, and at most {MOST_JSON:,} are read.")
    header = parse_json(file.read(length), "its header")
    if not isinstance(header, dict):
        raise ValueError("its header is no table of arrays.")
    return header, 8 + length


def _place(name: str, entry: Any, available: int) -> tuple[int, int]:
    """Where an array starts and ends, behind the header."""
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"the name {name[:100]!r}… in its header has {len(name):,} letters, and no weight's has.")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{name[:100]!r} in its header is not described by dtype, shape and data_offsets alone.")
    offsets = entry["data_offsets"]
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(n) is int for n in offsets):
        raise ValueError(f"{name[:100]!r} has no place: {str(offsets)[:100]}.")
    start, stop = offsets
    if not 0 <= start <= stop <= available:
        raise ValueError(f"{name[:100]!r} is to lie from byte {start} to {stop} of {available:,}.")
    return start, stop


def _check_places(places: Mapping[str, tuple[int, int]], available: int) -> None:
    end, before = 0, "its header"
    for name, (start, stop) in sorted(places.items(), key=lambda item: item[1]):
        if start != end:
            what = "a hole" if start > end else "an overlap"
            raise ValueError(f"there is {what} between {before[:100]!r} and {name[:100]!r}.")
        end, before = stop, name
    if end != available:
        raise ValueError(f"behind its arrays there are {available - end:,} bytes that belong to none.")


def _stored(file: io.BufferedReader, name: str, entry: Mapping[str, Any], start: int) -> Stored:
    kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    what = repr(name[:100])
    if not isinstance(kind, str) or kind not in _TYPES:
        raise ValueError(f"{what} is of the type {str(kind)[:100]!r}; known are {', '.join(_TYPES)}.")
    if not isinstance(shape, list):
        raise ValueError(f"{what} has no shape of an array: {str(shape)[:100]}.")
    dtype = np.dtype(_TYPES[kind])
    length = end - begin
    lengths = declared(shape, dtype, length, what)
    if math.prod(lengths) * dtype.itemsize != length:
        raise ValueError(f"{what} of shape {lengths} and type {kind} has {length:,} bytes.")
    if kind == "BF16":
        return Stored(lengths, np.dtype("f4"), lambda: _widened(_values(file, start, length, dtype)).reshape(lengths))
    return Stored(lengths, dtype.newbyteorder("="), lambda: _values(file, start, length, dtype).reshape(lengths))


def _values(file: io.BufferedReader, start: int, length: int, dtype: np.dtype[Any]) -> Array:
    file.seek(start)
    content = bytearray(length)
    if file.readinto(content) != length:
        raise ValueError("it has become shorter while it was read.")
    return np.frombuffer(content, dtype).astype(dtype.newbyteorder("="), copy=False)


def _widened(upper: Array) -> Array:
    return (upper.astype(np.uint32) << 16).view(np.float32)
