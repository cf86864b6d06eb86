"""Einstein's sums: their letters, and those of two arrays as one product of matrices on views."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from multilayer._core import kernels
from multilayer.functional import Array


class Letters(NamedTuple):
    """The letters of an equation, one for every axis: of the input, of the kernel, and of the output.

    Attributes:
        x: Those of the input.
        kernel: Those of the kernel.
        y: Those of the output.
        dots: Those among x and y that '...' stood for, at the beginning or the end of both.
    """

    x: str
    kernel: str
    y: str
    dots: str

    @property
    def dots_lead(self) -> bool:
        """Whether '...' stood at the beginning."""
        return bool(self.dots) and self.x.startswith(self.dots)

    @property
    def are_of_rows(self) -> bool:
        """Whether the last axes of x, in one, are the kernel's rows, and its columns the last ones of y, in one."""
        columns = "".join(one for one in self.kernel if one in self.y and one not in self.x)
        inner = self.kernel.removesuffix(columns)
        rows = self.x.removesuffix(inner)
        distinct = all(len(set(one)) == len(one) for one in (self.x, self.kernel))
        return distinct and bool(columns and inner and rows) and self.y == rows + columns and self.x == rows + inner

    @property
    def are_of_members(self) -> bool:
        """Whether layers lie side by side along the kernel's first axis, with an input each, or one for all."""
        if len(set(self.kernel)) != 3 or len(self.kernel) != 3:
            return False
        batch, members, column = self.x[0], self.kernel[:2], self.kernel[2]
        own = self.x in (batch + members, batch + members[1])
        return own and batch not in self.kernel and self.y == batch + members[0] + column

    @property
    def columns(self) -> int:
        """How many of the kernel's axes are those of the output alone."""
        return sum(one in self.y and one not in self.x for one in self.kernel)

    def of_bias(self, axes: str) -> str:
        """The bias's letters, 1 for an axis of length 1: from the first of its axes on, as they stand in y."""
        named = self.y.removeprefix(self.dots) if self.dots_lead else self.y
        wrong = [one for one in axes if one not in named.removesuffix(self.dots)]
        if wrong or not axes:
            raise ValueError(
                f"Bias dimension '{''.join(wrong)}' was requested, but is not part of the output spec '{named}'. "
                f"Received: bias_axes={axes!r}"
            )
        return "".join(one if one in axes else "1" for one in named[min(map(named.index, axes)) :])


_FORMS = re.compile(r"(?P<lead>0?)([a-zA-Z]+)(?P<end>0?),([a-zA-Z]+)->(?P=lead)([a-zA-Z]+)(?P=end)")


def split(equation: str) -> tuple[str, str, str, str]:
    """The letters of x, kernel and y, and where '...' stands: 'first', 'last', or ''.

    Raises:
        ValueError: It has none of the forms [X],[Y]->[Z], ...[X],[Y]->...[Z] and [X]...,[Y]->[Z]..., or letters that
            lead nowhere.
    """
    found = (
        _FORMS.fullmatch(equation.replace("...", "0")) if isinstance(equation, str) and "0" not in equation else None
    )
    if found is None or (found["lead"] and found["end"]):
        raise ValueError(
            f"Invalid einsum equation {str(equation)[:200]!r}. Equations must be in the form [X],[Y]->[Z], "
            "...[X],[Y]->...[Z], or [X]...,[Y]->[Z]...."
        )
    x, kernel, y = found[2], found[4], found[5]
    for one in y:
        if one not in x + kernel or y.count(one) > 1:
            raise ValueError(
                f"Dimension '{one}' was specified in the output '{y}' of {equation!r}, but "
                + ("more than once." if y.count(one) > 1 else f"has no corresponding dim in '{x}' or '{kernel}'.")
            )
    for one in kernel:
        if one not in x + y:
            raise ValueError(
                f"Weight dimension '{one}' of {equation!r} did not have a match in either the input spec '{x}' or the "
                f"output spec '{y}'. For this layer, the weight must be fully specified."
            )
    return x, kernel, y, "first" if found["lead"] else "last" if found["end"] else ""


