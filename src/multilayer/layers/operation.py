"""A function of NumPy's, or of `ops`, as a step of a network that is drawn up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multilayer._core.tape import Operand, Tensor, plain, users_line
from multilayer._names import naming, registry
from multilayer.config import floatx
from multilayer.layers.base import Layer
from multilayer.layers.effort import claim_effort
from multilayer.layers.operations import OPERATIONS, Operation, operation_of
from multilayer.layers.recorded import Arguments, connect_by_call
from multilayer.layers.symbolic import KerasTensor, flatten, pack_like


@registry.register("operation")
class FunctionOperation(Layer):
    """What a function that is called with a model's tensors becomes: a step that calls it with the numbers.

    Results are no wider than what they are computed of: where NumPy would give a float64 of int32 and float32, or of a
    mean of whole numbers, it is a float32, as in Keras.

    Args:
        function: The function, written with NumPy's functions or `ops`.
        name: Its name; by default that of Keras' operation.

    Example:
        >>> import numpy as np
        >>> from multilayer import Input
        >>> np.tanh(Input((3,))).shape
        (None, 3)
    """

    is_operation = True
    _nothing_to_build = True

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        if not callable(function):
            raise ValueError(f"An operation is made of a function. Received: {str(function)[:100]!r}")
        known = operation_of(function)
        self.function = function
        self._kind = function.__name__ if known is None else known.name
        super().__init__(name=name or naming.auto_name(self._kind))

    @property
    def kind(self) -> str:
        return self._kind

    @property
    def operation(self) -> Operation | None:
        """What it is among Keras' operations; None for a function that is none of them."""
        return OPERATIONS.get(self._kind)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "function": self.function}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FunctionOperation:
        return cls(**config)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        claim_effort(self.kind, args, kwargs)
        y = self.function(*args, **kwargs)
        if self.kind in _OF_ANY_TYPE:
            return y
        return pack_like(y, [_narrowed(one, self.called_with, self.dtype) for one in flatten(y)])

    def _connect(self, x: Any, training: bool | None) -> Any:  # noqa: ARG002 - it acts alike in training
        tensors = [one for one in flatten(x) if isinstance(one, KerasTensor)]
        floats = [one.dtype for one in tensors if one.dtype.startswith("float")]
        self.dtype = max(floats, key=lambda one: np.dtype(one).itemsize, default=floatx())
        given = x if isinstance(x, Arguments) else Arguments((x,), {})
        given = pack_like(given, [_constant(one, self.dtype) for one in flatten(given)])
        try:
            return connect_by_call(self, given, None)
        except (TypeError, ValueError, IndexError) as error:
            shapes = ", ".join(str(one.shape) for one in tensors)
            reason = str(error).partition(" (In ")[0]
            kind = next(one for one in (ValueError, IndexError, TypeError) if isinstance(error, one))
            raise kind(f"`{self.kind}` of tensors of shapes {shapes}: {reason}{users_line()}") from error


# What gives other types than it is given, because it was asked for them.
_OF_ANY_TYPE = frozenset(("Cast", "OneHot", "OnesLike", "ZerosLike"))


def _constant(x: Any, dtype: str) -> Any:
    """An argument that is no tensor of the model: an array of real numbers in the type of the tensors."""
    if isinstance(x, Operand) and not isinstance(x, KerasTensor):
        x = plain(x)
    return x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.dtype != dtype else x


def _narrowed(y: Any, given: tuple[str, ...], dtype: str) -> Any:
    """A result in a type no wider than those that it was computed of."""
    found = np.dtype(y.dtype) if isinstance(y, (Tensor, np.ndarray, np.generic)) else np.asarray(y).dtype
    if found.kind == "f" and found != dtype:
        return y.astype(dtype)
    if found == np.int64 and "int64" not in given:
        return np.asarray(plain(y)).astype(np.int32)
    return y
