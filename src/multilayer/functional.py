"""The mathematics: one pure function per formula, the forward pass beside the backward pass.

Everything the library computes is defined here in plain NumPy. The functions are the reference that every faster twin
in `multilayer.kernels` is held against, and the fallback where there is none.

Notation, as in the usual derivation of backpropagation for a two-layer network:

    a1 = X W1 + b1,   z1 = sigmoid(a1),   a2 = z1 W2 + b2,   y_hat = softmax(a2)

`X` holds one sample a row, shape (n, d). A gradient carries the name of what it is the gradient of: `dW` is the
derivative of the loss with respect to `W` and has W's shape.

Where a function takes `out`, the result is written there and returned. `out` may be the first argument itself in a
forward function; in a backward function it must not overlap the other arguments, which lets it serve as scratch space.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[Any]
AffineCache: TypeAlias = tuple[Array, Array, Array]

__all__ = [
    "adam_step",
    "affine",
    "affine_layer_backward",
    "affine_layer_forward",
    "begin_rows",
    "binary_cross_entropy",
    "count_hits",
    "cross_entropy_error",
    "cross_entropy_error_backward",
    "dropout",
    "flush_subnormals",
    "linear",
    "linear_backward",
    "matmul",
    "mean_squared_error",
    "mean_squared_error_backward",
    "momentum_step",
    "one_hot",
    "philox",
    "relu",
    "relu_backward",
    "relu_grad",
    "rescale",
    "rmsprop_step",
    "sgd_step",
    "sigmoid",
    "sigmoid_backward",
    "sigmoid_binary_cross_entropy",
    "sigmoid_grad",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
    "sum_rows",
    "take_rows",
    "tanh",
    "tanh_backward",
    "tanh_grad",
]


def _floating(x: ArrayLike) -> Array:
    """`x` as a floating point array; integers become float64, as NumPy's own functions have it."""
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


# --- The affine layer -------------------------------------------------------------------------------------------------


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    """The matrix product a b, (m, k) times (k, n); leading axes as in `numpy.matmul`."""
    return np.matmul(a, b, out=out)


def affine(x: Array, W: Array, b: Array | None = None, out: Array | None = None) -> Array:
    """The affine map y = x W + b.

    Args:
        x: Inputs, shape (n, d).
        W: Weights, shape (d, h).
        b: Biases, shape (h,), or None for the linear map y = x W.
        out: Where to write the result, shape (n, h).

    Returns:
        y, shape (n, h).

    Example:
        >>> affine(np.array([[1.0, 2.0]]), np.array([[1.0], [10.0]]), np.array([0.5]))
        array([[21.5]])
    """
    y = np.matmul(x, W, out=out)
    if b is not None:
        y += b
    return y


def affine_layer_forward(X: ArrayLike, W: ArrayLike, b: ArrayLike) -> tuple[Array, AffineCache]:
    """Forward pass of an affine (fully connected) layer: y = X W + b.

    Args:
        X: Inputs, one sample a row, shape (n, d).
        W: Weights, shape (d, h).
        b: Biases, shape (h,).

    Returns:
        `y`, shape (n, h), and `cache = (X, W, b)`, which `affine_layer_backward` needs.

    Raises:
        ValueError: The shapes of X, W and b do not fit together.

    Example:
        >>> y, cache = affine_layer_forward(np.ones((2, 3)), np.ones((3, 4)), np.zeros(4))
        >>> y.shape
        (2, 4)
    """
    X, W, b = _floating(X), _floating(W), _floating(b)
    if X.ndim != 2 or W.ndim != 2 or X.shape[1] != W.shape[0] or b.shape != W.shape[1:]:
        raise ValueError(
            f"affine_layer_forward expects X (n, d), W (d, h) and b (h,); got X {X.shape}, W {W.shape}, b {b.shape}."
        )
    return affine(X, W, b), (X, W, b)  # (n, h)


