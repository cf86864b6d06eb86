"""Name <-> class: the fixed dictionary that every name, config and file is read with.

A class enters it once, by the decorator at its definition; `custom_objects` holds what users add under names of their
own. Nothing else can be named by a string, so what a file says can only ever build what stands in one of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, overload

import numpy as np

from multilayer._language import tr
from multilayer._names import functions, keras_forms
from multilayer._names.custom_objects import Entry, get_registered_name, get_registered_object
from multilayer._names.keras_forms import plain_dtypes, with_arrays, without_unused
from multilayer._names.naming import snake_case
from multilayer._names.qualified import name_inherited
from multilayer._names.scope import family
from multilayer._names.signatures import require_scalars

T = TypeVar("T")

_entries: dict[str, dict[str, Any]] = {}
_LONGEST = 100  # no name is longer; what is, a file's perhaps, is neither compared with names nor shown as a whole

# Where Keras has what does not stand in the module of its kind's name in the plural.
_MODULES = {"loss": "keras.losses", "schedule": "keras.optimizers.schedules"}
_FEATURES = "keras.src.layers.preprocessing.feature_space"
_OWN_MODULES = {
    "Sequential": "keras",
    "Functional": "keras.src.models.functional",
    "FeatureSpace": "keras.utils",
    **dict.fromkeys(("Feature", "Cross", "TFDIdentity", "TFDConcat"), _FEATURES),
}


def register(kind: str, *aliases: str) -> Callable[[Entry], Entry]:
    """Decorator that enters a class as a `kind` ('layer', 'loss', …) under its own name, in snake case, and aliases."""

    def enter(entry: Entry) -> Entry:
        name = entry.__name__
        table = _entries.setdefault(kind, {})
        for key in (name, snake_case(name), *aliases):
            if table.setdefault(key, entry) is not entry:
                raise ValueError(
                    tr("The {kind} name {key!r} is taken by {holder!r}.", kind=kind, key=key, holder=table[key])
                )
        if isinstance(entry, type):
            name_inherited(entry)
        return entry

    return enter


def lookup(kind: str, name: str) -> Any:
    """What is registered as `name` (case does not matter), or the user's own of exactly that name.

    Raises:
        ValueError: Nothing is; the message names the nearest known one.
    """
    own = get_registered_object(name)
    if own is not None:
        return own
    if kind == "optimizer":
        name = name.removeprefix("Custom>")  # Keras 2 has its own optimizers registered so
    table = _entries[kind]
    if len(name) > _LONGEST:
        raise unknown(kind, name, _one_spelling_each(table))
    if name in table:
        return table[name]
    for known, entry in table.items():
        if known.lower() == name.lower():
            return entry
    if name == "__lambda__":
        raise ValueError(
            tr("The {kind} is a Python lambda: code in files is never run. Write a class of your own.", kind=kind)
        )
    left_out = family(module_of(kind).partition(".")[2], name)
    if left_out is not None:
        raise ValueError(
            tr(
                "The {kind} {name!r} is out of scope here: {why}. Use instead: {instead}.",
                kind=kind,
                name=name,
                why=left_out.why,
                instead=left_out.instead,
            )
        )
    raise unknown(kind, name, _one_spelling_each(table))


def known(kind: str, name: str) -> Any:
    """What is registered as exactly `name`, or None."""
    return _entries[kind].get(name)


def names(kind: str) -> list[str]:
    """The names of a kind, one spelling each.

    Example:
        >>> "relu" in names("activation")
        True
    """
    return sorted(_one_spelling_each(_entries[kind]))


def _one_spelling_each(names: Iterable[str]) -> list[str]:
    """Of the names that differ in case and underscores alone, the last one in lower case: RMSprop's is 'rmsprop'."""
    chosen: dict[str, str] = {}
    for name in names:
        letters = name.replace("_", "").lower()
        if letters not in chosen or name == name.lower():
            chosen[letters] = name
    return list(chosen.values())


def kind_of(entry: Any) -> str | None:
    """The kind that a class or function is registered as, None where it is not."""
    return next((kind for kind, table in _entries.items() if any(entry is one for one in table.values())), None)


def module_of(kind: str, name: str = "") -> str:
    """The module that Keras has a kind, or the class of this name, in.

    Example:
        >>> module_of("layer"), module_of("loss"), module_of("layer", "Sequential")
        ('keras.layers', 'keras.losses', 'keras')
    """
    return _OWN_MODULES.get(name) or _MODULES.get(kind) or f"keras.{kind}s"


def kinds() -> list[str]:
    """All kinds that there are."""
    return list(_entries)


