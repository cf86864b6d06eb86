"""Operations that make arrays: of one number, of numbers in a row, of windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer._core.tape import plain
from multilayer._core.tape.eager import gives_eager
from multilayer.config import floatx
from multilayer.ops.operands import as_type, operand, operation, result_type

__all__ = [
    "arange",
    "array",
    "bartlett",
    "blackman",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "hamming",
    "hanning",
    "identity",
    "kaiser",
    "linspace",
    "logspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tri",
    "vander",
    "zeros",
    "zeros_like",
]


@operation
def array(x: Any, dtype: Any = None) -> Any:
    """The numbers as an array, in a type or in that which Keras gives them."""
    x = operand(x)
    return x if dtype is None else as_type(x, dtype)


@gives_eager
def zeros(shape: Any, dtype: Any = None) -> Any:
    """Zeros, of `floatx` unless `dtype` says otherwise.

    Example:
        >>> zeros((2, 2)).dtype
        dtype('float32')
    """
    return np.zeros(shape, dtype or floatx())


@gives_eager
def ones(shape: Any, dtype: Any = None) -> Any:
    """Ones, of `floatx` unless `dtype` says otherwise."""
    return np.ones(shape, dtype or floatx())


@gives_eager
def empty(shape: Any, dtype: Any = None) -> Any:
    """An array of which nothing is said but its shape: here of zeros."""
    return zeros(shape, dtype)


@gives_eager
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """An array of one number, of `floatx` unless `dtype` says otherwise."""
    return np.array(np.broadcast_to(plain(operand(fill_value)), shape), dtype or floatx())


@operation
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of x, and in its type unless `dtype` says otherwise."""
    return np.zeros_like(plain(operand(x)), dtype=dtype)


@operation
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape of x, and in its type unless `dtype` says otherwise."""
    return np.ones_like(plain(operand(x)), dtype=dtype)


@operation
def empty_like(x: Any, dtype: Any = None) -> Any:
    """An array of x's shape of which nothing else is said: here of zeros."""
    return zeros_like(x, dtype)


@operation
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One number in the shape of x, and in its type unless `dtype` says otherwise."""
    x = plain(operand(x))
    return np.full_like(x, plain(fill_value), dtype=dtype)


@gives_eager
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on the diagonal k, else zeros, of shape (N, M)."""
    return np.eye(N, M, k, dtype or floatx())


@gives_eager
def identity(n: int, dtype: Any = None) -> Any:
    """Ones on the diagonal, else zeros, of shape (n, n)."""
    return np.eye(n, dtype=dtype or floatx())


@gives_eager
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on and below the diagonal k, else zeros, of shape (N, M)."""
    return np.tri(N, M, k, dtype or floatx())


@gives_eager
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Numbers from `start` (0 where there is one argument) up to `stop`, which is not among them.

    Example:
        >>> arange(3).tolist(), arange(3).dtype
        ([0, 1, 2], dtype('int32'))
    """
    given = [plain(one) for one in (start, stop, step) if one is not None]
    dtype = dtype or result_type(*(type(one) if type(one) in (int, float) else np.asarray(one).dtype for one in given))
    start, stop = (0, start) if stop is None else (start, stop)
    return np.arange(plain(start), plain(stop), 1 if step is None else plain(step)).astype(dtype)


@gives_eager
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """So many numbers at equal distances from `start` to `stop`; with `retstep`, their distance as well.

    Example:
        >>> linspace(0.0, 1.0, 5).tolist()
        [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    return _spaced(np.linspace, start, stop, dtype, num=num, endpoint=endpoint, retstep=retstep, axis=axis)


@gives_eager
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10, dtype: Any = None, axis: int = 0
) -> Any:
    """So many numbers at equal ratios from base^start to base^stop."""
    return _spaced(np.logspace, start, stop, dtype, num=num, endpoint=endpoint, base=base, axis=axis)


@gives_eager
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """So many numbers at equal ratios from `start` to `stop`."""
    return _spaced(np.geomspace, start, stop, dtype, num=num, endpoint=endpoint, axis=axis)


def _spaced(function: Any, start: Any, stop: Any, dtype: Any, **options: Any) -> Any:
    start, stop = plain(operand(start)), plain(operand(stop))
    wanted = result_type(start.dtype, stop.dtype)
    dtype = dtype or (wanted if wanted.kind == "f" else floatx())
    made = function(start.astype(np.float64), stop.astype(np.float64), **options)
    if isinstance(made, tuple):
        return made[0].astype(dtype), np.asarray(made[1]).astype(dtype)
    return made.astype(dtype)


@gives_eager
def meshgrid(*x: Any, indexing: str = "xy") -> Any:
    """The coordinates of a grid's points, from the coordinates along each axis: a list with an array for each axis."""
    return list(np.meshgrid(*map(operand, x), indexing=indexing))  # type: ignore[call-overload]


def _window(function: Any, x: Any, *arguments: Any) -> Any:
    return function(int(plain(x)), *arguments).astype(floatx())


@gives_eager
def bartlett(x: Any) -> Any:
    """The triangular window of x points."""
    return _window(np.bartlett, x)


@gives_eager
def blackman(x: Any) -> Any:
    """The Blackman window of x points."""
    return _window(np.blackman, x)


@gives_eager
def hamming(x: Any) -> Any:
    """The Hamming window of x points."""
    return _window(np.hamming, x)


@gives_eager
def hanning(x: Any) -> Any:
    """The Hann window of x points."""
    return _window(np.hanning, x)


@gives_eager
def kaiser(x: Any, beta: Any) -> Any:
    """The Kaiser window of x points and shape beta."""
    return _window(np.kaiser, x, float(plain(beta)))


@operation
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of each number in a row of a matrix: x^(N-1) to x^0, or the other way round."""
    x = operand(x)
    powers = range(x.shape[0] if N is None else N)
    columns = [np.power(x, i) for i in (powers if increasing else reversed(powers))]
    return np.stack(columns, axis=-1)
