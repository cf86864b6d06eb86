"""F scores: precision and recall in one number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.scalars import real_number
from multilayer._core.number import Number
from multilayer._core.tape.eager import eager
from multilayer._names import registry
from multilayer.config import epsilon
from multilayer.metrics.base import RowSums
from multilayer.metrics.confusion import require_one_shape

_AVERAGES = (None, "micro", "macro", "weighted")


@registry.register("metric", "fbeta_score")
class FBetaScore(RowSums):
    """F_beta = (1 + beta^2) precision recall / (beta^2 precision + recall), of one-hot or several-hot targets.

    Args:
        average: 'micro' counts over all classes, 'macro' is the mean over classes, 'weighted' the mean by how many
            samples each has, None gives one score a class.
        beta: What recall weighs against precision.
        threshold: What a prediction has to exceed; by default the largest one of a sample is the prediction.
        name: Name in logs.
        dtype: See `Metric`.

    Raises:
        ValueError: An argument is out of range, or data are no matrices.

    Example:
        >>> FBetaScore(average="micro", beta=2.0)([[1, 0], [0, 1]], [[0.9, 0.1], [0.6, 0.4]]).__round__(5)
        0.5
    """

    direction = "up"
    # The last is what targets of 1 weigh.
    _variable_names = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(dtype, name)
        if average not in _AVERAGES:
            raise ValueError(
                "Invalid `average` argument value. Expected one of: {None, 'micro', 'macro', 'weighted'}. Received: "
                f"average={average}"
            )
        if not isinstance(beta, float):
            raise ValueError(
                f"Invalid `beta` argument value. It should be a Python float. Received: beta={beta} of type "
                f"'{type(beta)}'"
            )
        real_number("beta", beta, above=0)
        if threshold is not None and not (isinstance(threshold, float) and 0 < threshold <= 1):
            raise ValueError(
                "Invalid `threshold` argument value. It should be a Python float with 0 < threshold <= 1. Received: "
                f"threshold={threshold}"
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.reset_state()

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        t, y = np.asarray(y_true, float), np.asarray(y_pred)
        if y.ndim == 2:
            require_one_shape(self.name, t, y)
        if t.ndim != 2 or y.ndim != 2:
            raise ValueError(
                "FBetaScore expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
                f"y_pred.shape={y.shape} and y_true.shape={t.shape}."
            )
        if self.threshold is None:
            chosen = (y >= y.max(axis=-1, keepdims=True)) & (np.abs(y) > 1e-9)  # a row of zeros chooses nothing
        else:
            chosen = y > self.threshold
        weight = np.asarray(1.0 if sample_weight is None else sample_weight, float)
        weight = weight if weight.shape == y.shape else weight.reshape(-1, 1)  # of each number, or of each sample
        found = np.array([chosen * t, chosen * (1.0 - t), ~chosen * t, t]) * weight
        self._sums = self._sums + found.sum(axis=(1, 2) if self.average == "micro" else 1)

    def result(self) -> Any:
        if np.ndim(self._sums) == 0:
            return Number(0.0)
        tp, fp, fn, weights = self._sums
        precision, recall = tp / (tp + fp + epsilon()), tp / (tp + fn + epsilon())
        scores = (1.0 + self.beta**2) * precision * recall / (self.beta**2 * precision + recall + epsilon())
        if self.average is None:
            return eager(scores.astype("float32"))
        if self.average == "weighted":
            return Number((scores * weights).sum() / (weights.sum() + epsilon()))
        return Number(np.mean(scores))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "average": self.average, "beta": self.beta, "threshold": self.threshold}


@registry.register("metric", "f1_score")
class F1Score(FBetaScore):
    """F_1 = 2 precision recall / (precision + recall). See `FBetaScore`.

    Args:
        average: See `FBetaScore`.
        threshold: See `FBetaScore`.
        name: Name in logs.
        dtype: See `Metric`.

    Example:
        >>> F1Score()([[1, 0], [0, 1]], [[0.9, 0.1], [0.6, 0.4]]).round(4)
        array([0.6667, 0.    ], dtype=float32)
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["beta"]
        return config
