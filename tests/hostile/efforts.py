"""Hostile sizes: files of a few kilobytes, or some megabytes, that ask for more time or memory than any model's."""

from __future__ import annotations

import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hostile.containers import npy, safetensors
from hostile.whole import DENSE, argument_becomes, kind, layer_becomes, repacked, with_config


def _inputs(*sides: int) -> Callable[[dict[str, Any]], object]:
    """Gives the network's input other sides."""
    return lambda config: config["config"]["layers"][0]["config"].update(batch_shape=[None, *sides])


@kind
def names_of_megabytes(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Names that nobody has, so long that to look for the nearest known one, or to say them, takes for ever."""
    source = whole["model.keras"]
    yield layer_becomes(source, folder / "class.keras", class_name="dense_relu" * 350_000)
    yield argument_becomes(source, folder / "activation.keras", activation="relu_" * 10_000)
    yield argument_becomes(source, folder / "escaped.keras", activation="\u0007" * 600_000)
    yield argument_becomes(source, folder / "wide.keras", activation="n" * 3_500_000 + "\U0001f600")
    with zipfile.ZipFile(source) as archive:
        config = json.loads(archive.read("config.json"))
    config["config"]["layers"][DENSE]["config"]["activation"] = "n" * 4_000_000 + "\U0001f600"
    text = json.dumps(config, ensure_ascii=False)
    yield repacked(source, folder / "wide_as_it_is.keras", **{"config.json": text})


@kind
def headers_that_match_in_many_ways(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Headers of arrays that keep a careless pattern busy: digits without a comma, and no end."""
    for shape in ("1" * 60 + "x", "1, " * 3000 + "x", "1" * 9000):
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}"
        for name in ("model.npz", "model.weights.npz"):
            path = folder / f"{len(shape)}-{name}"
            yield repacked(whole[name], path, **{"weights/0.npy": npy(header, bytes(48))})


