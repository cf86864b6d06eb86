"""A function of the user's as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from multilayer._checks.arguments import mapping
from multilayer._checks.scalars import is_whole
from multilayer._names import registry
from multilayer._names.custom_objects import get_registered_name, get_registered_object
from multilayer.layers.base import Layer
from multilayer.layers.symbolic import Shape


@registry.register("layer")
class Lambda(Layer):
    """y = function(x): a function, written with NumPy's functions or `ops`, as a layer.

    It has no weights, and is differentiated by a tape. A file names the function, and never holds it: to be read back,
    it is entered by `@saving.register_keras_serializable()`, or handed over in `custom_objects`. A Python lambda has no
    name, and a model with one cannot be saved.

    Args:
        function: `function(x)`; or `function(x, training=...)`, which is told whether the model is being trained.
        output_shape: The shape of what it gives for one sample, or a function of the input's shape that gives that of
            the output; by default it is found by calling the function with two small batches.
        mask: Must be None: layers here hand no masks on.
        arguments: Further arguments of the function, by name.
        **kwargs: `name`, `trainable`, `dtype` of a `Layer`.

    Raises:
        ValueError: It is no function, a mask is given, or `output_shape` is no shape.

    Example:
        >>> import numpy as np
        >>> Lambda(lambda x, power: x**power, arguments={"power": 2})(np.array([[1.0, 3.0]]))
        array([[1., 9.]], dtype=float32)
    """

    _nothing_to_build = True

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ValueError(f"`Lambda` is made of a function. Received: function={str(function)[:100]!r}")
        if mask is not None:
            raise ValueError(f"Layers here hand no masks on: leave `mask` out. Received: mask={str(mask)[:100]}")
        if not (output_shape is None or callable(output_shape) or _is_shape(output_shape)):
            raise ValueError(
                "`output_shape` is the shape of one sample, up to 31 sides of which each is a whole number or None, or "
                f"a function that gives it. Received: output_shape={str(output_shape)[:100]!r}"
            )
        self.function = function
        self.output_shape_argument = output_shape
        self.arguments = dict(mapping("arguments", arguments or {}))

    def call(self, inputs: Any, training: bool = False) -> Any:
        told = {"training": training} if "training" in inspect.signature(self.function).parameters else {}
        return self.function(inputs, **{**told, **self.arguments})

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        given = self.output_shape_argument
        if given is None:
            return super().compute_output_shape(input_shape)
        first = input_shape[0] if isinstance(input_shape, tuple) else input_shape[0][0]
        return tuple(given(input_shape)) if callable(given) else (first, *given)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "function": _described(self.function, self.name), "arguments": self.arguments}
        given = self.output_shape_argument
        if given is not None:
            config["output_shape"] = _described(given, self.name) if callable(given) else list(given)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Lambda:
        named: dict[str, Any] = {key: _found(config[key]) for key in ("function", "output_shape") if key in config}
        arguments = {**config, **named}
        return cls(**arguments)

    def anew(self) -> Lambda:
        common = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        return type(self)(self.function, self.output_shape_argument, None, self.arguments, **common)


def _is_shape(given: Any) -> bool:
    sides = given if isinstance(given, (list, tuple)) else None
    return sides is not None and len(sides) < 32 and all(one is None or is_whole(one, 0) for one in sides)


def _described(function: Callable[..., Any], layer: str) -> dict[str, Any]:
    """A function as Keras describes it: by its name."""
    name = get_registered_name(function) if hasattr(function, "__name__") else "<lambda>"
    if "<" in name:
        raise ValueError(
            f"Layer '{layer}' holds a Python lambda, or a function without a name, which no file can: code in files is "
            "never run here. Define it by `def`, and enter it by `@saving.register_keras_serializable()`, or name it "
            "in `custom_objects` when the model is loaded."
        )
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def _found(described: Any) -> Any:
    """The function of this name: one of the user's own, or an activation."""
    if isinstance(described, dict):
        if described.get("class_name") != "function":
            raise ValueError(
                "Its function is a Python lambda: code in files is never run. Where the file was made, define the "
                "function by `def`, and name it in `custom_objects` here."
            )
        name = described.get("config")
        name = name.get("name") if isinstance(name, dict) else name  # as some versions of Keras write it
        own = get_registered_object(name) if isinstance(name, str) else None
        found = own if own is not None else registry.lookup("activation", str(name))
        if isinstance(found, type):
            raise ValueError(f"Its function {str(name)[:100]!r} is a class.")
        return found
    return tuple(described) if isinstance(described, list) else described
