"""What may stand in the place of an array in a formula: operators and NumPy's functions, handed on to one method."""

from __future__ import annotations

import dis
import re
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

NOT_INTO = (
    "`{}` was asked to write its result into an array that is there (`out=`, or an operator such as `+=` on an array): "
    "what was in it may be needed for the derivative. Take the result that it returns: `x = x + y`."
)


def _operators(function: np.ufunc) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """An operator, and the one for an operand on the right."""

    def operator(self: Operand, other: Any) -> Any:
        if isinstance(other, Operand) and other._precedence > self._precedence:
            return NotImplemented  # so that Python asks the other one
        return self._called(function, (self, other), {})

    def reflected(self: Operand, other: Any) -> Any:
        return self._called(function, (other, self), {})

    return operator, reflected


def _given(**options: Any) -> dict[str, Any]:
    """The options that were given: what stands for an array need not know the others."""
    return {name: value for name, value in options.items() if value is not None}


def _at_augmented_assignment(frame: FrameType) -> bool:
    """Whether what this frame is executing is an operator such as `+=`: its bytecode says so, and `out=` has none."""
    code, number = frame.f_code.co_code, frame.f_lasti
    name = dis.opname[code[number]]
    # Python 3.11 has one instruction for all operators, whose argument is the operator; before, each had its own.
    return name.startswith("INPLACE_") or (name == "BINARY_OP" and code[number + 1] >= _FIRST_IN_PLACE)


