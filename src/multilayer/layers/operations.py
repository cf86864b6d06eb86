"""Keras' operations: what functions are called in a network's description, with what arguments, and which they are.

A file can name what stands in this table, and nothing else.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from multilayer import ops
from multilayer._core.tape.tensor import astype, getitem
from multilayer._names import registry
from multilayer._names.naming import snake_case
from multilayer.activations import Activation

# Keras' signatures. What stands before a semicolon is given in the call, and may be a tensor; what stands behind it
# belongs to the operation.
_SIGNATURES = {
    "numpy": """
        Absolute(x) Add(x1, x2) All(x; axis=None, keepdims=False) Any(x; axis=None, keepdims=False) Arccos(x)
        Arccosh(x) Arcsin(x) Arcsinh(x) Arctan(x) Arctan2(x1, x2) Arctanh(x) Argmax(x; axis=None, keepdims=False)
        Argmin(x; axis=None, keepdims=False) Argsort(x; axis=-1) BitwiseAnd(x, y) BitwiseNot(x) BitwiseOr(x, y)
        BitwiseXor(x, y) BroadcastTo(x; shape) Ceil(x) Clip(x; x_min, x_max) Concatenate(xs; axis=0) Copy(x) Cos(x)
        Cosh(x) CountNonzero(x; axis=None) Cumprod(x; axis=None, dtype=None) Cumsum(x; axis=None, dtype=None) Deg2rad(x)
        Diag(x; k=0) Diff(a; n=1, axis=-1) Divide(x1, x2) DivideNoNan(x1, x2) Dot(x1, x2) Einsum(*operands; subscripts)
        Equal(x1, x2) Exp(x) Exp2(x) ExpandDims(x; axis) Expm1(x) Fabs(x) Flip(x; axis=None) Floor(x)
        FloorDivide(x1, x2) Fmod(x1, x2) GetItem(x, key) Greater(x1, x2) GreaterEqual(x1, x2) Hstack(xs) Hypot(x1, x2)
        Inner(x1, x2) Isclose(x1, x2, rtol=1e-05, atol=1e-08; equal_nan=False) Isfinite(x) Isinf(x) Isnan(x)
        Less(x1, x2) LessEqual(x1, x2) Log(x) Log10(x) Log1p(x) Log2(x) Logaddexp(x1, x2) Logaddexp2(x1, x2)
        LogicalAnd(x1, x2) LogicalNot(x) LogicalOr(x1, x2) LogicalXor(x1, x2) Matmul(x1, x2)
        Max(x; axis=None, keepdims=False, initial=None) Maximum(x1, x2) Mean(x; axis=None, keepdims=False)
        Min(x; axis=None, keepdims=False, initial=None) Minimum(x1, x2) Mod(x1, x2) Moveaxis(x; source, destination)
        Multiply(x1, x2) NanToNum(x; nan=0.0, posinf=None, neginf=None) Nanmean(x; axis=None, keepdims=False)
        Nansum(x; axis=None, keepdims=False) Negative(x) NotEqual(x1, x2) OnesLike(x; dtype=None) Outer(x1, x2)
        Pad(x, constant_values=None; pad_width, mode='constant') Power(x1, x2)
        Prod(x; axis=None, keepdims=False, dtype=None) Ptp(x; axis=None, keepdims=False) Rad2deg(x) Ravel(x)
        Reciprocal(x) Repeat(x; repeats, axis=None) Reshape(x; newshape) Roll(x; shift, axis=None) Round(x; decimals=0)
        Sign(x) Signbit(x) Sin(x) Sinc(x) Sinh(x) Sort(x; axis=-1) Split(x; indices_or_sections, axis=0) Sqrt(x)
        Square(x) Squeeze(x; axis=None) Stack(x; axis=0) Std(x; axis=None, keepdims=False) Subtract(x1, x2)
        Sum(x; axis=None, keepdims=False) Swapaxes(x; axis1, axis2) Take(x, indices; axis=None)
        TakeAlongAxis(x, indices; axis=None) Tan(x) Tanh(x) Tensordot(x1, x2; axes=2) Tile(x; repeats)
        Transpose(x; axes=None) Tril(x; k=0) Triu(x; k=0) TrueDivide(x1, x2) Trunc(x)
        Var(x; axis=None, keepdims=False) Vstack(xs) Where(condition, x1=None, x2=None) ZerosLike(x; dtype=None)
    """,
    "nn": """
        Celu(x; alpha=1.0) Elu(x; alpha=1.0) Gelu(x; approximate=True) Glu(x; axis=-1) HardShrink(x; threshold=0.5)
        HardSigmoid(x) HardSilu(x) HardTanh(x) LeakyRelu(x; negative_slope=0.2) LogSigmoid(x) LogSoftmax(x; axis=-1)
        Normalize(x; axis=-1, order=2, epsilon=None) OneHot(x; num_classes, axis=-1, dtype=None, sparse=False) Relu(x)
        Relu6(x) Selu(x) Sigmoid(x) Silu(x) SoftShrink(x; threshold=0.5) Softmax(x; axis=-1) Softplus(x) Softsign(x)
        SparsePlus(x) SparseSigmoid(x) Sparsemax(x; axis=-1) Squareplus(x; b=4) TanhShrink(x)
        Threshold(x; threshold, default_value)
    """,
    "core": "Cast(x; dtype) StopGradient(variable)",
    "math": "Logsumexp(x; axis=None, keepdims=False) Rsqrt(x)",
    "linalg": "Cholesky(x; upper=False) Det(x) Inv(x) Norm(x; ord=None, axis=None, keepdims=False) Solve(a, b)",
    "activations": "Mish(x) ReLU(x; negative_slope=0.0, max_value=None, threshold=0.0)",
}
_MODULES = {"activations": "keras.src.activations.activations"}
_NEEDED = inspect.Parameter.empty


class Operation(NamedTuple):
    """One of Keras' operations.

    Attributes:
        name: The name of its class.
        module: Where Keras has it.
        takes: What it is called with, and the defaults; the name of several things begins with a star.
        options: What belongs to it, and the defaults.
    """

    name: str
    module: str
    takes: Mapping[str, Any]
    options: Mapping[str, Any]

    def defaults(self) -> dict[str, Any]:
        """The values of what need not be given."""
        return {key: one for key, one in {**self.takes, **self.options}.items() if one is not _NEEDED}


def _parsed(module: str, text: str) -> dict[str, Operation]:
    found = {}
    for line in text.split(")"):
        name, _, inner = line.strip().partition("(")
        if name:
            takes, _, options = inner.partition(";")
            found[name] = Operation(
                name, _MODULES.get(module, f"keras.src.ops.{module}"), _arguments(takes), _arguments(options)
            )
    return found


def _arguments(text: str) -> Mapping[str, Any]:
    pairs = [one.strip().partition("=") for one in text.split(",") if one.strip()]
    return MappingProxyType({name: ast.literal_eval(value) if value else _NEEDED for name, _, value in pairs})


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {name: one for module, text in _SIGNATURES.items() for name, one in _parsed(module, text).items()}
)
_BY_SNAKE = {snake_case(name): one for name, one in OPERATIONS.items()}
_BY_SNAKE |= {"relu": OPERATIONS["ReLU"], "exponential": OPERATIONS["Exp"]}


# --- With Keras' arguments, where NumPy has others or none; here, where Keras' operation has them in another order ---


def einsum(*operands: Any, subscripts: str) -> Any:
    """Einstein's sums, the letters behind the operands."""
    return np.einsum(subscripts, *operands)


