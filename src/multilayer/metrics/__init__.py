"""Metrics: how well a model does, as running results over the batches of an epoch; under Keras' names."""

from __future__ import annotations

from typing import Any

from multilayer._language import tr
from multilayer._names import registry
from multilayer._names.custom_objects import custom_object_scope
from multilayer._tracebacks import filter_traceback
from multilayer.functional import Array
from multilayer.losses import (
    Loss,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from multilayer.losses.by_shape import Kind, kind_of
from multilayer.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from multilayer.metrics.auc import AUC
from multilayer.metrics.base import Mean, MeanMetricWrapper, Metric, Sum
from multilayer.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from multilayer.metrics.f_scores import F1Score, FBetaScore
from multilayer.metrics.loss_means import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from multilayer.metrics.regression import (
    ConcordanceCorrelation,
    CosineSimilarity,
    PearsonCorrelation,
    R2Score,
    RootMeanSquaredError,
    concordance_correlation,
    cosine_similarity,
    pearson_correlation,
)

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "PearsonCorrelation",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "accuracy",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "concordance_correlation",
    "cosine_similarity",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "pearson_correlation",
    "poisson",
    "resolve",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]


@filter_traceback
def get(identifier: Any) -> Any:
    """The metric for a name, a config, a class, an instance, or a function of (y_true, y_pred); None stays None.

    Raises:
        ValueError: An unknown name; the message names the nearest known one.

    Example:
        >>> type(get("AUC")).__name__
        'AUC'
    """
    if identifier is None:
        return None
    identifier = registry.resolved("metric", identifier)
    if callable(identifier) and not isinstance(identifier, (Metric, type)):
        if hasattr(identifier, "get_config") and not isinstance(identifier, Loss):  # a layer can be called, too
            raise ValueError(
                tr(
                    "{kind} is no metric: {identifier!r}. Expected a name, an instance of `Metric` or `Loss`, "
                    "or a function of targets and predictions.",
                    kind=type(identifier).__name__,
                    identifier=identifier,
                )
            )
        return MeanMetricWrapper(identifier)
    return registry.get("metric", identifier, Metric)


def serialize(metric: Metric) -> dict[str, Any]:
    """The metric as a config that `get` reads."""
    return registry.serialize(metric)


_ACCURACIES: dict[Kind, type[Metric]] = {
    "binary": BinaryAccuracy,
    "sparse": SparseCategoricalAccuracy,
    "categorical": CategoricalAccuracy,
}
_CROSSENTROPIES: dict[Kind, type[Metric]] = {
    "binary": BinaryCrossentropy,
    "sparse": SparseCategoricalCrossentropy,
    "categorical": CategoricalCrossentropy,
}
_BY_SHAPE: dict[str, dict[Kind, type[Metric]]] = {
    "accuracy": _ACCURACIES,
    "acc": _ACCURACIES,
    "crossentropy": _CROSSENTROPIES,
    "ce": _CROSSENTROPIES,
}


def resolve(identifier: Any, y_true: Array, output_shape: tuple[int | None, ...]) -> Metric:
    """The metric that `compile` was asked for, once targets and output are known.

    'accuracy' and 'acc', in any case, mean the binary, the sparse or the categorical accuracy, by the shapes, and
    'crossentropy' and 'ce' the cross-entropy of that kind; a metric asked for by a string keeps it as its name in logs.
    """
    if not isinstance(identifier, str):
        found: Metric = get(identifier)
        return found
    by_shape = _BY_SHAPE.get(identifier.lower())
    metric: Metric = get(identifier) if by_shape is None else by_shape[kind_of(y_true, output_shape)]()
    metric.name = identifier
    return metric


@filter_traceback
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Metric:
    """The metric that `serialize` described, with classes of your own by name."""
    with custom_object_scope(custom_objects):
        metric: Metric = get(config)
        return metric
