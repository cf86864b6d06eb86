"""The names that Keras gives what the user leaves unnamed: dense, dense_1, sequential."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

_given: Counter[str] = Counter()


def snake_case(name: str) -> str:
    """`GlorotUniform` -> `glorot_uniform`, as Keras writes class names.

    Example:
        >>> snake_case("GlorotUniform"), snake_case("RMSprop"), snake_case("ReLU")
        ('glorot_uniform', 'rm_sprop', 're_lu')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def checked(name: Any) -> Any:
    """The name, where a terminal would print it as it is: names come from files, too, and are shown everywhere.

    Raises:
        ValueError: It is no text, or has letters that cannot be printed, which a terminal would take for commands.

    Example:
        >>> checked("accuracy")
        'accuracy'
    """
    if name is not None and not (isinstance(name, str) and name.isprintable()):
        shown = repr(name[:100] if isinstance(name, str) else name)[:200]
        raise ValueError(f"Argument `name` must be of letters that can be printed. Received: name={shown}")
    return name


def auto_name(class_name: str) -> str:
    """The next free default name for an object of this class."""
    prefix = snake_case(class_name)
    count = _given[prefix]
    _given[prefix] += 1
    return prefix if count == 0 else f"{prefix}_{count}"


def reset_names() -> None:
    """Starts counting default names from the beginning again."""
    _given.clear()


def in_order(name: str) -> list[tuple[int, str]]:
    """A key to sort names by, their numbers as numbers.

    Example:
        >>> sorted(["10.bias", "2.bias", "2.weight"], key=in_order)
        ['2.bias', '2.weight', '10.bias']
    """
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,18})", name)]
