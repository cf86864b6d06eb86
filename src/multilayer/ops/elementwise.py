"""Operations number by number: functions of one number, arithmetic, comparisons, logic, bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multilayer._core.tape import plain
from multilayer.ops.operands import (
    as_type,
    counted,
    dtype_of,
    floats,
    named,
    operand,
    operation,
    real_together,
    together,
)

__all__ = [
    "abs",
    "absolute",
    "add",
    "allclose",
    "angle",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "cbrt",
    "ceil",
    "clip",
    "conj",
    "conjugate",
    "copy",
    "cos",
    "cosh",
    "deg2rad",
    "divide",
    "divide_no_nan",
    "equal",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "gcd",
    "greater",
    "greater_equal",
    "heaviside",
    "hypot",
    "i0",
    "imag",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "lcm",
    "ldexp",
    "left_shift",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "nan_to_num",
    "negative",
    "nextafter",
    "not_equal",
    "power",
    "rad2deg",
    "real",
    "reciprocal",
    "right_shift",
    "round",
    "select",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
    "where",
]

# --- Functions of one number ---


def _real(function: Callable[..., Any], meaning: str, name: str = "") -> Any:
    """A function of real numbers; whole ones become real first."""
    return named(lambda x: function(floats(x)), name or function.__name__, __name__, meaning)


def _any(function: Callable[..., Any], meaning: str, name: str = "") -> Any:
    """A function of real or whole numbers, whose result is of the same type."""
    return named(lambda x: function(operand(x)), name or function.__name__, __name__, meaning)


def _constant(function: Callable[..., Any], meaning: str) -> Any:
    """A question to each number; the answers are truth values, and constants."""
    return named(lambda x: function(plain(operand(x))), function.__name__, __name__, meaning)


exp = _real(np.exp, "e^x.")
exp2 = _real(np.exp2, "2^x.")
expm1 = _real(np.expm1, "e^x - 1, exact for small x.")
log = _real(np.log, "The natural logarithm.")
log2 = _real(np.log2, "The logarithm to the base 2.")
log10 = _real(np.log10, "The logarithm to the base 10.")
log1p = _real(np.log1p, "log(1 + x), exact for small x.")
sqrt = _real(np.sqrt, "The square root.")
cbrt = _real(np.cbrt, "The cube root.")


reciprocal = _real(np.reciprocal, "1 / x.")
sin = _real(np.sin, "The sine of an angle in radians.")
cos = _real(np.cos, "The cosine of an angle in radians.")
tan = _real(np.tan, "The tangent of an angle in radians.")
arcsin = _real(np.arcsin, "The angle whose sine is x.")
arccos = _real(np.arccos, "The angle whose cosine is x.")
arctan = _real(np.arctan, "The angle whose tangent is x.")
sinh = _real(np.sinh, "The hyperbolic sine, (e^x - e^-x) / 2.")
cosh = _real(np.cosh, "The hyperbolic cosine, (e^x + e^-x) / 2.")
tanh = _real(np.tanh, "The hyperbolic tangent, sinh(x) / cosh(x).")
arcsinh = _real(np.arcsinh, "The number whose hyperbolic sine is x.")
arccosh = _real(np.arccosh, "The number whose hyperbolic cosine is x.")
arctanh = _real(np.arctanh, "The number whose hyperbolic tangent is x.")
sinc = _real(np.sinc, "sin(pi x) / (pi x), and 1 at 0.")
deg2rad = _real(np.deg2rad, "Degrees as radians: pi x / 180.")
rad2deg = _real(np.rad2deg, "Radians as degrees: 180 x / pi.")
ceil = _real(np.ceil, "The next whole number above.")
floor = _real(np.floor, "The next whole number below.")
fabs = _real(np.fabs, "The absolute value, as a real number.")
i0 = _real(np.i0, "The modified Bessel function of the first kind, of order 0; a constant.")
angle = _real(np.angle, "The angle of a complex number in radians; 0 or pi for real ones.")

absolute = _any(np.absolute, "The absolute value |x|.")
negative = _any(np.negative, "-x.")
sign = _any(np.sign, "-1, 0 or 1.")
square = _any(lambda x: np.square(counted(x)), "x^2.", "square")
conjugate = _any(lambda x: _of_complex(np.conjugate, x), "The complex conjugate; a real number itself.", "conjugate")
conj = _any(lambda x: _of_complex(np.conjugate, x), "The complex conjugate; a real number itself.", "conj")
real = _any(lambda x: _of_complex(np.real, x), "The real part of complex numbers.", "real")
imag = _any(np.imag, "The imaginary part of complex numbers.")
copy = _any(np.copy, "The same numbers in memory of their own.")
bitwise_not = _any(np.bitwise_not, "Each bit the other way round.", "bitwise_not")
bitwise_invert = _any(np.bitwise_not, "Each bit the other way round.", "bitwise_invert")
abs = absolute


def _of_complex(function: Callable[..., Any], x: Any) -> Any:
    return function(x) if dtype_of(x).kind == "c" else x


isnan = _constant(np.isnan, "Whether each is not a number.")
isfinite = _constant(np.isfinite, "Whether each is neither infinite nor not a number.")
isinf = _constant(np.isinf, "Whether each is infinite.")
isneginf = _constant(np.isneginf, "Whether each is -infinity.")
isposinf = _constant(np.isposinf, "Whether each is +infinity.")
isreal = _constant(np.isreal, "Whether each is a real number.")
signbit = _constant(np.signbit, "Whether each has a minus sign, -0.0 too.")


@operation
def trunc(x: Any) -> Any:
    """The whole number towards 0."""
    x = operand(x)
    return np.trunc(x) if dtype_of(x).kind == "f" else x


@operation
def round(x: Any, decimals: int = 0) -> Any:
    """The nearest number with so many decimals; halves go to the even one."""
    return np.round(operand(x), decimals)


@operation
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """x, kept in [x_min, x_max].

    Example:
        >>> clip([-2.0, 0.5, 2.0], -1.0, 1.0).tolist()
        [-1.0, 0.5, 1.0]
    """
    x = operand(x)
    x = counted(x)
    return as_type(np.clip(x, x_min, x_max), dtype_of(x))


@operation
def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """x with numbers in the place of NaN and infinities; by default 0 and the type's largest and smallest."""
    return np.nan_to_num(operand(x), nan=nan, posinf=posinf, neginf=neginf)


