"""What an object was made with, for classes of users' own that have a constructor but no `get_config`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any, TypeVar

import numpy as np

from multilayer._names.signatures import constructor_parameters
from multilayer._tracebacks import filter_traceback

T = TypeVar("T")

# The methods that users call and that can refuse something, of classes that derive from `Remembering`. A training step
# calls none of them for a layer of a model: `forward`, `backward`, `update_step` and their like are not among them.
_ENTRIES = frozenset(
    [
        "__init__",
        "__call__",
        "add",
        "add_weight",
        "apply",
        "apply_gradients",
        "build",
        "get_config",
        "get_layer",
        "gradients",
        "summary",
        "to_json",
        "trace",
    ]
)

MADE_WITH = "_made_with"  # the attribute: the arguments, or why they cannot be described


class Remembering:
    """Base of all that a config describes: it remembers its constructor's arguments where nothing else would.

    So a class of a user's own can be saved without a `get_config`, as long as it is made with plain values.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Lets the constructors of users' own classes note what they are called with.

        The library's own classes filter the tracebacks of what users call of them; those of users are not touched.
        """
        super().__init_subclass__(**kwargs)
        if not _is_users(cls):
            for name in _ENTRIES & vars(cls).keys():
                setattr(cls, name, filter_traceback(vars(cls)[name]))
        elif "__init__" in vars(cls):
            cls.__init__ = _noting(cls.__init__)  # type: ignore[method-assign]


def _noting(constructor: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(constructor)
    def noted(self: Any, *args: Any, **kwargs: Any) -> None:
        if MADE_WITH not in vars(self):  # a constructor that derived ones call comes second
            try:
                bound = inspect.signature(constructor).bind(self, *args, **kwargs)
            except TypeError:
                pass  # the constructor itself is about to say what is wrong
            else:
                bound.apply_defaults()
                vars(self)[MADE_WITH] = _noted(bound, set(constructor_parameters(_base_of(type(self)))))
        constructor(self, *args, **kwargs)

    return noted


def _is_users(cls: type) -> bool:
    return cls.__module__.partition(".")[0] != __name__.partition(".")[0]


def _base_of(cls: type) -> type:
    """The class of the library, such as `Layer`, that a class derives from."""
    return next(one for one in cls.__mro__ if Remembering in one.__bases__)


def _noted(bound: inspect.BoundArguments, of_base: set[str]) -> dict[str, Any] | str:
    """The arguments by name, or the first that no config can hold; those of the base class it describes itself."""
    noted: dict[str, Any] = {}
    _, *parameters = bound.signature.parameters.values()  # all but `self`
    for parameter in parameters:
        value = bound.arguments[parameter.name]
        if parameter.kind == Parameter.VAR_POSITIONAL:
            if value:
                return f"its arguments *{parameter.name} have no names"
            continue
        if parameter.kind == Parameter.POSITIONAL_ONLY:
            return f"its argument `{parameter.name}` cannot be passed by name"
        for name, one in value.items() if parameter.kind == Parameter.VAR_KEYWORD else [(parameter.name, value)]:
            if _is_plain(one):
                noted[name] = one.item() if isinstance(one, np.generic) else one
            elif name not in of_base:
                return f"its argument `{name}` is a {type(one).__name__}"
    return noted


def _is_plain(value: Any) -> bool:
    """Whether JSON can hold it."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(one) for key, one in value.items())
    return value is None or isinstance(value, (bool, int, float, str, np.number, np.bool_))


def described(thing: Any, config: dict[str, Any]) -> dict[str, Any]:
    """The config that its base class has for it, with what it remembers.

    Raises:
        NotImplementedError: It was made with something that no config can hold.
    """
    noted = vars(thing).get(MADE_WITH, {})
    cls = type(thing)
    if cls.get_config is not _base_of(cls).get_config:  # type: ignore[attr-defined]
        return config  # its own `get_config`, which adds what it knows
    if isinstance(noted, str):
        raise NotImplementedError(
            f"An object of the class {cls.__name__} cannot be described in a file: {noted}, and the class has no "
            "`get_config`. Write one that returns the constructor's arguments as plain data (and a `from_config` that "
            "makes something else of them, where plain data are not enough):\n\n"
            "    def get_config(self):\n"
            '        return {**super().get_config(), "argument": self.argument}'
        )
    return {**noted, **config}


def made(cls: type[T], config: dict[str, Any]) -> T:
    """The object of a config; arguments of the base class that the constructor does not take are set afterwards.

    A class whose constructor is `def __init__(self, factor)` has a name and the like all the same.
    """
    if not _is_users(cls) or cls.__init__ is _base_of(cls).__init__:  # type: ignore[misc]
        return cls(**config)
    parameters = inspect.signature(cls.__init__).parameters
    if any(one.kind == Parameter.VAR_KEYWORD for one in parameters.values()):
        return cls(**config)
    later = {name for name in constructor_parameters(_base_of(cls)) if name not in parameters}
    thing = cls(**{name: value for name, value in config.items() if name not in later})
    for name in later & set(config):
        if getattr(thing, name, None) != config[name]:
            setattr(thing, name, config[name])
    return thing
