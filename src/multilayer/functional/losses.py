"""Losses: of a whole batch, as in a textbook, and fused with the activation in front of them, as in training."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from multilayer.functional.activations import sigmoid
from multilayer.functional.arrays import Array, floating


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
    y_hat = floating(y_hat)
    error = y_hat - _targets_like(y_hat, t)
    return float(np.mean(error * error))


def mean_squared_error_backward(y_hat: ArrayLike, t: ArrayLike) -> Array:
    """Gradient of `mean_squared_error` with respect to y_hat: 2 (y_hat - t) / number of elements."""
    y_hat = floating(y_hat)
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
    y_hat = floating(y_hat)
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
    y_hat = floating(y_hat)
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
    shifted = np.subtract(a, a.max(axis=-1, keepdims=True), out=da)  # (n, k), at most 0: exp cannot overflow
    y_hat = np.exp(shifted, out=y_hat)
    total = np.add.reduce(y_hat, axis=-1)  # (n,)
    y_hat /= total[..., None]
    mass = t.sum(axis=-1)  # (n,), 1 for a distribution
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
    shifted = np.subtract(a, np.maximum.reduce(a, axis=-1, keepdims=True), out=da)  # (n, k)
    y_hat = np.exp(shifted, out=y_hat)
    total = np.add.reduce(y_hat, axis=-1)  # (n,)
    y_hat /= total[:, None]
    at_label = (np.arange(len(a)), labels)
    losses = np.log(total, out=losses)
    losses -= shifted[at_label]
    np.copyto(shifted, y_hat)
    shifted[at_label] -= 1.0  # y_hat - one_hot, without the one-hot rows
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
    dy *= uncut  # a clipped value does not change with y_hat
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
    np.multiply(y_hat, -1, out=y_hat)  # not `np.negative`, see `sigmoid`
    np.exp(y_hat, out=y_hat)
    np.log1p(y_hat, out=y_hat)
    y_hat += np.maximum(a, 0.0, out=da) if da is not None else np.maximum(a, 0.0)
    da = np.multiply(a, t, out=da)
    y_hat -= da
    losses = np.mean(y_hat, axis=-1, out=losses)
    sigmoid(a, out=y_hat)
    np.subtract(y_hat, t, out=da)  # (n, k)
    da *= 1.0 / a.shape[-1]
    return losses, y_hat, _scaled(da, scale)


def count_hits(y_hat: Array, labels: Array) -> int:
    """How many rows of y_hat (n, k) have their largest value, the first of them, at their label (n,).

    Example:
        >>> count_hits(np.array([[0.2, 0.8], [0.7, 0.3]]), np.array([1, 1]))
        1
    """
    return int(np.count_nonzero(y_hat.argmax(axis=-1) == labels))


def total(x: Array) -> float:
    """The sum of all elements, as a number of Python, such as of a batch's losses.

    Example:
        >>> total(np.array([[1.0, 2.0], [0.5, 0.25]]))
        3.75
    """
    return float(np.add.reduce(x, None, dtype=float))
