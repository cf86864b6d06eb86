"""Structures of lists, tuples and dicts, one within the other: taken apart, put together again, and walked through.

Nodes are lists, tuples, named tuples, dicts, ordered dicts, dicts with defaults, and deques; all else is a leaf, None
and arrays too. The entries of a dict come in the order of its keys, those of an `OrderedDict` in its own.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from multilayer._tracebacks import filter_traceback

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]

_SEQUENCES = (list, tuple, deque)
_DICTS = (dict, OrderedDict, defaultdict)
_NODES = {*_SEQUENCES, *_DICTS}


class MAP_TO_NONE:  # noqa: N801 - Keras' name
    """What a function of `traverse` returns to have None in the place of what it was given."""


def is_nested(structure: Any) -> bool:
    """Whether something is a node, and no leaf.

    Example:
        >>> is_nested(42), is_nested({"foo": 42}), is_nested([])
        (False, True, True)
    """
    return type(structure) in _NODES or _is_named_tuple(structure)


def _is_named_tuple(structure: Any) -> bool:
    return isinstance(structure, tuple) and hasattr(structure, "_fields")


def _entries(node: Any) -> list[tuple[Any, Any]]:
    """What a node holds, each with its key or its number."""
    if isinstance(node, OrderedDict):
        return list(node.items())
    if isinstance(node, dict):
        return [(key, node[key]) for key in sorted(node)]
    return list(enumerate(node))


def _rebuilt(node: Any, values: Iterable[Any]) -> Any:
    """A node of the same kind with other values, in the order of `_entries`; a dict's keys stay in their places."""
    if isinstance(node, dict):
        by_key = dict(zip((key for key, _ in _entries(node)), values, strict=True))
        items = [(key, by_key[key]) for key in node]
        return defaultdict(node.default_factory, items) if isinstance(node, defaultdict) else type(node)(items)
    if _is_named_tuple(node):
        return type(node)(*values)
    return deque(values, node.maxlen) if isinstance(node, deque) else type(node)(values)


def _require_callable(func: Any) -> None:
    if not callable(func):
        raise TypeError(f"`func` must be callable, got {func} of type {type(func)}")


@filter_traceback
def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """The structure with parts of it replaced by what a function makes of them; it is asked at every node and leaf.

    Args:
        func: Gives what is to stand in the place of a part; None for the part itself, `MAP_TO_NONE` for None. Going
            down, what is replaced is not looked into.
        structure: Any structure.
        top_down: Whether a node comes before what is in it; otherwise after, with that already replaced.

    Raises:
        TypeError: `func` is no function.

    Example:
        >>> seen = []
        >>> traverse(seen.append, [(1, 2), {"a": 4}])
        [(1, 2), {'a': 4}]
        >>> seen
        [[(1, 2), {'a': 4}], (1, 2), 1, 2, {'a': 4}, 4]
    """
    _require_callable(func)
    if top_down:
        found = func(structure)
        if found is None:
            return _with_parts(structure, lambda part: traverse(func, part))
    else:
        inner = _with_parts(structure, lambda part: traverse(func, part, top_down=False))
        found = func(inner)
        if found is None:
            return inner
    return None if found is MAP_TO_NONE else found


def _with_parts(structure: Any, change: Callable[[Any], Any]) -> Any:
    """A node with its parts changed; a leaf as it is."""
    return _rebuilt(structure, [change(part) for _, part in _entries(structure)]) if is_nested(structure) else structure


