"""Loads a data set of IDX files: looks where it may lie on this machine, and downloads it where it does not."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from multilayer._language import tr
from multilayer.datasets import download, idx
from multilayer.datasets.description import Dataset, IdxFile
from multilayer.datasets.errors import DatasetUnavailableError
from multilayer.datasets.places import cache_of, corrupt, places_of

Array: TypeAlias = NDArray[np.uint8]
Splits: TypeAlias = tuple[tuple[Array, Array], tuple[Array, Array]]

_ARCHIVE_NAMES = ("x_train", "y_train", "x_test", "y_test")
_NPY_HEADER = 1 << 10  # more bytes than NumPy puts before the values
# What zipfile and NumPy's reader are known to raise over bytes that are not theirs.
_BROKEN_ARCHIVE = (ValueError, KeyError, EOFError, OSError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)


def load(dataset: Dataset[IdxFile], archive: str) -> Splits:
    """Reads a data set from the first place that has it, else downloads it into the cache.

    Args:
        dataset: What to load.
        archive: Name of the `.npz` file in Keras' layout that is read where a place has one.

    Returns:
        `(x_train, y_train), (x_test, y_test)`.

    Raises:
        DatasetCorruptError: A file is there, but broken.
        DatasetUnavailableError: The data set is nowhere, and cannot be downloaded.
    """
    splits = find(dataset, archive)
    if splits is not None:
        return splits
    cache = cache_of(dataset)
    try:
        download.fetch(dataset, cache)
    except OSError as error:
        raise DatasetUnavailableError(_advice(dataset, archive, places_of(dataset), error)) from error
    return _read_files(dataset, [cache / file.name for file in dataset.files])


def find(dataset: Dataset[IdxFile], archive: str) -> Splits | None:
    """Reads a data set from the first place that has it, or gives None where it would have to be downloaded.

    Raises:
        DatasetCorruptError: A file is there, but broken.
    """
    for folder in places_of(dataset):
        splits = _read(dataset, folder, archive)
        if splits is not None:
            return splits
    return None


def _read(dataset: Dataset[IdxFile], folder: Path, archive: str) -> Splits | None:
    """The data set in a folder, or None where something of it is missing."""
    if (folder / archive).is_file():
        return _read_archive(dataset, folder / archive)
    paths = [path for file in dataset.files if (path := file.find(folder)) is not None]
    return _read_files(dataset, paths) if len(paths) == len(dataset.files) else None


def _read_files(dataset: Dataset[IdxFile], paths: Sequence[Path]) -> Splits:
    return _splits([_read_file(file, path) for file, path in zip(dataset.files, paths, strict=True)])


def _read_file(file: IdxFile, path: Path) -> Array:
    with path.open("rb") as stream:
        try:
            return _checked(idx.parse(idx.unpack(stream, file.size)), file)
        except ValueError as error:
            raise corrupt(path, str(error)) from error


def _read_archive(dataset: Dataset[IdxFile], path: Path) -> Splits:
    members = zip(_ARCHIVE_NAMES, dataset.files, strict=True)
    with path.open("rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                return _splits([_read_member(archive, name, file) for name, file in members])
        except _BROKEN_ARCHIVE as error:
            raise corrupt(
                path,
                tr(
                    "expected an archive of {archive_names}; {error}",
                    archive_names=", ".join(_ARCHIVE_NAMES),
                    error=error,
                ),
            ) from error


def _read_member(archive: zipfile.ZipFile, name: str, file: IdxFile) -> Array:
    info = archive.getinfo(f"{name}.npy")
    limit = file.size + _NPY_HEADER
    if info.file_size > limit:  # what it claims is also all that zipfile would unpack
        raise ValueError(
            tr(
                "expected at most {limit:,} bytes of {name}, found {file_size:,}",
                limit=limit,
                name=name,
                file_size=info.file_size,
            )
        )
    content = io.BytesIO(archive.read(info))
    try:
        _check_header(content, file)
        content.seek(0)
        return _checked(np.load(content, allow_pickle=False), file)
    except ValueError:
        raise
    except Exception as error:  # NumPy reads a header as an expression of Python's, and raises what becomes of it
        raise ValueError(
            tr(
                "{name} in it is no array of numbers: {kind}: {error}",
                name=name,
                kind=type(error).__name__,
                error=str(error)[:200],
            )
        ) from error


def _check_header(content: io.BytesIO, file: IdxFile) -> None:
    """Looks at what a header declares before memory is taken for it."""
    version = np.lib.format.read_magic(content)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(content)
    if (shape != file.shape or dtype != np.uint8) and not dtype.hasobject:  # of which NumPy itself says what it is
        raise ValueError(
            tr(
                "expected uint8 of shape {shape}, found {dtype} of shape {got}",
                shape=file.shape,
                dtype=str(dtype)[:100],
                got=str(shape)[:100],
            )
        )


def _checked(array: NDArray[Any], file: IdxFile) -> Array:
    if array.shape != file.shape or array.dtype != np.uint8:
        raise ValueError(
            tr(
                "expected uint8 of shape {shape}, found {dtype} of shape {got}",
                shape=file.shape,
                dtype=array.dtype,
                got=array.shape,
            )
        )
    return array


def _splits(arrays: Sequence[Array]) -> Splits:
    x_train, y_train, x_test, y_test = arrays
    return (x_train, y_train), (x_test, y_test)


def _advice(dataset: Dataset[IdxFile], archive: str, places: Sequence[Path], error: OSError) -> str:
    names = ", ".join(file.name for file in dataset.files)
    looked = "".join(
        tr(
            "\n  {folder} ({found} of its {count} files)",
            folder=folder,
            found=_count(dataset, folder),
            count=len(dataset.files),
        )
        for folder in places
    )
    return tr(
        "{name} is not on this machine and cannot be downloaded: {error}.\nIt was looked for in{looked}\n"
        "Put {names} (each may be .gz) or {archive} into one of these folders, or set MULTILAYER_DATASETS "
        "to a folder whose subfolder {name} holds them. Behind a proxy, set HTTPS_PROXY. Or go on without: "
        "`multilayer.datasets.synthetic_digits` needs no file and no network.",
        name=dataset.name,
        error=error,
        looked=looked,
        names=names,
        archive=archive,
    )


def _count(dataset: Dataset[IdxFile], folder: Path) -> int:
    return sum(file.find(folder) is not None for file in dataset.files)
