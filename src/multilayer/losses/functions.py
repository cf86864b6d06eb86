"""Each loss as a function of targets and predictions (n, ..., k): one value a sample, shape (n, ...).

Their further arguments are those of their classes, where they are explained.
"""

from __future__ import annotations

from typing import Any, cast

from numpy.typing import ArrayLike

from multilayer._tracebacks import filter_traceback
from multilayer.functional import Array
from multilayer.losses import crossentropy, margins, probabilistic, regression
from multilayer.losses.base import Loss


def _of_each(loss: Loss, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    return cast(Array, loss(y_true, y_pred))


@filter_traceback
def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's loss, mean((y_true - y_pred)^2): see `MeanSquaredError`.

    Example:
        >>> mean_squared_error([[0.0, 1.0]], [[0.0, 0.0]]).tolist()
        [0.5]
    """
    return _of_each(regression.MeanSquaredError(reduction="none"), y_true, y_pred)


@filter_traceback
def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's loss, mean(|y_true - y_pred|): see `MeanAbsoluteError`.

    Example:
        >>> mean_absolute_error([[0.0, 1.0]], [[0.0, 0.0]]).tolist()
        [0.5]
    """
    return _of_each(regression.MeanAbsoluteError(reduction="none"), y_true, y_pred)


@filter_traceback
def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's loss, 100 mean(|y_true - y_pred| / |y_true|): see `MeanAbsolutePercentageError`.

    Example:
        >>> mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]]).tolist()
        [25.0]
    """
    return _of_each(regression.MeanAbsolutePercentageError(reduction="none"), y_true, y_pred)


@filter_traceback
def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's loss, mean((log(1 + y_true) - log(1 + y_pred))^2): see `MeanSquaredLogarithmicError`.

    Example:
        >>> mean_squared_logarithmic_error([[1.0]], [[3.0]]).round(4).tolist()
        [0.4805]
    """
    return _of_each(regression.MeanSquaredLogarithmicError(reduction="none"), y_true, y_pred)


@filter_traceback
def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> Array:
    """Each sample's loss, mean(c (e - c / 2)), e = y_pred - y_true, c that kept in [-delta, delta]: see `Huber`.

    Example:
        >>> huber([[0.0, 0.0]], [[0.5, 3.0]]).tolist()
        [1.3125]
    """
    return _of_each(regression.Huber(delta, reduction="none"), y_true, y_pred)


@filter_traceback
def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's loss, mean(log(cosh(y_pred - y_true))): see `LogCosh`.

    Example:
        >>> log_cosh([[0.0]], [[1.0]]).round(4).tolist()
        [0.4338]
    """
    return _of_each(regression.LogCosh(reduction="none"), y_true, y_pred)


@filter_traceback
def poisson(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's loss, mean(y_pred - y_true log(y_pred + epsilon)): see `Poisson`.

    Example:
        >>> poisson([[0.0]], [[2.0]]).tolist()
        [2.0]
    """
    return _of_each(regression.Poisson(reduction="none"), y_true, y_pred)


@filter_traceback
def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """Each sample's loss, -sum(t y) / (|t| |y|), -1 where they point the same way: see `CosineSimilarity`.

    Example:
        >>> cosine_similarity([[1.0, 0.0]], [[0.0, 2.0]]).tolist()
        [-0.0]
    """
    return _of_each(regression.CosineSimilarity(axis, reduction="none"), y_true, y_pred)


@filter_traceback
def hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's loss, mean(max(0, 1 - t y)), targets t of -1 and 1, or 0 and 1: see `Hinge`.

    Example:
        >>> hinge([[0.0, 1.0]], [[0.5, 0.5]]).tolist()
        [1.0]
    """
    return _of_each(margins.Hinge(reduction="none"), y_true, y_pred)


@filter_traceback
def squared_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's loss, mean(max(0, 1 - t y)^2), targets t of -1 and 1, or 0 and 1: see `SquaredHinge`.

    Example:
        >>> squared_hinge([[0.0, 1.0]], [[0.5, 0.5]]).tolist()
        [1.25]
    """
    return _of_each(margins.SquaredHinge(reduction="none"), y_true, y_pred)


@filter_traceback
def categorical_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's loss, max(0, 1 + max((1 - t) y) - sum(t y)): see `CategoricalHinge`.

    Example:
        >>> categorical_hinge([[0.0, 1.0]], [[0.5, 0.75]]).tolist()
        [0.75]
    """
    return _of_each(margins.CategoricalHinge(reduction="none"), y_true, y_pred)


@filter_traceback
def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's loss, sum(t log(t / y)): see `KLDivergence`.

    Example:
        >>> kl_divergence([[0.5, 0.5]], [[0.5, 0.5]]).tolist()
        [0.0]
    """
    return _of_each(probabilistic.KLDivergence(reduction="none"), y_true, y_pred)


@filter_traceback
def categorical_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """Each sample's loss, -sum(t log y), one-hot targets t: see `CategoricalCrossentropy`.

    Example:
        >>> categorical_crossentropy([[0.0, 1.0]], [[0.0, 0.0]], from_logits=True).round(4).tolist()
        [0.6931]
    """
    loss = crossentropy.CategoricalCrossentropy(from_logits, label_smoothing, axis, reduction="none")
    return _of_each(loss, y_true, y_pred)


@filter_traceback
def sparse_categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Array:
    """Each sample's loss, -log y_label; 0 for a label to ignore: see `SparseCategoricalCrossentropy`.

    Example:
        >>> sparse_categorical_crossentropy([1, -1], [[0.5, 0.5], [0.5, 0.5]], ignore_class=-1).round(4).tolist()
        [0.6931, 0.0]
    """
    loss = crossentropy.SparseCategoricalCrossentropy(from_logits, ignore_class, reduction="none", axis=axis)
    return _of_each(loss, y_true, y_pred)


@filter_traceback
def binary_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """Each sample's loss, mean(-t log y - (1 - t) log(1 - y)): see `BinaryCrossentropy`.

    Example:
        >>> binary_crossentropy([[1.0]], [[0.0]], from_logits=True).round(4).tolist()
        [0.6931]
    """
    loss = crossentropy.BinaryCrossentropy(from_logits, label_smoothing, axis, reduction="none")
    return _of_each(loss, y_true, y_pred)


@filter_traceback
def binary_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Each sample's loss, mean((1 - p_t)^gamma bce), p_t = t y + (1 - t) (1 - y): see `BinaryFocalCrossentropy`.

    Example:
        >>> binary_focal_crossentropy([[1.0]], [[0.5]]).round(4).tolist()
        [0.1733]
    """
    loss = probabilistic.BinaryFocalCrossentropy(
        apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis, reduction="none"
    )
    return _of_each(loss, y_true, y_pred)


@filter_traceback
def categorical_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Each sample's loss, -sum(alpha (1 - y)^gamma t log y): see `CategoricalFocalCrossentropy`.

    Example:
        >>> categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(4).tolist()
        [0.0433]
    """
    loss = probabilistic.CategoricalFocalCrossentropy(
        alpha, gamma, from_logits, label_smoothing, axis, reduction="none"
    )
    return _of_each(loss, y_true, y_pred)


@filter_traceback
def categorical_generalized_cross_entropy(y_true: ArrayLike, y_pred: ArrayLike, q: float) -> Array:
    """Each sample's loss, (1 - y_label^q) / q: see `CategoricalGeneralizedCrossEntropy`.

    Example:
        >>> categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5).tolist()
        [1.0]
    """
    return _of_each(probabilistic.CategoricalGeneralizedCrossEntropy(q, reduction="none"), y_true, y_pred)
