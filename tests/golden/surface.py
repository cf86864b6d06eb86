"""A library's surface: the public names of its modules, with the signatures of what can be called.

A signature is kept as the text that stands between the brackets of a definition.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

NAMES_ONLY = ("ops", "applications")  # modules of which only the names are kept: they are left out as a whole

# Things whose methods and attributes people use or override, and how to get one; of all other classes, the arguments
# of the constructor are the surface.
THINGS: dict[str, Callable[[Any], Any]] = {
    "Model": lambda keras: _trained(keras, keras.Input((2,))),
    "Sequential": lambda keras: keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]),
    "layers.Layer": lambda keras: keras.layers.Layer(),
    "losses.Loss": lambda keras: keras.losses.Loss(),
    "metrics.Metric": lambda keras: keras.metrics.Metric(name="metric"),
    "optimizers.Optimizer": lambda keras: keras.optimizers.Optimizer(0.1, name="optimizer"),
    "callbacks.Callback": lambda keras: keras.callbacks.Callback(),
    "initializers.Initializer": lambda keras: keras.initializers.Initializer(),
    "regularizers.Regularizer": lambda keras: keras.regularizers.Regularizer(),
    "constraints.Constraint": lambda keras: keras.constraints.Constraint(),
}


def surface(library: Any) -> dict[str, dict[str, str]]:
    """For each module, 'keras' being the top, its public names but modules, each `described`."""
    found = {}
    for module, names in _modules(library, library.__name__):
        bare = module.split(".")[0] in NAMES_ONLY
        found[module or "keras"] = {name: _kind(one) if bare else described(one) for name, one in names.items()}
    return found


def of_these(library: Any, names: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """What the library has of the names of another one's surface."""
    found = {}
    for module, entries in names.items():
        place = look_up(library, module)
        there = {name: getattr(place, name, None) for name in entries}
        found[module] = {name: described(one) for name, one in there.items() if one is not None}
    return found


def look_up(library: Any, path: str) -> Any:
    """The module at a path like 'optimizers.schedules', or None."""
    for name in path.split("."):
        library = library if name == "keras" else getattr(library, name, None)
    return library


def members(library: Any) -> dict[str, dict[str, str]]:
    """For each of `THINGS`, the public methods and attributes that one has."""
    return {name: _members(make(library)) for name, make in THINGS.items()}


def _members(thing: Any) -> dict[str, str]:
    declared = {name for base in type(thing).__mro__ for name in inspect.get_annotations(base)}
    names = [name for name in sorted({*dir(thing), *declared}) if not name.startswith("_")]
    own = {name: getattr(type(thing), name, None) for name in names}
    return {name: described(one) if inspect.isroutine(one) else "attribute" for name, one in own.items()}


def _trained(keras: Any, x: Any) -> Any:
    model = keras.Model(x, keras.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0)
    return model


def _modules(module: ModuleType, top: str, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each public module below `top` by its path, with its public names."""
    names = {name: getattr(module, name) for name in sorted(dir(module)) if not name.startswith("_") and name != "src"}
    yield path, {name: one for name, one in names.items() if not isinstance(one, ModuleType)}
    for name, one in names.items():
        if isinstance(one, ModuleType) and one.__name__.startswith(top + "."):
            yield from _modules(one, top, f"{path}.{name}".lstrip("."))


def described(one: Any) -> str:
    """'value', or 'class' or 'function' with the signature behind it: 'function(x, axis=-1)'."""
    kind = _kind(one)
    return (
        f"{kind}({_signature(_constructor(one) if kind == 'class' else one)})"
        if kind in ("class", "function")
        else kind
    )


def _constructor(one: type) -> Any:
    """The `__init__` that says what arguments a class takes: one that passes everything on does not."""
    for base in one.__mro__:
        own = vars(base).get("__init__")
        if own is not None and {"args", "kwargs"} != set(inspect.signature(own).parameters) - {"self"}:
            return own
    return lambda: None


def _kind(one: Any) -> str:
    if inspect.isclass(one):
        return "class"
    if callable(one):
        return "function"
    return "value"


def _signature(function: Any) -> str:
    """The parameters without `self`, every default as an expression, without annotations."""
    parts, only_by_name = [], False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not only_by_name:
            only_by_name = True
            parts.append("*")
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        only_by_name = only_by_name or stars == "*"
        default = "" if parameter.default is parameter.empty else f"={_expression(parameter.default)}"
        parts.append(f"{stars}{parameter.name}{default}")
    return ", ".join(parts)


def _expression(default: Any) -> str:
    """A default as Python writes it; what has no such form by its name or its class's."""
    if isinstance(default, float) and not math.isfinite(default):
        return str(default)
    if default is None or isinstance(default, bool | int | float | str | tuple | list | dict):
        return repr(default)
    return str(getattr(default, "__name__", type(default).__name__))
