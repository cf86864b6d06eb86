"""The control of what is computed: branches and loops, which are Python's here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multilayer._core.tape import Operand, plain
from multilayer.ops.operands import operand, operation
from multilayer.tree import flatten, map_structure

__all__ = [
    "associative_scan",
    "cond",
    "fori_loop",
    "map",
    "scan",
    "switch",
    "vectorize",
    "vectorized_map",
    "while_loop",
]

# --- Branches ---


@operation
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """true_fn() where the condition is true, else false_fn().

    Example:
        >>> cond(2 > 1, lambda: "yes", lambda: "no")
        'yes'
    """
    return true_fn() if bool(plain(pred)) else false_fn()


@operation
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """`branches[index](*operands)`, the index kept within the branches."""
    return branches[min(max(int(plain(index)), 0), len(branches) - 1)](*operands)


# --- Loops ---


def _mapped(function: Callable[..., Any], *structures: Any) -> Any:
    return map_structure(function, *structures, none_is_leaf=False)


def _stacked(results: Sequence[Any]) -> Any:
    return _mapped(lambda *leaves: np.stack([operand(one) for one in leaves]), *results)


def _arrays(structure: Any) -> Any:
    """A structure whose lists are of arrays, rather than of numbers."""
    return operand(structure) if isinstance(structure, list) and not _holds_arrays(structure) else structure


def _holds_arrays(structure: list[Any]) -> bool:
    return bool(structure) and isinstance(structure[0], (np.ndarray, Operand, dict, tuple))


@operation
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """f of each slice along the first axis, the results stacked.

    Example:
        >>> map(lambda x: x ** 2, np.array([1.0, 2.0])).tolist()
        [1.0, 4.0]
    """
    xs = _arrays(xs)
    return _stacked([f(_mapped(lambda x, i=i: operand(x)[i], xs)) for i in range(len(flatten(xs)[0]))])


@operation
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """A function of each slice along the first axis, the results stacked: `map`."""
    return map(function, elements)


@operation
def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> Any:
    """carry, y = f(carry, x) for each slice x along the first axis: the last carry, and the ys stacked.

    Args:
        f: The function.
        init: The first carry.
        xs: Arrays, or a structure of arrays; None for a loop of so many turns.
        length: How many turns; by default as many as there are slices.
        reverse: Whether to begin at the last slice; the ys stay in the order of the slices.
        unroll: Without a meaning here.

    Example:
        >>> carry, ys = scan(lambda total, x: (total + x, total), 0, np.array([1, 2, 3]))
        >>> int(carry), ys.tolist()
        (6, [0, 1, 3])
    """
    xs = None if xs is None else _arrays(xs)
    turns = len(flatten(xs)[0]) if length is None and xs is not None else int(length or 0)
    carry, ys = init, []
    for i in reversed(range(turns)) if reverse else range(turns):
        carry, y = f(carry, None if xs is None else _mapped(lambda x, i=i: operand(x)[i], xs))
        ys.append(y)
    if reverse:
        ys.reverse()
    return carry, _stacked(ys) if ys else None


@operation
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """The first slice along an axis, f of the first two, f of that and the third, and so on; f is associative.

    Example:
        >>> associative_scan(lambda a, b: a + b, np.array([1, 2, 3])).tolist()
        [1, 3, 6]
    """
    elems = _arrays(elems)
    count = np.shape(flatten(elems)[0])[axis]
    order = list(reversed(range(count))) if reverse else list(range(count))
    slices = [_mapped(lambda x, i=i: np.take(operand(x), [i], axis=axis), elems) for i in order]
    results = slices[:1]
    for one in slices[1:]:
        results.append(f(results[-1], one))
    if reverse:
        results.reverse()
    return _mapped(lambda *parts: np.concatenate([operand(one) for one in parts], axis=axis), *results)


@operation
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """value = body_fun(i, value) for i from `lower` up to `upper`, which is not among them.

    Example:
        >>> fori_loop(0, 4, lambda i, total: total + i, 0)
        6
    """
    value = init_val
    for i in range(int(plain(lower)), int(plain(upper))):
        value = body_fun(i, value)
    return value


@operation
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """`loop_vars = body(*loop_vars)` as long as `cond(*loop_vars)`.

    Example:
        >>> while_loop(lambda i: i < 10, lambda i: i + 3, (0,))
        (12,)
    """
    several = isinstance(loop_vars, (list, tuple))
    values = tuple(loop_vars) if several else (loop_vars,)
    turns = 0
    while (maximum_iterations is None or turns < maximum_iterations) and bool(plain(cond(*values))):
        made = body(*values)
        values = tuple(made) if isinstance(made, (list, tuple)) else (made,)
        turns += 1
    return values if several else values[0]


def vectorize(pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None) -> Any:
    """A function of numbers as one of arrays: called number by number, with constants."""
    function = np.vectorize(pyfunc, excluded=excluded, signature=signature)
    return operation(lambda *args, **kwargs: function(*(plain(operand(one)) for one in args), **plain(kwargs)))
