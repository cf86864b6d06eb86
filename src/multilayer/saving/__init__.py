"""Configs and named arrays, to files and back. No model is known here, and no class is imported by a file's word."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from multilayer.atomic import replaced
from multilayer.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from multilayer.saving.errors import ModelFileError, refusing
from multilayer.saving.names import by_suffix, check_free, check_model_name, check_weights_name
from multilayer.saving.npz import opened, read, write
from multilayer.saving.objects import deserialize_keras_object, serialize_keras_object
from multilayer.saving.stored import Stored, finite, parse_json

if TYPE_CHECKING:
    from multilayer.models import load_model, load_weights, save_model, save_weights
    from multilayer.models.pytorch import load_pytorch, save_pytorch, to_pytorch

__all__ = [
    "CustomObjectScope",
    "ModelFileError",
    "Stored",
    "by_suffix",
    "check_free",
    "check_model_name",
    "check_weights_name",
    "custom_object_scope",
    "deserialize_keras_object",
    "finite",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_pytorch",
    "load_weights",
    "opened",
    "parse_json",
    "read",
    "refusing",
    "register_keras_serializable",
    "replaced",
    "save_model",
    "save_pytorch",
    "save_weights",
    "serialize_keras_object",
    "to_pytorch",
    "write",
]


def __getattr__(name: str) -> Any:
    """Passes on to `models`, which is built on this package, what has its place here as well."""
    if name in ("load_model", "load_weights", "save_model", "save_weights"):
        return getattr(importlib.import_module("multilayer.models"), name)
    if name in ("load_pytorch", "save_pytorch", "to_pytorch"):
        return getattr(importlib.import_module("multilayer.models.pytorch"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
