"""Accuracies: how often a prediction is right."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.arguments import numbers
from multilayer._checks.scalars import whole_number
from multilayer._core import kernels
from multilayer._language import tr
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.metrics.base import MeanMetricWrapper, pair


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Whether prediction and target are equal, element by element.

    Example:
        >>> accuracy([1, 2], [1, 3])
        array([ True, False])
    """
    y_true, y_pred = pair(y_true, y_pred, "accuracy")
    return np.asarray(y_true == y_pred)


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> Array:
    """Whether the prediction is on the target's side of the threshold, element by element.

    Example:
        >>> binary_accuracy([1, 0], [0.9, 0.6])
        array([ True, False])
    """
    y_true, y_pred = pair(y_true, y_pred, "binary_accuracy")
    return np.asarray(y_true == (y_pred > numbers("threshold", threshold)))


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Whether the largest prediction is where the one-hot target is, one value a sample.

    Example:
        >>> categorical_accuracy([[0, 1], [1, 0]], [[0.1, 0.9], [0.4, 0.6]])
        array([ True, False])
    """
    t, y = _one_hot(y_true, y_pred, "categorical_accuracy")
    return np.asarray(t.argmax(axis=-1) == y.argmax(axis=-1))


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Whether the largest prediction is the label's, one value a sample.

    Example:
        >>> sparse_categorical_accuracy([1, 0], [[0.1, 0.9], [0.4, 0.6]])
        array([ True, False])
    """
    scores = np.asarray(y_pred)
    return np.asarray(_labels(y_true, scores, "sparse_categorical_accuracy") == scores.argmax(axis=-1))


def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> Array:
    """Whether the one-hot target is among the k largest predictions, one value a sample.

    Example:
        >>> top_k_categorical_accuracy([[0, 0, 1]], [[0.5, 0.1, 0.4]], k=2)
        array([ True])
    """
    t, y = _one_hot(y_true, y_pred, "top_k_categorical_accuracy")
    return sparse_top_k_categorical_accuracy(t.argmax(axis=-1), y, k)


def sparse_top_k_categorical_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, k: int = 5, from_sorted_ids: bool = False
) -> Array:
    """Whether the label is among the k largest predictions, one value a sample.

    Args:
        y_true: Labels.
        y_pred: Predictions; or, where `from_sorted_ids`, labels, the most probable first.
        k: How many count.
        from_sorted_ids: See there.

    Raises:
        ValueError: `k` is no whole number of at least 1.
    """
    k = whole_number("k", k, 1)
    scores = np.asarray(y_pred)
    labels = _labels(y_true, scores, "sparse_top_k_categorical_accuracy")
    if from_sorted_ids:
        return np.asarray((scores[..., :k] == labels[..., None]).any(axis=-1))
    exist = (labels >= 0) & (labels < scores.shape[-1])  # what is no class is never among the best
    chosen = np.take_along_axis(scores, np.where(exist, labels, 0).astype(np.intp)[..., None], axis=-1)
    hits: Array = exist & ((scores > chosen).sum(axis=-1) < k) & np.isfinite(chosen[..., 0])
    return hits


def _one_hot(y_true: ArrayLike, y_pred: ArrayLike, metric: str) -> tuple[Array, Array]:
    """One-hot targets and predictions; raises ValueError where their shapes differ."""
    t, y = np.asarray(y_true), np.asarray(y_pred)
    if t.shape != y.shape or not t.ndim:
        instead = (
            tr(" For labels, use 'sparse_{metric}', or `utils.to_categorical(y)`.", metric=metric)
            if t.ndim < y.ndim
            else ""
        )
        raise ValueError(
            tr(
                "Metric '{metric}' expects one-hot targets of the shape of the predictions, {shape}; got "
                "{got}.{instead}",
                metric=metric,
                shape=y.shape,
                got=t.shape,
                instead=instead,
            )
        )
    return t, y


def _labels(y_true: ArrayLike, scores: Array, metric: str) -> Array:
    """Labels in the shape of the predictions without their last axis; raises ValueError where they have another."""
    labels, wanted = np.asarray(y_true), scores.shape[:-1]
    if not scores.ndim or labels.shape not in (wanted, (*wanted, 1)):
        raise ValueError(
            tr(
                "Metric '{metric}' expects one whole-number label a sample, shape {wanted}; got an array of "
                "shape {shape}.",
                metric=metric,
                wanted=wanted,
                shape=labels.shape,
            )
        )
    return labels.reshape(wanted)


@registry.register("metric", "acc")  # in any case, as `resolve` takes both names
class Accuracy(MeanMetricWrapper):
    """How often prediction and target are equal."""

    direction = "up"

    def __init__(self, name: str = "accuracy", dtype: str | None = None) -> None:
        super().__init__(accuracy, name, dtype)


@registry.register("metric")
class BinaryAccuracy(MeanMetricWrapper):
    """How often the prediction is on the target's side of the threshold.

    Args:
        name: Name in logs.
        dtype: See `Metric`.
        threshold: Predictions above it count as 1, others as 0. For scores (logits) that is 0.0.

    Example:
        >>> BinaryAccuracy()([[1.0], [0.0]], [[0.9], [0.6]])
        0.5
    """

    direction = "up"

    def __init__(self, name: str = "binary_accuracy", dtype: str | None = None, threshold: float = 0.5) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = numbers("threshold", threshold)


@registry.register("metric")
class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is where the one-hot target is."""

    direction = "up"

    def __init__(self, name: str = "categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


@registry.register("metric")
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the label's.

    Example:
        >>> SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.3, 0.7]])
        0.5
    """

    direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:  # type: ignore[override]
        """Takes a batch into account."""
        labels, scores = np.asarray(y_true), np.asarray(y_pred)
        if sample_weight is not None or scores.ndim != 2 or labels.shape != scores.shape[:1]:
            super().update_state(labels, scores, sample_weight)
            return
        self.total += kernels.count_hits(scores, labels)
        self.count += len(labels)


@registry.register("metric")
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the one-hot target is among the k largest predictions.

    Args:
        k: How many count.
        name: Name in logs.
        dtype: See `Metric`.

    Example:
        >>> TopKCategoricalAccuracy(k=2)([[0.0, 0.0, 1.0]], [[0.1, 0.6, 0.3]])
        1.0
    """

    direction = "up"

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = whole_number("k", k, 1)


@registry.register("metric")
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the label is among the k largest predictions.

    Args:
        k: How many count.
        name: Name in logs.
        dtype: See `Metric`.
        from_sorted_ids: Whether predictions are labels, the most probable first.

    Example:
        >>> SparseTopKCategoricalAccuracy(k=1)([2, 1], [[0.1, 0.6, 0.3], [0.1, 0.6, 0.3]])
        0.5
    """

    direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: str | None = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
        self.k = whole_number("k", k, 1)
        self.from_sorted_ids = from_sorted_ids
