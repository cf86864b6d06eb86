"""Models from files, and to files in Keras' words."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from multilayer import saving
from multilayer.custom_objects import custom_object_scope
from multilayer.models.base import Model
from multilayer.models.compiling import arguments_from
from multilayer.models.functional import Functional
from multilayer.models.sequential import Sequential


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,  # noqa: ARG001
) -> Model:
    """The model that `Model.save` wrote, with its weights, and compiled as it was.

    Where a metric was a function, which no file holds, the model is compiled without it, and a warning says so.

    Nothing in the file is run, and no class is found by its word but those of this library.

    Args:
        filepath: The file.
        custom_objects: Classes and functions of your own by the names that the file has for them.
        compile: Whether to compile the model as it was when it was saved.
        safe_mode: Accepted as Keras does; loading is always safe, whatever it says.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, or no model file of this library: one of Keras', say.
    """
    saving.check_suffix(filepath)
    description, arrays = saving.read(filepath)
    with custom_object_scope(custom_objects):
        try:
            model = _model_from(description)
            model.set_weights([arrays[f"weights/{i}"] for i in range(len(arrays))])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{os.fspath(filepath)!r} cannot be loaded: {_reason(error)}") from error
        if compile and description.get("compile") is not None:
            try:
                arguments = arguments_from(description["compile"])
                model.compile(**arguments)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise ValueError(
                    f"{os.fspath(filepath)!r} cannot be compiled as it was: {_reason(error)} Pass `compile=False` to "
                    "load the model alone."
                ) from error
    return model


def save_model(model: Model, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Writes a model to a file, as `Model.save` does."""
    model.save(filepath, overwrite)


def save_weights(model: Model, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Writes a model's weights to a file, as `Model.save_weights` does."""
    model.save_weights(filepath, overwrite)


def load_weights(model: Model, filepath: str | os.PathLike[str]) -> None:
    """Sets a model's weights to those in a file, as `Model.load_weights` does."""
    model.load_weights(filepath)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model that `Model.to_json` described, with fresh weights.

    Args:
        json_string: What `to_json` returned.
        custom_objects: Classes and functions of your own by the names that the description has for them.

    Raises:
        ValueError: It is no such description.
    """
    try:
        with custom_object_scope(custom_objects):
            return _model_from(json.loads(json_string))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"This JSON describes no model: {_reason(error)}") from error


def _model_from(description: dict[str, Any]) -> Model:
    kinds: dict[str, type[Model]] = {"Sequential": Sequential, "Functional": Functional}
    if description["class_name"] not in kinds:
        raise ValueError(f"its class is {description['class_name']!r}, and only {', '.join(kinds)} are known.")
    return kinds[description["class_name"]].from_config(description["config"])


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it lacks {error}."
    if str(error).startswith("Unknown "):
        own = "is entered by `@saving.register_keras_serializable()` before loading, or passed in `custom_objects`"
        return f"{error} (A class of your own {own}.)"
    return str(error)
