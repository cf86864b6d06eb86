"""Objects as plain data under Keras' names, and back: those of this library, and those that users have entered."""

from __future__ import annotations

from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from multilayer import losses
from multilayer._names import keras_forms, registry
from multilayer._names.custom_objects import CustomObjectScope, get_registered_name, get_registered_object
from multilayer._names.functions import described
from multilayer._tracebacks import filter_traceback
from multilayer.random import SeedGenerator


@filter_traceback
def serialize_keras_object(obj: Any) -> Any:
    """An object as plain data, which JSON can hold and `deserialize_keras_object` reads.

    Numbers, text, None and lists stay what they are; arrays, bytes and slices are described; an object is described by
    its class and what its `get_config` returns; a function by its name.

    Args:
        obj: Anything of this library, or of a class with `get_config`, or a function with a name; also in lists, tuples
            and dicts.

    Raises:
        TypeError: Nothing describes it: its class has no `get_config`.
        ValueError: It is a lambda, which has no name to be found by.

    Example:
        >>> from multilayer.initializers import HeNormal
        >>> serialize_keras_object(HeNormal(seed=1))["config"]
        {'seed': 1}
    """
    if obj is None or (isinstance(obj, (str, int, float, bool)) and not isinstance(obj, np.generic)):
        return obj
    if isinstance(obj, (list, tuple)):
        parts = [serialize_keras_object(one) for one in obj]
        return tuple(parts) if isinstance(obj, tuple) else parts
    if isinstance(obj, Mapping):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, np.generic):
        return obj.item()
    special = _special(obj)
    if special is not None:
        return special
    if isinstance(obj, (FunctionType, BuiltinFunctionType)) or registry.kind_of(obj) is not None:
        return _function(obj)
    if not hasattr(obj, "get_config"):
        raise TypeError(
            f"Cannot serialize object {obj} of type {type(obj)}. To be serializable, a class must implement the "
            "`get_config()` method."
        )
    config = obj.get_config()
    if not isinstance(config, dict):
        raise TypeError(f"The `get_config()` method of {obj} should return a dict. It returned: {config}")
    kind = registry.kind_of(type(obj))
    return {
        "module": _module(kind, type(obj)),
        "class_name": type(obj).__name__,
        "config": serialize_keras_object(config),
        "registered_name": None if kind or type(obj) is SeedGenerator else get_registered_name(type(obj)),
    }


def _special(obj: Any) -> dict[str, Any] | None:
    """What describes an array, bytes, a slice or an ellipsis; None for anything else."""
    if isinstance(obj, np.ndarray):
        return keras_forms.described_array(obj)
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode("utf-8")}}
    if isinstance(obj, slice):
        parts = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return {"class_name": "__slice__", "config": serialize_keras_object(parts)}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    return None


def _function(function: Any) -> dict[str, Any]:
    if function.__name__ == "<lambda>":
        raise ValueError(
            "A `lambda` cannot be serialized: it has no name that it could be found by, and code is never written to "
            "files here. Define a function, and enter it with `@saving.register_keras_serializable()`."
        )
    found: dict[str, Any] = described(function)
    return found


def _module(kind: str | None, thing: Any) -> str | None:
    if thing is SeedGenerator:
        return "keras.random"
    if kind is not None:
        return registry.module_of(kind, getattr(thing, "__name__", ""))
    return None if thing.__module__ == "__main__" else str(thing.__module__)


@filter_traceback
def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """The object that `serialize_keras_object` described.

    Classes and functions are looked up by name among those of this library, those entered by
    `register_keras_serializable`, and those in scope. Nothing is imported by a description's word, and no code in it
    is run.

    Args:
        config: The description, or a list or dict of such.
        custom_objects: Further classes and functions by name, as in `CustomObjectScope`.
        safe_mode: True: code in descriptions is never run.

    Raises:
        ValueError: A name is unknown or has several meanings, or `safe_mode` is False.
        TypeError: It is no description.

    Example:
        >>> from multilayer.regularizers import L2
        >>> deserialize_keras_object(serialize_keras_object(L2(0.5))).get_config()
        {'l2': 0.5}
    """
    if not safe_mode:
        raise ValueError("Code in files is never run here: leave `safe_mode` out.")
    try:
        with CustomObjectScope(custom_objects):
            return _deserialize(config)
    except RecursionError:
        raise ValueError("The description is nested deeper than any, or in itself.") from None
    except (ArithmeticError, AttributeError, LookupError) as error:
        raise ValueError(f"That is no description: {type(error).__name__}: {error}.") from error


