"""Derivatives of what is computed number by number, and of comparisons, which have none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from multilayer._core.tape.tensor import Rule, astype, call, constant, plain, record, table

F = TypeVar("F", bound=Callable[..., Any])


def define(function: Callable[..., Any], *vjps: Callable[..., Any]) -> None:
    """Enters a function of NumPy's with its vector-Jacobian products; see `Rule`."""
    table[function] = Rule(function, *vjps)


def implements(*functions: Callable[..., Any]) -> Callable[[F], F]:
    """Enters what functions of NumPy's are on tensors: others that have a rule, in NumPy's arguments (as in NEP 18)."""

    def entered(written: F) -> F:
        table.update(dict.fromkeys(functions, written))
        return written

    return entered


def of_type(flag: Any, x: Any) -> Any:
    """A truth value as a number of x's type, which is a constant."""
    return np.asarray(flag).astype(x.dtype)


_LN2, _LN10 = float(np.log(2.0)), float(np.log(10.0))

# One operand. In each, g is the gradient at y, and y = f(x).
define(np.negative, lambda g, y, x: -g)
define(np.positive, lambda g, y, x: g)
define(np.exp, lambda g, y, x: g * y)
define(np.exp2, lambda g, y, x: g * y * _LN2)
define(np.expm1, lambda g, y, x: g * (y + 1))
define(np.log, lambda g, y, x: g / x)
define(np.log2, lambda g, y, x: g / (x * _LN2))
define(np.log10, lambda g, y, x: g / (x * _LN10))
define(np.log1p, lambda g, y, x: g / (1 + x))
define(np.sqrt, lambda g, y, x: g * 0.5 / y)
define(np.cbrt, lambda g, y, x: g / (3 * np.square(y)))
define(np.square, lambda g, y, x: g * (2 * x))
define(np.reciprocal, lambda g, y, x: -g * np.square(y))
define(np.absolute, lambda g, y, x: g * np.sign(x))
define(np.fabs, lambda g, y, x: g * np.sign(x))
define(np.sin, lambda g, y, x: g * np.cos(x))
define(np.cos, lambda g, y, x: -g * np.sin(x))
define(np.tan, lambda g, y, x: g * (1 + np.square(y)))
define(np.arcsin, lambda g, y, x: g / np.sqrt(1 - np.square(x)))
define(np.arccos, lambda g, y, x: -g / np.sqrt(1 - np.square(x)))
define(np.arctan, lambda g, y, x: g / (1 + np.square(x)))
define(np.sinh, lambda g, y, x: g * np.cosh(x))
define(np.cosh, lambda g, y, x: g * np.sinh(x))
define(np.tanh, lambda g, y, x: g * (1 - np.square(y)))
define(np.arcsinh, lambda g, y, x: g / np.sqrt(np.square(x) + 1))
define(np.arccosh, lambda g, y, x: g / np.sqrt(np.square(x) - 1))
define(np.arctanh, lambda g, y, x: g / (1 - np.square(x)))
define(np.deg2rad, lambda g, y, x: g * (np.pi / 180))
define(np.radians, lambda g, y, x: g * (np.pi / 180))
define(np.rad2deg, lambda g, y, x: g * (180 / np.pi))
define(np.degrees, lambda g, y, x: g * (180 / np.pi))
define(np.copy, lambda g, y, x: g)
define(np.conjugate, lambda g, y, x: g)  # of real numbers, which are all that there are here
table[np.real] = lambda val: val
table[np.divmod] = lambda a, b: (np.floor_divide(a, b), np.remainder(a, b))
table[np.modf] = lambda x: (x - np.trunc(x), np.trunc(x))
_ASTYPE = Rule(astype, lambda g, y, x, dtype: g)  # `fitted` takes it back into x's type
# Whole numbers and truth values change in steps: they are constants.
table[astype] = lambda x, dtype: record(_ASTYPE, (x if np.dtype(dtype).kind == "f" else plain(x), dtype), {})
# sin(pi x) / (pi x), whose derivative at 0 is 0 (and there the second one -pi^2 / 3).
define(
    np.sinc,
    lambda g, y, x: g * np.where(x == 0, -(np.pi**2) / 3 * x, (np.cos(np.pi * x) - y) / np.where(x == 0, 1, x)),
)
_NAN_TO_NUM = Rule(np.nan_to_num, lambda g, y, x, **_: g * of_type(np.isfinite(_value(x)), x))
table[np.nan_to_num] = lambda x, copy=True, **instead: record(_NAN_TO_NUM, (x,), instead)

