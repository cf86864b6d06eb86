"""What an operation that a file describes would cost: known from the shapes, before any memory is taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multilayer._core.arena import claim_effort as _claim
from multilayer._core.tape import plain
from multilayer.layers.symbolic import flatten

Shape = tuple[int, ...]


def claim_effort(kind: str, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Called before an operation is tried on a small batch.

    Raises:
        ValueError: Within `at_most`, it would make more numbers than any network does.
    """
    _claim(lambda: effort(kind, args, kwargs), kind)


def effort(kind: str, args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """How many numbers an operation computes, at the most."""
    shapes = [np.shape(plain(one)) for one in flatten((args, kwargs)) if _has_shape(one)]
    known = _EFFORTS.get(kind)
    own = 0 if known is None else known(shapes, args, kwargs)
    return max(own, sum(map(math.prod, shapes)), _broadcast(shapes))


def _has_shape(x: Any) -> bool:
    return hasattr(x, "shape")


def _broadcast(shapes: Sequence[Shape]) -> int:
    """The numbers of what the operands are together, each side the longest there is."""
    ndim = max(map(len, shapes), default=0)
    sides = ((1,) * (ndim - len(shape)) + tuple(shape) for shape in shapes)
    return math.prod(map(max, zip(*sides, strict=True)))


def _whole(x: Any) -> list[int]:
    """The whole numbers in an argument."""
    return [abs(int(one)) for one in np.ravel(np.asarray(plain(x), dtype=object)) if isinstance(one, (int, np.integer))]


def _given(args: Sequence[Any], kwargs: dict[str, Any], place: int, *names: str) -> Any:
    found = [kwargs[name] for name in names if name in kwargs]
    return found[0] if found else args[place] if len(args) > place else None


def _times(place: int, *names: str) -> Callable[..., int]:
    """As many times the operand as the product of an argument's numbers."""
    return lambda shapes, args, kwargs: math.prod(shapes[0]) * math.prod(_whole(_given(args, kwargs, place, *names)))


def _turns(place: int, *names: str) -> Callable[..., int]:
    """So many turns of a loop, each of which takes as long as a thousand numbers, be there few or none."""
    return lambda shapes, args, kwargs: (
        max(math.prod(shapes[0]), 1000) * sum(_whole(_given(args, kwargs, place, *names)))
    )


def _repeated(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    return math.prod(shapes[0]) * max(_whole(_given(args, kwargs, 1, "repeats")), default=0)


def _of_shape(_: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    return math.prod(_whole(_given(args, kwargs, 1, "shape", "newshape")))


def _padded(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    width = max(_whole(_given(args, kwargs, 1, "pad_width")), default=0)
    numbers = math.prod(side + 2 * width for side in shapes[0])
    turns = width // max(min(shapes[0], default=1), 1)  # a mirror goes to and fro
    return numbers if _given(args, kwargs, 2, "mode") in (None, "constant") else numbers * (1 + turns)


def _every_pair(shapes: Sequence[Shape], *_: Any) -> int:
    return math.prod(map(math.prod, shapes))


def _square(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    shift = max(_whole(_given(args, kwargs, 1, "k")), default=0)
    return (shapes[0][0] + shift) ** 2 if len(shapes[0]) == 1 else 0


def _product(shapes: Sequence[Shape], *_: Any) -> int:
    """Of matrices: every entry of the one with each column of the other."""
    a, b = shapes
    if len(b) < 2:
        return math.prod(a)
    return max(math.prod(a), _broadcast([a[:-2], b[:-2]]) * math.prod(a[-2:])) * b[-1]


def _dotted(shapes: Sequence[Shape], *_: Any) -> int:
    a, b = shapes
    return math.prod(a) * math.prod(b) // (b[-2] if len(b) > 1 else b[-1] if b else 1)


def _contracted(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    axes = _given(args, kwargs, 2, "axes")
    if isinstance(axes, int) and axes > min(map(len, shapes)):
        return axes  # NumPy counts them all before it refuses them
    count = axes if isinstance(axes, int) else 2 if axes is None else len(np.atleast_1d(axes[0]))
    inner = (
        shapes[1][:count]
        if not isinstance(axes, (list, tuple))
        else [shapes[1][i] for i in np.atleast_1d(axes[1]).tolist()]
    )
    return math.prod(map(math.prod, shapes)) // max(math.prod(inner), 1)


def _summed(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """Of Einstein's sums: the product of all sides that have letters of their own."""
    text = str(kwargs.get("subscripts", args[0] if args and isinstance(args[0], str) else ""))
    sides: dict[str, int] = {}
    total = 1
    for letters, shape in zip(text.partition("->")[0].replace(" ", "").split(","), shapes, strict=False):
        if "." in letters or len(letters) != len(shape):
            total *= math.prod(shape)
            continue
        for letter, side in zip(letters, shape, strict=True):
            sides[letter] = max(side, sides.get(letter, 1))
    return total * math.prod(sides.values())


def _chosen(shapes: Sequence[Shape], args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """Of entries at an index: each list of places may choose the whole of the other sides."""
    places = [np.size(plain(one)) for one in flatten(args[1:]) if not isinstance(one, (slice, str))]
    lists = [len(one) for one in flatten_lists(args[1:])]
    del kwargs
    return math.prod(shapes[0]) * max([*places, *lists], default=1)


def flatten_lists(x: Any) -> list[Any]:
    """The lists in an argument."""
    inner = [one for part in x for one in flatten_lists(part)] if isinstance(x, (list, tuple)) else []
    return [x, *inner] if isinstance(x, (list, tuple)) else inner


def _solved(shapes: Sequence[Shape], *_: Any) -> int:
    """Of matrices that are inverted, or the like: a product for each of their columns."""
    return sum(math.prod(shape) * shape[-1] for shape in shapes if shape)


_EFFORTS: dict[str, Callable[..., int]] = {
    "BroadcastTo": _of_shape,
    "Cholesky": _solved,
    "Det": _solved,
    "Diag": _square,
    "Diff": _turns(1, "n"),
    "Dot": _dotted,
    "Einsum": _summed,
    "GetItem": _chosen,
    "Inner": lambda shapes, *_: _every_pair(shapes) // max(shapes[1][-1:] or (1,)) if shapes[1][-1:] != (0,) else 0,
    "Inv": _solved,
    "Matmul": _product,
    "Norm": _solved,
    "OneHot": _times(1, "num_classes"),
    "Outer": _every_pair,
    "Pad": _padded,
    "Repeat": _repeated,
    "Round": _turns(1, "decimals"),
    "Solve": _solved,
    "Split": lambda _, args, kwargs: sum(_whole(_given(args, kwargs, 1, "indices_or_sections"))),
    "Take": _chosen,
    "Tensordot": _contracted,
    "Tile": _times(1, "reps"),
}