def pad(x: Any, constant_values: Any = None, *, pad_width: Any, mode: str = "constant") -> Any:
    """The values with others around them."""
    return ops.pad(x, pad_width, mode, constant_values)


OF_KERAS: dict[str, Callable[..., Any]] = {
    "BroadcastTo": ops.broadcast_to,
    "Cast": ops.cast,
    "Cholesky": ops.cholesky,
    "Clip": ops.clip,
    "DivideNoNan": ops.divide_no_nan,
    "Einsum": einsum,
    "Logsumexp": ops.logsumexp,
    "Normalize": ops.normalize,
    "OneHot": ops.one_hot,
    "Pad": pad,
    "Reshape": ops.reshape,
    "Rsqrt": ops.rsqrt,
    "StopGradient": ops.stop_gradient,
    "TakeAlongAxis": ops.take_along_axis,
}
_NUMPYS = {"GetItem": getitem, "Mod": np.remainder}


@functools.cache
def function_of(name: str) -> Callable[..., Any]:
    """The function that one of Keras' operations is.

    Raises:
        ValueError: There is no such operation here.
    """
    if name not in OPERATIONS:
        raise registry.unknown("operation", name, OPERATIONS)
    if name in OF_KERAS:
        return OF_KERAS[name]
    snake = "relu" if name == "ReLU" else snake_case(name)
    activation = registry.known("activation", snake)
    module = OPERATIONS[name].module
    if activation is not None and module.endswith((".nn", ".activations")):
        return activation  # type: ignore[no-any-return]
    found = _NUMPYS.get(name) or getattr(np, snake, None) or getattr(np.linalg, snake, None)
    assert callable(found), name
    function: Callable[..., Any] = found
    return function


