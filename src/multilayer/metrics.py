"""Metrics: running figures of how well a model does, over the batches of an epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from multilayer import kernels, losses, naming, registry
from multilayer.functional import Array


class Metric:
    """Base class: `update_state` with each batch, `result` at any time, `reset_state` between epochs.

    A metric of your own overrides these three. In training, the targets and predictions it is given lie in memory that
    the next step writes over: keep numbers that you compute from them, or copies (`y_pred.copy()`), but not the arrays
    themselves or views of them such as `y_pred[:, 0]`. And change nothing in them, as other metrics read them too.

    Args:
        name: Name in logs; by default the class name in snake case.

    Example:
        >>> class Largest(Metric):
        ...     "The largest error of all."
        ...     def reset_state(self):
        ...         self.largest = 0.0
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.largest = max(self.largest, float(np.max(np.abs(np.subtract(y_pred, y_true)))))
        ...     def result(self):
        ...         return self.largest
        >>> largest = Largest()
        >>> largest.reset_state()
        >>> largest([[1.0], [2.0]], [[1.5], [4.0]])
        2.0
    """

    # Whether more is better ('up') or less ('down'), for callbacks that look for improvement; None where nobody knows.
    direction: str | None = None

    def __init__(self, name: str | None = None) -> None:
        self.name = name or naming.snake_case(type(self).__name__)

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Takes a batch into account."""
        raise NotImplementedError(f"Metric {type(self).__name__} does not define `update_state`.")

    def result(self) -> float:
        """The figure for everything since the last reset."""
        raise NotImplementedError(f"Metric {type(self).__name__} does not define `result`.")

    def reset_state(self) -> None:
        """Forgets everything."""
        raise NotImplementedError(f"Metric {type(self).__name__} does not define `reset_state`.")

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Takes a batch into account and returns the figure so far."""
        self.update_state(y_true, y_pred, sample_weight=sample_weight)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """The metric with these constructor arguments."""
        return cls(**config)


@registry.register("metric")
class Mean(Metric):
    """The weighted mean of the values it is given: sum(w v) / sum(w).

    Example:
        >>> mean = Mean()
        >>> mean.update_state([1.0, 3.0])
        >>> mean.update_state([5.0], sample_weight=[2.0])
        >>> mean.result()
        3.5
    """

    def __init__(self, name: str | None = "mean") -> None:
        super().__init__(name)
        self.reset_state()

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:  # type: ignore[override]
        """Takes values into account, each with its weight or with weight 1."""
        figures: Array = np.asarray(values)
        if sample_weight is None:
            self.total += float(np.count_nonzero(figures) if figures.dtype == bool else figures.sum())
            self.count += float(figures.size)
            return
        weight: Array = np.asarray(sample_weight)
        if figures.ndim > weight.ndim:  # one weight a sample: what a sample has several values of is averaged first
            figures = figures.mean(axis=tuple(range(weight.ndim, figures.ndim)))
        weight = losses.weights_like(figures.shape, weight)
        self.total += float((figures * weight).sum())
        self.count += float(weight.sum())

    def result(self) -> float:
        return self.total / self.count if self.count else 0.0

    def reset_state(self) -> None:
        self.total = 0.0
        self.count = 0.0


class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)` gives the values to average.
        name: Name in logs.
        **kwargs: Passed to `fn`.
    """

    def __init__(self, fn: Callable[..., Array], name: str | None = None, **kwargs: Any) -> None:
        own = getattr(fn, "name", None) or getattr(fn, "__name__", None)  # a loss's name, or a function's
        super().__init__(name or naming.snake_case(own or type(self).__name__))
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:  # type: ignore[override]
        """Takes a batch into account."""
        super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, **self._fn_kwargs}


# --- Accuracies -------------------------------------------------------------------------------------------------------


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Whether prediction and target are equal, element by element."""
    y_true, y_pred = losses.align(np.asarray(y_true), np.asarray(y_pred))
    return np.asarray(y_true == y_pred)


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> Array:
    """Whether the prediction is on the target's side of the threshold, element by element."""
    y_true, y_pred = losses.align(np.asarray(y_true), np.asarray(y_pred))
    return np.asarray(y_true == (y_pred > threshold))


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Whether the largest prediction is where the one-hot target is, one value a sample."""
    return np.asarray(np.argmax(y_true, axis=-1) == np.argmax(y_pred, axis=-1))


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Whether the largest prediction is the label's, one value a sample."""
    best = np.asarray(y_pred).argmax(axis=-1)
    labels = np.asarray(y_true)
    return np.asarray((labels if labels.shape == best.shape else labels.reshape(best.shape)) == best)


