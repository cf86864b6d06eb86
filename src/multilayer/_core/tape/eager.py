"""Results that are computed at once: arrays of NumPy's that also do what programs for Keras ask of a tensor.

What a layer, a model, `ops` or `random` gives outside a tape is an `EagerArray` (TensorFlow calls it an eager tensor).
It is an `ndarray` like any other; `model(x).numpy()` and `tape.watch(x)` work on it besides.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import numpy as np

from multilayer._core.tape.operands import Operand

F = TypeVar("F", bound=Callable[..., Any])


class EagerArray(np.ndarray):
    """An array with `numpy()`. One of a single number has no axes, and does what NumPy's own single numbers do.

    Example:
        >>> from multilayer import ops
        >>> best = ops.argmax([0.1, 0.7, 0.2])
        >>> best, best.numpy(), ["a", "b", "c"][best]
        (np.int32(1), np.int32(1), 'b')
    """

    def numpy(self) -> Any:
        """The numbers as an array of NumPy's own class, in memory of its own; a single one as a number."""
        return np.array(self)[()]

    def __getitem__(self, index: Any) -> Any:
        return eager(super().__getitem__(index))  # a single number, too, has `numpy()`

    def __repr__(self) -> str:
        return repr(np.asarray(self)[()])

    def __str__(self) -> str:
        return str(np.asarray(self)[()])  # NumPy takes an array without axes for a double: 0.10000000149, not 0.1

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A copy, and what a file holds, is a plain array."""
        return np.asarray(self).__reduce_ex__(protocol)

    # A single number can be counted, rounded and be a key, and `total += loss` never changes a number that was kept.

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(self.item()) if self.ndim == 0 else self._unhashable()

    def _unhashable(self) -> NoReturn:
        raise TypeError("unhashable type: an array of several numbers")

    def __round__(self, ndigits: int | None = None) -> Any:
        return round(self.item(), ndigits)


def _rebinding(name: str) -> Callable[[EagerArray, Any], Any]:
    """An operator such as `+=`, which writes into an array.

    Of a single number it makes a new one, and of a tensor, or an array that a tape watches, as of any `x = x + y`.
    """
    into: Callable[[Any, Any], Any] = getattr(np.ndarray, name)

    @functools.wraps(into)
    def operator(self: EagerArray, other: Any) -> Any:
        rebinds = self.ndim == 0 or isinstance(self, Operand) or isinstance(other, Operand)
        return NotImplemented if rebinds else into(self, other)  # Python takes `+`

    return operator


for _name in ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift"]:
    setattr(EagerArray, f"__i{_name}__", _rebinding(f"__i{_name}__"))


def eager(y: Any) -> Any:
    """A result as users get it: arrays, and lists, tuples and dicts of them, as such with `numpy()`."""
    kind = type(y)
    if kind is np.ndarray:
        return y.view(EagerArray)
    if isinstance(y, np.generic):
        return np.asarray(y).view(EagerArray)
    if isinstance(y, (list, tuple)):
        parts = [eager(one) for one in y]
        return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
    return {key: eager(one) for key, one in y.items()} if kind is dict else y


def gives_eager(function: F) -> F:
    """The function, with results as users get them."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return eager(function(*args, **kwargs))

    return called  # type: ignore[return-value]
