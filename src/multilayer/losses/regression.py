"""Losses for amounts: how far a prediction is from a number."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.scalars import real_number
from multilayer._names import registry
from multilayer.config import epsilon
from multilayer.functional import Array
from multilayer.losses.families import ElementwiseLoss, LastAxisLoss, checked_axis, checked_nonnegative


def _sign(x: Array, out: Array) -> Array:
    """-1, 0 or 1, and NaN of NaN, as `np.sign`, which takes several times as long on long arrays."""
    np.greater(x, 0.0, out=out)
    out -= x < 0.0
    np.copyto(out, x, where=np.isnan(x))
    return out


@registry.register("loss", "mse", "MSE")
class MeanSquaredError(ElementwiseLoss):
    """Mean squared error: loss = mean((y_true - y_pred)^2), gradient 2 (y_pred - y_true) / k.

    Example:
        >>> MeanSquaredError()([[0.0, 1.0]], [[0.0, 0.0]])
        0.5
    """

    factor = 2.0

    def costs(self, y_true: Any, y_pred: Any) -> Any:
        return np.square(y_pred - y_true)

    def terms(self, y_true: Array, y_pred: Array, cost: Array, slope: Array) -> None:
        error = np.subtract(y_pred, y_true, out=slope)
        np.multiply(error, error, out=cost)


@registry.register("loss", "mae", "MAE")
class MeanAbsoluteError(ElementwiseLoss):
    """Mean absolute error: loss = mean(|y_true - y_pred|), gradient sign(y_pred - y_true) / k.

    Example:
        >>> MeanAbsoluteError()([[0.0, 1.0]], [[0.0, 0.0]])
        0.5
    """

    def costs(self, y_true: Any, y_pred: Any) -> Any:
        return np.abs(y_pred - y_true)

    def terms(self, y_true: Array, y_pred: Array, cost: Array, slope: Array) -> None:
        error = np.subtract(y_pred, y_true, out=cost)
        _sign(error, out=slope)
        np.abs(error, out=cost)


@registry.register("loss", "mape", "MAPE")
class MeanAbsolutePercentageError(ElementwiseLoss):
    """Mean absolute percentage error: loss = 100 mean(|y_true - y_pred| / |y_true|), with |y_true| at least epsilon.

    Example:
        >>> MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]])
        25.0
    """

    def costs(self, y_true: Any, y_pred: Any) -> Any:
        return 100.0 * np.abs(y_pred - y_true) / np.maximum(np.abs(y_true), epsilon())

    def terms(self, y_true: Array, y_pred: Array, cost: Array, slope: Array) -> None:
        _sign(np.subtract(y_pred, y_true, out=cost), out=slope)
        np.copyto(cost, y_true, casting="same_kind")
        slope /= np.maximum(np.abs(cost, out=cost), epsilon(), out=cost)
        slope *= 100.0
        np.subtract(y_pred, y_true, out=cost)
        cost *= slope


@registry.register("loss", "msle", "MSLE")
class MeanSquaredLogarithmicError(ElementwiseLoss):
    """Mean squared logarithmic error: loss = mean((log(1 + y_true) - log(1 + y_pred))^2), both at least epsilon.

    Negative numbers count as 0.

    Example:
        >>> round(MeanSquaredLogarithmicError()([[1.0]], [[3.0]]), 6)
        0.480453
    """

    factor = 2.0

    def costs(self, y_true: Any, y_pred: Any) -> Any:
        return np.square(np.log1p(np.maximum(y_pred, epsilon())) - np.log1p(np.maximum(y_true, epsilon())))

    def terms(self, y_true: Array, y_pred: Array, cost: Array, slope: Array) -> None:
        np.copyto(slope, y_true, casting="same_kind")
        log_true = np.log1p(np.maximum(slope, epsilon(), out=slope), out=slope)
        ratio = np.log1p(np.maximum(y_pred, epsilon(), out=cost), out=cost)
        ratio -= log_true
        np.maximum(y_pred, epsilon(), out=slope)
        slope += 1.0
        np.divide(ratio, slope, out=slope)
        slope *= y_pred >= epsilon()  # what was cut has no slope
        cost *= ratio


@registry.register("loss")
class Huber(ElementwiseLoss):
    """Squares small errors and takes large ones as they are: e^2 / 2 up to delta, delta |e| - delta^2 / 2 beyond.

    With c, the error e kept in [-delta, delta], both are c (e - c / 2), and c is the gradient.

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
        self.delta = float(real_number("delta", delta))

    def costs(self, y_true: Any, y_pred: Any) -> Any:
        error = y_pred - y_true
        kept = np.clip(error, -self.delta, self.delta)
        return kept * (error - 0.5 * kept)

    def terms(self, y_true: Array, y_pred: Array, cost: Array, slope: Array) -> None:
        np.subtract(y_pred, y_true, out=cost)
        half = np.multiply(np.clip(cost, -self.delta, self.delta, out=slope), 0.5, out=slope)
        cost -= half
        slope *= 2.0
        cost *= slope

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "delta": self.delta}


