"""Models, their weights and configs, to files and back. No class is found by the word of a file.

`formats` has what each kind of file holds of a model, a folder or a module each; how the bytes of a stranger's file are
read, where no model is known, is the business of `_containers`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from multilayer._containers.errors import ModelFileError
from multilayer._names.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from multilayer.saving.loading import load_model, load_weights, save_model, save_weights
from multilayer.saving.objects import deserialize_keras_object, serialize_keras_object

if TYPE_CHECKING:
    from multilayer.saving.formats.pytorch import load_pytorch, save_pytorch, to_pytorch

__all__ = [
    "CustomObjectScope",
    "ModelFileError",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_pytorch",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_pytorch",
    "save_weights",
    "serialize_keras_object",
    "to_pytorch",
]


def __getattr__(name: str) -> Any:
    """Imports what is for PyTorch when it is asked for: `import multilayer` loads no format of files."""
    if name in ("load_pytorch", "save_pytorch", "to_pytorch"):
        return getattr(importlib.import_module("multilayer.saving.formats.pytorch"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
