"""Activations whose derivative is written with their input: `f(x)`, and `f_backward(dy, x)`, the chain rule.

Each gives a new array, or writes to `out` of x's shape and type. Where x sits on a kink, the derivative of one side is
taken, as the frameworks take it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from multilayer.functional.activations import sigmoid, softmax, softmax_backward
from multilayer.functional.arrays import Array, floating

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al., 2017: mean 0 and variance 1 stay

# erfc(x) exp(x^2) / t with t = 2 / (2 + x), for x >= 0, as a series of Chebyshev polynomials of 2t - 1: fitted to the
# function, right to the last digits of float64.
_ERFCX = (
    0.5770337386164697,
    0.35543692127049825,
    0.06509515882878661,
    0.003671142395836499,
    -0.001112844743352578,
    -0.0001607582991536585,
    3.278031574188786e-05,
    5.442441645735221e-06,
    -1.5154665553696753e-06,
    -1.4297608167541764e-07,
    8.234608834629862e-08,
    -1.2962847465287898e-09,
    -4.154721474090223e-09,
    6.34705794854311e-10,
    1.4320836630273602e-10,
    -6.160393571588093e-11,
    2.0612059194872257e-12,
    3.5714819990317903e-12,
    -8.588463273895289e-13,
    -6.151745779447996e-14,
    7.417400027520676e-14,
    -1.2985446051771999e-14,
)


def _into(out: Array | None, y: Array) -> Array:
    if out is None:
        return y
    np.copyto(out, y)
    return out


def erf(x: Array) -> Array:
    """The error function 2 / sqrt(pi) int_0^x exp(-s^2) ds.

    Example:
        >>> erf(np.array([-1.0, 0.0, 0.5])).round(6)
        array([-0.842701,  0.      ,  0.5205  ])
    """
    x = floating(x)
    y: Array = np.copysign(1.0 - _erfc_of_size(x), x)
    return y


def erfc(x: Array) -> Array:
    """The complement 1 - erf(x), which keeps its digits where erf(x) is close to 1.

    Example:
        >>> erfc(np.array([0.0, 10.0]))
        array([1.00000000e+00, 2.08848758e-45])
    """
    x = floating(x)
    y = _erfc_of_size(x)
    return np.where(x < 0, 2.0 - y, y)


def _erfc_of_size(x: Array) -> Array:
    """1 - erf(|x|)."""
    size = np.abs(x)
    t = 2.0 / (2.0 + size)
    u = 2.0 * t - 1.0
    b1 = b2 = np.zeros_like(x)
    for c in reversed(_ERFCX[1 : 13 if x.dtype == np.float32 else None]):  # Clenshaw's recurrence
        b1, b2 = 2.0 * u * b1 - b2 + c, b1
    y: Array = t * np.exp(-size * size) * (u * b1 - b2 + _ERFCX[0])
    return y


def gelu(x: Array, out: Array | None = None, approximate: bool = False) -> Array:
    """X P(X <= x) for a standard normal X: x (1 + erf(x / sqrt(2))) / 2, or with tanh instead of erf.

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.

    Example:
        >>> gelu(np.array([-1.0, 0.0, 1.0])).round(6)
        array([-0.158655,  0.      ,  0.841345])
    """
    x = floating(x)
    if approximate:
        return _into(out, 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x))))
    return _into(out, 0.5 * x * (1.0 + erf(x * math.sqrt(0.5))))


def gelu_backward(dy: Array, x: Array, out: Array | None = None, approximate: bool = False) -> Array:
    """Backward pass of `gelu`: dx = dy (Phi(x) + x phi(x)), or the derivative of the form with tanh."""
    if approximate:
        th = np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x))
        slope = math.sqrt(2.0 / math.pi) * (1.0 + 3.0 * 0.044715 * x * x)
        return np.multiply(dy, 0.5 * (1.0 + th) + 0.5 * x * (1.0 - th * th) * slope, out=out)
    phi = np.exp(-0.5 * x * x) * (1.0 / math.sqrt(2.0 * math.pi))
    return np.multiply(dy, 0.5 * (1.0 + erf(x * math.sqrt(0.5))) + x * phi, out=out)


def silu(x: Array, out: Array | None = None) -> Array:
    """X sigmoid(x), also called swish.

    Source: Ramachandran et al., "Searching for Activation Functions", 2017.
    """
    x = floating(x)
    return np.multiply(x, sigmoid(x), out=out)


def silu_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `silu`: dx = dy s (1 + x (1 - s)) with s = sigmoid(x)."""
    s = sigmoid(x)
    return np.multiply(dy, s * (1.0 + x * (1.0 - s)), out=out)


def elu(x: Array, out: Array | None = None, alpha: float = 1.0) -> Array:
    """X above 0, alpha (exp(x) - 1) below.

    Source: Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2016.
    """
    x = floating(x)
    return _into(out, np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))))