@registry.register("loss")
class LogCosh(ElementwiseLoss):
    """log(cosh(e)) of the error e: like e^2 / 2 for small errors, like |e| - log 2 for large ones; gradient tanh(e).

    It is computed as |e| + log((1 + exp(-2 |e|)) / 2), which neither overflows for large errors nor, written with
    expm1 and log1p, loses the small ones.

    Example:
        >>> round(LogCosh()([[0.0]], [[1.0]]), 6)
        0.433781
    """

    def costs(self, y_true: Any, y_pred: Any) -> Any:
        error = y_pred - y_true
        return np.logaddexp(error, -error) - math.log(2.0)

    def terms(self, y_true: Array, y_pred: Array, cost: Array, slope: Array) -> None:
        size = np.abs(np.subtract(y_pred, y_true, out=slope), out=slope)
        np.expm1(np.multiply(size, -2.0, out=cost), out=cost)
        cost *= 0.5
        np.log1p(cost, out=cost)
        cost += size
        np.tanh(np.subtract(y_pred, y_true, out=slope), out=slope)


@registry.register("loss")
class Poisson(ElementwiseLoss):
    """For counts: loss = mean(y_pred - y_true log(y_pred + epsilon)), the Poisson likelihood without its constant.

    Raises:
        ValueError: In training, a target is negative.

    Example:
        >>> Poisson()([[1.0]], [[1.0]]).__round__(6)
        1.0
    """

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:
        return checked_nonnegative(super().prepare(y_true, output_shape, dtype), self.name)

    def costs(self, y_true: Any, y_pred: Any) -> Any:
        return y_pred - y_true * np.log(y_pred + epsilon())

    def terms(self, y_true: Array, y_pred: Array, cost: Array, slope: Array) -> None:
        rate = np.add(y_pred, epsilon(), out=cost)
        np.divide(y_true, rate, out=slope)
        np.subtract(1.0, slope, out=slope)
        np.log(rate, out=cost)
        cost *= y_true
        np.subtract(y_pred, cost, out=cost)


@registry.register("loss")
class CosineSimilarity(LastAxisLoss):
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
        scale = 1.0 / np.sqrt(np.maximum(np.sum(np.square(x), axis=-1, keepdims=True), epsilon() ** 2))
        return x * scale, scale

    def call(self, y_true: Array, y_pred: Array) -> Array:
        y_true = y_true.astype(y_pred.dtype)
        return cast(Array, -np.sum(self._unit(y_true)[0] * self._unit(y_pred)[0], axis=-1))

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        t, (y, scale) = self._unit(np.asarray(y_true, y_pred.dtype))[0], self._unit(y_pred)
        along = np.sum(t * y, axis=-1, keepdims=True) * (np.sum(y * y, axis=-1, keepdims=True) > 0.5)
        gradient: Array = (y * along - t) * scale
        return gradient

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