@functools.cache
def _by_function() -> dict[Any, Operation]:
    """NumPy's functions, with the operation that each is."""
    found: dict[Any, Operation] = {}
    for name, one in OPERATIONS.items():
        for place in (np, np.linalg):
            function = _NUMPYS.get(name) or getattr(place, snake_case(name), None)
            if function is not None and one.module.endswith((".numpy", ".linalg")):
                found.setdefault(function, one)
    for reduction, name in ((np.add, "Sum"), (np.multiply, "Prod"), (np.maximum, "Max"), (np.minimum, "Min")):
        found[reduction.reduce] = OPERATIONS[name]
    return {**found, astype: OPERATIONS["Cast"], np.true_divide: OPERATIONS["TrueDivide"]}


def operation_of(function: Callable[..., Any]) -> Operation | None:
    """The operation of Keras' that a function of NumPy's, of `ops`, or an activation is; None for any other."""
    if isinstance(function, Activation):
        known = registry.known("activation", function.name)
        return None if known is None else _BY_SNAKE.get(function.name)
    if getattr(function, "__module__", None) == __name__ or is_of_ops(function):
        return _BY_SNAKE.get(function.__name__)
    try:
        return _by_function().get(function)
    except TypeError:  # it cannot be hashed
        return None


def is_of_ops(function: Any) -> bool:
    """Whether a function is one of `ops`."""
    return (getattr(function, "__module__", None) or "").startswith("multilayer.ops")


def named_arguments(
    operation: Operation, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any] | None:
    """The arguments of a call by Keras' names; None where Keras' operation does not have one of them."""
    if function.__name__ == "einsum" and function is not einsum:
        args, kwargs = args[1:], {**kwargs, "subscripts": args[0]}
    several = _several(operation)
    if several is not None:
        return {several: list(args), **kwargs} if set(kwargs) <= set(operation.options) else None
    names = _names_of(operation, function)
    if len(args) > len(names):
        return None
    own = _defaults(function) if isinstance(function, Activation) else {}  # some differ from Keras' operation's
    found = {name: value for name, value in own.items() if name in operation.options}
    for name, value in {**dict(zip(names, args, strict=False)), **kwargs}.items():
        key = _KERAS_WORDS.get((operation.name, name), name)
        if key in operation.takes or key in operation.options:
            found[key] = value
        elif not _says_nothing(name, value):
            return None
    return found


def called(operation: Operation, given: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments, by Keras' names, as the operation's function takes them; the reverse of `named_arguments`."""
    function = function_of(operation.name)
    several = _several(operation)
    args = [given[name] for name in operation.takes if name in given] if several is None else list(given[several])
    names = dict(zip(_names_of(operation, function)[len(operation.takes) :], operation.options, strict=False))
    turned = {_KERAS_WORDS.get((operation.name, name), name): name for name in names}
    defaults = {**operation.defaults(), **(_defaults(function) if isinstance(function, Activation) else {})}
    kwargs = {
        turned.get(key, key): value
        for key, value in given.items()
        if key in operation.options and not (key in defaults and _same(value, defaults[key]))
    }
    return tuple(args), kwargs


# NumPy's words for Keras' arguments, where it is called by name.
_KERAS_WORDS = {
    ("BroadcastTo", "array"): "x",
    ("Clip", "a_max"): "x_max",
    ("Clip", "a_min"): "x_min",
    ("Clip", "max"): "x_max",
    ("Clip", "min"): "x_min",
    ("Reshape", "shape"): "newshape",
    ("Tile", "reps"): "repeats",
    ("Where", "x"): "x1",
    ("Where", "y"): "x2",
}
_WITHOUT_MEANING = {"order": ("C", "K"), "mode": ("raise",), "ddof": (0,), "copy": (True,), "keepdims": (False,)}


def _says_nothing(name: str, value: Any) -> bool:
    """Whether an argument that only NumPy has is what it is by default."""
    return value is None or value is np._NoValue or value in _WITHOUT_MEANING.get(name, ())


def _several(operation: Operation) -> str | None:
    return next((name for name in operation.takes if name.startswith("*")), None)


def _names_of(operation: Operation, function: Callable[..., Any]) -> list[str]:
    """The names of a function's arguments by place: Keras' for those it is called with, whose order is the same."""
    if getattr(function, "__module__", None) == __name__ or is_of_ops(function):
        return list(inspect.signature(function).parameters)
    if function is np.pad:
        return ["x", "pad_width", "mode"]
    try:
        names = list(inspect.signature(function).parameters)
    except ValueError:  # it is written in C, and takes its arguments by place
        names = []
    return [*operation.takes, *names[len(operation.takes) :]]


def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    return {name: one.default for name, one in parameters.items() if one.default is not one.empty}


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)
