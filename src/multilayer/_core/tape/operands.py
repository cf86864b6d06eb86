"""What may stand in the place of an array in a formula: operators and NumPy's functions, handed on to one method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Operand:
    """Base of what NumPy's functions and Python's operators work on without its being an array.

    A derived class says by `_called` what a function gives for it. NumPy hands its functions on by two protocols,
    `__array_ufunc__` (NEP 13) and `__array_function__` (NEP 18); operators and methods go the same way.

    Where several kinds of operands meet, the one of the highest `_precedence` answers.
    """

    __slots__ = ()
    _precedence = 0

    def _called(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What `function(*args, **kwargs)` gives, where this operand is among the arguments."""
        raise NotImplementedError

    def _apply(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        answers = self
        for other in args:
            if other is not answers and isinstance(other, Operand) and other._precedence > answers._precedence:
                answers = other
        return answers._called(function, args, kwargs)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if not kwargs and method == "__call__":
            return self._apply(ufunc, *inputs)
        if any(isinstance(one, Operand) and one._precedence > self._precedence for one in inputs):
            return NotImplemented
        if kwargs.get("out") is not None:
            raise TypeError(
                f"`{ufunc.__name__}` was asked to write its result into an array that is there (`out=`, or an operator "
                "such as `+=` on an array): what was in it may be needed for the derivative. Take the result that it "
                "returns: `x = x + y`."
            )
        if method == "reduce":
            kwargs.setdefault("axis", 0)
        elif set(kwargs) - {"dtype"}:
            raise TypeError(f"`{ufunc.__name__}` of {inputs[0]!r:.100} takes no {sorted(kwargs)}: use `np.where`.")
        dtype = None if method == "reduce" else kwargs.pop("dtype", None)
        result = self._called(ufunc if method == "__call__" else getattr(ufunc, method), inputs, kwargs)
        return result if dtype is None else result.astype(dtype)

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if any(issubclass(one, Operand) and one._precedence > self._precedence for one in types):
            return NotImplemented
        return self._called(function, args, kwargs)

    # --- Operators ---

    def __add__(self, other: Any) -> Any:
        return self._apply(np.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return self._apply(np.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return self._apply(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._apply(np.subtract, other, self)

    def __mul__(self, other: Any) -> Any:
        return self._apply(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._apply(np.multiply, other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._apply(np.true_divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._apply(np.true_divide, other, self)

    def __floordiv__(self, other: Any) -> Any:
        return self._apply(np.floor_divide, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._apply(np.floor_divide, other, self)

    def __mod__(self, other: Any) -> Any:
        return self._apply(np.remainder, self, other)

    def __rmod__(self, other: Any) -> Any:
        return self._apply(np.remainder, other, self)

    def __pow__(self, other: Any) -> Any:
        return self._apply(np.power, self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._apply(np.power, other, self)

    def __matmul__(self, other: Any) -> Any:
        return self._apply(np.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self._apply(np.matmul, other, self)

    def __neg__(self) -> Any:
        return self._apply(np.negative, self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self._apply(np.absolute, self)

    def __lt__(self, other: Any) -> Any:
        return self._apply(np.less, self, other)

    def __le__(self, other: Any) -> Any:
        return self._apply(np.less_equal, self, other)

    def __gt__(self, other: Any) -> Any:
        return self._apply(np.greater, self, other)

    def __ge__(self, other: Any) -> Any:
        return self._apply(np.greater_equal, self, other)

    # --- Methods of arrays ---

    @property
    def T(self) -> Any:  # noqa: N802 - NumPy's name
        """The array with its axes in the reverse order."""
        return self._apply(np.transpose, self)

    def reshape(self, *shape: Any, order: Any = "C") -> Any:
        """The same values in another shape."""
        shape = shape[0] if len(shape) == 1 else shape
        return self._apply(np.reshape, self, shape, **({} if order == "C" else {"order": order}))

    def transpose(self, *axes: Any) -> Any:
        """The array with its axes in another order."""
        axes = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return self._apply(np.transpose, self, axes or None)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The sum over axes."""
        return self._apply(np.sum, self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The mean over axes."""
        return self._apply(np.mean, self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The product over axes."""
        return self._apply(np.prod, self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The largest value over axes."""
        return self._apply(np.max, self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The smallest value over axes."""
        return self._apply(np.min, self, axis=axis, keepdims=keepdims)

    def var(self, axis: Any = None, ddof: Any = 0, keepdims: bool = False) -> Any:
        """The variance over axes."""
        return self._apply(np.var, self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self, axis: Any = None, ddof: Any = 0, keepdims: bool = False) -> Any:
        """The standard deviation over axes."""
        return self._apply(np.std, self, axis=axis, ddof=ddof, keepdims=keepdims)

    def argmax(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Where the largest value is."""
        return self._apply(np.argmax, self, axis=axis, keepdims=keepdims)

    def argmin(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Where the smallest value is."""
        return self._apply(np.argmin, self, axis=axis, keepdims=keepdims)

    def dot(self, other: Any) -> Any:
        """The product with a vector or matrix."""
        return self._apply(np.dot, self, other)

    def clip(self, min: Any = None, max: Any = None) -> Any:
        """The values held within bounds."""
        return self._apply(np.clip, self, min, max)

    def squeeze(self, axis: Any = None) -> Any:
        """The array without axes of length 1."""
        return self._apply(np.squeeze, self, axis=axis)

    def ravel(self) -> Any:
        """The values in a row."""
        return self._apply(np.ravel, self)

    def flatten(self) -> Any:
        """The values in a row."""
        return self._apply(np.ravel, self)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """The array with two axes exchanged."""
        return self._apply(np.swapaxes, self, axis1, axis2)

    def cumsum(self, axis: Any = None) -> Any:
        """The running sum along an axis."""
        return self._apply(np.cumsum, self, axis=axis)

    def take(self, indices: Any, axis: Any = None) -> Any:
        """Entries along an axis."""
        return self._apply(np.take, self, indices, axis=axis)

    def repeat(self, repeats: Any, axis: Any = None) -> Any:
        """Entries, each several times."""
        return self._apply(np.repeat, self, repeats, axis=axis)