def affine_layer_backward(dy: ArrayLike, cache: AffineCache) -> tuple[Array, Array, Array]:
    """Backward pass of an affine layer, by the chain rule.

        dX = dy W^T,   dW = X^T dy,   db = sum over the samples of dy

    Args:
        dy: Gradient of the loss with respect to the layer's output, shape (n, h).
        cache: What `affine_layer_forward` returned.

    Returns:
        dX (n, d), dW (d, h) and db (h,).

    Example:
        >>> y, cache = affine_layer_forward(np.ones((2, 3)), np.ones((3, 4)), np.zeros(4))
        >>> dX, dW, db = affine_layer_backward(np.ones((2, 4)), cache)
        >>> dX.shape, dW.shape, db
        ((2, 3), (3, 4), array([2., 2., 2., 2.]))
    """
    X, W, _ = cache
    dy = _floating(dy)
    dX = dy @ W.T  # (n, d)
    dW = X.T @ dy  # (d, h)
    db = dy.sum(axis=0)  # (h,)
    return dX, dW, db


# --- Activations ------------------------------------------------------------------------------------------------------
#
# Three functions each: the activation of x; `_grad`, its derivative at x; and `_backward(dy, y)`, the chain rule
# written with the output y = f(x), which the forward pass has at hand. The forward function can add a bias (k,) to x
# (n, k) first; the backward function can write that bias's gradient, the sum of dx over the rows, to `db`.


def _biased(x: ArrayLike, bias: Array | None, out: Array | None) -> Array:
    x = _floating(x)
    return x if bias is None else np.add(x, bias, out=out)


def sum_rows(x: Array, out: Array | None = None) -> Array:
    """The sum over all axes but the last, (n, k) to (k,): a bias's gradient from that of what it was added to.

    Example:
        >>> sum_rows(np.array([[1.0, 2.0], [10.0, 20.0]]))
        array([11., 22.])
    """
    return np.add.reduce(x.reshape(-1, x.shape[-1]), axis=0, out=out)


def linear(x: ArrayLike, out: Array | None = None, bias: Array | None = None) -> Array:
    """The identity, f(x) = x."""
    x = _biased(x, bias, out)
    if out is None or out is x:
        return x
    np.copyto(out, x)
    return out


def linear_backward(dy: Array, y: Array, out: Array | None = None, db: Array | None = None) -> Array:  # noqa: ARG001
    """Backward pass of the identity: dx = dy."""
    dx = linear(dy, out)
    if db is not None:
        sum_rows(dx, out=db)
    return dx


def sigmoid(x: ArrayLike, out: Array | None = None, bias: Array | None = None) -> Array:
    """The logistic function 1 / (1 + exp(-x)), which squeezes any number into (0, 1).

    The exponent is limited so that exp never overflows: far on the left the result is next to the smallest normal
    number of the type instead of zero, and its logarithm stays finite.

    Example:
        >>> sigmoid(np.array([-1e4, 0.0, 1e4])).round(6)
        array([0. , 0.5, 1. ])
    """
    x = _biased(x, bias, out)
    y: Array = np.negative(x, out=np.empty_like(x) if out is None else out)
    np.minimum(y, -math.log(2.0 * np.finfo(y.dtype).tiny), out=y)
    np.exp(y, out=y)
    y += 1.0
    np.reciprocal(y, out=y)
    return y


def sigmoid_grad(x: ArrayLike) -> Array:
    """Derivative of the sigmoid at x: sigmoid'(x) = (1 - sigmoid(x)) sigmoid(x), at most 1/4."""
    y = sigmoid(x)
    return (1.0 - y) * y


def sigmoid_backward(dy: Array, y: Array, out: Array | None = None, db: Array | None = None) -> Array:
    """Backward pass of y = sigmoid(x): dx = dy y (1 - y)."""
    dx = np.subtract(1.0, y, out=out)
    dx *= y
    dx *= dy
    if db is not None:
        sum_rows(dx, out=db)
    return dx