@registry.register("metric", "acc")  # in any case, as `resolve` takes both names
class Accuracy(MeanMetricWrapper):
    """How often prediction and target are equal."""

    direction = "up"

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(accuracy, name)


@registry.register("metric")
class BinaryAccuracy(MeanMetricWrapper):
    """How often the prediction is on the target's side of the threshold.

    Example:
        >>> BinaryAccuracy()([[1.0], [0.0]], [[0.9], [0.6]])
        0.5
    """

    direction = "up"

    def __init__(self, name: str = "binary_accuracy", threshold: float = 0.5) -> None:
        if not 0 < threshold < 1:
            raise ValueError(f"`threshold` must lie between 0 and 1. Received: threshold={threshold}")
        super().__init__(binary_accuracy, name, threshold=threshold)


@registry.register("metric")
class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is where the one-hot target is."""

    direction = "up"

    def __init__(self, name: str = "categorical_accuracy") -> None:
        super().__init__(categorical_accuracy, name)


@registry.register("metric")
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the label's.

    Example:
        >>> SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.3, 0.7]])
        0.5
    """

    direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy") -> None:
        super().__init__(sparse_categorical_accuracy, name)

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:  # type: ignore[override]
        """Takes a batch into account."""
        labels, scores = np.asarray(y_true), np.asarray(y_pred)
        if sample_weight is not None or labels.ndim != 1 or scores.ndim != 2:
            super().update_state(labels, scores, sample_weight)
            return
        self.total += kernels.count_hits(scores, labels)
        self.count += len(labels)


# --- Means of losses --------------------------------------------------------------------------------------------------


@registry.register("metric", "mse", "MSE")
class MeanSquaredError(MeanMetricWrapper):
    """The mean of the squared error."""

    direction = "down"

    def __init__(self, name: str = "mean_squared_error") -> None:
        super().__init__(losses.mean_squared_error, name)


@registry.register("metric", "mae", "MAE")
class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of the absolute error."""

    direction = "down"

    def __init__(self, name: str = "mean_absolute_error") -> None:
        super().__init__(losses.mean_absolute_error, name)


@registry.register("metric", "bce", "BCE")
class BinaryCrossentropy(MeanMetricWrapper):
    """The mean of the binary cross-entropy."""

    direction = "down"

    def __init__(
        self, name: str = "binary_crossentropy", from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(losses.binary_crossentropy, name, from_logits=from_logits, label_smoothing=label_smoothing)


@registry.register("metric", "cce")
class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean of the cross-entropy with one-hot targets."""

    direction = "down"

    def __init__(
        self, name: str = "categorical_crossentropy", from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy, name, from_logits=from_logits, label_smoothing=label_smoothing
        )


@registry.register("metric")
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean of the cross-entropy with whole-number labels."""

    direction = "down"

    def __init__(self, name: str = "sparse_categorical_crossentropy", from_logits: bool = False) -> None:
        super().__init__(losses.sparse_categorical_crossentropy, name, from_logits=from_logits)


def get(identifier: Any) -> Metric:
    """The metric for a name, a config, a class, an instance, or a function of (y_true, y_pred)."""
    identifier = registry.resolved(identifier)
    if callable(identifier) and not isinstance(identifier, (Metric, type)):
        return MeanMetricWrapper(identifier)
    return cast(Metric, registry.get("metric", identifier, Metric))


def serialize(metric: Metric) -> dict[str, Any]:
    """The metric as a config that `get` reads."""
    return cast(dict[str, Any], registry.serialize(metric))


def resolve(identifier: Any, y_true: Array, output_shape: tuple[int | None, ...]) -> Metric:
    """The metric that `compile` was asked for, once targets and output are known.

    'accuracy' and 'acc', in any case, mean the binary, the sparse or the categorical accuracy, by the shapes; a metric
    asked for by a string keeps that string as its name in logs.
    """
    if not isinstance(identifier, str):
        return get(identifier)
    if identifier.lower() not in ("accuracy", "acc"):
        metric = get(identifier)
    elif output_shape[-1] == 1:
        metric = BinaryAccuracy()
    elif y_true.ndim < len(output_shape) or y_true.shape[-1] == 1:
        metric = SparseCategoricalAccuracy()
    else:
        metric = CategoricalAccuracy()
    metric.name = identifier
    return metric