# --- Of two numbers ---


def _binary(function: Callable[..., Any], meaning: str, name: str = "") -> Any:
    """Arithmetic: both in the type of the result; shapes are broadcast."""
    return named(lambda x1, x2: function(*together(x1, x2)), name or function.__name__, __name__, meaning)


def _real_binary(function: Callable[..., Any], meaning: str, name: str = "") -> Any:
    """The same with a result of real numbers."""
    return named(lambda x1, x2: function(*real_together(x1, x2)), name or function.__name__, __name__, meaning)


def _bits(function: Callable[..., Any], meaning: str, name: str = "") -> Any:
    """An operation on bits, whose arguments Keras calls x and y."""
    return named(lambda x, y: function(*together(x, y)), name or function.__name__, __name__, meaning)


def _logic(function: Callable[..., Any], meaning: str) -> Any:
    return named(lambda x1, x2: function(_truth(x1), _truth(x2)), function.__name__, __name__, meaning)


def _truth(x: Any) -> Any:
    return np.asarray(plain(operand(x)), bool)


add = _binary(np.add, "x1 + x2.")
subtract = _binary(np.subtract, "x1 - x2.")
multiply = _binary(np.multiply, "x1 x2, number by number.")
maximum = _binary(np.maximum, "The larger of two; NaN where one of them is.")
minimum = _binary(np.minimum, "The smaller of two; NaN where one of them is.")
fmax = _binary(np.fmax, "The larger of two; where one is NaN, the other.")
fmin = _binary(np.fmin, "The smaller of two; where one is NaN, the other.")
power = _binary(np.power, "x1^x2.")
floor_divide = _binary(np.floor_divide, "The whole number below x1 / x2.")
mod = _binary(np.remainder, "What is left of x1 divided by x2, with the sign of x2.", "mod")
fmod = _binary(np.fmod, "What is left of x1 divided by x2, with the sign of x1.")
gcd = _binary(np.gcd, "The greatest common divisor of whole numbers.")
lcm = _binary(np.lcm, "The least common multiple of whole numbers.")