def _shrinking(size: int) -> bytes:
    """Bytes that deflate packs to somewhat more than a hundredth."""
    piece = np.random.default_rng(0).bytes(1024)
    return (piece + bytes(89 * 1024)) * (size // (90 * 1024) + 1)


@kind
def arrays_of_zeros(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Arrays that were packed to little, and a config that asks for as many weights as are in them, or more."""
    for type_, size, units in (("|u1", 1, 8_000_000), ("<f2", 2, 6_000_000), ("<f4", 4, 2_000_000)):
        with zipfile.ZipFile(whole["model.npz"]) as archive:
            contents = {info.filename: archive.read(info) for info in archive.infolist()}
        start = contents["config.json.npy"].index(b"\n") + 1
        described = json.loads(contents["config.json.npy"][start:])
        described["content"]["config"]["layers"][DENSE]["config"]["units"] = units
        text = json.dumps(described).encode()
        contents["config.json.npy"] = npy(
            f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(text)},), }}", text
        )
        header = f"{{'descr': '{type_}', 'fortran_order': False, 'shape': (4, {units}), }}"
        contents["weights/0.npy"] = npy(header, _shrinking(4 * units * size)[: 4 * units * size])
        path = folder / f"{size}.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
        yield path


@kind
def members_without_end(folder: Path, whole: dict[str, Path]) -> Path:
    """A list of 150,000 empty members, each of which Python describes by an object."""
    path = folder / "x.keras"
    content = bytearray(whole["model.keras"].read_bytes())
    end = content.index(b"PK\5\6")
    size, start = struct.unpack_from("<LL", content, end + 12)
    listed = b"".join(b"PK\1\2" + bytes(24) + struct.pack("<H16x", 6) + b"%06d" % i for i in range(150_000))
    content[end:end] = listed
    struct.pack_into("<LL", content, len(content) - 10, size + len(listed), start)
    path.write_bytes(content)
    return path


@kind
def work_for_initializers(folder: Path, whole: dict[str, Path]) -> Path:
    """First values that are costly to find, and that the file's own would replace."""
    orthogonal = {"module": "keras.initializers", "class_name": "Orthogonal", "config": {}, "registered_name": None}

    def change(config: dict[str, Any]) -> None:
        _inputs(1000)(config)
        config["config"]["layers"][DENSE]["config"].update(units=1000, kernel_initializer=orthogonal)

    return with_config(whole["model.keras"], folder / "x.keras", change)


@kind
def sides_without_end(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Arrays of hundred thousand sides, and of sides of thousands of digits, whose product takes for ever."""
    layers: dict[str, dict[str, Any]] = {
        "Flatten": {},
        "Normalization": {"axis": list(range(1, 60_000))},
        "LayerNormalization": {"axis": list(range(1, 60_000))},
        "Reshape": {"target_shape": [10**4000] * 900},
        "CategoryEncoding": {"num_tokens": 10**4000},
    }
    sides = {"many": [2] * 60_000, "long": [10**4000] * 900, "both": [2**60] * 150_000, "few": [4]}
    for of_inputs, given in sides.items():
        for name, arguments in layers.items():
            if of_inputs == "few" and name not in ("Reshape", "CategoryEncoding"):
                continue

            def change(
                config: dict[str, Any], given: list[int] = given, name: str = name, arguments: Any = arguments
            ) -> None:
                _inputs(*given)(config)
                config["config"]["layers"][DENSE] = {
                    "module": "keras.layers",
                    "class_name": name,
                    "config": {"name": "dense", **arguments},
                    "registered_name": None,
                }

            yield with_config(whole["model.keras"], folder / f"{of_inputs}-{name}.keras", change)


@kind
def layers_without_end(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Forty thousand layers in a row, with names and without."""
    for name in ("named", "unnamed"):

        def change(config: dict[str, Any], named: bool = name == "named") -> None:
            layers = [
                {"class_name": "Activation", "config": {"activation": "relu", **({"name": f"a{i}"} if named else {})}}
                for i in range(40_000)
            ]
            config["config"]["layers"][DENSE:] = layers

        yield with_config(whole["model.keras"], folder / f"{name}.keras", change)


def _nested(levels: int, calls: int) -> dict[str, Any]:
    """A model that calls a model so many times, which calls a model so many times, and so on."""
    name = "layer0"
    layer: dict[str, Any] = {"class_name": "Activation", "config": {"name": name, "activation": "relu"}}
    for level in range(1, levels + 1):
        histories = [["in", 0, 0], *([name, number, 0] for number in range(calls))]
        tensors = [
            {"class_name": "__keras_tensor__", "config": {"shape": [None, 4], "dtype": "float32", "keras_history": one}}
            for one in histories
        ]
        entry = {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [None, 4]}}
        nodes = [{"args": [tensor], "kwargs": {}} for tensor in tensors[:-1]]
        layers = [{**entry, "name": "in", "inbound_nodes": []}, {**layer, "name": name, "inbound_nodes": nodes}]
        name = f"layer{level}"
        config = {"name": name, "layers": layers, "input_layers": [["in", 0, 0]], "output_layers": [histories[-1]]}
        layer = {"module": "keras", "class_name": "Functional", "config": config, "registered_name": "Functional"}
    return layer


@kind
def models_that_call_each_other_twice(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Models in models, each called several times: a description of few lines, and 2^26 calls."""
    for levels, calls in ((26, 2), (16, 2), (3, 200)):
        nested = _nested(levels, calls)
        yield with_config(
            whole["model.keras"],
            folder / f"in-{levels}.keras",
            lambda config, nested=nested: config["config"]["layers"].insert(DENSE, nested),
        )
        yield with_config(
            whole["model.keras"], folder / f"as-{levels}.keras", lambda config, nested=nested: config.update(nested)
        )


@kind
def structures_of_many_parts(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """HDF5: headers of a million empty parts, lists that name one group thousands of times, texts that are all one."""
    head = b"\x89HDF\r\n\x1a\n" + bytes([2, 8, 8, 0])
    parts = bytes(3_000_000)
    again = struct.pack("<BHBQQ", 0x10, 16, 0, 58, len(parts))  # goes on where it began
    for name, body in (("once", parts), ("again", 5 * again + parts)):
        header = b"OHDR" + bytes([2, 2]) + struct.pack("<I", len(body)) + body + bytes(4)
        addresses = struct.pack("<QQQQ", 0, 2**64 - 1, 48 + len(header), 48)
        path = folder / f"{name}.weights.h5"
        path.write_bytes(head + addresses + bytes(4) + header)
        yield path
    path = folder / "lists.weights.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("dense")
        group["kernel"] = np.zeros((4, 3), "float32")
        for number in range(4):
            file.attrs[f"layer_names{number}"] = np.array([b"dense"] * 8000)
            group.attrs[f"weight_names{number}"] = np.array([b"kernel"] * 8000)
    yield path
    path = folder / "texts.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{}"
        names = np.array([f"L{i:04}" for i in range(4000)], h5py.string_dtype())
        file.create_group("model_weights").attrs["layer_names"] = names
        file.attrs["long"] = "z" * 3_000_000
    content = bytearray(path.read_bytes())
    at = content.index(struct.pack("<I", 3_000_000))
    long = content[at : at + 16]
    pattern = re.compile(re.escape(struct.pack("<I", 5)) + rb"(.{8})....", re.DOTALL)
    references = [
        match
        for match in pattern.finditer(bytes(content))
        if content.startswith(b"GCOL", min(int.from_bytes(match[1], "little"), len(content)))
    ]
    assert len(references) > 3000
    for match in references:
        content[match.start() : match.end()] = long
    path.write_bytes(content)
    yield path


@kind
def names_of_many_numbers(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Names in safetensors and archives that are taken apart into numbers for sorting."""
    header = {"1_" * 200_000 + str(i): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(4)}
    yield safetensors(folder / "x.safetensors", header)
    with zipfile.ZipFile(folder / "x.weights.npz", "w") as archive:
        for i in range(30):
            archive.writestr(
                "1_" * 30_000 + f"{i}.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }")
            )
    yield folder / "x.weights.npz"


@kind
def names_that_cannot_be_printed(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Layers whose names are commands to a terminal, no text, or places in a tree."""
    for i, name in enumerate(("\x1b[2J", "\0", "\ud800", "a/b", "\u202e", 7)):
        yield argument_becomes(whole["model.keras"], folder / f"{i}.keras", name=name)