def registered(kind: str) -> set[Any]:
    """Everything that is registered as a `kind`."""
    return set(_entries[kind].values())


def unknown(kind: str, name: object, known: Iterable[str]) -> ValueError:
    """The error for a name that nobody knows, with the nearest one that somebody does.

    Example:
        >>> raise unknown("loss", "sparse_crossentropy", ["binary_crossentropy", "sparse_categorical_crossentropy"])
        Traceback (most recent call last):
        ValueError: Unknown loss: 'sparse_crossentropy'. Did you mean 'sparse_categorical_crossentropy'? Known: ...
    """
    names = sorted(known)
    name = f"{name[:_LONGEST]}…" if isinstance(name, str) and len(name) > _LONGEST else name
    if not names:
        return ValueError(tr("Unknown {kind}: {name!r}. There is none at all.", kind=kind, name=name))
    nearest = max(names, key=lambda one: _likeness(str(name), one))
    hint = tr(" Did you mean {nearest!r}?", nearest=nearest) if _likeness(str(name), nearest) > 0.6 else ""
    return ValueError(
        tr(
            "Unknown {kind}: {name!r}.{hint} Known: {names}.",
            kind=tr(kind),
            name=name,
            hint=hint,
            names=", ".join(names),
        )
    )


def _likeness(given: str, known: str) -> float:
    """How alike two names are: in their letters, and in the words that one has of the other."""
    import difflib

    given, known = given.lower(), known.lower()
    words = set(given.split("_"))
    shared = len(words & set(known.split("_"))) / len(words)
    return difflib.SequenceMatcher(None, given, known).ratio() + shared


@overload
def serialize(thing: None) -> None: ...
@overload
def serialize(thing: Any) -> dict[str, Any]: ...
def serialize(thing: Any) -> dict[str, Any] | None:
    """An object as plain data, as Keras describes it; None stays None.

    Where its class was entered by `register_keras_serializable`, `registered_name` says under which name.

    Raises:
        ValueError: The name of its class is that of another class of the library: it would be read as that one.

    Example:
        >>> from multilayer.regularizers import L2
        >>> serialize(L2(0.5))
        {'module': 'keras.regularizers', 'class_name': 'L2', 'config': {'l2': 0.5}, 'registered_name': None}
    """
    if thing is None:
        return None
    if isinstance(thing, functions.OfFunction) and thing.function_alone is not None:
        return described_function(thing.kind, thing.function_alone)
    cls = type(thing)
    kind, name = kind_of(cls), get_registered_name(cls)
    taken = [table[name] for table in _entries.values() if name in table]
    if taken and cls not in taken and get_registered_object(name) is not cls:
        raise ValueError(
            tr(
                "A class of your own has the name {name!r}, which is taken: it cannot be told from that one in "
                "a config. Give it another name, or enter it by `@saving.register_keras_serializable()`.",
                name=name,
            )
        )
    own_module = None if cls.__module__ == "__main__" else cls.__module__
    description = {
        "module": own_module if kind is None else module_of(kind, cls.__name__),
        "class_name": cls.__name__,
        "config": _plain(thing.get_config()),
        "registered_name": name if kind is None or cls.__name__ == "Functional" else None,
    }
    build = thing.get_build_config() if hasattr(thing, "get_build_config") else None
    return description if build is None else {**description, "build_config": build}


def described_function(kind: str, function: Any) -> dict[str, Any]:
    """A plain function in the place of a `kind` as plain data: see `functions.described`.

    Raises:
        ValueError: Its name is that of one of the library's: it would be read as that one.
    """
    described: dict[str, Any] = functions.described(function)
    if isinstance(described, dict) and is_taken(kind, described["config"], function):
        raise ValueError(
            tr(
                "A function of your own has the name {got!r}, which is taken: it cannot be told from "
                "that {kind} in a config. Give it another name, or enter it by "
                "`@saving.register_keras_serializable()`.",
                got=described["config"],
                kind=kind,
            )
        )
    return described


def is_taken(kind: str, name: str, function: Any) -> bool:
    """Whether a name, which a function has, is that of one of the library's own of this kind."""
    return get_registered_object(name) is not function and any(one.lower() == name.lower() for one in _entries[kind])


