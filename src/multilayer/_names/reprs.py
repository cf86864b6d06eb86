"""What objects of the library print as."""

from __future__ import annotations

import reprlib
from inspect import Parameter
from typing import Any

import numpy as np

from multilayer._names.functions import functions_kept
from multilayer._names.signatures import constructor_parameters

_LONGEST = 60
_HIDDEN = ("name", "dtype")  # the class and its arguments say what a thing is, these do not

_short = reprlib.Repr()
_short.maxlist = _short.maxtuple = _short.maxdict = 4
_short.maxother = _LONGEST


def config_repr(thing: Any) -> str:
    """An object by its class, the first of its arguments, and those that differ from their defaults.

    It never raises: where there is no config to be had, the class is all that is said.

    Example:
        >>> from multilayer.optimizers import SGD, schedules
        >>> SGD(), SGD(0.1, momentum=0.9)
        (<SGD learning_rate=0.01>, <SGD learning_rate=0.1, momentum=0.9>)
        >>> SGD(schedules.CosineDecay(0.1, decay_steps=1000))
        <SGD learning_rate=CosineDecay>
    """
    cls = type(thing)
    try:
        with functions_kept():
            config, parameters = thing.get_config(), constructor_parameters(cls)
        names = [*(name for name in parameters if name in config), *(name for name in config if name not in parameters)]
        told = [name for name in names if name not in _HIDDEN]
        first = next((name for name in told if config[name] is not None), None)
        shown = [name for name in told if name == first or not _is_default(config[name], parameters.get(name))]
        arguments = ", ".join(f"{name}={_abbreviated(config[name])}" for name in shown)
    except Exception:  # of a class of the user's own, which may do anything: printing it must not stop a program
        arguments = ""
    return f"<{cls.__name__} {arguments}>" if arguments else f"<{cls.__name__}>"


def _is_default(value: Any, parameter: Parameter | None) -> bool:
    """Whether this is the parameter's default; an array, which cannot be told so, is not."""
    if parameter is None:
        return False
    if isinstance(value, list) and not value:
        return not parameter.default  # a list that was left out is often kept as an empty one
    try:
        return bool(value == parameter.default)
    except ValueError:
        return False


def _abbreviated(value: Any) -> str:
    """A value in a few characters: text without quotation marks, as Keras has it; of an array, its shape."""
    if isinstance(value, str) and value.isprintable():
        return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
    if isinstance(value, dict) and value.get("class_name") == "__numpy__":  # as a config describes an array
        value = np.asarray(value["config"]["value"])
    if isinstance(value, dict) and isinstance(value.get("class_name"), str):
        return _abbreviated(value["class_name"])  # an object within, such as a schedule
    if hasattr(value, "shape") and hasattr(value, "item"):
        return _abbreviated(value.item()) if value.shape == () else f"array of shape {value.shape}"
    return _short.repr(value)