divide = _real_binary(np.true_divide, "x1 / x2.", "divide")
true_divide = _real_binary(np.true_divide, "x1 / x2.", "true_divide")
arctan2 = _real_binary(np.arctan2, "The angle of the point (x2, x1), in (-pi, pi].")
logaddexp = _real_binary(np.logaddexp, "log(exp(x1) + exp(x2)), without overflow.")
logaddexp2 = _real_binary(np.logaddexp2, "log2(2^x1 + 2^x2), without overflow.")
hypot = _real_binary(np.hypot, "sqrt(x1^2 + x2^2).")
heaviside = _real_binary(np.heaviside, "0 where x1 < 0, x2 where x1 = 0, 1 where x1 > 0.")
nextafter = _real_binary(np.nextafter, "The next number of the type after x1, towards x2.")

equal = _binary(np.equal, "Whether x1 = x2.")
not_equal = _binary(np.not_equal, "Whether x1 is not x2.")
less = _binary(np.less, "Whether x1 < x2.")
less_equal = _binary(np.less_equal, "Whether x1 <= x2.")
greater = _binary(np.greater, "Whether x1 > x2.")
greater_equal = _binary(np.greater_equal, "Whether x1 >= x2.")

logical_and = _logic(np.logical_and, "Whether both are true, or not 0.")
logical_or = _logic(np.logical_or, "Whether one or both are true, or not 0.")
logical_xor = _logic(np.logical_xor, "Whether one alone is true, or not 0.")

bitwise_and = _bits(np.bitwise_and, "The bits that both have.")
bitwise_or = _bits(np.bitwise_or, "The bits that one or both have.")
bitwise_xor = _bits(np.bitwise_xor, "The bits that one alone has.")
bitwise_left_shift = _bits(np.left_shift, "x 2^y, of whole numbers.", "bitwise_left_shift")
bitwise_right_shift = _bits(np.right_shift, "x / 2^y, of whole numbers.", "bitwise_right_shift")
left_shift = _bits(np.left_shift, "x 2^y, of whole numbers.")
right_shift = _bits(np.right_shift, "x / 2^y, of whole numbers.")


@operation
def logical_not(x: Any) -> Any:
    """Whether it is false, or 0."""
    return ~_truth(x)


@operation
def divide_no_nan(x1: Any, x2: Any) -> Any:
    """x1 / x2, and 0 where x2 is 0.

    Example:
        >>> divide_no_nan([1.0, 2.0], [0.0, 4.0]).tolist()
        [0.0, 0.5]
    """
    x1, x2 = real_together(x1, x2)
    zero = np.equal(plain(x2), 0)
    return np.where(zero, np.zeros((), dtype_of(x1)), x1 / np.where(zero, np.ones((), dtype_of(x2)), x2))


@operation
def ldexp(x1: Any, x2: Any) -> Any:
    """x1 2^x2, x2 whole numbers."""
    x1 = floats(x1)
    return x1 * as_type(np.exp2(floats(x2)), dtype_of(x1))


@operation
def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether |x1 - x2| <= atol + rtol |x2|, number by number."""
    x1, x2 = plain(together(x1, x2))
    return np.isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan)


@operation
def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether |x1 - x2| <= atol + rtol |x2| for all numbers."""
    return np.all(isclose(x1, x2, rtol, atol, equal_nan))


@operation
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """x1 where the condition is true, else x2; without these, the places where it is, an array for each axis.

    Example:
        >>> where([True, False], 1.0, 2.0).tolist()
        [1.0, 2.0]
    """
    condition = _truth(condition)
    if x1 is None and x2 is None:
        return tuple(one.astype(np.int32) for one in np.nonzero(condition))
    return np.where(condition, *together(x1, x2))


@operation
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Each number from the first of several arrays whose condition is true."""
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result
