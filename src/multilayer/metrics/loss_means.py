"""Metrics that are means of a loss."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from multilayer import losses
from multilayer._checks.scalars import real_number, whole_number
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.metrics.base import Mean, MeanMetricWrapper, but_for_padding


@registry.register("metric", "mse", "MSE")
class MeanSquaredError(MeanMetricWrapper):
    """The mean of the squared error."""

    direction = "down"

    def __init__(self, name: str = "mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


@registry.register("metric", "mae", "MAE")
class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of the absolute error."""

    direction = "down"

    def __init__(self, name: str = "mean_absolute_error", dtype: str | None = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


@registry.register("metric", "mape", "MAPE")
class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of the error in percent of the target."""

    direction = "down"

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: str | None = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


@registry.register("metric", "msle", "MSLE")
class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of the squared error of the logarithms."""

    direction = "down"

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: str | None = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


@registry.register("metric")
class LogCoshError(MeanMetricWrapper):
    """The mean of log(cosh(error))."""

    direction = "down"

    def __init__(self, name: str = "logcosh", dtype: str | None = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


@registry.register("metric", "kld", "KLD")
class KLDivergence(MeanMetricWrapper):
    """The mean of the Kullback-Leibler divergence."""

    direction = "down"

    def __init__(self, name: str = "kl_divergence", dtype: str | None = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


@registry.register("metric")
class Poisson(MeanMetricWrapper):
    """The mean of the Poisson loss."""

    direction = "down"

    def __init__(self, name: str = "poisson", dtype: str | None = None) -> None:
        super().__init__(losses.poisson, name, dtype)


@registry.register("metric")
class Hinge(MeanMetricWrapper):
    """The mean of the hinge loss."""

    direction = "down"

    def __init__(self, name: str = "hinge", dtype: str | None = None) -> None:
        super().__init__(losses.hinge, name, dtype)


@registry.register("metric")
class SquaredHinge(MeanMetricWrapper):
    """The mean of the squared hinge loss."""

    direction = "down"

    def __init__(self, name: str = "squared_hinge", dtype: str | None = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


@registry.register("metric")
class CategoricalHinge(MeanMetricWrapper):
    """The mean of the categorical hinge loss."""

    direction = "down"

    def __init__(self, name: str = "categorical_hinge", dtype: str | None = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)


class Crossentropy(MeanMetricWrapper):
    """What the cross-entropies share.

    Behind the activation that they belong to they are taken from its input, as the loss is: exact, where a probability
    has long been rounded to 0 or 1.
    """

    direction = "down"
    fuses: ClassVar[str]  # the activation

    def update_behind_activation(
        self, y_true: Array, y_pred: Array, logits: Array | None, sample_weight: ArrayLike | None = None
    ) -> None:
        """Takes a batch into account that comes out of the activation, whatever `from_logits` says.

        Args:
            y_true: Targets.
            y_pred: What the activation gave.
            logits: What it was applied to; None where that is not at hand.
            sample_weight: What each sample counts.
        """
        given, from_logits = (y_pred, False) if logits is None else (logits, True)
        values = self._fn(y_true, given, **{**self._fn_kwargs, "from_logits": from_logits})
        Mean.update_state(self, values, self._weights(y_true, values, sample_weight))

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:  # type: ignore[override]
        """Takes a batch into account."""
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        Mean.update_state(self, values, self._weights(y_true, values, but_for_padding(y_pred, sample_weight)))

    def _weights(self, y_true: ArrayLike, values: Array, sample_weight: ArrayLike | None) -> ArrayLike | None:  # noqa: ARG002
        """What each value counts."""
        return sample_weight


@registry.register("metric", "bce", "BCE")
class BinaryCrossentropy(Crossentropy):
    """The mean of the binary cross-entropy."""

    fuses = "sigmoid"

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=real_number("label_smoothing", label_smoothing, least=0, most=1),
        )


@registry.register("metric", "cce", "ce", "crossentropy")  # the last two in any case, as `resolve` takes both
class CategoricalCrossentropy(Crossentropy):
    """The mean of the cross-entropy with one-hot targets."""

    fuses = "softmax"

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=real_number("label_smoothing", label_smoothing, least=0, most=1),
            axis=axis,
        )


@registry.register("metric")
class SparseCategoricalCrossentropy(Crossentropy):
    """The mean of the cross-entropy with whole-number labels.

    Args:
        name: Name in logs.
        dtype: See `Metric`.
        from_logits: Whether predictions are scores (logits) instead of probabilities.
        ignore_class: A label, such as -1, whose samples add 0; with sample weights they do not count at all, as in
            Keras.
        axis: The axis of the classes; only the last one.

    Example:
        >>> metric = SparseCategoricalCrossentropy(ignore_class=0)
        >>> round(metric([0, 1], [[0.1, 0.9], [0.5, 0.5]], sample_weight=[1.0, 1.0]), 4)
        0.6931
    """

    fuses = "softmax"

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=None if ignore_class is None else whole_number("ignore_class", ignore_class),
            axis=axis,
        )
        self.ignore_class = ignore_class

    def _weights(self, y_true: ArrayLike, values: Array, sample_weight: ArrayLike | None) -> ArrayLike | None:
        if self.ignore_class is None or sample_weight is None:
            return sample_weight
        counted = np.asarray(y_true).reshape(values.shape) != self.ignore_class
        weights: Array = counted * losses.weights_like(values.shape, np.asarray(sample_weight))
        return weights
