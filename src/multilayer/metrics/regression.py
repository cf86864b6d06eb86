"""Metrics for amounts: errors, correlations, explained variance."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from multilayer import losses
from multilayer._checks.arguments import axes
from multilayer._checks.scalars import whole_number
from multilayer._checks.states import COUNT, Kind
from multilayer._core.number import Number
from multilayer._core.tape.eager import eager
from multilayer._language import tr
from multilayer._names import registry
from multilayer.config import epsilon
from multilayer.functional import Array, floating
from multilayer.metrics.base import Mean, MeanMetricWrapper, RowSums, pair


@registry.register("metric")
class RootMeanSquaredError(Mean):
    """The root of the mean of the squared error.

    Example:
        >>> RootMeanSquaredError()([[3.0], [4.0]], [[0.0], [0.0]]).__round__(6)
        3.535534
    """

    direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:  # type: ignore[override]
        """Takes a batch into account."""
        t, y = pair(y_true, y_pred, "root_mean_squared_error")
        super().update_state(np.square(y - t), sample_weight)

    def result(self) -> Number:
        return Number(math.sqrt(super().result()))


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """The cosine of the angle between target and prediction: 1 where they point the same way."""
    return -losses.cosine_similarity(y_true, y_pred, axis)


@registry.register("metric")
class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between target and prediction.

    Example:
        >>> round(CosineSimilarity()([[3.0, 4.0]], [[6.0, 8.0]]), 6)
        1.0
    """

    direction = "up"

    def __init__(self, name: str = "cosine_similarity", dtype: str | None = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)


def pearson_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """Pearson's correlation along an axis: covariance over the product of the standard deviations."""
    t, y = pair(floating(y_true), floating(y_pred), "pearson_correlation")
    t, y = t - t.mean(axis=axis, keepdims=True), y - y.mean(axis=axis, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        products = (t / t.std(axis=axis, keepdims=True)) * (y / y.std(axis=axis, keepdims=True))
    correlation: Array = products.mean(axis=axis)
    return correlation


@registry.register("metric")
class PearsonCorrelation(MeanMetricWrapper):
    """The mean of Pearson's correlation along an axis.

    Example:
        >>> round(PearsonCorrelation()([[0.0, 1.0, 2.0]], [[1.0, 3.0, 5.0]]), 6)
        1.0
    """

    direction = "up"

    def __init__(self, name: str = "pearson_correlation", dtype: str | None = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axes("axis", axis))


def concordance_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """The concordance correlation along an axis: how near pairs lie to the diagonal.

    Source: Lin, "A concordance correlation coefficient to evaluate reproducibility", 1989.
    """
    t, y = pair(floating(y_true), floating(y_pred), "concordance_correlation")
    t_mean, y_mean = t.mean(axis=axis, keepdims=True), y.mean(axis=axis, keepdims=True)
    spread = t.var(axis=axis, keepdims=True) + y.var(axis=axis, keepdims=True) + np.square(t_mean - y_mean)
    correlation: Array = (2.0 * (t - y_mean) * (y - y_mean) / (spread + epsilon())).mean(axis=axis)
    return correlation


@registry.register("metric")
class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of the concordance correlation along an axis."""

    direction = "up"

    def __init__(self, name: str = "concordance_correlation", dtype: str | None = None, axis: int = -1) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axes("axis", axis))


@registry.register("metric", "r2_score")
class R2Score(RowSums):
    """The share of the targets' variance that is explained: 1 - sum((t - y)^2) / sum((t - mean(t))^2).

    Args:
        class_aggregation: How outputs are put together: 'uniform_average', 'variance_weighted_average', or None for
            one score each.
        num_regressors: Number of independent variables, for the adjusted score 1 - (1 - R^2) (n - 1) / (n - p - 1); 0
            for the standard one. As in Keras 3.15, n counts the targets of all outputs; Keras 3.16 counts the samples.
        name: Name in logs.
        dtype: See `Metric`.

    Raises:
        ValueError: An argument is out of range, or data are no matrices.

    Example:
        >>> round(R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [2.0]]), 6)
        0.5
    """

    direction = "up"
    _variable_names = ("count", "sum", "squared_sum", "total_mse")

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(dtype, name)
        known = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in known:
            raise ValueError(
                tr(
                    "Invalid value for argument `class_aggregation`. Expected one of {known}. Received: "
                    "class_aggregation={class_aggregation}",
                    known=known,
                    class_aggregation=class_aggregation,
                )
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = whole_number("num_regressors", num_regressors, 0)
        self.reset_state()

    _gathered: ClassVar[Mapping[str, Kind]] = {**RowSums._gathered, "_num_samples": COUNT}

    def reset_state(self) -> None:
        super().reset_state()
        self._num_samples = 0

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        t, y = losses.align(np.asarray(y_true, float), np.asarray(y_pred, float))
        if t.ndim != 2 or t.shape != y.shape:
            raise ValueError(
                tr(
                    "R2Score expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
                    "y_pred.shape={shape} and y_true.shape={got}.",
                    shape=y.shape,
                    got=t.shape,
                )
            )
        weight = np.ones(len(t)) if sample_weight is None else np.asarray(sample_weight, float)
        w = np.broadcast_to(weight.reshape(len(t), -1), t.shape)
        self._sums = self._sums + np.array([w, w * t, w * t * t, w * np.square(t - y)]).sum(axis=1)
        self._num_samples += t.size

    def result(self) -> Any:
        if not self._num_samples:
            return Number(0.0)
        count, total, squares, residual = self._sums
        variance = squares - total * total / count
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = 1.0 - residual / variance
        scores = np.where(np.isinf(scores), 0.0, scores)
        if self.class_aggregation is None:
            return eager(self._adjusted(scores).astype("float32"))
        if self.class_aggregation == "uniform_average":
            return Number(self._adjusted(scores.mean()))
        return Number(self._adjusted((variance * scores).sum() / variance.sum()))

    def _adjusted(self, score: Any) -> Any:
        if not self.num_regressors:
            return score
        if self.num_regressors >= self._num_samples - 1:
            what = (
                "Division by zero" if self.num_regressors == self._num_samples - 1 else "More predictors than samples"
            )
            warnings.warn(
                tr("{what} in adjusted R2 score. Falling back to standard R2 score.", what=what), stacklevel=3
            )
            return score
        return 1.0 - (1.0 - score) * (self._num_samples - 1) / (self._num_samples - self.num_regressors - 1)

    def get_config(self) -> dict[str, Any]:
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}
