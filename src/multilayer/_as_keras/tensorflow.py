"""What `import tensorflow as tf` gives under `multilayer.as_keras`: `tf.keras`, and what dense programs use besides.

Each name is one of this library's or of NumPy's, under TensorFlow's name, with its arguments. What is missing says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

import multilayer as keras
from multilayer import GradientTape as GradientTape
from multilayer import Variable as Variable
from multilayer import __version__ as __version__
from multilayer import activations, losses
from multilayer import random as _random
from multilayer._core.tape import Operand, plain
from multilayer._core.tape.eager import eager, gives_eager

__path__: list[str] = []  # a package to Python, so that `from tensorflow.keras import layers` may be asked for

Axes = int | Sequence[int] | None

# --- Types and tensors ---

float16, float32, float64 = "float16", "float32", "float64"
int8, int32, int64, uint8 = "int8", "int32", "int64", "uint8"
bool = "bool"  # noqa: A001 - TensorFlow's name
newaxis = None


def convert_to_tensor(value: Any, dtype: Any = None, name: str | None = None) -> Any:  # noqa: ARG001
    """The numbers as a tensor; Python's real numbers as `floatx`, and its whole numbers as int32."""
    if isinstance(value, Operand):
        return value if dtype is None else (value * 1).astype(dtype)
    given = np.asarray(value)
    if dtype is None and not isinstance(value, (np.ndarray, np.generic)):
        dtype = {"f": keras.config.floatx(), "i": int32}.get(given.dtype.kind)
    return eager(np.array(given, dtype))


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """The numbers as a tensor, of a shape if one is given."""
    tensor = convert_to_tensor(value, dtype, name)
    return tensor if shape is None else np.broadcast_to(tensor, shape) if tensor.size == 1 else tensor.reshape(shape)


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """The same numbers in another type."""
    return convert_to_tensor(x, None, name).astype(dtype)


def zeros(shape: Any, dtype: Any = float32) -> Any:
    """A tensor of zeros."""
    return eager(np.zeros(shape, dtype))


def ones(shape: Any, dtype: Any = float32) -> Any:
    """A tensor of ones."""
    return eager(np.ones(shape, dtype))


def fill(dims: Any, value: Any) -> Any:
    """A tensor of one number."""
    return constant(value, shape=tuple(dims))


def eye(num_rows: int, num_columns: int | None = None, dtype: Any = float32) -> Any:
    """A tensor of ones on the diagonal."""
    return eager(np.eye(num_rows, num_columns, dtype=dtype))


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None) -> Any:  # noqa: A001
    """The numbers from `start`, or 0, up to but without `limit`."""
    numbers = np.arange(0, start, delta) if limit is None else np.arange(start, limit, delta)
    return convert_to_tensor(numbers.tolist(), dtype)


def linspace(start: Any, stop: Any, num: int, name: str | None = None) -> Any:
    """So many numbers from `start` to `stop`, at equal distances."""
    return convert_to_tensor(np.linspace(start, stop, num).tolist(), None, name)


def shape(input: Any) -> Any:
    """The shape of a tensor."""
    return np.shape(input)


def stop_gradient(input: Any) -> Any:
    """The same numbers as a constant."""
    return eager(np.array(plain(input)))


def function(func: Callable[..., Any] | None = None, **_: Any) -> Any:
    """The function itself: every step is run as it is written."""
    return (lambda func: func) if func is None else func


# --- Computation, element by element and over axes ---


def _tensors(*functions: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """NumPy's functions, with results that have `numpy()`."""
    return map(gives_eager, functions)


abs, exp, sqrt, square, sign, negative = _tensors(np.absolute, np.exp, np.sqrt, np.square, np.sign, np.negative)  # noqa: A001
add, subtract, multiply, divide, pow = _tensors(np.add, np.subtract, np.multiply, np.divide, np.power)  # noqa: A001
sin, cos, tan, tanh, sigmoid = _tensors(np.sin, np.cos, np.tan, np.tanh, activations.sigmoid)
maximum, minimum, where, sort, einsum = _tensors(np.maximum, np.minimum, np.where, np.sort, np.einsum)
equal, greater, less, round, floor = _tensors(np.equal, np.greater, np.less, np.round, np.floor)  # noqa: A001
reshape, squeeze, expand_dims, tile = _tensors(np.reshape, np.squeeze, np.expand_dims, np.tile)
broadcast_to, ones_like, zeros_like = _tensors(np.broadcast_to, np.ones_like, np.zeros_like)


@gives_eager
def stack(values: Any, axis: int = 0) -> Any:
    """Tensors of one shape along a new axis."""
    return np.stack(values, axis=axis)


@gives_eager
def concat(values: Any, axis: int) -> Any:
    """Tensors one behind the other along an axis."""
    return np.concatenate(values, axis=axis)


@gives_eager
def transpose(a: Any, perm: Any = None) -> Any:
    """A tensor with its axes in another order, by default backwards."""
    return np.transpose(a, perm)


@gives_eager
def cumsum(x: Any, axis: int = 0) -> Any:
    """Running sums along an axis."""
    return np.cumsum(x, axis=axis)


@gives_eager
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any) -> Any:
    """The numbers, none below or above these."""
    return np.clip(t, clip_value_min, clip_value_max)


