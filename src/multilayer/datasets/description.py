"""What the parts of a data set are called, how long they are, and where they are published."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path


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
class Dataset:
    """Images and labels to train on, and others to test on.

    Attributes:
        name: The name of its module here, and of its folder.
        files: x_train, y_train, x_test, y_test.
        mirrors: Addresses to which a file's name and `.gz` are joined, the best first.
        keras_folder: Where Keras' own cache keeps it, beneath `datasets`.
        torch_folder: The folder that torchvision makes for it.
    """

    name: str
    files: tuple[IdxFile, IdxFile, IdxFile, IdxFile]
    mirrors: tuple[str, ...]
    keras_folder: str = ""
    torch_folder: str = ""


def mnist_like(
    name: str,
    digests: tuple[str, str, str, str],
    mirrors: tuple[str, ...],
    keras_folder: str = "",
    torch_folder: str = "",
) -> Dataset:
    """A data set in the form that MNIST gave to many: the same four file names, the same shapes."""
    x_train, y_train, x_test, y_test = digests
    files = (
        IdxFile("train-images-idx3-ubyte", (60000, 28, 28), x_train),
        IdxFile("train-labels-idx1-ubyte", (60000,), y_train),
        IdxFile("t10k-images-idx3-ubyte", (10000, 28, 28), x_test),
        IdxFile("t10k-labels-idx1-ubyte", (10000,), y_test),
    )
    return Dataset(name, files, mirrors, keras_folder, torch_folder)
