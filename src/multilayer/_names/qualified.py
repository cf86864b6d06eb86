"""What a method is called in an error: after the class that users know, and not after a mixin that they never meet."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import CellType, FunctionType
from typing import TypeVar

Class = TypeVar("Class", bound=type)


def named_after_class(*mixins: type) -> Callable[[Class], Class]:
    """A class decorator: the methods that a class takes from these mixins bear its own name.

    Python puts a function's qualified name before every complaint about arguments: without this,
    `model.fit(epoch=3)` would fail with "FittingMixin.fit() got an unexpected keyword argument 'epoch'". Each function
    is copied, so that several classes can take one mixin, each under its name.

    Args:
        *mixins: The bases whose methods are meant; their own bases are not.

    Example:
        >>> class TalkingMixin:
        ...     def talk(self): ...
        >>> @named_after_class(TalkingMixin)
        ... class Parrot(TalkingMixin): ...
        >>> Parrot().talk(loudly=True)
        Traceback (most recent call last):
        TypeError: Parrot.talk() got an unexpected keyword argument 'loudly'
    """

    def name(cls: Class) -> Class:
        for method in {name for mixin in mixins for name, value in vars(mixin).items() if inspect.isfunction(value)}:
            function = inspect.getattr_static(cls, method)
            if any(vars(mixin).get(method) is function for mixin in mixins):  # and not overridden
                setattr(cls, method, _copied(function, cls))
        return cls

    return name


def name_inherited(cls: type) -> None:
    """Names after a class what it takes from bases that users do not know: constructor, and methods of private bases.

    `Precision(foo=1)` then fails with "Precision.__init__() got an unexpected keyword argument 'foo'", whichever base
    has the constructor. What a public base defines keeps that base's name, as everywhere in Python.
    """
    found = set(vars(cls))
    for base in cls.__mro__[1:-1]:
        # Every class of the library comes by here while it is imported: public bases are asked for `__init__` alone.
        names = vars(base).keys() if base.__name__.startswith("_") else {"__init__"} & vars(base).keys()
        for name in names - found:
            value = vars(base)[name]
            if isinstance(value, FunctionType) and (name == "__init__" or not name.startswith("_")):
                setattr(cls, name, _copied(value, cls))
        found |= vars(base).keys()


def _copied(function: FunctionType, cls: type) -> FunctionType:
    # Its cell `__class__` stays the mixin: `super()` in it goes on from there, as before.
    inner = vars(function).get("__wrapped__")  # what a decorator calls is what complains about arguments
    renamed = _copied(inner, cls) if isinstance(inner, FunctionType) else inner
    closure = function.__closure__
    if closure is not None and inner is not None:
        closure = tuple(CellType(renamed) if cell.cell_contents is inner else cell for cell in closure)
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, closure)
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__annotations__ = function.__annotations__
    copy.__dict__.update(function.__dict__)
    if inner is not None:
        vars(copy)["__wrapped__"] = renamed
    copy.__doc__ = function.__doc__
    copy.__qualname__ = f"{cls.__qualname__}.{function.__name__}"
    copy.__module__ = cls.__module__  # where pickle looks for that name
    return copy
