"""Operations of networks: activations, normalization, codes of classes, cross-entropies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multilayer import activations
from multilayer._core.tape import plain
from multilayer.config import epsilon as fuzz
from multilayer.config import floatx
from multilayer.ops.math import logsumexp
from multilayer.ops.operands import (
    as_type,
    axes_of,
    counted,
    dtype_of,
    floats,
    named,
    operand,
    operation,
    real_together,
    require_dense,
)

__all__ = [
    "batch_normalization",
    "binary_crossentropy",
    "categorical_crossentropy",
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "layer_normalization",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "moments",
    "multi_hot",
    "normalize",
    "one_hot",
    "polar",
    "psnr",
    "relu",
    "relu6",
    "rms_normalization",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_categorical_crossentropy",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh_shrink",
    "threshold",
]

# --- Activations: those of `activations`, with Keras' arguments of `ops` ---


def _activation(name: str, meaning: str) -> Callable[[Any], Any]:
    activation = getattr(activations, name)
    return named(lambda x: activation(floats(x)), name, __name__, meaning)  # type: ignore[no-any-return]


relu6 = _activation("relu6", "min(max(x, 0), 6).")
sigmoid = _activation("sigmoid", "1 / (1 + exp(-x)).")
log_sigmoid = _activation("log_sigmoid", "log(sigmoid(x)), without overflow.")
softplus = _activation("softplus", "log(1 + exp(x)), without overflow.")
softsign = _activation("softsign", "x / (1 + |x|).")
silu = _activation("silu", "x sigmoid(x).")
swish = silu
selu = _activation("selu", "elu with the scales for which mean 0 and variance 1 are kept from layer to layer.")
hard_sigmoid = _activation("hard_sigmoid", "x / 6 + 1/2, kept in [0, 1].")
hard_silu = _activation("hard_silu", "x hard_sigmoid(x).")
hard_swish = hard_silu
hard_tanh = _activation("hard_tanh", "x, kept in [-1, 1].")
sparse_plus = _activation("sparse_plus", "0 below -1, (x + 1)^2 / 4 up to 1, x above.")
sparse_sigmoid = _activation("sparse_sigmoid", "(x + 1) / 2, kept in [0, 1].")
tanh_shrink = _activation("tanh_shrink", "x - tanh(x).")


@operation
def relu(x: Any) -> Any:
    """max(x, 0), also of whole numbers."""
    x = operand(x)
    return activations.relu(x) if dtype_of(x).kind == "f" else np.maximum(counted(x), 0)


@operation
def elu(x: Any, alpha: float = 1.0) -> Any:
    """x above 0, alpha (exp(x) - 1) below."""
    return activations.elu(floats(x), alpha=alpha)


@operation
def celu(x: Any, alpha: float = 1.0) -> Any:
    """max(0, x) + min(0, alpha (exp(x / alpha) - 1))."""
    return activations.celu(floats(x), alpha=alpha)


@operation
def gelu(x: Any, approximate: bool = True) -> Any:
    """x P(X <= x) for a standard normal X; by default its approximation by tanh, as in Keras."""
    return activations.gelu(floats(x), approximate=approximate)


@operation
def glu(x: Any, axis: int = -1) -> Any:
    """The first half of an axis times the sigmoid of the second."""
    return activations.glu(floats(x), axis=axis)


@operation
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """x above 0, negative_slope x below."""
    return activations.leaky_relu(floats(x), negative_slope=negative_slope)


@operation
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x where |x| > threshold, else 0."""
    return activations.hard_shrink(floats(x), threshold=threshold)


@operation
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x drawn towards 0 by threshold, and 0 where it would cross it."""
    return activations.soft_shrink(floats(x), threshold=threshold)


@operation
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x where x > threshold, else default_value."""
    return activations.threshold(floats(x), threshold=threshold, default_value=default_value)


