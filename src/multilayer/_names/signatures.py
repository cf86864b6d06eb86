"""What can be passed to a class: the parameters of its constructor, and of those that it passes the rest on to."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from inspect import Parameter
from typing import Any

_SCALARS = {"bool": (bool,), "int": (int, float), "float": (int, float), "str": (str,), "None": ()}


def constructor_parameters(cls: type) -> dict[str, Parameter]:
    """The parameters that can be passed by name, in order; of two of one name, that of the class nearest to `cls`.

    Example:
        >>> from multilayer.optimizers import AdamW
        >>> parameters = constructor_parameters(AdamW)
        >>> list(parameters)[:2], parameters["weight_decay"].default, parameters["clipnorm"].default
        (['learning_rate', 'weight_decay'], 0.004, None)
    """
    import inspect

    found: dict[str, Parameter] = {}
    for one in cls.__mro__:
        if "__init__" in vars(one) and one is not object:
            _, *parameters = inspect.signature(vars(one)["__init__"]).parameters.values()  # all but `self`
            for parameter in parameters:
                if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
                    found.setdefault(parameter.name, parameter)
    return found


def require_scalars(cls: type, config: Mapping[str, Any]) -> None:
    """Checks that a config has a number, text or flag where the constructor of a class of this library says so.

    A constructor need not look at the types of all that it is given: who writes a program sees what becomes of it. A
    file is believed nothing, and what it has of another type would be found by the first step, or never.

    Raises:
        ValueError: An argument is of another type.

    Example:
        >>> from multilayer.optimizers import SGD
        >>> require_scalars(SGD, {"momentum": 0.9, "nesterov": "False"})
        Traceback (most recent call last):
        ValueError: SGD has the argument nesterov='False', which must be bool.
    """
    for name, (annotation, kinds) in _scalars(cls).items():
        value = config.get(name)
        whole = kinds == (bool,) and isinstance(value, (int, float)) and value in (0, 1)
        beyond = type(value) is int and abs(value) > sys.float_info.max and float in kinds
        if value is not None and not whole and (beyond or not isinstance(value, kinds)):
            shown = "a number of more digits than a float has" if beyond else repr(value)[:100]
            raise ValueError(f"{cls.__name__} has the argument {name}={shown}, which must be {annotation}.")


@functools.cache
def _scalars(cls: type) -> dict[str, tuple[str, tuple[type, ...]]]:
    """The arguments that take nothing but a number, a text or a flag: how the constructor says so, and which types."""
    found: dict[str, tuple[str, tuple[type, ...]]] = {}
    for name, parameter in constructor_parameters(cls).items():
        annotation = str(parameter.annotation)  # text in all modules of this library
        parts = annotation.split(" | ")
        if all(part in _SCALARS for part in parts):
            found[name] = annotation, tuple(kind for part in parts for kind in _SCALARS[part])
    return found
