"""The files of Keras 3: the `.keras` archive of a model, and the `.weights.h5` file of weights alone."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from multilayer import _version
from multilayer._containers import hdf5
from multilayer._containers.errors import refusing
from multilayer._containers.files import open_to_read
from multilayer._containers.npz import plain
from multilayer._containers.stored import MOST_JSON, parse_json
from multilayer._containers.zips import Member, members
from multilayer._names import keras_forms
from multilayer._system.atomic import replaced
from multilayer.functional import Array

# The version of Keras whose files these are; it reads them on any backend.
KERAS_VERSION = "3.15.0"
_METADATA, _CONFIG, _WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
_ASSETS = "assets/"
_MOST_RATIO = 10  # Keras does not compress, and weights hardly shrink where somebody else did
_HDF5 = b"\x89HDF\r\n\x1a\n"

# Groups of weights: where they stand, the name of whose they are, and the arrays, in their order or by name.
Weights = Iterable[tuple[str, str, Sequence[Array] | Mapping[str, Array]]]


def write(
    path: str | os.PathLike[str], config: Mapping[str, Any], weights: Weights, assets: Mapping[str, bytes]
) -> None:
    """Writes a `.keras` archive, which appears whole or not at all.

    Args:
        path: Where to.
        config: The model, described as Keras does.
        weights: See `Weights`.
        assets: What layers keep in files of their own, by the names of these.
    """
    metadata = {
        "keras_version": KERAS_VERSION,
        "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S"),
        "written_by": f"multilayer {_version.__version__}",
    }
    text = json.dumps(keras_forms.as_policies(config), default=plain)
    packed = _packed(weights)
    with replaced(path) as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_METADATA, json.dumps(metadata))
        archive.writestr(_CONFIG, text)
        archive.writestr(_WEIGHTS, packed)
        for name, content in assets.items():
            archive.writestr(_ASSETS + name, content)


def write_weights(path: str | os.PathLike[str], weights: Weights) -> None:
    """Writes a `.weights.h5` file, which appears whole or not at all."""
    packed = _packed(weights)
    with replaced(path) as file:
        file.write(packed)


def _packed(weights: Weights) -> memoryview:
    """Weights in the bytes of an HDF5 file, made in memory: h5py itself opens nothing."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            "Files for Keras, `.keras` and `.weights.h5`, are written with h5py, which is not installed: `pip install "
            "h5py`. They are read without it, and `.npz` files need NumPy alone."
        ) from error

    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=("earliest", "v110")) as file:
        for place, name, arrays in weights:
            group = file.create_group(f"{place}/vars" if place else "vars")
            group.attrs["name"] = name
            named = arrays.items() if isinstance(arrays, Mapping) else enumerate(arrays)
            for name_of, array in named:
                group.create_dataset(str(name_of), data=array)
    return memory.getbuffer()


def is_hdf5(path: str | os.PathLike[str]) -> bool:
    """Whether a file is in the form of '.h5', whatever it is called: '.keras' was until Keras 2.12."""
    with _existing(path) as start:
        return start.startswith(_HDF5)


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[tuple[dict[str, Any], hdf5.Group, dict[str, Member]]]:
    """The description of a model in a `.keras` archive, its weights and its assets, to be read while it is open.

    Which Keras wrote it is in the description, too, as `keras_version`.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or no such archive.
    """
    with refusing(path), members(path) as found:
        if _CONFIG not in found:
            npz = "an '.npz' file, by its content: rename it" if f"{_CONFIG}.npy" in found else "no file of Keras"
            raise ValueError(f"it is {npz}: it holds no {_CONFIG!r}.")
        if _WEIGHTS not in found:
            raise ValueError(f"it holds no {_WEIGHTS!r}.")
        config = parse_json(found[_CONFIG].read(MOST_JSON), repr(_CONFIG))
        if not isinstance(config, dict):
            raise ValueError(f"its {_CONFIG!r} describes no model.")
        weights = _unpacked(found[_WEIGHTS])
        about = parse_json(found[_METADATA].read(MOST_JSON), repr(_METADATA)) if _METADATA in found else None
        version = about.get("keras_version") if isinstance(about, dict) else None
        config = {**config, "keras_version": version}
        assets = {name.removeprefix(_ASSETS): one for name, one in found.items() if name.startswith(_ASSETS)}
        yield config, hdf5.tree(io.BytesIO(weights), len(weights)), assets


def _unpacked(member: Member) -> bytes:
    packed = member.info.compress_size
    if member.size > _MOST_RATIO * packed + 2**20:
        raise ValueError(f"{_WEIGHTS!r} in it unpacks from {packed:,} bytes to {member.size:,}: no weights do.")
    return member.read(member.size)


@contextmanager
def opened_hdf5(path: str | os.PathLike[str]) -> Iterator[hdf5.Group]:
    """What is in an HDF5 file, to be read while it is open.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or holds what Keras does not write.
    """
    with _existing(path) as start, refusing(path):
        if start.startswith(b"PK"):
            raise ValueError("it is a zip archive, as '.keras' and '.npz' files are. Rename it.")
        with open_to_read(path, "model file") as file:
            yield hdf5.tree(file, os.fstat(file.fileno()).st_size)


@contextmanager
def _existing(path: str | os.PathLike[str]) -> Iterator[bytes]:
    """The first bytes of a file."""
    with open_to_read(path, "model file") as file:
        start = file.read(8)
    yield start