@gives_eager
def matmul(a: Any, b: Any, transpose_a: Any = False, transpose_b: Any = False) -> Any:
    """The product of matrices."""
    return np.matmul(np.swapaxes(a, -1, -2) if transpose_a else a, np.swapaxes(b, -1, -2) if transpose_b else b)


@gives_eager
def gather(params: Any, indices: Any, axis: int = 0) -> Any:
    """The entries at these places of an axis."""
    return np.take(params, np.asarray(indices), axis=axis)


def one_hot(indices: Any, depth: int, dtype: Any = float32) -> Any:
    """A 1 at each index, among zeros."""
    return eager(np.eye(depth, dtype=dtype)[np.asarray(indices)])


@gives_eager
def argmax(input: Any, axis: int = 0) -> Any:
    """The place of the largest number."""
    return np.argmax(input, axis=axis)


@gives_eager
def argmin(input: Any, axis: int = 0) -> Any:
    """The place of the smallest number."""
    return np.argmin(input, axis=axis)


def _over_axes(of: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction of NumPy's with TensorFlow's arguments."""

    @gives_eager
    def reduction(input_tensor: Any, axis: Axes = None, keepdims: Any = False) -> Any:
        axis = tuple(axis) if isinstance(axis, list) else axis
        return of(input_tensor, axis=axis, keepdims=keepdims)

    reduction.__name__ = reduction.__qualname__ = f"reduce_{of.__name__}"
    return reduction


reduce_mean, reduce_sum, reduce_prod = _over_axes(np.mean), _over_axes(np.sum), _over_axes(np.prod)
reduce_max, reduce_min = _over_axes(np.max), _over_axes(np.min)
reduce_all, reduce_any = _over_axes(np.all), _over_axes(np.any)


# --- The namespaces ---


class _Names:
    """`tf.math`, `tf.nn` and their like."""

    def __init__(self, name: str, **names: Any) -> None:
        self._name = name
        vars(self).update(names)

    def __getattr__(self, name: str) -> NoReturn:
        _missing(f"tf.{self._name}.{name}", [one for one in vars(self) if not one.startswith("_")])


def _sigmoid_cross_entropy(labels: Any, logits: Any) -> Any:
    return np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits)))


def _softmax_cross_entropy(labels: Any, logits: Any, axis: int = -1) -> Any:
    return losses.categorical_crossentropy(labels, logits, from_logits=True, axis=axis)


def _sparse_softmax_cross_entropy(labels: Any, logits: Any) -> Any:
    return losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


_ELEMENTWISE = "abs add subtract multiply divide pow exp sqrt square sign sin cos tan tanh sigmoid maximum minimum"
_REDUCTIONS = "reduce_mean reduce_sum reduce_prod reduce_max reduce_min reduce_all reduce_any argmax argmin cumsum"
_ACTIVATIONS = "relu relu6 elu selu gelu silu leaky_relu softplus softsign sigmoid tanh softmax log_softmax"
math = _Names(
    "math",
    **{name: globals()[name] for name in f"{_ELEMENTWISE} {_REDUCTIONS} equal greater less floor round".split()},
    log=gives_eager(np.log),
    log1p=gives_eager(np.log1p),
    softplus=activations.softplus,
    reduce_std=_over_axes(np.std),
    reduce_variance=_over_axes(np.var),
)
nn = _Names(
    "nn",
    **{name: getattr(activations, name) for name in _ACTIVATIONS.split()},
    swish=activations.silu,
    sigmoid_cross_entropy_with_logits=_sigmoid_cross_entropy,
    softmax_cross_entropy_with_logits=_softmax_cross_entropy,
    sparse_softmax_cross_entropy_with_logits=_sparse_softmax_cross_entropy,
)
linalg = _Names("linalg", matmul=matmul, norm=gives_eager(np.linalg.norm), inv=gives_eager(np.linalg.inv))
random = _Names(
    "random",
    set_seed=keras.utils.set_random_seed,
    normal=_random.normal,
    uniform=_random.uniform,
    shuffle=lambda value, seed=None: _random.shuffle(value, seed=seed),
)
test = _Names("test", is_gpu_available=lambda: False)
config = _Names("config", list_physical_devices=lambda *_: [], run_functions_eagerly=lambda _: None)

_NOT_ITS_OWN = {"Callable", "Iterator", "Sequence", "Any", "NoReturn", "Axes", "Operand", "annotations", "np"} | {
    "activations",
    "losses",
    "eager",
    "gives_eager",
    "plain",
}
__all__ = [name for name in globals() if not name.startswith("_") and name not in _NOT_ITS_OWN]


def _missing(name: str, known: Sequence[str]) -> NoReturn:
    raise AttributeError(
        f"`{name}` is not among what `multilayer.as_keras` has of TensorFlow: {', '.join(sorted(known))}. What else a "
        "network needs is in `keras` and in NumPy, whose functions work on tensors."
    )


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(name)
    _missing(f"tf.{name}", __all__)