def tanh(x: ArrayLike, out: Array | None = None, bias: Array | None = None) -> Array:
    """The hyperbolic tangent, (exp(x) - exp(-x)) / (exp(x) + exp(-x)), which squeezes any number into (-1, 1)."""
    return np.tanh(_biased(x, bias, out), out=out)


def tanh_grad(x: ArrayLike) -> Array:
    """Derivative of the hyperbolic tangent at x: tanh'(x) = 1 - tanh(x)^2."""
    y = tanh(x)
    return 1.0 - y * y


def tanh_backward(dy: Array, y: Array, out: Array | None = None, db: Array | None = None) -> Array:
    """Backward pass of y = tanh(x): dx = dy (1 - y^2)."""
    dx = np.multiply(y, y, out=out)
    np.subtract(1.0, dx, out=dx)
    dx *= dy
    if db is not None:
        sum_rows(dx, out=db)
    return dx


def relu(x: ArrayLike, out: Array | None = None, bias: Array | None = None) -> Array:
    """The rectified linear unit max(x, 0).

    Source: Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", 2010.
    """
    return np.maximum(_biased(x, bias, out), 0.0, out=out)


def relu_grad(x: ArrayLike) -> Array:
    """Derivative of the rectified linear unit at x: 1 where x > 0, else 0 (at the kink too)."""
    return np.heaviside(_floating(x), 0.0)


def relu_backward(dy: Array, y: Array, out: Array | None = None, db: Array | None = None) -> Array:
    """Backward pass of y = relu(x): dx = dy where y > 0, else 0."""
    dx = np.sign(y, out=out)  # y is never negative: its sign is the derivative
    dx *= dy
    if db is not None:
        sum_rows(dx, out=db)
    return dx


def softmax(x: ArrayLike, out: Array | None = None, bias: Array | None = None) -> Array:
    """Scores to probabilities over the last axis: y_k = exp(x_k) / sum_j exp(x_j).

    Subtracting the largest score first changes nothing in the quotient and keeps exp from overflowing.

    Args:
        x: Scores, shape (k,) or (n, k) or more axes in front.
        out: Where to write the result; may be x.
        bias: Added to x first, shape (k,).

    Example:
        >>> softmax(np.array([[0.0, 1e4], [1.0, 1.0]]))
        array([[0. , 1. ],
               [0.5, 0.5]])
    """
    x = _biased(x, bias, out)
    y: Array = np.subtract(x, x.max(axis=-1, keepdims=True), out=out)
    np.exp(y, out=y)
    y /= y.sum(axis=-1, keepdims=True)
    return y


def softmax_backward(dy: Array, y: Array, out: Array | None = None, db: Array | None = None) -> Array:
    """Backward pass of y = softmax(x): dx_k = y_k (dy_k - sum_j dy_j y_j)."""
    dx = np.multiply(dy, y, out=out)
    np.subtract(dy, dx.sum(axis=-1, keepdims=True), out=dx)
    dx *= y
    if db is not None:
        sum_rows(dx, out=db)
    return dx


# --- Losses -----------------------------------------------------------------------------------------------------------


def one_hot(labels: ArrayLike, num_classes: int) -> NDArray[np.float64]:
    """Labels as rows with a single 1: `one_hot([2], 3)` is `[[0, 0, 1]]`.

    Args:
        labels: Whole numbers in [0, num_classes), shape (n,).
        num_classes: Number of classes, the length of a row.

    Raises:
        ValueError: A label is no whole number or out of range.

    Example:
        >>> one_hot([1, 0], 3)
        array([[0., 1., 0.],
               [1., 0., 0.]])
    """
    labels = np.asarray(labels)
    if labels.size and (labels.dtype.kind not in "iub" or labels.min() < 0 or labels.max() >= num_classes):
        raise ValueError(
            f"one_hot expects whole numbers from 0 to {num_classes - 1}; got dtype {labels.dtype}, "
            f"from {labels.min()} to {labels.max()}."
        )
    rows: NDArray[np.float64] = np.eye(num_classes)[labels.astype(np.intp)]
    return rows


