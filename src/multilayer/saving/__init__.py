"""Configs and named arrays, to files and back. No model is known here, and no class is imported by a file's word."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from multilayer.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from multilayer.saving.atomic import replaced
from multilayer.saving.errors import ModelFileError, refusing
from multilayer.saving.names import check_free, check_model_name, check_suffix, check_weights_name
from multilayer.saving.npz import opened, read, write
from multilayer.saving.objects import deserialize_keras_object, serialize_keras_object
from multilayer.saving.stored import Stored, finite

if TYPE_CHECKING:
    from multilayer.models import load_model, load_weights, save_model, save_weights

__all__ = [
    "CustomObjectScope",
    "ModelFileError",
    "Stored",
    "check_free",
    "check_model_name",
    "check_suffix",
    "check_weights_name",
    "custom_object_scope",
    "deserialize_keras_object",
    "finite",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "opened",
    "read",
    "refusing",
    "register_keras_serializable",
    "replaced",
    "save_model",
    "save_weights",
    "serialize_keras_object",
    "write",
]


def __getattr__(name: str) -> Any:
    """Passes on to `models`, which is built on this package, what Keras has here as well."""
    if name in ("load_model", "load_weights", "save_model", "save_weights"):
        return getattr(importlib.import_module("multilayer.models"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