def elu_backward(dy: Array, x: Array, out: Array | None = None, alpha: float = 1.0) -> Array:
    """Backward pass of `elu`: dx = dy above 0, dy alpha exp(x) below."""
    return np.multiply(dy, np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0))), out=out, dtype=x.dtype)


def celu(x: Array, out: Array | None = None, alpha: float = 1.0) -> Array:
    """max(0, x) + min(0, alpha (exp(x / alpha) - 1)), smooth at 0 for every alpha.

    Source: Barron, "Continuously Differentiable Exponential Linear Units", 2017.
    """
    x = floating(x)
    return np.add(np.maximum(x, 0), alpha * np.expm1(np.minimum(x, 0) * (1.0 / alpha)), out=out)


def celu_backward(dy: Array, x: Array, out: Array | None = None, alpha: float = 1.0) -> Array:
    """Backward pass of `celu`: dx = dy exp(min(0, x) / alpha)."""
    return np.multiply(dy, np.exp(np.minimum(x, 0) * (1.0 / alpha)), out=out)


def selu(x: Array, out: Array | None = None) -> Array:
    """Scale elu(x, alpha) with the two numbers for which mean 0 and variance 1 are kept from layer to layer.

    Source: Klambauer et al., "Self-Normalizing Neural Networks", 2017.
    """
    return np.multiply(elu(x, alpha=SELU_ALPHA), SELU_SCALE, out=out)


def selu_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `selu`."""
    return np.multiply(elu_backward(dy, x, alpha=SELU_ALPHA), SELU_SCALE, out=out)


def clipped_relu(
    x: Array,
    out: Array | None = None,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Array:
    """max_value above it, x above the threshold, negative_slope (x - threshold) below it."""
    x = floating(x)
    y = np.where(x > threshold, x, negative_slope * (x - threshold))
    return _into(out, y if max_value is None else np.minimum(y, max_value))


def clipped_relu_backward(
    dy: Array,
    x: Array,
    out: Array | None = None,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Array:
    """Backward pass of `clipped_relu`: dx = dy times 0, 1 or negative_slope."""
    slope = np.where(x > threshold, 1.0, negative_slope)
    if max_value is not None:
        slope = np.where(x < max_value, slope, 0.0)
    dx: Array = np.multiply(dy, slope.astype(x.dtype), out=out)
    return dx


def leaky_relu(x: Array, out: Array | None = None, negative_slope: float = 0.2) -> Array:
    """X above 0, negative_slope x below.

    Source: Maas et al., "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
    """
    return clipped_relu(x, out, negative_slope)


def leaky_relu_backward(dy: Array, x: Array, out: Array | None = None, negative_slope: float = 0.2) -> Array:
    """Backward pass of `leaky_relu`."""
    return clipped_relu_backward(dy, x, out, negative_slope)


def relu6(x: Array, out: Array | None = None) -> Array:
    """min(max(0, x), 6)."""
    return np.clip(floating(x), 0, 6, out=out)


def relu6_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `relu6`: dx = dy between 0 and 6."""
    return np.multiply(dy, (x > 0) & (x < 6), out=out)


def softplus(x: Array, out: Array | None = None) -> Array:
    """log(1 + exp(x)), a smooth relu."""
    x = floating(x)
    y: Array = np.logaddexp(x, x.dtype.type(0), out=out)
    return y


def softplus_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `softplus`: dx = dy sigmoid(x)."""
    return np.multiply(dy, sigmoid(x), out=out)


def log_sigmoid(x: Array, out: Array | None = None) -> Array:
    """log(sigmoid(x)) = -softplus(-x)."""
    return np.negative(softplus(-floating(x)), out=out)


def log_sigmoid_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `log_sigmoid`: dx = dy sigmoid(-x)."""
    return np.multiply(dy, sigmoid(-x), out=out)


def mish(x: Array, out: Array | None = None) -> Array:
    """X tanh(softplus(x)).

    Source: Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019.
    """
    x = floating(x)
    return np.multiply(x, np.tanh(softplus(x)), out=out)


def mish_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `mish`: dx = dy (t + x (1 - t^2) sigmoid(x)) with t = tanh(softplus(x))."""
    t = np.tanh(softplus(x))
    return np.multiply(dy, t + x * (1.0 - t * t) * sigmoid(x), out=out)


def softsign(x: Array, out: Array | None = None) -> Array:
    """X / (1 + |x|)."""
    x = floating(x)
    return np.divide(x, 1.0 + np.abs(x), out=out)


def softsign_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `softsign`: dx = dy / (1 + |x|)^2."""
    return np.divide(dy, np.square(1.0 + np.abs(x)), out=out)


def exponential(x: Array, out: Array | None = None) -> Array:
    """exp(x)."""
    return np.exp(floating(x), out=out)


