"""A data set of a few bytes, an isolated home, and web servers on this machine: what the tests here stand on."""

import gzip
import hashlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.mirrors import Mirror, isolate, serving
from multilayer.datasets.description import Dataset, IdxFile

_IDX_TYPES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}
_NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def _idx_bytes(array: NDArray[Any]) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, _IDX_TYPES[array.dtype.name], array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture(scope="session")
def idx_bytes() -> Callable[[NDArray[Any]], bytes]:
    """Encodes an array as IDX."""
    return _idx_bytes


@dataclass(frozen=True)
class Tiny:
    """A data set like MNIST, but small: its arrays, and its unpacked IDX files by name."""

    arrays: tuple[NDArray[np.uint8], ...]
    contents: dict[str, bytes]

    def description(self, *mirrors: str) -> Dataset:
        files = [
            IdxFile(name, array.shape, hashlib.sha256(self.contents[name]).hexdigest())
            for name, array in zip(_NAMES, self.arrays, strict=True)
        ]
        return Dataset("tiny", tuple(files), mirrors, keras_folder="keras-tiny")

    def packed(self) -> dict[str, bytes]:
        """What a mirror serves: path to body."""
        return {f"/{name}.gz": gzip.compress(content) for name, content in self.contents.items()}

    def write_raw(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.contents.items():
            (folder / name).write_bytes(content)

    def write_packed(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.contents.items():
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))

    def write_archive(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **dict(zip(("x_train", "y_train", "x_test", "y_test"), self.arrays, strict=True)))

    def check(self, splits: Any) -> None:
        """Fails unless these are the data set's arrays."""
        (x_train, y_train), (x_test, y_test) = splits
        for found, expected in zip((x_train, y_train, x_test, y_test), self.arrays, strict=True):
            assert found.dtype == np.uint8
            np.testing.assert_array_equal(found, expected)


def _make_tiny(seed: int) -> Tiny:
    rng = np.random.default_rng(seed)
    shapes = ((6, 2, 3), (6,), (2, 2, 3), (2,))
    arrays = tuple(rng.integers(0, 256, size=shape, dtype=np.uint8) for shape in shapes)
    return Tiny(arrays, {name: _idx_bytes(array) for name, array in zip(_NAMES, arrays, strict=True)})


@pytest.fixture
def tiny() -> Tiny:
    return _make_tiny(seed=1)


@pytest.fixture
def other() -> Tiny:
    """A data set of the same shapes with other values: what is in the second place that is looked at."""
    return _make_tiny(seed=2)


@dataclass(frozen=True)
class Places:
    """The folders in which `tiny` is looked for, in this order."""

    chosen: Path
    cache: Path
    keras: Path


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Empty homes for everything that is looked for, and no proxy between the tests and their servers."""
    isolate(monkeypatch, tmp_path)
    return Places(
        tmp_path / "chosen" / "tiny",
        tmp_path / "multilayer" / "datasets" / "tiny",
        tmp_path / "keras" / "datasets" / "keras-tiny",
    )


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, bytes]], Mirror]]:
    """Starts mirrors; they end with the test."""
    with serving() as start:
        yield start