def _targets_like(y_hat: Array, t: ArrayLike) -> Array:
    """Targets in the shape of y_hat: labels (n,) become one-hot rows, anything else must fit as it is."""
    t = np.asarray(t)
    if y_hat.ndim == 2 and t.shape == y_hat.shape[:1] and t.dtype.kind in "iub":
        return one_hot(t, y_hat.shape[1])
    if t.shape != y_hat.shape:
        raise ValueError(f"Expected targets of shape {y_hat.shape}, as the predictions have; got {t.shape}.")
    return t


def mean_squared_error(y_hat: ArrayLike, t: ArrayLike) -> float:
    """Mean squared error, MSE = mean((y_hat - t)^2), the mean taken over every element.

    Args:
        y_hat: Predictions, shape (n, k).
        t: Targets of the same shape, or labels (n,).

    Example:
        >>> mean_squared_error([[0.0, 1.0]], [[0.0, 0.0]])
        0.5
    """
    y_hat = _floating(y_hat)
    error = y_hat - _targets_like(y_hat, t)
    return float(np.mean(error * error))


def mean_squared_error_backward(y_hat: ArrayLike, t: ArrayLike) -> Array:
    """Gradient of `mean_squared_error` with respect to y_hat: 2 (y_hat - t) / number of elements."""
    y_hat = _floating(y_hat)
    return (y_hat - _targets_like(y_hat, t)) * (2.0 / y_hat.size)


def cross_entropy_error(y_hat: ArrayLike, t: ArrayLike) -> float:
    """Cross-entropy of predicted probabilities, E = -(1/n) sum_i sum_k t_ik log y_hat_ik.

    The more alike the two distributions are, the smaller it gets. The logarithm's argument is kept at or above the
    smallest normal number, so that a probability of exactly 0 gives a large loss instead of infinity.

    Args:
        y_hat: Predicted probabilities, shape (n, k), or (k,) for one sample.
        t: One-hot targets of the same shape, or labels (n,).

    Example:
        >>> round(cross_entropy_error([[0.25, 0.75]], [[0.0, 1.0]]), 6)
        0.287682
    """
    y_hat = _floating(y_hat)
    if y_hat.ndim == 1:
        return cross_entropy_error(y_hat[None], np.asarray(t)[None])
    t = _targets_like(y_hat, t)
    return float(-np.sum(t * np.log(np.maximum(y_hat, np.finfo(y_hat.dtype).tiny))) / len(y_hat))


def cross_entropy_error_backward(y_hat: ArrayLike, t: ArrayLike) -> Array:
    """Gradient of `cross_entropy_error` with respect to y_hat: -t / (n y_hat).

    Behind a softmax the two together simplify to (y_hat - t) / n, see `softmax_cross_entropy`.

    Args:
        y_hat: Predicted probabilities, shape (n, k), or (k,) for one sample.
        t: One-hot targets of the same shape, or labels (n,).

    Example:
        >>> cross_entropy_error_backward([0.25, 0.75], 1).round(4)
        array([-0.    , -1.3333])
    """
    y_hat = _floating(y_hat)
    if y_hat.ndim == 1:
        return cross_entropy_error_backward(y_hat[None], np.asarray(t)[None]).reshape(y_hat.shape)
    dy: Array = -_targets_like(y_hat, t) / (np.maximum(y_hat, np.finfo(y_hat.dtype).tiny) * len(y_hat))
    return dy


def _scaled(da: Array, scale: float | Array) -> Array:
    """Each row's gradient times its factor; one number is for all rows."""
    da *= scale[..., None] if isinstance(scale, np.ndarray) else scale
    return da


