"""A NumPy archive with one JSON text: arrays under their names, and a config. Never pickle."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import numpy as np

from multilayer._containers.errors import refusing
from multilayer._containers.files import require_file
from multilayer._containers.stored import MOST_JSON, Stored, declared, finite, parse_json
from multilayer._containers.zips import Member, members
from multilayer._system.atomic import replaced
from multilayer.functional import Array

CONFIG = "config.json"
_FORMAT = {"format": "multilayer", "version": 1}
_LONGEST_HEADER = 10_000
# Of the header of an array nothing is evaluated: it is in just the form that NumPy writes.
_HEADER = re.compile(
    r"\{'descr': '([<>|][fiub]\d{1,2})', 'fortran_order': (False|True), 'shape': \(((?:\d+, ?)*\d*)\), \} *\n", re.ASCII
)


def write(path: str | os.PathLike[str], config: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Writes a config and named arrays to one file, which appears whole or not at all.

    Args:
        path: Where to; the name must end in '.npz'.
        config: Plain data that JSON can hold.
        arrays: Arrays of numbers under their names.

    Raises:
        ValueError: The name does not end in '.npz', or an array does not hold real numbers.
        TypeError: The config is not plain data.
        OSError: The folder is missing or not writable, or the disk is full; what was there is as it was.
    """
    name = os.fspath(path)
    if not name.endswith(".npz"):
        raise ValueError(f"A model file's name must end in '.npz'. Received: {name!r}")
    folder, file_name = os.path.split(name)
    if folder and not os.path.isdir(folder):  # noqa: PTH112 - `Path.is_dir` raises where `folder` lies in one that may not be entered
        raise FileNotFoundError(f"There is no folder {folder!r} to write {file_name!r} to.")
    for key, array in arrays.items():
        kind = np.asarray(array).dtype
        if kind.kind not in "fiub":  # anything else NumPy would pickle
            raise ValueError(f"Array {key!r} does not hold real numbers: its type is {kind}.")
    import json  # only here: `import multilayer` is quick

    text = np.frombuffer(json.dumps({**_FORMAT, "content": config}, default=plain).encode(), dtype=np.uint8)
    contents: dict[str, Any] = {CONFIG: text, **arrays}
    with replaced(path) as file:
        np.savez(file, **contents)


def plain(value: Any) -> Any:
    """A NumPy number as a Python one, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"A config holds plain data; {value!r} is a {type(value).__name__}.")


@contextmanager
def arrays_in(path: str | os.PathLike[str]) -> Iterator[dict[str, Stored]]:
    """The arrays of any NumPy archive by name, to be read one by one while it is open; a config is one of them.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or not such a file.
    """
    require_file(path, "model file")
    with refusing(path), members(path) as found:
        other = next((name for name in found if not name.endswith(".npy")), None)
        if other is not None:
            raise ValueError(f"it is no file of this library, and no archive of arrays: it holds {other[:100]!r}.")
        yield {name.removesuffix(".npy"): _stored(name, member) for name, member in found.items()}


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[tuple[dict[str, Any], dict[str, Stored]]]:
    """The config of a file that `write` made, and its arrays, to be read one by one while it is open.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or not such a file.
    """
    with arrays_in(path) as arrays:
        if CONFIG not in arrays:
            raise ValueError("it is no model file of this library: it holds no config.")
        text = arrays.pop(CONFIG)
        if text.nbytes > MOST_JSON:
            raise ValueError(f"its config has {text.nbytes:,} bytes, and at most {MOST_JSON:,} are read.")
        description = parse_json(text.read().tobytes(), "its config")
        if not isinstance(description, dict) or not isinstance(description.get("content"), dict):
            raise ValueError("it is no model file of this library: it holds no config.")
        version = {key: description.get(key) for key in _FORMAT}
        if version != _FORMAT:
            raise ValueError(f"it is of {version}; this release reads {_FORMAT}.")
        yield description["content"], arrays


def read(path: str | os.PathLike[str], allow_nonfinite: bool = False) -> tuple[dict[str, Any], dict[str, Array]]:
    """The config and the named arrays of a file that `write` made.

    Args:
        path: The file.
        allow_nonfinite: Whether arrays may hold NaN and infinity.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or not such a file.
    """
    with opened(path) as (config, stored):
        arrays = {name: one.read() for name, one in stored.items()}
        return config, arrays if allow_nonfinite else {name: finite(a, repr(name)) for name, a in arrays.items()}


def _stored(name: str, member: Member) -> Stored:
    """What the header of an array says: NumPy's format 1.0, or 2.0 with its longer header."""
    with member.open() as file:
        dtype, fortran, shape, start = _header(name, file)
    lengths = declared(shape, dtype, member.size - start, repr(name))

    def read_values() -> Array:
        with member.open() as file:
            file.read(start)
            values = np.frombuffer(file.read(), dtype)  # all of it: the checksum is looked at when the end is reached
        array = values.reshape(lengths, order="F" if fortran else "C")
        return array.astype(dtype.newbyteorder("="), order="C")

    stored = Stored(lengths, dtype, read_values)
    if stored.nbytes != member.size - start:
        raise ValueError(f"{name!r} in it has {member.size - start:,} bytes for an array of {stored.nbytes:,}.")
    return stored


def _header(name: str, file: IO[bytes]) -> tuple[np.dtype[Any], bool, tuple[int, ...], int]:
    """Type, order, shape, and where the values start."""
    lengths = {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4}.get(file.read(8))
    if lengths is None:
        raise ValueError(f"{name[:100]!r} in it is no array.")
    length = int.from_bytes(file.read(lengths), "little")
    text = file.read(length).decode("latin1") if length <= _LONGEST_HEADER else ""
    match = _HEADER.fullmatch(text)
    if match is None:
        raise ValueError(f"{name[:100]!r} in it has a header that is not that of an array of numbers.")
    descr, fortran, shape = match.groups()
    dtype = np.dtype(descr)
    return dtype, fortran == "True", tuple(int(n) for n in re.findall(r"\d+", shape)), 8 + lengths + length
