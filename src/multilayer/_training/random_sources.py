"""Where a training draws random numbers from: what layers and data sets hold, looked through within bounds."""

from __future__ import annotations

import functools
import sys
import types
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from multilayer.layers import Layer
from multilayer.random import SeedGenerator, Stream

if TYPE_CHECKING:
    import random as python_random

# As text: NumPy loads its `random`, and Python's with it, when it is used.
Numpys: TypeAlias = "np.random.Generator | np.random.BitGenerator | np.random.RandomState"
Source: TypeAlias = "Stream | SeedGenerator | Numpys | python_random.Random"

_MOST, _DEEPEST = 20_000, 12  # objects, and levels of one within the other
_OF_A_LAYER = 40  # objects more for each layer, or a network of some thousands could not be looked through
_MANY = 1000  # things in a list, of which the types are looked at before the things
_PLAIN = (str, bytes, bytearray, int, float, complex, np.ndarray, np.generic, types.ModuleType, range, slice)
_LEAVES = {type(None), bool, int, float, str, np.ndarray}
_CONTAINERS = (list, tuple, dict, deque, set, frozenset)
# What has none, or, as this library's own objects, none but those that a layer has as its attributes.
_CLOSED = {"multilayer", "numpy", "h5py", "PIL", "matplotlib", "logging", "threading"}
_CLOSED |= {"scipy", "pandas", "polars", "pyarrow"}  # tables hold values, and many of them
_NOT_OWN = _CLOSED | {"builtins"}


def sources(owners: Iterable[Any]) -> list[Source]:
    """Every stream and generator that layers, or other owners, have, directly or indirectly, in their order.

    These are generators in attributes, in lists and dicts, in objects that are attributes, in what functions have
    enclosed, and those of a module that methods of one's own name.
    """
    return _searched(owners).found


def doubts(owners: Iterable[Any]) -> list[str]:
    """What owners hold that nobody can bring back to where it stands, each in words that name it."""
    return _searched(owners).doubts


def _searched(owners: Iterable[Any]) -> _Search:
    search = _Search()
    for owner in owners:
        search.look(owner, type(owner).__name__, 0)
    return search


class _Search:
    """One walk through objects. What was seen is kept: else the next might get the number of one that is gone."""

    def __init__(self) -> None:
        self.found: list[Source] = []
        self.doubts: list[str] = []
        self._seen: dict[int, Any] = {}
        self._most = _MOST

    def look(self, value: Any, where: str, depth: int) -> None:
        """Looks at a value, and at what it holds."""
        if value is None or isinstance(value, _PLAIN) or id(value) in self._seen:
            return
        if len(self._seen) >= self._most or depth > _DEEPEST:
            self._doubt(f"{where.split('.')[0]}, which holds more than is looked through")
            return
        self._seen[id(value)] = value
        if _is_source(value):
            self.found.append(value)
        elif isinstance(value, _CONTAINERS):
            self._look_in(value, where, depth)
        elif isinstance(value, type):
            return
        elif isinstance(value, Layer):
            self._look_at_layer(value, where, depth)
        elif isinstance(value, types.GeneratorType):
            self._doubt(f"{where}, a generator that is under way")
        elif isinstance(value, (types.FunctionType, types.MethodType, types.BuiltinMethodType, functools.partial)):
            self._look_all(_held_by_function(value), where, depth)
        elif type(value).__module__.partition(".")[0] in _CLOSED:
            return
        elif _seems_a_source(value):
            self._doubt(f"{where}, a {type(value).__module__}.{type(value).__qualname__}")
        else:
            self._look_at_own(value, where, depth)

    def _doubt(self, what: str) -> None:
        if what not in self.doubts:
            self.doubts.append(what)

    def _look_all(self, values: Iterable[tuple[str, Any]], where: str, depth: int) -> None:
        for name, value in values:
            self.look(value, f"{where}{name}", depth + 1)

    def _look_in(self, value: Any, where: str, depth: int) -> None:
        if isinstance(value, (set, frozenset)):  # without an order nobody knows which is which in another process
            if any(map(_is_source, value)):
                self._doubt(f"{where}, a set of generators")
        elif isinstance(value, Mapping):
            if len(value) <= _MANY or not _are_plain(value.values()):
                self._look_all(((f"[{str(key)[:40]!r}]", one) for key, one in list(value.items())), where, depth)
        elif len(value) <= _MANY or not _are_plain(value):
            self._look_all(((f"[{i}]", one) for i, one in enumerate(list(value))), where, depth)

    def _look_at_layer(self, layer: Layer, where: str, depth: int) -> None:
        own = type(layer).__module__.partition(".")[0] not in _CLOSED
        self._most += _OF_A_LAYER
        inner = getattr(layer, "layers", None)
        if inner is not None:  # a model: its layers, and what a class of one's own adds
            self._look_all((("", one) for one in inner), where, depth)
        if inner is None or own:
            self._look_at_own(layer, where, depth)

    def _look_at_own(self, value: Any, where: str, depth: int) -> None:
        """Attributes, and what the methods of classes of one's own name or hold."""
        for name, one in _attributes(value):
            if type(one) not in _LEAVES:  # most are, and this is done at every backup
                self.look(one, f"{where}.{name}", depth + 1)
        for cls in type(value).__mro__:
            if cls.__module__.partition(".")[0] in _NOT_OWN or id(cls) in self._seen:
                continue
            self._seen[id(cls)] = cls
            for name, one in list(vars(cls).items()):
                if _is_source(one):
                    self.look(one, f"{where}.{name}", depth + 1)
                elif isinstance(one, types.FunctionType):
                    self._look_all(_held_by_function(one), f"{where}.{name}", depth)