def softmax_cross_entropy(
    a: Array,
    t: Array,
    y_hat: Array | None = None,
    da: Array | None = None,
    losses: Array | None = None,
    scale: float | Array = 1.0,
) -> tuple[Array, Array, Array]:
    """Softmax and cross-entropy in one, which is stable where the two in turn are not.

        y_hat = softmax(a),   loss_i = sum_k t_ik (log sum_j exp(a_ij) - a_ik),   da = (y_hat sum_k t_ik - t) scale

    Args:
        a: Scores (logits), shape (n, k).
        t: Targets, shape (n, k); rows of a one-hot or any other distribution.
        y_hat: Where to write the probabilities, shape (n, k).
        da: Where to write the gradient of each row's loss, shape (n, k).
        losses: Where to write the losses, shape (n,).
        scale: Factor of the gradient, one number or one a row (n,): 1 / n for the gradient of the mean loss.

    Returns:
        The losses (n,), y_hat and da.

    Example:
        >>> losses, y_hat, da = softmax_cross_entropy(np.array([[0.0, 1e4]]), np.array([[1.0, 0.0]]))
        >>> losses, da
        (array([10000.]), array([[-1.,  1.]]))
    """
    shifted = np.subtract(a, a.max(axis=-1, keepdims=True), out=da)
    y_hat = np.exp(shifted, out=y_hat)
    total = np.add.reduce(y_hat, axis=-1)  # (n,)
    y_hat /= total[..., None]
    mass = t.sum(axis=-1)  # 1 for a distribution
    losses = np.multiply(mass, np.log(total, out=total), out=losses)
    losses -= np.einsum("...k,...k->...", t, shifted)
    da = np.multiply(y_hat, mass[..., None], out=shifted)
    da -= t
    return losses, y_hat, _scaled(da, scale)


def sparse_softmax_cross_entropy(
    a: Array,
    labels: Array,
    y_hat: Array | None = None,
    da: Array | None = None,
    losses: Array | None = None,
    scale: float | Array = 1.0,
) -> tuple[Array, Array, Array]:
    """`softmax_cross_entropy` for labels: loss_i = log sum_j exp(a_ij) - a_i,label, da = (y_hat - one_hot) scale.

    Args:
        a: Scores (logits), shape (n, k).
        labels: Whole numbers in [0, k), shape (n,).
        y_hat: Where to write the probabilities, shape (n, k).
        da: Where to write the gradient of each row's loss, shape (n, k).
        losses: Where to write the losses, shape (n,).
        scale: Factor of the gradient, one number or one a row (n,): 1 / n for the gradient of the mean loss.

    Returns:
        The losses (n,), y_hat and da.

    Example:
        >>> losses, y_hat, da = sparse_softmax_cross_entropy(np.zeros((1, 2)), np.array([1]))
        >>> losses.round(4), da
        (array([0.6931]), array([[ 0.5, -0.5]]))
    """
    shifted = np.subtract(a, np.maximum.reduce(a, axis=-1, keepdims=True), out=da)
    y_hat = np.exp(shifted, out=y_hat)
    total = np.add.reduce(y_hat, axis=-1)  # (n,)
    y_hat /= total[:, None]
    at_label = (np.arange(len(a)), labels)
    losses = np.log(total, out=losses)
    losses -= shifted[at_label]
    np.copyto(shifted, y_hat)
    shifted[at_label] -= 1.0
    return losses, y_hat, _scaled(shifted, scale)


