"""ONNX files: what is in one, read from the bytes themselves, so that a small file cannot become a large memory.

ONNX's own library builds an object for every message, of a hundred times the bytes that the message has in the file.

Source: https://protobuf.dev/programming-guides/encoding and onnx.proto of https://github.com/onnx/onnx.
"""

from __future__ import annotations

import io
import math
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from multilayer._containers.errors import refusing
from multilayer._containers.files import open_to_read
from multilayer._containers.stored import Stored, declared
from multilayer.functional import Array

_MOST_FIELDS, _MOST_NUMBERS = 300_000, 2**20
_WINDOW = 2**16  # bytes that are read at once where it is not known how many are wanted
_TYPES = {1: "f4", 2: "u1", 3: "i1", 4: "u2", 5: "i2", 6: "i4", 7: "i8", 9: "?", 10: "f2", 11: "f8", 12: "u4", 13: "u8"}
_NUMBER, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5  # how a field is written
_OUTSIDE = 1

Message: TypeAlias = "dict[int, list[Any]]"  # what a message has under the numbers of its fields: ints and bytes


class Proto(NamedTuple):
    """What an ONNX file says of itself.

    Attributes:
        about: Who wrote it, for which operators, and what else is said of the whole.
        nodes: The name and the kind of each operator.
        arrays: The constants, among them the weights.
    """

    about: dict[str, Any]
    nodes: list[tuple[str, str]]
    arrays: dict[str, Stored]


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Proto]:
    """What is in an ONNX file, whose arrays can be read while it is open. Other files that it names are not.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or not such a file.
    """
    with open_to_read(path) as file, refusing(path):
        data = _Bytes(file)
        if not len(data):
            raise ValueError("it is empty.")
        yield _proto(_Reader(data))


def _proto(reader: _Reader) -> Proto:
    model = reader.message(0, len(reader.data))
    if 1 not in model or len(model[7]) != 1:
        raise ValueError("it is no ONNX file: it has no version, or no graph.")
    graph = reader.within(model[7][0])
    operators = [(reader.text(one, 1) or "ai.onnx", reader.within(one)[2]) for one in model[8]]
    about = {
        "written by": " ".join(reader.decoded(one) for number in (2, 3) for one in model[number]),
        "IR version": model[1][-1],
        "operators": ", ".join(f"{domain} {version[-1] if version else '?'}" for domain, version in operators),
        "name": "".join(reader.decoded(one) for one in graph[2]),
        "inputs": [_port(reader, one) for one in graph[11]],
        "outputs": [_port(reader, one) for one in graph[12]],
        **{reader.text(one, 1): reader.text(one, 2) for one in model[14]},
    }
    nodes = []
    for one in graph[1]:
        domain = reader.text(one, 7)
        nodes.append((reader.text(one, 3), f"{domain}.{reader.text(one, 4)}" if domain else reader.text(one, 4)))
    arrays: dict[str, Stored] = {}
    for one in graph[5]:
        name, stored = _array(reader, reader.within(one))
        if name in arrays:
            raise ValueError(f"it has {name[:100]!r} twice.")
        arrays[name] = stored
    return Proto(about, nodes, arrays)


def _port(reader: _Reader, place: slice) -> str:
    """'x (batch, 784)': an input's or an output's name and shape."""
    sides = [
        side[-1] if (side := reader.within(dim)[1]) else reader.text(dim, 2) or "?"
        for kind in reader.within(place)[2]
        for tensor in reader.within(kind)[1]
        for shape in reader.within(tensor)[2]
        for dim in reader.within(shape)[1]
    ]
    return f"{reader.text(place, 1)} ({', '.join(map(str, sides))})"