def exponential_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `exponential`: dx = dy exp(x)."""
    return np.multiply(dy, np.exp(x), out=out)


def hard_sigmoid(x: Array, out: Array | None = None) -> Array:
    """X / 6 + 1/2, kept in [0, 1]: a sigmoid of straight lines."""
    return np.clip(floating(x) * (1.0 / 6.0) + 0.5, 0, 1, out=out)


def hard_sigmoid_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `hard_sigmoid`: dx = dy / 6 between -3 and 3."""
    dx: Array = np.multiply(dy, ((x > -3) & (x < 3)) * x.dtype.type(1.0 / 6.0), out=out)
    return dx


def keras2_hard_sigmoid(x: Array, out: Array | None = None) -> Array:
    """X / 5 + 1/2, kept in [0, 1]: the `hard_sigmoid` of Keras 1 and 2, and of ONNX."""
    return np.clip(floating(x) * 0.2 + 0.5, 0, 1, out=out)


def keras2_hard_sigmoid_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `keras2_hard_sigmoid`: dx = dy / 5 between -2.5 and 2.5."""
    dx: Array = np.multiply(dy, ((x > -2.5) & (x < 2.5)) * x.dtype.type(0.2), out=out)
    return dx


def hard_silu(x: Array, out: Array | None = None) -> Array:
    """X hard_sigmoid(x), also called hard_swish."""
    x = floating(x)
    return np.multiply(x, hard_sigmoid(x), out=out)


def hard_silu_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `hard_silu`."""
    inside = ((x > -3) & (x < 3)) * (x * (1.0 / 6.0))
    return np.multiply(dy, hard_sigmoid(x) + inside, out=out)


def hard_tanh(x: Array, out: Array | None = None) -> Array:
    """x, kept in [-1, 1]."""
    return np.clip(floating(x), -1, 1, out=out)


def hard_tanh_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `hard_tanh`: dx = dy between -1 and 1."""
    return np.multiply(dy, np.abs(x) < 1, out=out)


def hard_shrink(x: Array, out: Array | None = None, threshold: float = 0.5) -> Array:
    """X where |x| > threshold, else 0."""
    x = floating(x)
    return np.multiply(x, np.abs(x) > threshold, out=out)


def hard_shrink_backward(dy: Array, x: Array, out: Array | None = None, threshold: float = 0.5) -> Array:
    """Backward pass of `hard_shrink`."""
    return np.multiply(dy, np.abs(x) > threshold, out=out)


def soft_shrink(x: Array, out: Array | None = None, threshold: float = 0.5) -> Array:
    """X drawn towards 0 by threshold, and 0 where it would cross it."""
    x = floating(x)
    y: Array = np.subtract(x, np.clip(x, -threshold, threshold), out=out)
    return y


soft_shrink_backward = hard_shrink_backward


def tanh_shrink(x: Array, out: Array | None = None) -> Array:
    """X - tanh(x)."""
    x = floating(x)
    return np.subtract(x, np.tanh(x), out=out)


def tanh_shrink_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `tanh_shrink`: dx = dy tanh(x)^2."""
    return np.multiply(dy, np.square(np.tanh(x)), out=out)


def threshold(x: Array, out: Array | None = None, threshold: float = 0.0, default_value: float = 0.0) -> Array:
    """X where x > threshold, else default_value."""
    x = floating(x)
    return _into(out, np.where(x > threshold, x, x.dtype.type(default_value)))


def threshold_backward(
    dy: Array,
    x: Array,
    out: Array | None = None,
    threshold: float = 0.0,
    default_value: float = 0.0,  # noqa: ARG001
) -> Array:
    """Backward pass of `threshold`: dx = dy where x > threshold."""
    return np.multiply(dy, x > threshold, out=out)


def sparse_plus(x: Array, out: Array | None = None) -> Array:
    """0 below -1, (x + 1)^2 / 4 up to 1, x above."""
    x = floating(x)
    return _into(out, np.where(x >= 1, x, 0.25 * np.square(np.maximum(x, -1) + 1.0)))