def binary_cross_entropy(
    y_hat: Array, t: Array, epsilon: float, dy: Array | None = None, work: Array | None = None
) -> tuple[Array, Array]:
    """Binary cross-entropy of predicted probabilities; a row's loss is the mean over its k outputs.

        p = y_hat kept in [epsilon, 1 - epsilon]
        loss_i = -mean_k(t log p + (1 - t) log(1 - p)),   dy = (p - t) / (p (1 - p) k), and 0 where y_hat was cut

    Args:
        y_hat: Predicted probabilities, shape (n, k).
        t: Targets in [0, 1], shape (n, k).
        epsilon: How far probabilities are kept from 0 and 1.
        dy: Where to write the gradient of each row's loss, shape (n, k).
        work: Scratch of the same shape.

    Returns:
        The losses (n,) and dy.

    Example:
        >>> losses, dy = binary_cross_entropy(np.array([[0.25]]), np.array([[0.0]]), 1e-7)
        >>> losses.round(4), dy.round(4)
        (array([0.2877]), array([[1.3333]]))
    """
    p = np.clip(y_hat, epsilon, 1.0 - epsilon, out=work)
    uncut = p == y_hat
    # Each logarithm by itself, in the memory of the other's factor: p is clipped anew where it is needed again.
    of_yes = np.multiply(t, np.log(p, out=p), out=p).sum(axis=-1)
    log_no = np.log1p(np.negative(np.clip(y_hat, epsilon, 1.0 - epsilon, out=p), out=p), out=p)
    dy = np.subtract(1.0, t, out=dy)
    losses = np.multiply(dy, log_no, out=dy).sum(axis=-1)
    losses += of_yes
    losses *= -1.0 / y_hat.shape[-1]
    np.clip(y_hat, epsilon, 1.0 - epsilon, out=p)
    np.subtract(p, t, out=dy)
    dy *= uncut
    dy /= p
    dy /= np.subtract(1.0, p, out=p)
    dy *= 1.0 / y_hat.shape[-1]
    return losses, dy


def sigmoid_binary_cross_entropy(
    a: Array,
    t: Array,
    y_hat: Array | None = None,
    da: Array | None = None,
    losses: Array | None = None,
    scale: float | Array = 1.0,
) -> tuple[Array, Array, Array]:
    """Sigmoid and binary cross-entropy in one; a row's loss is the mean over its k outputs.

        y_hat = sigmoid(a),   loss_i = mean_k(max(a, 0) - a t + log(1 + exp(-|a|))),   da = (y_hat - t) scale / k

    Args:
        a: Scores (logits), shape (n, k).
        t: Targets in [0, 1], shape (n, k).
        y_hat: Where to write sigmoid(a), shape (n, k).
        da: Where to write the gradient of each row's loss, shape (n, k).
        losses: Where to write the losses, shape (n,).
        scale: Factor of the gradient, one number or one a row (n,): 1 / n for the gradient of the mean loss.

    Returns:
        The losses (n,), y_hat and da.

    Example:
        >>> losses, y_hat, da = sigmoid_binary_cross_entropy(np.array([[1e4], [0.0]]), np.array([[0.0], [1.0]]))
        >>> losses.round(4).tolist(), da.tolist()
        ([10000.0, 0.6931], [[1.0], [-0.5]])
    """
    # log(1 + exp(-|a|)) + max(a, 0) - a t, step by step in the memory that the results have
    y_hat = np.abs(a, out=y_hat)
    np.negative(y_hat, out=y_hat)
    np.exp(y_hat, out=y_hat)
    np.log1p(y_hat, out=y_hat)
    y_hat += np.maximum(a, 0.0, out=da) if da is not None else np.maximum(a, 0.0)
    da = np.multiply(a, t, out=da)
    y_hat -= da
    losses = np.mean(y_hat, axis=-1, out=losses)
    sigmoid(a, out=y_hat)
    np.subtract(y_hat, t, out=da)
    da *= 1.0 / a.shape[-1]
    return losses, y_hat, _scaled(da, scale)


def count_hits(y_hat: Array, labels: Array) -> int:
    """How many rows of y_hat (n, k) have their largest value, the first of them, at their label (n,).

    Example:
        >>> count_hits(np.array([[0.2, 0.8], [0.7, 0.3]]), np.array([1, 1]))
        1
    """
    return int(np.count_nonzero(y_hat.argmax(axis=-1) == labels))


# --- Rows of a data set, rescaling, dropout ---------------------------------------------------------------------------