def letters_for(equation: str, ndim: int) -> Letters:
    """The equation's letters for an input of so many axes.

    Raises:
        ValueError: `split` does, or the input has too few axes for the equation, or too many.

    Example:
        >>> letters_for("...x,xy->...y", 3)
        Letters(x='abx', kernel='xy', y='aby', dots='ab')
    """
    x, kernel, y, where = split(equation)
    free = [one for one in string.ascii_letters if one not in x + kernel + y]
    count = ndim - len(x)
    if count < 0 or (count and not where) or count > len(free):
        at_least = "at least " if where else ""
        raise ValueError(
            f"Equation {equation!r} is for inputs of {at_least}{len(x)} axes, the batch among them. Received one of "
            f"{ndim} axes."
        )
    dots = "".join(free[:count])
    return Letters(dots + x, kernel, dots + y, dots) if where == "first" else Letters(x + dots, kernel, y + dots, dots)


def once(letters: str) -> str:
    """The letters, each one once."""
    return "".join(dict.fromkeys(letters))


def diagonal(letters: str, x: Array) -> Array:
    """A view of an array with an axis for every letter: of one that stands twice, that of the diagonal."""
    return x if len(set(letters)) == len(letters) else np.einsum(f"{letters}->{once(letters)}", x)


class Contraction:
    """The sum of products of two arrays that an equation such as "bki,kio->bko" describes.

    Letters in both arrays and the result (k) are axes along which matrices lie side by side, those in both arrays alone
    (i) are summed over, and those in one array and the result (b, o) are rows and columns. Views put the axes into this
    order, so that the product reads and writes the arrays where they lie. Copied is only what no view can give: several
    axes that become one, and lie apart.

    Args:
        left: The letters of the first array, each once.
        right: Those of the second.
        target: Those of the result, each of which is in one of the arrays.

    Example:
        >>> product = Contraction("bki", "kio", "bko")
        >>> a, b = np.random.rand(5, 2, 3), np.random.rand(2, 3, 4)
        >>> bool(np.allclose(product(a, b, np.empty((5, 2, 4))), np.einsum("bki,kio->bko", a, b)))
        True
    """

    def __init__(self, left: str, right: str, target: str) -> None:
        # What stands in one of the arrays and nowhere else is summed over before.
        self._summed = _without(left, right + target), _without(right, left + target)
        left = "".join(one for one in left if one in right + target)
        right = "".join(one for one in right if one in left + target)
        batch = [one for one in target if one in left and one in right]
        rows = [one for one in target if one not in right]
        columns = [one for one in target if one not in left]
        inner = [one for one in left if one in right and one not in target]
        self._left = tuple(left.index(one) for one in (*batch, *rows, *inner))
        self._right = tuple(right.index(one) for one in (*batch, *inner, *columns))
        self._target = tuple(target.index(one) for one in (*batch, *rows, *columns))
        self._counts = len(batch), len(rows), len(inner), len(columns)

    def __call__(self, a: Array, b: Array, out: Array) -> Array:
        """Writes the result for two arrays into `out`, and returns that."""
        a, b = (x.sum(axis=axes) if axes else x for x, axes in zip((a, b), self._summed, strict=True))
        batch, rows, inner, columns = self._counts
        left = _side_by_side(_merged(a.transpose(self._left), batch, rows, inner))
        right = _side_by_side(_merged(b.transpose(self._right), batch, inner, columns))
        ordered = out.transpose(self._target)
        product = _merged(ordered, batch, rows, columns)
        if np.may_share_memory(product, out):
            kernels.matmul(left, right, product)
        else:  # rows or columns of the result lie apart
            ordered[...] = kernels.matmul(left, right).reshape(ordered.shape)
        return out


def _without(letters: str, others: str) -> tuple[int, ...]:
    """The axes of an array whose letters stand nowhere else."""
    return tuple(axis for axis, one in enumerate(letters) if one not in others)


def _merged(x: Array, batch: int, rows: int, columns: int) -> Array:
    """Matrices side by side: the axes of rows as one, and those of columns."""
    if rows == columns == 1:
        return x
    sides = x.shape
    return x.reshape(*sides[:batch], math.prod(sides[batch : batch + rows]), math.prod(sides[batch + rows :]))


def _side_by_side(x: Array) -> Array:
    """Matrices whose rows or columns are runs of neighbours, which BLAS takes; NumPy's own loop for others is slow."""
    return x if x.itemsize in x.strides[-2:] else np.ascontiguousarray(x)


def sum_to(x: Array, shape: Sequence[int]) -> Array:
    """The sum of an array over the axes in front of a shape's, and over those of which the shape has one entry."""
    summed = x.sum(axis=tuple(range(x.ndim - len(shape))))
    axes = tuple(axis for axis, side in enumerate(shape) if side == 1)
    return summed.sum(axis=axes, keepdims=True)  # type: ignore[no-any-return]
