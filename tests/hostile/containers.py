"""Hostile containers: archives, HDF5, arrays of NumPy and safetensors that are not what they say."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hostile.whole import (
    kind,
    repacked,
    replaced_dataset,
    with_weights,
)

# --- Archives ---


@kind
def bombs(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A config, an asset, weights that unpack to a gigabyte."""
    zeros = bytes(2**20)
    for name in ("config.json", "metadata.json", "assets/asset", "model.weights.h5"):
        path = folder / f"{name.replace('/', '-')}.keras"
        with zipfile.ZipFile(whole["model.keras"]) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for info in old.infolist():
                if info.filename != name:
                    new.writestr(info.filename, old.read(info))
            with new.open(name, "w", force_zip64=True) as member:
                for _ in range(300):
                    member.write(zeros)
        yield path


@kind
def members_that_overlap(folder: Path, whole: dict[str, Path]) -> Path:
    """Thousands of entries in the table of contents that share one packed member."""
    content = zipfile.ZipFile(whole["model.keras"]).read("model.weights.h5")
    path = folder / "x.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/0", content)
        first = archive.infolist()[0]
        for i in range(1, 2000):
            twin = zipfile.ZipInfo(f"assets/{i}")
            for attribute in ("compress_type", "CRC", "compress_size", "file_size", "header_offset", "flag_bits"):
                setattr(twin, attribute, getattr(first, attribute))
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
        archive._didModify = True
    return path


