"""What is in a model file, of whichever format, without building anything of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from multilayer._containers import hdf5, npz, safetensors
from multilayer._containers.errors import refusing
from multilayer._containers.files import open_to_read, require_file
from multilayer._containers.foreign import recognizing, what_it_is
from multilayer._containers.stored import MOST_JSON, Stored, parse_json
from multilayer._containers.zips import members
from multilayer._names.naming import in_order
from multilayer.saving.formats.keras import archive as keras_archive
from multilayer.saving.formats.onnx import reader as onnx

_LONGEST_NAME = 500  # letters of a name that are shown: each layer of a model within a model has that one's, too


class Entry(NamedTuple):
    """A layer of a description, or an operator of an ONNX graph.

    Attributes:
        name: Its name, behind those of the models that it is in.
        kind: Its class.
        settings: What else is said of it.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]


class Contents(NamedTuple):
    """What a file says of itself. Nothing in it is to be trusted, least of all to be printed as it is.

    Attributes:
        format: What kind of file it is.
        metadata: Who wrote it, of what version, and what else is said of the whole.
        entries: The layers of its description.
        arrays: The arrays, which are read one by one, and only when they are asked for.
        optimizer: What is said of the optimizer.
    """

    format: str
    metadata: Mapping[str, Any]
    entries: list[Entry]
    arrays: Mapping[str, Stored]
    optimizer: Mapping[str, Any]

    @property
    def parameters(self) -> int:
        """The number of all weights; counters, and what an optimizer keeps, are none."""
        return sum(one.size for name, one in self.arrays.items() if one.dtype.kind == "f" and not is_state(name))


def _in_order(arrays: Mapping[str, Stored]) -> dict[str, Stored]:
    return {name: arrays[name] for name in sorted(arrays, key=in_order)}


def is_state(name: str) -> bool:
    """Whether an array of this name is what an optimizer keeps, rather than a weight."""
    return name.startswith(("optimizer/", "optimizer_weights/"))


@contextmanager
def contents(path: str | os.PathLike[str]) -> Iterator[Contents]:
    """What is in a model file; its arrays can be read while it is open.

    The format is told by how the file begins, whatever it is called.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, of no known format, or holds what no model file holds.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "arrays.npz"
        ...     np.savez(path, kernel=np.zeros((3, 2)))
        ...     with contents(path) as found:
        ...         found.format, found.parameters
        ('NumPy arrays', 6)
    """
    with recognizing(path):
        require_file(path)
    with refusing(path), _reader(path)(path) as found:
        yield found


def _reader(path: str | os.PathLike[str]) -> Callable[[str | os.PathLike[str]], Any]:
    with open_to_read(path) as file:
        start, size = file.read(9), os.fstat(file.fileno()).st_size
    if start.startswith(b"PK"):
        with members(path) as found:
            names = set(found)
        if any(name.endswith(".pkl") for name in names):
            raise ValueError(_PICKLE)
        if "config.json" in names:
            return _keras
        return _of_this_library if npz.CONFIG + ".npy" in names else _plain_arrays
    if start.startswith(b"\x89HDF"):
        return _hdf5
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < size:
        return _safetensors
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        raise ValueError(_PICKLE)
    if os.fspath(path).endswith(".onnx"):
        return _onnx
    raise ValueError(what_it_is(path) or f"it begins with {start!r}, as no model file does that is known here.")


_PICKLE = (
    "it is a pickle, which can run anything when it is read, and is not opened. Where PyTorch made it, write "
    "`safetensors.torch.save_file(module.state_dict(), 'module.safetensors')` in a program that trusts it."
)


# --- This library's, and others' arrays -------------------------------------------------------------------------------


@contextmanager
def _of_this_library(path: str | os.PathLike[str]) -> Iterator[Contents]:
    with npz.opened(path) as (config, arrays):
        weights_alone = config.get("kind") == "weights"
        compiled = config.get("compile")
        optimizer = (
            config.get("optimizer") if weights_alone else isinstance(compiled, dict) and compiled.get("optimizer")
        )
        network = config.get("config") or {}
        yield Contents(
            "weights of multilayer (npz)" if weights_alone else "model of multilayer (npz)",
            {"version": 1, "class": config.get("class_name"), "name": network.get("name")},
            list(_layers(network.get("layers", []))),
            arrays,
            _optimizer(optimizer),
        )