def take_rows(source: Array, rows: Array, out: Array, work: Array | None = None) -> Array:
    """Gathers rows into `out`, whose type they take on: out_i = source_rows_i.

    Args:
        source: Samples, shape (n, ...).
        rows: Whole numbers in [0, n), shape (m,).
        out: Where to write, shape (m, ...).
        work: Where to gather before converting, of out's shape and source's type; made where it is missed.

    Example:
        >>> take_rows(np.array([[1], [2], [3]], dtype="uint8"), np.array([2, 0]), np.empty((2, 1)))
        array([[3.],
               [1.]])
    """
    if source.dtype == out.dtype:
        return source.take(rows, axis=0, out=out, mode="clip")  # 'raise' would gather into a copy first
    np.copyto(out, source.take(rows, axis=0, out=work, mode="clip"))
    return out


def begin_rows(source: Array, rows: Array, out: Array, work: Array | None = None) -> Callable[[], Array]:
    """`take_rows` as a promise: a function that returns `out`, filled. Until then neither array may be changed.

    A faster twin fills it in the background meanwhile; here it is done when it is asked for.

    Example:
        >>> gathered = begin_rows(np.array([1.0, 2.0, 3.0]), np.array([2, 0]), np.empty(2))
        >>> gathered()
        array([3., 1.])
    """
    return functools.partial(take_rows, source, rows, out, work)


def rescale(x: Array, scale: float, offset: float, out: Array | None = None) -> Array:
    """Scales and shifts: y = x scale + offset."""
    y = np.multiply(x, scale, out=out)
    y += offset
    return y


