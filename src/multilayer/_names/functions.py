"""Plain functions where Keras takes them: described by their names, and found again among those a program names."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from multilayer._names.custom_objects import get_registered_name

_kept: ContextVar[bool] = ContextVar("_kept", default=False)


class OfFunction:
    """Base of what stands for a plain function, with the function in its attribute `function`."""

    kind: str  # what it is in the place of: 'loss', 'regularizer', ...
    function: Callable[..., Any]

    @property
    def function_alone(self) -> Callable[..., Any] | None:
        """The function, where there is nothing else to say."""
        return self.function

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {name_of(self.function)}>"


def name_of(function: Any) -> str:
    """What a function is called; a callable object is called as its class."""
    return str(getattr(function, "__name__", type(function).__name__))


@contextmanager
def functions_kept() -> Iterator[None]:
    """Within it, configs hold functions themselves: those for copies, which need no name to find them by."""
    token = _kept.set(True)
    try:
        yield
    finally:
        _kept.reset(token)


def described(function: Any) -> Any:
    """A function as plain data, as Keras describes it: by the name that it was registered under, or its own.

    A lambda has none, and is described with a warning: no code is ever written to a file.
    """
    if _kept.get():
        return function
    name = get_registered_name(function) if hasattr(function, "__name__") else name_of(function)
    if name == "<lambda>":
        warnings.warn(
            "A `lambda` is described by a name that nothing can find it by. To load a file with it, pass "
            "`custom_objects={'<lambda>': function}`; better, define a function and enter it by "
            "`@saving.register_keras_serializable()`.",
            stacklevel=3,
        )
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
