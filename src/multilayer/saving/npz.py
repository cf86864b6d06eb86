"""A NumPy archive with one JSON text: arrays under their names, and a config. Never pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from multilayer.functional import Array

_CONFIG = "config.json"
_FORMAT = {"format": "multilayer", "version": 1}


def write(path: str | os.PathLike[str], config: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Writes a config and named arrays to one file.

    The file appears whole or not at all: it is written under another name in the same folder and then renamed.

    Args:
        path: Where to; the name must end in '.npz'.
        config: Plain data that JSON can hold.
        arrays: Arrays of numbers under their names.

    Raises:
        ValueError: The name does not end in '.npz', or an array does not hold real numbers.
        TypeError: The config is not plain data.
        OSError: The folder is missing or not writable.
    """
    from pathlib import Path

    path = Path(path)
    if path.suffix != ".npz":
        raise ValueError(f"A model file's name must end in '.npz'. Received: {str(path)!r}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(path.parent)!r} to write {path.name!r} to.")
    for name, array in arrays.items():
        kind = np.asarray(array).dtype
        if kind.kind not in "fiub":  # anything else NumPy would pickle
            raise ValueError(f"Array {name!r} does not hold real numbers: its type is {kind}.")
    text = np.frombuffer(json.dumps({**_FORMAT, "content": config}, default=_plain).encode(), dtype=np.uint8)
    members: dict[str, Any] = {_CONFIG: text, **arrays}
    partial = path.with_name(f".{path.name}.{os.urandom(8).hex()}.part")
    try:
        with partial.open("xb") as file:
            np.savez(file, **members)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    """A NumPy number as a Python one, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"A config holds plain data; {value!r} is a {type(value).__name__}.")


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Array]]:
    """The config and the named arrays of a file that `write` made.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, or not such a file.
    """
    import zipfile
    from pathlib import Path

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no model file at {str(path)!r}.")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{str(path)!r} is damaged, or no model file of this library: it is no complete archive.")
    broken = (ValueError, KeyError, EOFError, OSError, AttributeError, TypeError, RuntimeError, zipfile.BadZipFile)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        description = json.loads(arrays.pop(_CONFIG).tobytes())
    except broken as error:
        raise ValueError(f"{str(path)!r} is damaged, or no model file of this library: {error}") from error
    if not isinstance(description, dict) or not isinstance(description.get("content"), dict):
        raise ValueError(f"{str(path)!r} is no model file of this library: it holds no config.")
    found = {key: description.get(key) for key in _FORMAT}
    if found != _FORMAT:
        raise ValueError(f"{str(path)!r} is of {found}; this release reads {_FORMAT}.")
    return description["content"], arrays