def _array(reader: _Reader, tensor: Message) -> tuple[str, Stored]:
    name = "".join(reader.decoded(one) for one in tensor[8])
    what = repr(name[:100])
    kind = tensor[2][-1] if tensor[2] else 0
    if kind not in _TYPES:
        raise ValueError(f"{what} is of the type that ONNX numbers {kind}, which is not known here.")
    dtype = np.dtype(_TYPES[kind])
    if len(tensor[1]) > 64 or any(isinstance(one, slice) and one.stop - one.start > 1000 for one in tensor[1]):
        raise ValueError(f"{what} has no shape of an array.")
    shape = [n for one in tensor[1] for n in (reader.numbers(one) if isinstance(one, slice) else [one])]
    if _OUTSIDE in tensor[14]:

        def outside() -> Array:
            raise ValueError(f"{what} lies in another file, which is not opened.")

        return name, Stored(declared(shape, dtype, 2**63, what), dtype, outside)
    as_bytes = [one for number in (9, *((4,) if kind == 1 else (10,) if kind == 11 else ())) for one in tensor[number]]
    as_numbers = [one for number in (5, 7, 11) for one in tensor[number]]
    if len(as_bytes) + len(as_numbers) > 1 or not all(isinstance(one, slice) for one in as_bytes + as_numbers):
        raise ValueError(f"{what} has its numbers in several pieces.")
    (place,) = as_bytes or as_numbers or [slice(0, 0)]
    there = (place.stop - place.start) * (1 if as_bytes else dtype.itemsize)
    lengths = declared(shape, dtype, there, what)
    if as_bytes and math.prod(lengths) * dtype.itemsize != there:
        raise ValueError(f"{what} of shape {lengths} has {there:,} bytes.")

    def read() -> Array:
        values = np.frombuffer(reader.data.piece(place), dtype) if as_bytes else np.array(reader.numbers(place))
        if values.size != math.prod(lengths):
            raise ValueError(f"{what} of shape {lengths} has {values.size:,} numbers.")
        return values.astype(dtype.newbyteorder("=")).reshape(lengths)

    return name, Stored(lengths, dtype, read)


class _Bytes:
    """The bytes of a file, one by one or as a piece, of which no more is in memory than a window and that piece.

    The file is read, not mapped: where one that is mapped is cut by somebody else, the system ends the process.
    """

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._start, self._window = 0, b""

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, at: int) -> int:
        if not 0 <= at - self._start < len(self._window):
            self._start, self._window = at, self.piece(slice(at, min(at + _WINDOW, self._size)))
        return self._window[at - self._start]

    def piece(self, place: slice) -> bytes:
        """The bytes from one place to another, which lie within the file."""
        self._file.seek(place.start)
        found = self._file.read(place.stop - place.start)
        if len(found) < place.stop - place.start:
            raise ValueError("it has become shorter while it was read.")
        return found


class _Reader:
    """Messages of protocol buffers in bytes: fields by number, each a whole number or a place."""

    def __init__(self, data: _Bytes) -> None:
        self.data = data
        self._left = _MOST_FIELDS

    def within(self, place: Any) -> Message:
        """The message that a field is."""
        if not isinstance(place, slice):
            raise ValueError("it is no ONNX file: a number is where a message should be.")
        return self.message(place.start, place.stop)

    def text(self, place: slice, number: int) -> str:
        """The text under a number of the message at a place, '' where there is none."""
        found = self.within(place)[number]
        return self.decoded(found[-1]) if found else ""

    def decoded(self, place: Any) -> str:
        """The text at a place."""
        if not isinstance(place, slice) or place.stop - place.start > 2**16:
            raise ValueError("it is no ONNX file: a name in it is none.")
        return str(self.data.piece(place).decode("utf-8"))

    def numbers(self, place: slice) -> list[int]:
        """The whole numbers that lie end to end at a place."""
        if place.stop - place.start > _MOST_NUMBERS:
            raise ValueError(f"it has more than {_MOST_NUMBERS:,} whole numbers in one place.")
        piece = self.data.piece(place)
        found, at = [], 0
        while at < len(piece):
            value, at = _number(piece, at, len(piece))
            found.append(value)
        return found

    def message(self, start: int, stop: int) -> Message:
        """The fields of the message from one byte to another."""
        found: Message = defaultdict(list)
        at = start
        while at < stop:
            self._left -= 1
            if self._left < 0:
                raise ValueError(f"it has more than {_MOST_FIELDS:,} parts, and no model has.")
            key, at = _number(self.data, at, stop)
            value: Any = None
            if key & 7 == _NUMBER:
                value, at = _number(self.data, at, stop)
            else:
                length = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(key & 7)
                if key & 7 == _BYTES:
                    length, at = _number(self.data, at, stop)
                if length is None or length < 0 or at + length > stop:
                    raise ValueError("it is no ONNX file, or is cut off.")
                value, at = slice(at, at + length), at + length
            found[key >> 3].append(value)
        return found


def _number(data: bytes | _Bytes, at: int, stop: int) -> tuple[int, int]:
    """A whole number of up to 64 bits, with its sign, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= stop:
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            value &= 2**64 - 1
            return (value - 2**64 if value >= 2**63 else value), at
    raise ValueError("it is no ONNX file, or is cut off.")