def _deserialize(config: Any) -> Any:
    if config is None or isinstance(config, (int, float, bool, np.ndarray)):  # arrays in configs have been made
        return config
    if isinstance(config, str):
        own = get_registered_object(config)
        return config if own is None else own
    if isinstance(config, (list, tuple)):
        return [_deserialize(one) for one in config]
    if not isinstance(config, dict):
        raise TypeError(f"Could not parse config: {config}")
    if "class_name" not in config or "config" not in config:
        return {key: _deserialize(value) for key, value in config.items()}
    name, inner = config["class_name"], config["config"]
    if name == "__numpy__":
        return np.asarray(keras_forms.array(inner), dtype=inner["dtype"])
    if name == "__bytes__":
        return inner["value"].encode("utf-8")
    if name == "__slice__":
        return slice(*(_deserialize(inner[part]) for part in ("start", "stop", "step")))
    if name == "__ellipsis__":
        return Ellipsis
    if name == "__lambda__":
        raise ValueError("Requested the deserialization of a Python lambda: code in files is never run here.")
    if name == "function":
        module = None if config.get("module") == "builtins" else config.get("module")
        return _found(inner, inner, module, str(config.get("registered_name") or ""))
    if not isinstance(inner, (dict, type(None))):
        raise TypeError(f"Expected 'config' to be a dict for {name}, instead got {type(inner)}. Full config: {config}")
    registered_name = config.get("registered_name") or name
    found = _found(name, registered_name, config.get("module"), str(registered_name))
    if isinstance(found, FunctionType):
        return found
    if not hasattr(found, "from_config"):
        raise TypeError(
            f"Unable to reconstruct an instance of '{name}' because the class is missing a `from_config()` method."
        )
    with registry.describing(name):
        return found.from_config(inner or {})


def _found(name: Any, registered_name: Any, module: str | None, said: str) -> Any:
    """The class or function that a description names: the user's own before the library's.

    `said` is the registered name that stands in the description: one of the library's own has none.
    """
    if not isinstance(name, str) or not isinstance(registered_name, str):
        raise TypeError(f"Expected a class or function by its name; got {name!r}, registered as {registered_name!r}.")
    own = get_registered_object(registered_name)
    if own is not None:
        return own
    found = _built_in(name, module)
    if found is None:
        raise ValueError(
            f"Could not locate class or function '{name}', registered as '{registered_name}', in module '{module}'. "
            "Make sure custom classes and functions are decorated with `@saving.register_keras_serializable()`, or "
            "named in `custom_objects`."
        )
    if said not in ("", name, "function"):
        raise ValueError(
            f"`registered_name={said[:100]!r}` was provided in the config, but {name!r} resolved to a Keras built-in "
            "and does not use registered names. Remove the `registered_name` field from the config."
        )
    return found


def _built_in(name: str, module: str | None) -> Any:
    """The library's own class or function of this name, or None."""
    if name == "SeedGenerator" and module in (None, "keras.random", SeedGenerator.__module__):
        return SeedGenerator
    modules_of = {
        kind: (None, "keras", _module(kind, None), registry.module_of(kind, name)) for kind in registry.kinds()
    }
    candidates = [kind for kind, modules in modules_of.items() if module in modules]
    if registry.known("loss", name) is not None and isinstance(getattr(losses, name, None), FunctionType):
        return getattr(losses, name)  # a function such as `losses.mean_squared_error`, beside the class
    meanings = [kind for kind in candidates if any(entry.__name__ == name for entry in registry.registered(kind))]
    if len(meanings) == 1:
        return registry.lookup(meanings[0], name)
    if meanings:
        modules = ", ".join(repr(_module(kind, None)) for kind in meanings)
        raise ValueError(f"{name!r} may be a {' or a '.join(meanings)}: say which by its `module`, one of {modules}.")
    return None
