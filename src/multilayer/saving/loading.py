"""Models from files, and to files in Keras' words."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from multilayer import random
from multilayer._checks.arguments import file_name
from multilayer._containers.files import require_file
from multilayer._containers.foreign import recognizing
from multilayer._core.arena import at_most
from multilayer._language import tr
from multilayer._names import keras2, registry
from multilayer._names.custom_objects import custom_object_scope, get_registered_object
from multilayer._names.keras_forms import plain_dtypes
from multilayer._tracebacks import filter_traceback
from multilayer.layers.symbolic import is_in_no_order
from multilayer.models.base import Model
from multilayer.models.compiling import arguments_from, output_keys
from multilayer.models.functional import Functional
from multilayer.models.sequential import Sequential
from multilayer.models.subclassed import Subclassed
from multilayer.saving import formats
from multilayer.saving.formats.contents import Content, Pairs, values

# So many elements more than the file holds may its description ask for: that costs nothing, and a slip in a small
# network is told by the name of its weight.
_SPARE = 2**20
_MOST_DESCRIBED = 2**27  # weights that a description alone may ask for: half a gigabyte
_MOST_THRESHOLDS = 100_000  # of all metrics together


@filter_traceback
def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
    *,
    allow_nonfinite: bool = False,
) -> Model:
    """The model in a file, with its weights, and compiled as it was.

    Files of this library and of Keras are read: '.keras', whoever wrote it, '.npz', and the '.h5' of Keras 2 and 3.
    Training goes on where it stopped where the file holds the optimizer's state, as '.keras' and '.h5' files do. What
    Keras has and is not built here is refused by name; what has another meaning in Keras 2, such as 'hard_sigmoid', is
    what it was there.

    Where a metric was a function, which no file holds, the model is compiled without it, and a warning says so.

    Nothing in the file is run, nothing outside it is opened, and no class is found by its word but those of this
    library, and those that are registered or passed here.

    Args:
        filepath: The file.
        custom_objects: Classes and functions of your own by the names that the file has for them.
        compile: Whether to compile the model as it was when it was saved.
        safe_mode: True: code in files is never run.
        allow_nonfinite: Whether weights may be NaN or infinite, as a training that came apart leaves them.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, no model file, describes what it does not hold, or what is not built here.
        ValueError: Its name ends otherwise, or `safe_mode` is False.

    Example:
        >>> import pathlib, tempfile
        >>> from multilayer import layers
        >>> model = Sequential([layers.Input((4,)), layers.Dense(2)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "model.npz"
        ...     model.save(path)
        ...     again = load_model(path)
        >>> bool((again.get_weights()[0] == model.get_weights()[0]).all())
        True
    """
    if not safe_mode:
        raise ValueError(
            tr(
                "Code in files is never run here: leave `safe_mode` out. In the place of a `Lambda`, write a "
                "`Layer` of your own, and name it in `custom_objects`."
            )
        )
    file_name("filepath", filepath)
    # Layers draw the seeds of their streams when they are made: a file that is refused has drawn none.
    undrawn = random.given_back_on_error()
    with recognizing(filepath), undrawn, _opened(filepath) as content, custom_object_scope(custom_objects):
        try:
            with at_most(_SPARE + content.size, values_follow=True):
                model = _model_from(content.description)
            pairs = content.weights(model)
            _require_all(model, pairs)
            found = values(pairs, allow_nonfinite)
            content.learned(model, allow_nonfinite)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise ValueError(_reason(error)) from error
        for (variable, _), value in zip(pairs, found, strict=True):
            variable.assign(value)
        if compile and isinstance(model, Model) and _is_to_compile(model, content.description.get("compile")):
            try:
                with at_most(_MOST_THRESHOLDS):
                    if _compiles_by_config(model):
                        model.compile_from_config(content.description["compile"])
                    else:
                        model.compile(**_by_output(model, arguments_from(_compiled(model, content.description))))
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                raise ValueError(
                    tr(
                        "it cannot be compiled as it was: {error} Pass `compile=False` to load the model alone.",
                        error=_reason(error),
                    )
                ) from error
            content.resume(model, allow_nonfinite)
    return model


def _opened(filepath: str | os.PathLike[str]) -> AbstractContextManager[Content]:
    require_file(filepath, "model file")
    return formats.model_reader(filepath)(filepath)


def _require_all(model: Model, pairs: Pairs) -> None:
    given = {variable for variable, _ in pairs}
    missing = [v.path for v in model.weights if v not in given]
    if missing:
        raise ValueError(tr("it holds nothing for the weights {missing}.", missing=str(missing)[:200]))


@filter_traceback
def save_model(
    model: Model, filepath: str | os.PathLike[str], overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Writes a model to a file, as `Model.save` does."""
    model.save(filepath, overwrite, zipped, **kwargs)


@filter_traceback
def save_weights(
    model: Model,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    *,
    objects_to_skip: Iterable[Any] | None = None,
) -> None:
    """Writes a model's weights to a file, as `Model.save_weights` does."""
    model.save_weights(filepath, overwrite, objects_to_skip=objects_to_skip)


@filter_traceback
def load_weights(
    model: Model,
    filepath: str | os.PathLike[str],
    skip_mismatch: bool = False,
    *,
    by_name: bool = False,
    objects_to_skip: Iterable[Any] | None = None,
) -> None:
    """Sets a model's weights to those in a file, as `Model.load_weights` does."""
    model.load_weights(filepath, skip_mismatch, by_name=by_name, objects_to_skip=objects_to_skip)


@filter_traceback
def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model that `Model.to_json` described, with fresh weights.

    Args:
        json_string: What `to_json` returned.
        custom_objects: Classes and functions of your own by the names that the description has for them.

    Raises:
        ValueError: It is no such description, or one of more than 134 million weights: those are drawn at once. A
            larger one is for `from_config(json.loads(json_string)["config"])`, where its author is trusted.

    Example:
        >>> from multilayer import layers
        >>> model = Sequential([layers.Input((4,)), layers.Dense(2, name="two")])
        >>> [layer.name for layer in model_from_json(model.to_json()).layers]
        ['two']
    """
    import json  # only here: `import multilayer` is quick

    try:
        with custom_object_scope(custom_objects), at_most(_MOST_DESCRIBED):
            return _model_from(json.loads(json_string))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(tr("This JSON describes no model: {error}", error=_reason(error))) from error


def _model_from(description: dict[str, Any]) -> Model:
    if keras2.wrote(description):
        description = keras2.model(description)
    kinds: dict[str, type[Model]] = {"Sequential": Sequential, "Functional": Functional, "Model": Functional}
    kind, config = description["class_name"], plain_dtypes(description["config"])
    own = get_registered_object(str(description.get("registered_name") or kind)) or get_registered_object(str(kind))
    if isinstance(own, type) and issubclass(own, Functional):
        return own.from_config(config)
    if isinstance(own, type) and issubclass(own, Subclassed):
        model = own.from_config(config)
        model.build_from_config(description.get("build_config") or {})
        return model
    if kind == "FeatureSpace" and own is None:
        space: Model = _feature_space(description)
        return space
    if kind not in kinds or (kind == "Model" and "input_layers" not in config):
        raise ValueError(
            tr(
                "its class is {kind!r}, and only Sequential, Functional are known. A class of your own is "
                "entered by `@saving.register_keras_serializable()`, or given in `custom_objects`.",
                kind=str(kind)[:100],
            )
        )
    return kinds[kind].from_config(config)


def _feature_space(description: dict[str, Any]) -> Any:
    """The columns' encoding that a file describes, which is no model, and is saved as one all the same."""
    space = registry.deserialize("layer", description)
    space.build_from_config(description.get("build_config") or {})
    return space


def _is_to_compile(model: Model, compiled: Any) -> bool:
    if _compiles_by_config(model):
        return isinstance(compiled, dict)
    return _says_how(compiled) and not _compiles_itself(model)


def _compiles_by_config(model: Model) -> bool:
    """Whether its class reads itself what it wrote of how it was compiled."""
    return type(model).compile_from_config is not Model.compile_from_config


def _says_how(compiled: Any) -> bool:
    """Whether a description of what a model was compiled with names its optimizer; a warning says where it does not."""
    if not isinstance(compiled, dict):
        return compiled is not None  # it is refused with what is wrong with it
    if compiled.get("optimizer") is None and compiled.get("optimizer_config") is None:
        warnings.warn(
            tr(
                "The file does not say with which optimizer the model was compiled: it is loaded without. Call "
                "`compile`."
            ),
            stacklevel=5,
        )
        return False
    return True


def _compiles_itself(model: Model) -> bool:
    """Whether its class has a `compile` of its own, of whose arguments a file says nothing; a warning says so."""
    own = type(model).compile is not Model.compile
    if own:
        warnings.warn(
            tr(
                "The `compile` of {kind} is its class's own: the model is loaded without. Call `compile`, or "
                "write `get_compile_config` and `compile_from_config`, too.",
                kind=type(model).__name__,
            ),
            stacklevel=5,
        )
    return own


def _by_output(model: Model, arguments: dict[str, Any]) -> dict[str, Any]:
    """The same with lists for outputs of a dict as dicts: in what order they go was said when they were compiled."""
    form = getattr(model, "_output_form", None)
    if not is_in_no_order(form):
        return arguments
    keys = output_keys(model.output_names, form)
    lists = {name: given for name, given in arguments.items() if isinstance(given, list) and len(given) == len(keys)}
    return {**arguments, **{name: dict(zip(keys, given, strict=True)) for name, given in lists.items()}}


def _compiled(model: Model, description: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the model was compiled with, as the file describes it, in the words of Keras 3."""
    compiled: Mapping[str, Any] = description["compile"]
    if not keras2.wrote(description):
        return compiled
    return keras2.compiled(compiled, output_keys(model.output_names, model._output_form))


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return tr("it lacks {error}.", error=error)
    if str(error).startswith("Unknown "):
        own = "is entered by `@saving.register_keras_serializable()` before loading, or passed in `custom_objects`"
        return f"{error} (A class of your own {own}.)"
    return str(error)