def sparse_plus_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `sparse_plus`."""
    return np.multiply(dy, sparse_sigmoid(x), out=out)


def sparse_sigmoid(x: Array, out: Array | None = None) -> Array:
    """(x + 1) / 2, kept in [0, 1]."""
    return np.clip(0.5 * (floating(x) + 1.0), 0, 1, out=out)


def sparse_sigmoid_backward(dy: Array, x: Array, out: Array | None = None) -> Array:
    """Backward pass of `sparse_sigmoid`: dx = dy / 2 between -1 and 1."""
    dx: Array = np.multiply(dy, (np.abs(x) < 1) * x.dtype.type(0.5), out=out)
    return dx


def squareplus(x: Array, out: Array | None = None, b: float = 4.0) -> Array:
    """(x + sqrt(x^2 + b)) / 2, a smooth relu without exp."""
    x = floating(x)
    y: Array = np.multiply(x + np.sqrt(x * x + b), 0.5, out=out)
    return y


def squareplus_backward(dy: Array, x: Array, out: Array | None = None, b: float = 4.0) -> Array:
    """Backward pass of `squareplus`: dx = dy (1 + x / sqrt(x^2 + b)) / 2."""
    return np.multiply(dy, 0.5 + 0.5 * x / np.sqrt(x * x + b), out=out)


# --- Over an axis -----------------------------------------------------------------------------------------------------


def log_softmax(x: Array, out: Array | None = None, axis: int = -1) -> Array:
    """log(softmax(x)) = x - log(sum(exp(x))) along an axis."""
    x = floating(x)
    shifted = x - x.max(axis=axis, keepdims=True)
    y: Array = np.subtract(shifted, np.log(np.exp(shifted).sum(axis=axis, keepdims=True)), out=out)
    return y


def log_softmax_backward(dy: Array, x: Array, out: Array | None = None, axis: int = -1) -> Array:
    """Backward pass of `log_softmax`: dx = dy - softmax(x) sum(dy)."""
    dx: Array = np.subtract(dy, np.exp(log_softmax(x, axis=axis)) * dy.sum(axis=axis, keepdims=True), out=out)
    return dx


def softmax_along(x: Array, out: Array | None = None, axis: int | Sequence[int] = -1) -> Array:
    """The softmax along any axis, or over several together."""
    rows, shape = _with_last(floating(x), axis)
    return _into(out, _put_back(softmax(rows), shape, axis))


def softmax_along_backward(dy: Array, x: Array, out: Array | None = None, axis: int | Sequence[int] = -1) -> Array:
    """Backward pass of `softmax_along`."""
    y, shape = _with_last(softmax_along(x, axis=axis), axis)
    return _into(out, _put_back(softmax_backward(_with_last(dy, axis)[0], y), shape, axis))


def _with_last(x: Array, axis: int | Sequence[int]) -> tuple[Array, tuple[int, ...]]:
    """The array with the axes at the end and made one, and its shape before they were made one."""
    axes = [axis] if isinstance(axis, int) else list(axis)
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    return moved.reshape(*moved.shape[: -len(axes)], -1), moved.shape


def _put_back(rows: Array, shape: tuple[int, ...], axis: int | Sequence[int]) -> Array:
    """The reverse of `_with_last`."""
    axes = [axis] if isinstance(axis, int) else list(axis)
    return np.moveaxis(rows.reshape(shape), range(-len(axes), 0), axes)


def sparsemax(x: Array, out: Array | None = None, axis: int = -1) -> Array:
    """The nearest point to x among probabilities: max(0, x - tau), with the tau for which they sum to 1.

    Source: Martins and Astudillo, "From Softmax to Sparsemax", 2016.

    Example:
        >>> sparsemax(np.array([[2.0, 1.5, -1.0]]))
        array([[0.75, 0.25, 0.  ]])
    """
    x = np.moveaxis(floating(x), axis, -1)
    falling = -np.sort(-x, axis=-1)
    k = np.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    sums = np.cumsum(falling, axis=-1)
    count = np.sum(1.0 + k * falling > sums, axis=-1, keepdims=True)
    tau = (np.take_along_axis(sums, count - 1, axis=-1) - 1.0) / count.astype(x.dtype)
    return _into(out, np.moveaxis(np.maximum(x - tau, 0), -1, axis))


def sparsemax_backward(dy: Array, x: Array, out: Array | None = None, axis: int = -1) -> Array:
    """Backward pass of `sparsemax`: dx = dy - mean(dy) over the places that are not 0, and 0 elsewhere."""
    support = (sparsemax(x, axis=axis) > 0).astype(x.dtype)
    mean = (dy * support).sum(axis=axis, keepdims=True) / support.sum(axis=axis, keepdims=True)
    dx: Array = np.multiply(support, dy - mean, out=out)
    return dx


def glu(x: Array, out: Array | None = None, axis: int = -1) -> Array:
    """The first half of an axis times the sigmoid of its second half.

    Source: Dauphin et al., "Language Modeling with Gated Convolutional Networks", 2017.
    """
    first, gate = np.split(floating(x), 2, axis=axis)
    y: Array = np.multiply(first, sigmoid(gate), out=out)
    return y


def glu_backward(dy: Array, x: Array, out: Array | None = None, axis: int = -1) -> Array:
    """Backward pass of `glu`: dy s for the first half, dy first s (1 - s) for the second, with s = sigmoid(second)."""
    first, gate = np.split(x, 2, axis=axis)
    s = sigmoid(gate)
    return np.concatenate([dy * s, dy * first * s * (1.0 - s)], axis=axis, out=out)
