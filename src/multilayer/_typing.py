"""Python 3.12's `typing.override` on every Python, without a dependency for it.

A module that marks its methods writes

    if not TYPE_CHECKING:
        from multilayer._typing import override
    else:
        from typing_extensions import override

Checkers know `typing_extensions` without its being installed: mypy then refuses a method that overrides nothing, as
after a slip in a hook's name, and Ruff allows an overriding method arguments that it does not use, whose names its
callers may write. The branch for checkers comes last because Ruff believes the last import of a name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])


def override(method: Method, /) -> Method:
    """Says that a method overrides one of a base class. At run time it is the method itself, so that it costs nothing.

    Example:
        >>> class Base:
        ...     def hook(self, logs=None): ...
        >>> class Quiet(Base):
        ...     @override
        ...     def hook(self, logs=None):
        ...         return "heard"
        >>> Quiet().hook()
        'heard'
    """
    return method