def flatten(structure: Any) -> list[Any]:
    """The leaves of a structure.

    Example:
        >>> flatten([[1, 2, 3], [4, [5], [[6]]]]), flatten({"b": 1, "a": 2}), flatten(None)
        ([1, 2, 3, 4, 5, 6], [2, 1], [None])
    """
    return [leaf for _, leaf in _leaves(structure, ())]


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves of a structure, each with its path: the keys and numbers that lead to it.

    Example:
        >>> flatten_with_path([{"foo": 42}])
        [((0, 'foo'), 42)]
    """
    return list(_leaves(structure, ()))


def _leaves(structure: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if not is_nested(structure):
        yield path, structure
        return
    for key, part in _entries(structure):
        yield from _leaves(part, (*path, key))


@filter_traceback
def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """The reverse of `flatten`: a structure like another one, with these leaves.

    Args:
        structure: What it is to be like.
        flat_sequence: The leaves in order.

    Raises:
        ValueError: There are too few or too many.

    Example:
        >>> pack_sequence_as({"b": 0, "a": (0, 0)}, [1, 2, 3])
        {'b': 3, 'a': (1, 2)}
    """
    leaves = list(flat_sequence)
    wanted = len(flatten(structure))
    if len(leaves) != wanted:
        few = "few" if len(leaves) < wanted else "many"
        raise ValueError(
            f"Too {few} leaves provided by `flat_sequence` for `structure`; expected: {wanted}, got {len(leaves)}."
        )
    rest = iter(leaves)
    return _mapped(lambda _: next(rest), structure)


@filter_traceback
def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """A structure whose leaves a function gives, from the leaves at that place of all structures.

    Args:
        func: A function of as many leaves as there are structures.
        *structures: Structures that are alike (`assert_same_structure`).
        none_is_leaf: Whether the function is asked for None as for any other leaf; otherwise None stays.

    Raises:
        TypeError: `func` is no function.
        ValueError: There is no structure, or they are not alike.

    Example:
        >>> map_structure(lambda x, y: x * y, [1, (2, 3)], [10, (20, 30)])
        [10, (40, 90)]
    """
    _require_callable(func)
    if not structures:
        raise ValueError("Must provide at least one structure")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)

    def mapped(*leaves: Any) -> Any:
        if none_is_leaf or leaves[0] is not None:
            return func(*leaves)
        if any(leaf is not None for leaf in leaves):
            raise ValueError(f"Structures don't have the same nested structure: None stands beside {leaves[1:]}.")
        return None

    return _mapped(mapped, *structures)


def _mapped(func: Callable[..., Any], shallow: Any, *others: Any) -> Any:
    """The structure with each leaf replaced by what the function makes of it and of what others have there."""
    if not is_nested(shallow):
        return func(shallow, *others)
    parts = [[part for _, part in _entries(one)] for one in (shallow, *others)]
    return _rebuilt(shallow, [_mapped(func, *at_one_place) for at_one_place in zip(*parts, strict=True)])


@filter_traceback
def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """`map_structure` as deep as one structure goes: what is deeper in the others is given to the function whole.

    Args:
        shallow_structure: How deep to go.
        func: A function of as many parts as there are structures.
        *structures: Structures that are like the shallow one as far as it goes.

    Raises:
        TypeError: `func` is no function.
        ValueError: There is no structure, or one is not like the shallow one.

    Example:
        >>> map_structure_up_to([None, None], len, [[1, 1], [2, 2, 2]])
        [2, 3]
    """
    _require_callable(func)
    if not structures:
        raise ValueError("Must provide at least one structure")
    for one in structures:
        _require_alike(shallow_structure, one, deeper=True)
    return _mapped(lambda _, *parts: func(*parts), shallow_structure, *structures)


@filter_traceback
def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Raises an error where two structures are not alike: of the same nodes with as many entries, whatever the leaves.

    Dicts of all kinds are alike where they have the same keys.

    Args:
        a: A structure.
        b: Another one.
        check_types: Has no effect, as in Keras.

    Raises:
        ValueError: They are not alike; the message says where they part.

    Example:
        >>> assert_same_structure([(0, 1)], [(2, 3)])
        >>> assert_same_structure([(0, 1)], [[2, 3]])
        Traceback (most recent call last):
        ValueError: Structures don't have the same nested structure: at (0,), one has a tuple, the other a list.
    """
    if check_types is not None:
        warnings.warn(
            "The `check_types` argument is deprecated and no longer has any effect, please remove.",
            DeprecationWarning,
            stacklevel=2,
        )
    _require_alike(a, b)


def _require_alike(a: Any, b: Any, path: tuple[Any, ...] = (), deeper: bool = False) -> None:
    """Raises ValueError where b is not like a; with `deeper`, b may have nodes where a has leaves."""
    where = "Structures don't have the same nested structure: at " + (f"{path}" if path else "the top")
    if not is_nested(a) and (deeper or not is_nested(b)):
        return
    both_dicts = isinstance(a, dict) and isinstance(b, dict) and is_nested(a) and is_nested(b)
    if type(a) is not type(b) and not both_dicts:
        raise ValueError(f"{where}, one has a {type(a).__name__}, the other a {type(b).__name__}.")
    if both_dicts and set(a) != set(b):
        raise ValueError(f"{where}, one has the keys {sorted(a)}, the other {sorted(b)}.")
    if len(a) != len(b):
        raise ValueError(f"{where}, one has {len(a)} entries, the other {len(b)}.")
    for key in a if both_dicts else range(len(a)):
        _require_alike(a[key], b[key], (*path, key), deeper)


@filter_traceback
def assert_same_paths(a: Any, b: Any) -> None:
    """Raises an error where two structures have leaves at other paths; lists, tuples and deques are then the same.

    Raises:
        ValueError: They have; the message names the paths.

    Example:
        >>> assert_same_paths([0, 1], (2, 3))
        >>> assert_same_paths([0, 1], [2])
        Traceback (most recent call last):
        ValueError: `a` and `b` don't have the same paths. Paths in `a` missing in `b`: [(1,)]
    """
    paths = [dict.fromkeys(path for path, _ in flatten_with_path(one)) for one in (a, b)]
    if set(paths[0]) == set(paths[1]):
        return
    missing = [[path for path in one if path not in other] for one, other in (paths, paths[::-1])]
    sides = zip("ab", "ba", missing, strict=True)
    said = [f"Paths in `{one}` missing in `{other}`: {found}" for one, other, found in sides if found]
    raise ValueError(f"`a` and `b` don't have the same paths. {'. '.join(said)}")


def lists_to_tuples(structure: Any) -> Any:
    """The structure with a tuple in the place of every list.

    Example:
        >>> lists_to_tuples([1, {"a": [2, 3]}])
        (1, {'a': (2, 3)})
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


@filter_traceback
def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """`map_structure` for structures of shapes: tuples and lists of whole numbers and None are leaves.

    Args:
        func: A function of a shape.
        structure: Any structure.

    Raises:
        TypeError: `func` is no function.

    Example:
        >>> map_shape_structure(len, [(None, 3), {"a": (None, 28, 28)}])
        [2, {'a': 3}]
    """
    _require_callable(func)
    if _is_shape(structure) or not is_nested(structure):
        return func(structure)
    return _with_parts(structure, lambda part: map_shape_structure(func, part))


def _is_shape(structure: Any) -> bool:
    return isinstance(structure, (list, tuple)) and all(side is None or isinstance(side, int) for side in structure)
