"""Configs in the forms that Keras, of this and earlier versions, writes them in, brought into ours."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from multilayer._names.naming import snake_case
from multilayer._names.signatures import constructor_parameters

# What stands in Keras' configs for what is not used, beside None and False.
_UNUSED = {"data_format": "channels_last", "decay": 0.0, "jit_compile": True, "renorm_momentum": 0.99}
# Older names of arguments, by class.
_RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}, "InputLayer": {"batch_input_shape": "batch_shape"}}
# Arguments that say no more than another place does: an Embedding's, what shape it is called with.
_SAID_ELSEWHERE = {("Embedding", "input_length")}
_FLOATS = ("float32", "float64")
_PLAIN = (*_FLOATS, "int32", "int64")  # whole numbers are what layers give that have no weights


def array(described: Mapping[str, Any]) -> Any:
    """The array that Keras describes as `__numpy__`; one without axes is just its number.

    Raises:
        ValueError: It holds anything but numbers.

    Example:
        >>> array({"value": [1.0, 2.0], "dtype": "float32"}), array({"value": 0.5, "dtype": "float32"})
        (array([1., 2.], dtype=float32), 0.5)
    """
    dtype = np.dtype(described["dtype"])
    # Of texts and records one may be of any size, and what is longer than a double is no number of Python's.
    if dtype.kind not in "fiubc" or dtype.char in "gG":
        raise ValueError(f"An array of {str(dtype)[:100]} is described, and arrays hold numbers.")
    found = np.array(described["value"], dtype=dtype)
    return found if found.ndim else found.item()


def described_array(given: np.ndarray[Any, Any]) -> dict[str, Any]:
    """The reverse: an array as Keras describes it."""
    return {"class_name": "__numpy__", "config": {"value": given.tolist(), "dtype": str(given.dtype)}}


def with_arrays(config: Any) -> Any:
    """A config with the arrays that are described in it, also in its lists; what describes objects stays."""
    if isinstance(config, list):
        return [with_arrays(one) for one in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "__numpy__" and isinstance(config.get("config"), dict):
        found = array(config["config"])
        if np.iscomplexobj(found):  # JSON, to which the config may go again, has none
            raise ValueError("A config holds complex numbers, and nothing here computes with them.")
        return found
    if "class_name" in config:  # it is read by the class itself
        return config
    return {key: with_arrays(value) for key, value in config.items()}


def plain_dtypes(config: dict[str, Any]) -> dict[str, Any]:
    """A config whose type, which Keras writes as a policy, is just its name.

    Raises:
        ValueError: It is a policy of mixed precision or of quantized numbers.

    Example:
        >>> plain_dtypes({"dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}})
        {'dtype': 'float32'}
    """
    policy = config.get("dtype")
    if not isinstance(policy, dict):
        return config
    inner = policy.get("config")
    name = inner.get("name") if isinstance(inner, dict) else None
    if name not in _PLAIN:
        raise ValueError(
            f"Its type is {str(policy)[:200]}; weights here are float32 or float64 throughout. Set "
            "`keras.config.set_dtype_policy('float32')` in Keras, build the model there anew, and set its weights."
        )
    return {**config, "dtype": name}


def as_policies(described: Any) -> Any:
    """The reverse for a whole description: the types of layers as policies, as Keras writes them."""
    if isinstance(described, (list, tuple)):
        return [as_policies(one) for one in described]
    if not isinstance(described, dict):
        return described
    found = {key: as_policies(value) for key, value in described.items()}
    inner = found.get("config")
    of_layer = "class_name" in found and isinstance(inner, dict) and "trainable" in inner
    if of_layer and isinstance(inner, dict) and inner.get("dtype") in _PLAIN:
        name = {"name": inner["dtype"]}
        policy = {"module": "keras", "class_name": "DTypePolicy", "config": name, "registered_name": None}
        found["config"] = {**inner, "dtype": policy}
    return found


def without_unused(cls: type, config: dict[str, Any]) -> dict[str, Any]:
    """A config without the arguments that a class here lacks, where it makes no use of them.

    Raises:
        ValueError: It does make use of one.

    Example:
        >>> from multilayer.layers import Dense
        >>> without_unused(Dense, {"units": 3, "quantization_config": None})
        {'units': 3}
    """
    known = _arguments(cls)
    renamed = _RENAMED.get(cls.__name__, {})
    found: dict[str, Any] = {}
    for key, value in config.items():
        name = renamed.get(key, key)
        if name == "batch_input_shape" and isinstance(value, (list, tuple)):  # Keras 2's word for `input_shape`
            name, value = "input_shape", value[1:]
        if name == "reduction" and value == "auto":
            value = "sum_over_batch_size"
        if name == "axis" and cls.__name__ == "BatchNormalization" and isinstance(value, list) and len(value) == 1:
            value = value[0]
        if name in known:
            found[name] = value
        elif (cls.__name__, name) in _SAID_ELSEWHERE or (name == "fn" and value == snake_case(cls.__name__)):
            continue  # Keras 2 has the function beside the loss whose mean it is
        elif value is not None and value is not False and _UNUSED.get(name, _UNUSED) != value:
            raise ValueError(
                f"{cls.__name__}{_named(config)} has the argument {name[:100]}={str(value)[:100]}, which is beyond "
                "what is built here. Make it without that argument in Keras, if that will do."
            )
    return found


def _named(config: dict[str, Any]) -> str:
    return f" {config['name']!r}" if isinstance(config.get("name"), str) else ""


@functools.cache
def _arguments(cls: type) -> frozenset[str]:
    """What can be passed to a class by name, as arguments of its own or of those it derives from."""
    of_graphs = {"layers", "input_layers", "output_layers", "build_input_shape"} if hasattr(cls, "graph") else set()
    return frozenset(of_graphs | set(constructor_parameters(cls)))