def _is_source(value: Any) -> bool:
    if isinstance(value, (Stream, SeedGenerator)):
        return True
    if isinstance(value, (np.random.Generator, np.random.BitGenerator, np.random.RandomState)):
        return True
    return _is_pythons(value)


def _is_pythons(value: Any, system: bool = False) -> bool:
    """Whether it is a generator of Python's `random`: one that repeats, or that of the operating system."""
    module = sys.modules.get("random")  # where nobody has imported it, nobody has a generator of it
    return module is not None and isinstance(value, module.Random) and isinstance(value, module.SystemRandom) == system


def _seems_a_source(value: Any) -> bool:
    """Whether none can say where it stands: the system's, and what other libraries call so, as `torch.Generator`."""
    return _is_pythons(value, system=True) or type(value).__name__ in ("Generator", "RandomState", "SystemRandom")


def _are_plain(values: Iterable[Any]) -> bool:
    return all(kind is type(None) or issubclass(kind, _PLAIN) for kind in set(map(type, values)))


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """The attributes by name, those in slots, too. Properties are not called: they are somebody's code."""
    yield from list(getattr(value, "__dict__", {}).items())
    for name, found in _slots(type(value)):
        with suppress(AttributeError):  # not set yet
            yield name, found.__get__(value)


def _slots(cls: type) -> list[tuple[str, Any]]:
    return [
        (name, found)
        for one in cls.__mro__
        if "__slots__" in vars(one)
        for name, found in vars(one).items()
        if isinstance(found, types.MemberDescriptorType)
    ]


def _held_by_function(value: Any) -> Iterator[tuple[str, Any]]:
    """What a function has enclosed, is bound to or begins with, and the generators of a module that it names."""
    if isinstance(value, functools.partial):
        yield from (("()", one) for one in (value.func, *value.args, *value.keywords.values()))
    elif not isinstance(value, types.FunctionType):  # a method
        yield ".__self__", value.__self__
    elif value.__module__ is None or value.__module__.partition(".")[0] not in _CLOSED:
        for cell in value.__closure__ or ():
            with suppress(ValueError):  # not set yet
                yield "()", cell.cell_contents
        yield from (("()", one) for one in (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()))
        for name in _names_in(value.__code__):
            one = value.__globals__.get(name)
            if _is_source(one):
                yield f":{name}", one


def _names_in(code: types.CodeType) -> Iterator[str]:
    """The names that a piece of code looks up, and those that functions in it do."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _names_in(inner)
