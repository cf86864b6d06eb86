"""Configs and named arrays, to files and back. No model is known here, and no class is imported by a file's word."""

from multilayer.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from multilayer.saving.names import check_free, check_model_name, check_suffix, check_weights_name
from multilayer.saving.npz import read, write
from multilayer.saving.objects import deserialize_keras_object, serialize_keras_object

__all__ = [
    "CustomObjectScope",
    "check_free",
    "check_model_name",
    "check_suffix",
    "check_weights_name",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "read",
    "register_keras_serializable",
    "serialize_keras_object",
    "write",
]
