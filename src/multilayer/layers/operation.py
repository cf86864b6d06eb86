"""A function of NumPy's, or of `ops`, as a step of a network that is drawn up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multilayer._names import naming, registry
from multilayer.layers.base import Layer


@registry.register("layer")
class FunctionOperation(Layer):
    """What a function that is called with a model's tensors becomes: a step that calls it with the numbers.

    Args:
        function: The function, written with NumPy's functions or `ops`.
        **kwargs: `name`, `dtype` of a `Layer`.

    Example:
        >>> import numpy as np
        >>> from multilayer import Input
        >>> np.tanh(Input((3,))).shape
        (None, 3)
    """

    is_operation = True  # not one of a model's `layers`, as in Keras

    def __init__(self, function: Callable[..., Any], **kwargs: Any) -> None:
        name = kwargs.pop("name", None) or naming.auto_name(naming.snake_case(function.__name__))
        super().__init__(name=name, **kwargs)
        self.function = function

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)
