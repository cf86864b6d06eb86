"""Losses for amounts: how far a prediction is from a number."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from multilayer import registry
from multilayer.config import epsilon
from multilayer.functional import Array
from multilayer.losses.base import AlongAxis, AtOnce, BuiltIn, align, checked_axis


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """mean((y_true - y_pred)^2) over the last axis."""
    y_true, y_pred = align(np.asarray(y_true), np.asarray(y_pred))
    error = y_pred - y_true
    return cast(Array, np.mean(error * error, axis=-1))


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """mean(|y_true - y_pred|) over the last axis."""
    y_true, y_pred = align(np.asarray(y_true), np.asarray(y_pred))
    return cast(Array, np.mean(np.abs(y_pred - y_true), axis=-1))


@registry.register("loss", "mse", "MSE")
class MeanSquaredError(AtOnce):
    """Mean squared error: loss = mean((y_true - y_pred)^2), gradient 2 (y_pred - y_true) / k.

    Example:
        >>> MeanSquaredError()([[0.0, 1.0]], [[0.0, 0.0]])
        0.5
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return mean_squared_error(y_true, y_pred)

    def call_and_gradient(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        error = np.subtract(y_pred, y_true, out=out)
        losses = np.mean(np.multiply(error, error, out=work), axis=-1)
        error *= 2.0 / y_pred.shape[-1]
        return losses, error


@registry.register("loss", "mae", "MAE")
class MeanAbsoluteError(AtOnce):
    """Mean absolute error: loss = mean(|y_true - y_pred|), gradient sign(y_pred - y_true) / k.

    Example:
        >>> MeanAbsoluteError()([[0.0, 1.0]], [[0.0, 0.0]])
        0.5
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return mean_absolute_error(y_true, y_pred)

    def call_and_gradient(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        error = np.subtract(y_pred, y_true, out=out)
        losses = np.mean(np.abs(error, out=work), axis=-1)
        np.sign(error, out=error)
        error *= 1.0 / y_pred.shape[-1]
        return losses, error


class _Elementwise(BuiltIn):
    """A loss that is the mean over the last axis of what each prediction costs by itself."""

    def _cost(self, y_true: Array, y_pred: Array) -> Array:
        raise NotImplementedError

    def _slope(self, y_true: Array, y_pred: Array) -> Array:
        """The derivative of `_cost` with respect to the prediction."""
        raise NotImplementedError

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return cast(Array, np.mean(self._cost(y_true, y_pred), axis=-1))

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        return self._slope(y_true, y_pred) * (1.0 / y_pred.shape[-1])  # type: ignore[no-any-return]


@registry.register("loss", "mape", "MAPE")
class MeanAbsolutePercentageError(_Elementwise):
    """Mean absolute percentage error: loss = 100 mean(|y_true - y_pred| / |y_true|), with |y_true| at least epsilon.

    Example:
        >>> MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]])
        25.0
    """

    def _cost(self, y_true: Array, y_pred: Array) -> Array:
        return 100.0 * np.abs(y_pred - y_true) / np.maximum(np.abs(y_true), epsilon())  # type: ignore[no-any-return]

    def _slope(self, y_true: Array, y_pred: Array) -> Array:
        return 100.0 * np.sign(y_pred - y_true) / np.maximum(np.abs(y_true), epsilon())  # type: ignore[no-any-return]


@registry.register("loss", "msle", "MSLE")
class MeanSquaredLogarithmicError(_Elementwise):
    """Mean squared logarithmic error: loss = mean((log(1 + y_true) - log(1 + y_pred))^2), both at least epsilon.

    Example:
        >>> round(MeanSquaredLogarithmicError()([[1.0]], [[3.0]]), 6)
        0.480453
    """

    def _logs(self, y_true: Array, y_pred: Array) -> Array:
        return np.log1p(np.maximum(y_pred, epsilon())) - np.log1p(np.maximum(y_true, epsilon()))

    def _cost(self, y_true: Array, y_pred: Array) -> Array:
        return np.square(self._logs(y_true, y_pred))

    def _slope(self, y_true: Array, y_pred: Array) -> Array:
        above = y_pred > epsilon()
        return 2.0 * self._logs(y_true, y_pred) * above / (1.0 + np.maximum(y_pred, 0))


@registry.register("loss")
class Huber(_Elementwise):
    """Squares small errors and takes large ones as they are: e^2 / 2 up to delta, delta |e| - delta^2 / 2 beyond.

    Args:
        delta: Where one becomes the other.
        reduction: See `Loss`.
        name: Its name.
        dtype: See `Loss`.

    Source: Huber, "Robust Estimation of a Location Parameter", 1964.

    Example:
        >>> Huber()([[0.0, 0.0]], [[0.5, 3.0]])
        1.3125
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: str | None = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.delta = float(delta)

    def _cost(self, y_true: Array, y_pred: Array) -> Array:
        size = np.abs(y_pred - y_true)
        return np.where(size <= self.delta, 0.5 * size * size, self.delta * size - 0.5 * self.delta**2)  # type: ignore[no-any-return]

    def _slope(self, y_true: Array, y_pred: Array) -> Array:
        return np.clip(y_pred - y_true, -self.delta, self.delta)  # type: ignore[no-any-return]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "delta": self.delta}


