"""What an operation that a file describes would cost: known from the shapes, before any memory is taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multilayer._core.arena import Effort
from multilayer._core.arena import claim_effort as _claim
from multilayer._core.tape import plain

Shape = tuple[int, ...]

_MOST_AXES = 64  # of NumPy's arrays
_LISTS = ("repeats", "indices_or_sections", "subscripts")  # options that may be longer than an array has axes
_TURN = 1000  # a turn of a loop takes as long as so many numbers, be there few or none
_BEYOND = 2**63  # what is larger is not told apart


def claim_effort(kind: str, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Called before an operation is tried on a small batch.

    Raises:
        ValueError: Within `at_most`, it would make more numbers than any network does, or an option is none.
    """
    _claim(lambda: effort(kind, args, kwargs), kind)


def effort(kind: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Effort:
    """How many numbers an operation computes, and how many it holds at once, at the most.

    Raises:
        ValueError: An option has more entries than an array has axes, or is no whole number where it must be one.
    """
    for name, value in kwargs.items():
        if name not in _LISTS and isinstance(value, (list, tuple)) and _entries(value) > 2 * _MOST_AXES:
            raise ValueError(
                f"`{name}` has {_entries(value):,} entries, and an array has {_MOST_AXES} axes at the most."
            )
    shapes = _shapes(kind, args, kwargs)
    given = sum(map(math.prod, shapes))
    if kind in _PRODUCTS:
        computed, held = _PRODUCTS[kind](shapes, args, kwargs)
    else:
        made = _MADE.get(kind)
        held = max(_broadcast(shapes), 0 if made is None else made(shapes, args, kwargs))
        looped = _LOOPED.get(kind)
        computed = held if looped is None else looped(shapes, args, kwargs)
    return Effort(min(max(computed, held, given), _BEYOND), min(max(held, given), _BEYOND))


def _entries(value: Any) -> int:
    return sum(map(_entries, value)) if isinstance(value, (list, tuple)) else 1


# --- Shapes ---


def _shapes(kind: str, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Shape]:
    """Those of the operands, in their order: arrays, numbers, and what stands in lists, be it tensors or numbers."""
    operands = args[:1] if kind == "GetItem" else [one for one in args if not isinstance(one, str)]
    found = [shape for one in operands for shape in _shapes_in(one)]
    return found + [_shape(one) for one in kwargs.values() if hasattr(one, "shape")]


def _shapes_in(x: Any) -> list[Shape]:
    if _holds_arrays(x):
        return [shape for one in x for shape in _shapes_in(one)]
    return [_shape(x)]


def _holds_arrays(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and any(hasattr(one, "shape") or _holds_arrays(one) for one in x)


def _shape(x: Any) -> Shape:
    try:
        return np.shape(plain(x))
    except ValueError:  # lists of different lengths: no operand, and refused as one
        return ()


def _broadcast(shapes: Sequence[Shape]) -> int:
    """The numbers of what the operands are together, each side the longest there is."""
    ndim = max(map(len, shapes), default=0)
    sides = ((1,) * (ndim - len(shape)) + tuple(shape) for shape in shapes)
    return math.prod(map(max, zip(*sides, strict=True)))


# --- Options ---


def _whole(x: Any) -> list[int]:
    """The sizes of the whole numbers in an option.

    Raises:
        ValueError: There is another number, or a text, which some of NumPy's functions take as well.
    """
    entries = [one for one in np.ravel(np.asarray(plain(x), dtype=object)) if one is not None]
    for one in entries:
        if not isinstance(one, (int, np.integer)):
            raise ValueError(f"it takes whole numbers. Received: {str(one)[:100]!r}")
    return [abs(int(one)) for one in entries]


def _given(args: Sequence[Any], kwargs: dict[str, Any], place: int, *names: str) -> Any:
    found = [kwargs[name] for name in names if name in kwargs]
    return found[0] if found else args[place] if len(args) > place else None


# --- How many numbers are made, where they are more than those of the operands together ---

_Made = Callable[[Sequence[Shape], Sequence[Any], dict[str, Any]], int]


def _times(place: int, *names: str) -> _Made:
    """As many times the operand as the product of an option's numbers; 0 of them comes after the others."""
    return lambda shapes, args, kwargs: math.prod(
        [*shapes[0], *(max(one, 1) for one in _whole(_given(args, kwargs, place, *names)))]
    )


def _repeated(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    return math.prod(shapes[0]) * max(_whole(_given(args, kwargs, 1, "repeats")), default=0)


def _of_shape(_: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    return math.prod(_whole(_given(args, kwargs, 1, "shape", "newshape")))


def _padded(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    width = max(_whole(_given(args, kwargs, 1, "pad_width")), default=0)
    return math.prod(side + 2 * width for side in shapes[0])


def _every_pair(shapes: Sequence[Shape], *_: Any) -> int:
    return math.prod(map(math.prod, shapes))


def _square(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    shift = max(_whole(_given(args, kwargs, 1, "k")), default=0)
    return (shapes[0][0] + shift) ** 2 if len(shapes[0]) == 1 else 0


def _taken(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    places = math.prod(shapes[1]) if len(shapes) > 1 else 1
    axis = _given(args, kwargs, 2, "axis")
    if axis is None:
        return places
    return int(math.prod(shapes[0]) // max(shapes[0][axis], 1) * places)


def _chosen(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """Of entries at an index: lists of places, which stand for the sides that they are places of."""
    key = _given(args, kwargs, 1, "key")
    parts = [one for one in (key if isinstance(key, tuple) else (key,)) if one is not None]
    sides, axis, places = list(shapes[0]), 0, []
    for number, part in enumerate(parts):
        if part is Ellipsis:
            axis = max(axis, len(sides) - (len(parts) - number - 1))
            continue
        if not isinstance(part, slice):
            places.append(_shape(part))
            if len(places[-1]) < 2 and axis < len(sides):
                sides[axis] = 1
        axis += 1
    return math.prod(sides) * _broadcast(places)


_MADE: dict[str, _Made] = {
    "BroadcastTo": _of_shape,
    "Diag": _square,
    "GetItem": _chosen,
    "OneHot": _times(1, "num_classes"),
    "Outer": _every_pair,
    "Pad": _padded,
    "Repeat": _repeated,
    "Take": _taken,
    "Tile": _times(1, "reps", "repeats"),
}

# --- How many numbers are computed on the way, where they are more than those that are made ---


def _turns(place: int, *names: str) -> _Made:
    """So many turns of a loop over the operand."""
    return lambda shapes, args, kwargs: (
        max(math.prod(shapes[0]), _TURN) * sum(_whole(_given(args, kwargs, place, *names)))
    )


def _to_and_fro(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """Of values around others: a mirror goes to and fro."""
    numbers = _padded(shapes, args, kwargs)
    width = max(_whole(_given(args, kwargs, 1, "pad_width")), default=0)
    turns = width // max(min(shapes[0], default=1), 1)
    return numbers if _given(args, kwargs, 2, "mode") in (None, "constant") else numbers * (1 + turns)


def _parts(_: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """Of tensors that are split: each part is a tensor of its own."""
    given = plain(_given(args, kwargs, 1, "indices_or_sections"))
    return _TURN * (np.size(given) + 1 if np.ndim(given) else sum(_whole(given)))


def _rolled(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """Each axis that is rolled is cut in two, and all the pieces are moved one by one."""
    axes = max(np.size(_given(args, kwargs, 1, "shift")), np.size(_given(args, kwargs, 2, "axis")))
    return max(math.prod(shapes[0]), _TURN << min(axes, _MOST_AXES))


def _solved(shapes: Sequence[Shape], *_: Any) -> int:
    """Of matrices that are inverted, or the like: a product for each of their columns."""
    return sum(math.prod(shape) * shape[-1] for shape in shapes if shape)


def _normed(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """Of norms, those of matrices by their singular values."""
    order, axis = _given(args, kwargs, 1, "ord"), _given(args, kwargs, 2, "axis")
    of_vectors = order is None or isinstance(axis, (int, np.integer))
    return math.prod(shapes[0]) if of_vectors else _solved(shapes)


_LOOPED: dict[str, _Made] = {
    "Cholesky": _solved,
    "Det": _solved,
    "Diff": _turns(1, "n"),
    "Inv": _solved,
    "Norm": _normed,
    "Pad": _to_and_fro,
    "Roll": _rolled,
    "Round": _turns(1, "decimals"),
    "Solve": _solved,
    "Split": _parts,
}

# --- Products: how many numbers are multiplied, and how many come of it ---

_Product = Callable[[Sequence[Shape], Sequence[Any], dict[str, Any]], tuple[int, int]]


def _matmul(shapes: Sequence[Shape], *_: Any) -> tuple[int, int]:
    """Of matrices: every entry of the one with each column of the other."""
    a, b = shapes
    if len(b) < 2:
        return math.prod(a), math.prod(a)
    computed = max(math.prod(a), _broadcast([a[:-2], b[:-2]]) * math.prod(a[-2:])) * b[-1]
    return computed, computed // max(a[-1] if a else 1, 1)


def _dot(shapes: Sequence[Shape], *_: Any) -> tuple[int, int]:
    a, b = shapes
    side = max(b[-2] if len(b) > 1 else b[-1] if b else 1, 1) if a else 1
    computed = math.prod(a) * math.prod(b) // side
    return computed, computed // side


def _inner(shapes: Sequence[Shape], *_: Any) -> tuple[int, int]:
    a, b = shapes
    side = max(b[-1], 1) if a and b else 1
    computed = math.prod(a) * math.prod(b) // side
    return computed, computed // side


def _tensordot(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[int, int]:
    axes, (a, b) = _given(args, kwargs, 2, "axes"), shapes
    if isinstance(axes, int) and axes > min(len(a), len(b)):
        return axes, 0  # NumPy counts them all before it refuses them
    count = axes if isinstance(axes, int) else 2 if axes is None else len(np.atleast_1d(axes[0]))
    inner = b[:count] if not isinstance(axes, (list, tuple)) else [b[i] for i in np.atleast_1d(axes[1]).tolist()]
    side = max(math.prod(inner), 1)
    computed = math.prod(a) * math.prod(b) // side
    return computed, computed // side


def _einsum(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[int, int]:
    """Of Einstein's sums: the product of all sides that have letters of their own, and of those that are left."""
    text = kwargs.get("subscripts", args[0] if args else None)
    if not isinstance(text, str):
        raise ValueError(f"its `subscripts` are a text. Received: {str(text)[:100]}")
    left, arrow, kept = text.replace(" ", "").partition("->")
    sides: dict[str, int] = {}
    total = 1
    for letters, shape in zip(left.split(","), shapes, strict=False):
        if "." in letters or len(letters) != len(shape):
            total *= math.prod(shape)
            continue
        for letter, side in zip(letters, shape, strict=True):
            sides[letter] = max(side, sides.get(letter, 1))
    kept = kept if arrow else "".join(letter for letter in sides if left.count(letter) == 1)
    return total * math.prod(sides.values()), total * math.prod(sides.get(letter, 1) for letter in kept)


_PRODUCTS: dict[str, _Product] = {
    "Dot": _dot,
    "Einsum": _einsum,
    "Inner": _inner,
    "Matmul": _matmul,
    "Tensordot": _tensordot,
}