_FIRST_IN_PLACE = 13  # NB_INPLACE_ADD of Python's opcode.h, which those of the other operators follow


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

    def _into(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The same where the result is to be written into an array that is there, `out=`."""
        raise TypeError(f"{NOT_INTO.format(function.__name__)}{users_line()}")

    def _apply(self, function: Callable[..., Any], *others: Any, **kwargs: Any) -> Any:
        return self._called(function, (self, *others), kwargs)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        for one in inputs:
            if isinstance(one, Operand) and one._precedence > self._precedence:
                return NotImplemented
        if not kwargs and method == "__call__":
            return self._called(ufunc, inputs, kwargs)
        if kwargs.get("out") is not None:
            # Python gives the name on the left of `+=` whatever the operator returns: nothing has to be written, and
            # a sum that begins with `ops.zeros(...)`, an array, goes on as a tensor.
            if len(kwargs) == 1 and kwargs["out"][0] is inputs[0] and _at_augmented_assignment(sys._getframe(1)):
                return self._called(ufunc, inputs, {})
            return self._into(ufunc if method == "__call__" else getattr(ufunc, method), inputs, kwargs)
        if method == "outer":
            first, second = inputs
            return ufunc(np.reshape(first, np.shape(first) + (1,) * np.ndim(second)), second, **kwargs)
        if method in ("reduce", "accumulate"):
            kwargs.setdefault("axis", 0)
        elif set(kwargs) - {"dtype", "axis"}:
            raise TypeError(f"`{ufunc.__name__}` of a tensor takes no {sorted(kwargs)}: use `np.where`.{users_line()}")
        dtype = kwargs.pop("dtype", None) if method == "__call__" else None
        result = self._called(ufunc if method == "__call__" else getattr(ufunc, method), inputs, kwargs)
        return result if dtype is None else result.astype(dtype)

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for one in types:
            if issubclass(one, Operand) and one._precedence > self._precedence:
                return NotImplemented
        if "out" in kwargs:
            if kwargs["out"] is not None:
                return self._into(function, args, kwargs)
            del kwargs["out"]
        return self._called(function, args, kwargs)

    # --- Operators ---

    __add__, __radd__ = _operators(np.add)
    __sub__, __rsub__ = _operators(np.subtract)
    __mul__, __rmul__ = _operators(np.multiply)
    __truediv__, __rtruediv__ = _operators(np.true_divide)
    __floordiv__, __rfloordiv__ = _operators(np.floor_divide)
    __mod__, __rmod__ = _operators(np.remainder)
    __pow__, __rpow__ = _operators(np.power)
    __matmul__, __rmatmul__ = _operators(np.matmul)
    __lt__, __gt__ = _operators(np.less)[0], _operators(np.greater)[0]
    __le__, __ge__ = _operators(np.less_equal)[0], _operators(np.greater_equal)[0]

    def __neg__(self) -> Any:
        return self._called(np.negative, (self,), {})

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self._called(np.absolute, (self,), {})

    # --- Methods of arrays ---

    @property
    def T(self) -> Any:  # noqa: N802 - NumPy's name
        """The array with its axes in the reverse order."""
        return self._apply(np.transpose)

    @property
    def mT(self) -> Any:  # noqa: N802 - NumPy's name
        """The array with its last two axes exchanged."""
        return self._apply(np.swapaxes, -1, -2)

    def reshape(self, *shape: Any, order: Any = "C") -> Any:
        """The same values in another shape."""
        shape = shape[0] if len(shape) == 1 else shape
        return self._apply(np.reshape, shape, **({} if order == "C" else {"order": order}))

    def transpose(self, *axes: Any) -> Any:
        """The array with its axes in another order."""
        axes = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return self._apply(np.transpose, axes or None)

    def sum(self, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
        """The sum over axes."""
        return self._apply(np.sum, axis=axis, keepdims=keepdims, **_given(dtype=dtype))

    def mean(self, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
        """The mean over axes."""
        return self._apply(np.mean, axis=axis, keepdims=keepdims, **_given(dtype=dtype))

    def prod(self, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
        """The product over axes."""
        return self._apply(np.prod, axis=axis, keepdims=keepdims, **_given(dtype=dtype))

    def max(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        """The largest value over axes."""
        return self._apply(np.max, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        """The smallest value over axes."""
        return self._apply(np.min, axis=axis, keepdims=keepdims)

    def var(self, axis: Any = None, dtype: Any = None, *, ddof: Any = 0, keepdims: bool = False) -> Any:
        """The variance over axes."""
        return self._apply(np.var, axis=axis, ddof=ddof, keepdims=keepdims, **_given(dtype=dtype))

    def std(self, axis: Any = None, dtype: Any = None, *, ddof: Any = 0, keepdims: bool = False) -> Any:
        """The standard deviation over axes."""
        return self._apply(np.std, axis=axis, ddof=ddof, keepdims=keepdims, **_given(dtype=dtype))

    def argmax(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Where the largest value is."""
        return self._apply(np.argmax, axis=axis, keepdims=keepdims)

    def argmin(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Where the smallest value is."""
        return self._apply(np.argmin, axis=axis, keepdims=keepdims)

    def dot(self, other: Any) -> Any:
        """The product with a vector or matrix."""
        return np.dot(self, other)  # type: ignore[call-overload]

    def clip(self, min: Any = None, max: Any = None) -> Any:
        """The values held within bounds."""
        return self._apply(np.clip, min, max)

    def squeeze(self, axis: Any = None) -> Any:
        """The array without axes of length 1."""
        return self._apply(np.squeeze, axis=axis)

    def ravel(self) -> Any:
        """The values in a row."""
        return self._apply(np.ravel)

    def flatten(self) -> Any:
        """The values in a row."""
        return self._apply(np.ravel)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """The array with two axes exchanged."""
        return self._apply(np.swapaxes, axis1, axis2)

    def cumsum(self, axis: Any = None, dtype: Any = None) -> Any:
        """The running sum along an axis."""
        return self._apply(np.cumsum, axis=axis, **_given(dtype=dtype))

    def cumprod(self, axis: Any = None, dtype: Any = None) -> Any:
        """The running product along an axis."""
        return self._apply(np.cumprod, axis=axis, **_given(dtype=dtype))

    def round(self, decimals: int = 0) -> Any:
        """The values to so many decimals."""
        return self._apply(np.round, decimals)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        """The sum of a diagonal."""
        return self._apply(np.trace, offset, axis1, axis2)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        """A diagonal."""
        return self._apply(np.diagonal, offset, axis1, axis2)

    def take(self, indices: Any, axis: Any = None) -> Any:
        """Entries along an axis."""
        return self._apply(np.take, indices, axis=axis)

    def repeat(self, repeats: Any, axis: Any = None) -> Any:
        """Entries, each several times."""
        return self._apply(np.repeat, repeats, axis=axis)


# --- For messages ---


def users_line() -> str:
    """Where in the user's code this is: the innermost frame that is neither of this library nor NumPy's."""
    frame = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(("multilayer.", "numpy.")) and module not in ("multilayer", "numpy", "contextlib"):
            return f" (In {frame.f_code.co_filename}, line {frame.f_lineno}.)"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def what_numpy_says(reason: str) -> str:
    """NumPy's reason, for a sentence that names the shapes already: of a model's tensors NumPy has only stand-ins."""
    said = reason.strip().rstrip(".")
    if sizes := re.search(r"^matmul: .*\(size (\d+) is different from (\d+)\)", said):
        return f"their inner axes differ in length, {sizes[2]} and {sizes[1]}"
    return "they cannot be broadcast together" if said.startswith("operands could not be broadcast") else said