def philox(key: int, counter: int, blocks: int) -> NDArray[np.uint32]:
    """Random words from a counter: Philox4x32 with 10 rounds, which has no state but the number of the block.

    Whoever knows the key and the number gets the same words, in any order, on any machine.

    Args:
        key: The stream, 64 bits.
        counter: Number of the first block, 64 bits.
        blocks: Number of blocks.

    Returns:
        Uniform 32-bit words, shape (blocks, 4).

    Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.

    Example:
        >>> [hex(word) for word in philox(0, 0, 1)[0]]
        ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    low = np.uint64(0xFFFFFFFF)
    number = np.arange(blocks, dtype=np.uint64) + np.uint64(counter)
    a, b = number & low, number >> np.uint64(32)
    c, d = np.zeros_like(a), np.zeros_like(a)
    for i in range(10):
        k, l = ((key + i * 0x9E3779B9) & 0xFFFFFFFF), (((key >> 32) + i * 0xBB67AE85) & 0xFFFFFFFF)  # noqa: E741
        p, q = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)  # the full 64 bits of 32 times 32
        a, b, c, d = (
            (q >> np.uint64(32)) ^ b ^ np.uint64(k),
            q & low,
            (p >> np.uint64(32)) ^ d ^ np.uint64(l),
            p & low,
        )
    return np.stack((a, b, c, d), axis=-1).astype(np.uint32)


# Dropout takes its words from 16 blocks at a time, the first words of all before the second ones: vectors want it so.
DROPOUT_BLOCKS, DROPOUT_WORDS = 16, 64


def dropout(x: Array, rate: float, key: int, counter: int, out: Array, mask: Array) -> tuple[Array, Array]:
    """Dropout: y = x mask, where the mask is 0 with probability `rate` and 1 / (1 - rate) otherwise.

    Args:
        x: Inputs, any shape.
        rate: Share to drop, in [0, 1).
        key: The random stream, see `philox`.
        counter: Number of its first block; 16 blocks serve 64 elements.
        out: Where to write y, of x's shape.
        mask: Where to write the mask, of x's shape.

    Returns:
        y and the mask.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.

    Example:
        >>> x = np.ones((2, 4))
        >>> y, mask = dropout(x, 0.5, key=7, counter=0, out=np.empty_like(x), mask=np.empty_like(x))
        >>> y
        array([[2., 0., 0., 0.],
               [0., 0., 2., 0.]])
    """
    groups = -(-x.size // DROPOUT_WORDS)
    words = philox(key, counter, groups * DROPOUT_BLOCKS).reshape(groups, DROPOUT_BLOCKS, 4)
    words = words.transpose(0, 2, 1).reshape(-1)[: x.size].reshape(x.shape)
    np.greater_equal(words, np.uint32(rate * 2.0**32), out=mask)
    mask *= 1.0 / (1.0 - rate)
    return np.multiply(x, mask, out=out), mask


# --- Optimizer steps --------------------------------------------------------------------------------------------------
#
# Each updates the vector w of all parameters, and its slots, in place. `work` is scratch of w's size.


def flush_subnormals(x: Array, work: Array) -> None:
    """Sets to zero, in place, what is so small that it is about to leave the normal range of its type.

    A running mean of something that has become zero decays towards zero forever, and on most processors arithmetic on
    subnormal numbers takes a hundred times as long. The threshold, 2^20 times the smallest normal number, is 1e-32 in
    float32.
    """
    np.abs(x, out=work)
    x[work < np.finfo(x.dtype).tiny * 2.0**20] = 0.0


def sgd_step(w: Array, g: Array, work: Array, *, learning_rate: float) -> None:
    """Gradient descent: w <- w - learning_rate g."""
    np.multiply(g, learning_rate, out=work)
    w -= work


def momentum_step(
    w: Array, g: Array, m: Array, work: Array, *, learning_rate: float, momentum: float, nesterov: bool
) -> None:
    """Gradient descent with momentum: m <- momentum m - learning_rate g, then w <- w + m.

    Nesterov's form looks ahead: w <- w + momentum m - learning_rate g, with the new m.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
    """
    m *= momentum
    np.multiply(g, learning_rate, out=work)
    m -= work
    if nesterov:
        w -= work
        np.multiply(m, momentum, out=work)
        w += work
    else:
        w += m


def adam_step(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    work: Array,
    *,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    step: int,
) -> None:
    """Adam: a step scaled by running means of the gradient and of its square.

        m <- m + (1 - beta_1) (g - m)
        v <- v + (1 - beta_2) (g^2 - v)
        w <- w - alpha m / (sqrt(v) + epsilon),   alpha = learning_rate sqrt(1 - beta_2^step) / (1 - beta_1^step)

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, in the order of the end of section 2.
    """
    alpha = learning_rate * math.sqrt(1.0 - beta_2**step) / (1.0 - beta_1**step)
    np.subtract(g, m, out=work)
    work *= 1.0 - beta_1
    m += work
    np.multiply(g, g, out=work)
    work -= v
    work *= 1.0 - beta_2
    v += work
    np.sqrt(v, out=work)
    work += epsilon
    np.divide(m, work, out=work)
    work *= alpha
    w -= work


def rmsprop_step(
    w: Array,
    g: Array,
    v: Array,
    work: Array,
    *,
    mean: Array | None = None,
    m: Array | None = None,
    learning_rate: float,
    rho: float,
    momentum: float,
    epsilon: float,
) -> None:
    """RMSprop: a step divided by the root of the running mean of the gradient's square.

        v <- rho v + (1 - rho) g^2
        u = learning_rate g / sqrt(v + epsilon)           (centered: v - mean^2 in place of v, with
                                                           mean <- rho mean + (1 - rho) g)
        w <- w - u                                        (with momentum: m <- momentum m + u, w <- w - m)

    Source: Tieleman and Hinton, "Lecture 6.5: rmsprop", 2012.
    """
    np.multiply(g, g, out=work)
    work *= 1.0 - rho
    v *= rho
    v += work
    if mean is None:
        np.add(v, epsilon, out=work)
    else:
        np.multiply(g, 1.0 - rho, out=work)
        mean *= rho
        mean += work
        np.multiply(mean, mean, out=work)
        np.subtract(v, work, out=work)
        np.maximum(work, 0.0, out=work)  # a variance, but for rounding
        work += epsilon
    np.sqrt(work, out=work)
    np.divide(g, work, out=work)
    work *= learning_rate
    if m is None:
        w -= work
    else:
        m *= momentum
        m += work
        w -= m