@kind
def members_twice(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Two members of one name: which is checked, and which is loaded?"""
    for name in ("config.json", "model.weights.h5"):
        path = repacked(whole["model.keras"], folder / f"{name}.keras")
        with zipfile.ZipFile(path, "a") as archive:
            content = archive.read(name)
            archive.filelist[-1], archive.NameToInfo = archive.filelist[-1], {}  # so that it does not warn
            archive.writestr(name, content)
        yield path


@kind
def encrypted_members(folder: Path, whole: dict[str, Path]) -> Path:
    """A member that says it is encrypted."""
    content = bytearray(whole["model.keras"].read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    (folder / "x.keras").write_bytes(content)
    return folder / "x.keras"


# --- HDF5 ---


@kind
def external_links(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A weight that is a link into another file."""
    with h5py.File(folder / "other.h5", "w") as other:
        other["secret"] = np.ones((4, 3), "float32")

    def change(file: h5py.File) -> None:
        replaced_dataset(
            file, lambda group, name: group.__setitem__(name, h5py.ExternalLink(str(folder / "other.h5"), "/secret"))
        )

    yield from with_weights(folder, whole, change)


@kind
def soft_links(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A weight that is a link to another place of the file."""
    yield from with_weights(
        folder,
        whole,
        lambda file: replaced_dataset(
            file, lambda group, name: group.__setitem__(name, h5py.SoftLink("/layers/dense/vars/1"))
        ),
    )


@kind
def external_storage(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A weight whose numbers lie in another file."""
    (folder / "raw").write_bytes(bytes(48))

    def make(group: h5py.Group, name: str) -> None:
        group.create_dataset(name, (4, 3), "float32", external=[(str(folder / "raw"), 0, 48)])

    yield from with_weights(folder, whole, lambda file: replaced_dataset(file, make))


@kind
def virtual_datasets(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A weight that is put together from another file."""
    with h5py.File(folder / "other.h5", "w") as other:
        other["secret"] = np.ones((4, 3), "float32")

    def make(group: h5py.Group, name: str) -> None:
        layout = h5py.VirtualLayout((4, 3), "float32")
        layout[:] = h5py.VirtualSource(folder / "other.h5", "secret", (4, 3))
        group.create_virtual_dataset(name, layout)

    yield from with_weights(folder, whole, lambda file: replaced_dataset(file, make))


@kind
def shapes_beyond_the_file(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Weights of 2**50 numbers, and of just under 4 GiB, of which the file holds none."""
    for i, shape in enumerate(((2**50,), (2**30 - 1,), (2**15, 2**15))):
        (folder / str(i)).mkdir()

        def make(group: h5py.Group, name: str, shape: tuple[int, ...] = shape) -> None:
            group.create_dataset(name, shape, "float32", chunks=(1024,) * len(shape))

        yield from with_weights(folder / str(i), whole, lambda file, make=make: replaced_dataset(file, make))


@kind
def packed_zeros(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A weight of a gigabyte of zeros that HDF5 itself has packed, and an archive's config that asks for it."""

    def make(group: h5py.Group, name: str) -> None:
        data = group.create_dataset(name, (250, 2**20), "float32", chunks=(1, 2**20), compression="gzip")
        packed = zlib.compress(bytes(4 * 2**20), 4)  # a row as HDF5 packs it, once for all of them
        for row in range(250):
            data.id.write_direct_chunk((row, 0), packed)

    weights, archive = with_weights(folder, whole, lambda file: replaced_dataset(file, make))
    yield weights
    yield archive


@kind
def other_types_in_hdf5(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Weights of texts, objects, references, compounds, complex numbers."""
    complex_numbers = np.ones((4, 3), "complex64")
    makers: list[Callable[[h5py.Group, str], object]] = [
        lambda group, name: group.create_dataset(name, (4, 3), h5py.string_dtype()),
        lambda group, name: group.create_dataset(name, (4, 3), h5py.vlen_dtype(np.float32)),
        lambda group, name: group.create_dataset(name, (4, 3), h5py.ref_dtype),
        lambda group, name: group.create_dataset(name, (4, 3), [("a", "f4"), ("b", "f4")]),
        lambda group, name: group.create_dataset(name, data=complex_numbers),
        lambda group, name: group.create_dataset(name, data=np.full((4, 3), b"x", "S4")),
        lambda group, name: group.create_group(name),
    ]
    for i, make in enumerate(makers):
        (folder / str(i)).mkdir()
        yield from with_weights(folder / str(i), whole, lambda file, make=make: replaced_dataset(file, make))


@kind
def groups_in_circles(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A group that holds itself, and groups nested without end."""
    (folder / "deep").mkdir()
    yield from with_weights(folder, whole, lambda file: file["layers"].__setitem__("again", file["/"]))
    yield from with_weights(folder / "deep", whole, lambda file: file.create_group("a/" * 5000))


@kind
def attributes_without_end(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A legacy file whose config, an attribute, is no config, runs code, or asks for what is not there."""
    network = {"class_name": "Sequential", "config": {"name": "m", "layers": []}}
    dense = {"class_name": "Dense", "config": {"name": "dense", "units": 3_000_000_000, "batch_input_shape": [None, 4]}}
    code = {
        "class_name": "Lambda",
        "config": {"name": "dense", "function": ["YQ==", None, None], "function_type": "lambda"},
    }
    configs = {
        "empty": "{}",
        "deep": "[" * 60_000,
        "large": json.dumps({**network, "config": {"name": "m", "layers": [dense]}}),
        "code": json.dumps({**network, "config": {"name": "m", "layers": [code]}}),
    }
    for name, text in configs.items():
        path = folder / f"{name}.h5"
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = text
            file.create_group("model_weights").attrs["layer_names"] = ["dense"]
        yield path


# --- NumPy ---


def npy(header: str, values: bytes = b"") -> bytes:
    """An array as NumPy writes it, with any header."""
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text + values


@kind
def headers_of_arrays(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Headers that declare 2**50 numbers, run on for megabytes, or are expressions."""
    headers = {
        "large": "{'descr': '<f4', 'fortran_order': False, 'shape': (1125899906842624,), }",
        "almost": "{'descr': '<f4', 'fortran_order': False, 'shape': (1073741823,), }",
        "negative": "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
        "long": "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }" + " " * 20_000_000,
        "deep": "(" * 200_000,
        "expression": "__import__('os').system('touch /tmp/multilayer-was-run')",
        "object": "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        "void": "{'descr': '|V1073741824', 'fortran_order': False, 'shape': (1,), }",
        "none": "",
    }
    for name, header in headers.items():
        for file in ("model.npz", "model.weights.npz"):
            content = npy(header, bytes(48))
            yield repacked(whole[file], folder / f"{name}-{file}", **{"weights/0.npy": content})


# --- safetensors ---


def safetensors(path: Path, header: Any, values: bytes = b"", length: int | None = None) -> Path:
    """A file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + values)
    return path


@kind
def headers_of_safetensors(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Tensors that overlap, leave holes, run over, end elsewhere; headers past the end, with a name twice, too deep."""

    def entry(shape: list[Any], begin: Any, end: Any, dtype: Any = "F32") -> dict[str, Any]:
        return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}

    values = bytes(96)
    headers: dict[str, Any] = {
        "overlap": {"a": entry([12], 0, 48), "b": entry([12], 24, 72), "c": entry([6], 72, 96)},
        "hole": {"a": entry([6], 0, 24), "b": entry([12], 48, 96)},
        "overflow": {"a": entry([2**32, 2**32, 3], 0, 96)},
        "overflow_of_bytes": {"a": entry([2**62], 0, 96)},
        "past_the_end": {"a": entry([2**40], 0, 2**42)},
        "negative": {"a": entry([-24], 0, 96)},
        "backwards": {"a": entry([24], 96, 0)},
        "float_shape": {"a": entry([24.0], 0, 96)},
        "text_offsets": {"a": entry([24], "0", "96")},
        "unknown_type": {"a": entry([24], 0, 96, "F31")},
        "list_type": {"a": entry([24], 0, 96, ["F32"])},
        "no_object": [1, 2, 3],
        "twice": json.dumps({"a": entry([24], 0, 96), "b": entry([24], 0, 96)}).replace('"b"', '"a"').encode(),
        "deep": b"[" * 200_000,
        "metadata_of_objects": {"__metadata__": {"a": {"b": 1}}, "a": entry([24], 0, 96)},
    }
    for name, header in headers.items():
        yield safetensors(folder / f"{name}.safetensors", header, values)
    for name, length in (("header_past_the_end", 10**6), ("header_of_2_62", 2**62), ("header_of_0", 0)):
        yield safetensors(folder / f"{name}.safetensors", {"a": entry([24], 0, 96)}, values, length)


# --- Values, and ends ---


@kind
def weights_that_are_no_numbers(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """NaN and infinity in a weight, in every format."""
    for value in (np.nan, np.inf):
        place = folder / str(value)
        place.mkdir()

        def make(group: h5py.Group, name: str, value: float = value) -> None:
            group[name] = np.full((4, 3), value, "float32")

        yield from with_weights(place, whole, lambda file, make=make: replaced_dataset(file, make))
        for name in ("model.npz", "model.weights.npz"):
            with np.load(whole[name]) as archive:
                arrays = dict(archive)
            arrays["weights/0"] = np.full((4, 3), value, "float32")
            np.savez(place / name, **arrays)
            yield place / name
        content = bytearray(whole["model.safetensors"].read_bytes())
        content[-4:] = np.float32(value).tobytes()
        (place / "model.safetensors").write_bytes(content)
        yield place / "model.safetensors"


@kind
def truncated(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Every format, cut off at fifty places."""
    for name, source in whole.items():
        content = source.read_bytes()
        for i in range(50):
            path = folder / f"{i}-{name}"
            path.write_bytes(content[: len(content) * i // 50])
            yield path
        path = folder / f"last-{name}"
        path.write_bytes(content[:-1])
        yield path


# What is read under the other name as well: '.keras' was the form of '.h5' before Keras 2.12, and the weights of a
# model's file are read alone.
READ_AS = {("model.h5", "model.keras"), ("model.npz", "model.weights.npz")}


@kind
def other_formats(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Every format under the name of every other."""
    for name in whole:
        for other, source in whole.items():
            if (other, name) not in READ_AS and other.removeprefix("model.") != name.removeprefix("model."):
                path = folder / f"{other.replace('.', '-')}-as-{name}"
                path.write_bytes(source.read_bytes())
                yield path