def _plain(value: Any) -> Any:
    """A part of a config, with the arrays and objects described that a class of one's own may have put there."""
    if isinstance(value, np.ndarray):
        return keras_forms.described_array(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [_plain(one) for one in value]
        return tuple(parts) if isinstance(value, tuple) else parts
    described = hasattr(value, "get_config") and not isinstance(value, type)
    return serialize(value) if described else value


@contextmanager
def describing(what: str) -> Iterator[None]:
    """Within it, whatever a description that is none makes fail is raised as a ValueError."""
    try:
        yield
    except RecursionError:
        raise ValueError(
            tr("The description of a {what} is nested deeper than any, or in itself.", what=what)
        ) from None
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error) or type(error).__name__
        raise ValueError(tr("That is no description of a {what}: {reason}.", what=what, reason=reason)) from error


def deserialize(kind: str, data: dict[str, Any]) -> Any:
    """The object that `serialize` described, or Keras.

    Raises:
        ValueError: The description is malformed or its class is not registered as a `kind`.
    """
    described = isinstance(data, dict) and isinstance(data.get("class_name"), str)
    if not described or not isinstance(data.get("config"), dict):
        raise ValueError(
            tr("Expected a {kind} as {{'class_name': …, 'config': {{…}}}}; got {name!r}.", kind=kind, name=data)
        )
    own = get_registered_object(data["registered_name"]) if data.get("registered_name") else None
    entry = own or lookup(kind, data["class_name"])
    if not isinstance(entry, type):
        raise ValueError(
            tr("Expected a class of a {kind}; {name!r} is {entry!r}.", kind=kind, name=data["class_name"], entry=entry)
        )
    cls: Any = entry
    with describing(kind):
        config = plain_dtypes(with_arrays(data["config"]))
        if cls in registered(kind):
            config = without_unused(cls, config)
            require_scalars(cls, config)
        return cls.from_config(config)


def resolved(kind: str, identifier: Any) -> Any:
    """The user's own class or function that a name stands for, or the name, or the identifier itself.

    Raises:
        ValueError: It describes a function that is neither the user's nor known as a `kind`.
    """
    if isinstance(identifier, dict) and identifier.get("class_name") == "function":
        identifier = identifier.get("config")  # as Keras describes a function: this says which
        if not found(kind, identifier):
            name = str(identifier)[:_LONGEST]
            raise ValueError(
                tr(
                    "Could not locate function {name!r}, a {kind} of the program that saved it: only functions "
                    "are called that the program names. Pass `custom_objects={{{name!r}: function}}`, or enter "
                    "the function by `@saving.register_keras_serializable()` before.",
                    name=name,
                    kind=kind,
                )
            )
    return (get_registered_object(identifier) or identifier) if isinstance(identifier, str) else identifier


def found(kind: str, name: Any) -> bool:
    """Whether a name is that of something of the user's, or of a `kind`."""
    if not isinstance(name, str) or len(name) > _LONGEST:
        return False
    return get_registered_object(name) is not None or any(one.lower() == name.lower() for one in _entries[kind])


def function_for(kind: str, identifier: Any, base: type[Any]) -> Callable[..., Any] | None:
    """The plain function that is given, or named, in the place of a `base`; None where it is something else."""
    given = resolved(kind, identifier)
    if not callable(given) or isinstance(given, (base, type)) or hasattr(given, "get_config"):
        return None
    return given  # type: ignore[no-any-return]


def get(kind: str, identifier: Any, base: type[T]) -> T:
    """What Keras' `get` functions do: an object from an instance, a class, a name, or a config.

    Args:
        kind: The kind to look a name up in.
        identifier: An instance of `base`, a subclass of it, a registered name, or what `serialize` gave.
        base: The class that every object of this kind is an instance of.

    Raises:
        ValueError: An unknown name, or something that is none of these.
    """
    if isinstance(identifier, dict) and identifier.get("class_name") == "function":
        identifier = resolved(kind, identifier)
    if isinstance(identifier, base):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, base):
        return identifier()
    if isinstance(identifier, str):
        found = lookup(kind, identifier)
        thing = found() if isinstance(found, type) else found
        if not isinstance(thing, base):
            raise ValueError(
                tr(
                    "The custom object {identifier!r} is no {kind}: expected {base}; got {found!r}.",
                    identifier=identifier,
                    kind=kind,
                    base=base.__name__,
                    found=found,
                )
            )
        return thing
    if isinstance(identifier, dict):
        described = deserialize(kind, identifier)
        if not isinstance(described, base):
            raise ValueError(
                tr(
                    "{kind} is no {wanted}: expected {base}; got {got!r}.",
                    kind=type(described).__name__,
                    wanted=kind,
                    base=base.__name__,
                    got=described,
                )
            )
        return described
    raise ValueError(
        tr(
            "Could not interpret {kind} identifier: {identifier!r}. Expected a name, a config or an instance "
            "of {base}.",
            kind=kind,
            identifier=identifier,
            base=base.__name__,
        )
    )