@registry.register("loss")
class LogCosh(_Elementwise):
    """log(cosh(e)) of the error e: like e^2 / 2 for small errors, like |e| - log 2 for large ones.

    Example:
        >>> round(LogCosh()([[0.0]], [[1.0]]), 6)
        0.433781
    """

    def _cost(self, y_true: Array, y_pred: Array) -> Array:
        error = y_pred - y_true
        return np.logaddexp(error, -error) - math.log(2.0)  # type: ignore[no-any-return]

    def _slope(self, y_true: Array, y_pred: Array) -> Array:
        return np.tanh(y_pred - y_true)  # type: ignore[no-any-return]


@registry.register("loss")
class Poisson(_Elementwise):
    """For counts: loss = mean(y_pred - y_true log(y_pred + epsilon)), the Poisson likelihood without its constant.

    Example:
        >>> Poisson()([[1.0]], [[1.0]]).__round__(6)
        1.0
    """

    def _cost(self, y_true: Array, y_pred: Array) -> Array:
        return y_pred - y_true * np.log(y_pred + epsilon())  # type: ignore[no-any-return]

    def _slope(self, y_true: Array, y_pred: Array) -> Array:
        return 1.0 - y_true / (y_pred + epsilon())


@registry.register("loss")
class CosineSimilarity(AlongAxis):
    """The negated cosine of the angle between target and prediction: loss = -sum(t y) / (|t| |y|), from -1 to 1.

    Args:
        axis: The axis of the vectors; only the last one.
        reduction: See `Loss`.
        name: Its name.
        dtype: See `Loss`.

    Example:
        >>> round(CosineSimilarity()([[3.0, 4.0]], [[6.0, 8.0]]), 6)
        -1.0
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.axis = checked_axis(axis)

    def _unit(self, x: Array) -> tuple[Array, Array]:
        """The vectors at length 1, and what they were multiplied with."""
        with np.errstate(divide="ignore"):
            scale = np.minimum(1.0 / np.sqrt(np.sum(np.square(x), axis=-1, keepdims=True)), 1.0 / epsilon())
        scale = scale.astype(x.dtype)
        return x * scale, scale

    def call(self, y_true: Array, y_pred: Array) -> Array:
        y_true = np.asarray(y_true, y_pred.dtype)
        return cast(Array, -np.sum(self._unit(y_true)[0] * self._unit(y_pred)[0], axis=-1))

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        t, (y, scale) = self._unit(np.asarray(y_true, y_pred.dtype))[0], self._unit(y_pred)
        along = np.sum(t * y, axis=-1, keepdims=True) * (np.sum(y * y, axis=-1, keepdims=True) > 0.5)
        return (y * along - t) * scale  # type: ignore[no-any-return]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
