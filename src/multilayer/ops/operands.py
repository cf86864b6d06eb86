"""What operations take: arrays, tensors, variables and Python's numbers, in the types that Keras gives results.

Keras' rules for types: Python's numbers take the type of what they meet, and alone they are of `floatx` or int32; whole
numbers that meet real ones, or that a function of real numbers is applied to, become real ones of `floatx` or of the
other's type. NumPy's own rules would make float64 of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from multilayer._core.tape import Operand, Tensor, call
from multilayer._core.tape.eager import EagerArray, eager
from multilayer._core.tape.tensor import astype
from multilayer._tracebacks import shorten
from multilayer.config import floatx

F = TypeVar("F", bound=Callable[..., Any])

_NUMBERS = (int, float)  # of Python's, which take the type of what they meet
_WITHOUT_PLACES = frozenset((np.ndarray, EagerArray, Tensor, int, float, bool, str, type(None)))


def operation(function: F) -> F:
    """A function that is called later, as a step of the model, where it is given tensors of a model.

    Those have no numbers yet; of anything else it is called at once, and gives results as users get them.
    """

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            drawn = _without_numbers(args)
            if drawn is None and kwargs:
                drawn = _without_numbers(kwargs.values())
            return eager(function(*args, **kwargs)) if drawn is None else drawn._called(called, args, kwargs)
        except Exception as error:
            shorten(error)
            raise error

    return called  # type: ignore[return-value]


def _without_numbers(given: Iterable[Any]) -> Operand | None:
    """The first operand that answers before tensors do: one of a model that is being drawn up."""
    for one in given:
        if type(one) in _WITHOUT_PLACES:
            continue
        found = None
        if isinstance(one, Operand):
            found = one if one._precedence > Tensor._precedence else None
        elif isinstance(one, (list, tuple)):
            found = _without_numbers(one)
        elif isinstance(one, dict):
            found = _without_numbers(one.values())
        if found is not None:
            return found
    return None


def named(function: Callable[..., Any], name: str, module: str, meaning: str) -> Any:
    """An operation made of a function that was written for several: with a name and a docstring of its own."""
    function.__name__ = function.__qualname__ = name
    function.__module__ = module
    function.__doc__ = meaning
    return operation(function)


# --- Operands and their types ---


def operand(x: Any) -> Any:
    """What NumPy's functions take: arrays, tensors and variables as they are, Python's numbers as arrays."""
    return x if isinstance(x, (np.ndarray, Operand)) else converted(x)


def converted(x: Any) -> Any:
    """An array of Python's numbers, in `floatx` or int32; tensors in a list become one tensor."""
    if isinstance(x, (list, tuple)) and any(map(_holds_operand, x)):
        return np.stack([operand(one) for one in x])
    array = np.asarray(x)
    first = x
    while isinstance(first, (list, tuple)) and len(first):
        first = first[0]
    if not isinstance(first, (int, float, list, tuple)) or isinstance(first, np.generic):
        return array  # it was made by NumPy, or by another library, and has a type that somebody chose
    if array.dtype.kind == "f":
        return array.astype(floatx())
    if array.dtype == np.int64 and (array == (small := array.astype(np.int32))).all():
        return small
    return array


def _holds_operand(x: Any) -> bool:
    return isinstance(x, Operand) or (isinstance(x, (list, tuple)) and any(map(_holds_operand, x)))


def dtype_of(x: Any) -> np.dtype[Any]:
    """The type of an operand."""
    return x.value.dtype if isinstance(x, Operand) else x.dtype  # type: ignore[attr-defined,no-any-return]


def as_type(x: Any, dtype: Any) -> Any:
    """An operand in another type."""
    if dtype_of(x) == dtype:
        return x
    return call(astype, (x, np.dtype(dtype)), {}) if isinstance(x, Operand) else x.astype(dtype)


def floats(x: Any) -> Any:
    """An operand in real numbers: whole ones become `floatx`."""
    x = operand(x)
    return x if dtype_of(x).kind in "fc" else as_type(x, floatx())


def axes_of(axis: Any) -> Any:
    """Axes as NumPy takes them: several in a tuple, where Keras also takes a list."""
    return tuple(axis) if isinstance(axis, list) else axis


def require_dense(sparse: Any) -> None:
    """Raises ValueError where an operation is asked for a sparse result."""
    if sparse:
        raise ValueError("`sparse=True` is not supported: all arrays here are dense, NumPy's.")


def counted(x: Any) -> Any:
    """An operand with truth values as int32, which Keras counts them in; other numbers keep their type."""
    x = operand(x)
    return as_type(x, np.int32) if dtype_of(x).kind == "b" else x


def together(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands in the type of their result; one of Python's numbers stays one where NumPy gives it that type."""
    if type(a) is type(b) is np.ndarray and a.dtype is b.dtype:  # as mostly, and soon seen
        return a, b
    type_a, type_b = _type(a), _type(b)
    number_a, number_b = isinstance(type_a, type), isinstance(type_b, type)
    if (type_a is type_b and not number_a) or (number_b and not number_a and type_a.kind == "f"):
        return operand(a), b if number_b else operand(b)
    if number_a and not number_b and type_b.kind == "f":
        return a, operand(b)
    dtype = result_type(type_a, type_b)
    return _of_type(a, dtype), _of_type(b, dtype)


def real_together(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands in the type of their result, which is one of real numbers."""
    dtype = result_type(_type(a), _type(b))
    dtype = dtype if dtype.kind in "fc" else np.dtype(floatx())
    return _of_type(a, dtype), _of_type(b, dtype)


def _type(x: Any) -> Any:
    """What `result_type` takes for an operand."""
    return type(x) if type(x) in _NUMBERS else dtype_of(operand(x))


def _of_type(x: Any, dtype: Any) -> Any:
    return np.asarray(x, dtype) if type(x) in _NUMBERS else as_type(operand(x), dtype)


def result_type(*types: Any) -> np.dtype[Any]:
    """The type of what is computed of several: NumPy's types, and `int` and `float` for Python's numbers.

    Example:
        >>> result_type(np.dtype("int64"), np.dtype("float32")), result_type(np.dtype("bool"), int)
        (dtype('float32'), dtype('int32'))
    """
    return _result_type(types, floatx())


@functools.cache
def _result_type(types: tuple[Any, ...], real: str) -> np.dtype[Any]:
    strong = [one for one in types if isinstance(one, np.dtype)]
    inexact = [one for one in strong if one.kind in "fc"]
    if inexact:
        return np.result_type(*inexact)
    if any(one is float for one in types):  # NumPy's float64 is equal to `float`
        return np.dtype(real)
    whole = [one for one in strong if one.kind != "b"]
    if not whole:
        return np.dtype(np.int32 if any(one is int for one in types) else np.bool_)
    widest = np.result_type(*whole)
    return widest if widest.kind in "iu" else np.dtype(real)  # no whole numbers hold both int64 and uint64
