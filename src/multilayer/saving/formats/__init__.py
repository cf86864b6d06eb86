"""Which functions write and read files, by the endings of their names.

A format's module is imported when a file of it is met, so that `import multilayer` is quick.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeAlias

from multilayer._containers.names import by_suffix, check_model_name, check_weights_name
from multilayer.layers import Layer
from multilayer.optimizers import Optimizer
from multilayer.saving.formats.contents import Content, Fit

Path: TypeAlias = str | os.PathLike[str]
Opened: TypeAlias = Callable[[Path], AbstractContextManager[Content]]

# A module of this package, and what is in it for files of that ending.
_MODELS_WRITTEN = {".keras": ("keras.files", "save"), ".npz": ("npz", "save")}
_MODELS_READ = {
    ".keras": ("keras.files", "opened"),
    ".npz": ("npz", "opened"),
    ".h5": ("keras.files", "opened_legacy"),
    ".hdf5": ("keras.files", "opened_legacy"),
}
_WEIGHTS_WRITTEN = {
    ".weights.h5": ("keras.files", "save_weights"),
    ".weights.npz": ("npz", "save_weights"),
    ".safetensors": ("safetensors", "save"),
}
_WEIGHTS_READ = {
    ".npz": ("npz", "opened_weights"),
    ".safetensors": ("safetensors", "opened"),
    ".keras": ("keras.files", "opened_weights"),
    ".h5": ("keras.files", "opened_weights"),
    ".hdf5": ("keras.files", "opened_weights"),
}


def model_writer(path: Path) -> Callable[[Path, Any], None]:
    """What writes a model to a file of this name; ValueError where nothing does."""
    check_model_name(path)
    return _function(by_suffix(_MODELS_WRITTEN, path, "models"))


def weights_writer(path: Path, objects_to_skip: Iterable[Any] | None = None) -> Callable[[Path, Any], None]:
    """What writes a model's weights to a file of this name, all or all but some; ValueError where nothing does."""
    check_weights_name(path)
    write = _function(by_suffix(_WEIGHTS_WRITTEN, path, "weights"))
    skipped = _skipped(path, objects_to_skip)
    return partial(write, skipped=skipped) if skipped else write


def model_reader(path: Path) -> Opened:
    """What opens a model's file of this name; ValueError where nothing does."""
    return _function(by_suffix(_MODELS_READ, path, "models that can be loaded"))


def weights_reader(path: Path, by_name: bool, skip_mismatch: bool, objects_to_skip: Iterable[Any] | None) -> Opened:
    """What opens a file of weights of this name, to be fitted as `Fit` says; ValueError where nothing does."""
    opened = _function(by_suffix(_WEIGHTS_READ, path, "weights that can be loaded"))
    return partial(opened, fit=Fit(by_name, skip_mismatch, _skipped(path, objects_to_skip)))


def _skipped(path: Path, given: Iterable[Any] | None) -> frozenset[Any]:
    """What a program names as `objects_to_skip`.

    Raises:
        ValueError: It names no layers and no optimizer, or the file is of another kind than those for which Keras has
            the argument.
    """
    if given is None:
        return frozenset()
    if not os.fspath(path).endswith((".weights.h5", ".keras")):
        raise ValueError(
            "`objects_to_skip` is for '.weights.h5' files, in which every layer has a place of its own. Received: "
            f"{os.fspath(path)}"
        )
    objects = [] if isinstance(given, (str, Layer)) else list(given)
    if not objects or not all(isinstance(one, (Layer, Optimizer)) for one in objects):
        raise ValueError(
            "`objects_to_skip` is a list of layers of the model, and of its optimizer where that is to be skipped, the "
            f"objects and not their names. Received: objects_to_skip={str(given)[:200]}"
        )
    return frozenset(objects)


def _function(place: tuple[str, str]) -> Callable[..., Any]:
    module, name = place
    found: Callable[..., Any] = getattr(importlib.import_module(f"multilayer.saving.formats.{module}"), name)
    return found
