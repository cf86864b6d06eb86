"""Classes and functions of the user's own that configs and files may name: those entered here, and no others.

Nothing is ever found by importing what a file names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Protocol, TypeVar


class _Named(Protocol):
    """A class, or a function."""

    __name__: str


Entry = TypeVar("Entry", bound=_Named)

_objects: dict[str, Any] = {}
_names: dict[Any, str] = {}
_in_scope: ContextVar[Mapping[str, Any]] = ContextVar("_in_scope")


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Entry], Entry]:
    """Decorator that lets configs and files name a class or function of one's own, as 'package>name'.

    Args:
        package: Whose it is.
        name: What it is called; by default as the class or function.

    Raises:
        ValueError: It is a class without `get_config`, so that nothing could describe an object of it.

    Example:
        >>> @register_keras_serializable("mine")
        ... class Thing:
        ...     def get_config(self):
        ...         return {}
        >>> get_registered_name(Thing)
        'mine>Thing'
        >>> get_custom_objects().pop("mine>Thing") is Thing  # and it is gone again
        True
    """

    def enter(entry: Entry) -> Entry:
        if isinstance(entry, type) and not hasattr(entry, "get_config"):
            raise ValueError(f"Cannot register a class that does not have a get_config() method: {entry!r}")
        full = f"{package}>{name or entry.__name__}"
        _objects[full] = entry
        _names[entry] = full
        return entry

    return enter


class CustomObjectScope:
    """A `with` block in which configs may name further classes and functions; an inner block adds to an outer one.

    Args:
        custom_objects: The classes and functions by name.

    Example:
        >>> with CustomObjectScope({"Thing": object}):
        ...     get_registered_object("Thing") is object
        True
        >>> get_registered_object("Thing") is None
        True
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        if not isinstance(custom_objects or {}, Mapping):
            raise ValueError(
                "`custom_objects` must be a dict of classes and functions by name. Received: "
                f"custom_objects={custom_objects!r}"
            )
        self.custom_objects = dict(custom_objects or {})
        self._tokens: list[Token[Mapping[str, Any]]] = []

    def __enter__(self) -> CustomObjectScope:
        self._tokens.append(_in_scope.set({**_in_scope.get({}), **self.custom_objects}))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _in_scope.reset(self._tokens.pop())


custom_object_scope = CustomObjectScope


def get_custom_objects() -> dict[str, Any]:
    """What has been registered, by name: the dictionary itself, in which entries can be made and deleted."""
    return _objects


def get_registered_name(obj: Any) -> str:
    """The name under which a class or function was registered; its own where it was not."""
    name = _names.get(obj)
    return name if name is not None and _objects.get(name) is obj else str(obj.__name__)


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """The class or function of this name, None where there is none.

    Args:
        name: 'package>name' as it was registered, or a name of the scope.
        custom_objects: Where else to look, after what is in scope and what is registered.
        module_objects: Where to look last.
    """
    for objects in (_in_scope.get({}), _objects, custom_objects or {}, module_objects or {}):
        if name in objects:
            return objects[name]
    return None
