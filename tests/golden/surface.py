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

NAMES_ONLY = ("applications",)  # modules of which only the names are kept: they are left out as a whole

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

# Base classes whose arguments other classes take through **kwargs, and classes that refuse them all the same.
BASES = ("Layer", "Optimizer", "BaseOptimizer")
NOT_PASSED_ON = ("InputLayer", "Functional")


def surface(library: Any) -> dict[str, dict[str, str]]:
    """For each module, 'keras' being the top, its public names but modules, each `described`."""
    found = {}
    for module, names in _modules(library, library.__name__):
        bare = module.split(".")[0] in NAMES_ONLY
        found[module or "keras"] = {
            name: _kind(one) if bare else described(_standing_for(library, one)) for name, one in names.items()
        }
    return found


def of_these(library: Any, names: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """What the library has of the names of another one's surface."""
    found = {}
    for module, entries in names.items():
        place = look_up(library, module)
        there = {name: getattr(place, name, None) for name in entries}
        found[module] = {name: described(_standing_for(library, one)) for name, one in there.items() if one is not None}
    return found


def _standing_for(library: Any, one: Any) -> Any:
    """A thing itself, but for `Model` the class of the models that it makes: they have the arguments."""
    return type(THINGS["Model"](library)) if one is library.Model else one


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
    if kind == "value":
        return kind
    return f"{kind}({_written(_arguments_of_class(one) if kind == 'class' else _parameters(one))})"


def _parameters(function: Any) -> list[inspect.Parameter]:
    return [one for one in inspect.signature(function).parameters.values() if one.name not in ("self", "cls")]


def _arguments_of_class(one: type) -> list[inspect.Parameter]:
    """The parameters of its `__init__`, and, by name, those of the base class that it passes others on to."""
    found: dict[str, inspect.Parameter] = {}
    for base in one.__mro__[:-1]:
        if "__init__" not in vars(base) or (found and base.__name__ not in BASES):
            continue
        parameters = _parameters(vars(base)["__init__"])
        named = [one for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
        inherited = [one.replace(kind=one.KEYWORD_ONLY) for one in named] if found else named
        found |= {one.name: one for one in inherited if one.name not in found}
        if not any(one.kind is one.VAR_KEYWORD for one in parameters) or base.__name__ in NOT_PASSED_ON:
            break
    return list(found.values())


def _kind(one: Any) -> str:
    if inspect.isclass(one):
        return "class"
    if callable(one):
        return "function"
    return "value"


def _written(parameters: list[inspect.Parameter]) -> str:
    """The parameters as in a definition, every default as an expression, without annotations."""
    parts, only_by_name = [], False
    for parameter in parameters:
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
