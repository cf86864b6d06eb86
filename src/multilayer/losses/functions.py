"""Each loss as a function: one value a sample."""

from __future__ import annotations

from typing import Any, cast

from numpy.typing import ArrayLike

from multilayer.functional import Array
from multilayer.losses import crossentropy, margins, probabilistic, regression
from multilayer.losses.base import Loss


def _of_each(loss: Loss, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    return cast(Array, loss(y_true, y_pred))


def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's `MeanAbsolutePercentageError`."""
    return _of_each(regression.MeanAbsolutePercentageError(reduction="none"), y_true, y_pred)


def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's `MeanSquaredLogarithmicError`."""
    return _of_each(regression.MeanSquaredLogarithmicError(reduction="none"), y_true, y_pred)


def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> Array:
    """Each sample's `Huber`."""
    return _of_each(regression.Huber(delta, reduction="none"), y_true, y_pred)


def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's `LogCosh`."""
    return _of_each(regression.LogCosh(reduction="none"), y_true, y_pred)


def poisson(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's `Poisson`."""
    return _of_each(regression.Poisson(reduction="none"), y_true, y_pred)


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """Each sample's `CosineSimilarity`: -1 where they point the same way."""
    return _of_each(regression.CosineSimilarity(axis, reduction="none"), y_true, y_pred)


def hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's `Hinge`."""
    return _of_each(margins.Hinge(reduction="none"), y_true, y_pred)


def squared_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's `SquaredHinge`."""
    return _of_each(margins.SquaredHinge(reduction="none"), y_true, y_pred)


def categorical_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's `CategoricalHinge`."""
    return _of_each(margins.CategoricalHinge(reduction="none"), y_true, y_pred)


def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Each sample's `KLDivergence`."""
    return _of_each(probabilistic.KLDivergence(reduction="none"), y_true, y_pred)


def categorical_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """Each sample's `CategoricalCrossentropy`."""
    loss = crossentropy.CategoricalCrossentropy(from_logits, label_smoothing, axis, reduction="none")
    return _of_each(loss, y_true, y_pred)


def sparse_categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Array:
    """Each sample's `SparseCategoricalCrossentropy`."""
    loss = crossentropy.SparseCategoricalCrossentropy(from_logits, ignore_class, reduction="none", axis=axis)
    return _of_each(loss, y_true, y_pred)


def binary_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """Each sample's `BinaryCrossentropy`."""
    loss = crossentropy.BinaryCrossentropy(from_logits, label_smoothing, axis, reduction="none")
    return _of_each(loss, y_true, y_pred)


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
    """Each sample's `BinaryFocalCrossentropy`."""
    loss = probabilistic.BinaryFocalCrossentropy(
        apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis, reduction="none"
    )
    return _of_each(loss, y_true, y_pred)


def categorical_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Each sample's `CategoricalFocalCrossentropy`."""
    loss = probabilistic.CategoricalFocalCrossentropy(
        alpha, gamma, from_logits, label_smoothing, axis, reduction="none"
    )
    return _of_each(loss, y_true, y_pred)


def categorical_generalized_cross_entropy(y_true: ArrayLike, y_pred: ArrayLike, q: float = 0.5) -> Array:
    """Each sample's `CategoricalGeneralizedCrossEntropy`."""
    return _of_each(probabilistic.CategoricalGeneralizedCrossEntropy(q, reduction="none"), y_true, y_pred)