@operation
def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x^2 + b)) / 2."""
    return activations.squareplus(floats(x), b=b)


@operation
def sparsemax(x: Any, axis: int = -1) -> Any:
    """The point of the simplex of probabilities that is nearest to x, along an axis."""
    return activations.sparsemax(floats(x), axis=axis)


@operation
def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) / sum(exp(x)) over an axis, or several together.

    Example:
        >>> softmax([0.0, 0.0]).tolist()
        [0.5, 0.5]
    """
    x = floats(x)
    if axis == -1:
        return activations.softmax(x)
    axis = tuple(range(np.ndim(x))) if axis is None else axes_of(axis)
    return activations.softmax(x, axis=axis)


@operation
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """log(softmax(x)) = x - log(sum(exp(x))) over an axis, or several together."""
    x = floats(x)
    return x - logsumexp(x, axis, keepdims=True)


# --- Normalization ---


@operation
def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """x / |x| along axes, the norm of this order at least epsilon.

    Example:
        >>> normalize(np.array([3.0, 4.0])).round(2).tolist()
        [0.6, 0.8]
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"Argument `order` must be an int >= 1. Received: order={order}")
    x = floats(x)
    x = np.expand_dims(x, 0) if np.ndim(x) == 0 else x
    axis = axes_of(axis)
    epsilon = fuzz() if epsilon is None else epsilon
    size = np.absolute(x)
    total = np.sum(size if order == 1 else np.power(size, order), axis=axis, keepdims=True)
    # The limit stands before the root, which has no derivative at 0.
    return x / np.power(np.maximum(total, epsilon**order), 1.0 / order)


@operation
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """The mean and the variance over axes."""
    if synchronized:
        raise NotImplementedError("`synchronized=True` is for several devices; here is one.")
    x = floats(x)
    axes = axes_of(axes)
    return np.mean(x, axis=axes, keepdims=keepdims), np.var(x, axis=axes, keepdims=keepdims)


@operation
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    """scale (x - mean) / sqrt(variance + epsilon) + offset, a number of each for every place along the axis."""
    x = floats(x)
    shape = [1] * x.ndim
    shape[axis] = -1
    mean, variance = np.reshape(operand(mean), shape), np.reshape(operand(variance), shape)
    y = (x - mean) / np.sqrt(variance + epsilon)
    y = y if scale is None else y * np.reshape(operand(scale), shape)
    return y if offset is None else y + np.reshape(operand(offset), shape)


def _along(parameter: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """A parameter of normalized axes in a shape that fits x."""
    parameter = operand(parameter)
    if parameter.ndim == x.ndim or axes == (x.ndim - 1,):
        return parameter
    return np.reshape(parameter, [side if i in axes else 1 for i, side in enumerate(x.shape)])


@operation
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None
) -> Any:
    """gamma (x - mean(x)) / sqrt(var(x) + epsilon) + beta, mean and variance over axes of each sample."""
    x = floats(x)
    axes = tuple(sorted(one % x.ndim for one in ((axis,) if isinstance(axis, int) else axis)))
    centred = x - np.mean(x, axis=axes, keepdims=True)
    y = centred / np.sqrt(
        np.mean(np.square(centred), axis=axes, keepdims=True) + (fuzz() if epsilon is None else epsilon)
    )
    y = y if gamma is None else y * _along(gamma, x, axes)
    return y if beta is None else y + _along(beta, x, axes)


@operation
def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    """scale x / sqrt(mean(x^2) + epsilon), the mean over axes of each sample."""
    x = floats(x)
    axes = tuple(sorted(one % x.ndim for one in ((axis,) if isinstance(axis, int) else axis)))
    y = x / np.sqrt(np.mean(np.square(x), axis=axes, keepdims=True) + (fuzz() if epsilon is None else epsilon))
    return y if scale is None else y * _along(scale, x, axes)


# --- Codes of classes ---


@operation
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """A 1 in the place of each class along a new axis, else 0; all 0 for what is no class.

    Example:
        >>> one_hot([1, 0], 2).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    require_dense(sparse)
    classes = np.asarray(plain(operand(x)))
    places = np.expand_dims(classes, axis)
    shape = [1] * places.ndim
    shape[axis] = num_classes
    return (places == np.reshape(np.arange(num_classes), shape)).astype(dtype or floatx())