@contextmanager
def _plain_arrays(path: str | os.PathLike[str]) -> Iterator[Contents]:
    with npz.arrays_in(path) as arrays:
        yield Contents("NumPy arrays", {}, [], arrays, {})


@contextmanager
def _safetensors(path: str | os.PathLike[str]) -> Iterator[Contents]:
    with safetensors.opened(path) as (metadata, arrays):
        about = {key: value for key, value in metadata.items() if key != "names"}  # which the arrays have
        yield Contents("safetensors", about, [], _in_order(arrays), {})


# --- Keras' -----------------------------------------------------------------------------------------------------------


@contextmanager
def _keras(path: str | os.PathLike[str]) -> Iterator[Contents]:
    with members(path) as found:
        text = found["metadata.json"].read(MOST_JSON) if "metadata.json" in found else b"{}"
    metadata = parse_json(text, "'metadata.json'")
    with keras_archive.opened(path) as (config, root, _):
        yield _described("model of Keras 3 (.keras)", metadata, config, config.get("compile_config"), root)


@contextmanager
def _hdf5(path: str | os.PathLike[str]) -> Iterator[Contents]:
    with keras_archive.opened_hdf5(path) as root:
        texts = {name: root.text(name) for name in ("keras_version", "backend", "model_config", "training_config")}
        metadata = {name: text for name, text in texts.items() if text and not name.endswith("config")}
        config, compiled = (
            parse_json(text.encode(), repr(name)) if (text := texts[name]) else {}
            for name in ("model_config", "training_config")
        )
        kind = "model of Keras (HDF5)" if config else "weights of Keras (HDF5)"
        yield _described(kind, metadata, config, compiled, root)


def _described(kind: str, metadata: Any, config: Any, compiled: Any, root: hdf5.Group) -> Contents:
    network = config.get("config") or {}
    optimizer = compiled.get("optimizer") if isinstance(compiled, dict) else None
    if optimizer is None and isinstance(compiled, dict):
        optimizer = compiled.get("optimizer_config")  # the name in earlier versions
    arrays = {f"{group.path}/{name}".lstrip("/"): one for group in root.walk() for name, one in group.arrays.items()}
    about = {**metadata, "class": config.get("class_name"), "name": network.get("name")}
    layers = list(_layers(network.get("layers", [])))
    return Contents(kind, about, layers, _in_order(arrays), _optimizer(optimizer))


def _optimizer(described: Any) -> Mapping[str, Any]:
    """What is said of an optimizer: its description, or, as in some files, its name alone."""
    if isinstance(described, str):
        return {"class_name": described}
    return described if isinstance(described, dict) else {}


# --- Descriptions -----------------------------------------------------------------------------------------------------


def _layers(described: Iterable[Any], inside: str = "") -> Iterator[Entry]:
    """The layers of a description in Keras' form, those of a model within it behind the model's name."""
    for one in described:
        if not isinstance(one, dict) or not isinstance(one.get("config"), dict):
            raise ValueError(f"{str(one)[:200]!r} in it describes no layer.")
        config = one["config"]
        name = f"{inside}{config.get('name', '')}"
        name = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
        kind = one.get("registered_name") or one.get("class_name")
        if isinstance(config.get("layers"), list):
            yield Entry(name, str(kind), {})
            yield from _layers(config["layers"], f"{name}/")
        else:
            yield Entry(name, str(kind), {key: value for key, value in config.items() if _tells(key, value)})


def _tells(key: str, value: Any) -> bool:
    """Whether an argument says what the layer computes, rather than how it is trained or what it is not."""
    if key in ("name", "trainable", "dtype") or key.endswith(("_initializer", "_regularizer", "_constraint")):
        return False
    return value is not None and value is not False and not isinstance(value, dict)


@contextmanager
def _onnx(path: str | os.PathLike[str]) -> Iterator[Contents]:
    with onnx.opened(path) as (about, nodes, arrays):
        yield Contents("ONNX", about, [Entry(name, kind, {}) for name, kind in nodes], arrays, {})
