"""Which functions write and read files, by the endings of their names.

A format's module is imported when a file of it is met, so that `import multilayer` is quick.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeAlias

from multilayer._containers.names import by_suffix, check_model_name, check_weights_name
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


def weights_writer(path: Path) -> Callable[[Path, Any], None]:
    """What writes a model's weights to a file of this name; ValueError where nothing does."""
    check_weights_name(path)
    return _function(by_suffix(_WEIGHTS_WRITTEN, path, "weights"))


def model_reader(path: Path) -> Opened:
    """What opens a model's file of this name; ValueError where nothing does."""
    return _function(by_suffix(_MODELS_READ, path, "models that can be loaded"))


def weights_reader(path: Path, by_name: bool, skip_mismatch: bool) -> Opened:
    """What opens a file of weights of this name, to be fitted as `Fit` says; ValueError where nothing does."""
    opened = _function(by_suffix(_WEIGHTS_READ, path, "weights that can be loaded"))
    return partial(opened, fit=Fit(by_name, skip_mismatch))


def _function(place: tuple[str, str]) -> Callable[..., Any]:
    module, name = place
    found: Callable[..., Any] = getattr(importlib.import_module(f"multilayer.saving.formats.{module}"), name)
    return found
