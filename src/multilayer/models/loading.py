"""Models from files."""

from __future__ import annotations

import os

from multilayer import saving
from multilayer.models.base import Model
from multilayer.models.compiling import arguments_from
from multilayer.models.sequential import Sequential


def load_model(path: str | os.PathLike[str], compile: bool = True) -> Model:
    """The model that `Model.save` wrote, with its weights, and compiled as it was.

    Where a metric was a function, which no file holds, the model is compiled without it, and a warning says so.

    Nothing in the file is run, and no class is found by its word but those of this library.

    Args:
        path: The file.
        compile: Whether to compile the model as it was when it was saved.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, or no model file of this library: one of Keras', say.
    """
    saving.check_suffix(path)
    description, arrays = saving.read(path)
    try:
        if description["class_name"] != "Sequential":
            raise ValueError(f"its class is {description['class_name']!r}, and only 'Sequential' is known.")
        model = Sequential.from_config(description["config"])
        model.set_weights([arrays[f"weights/{i}"] for i in range(len(arrays))])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)!r} cannot be loaded: {_reason(error)}") from error
    if compile and description.get("compile") is not None:
        try:
            arguments = arguments_from(description["compile"])
            model.compile(**arguments)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{os.fspath(path)!r} cannot be compiled as it was: {_reason(error)} Pass `compile=False` to load the "
                "model alone."
            ) from error
    return model


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it lacks {error}."
    if str(error).startswith("Unknown "):
        return f"{error} (A class of your own is entered with `@multilayer.registry.register(...)` before loading.)"
    return str(error)
