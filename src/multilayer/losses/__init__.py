"""Losses: how wrong a prediction is, and in which direction, under Keras' names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multilayer._names import registry
from multilayer._names.custom_objects import custom_object_scope
from multilayer._tracebacks import filter_traceback
from multilayer.functional import Array
from multilayer.losses.base import Loss, align, weights_like
from multilayer.losses.crossentropy import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from multilayer.losses.functions import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    categorical_hinge,
    cosine_similarity,
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
from multilayer.losses.margins import CategoricalHinge, Hinge, SquaredHinge
from multilayer.losses.probabilistic import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
)
from multilayer.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
)
from multilayer.losses.wrapper import LossFunctionWrapper as LossFunctionWrapper

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "align",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
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
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "weights_like",
]

_FUNCTIONS: dict[Callable[..., Array], type[Loss]] = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    huber: Huber,
    log_cosh: LogCosh,
    poisson: Poisson,
    cosine_similarity: CosineSimilarity,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    binary_crossentropy: BinaryCrossentropy,
    hinge: Hinge,
    squared_hinge: SquaredHinge,
    categorical_hinge: CategoricalHinge,
    kl_divergence: KLDivergence,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    categorical_generalized_cross_entropy: CategoricalGeneralizedCrossEntropy,
}


@filter_traceback
def get(identifier: str | dict[str, Any] | Loss | type[Loss] | Callable[..., Array]) -> Loss:
    """The loss for a name, a config, a class, an instance, or a function of (y_true, y_pred).

    Raises:
        ValueError: An unknown name.

    Example:
        >>> get("mse").name
        'mean_squared_error'
    """
    function = registry.function_for("loss", identifier, Loss)
    if function is not None:
        return _FUNCTIONS[function]() if function in _FUNCTIONS else LossFunctionWrapper(function)
    if isinstance(identifier, dict) and identifier.get("class_name") == "LossFunctionWrapper":
        with registry.describing("loss"):
            return LossFunctionWrapper.from_config(identifier["config"])
    return registry.get("loss", identifier, Loss)


def serialize(loss: Loss | type[Loss] | Callable[..., Array]) -> dict[str, Any]:
    """The loss as a config that `get` and `deserialize` read; one of this module's functions as its class.

    Example:
        >>> serialize(Huber(delta=0.5))["config"]
        {'name': 'huber_loss', 'reduction': 'sum_over_batch_size', 'delta': 0.5}
    """
    return registry.serialize(get(loss))


@filter_traceback
def deserialize(name: str | dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Loss:
    """The loss that `serialize` described, or that has this name.

    Args:
        name: A config, or a name.
        custom_objects: Losses, or functions, of your own by the names that the config has for them.

    Raises:
        ValueError: An unknown name, or something that is no config.

    Example:
        >>> deserialize(serialize(Huber(delta=0.5))).delta
        0.5
    """
    with custom_object_scope(custom_objects):
        return get(name)
