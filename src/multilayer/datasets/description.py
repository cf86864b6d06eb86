"""What the parts of a data set are called, how long they are, and where they are published."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Generic, Protocol, TypeVar

from multilayer.datasets import idx

_GZIP_OVERHEAD = 1 << 16  # more than gzip adds to data of our sizes that it cannot shrink
_KERAS_DATASETS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


class PublishedFile(Protocol):
    """A file as somebody publishes it, and how to know that it is that one.

    Attributes:
        name: Its name here.
        address: Its name there, behind a mirror's address.
        size: Bytes of what is kept here, at most.
        limit: Bytes that are received, at most.
    """

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def limit(self) -> int: ...

    def find(self, folder: Path) -> Path | None:
        """Where the file lies in a folder, or None."""

    def verified(self, body: BinaryIO) -> bytes:
        """What is kept of the bytes that came; raises ValueError where they are not the published ones."""


File = TypeVar("File", bound=PublishedFile, covariant=True)


@dataclass(frozen=True)
class WholeFile:
    """One file that is kept as it is published, under the same name.

    Attributes:
        name: Its name.
        size: The most bytes that it may have: a round number above what it has.
        digest: Its SHA-256 in hexadecimal; its MD5 where nothing better is published.
    """

    name: str
    size: int
    digest: str

    @property
    def address(self) -> str:
        """Behind a mirror's address, the name itself."""
        return self.name

    @property
    def limit(self) -> int:
        """Bytes that are received, at most: those of the file."""
        return self.size

    def find(self, folder: Path) -> Path | None:
        """Where the file lies in a folder, or None."""
        path = folder / self.name
        return path if path.is_file() else None

    def verified(self, body: BinaryIO) -> bytes:
        """The bytes of a file, where they are the published ones.

        Raises:
            ValueError: They are not.
        """
        data = body.read(self.size + 1)
        if len(data) > self.size:
            raise ValueError(f"expected at most {self.size:,} bytes, found more")
        check_digest(data, self.digest)
        return data


def check_digest(data: bytes, digest: str) -> None:
    """Raises ValueError where bytes have another digest, SHA-256 or MD5 by its length."""
    kind, compute = ("SHA-256", hashlib.sha256) if len(digest) == 64 else ("MD5", hashlib.md5)
    found = compute(data, usedforsecurity=len(digest) == 64).hexdigest()
    if found != digest:
        raise ValueError(f"expected bytes of {kind} {digest}, found {found}")


@dataclass(frozen=True)
class IdxFile:
    """One IDX file of bytes.

    Attributes:
        name: Its name, unpacked; packed, `.gz` follows.
        shape: The shape of the array in it.
        sha256: The SHA-256 of the unpacked file in hexadecimal. The gzip around it differs between mirrors.
    """

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def size(self) -> int:
        """Bytes of the unpacked file: the header, then one for each value."""
        return 4 + 4 * len(self.shape) + math.prod(self.shape)

    @property
    def address(self) -> str:
        """Behind a mirror's address: it is published packed."""
        return f"{self.name}.gz"

    @property
    def limit(self) -> int:
        """Bytes that are received, at most."""
        return self.size + _GZIP_OVERHEAD

    def verified(self, body: BinaryIO) -> bytes:
        """The unpacked bytes of a file, where they are the published ones.

        Raises:
            ValueError: They are not.
        """
        data = idx.unpack(body, self.size)
        check_digest(data, self.sha256)
        return data

    def find(self, folder: Path) -> Path | None:
        """Where the file lies in a folder, unpacked or packed, or None.

        Who passes MNIST on gives the files other names: `train-images.idx3-ubyte`, a folder of the file's name around
        it (Kaggle does both), or a folder `raw` around all of them (torchvision).
        """
        names = (self.name, self.name.replace("-idx", ".idx"))
        return next(
            (
                path
                for place in (folder, folder / "raw")
                for around in (place, *(place / name for name in names))
                for name in names
                for path in (around / name, around / f"{name}.gz")
                if path.is_file()
            ),
            None,
        )


@dataclass(frozen=True)
class Dataset(Generic[File]):
    """Files that make a data set, or a part of one that is wanted by itself.

    Attributes:
        name: The name of its module here, and of its folder.
        files: The files; where they are of IDX, x_train, y_train, x_test, y_test.
        mirrors: Addresses to which a file's name and `.gz` are joined, the best first.
        keras_folder: Where Keras' own cache keeps it, beneath `datasets`.
        torch_folder: The folder that torchvision makes for it.
    """

    name: str
    files: tuple[File, ...]
    mirrors: tuple[str, ...]
    keras_folder: str = ""
    torch_folder: str = ""


def mnist_like(
    name: str,
    digests: tuple[str, str, str, str],
    mirrors: tuple[str, ...],
    keras_folder: str = "",
    torch_folder: str = "",
) -> Dataset[IdxFile]:
    """A data set in the form that MNIST gave to many: the same four file names, the same shapes."""
    x_train, y_train, x_test, y_test = digests
    files = (
        IdxFile("train-images-idx3-ubyte", (60000, 28, 28), x_train),
        IdxFile("train-labels-idx1-ubyte", (60000,), y_train),
        IdxFile("t10k-images-idx3-ubyte", (10000, 28, 28), x_test),
        IdxFile("t10k-labels-idx1-ubyte", (10000,), y_test),
    )
    return Dataset(name, files, mirrors, keras_folder, torch_folder)


def as_keras_has_it(name: str, file: str, size: int, digest: str) -> Dataset[WholeFile]:
    """A data set of one file, or one file of it, that Keras publishes and keeps in its cache under the same name."""
    return Dataset(name, (WholeFile(file, size, digest),), (_KERAS_DATASETS,))