@operation
def multi_hot(
    inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """A 1 in the place of each class of a sample that has several, else 0.

    Example:
        >>> multi_hot([[0, 2]], 4).tolist()
        [[1.0, 0.0, 1.0, 0.0]]
    """
    require_dense(sparse)
    if num_classes is None:
        raise ValueError("Argument `num_classes` must be specified.")
    classes = np.asarray(plain(operand(inputs)))
    return np.max(one_hot(classes, num_classes, axis, dtype), axis=1 if classes.ndim > 1 else 0)


# --- Cross-entropies ---


def _same_shape(target: Any, output: Any) -> None:
    if np.shape(target) != np.shape(output):
        raise ValueError(
            "Arguments `target` and `output` must have the same shape. "
            f"Received: target.shape={np.shape(target)}, output.shape={np.shape(output)}"
        )


def _log_probabilities(output: Any, from_logits: bool, axis: int) -> Any:
    if from_logits:
        return log_softmax(output, axis)
    output = output / np.sum(output, axis=axis, keepdims=True)
    return np.log(np.clip(output, fuzz(), 1.0 - fuzz()))


@operation
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """-sum(t log y) along an axis, of one-hot targets t and probabilities y, or their logits.

    Example:
        >>> categorical_crossentropy([[0.0, 1.0]], np.zeros((1, 2)), from_logits=True).round(4).tolist()
        [0.6931]
    """
    target, output = real_together(target, output)
    _same_shape(target, output)
    if output.ndim < 1:
        raise ValueError(f"Arguments `target` and `output` must be at least rank 1. Received: shape={output.shape}")
    return -np.sum(target * _log_probabilities(output, from_logits, axis), axis=axis)


@operation
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """-log y_t along an axis, of classes t and probabilities y, or their logits; 0 for a t that is no class."""
    target, output = np.asarray(plain(operand(target))), floats(output)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target[..., 0]
    if output.ndim < 1 or target.shape != output.shape[:-1]:
        raise ValueError(
            "Arguments `target` and `output` must have the same shape up until the last dimension: "
            f"target.shape={target.shape}, output.shape={output.shape}"
        )
    target = target.astype(np.int64)
    known = (target >= 0) & (target < output.shape[axis])
    places = np.expand_dims(np.where(known, target, 0), axis)
    found = np.squeeze(np.take_along_axis(_log_probabilities(output, from_logits, axis), places, axis), axis)
    return -np.where(known, found, np.zeros((), dtype_of(output)))


@operation
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """-t log y - (1 - t) log(1 - y), number by number, of targets t and probabilities y, or their logits.

    Example:
        >>> binary_crossentropy([1.0], np.zeros(1), from_logits=True).round(4).tolist()
        [0.6931]
    """
    target, output = real_together(target, output)
    _same_shape(target, output)
    if from_logits:
        return np.logaddexp(output, np.zeros((), dtype_of(output))) - target * output
    output = np.clip(output, fuzz(), 1.0 - fuzz())
    return -(target * np.log(output) + (1.0 - target) * np.log(1.0 - output))


# --- Others ---


@operation
def psnr(x1: Any, x2: Any, max_val: float) -> Any:
    """20 log10(max_val) - 10 log10(mean((x1 - x2)^2)): the ratio of signal to noise in decibels."""
    x1, x2 = real_together(x1, x2)
    _same_shape(x1, x2)
    return 20.0 * np.log10(as_type(operand(max_val), dtype_of(x1))) - 10.0 * np.log10(np.mean(np.square(x1 - x2)))


@operation
def polar(abs_: Any, angle: Any) -> Any:
    """The complex number of this size and angle; a constant."""
    size, turn = map(plain, real_together(abs_, angle))
    return size * np.exp(np.asarray(1j, np.result_type(size.dtype, np.complex64)) * turn)