# Two operands; `fitted` sums a gradient over the axes along which its operand was broadcast.
define(np.add, lambda g, y, a, b: g, lambda g, y, a, b: g)
define(np.subtract, lambda g, y, a, b: g, lambda g, y, a, b: -g)
define(np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
define(np.true_divide, lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b)
# At a = 0 the logarithm is not wanted of what is multiplied by 0, and a^(b - 1) not where b = 0.
for power in (np.power, np.float_power):
    define(
        power,
        lambda g, y, a, b, power=power: g * b * power(a, np.where(_value(b) == 0, 1, b - 1)),
        lambda g, y, a, b: g * y * np.log(np.where(_value(a) > 0, a, 1)),
    )
define(np.arctan2, lambda g, y, a, b: g * b / (a * a + b * b), lambda g, y, a, b: -g * a / (a * a + b * b))
define(np.hypot, lambda g, y, a, b: g * a / y, lambda g, y, a, b: g * b / y)
define(np.logaddexp, lambda g, y, a, b: g * np.exp(_below(a, y)), lambda g, y, a, b: g * np.exp(_below(b, y)))
define(np.logaddexp2, lambda g, y, a, b: g * np.exp2(_below(a, y)), lambda g, y, a, b: g * np.exp2(_below(b, y)))
define(np.remainder, lambda g, y, a, b: g, lambda g, y, a, b: -g * np.floor_divide(a, b))
define(np.fmod, lambda g, y, a, b: g, lambda g, y, a, b: -g * np.trunc(a / b))
define(np.copysign, lambda g, y, a, b: g * (np.sign(a) * np.copysign(1.0, b)))


def _value(x: Any) -> Any:
    """The numbers of what may be a tensor, to compare them."""
    return getattr(x, "value", x)


def _below(x: Any, y: Any) -> Any:
    """X - y, and 0 where both are the same infinity: the larger of two numbers of which one is infinite."""
    both = np.isinf(_value(y)) & (_value(x) == _value(y))
    return np.where(both, 0.0, x) - np.where(both, 0.0, y) if both.any() else x - y


def _share(x: Any, y: Any, other: Any) -> Any:
    """How much of the larger (smaller) of two numbers x is: 1, 0, or, as both are, one half."""
    x, y, other = _value(x), _value(y), _value(other)
    return of_type(x == y, y) / (1 + (x == other)).astype(y.dtype)


_ROOT = Rule(
    np.sqrt, lambda g, y, x: g * np.where(_value(y) == 0, 0, 0.5 / np.where(_value(y) == 0, 1, y)), name="root"
)


def root(x: Any) -> Any:
    """The root in a norm or a standard deviation: where that is 0 it has no derivative, and is given 0."""
    return record(_ROOT, (x,), {})


for extreme in (np.maximum, np.minimum, np.fmax, np.fmin):
    define(extreme, lambda g, y, a, b: g * _share(a, y, b), lambda g, y, a, b: g * _share(b, y, a))


def _clipped(x: Any, low: Any, high: Any) -> Any:
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)  # `np.clip` takes twice as long to come to the same


# What lies between the bounds, or on one of them, is what it was.
_CLIP = Rule(
    _clipped,
    lambda g, y, x, low, high: g * (x == y),
    lambda g, y, x, low, high: g * ((x != y) & (y == low)),
    lambda g, y, x, low, high: g * ((x != y) & (y == high)),
    name="clip",
)


@implements(np.clip)
def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    return record(_CLIP, (a, min if a_min is None else a_min, max if a_max is None else a_max), {})


_WHERE = Rule(
    np.where,
    None,
    lambda g, y, condition, a, b: np.where(condition, g, np.zeros((), g.dtype)),
    lambda g, y, condition, a, b: np.where(condition, np.zeros((), g.dtype), g),
)


@implements(np.where)
def _where(condition: Any, *choices: Any) -> Any:
    condition = np.asarray(_value(condition))
    return record(_WHERE, (condition, *choices), {}) if choices else np.where(condition)


@implements(np.select)
def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = np.where(condition, choice, result)
    return result


for comparison in (
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.isnan, np.isfinite, np.isinf, np.signbit),
    *(np.sign, np.floor, np.ceil, np.trunc, np.rint, np.floor_divide, np.heaviside, np.round, np.fix),
    *(np.argmax, np.argmin, np.argsort, np.nonzero, np.count_nonzero, np.all, np.any, np.isclose, np.allclose),
    *(np.array_equal, np.zeros_like, np.ones_like, np.empty_like, np.shape, np.ndim, np.size, np.searchsorted),
    *(np.digitize, np.iscomplexobj, np.isreal, np.result_type, np.can_cast, np.array_repr, np.array_str),
    *(np.argwhere, np.flatnonzero, np.isin, np.argpartition, np.min_scalar_type),
    *(np.array2string, np.common_type, np.may_share_memory, np.shares_memory, np.isneginf, np.isposinf),
):
    table[comparison] = constant(comparison)


@implements(np.full_like)
def _full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None
) -> Any:
    shape = np.shape(a) if shape is None else shape
    return call(astype, (np.broadcast_to(fill_value, shape), dtype or a.dtype), {})
