"""What a tensor stands for on a tape: variables, and arrays of which `tape.watch(x)` has made operands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multilayer._core.tape.eager import EagerArray
from multilayer._core.tape.operands import Operand
from multilayer._core.tape.tensor import astype, call, getitem, into
from multilayer.functional import Array


class StoodFor(Operand):
    """An operand that reckons like its `value`, and where a tape is recording, as the tensor that stands for it."""

    __slots__ = ()

    def _called(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return call(function, args, kwargs)

    def _into(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return into(function, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        return call(getitem, (self, index), {})


class WatchedArray(StoodFor, EagerArray):  # type: ignore[misc]  # methods take what tensors' take, not all of NumPy's
    """A result that was given to `tape.watch`: still the same array, whose class alone was changed.

    What NumPy computes of it goes through the tape from then on, as it does of a `Variable`, whose part it takes there:
    it has a `value`, a `version` and a `path`, and is `trainable`. Outside a tape it is an array as before.
    """

    trainable = True
    version = 0  # how often it was written into

    @property
    def path(self) -> str:
        """What it is called in messages."""
        return f"the watched array of shape {self.shape}"

    @property
    def value(self) -> Array:
        """Its numbers, in the same memory."""
        return np.asarray(self)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.value[index] = value
        self.version += 1  # a gradient that is asked for later would be a wrong one, and says so

    def astype(self, dtype: Any, *options: Any, **named: Any) -> Any:
        """The same numbers in another type."""
        return call(astype, (self, np.dtype(dtype)), {})

    def copy(self, order: Any = "C") -> Any:
        """The same numbers in memory of their own."""
        return call(np.copy, (self,), {})

    # Of a copy that NumPy made by itself, the tape would know nothing.

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()


def watched(x: EagerArray) -> WatchedArray:
    """The same array, as one that tapes know."""
    x.__class__ = WatchedArray
    return x  # type: ignore[return-value]
