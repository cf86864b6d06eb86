"""The losses of scikit-learn's regressor, with the gradients that it takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from multilayer.functional import Array
from multilayer.losses import Loss
from multilayer.losses.families import checked_nonnegative


class HalfSquaredError(Loss):
    """Half the mean squared error, loss = mean((y_pred - y_true)^2) / 2, with the gradient y_pred - y_true.

    With several targets that gradient is as many times the loss's own: so it is in scikit-learn, and a network that is
    to come out the same must step as far.

    Example:
        >>> HalfSquaredError()([[1.0, 2.0]], [[1.0, 4.0]])
        1.0
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        losses: Array = 0.5 * np.mean(np.square(y_pred - y_true), axis=-1)
        return losses

    def call_and_gradient(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        error = np.subtract(y_pred, y_true, out=out)
        losses = np.multiply(error, error, out=work).mean(axis=-1)
        losses *= 0.5
        return losses, error


class PoissonDeviance(Loss):
    """Half the Poisson deviance, loss = sum(t log(t / y) - t + y), of counts t and the rates y = exp(a) behind them.

    Behind the exponential its gradient is y - t, and no logarithm of a rate is taken that has been rounded to 0.

    Example:
        >>> PoissonDeviance()([[2.0]], [[2.0]])
        0.0
    """

    fuses = "exponential"

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:
        return checked_nonnegative(super().prepare(y_true, output_shape, dtype), "poisson")

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return self._of_logarithms(y_true, np.log(y_pred), y_pred)

    def call_and_gradient(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        gradient = np.subtract(1.0, np.divide(y_true, y_pred, out=work), out=out)
        return self.call(y_true, y_pred), gradient

    def call_fused(
        self,
        y_true: Array,
        a: Array,
        y_pred: Array,
        out: Array,
        losses: Array | None,  # noqa: ARG002
        scale: float | Array,
    ) -> tuple[Array, Array]:
        np.exp(a, out=y_pred)
        da = np.subtract(y_pred, y_true, out=out)
        da *= scale[..., None] if isinstance(scale, np.ndarray) else scale
        return self._of_logarithms(y_true, a, y_pred), da

    @staticmethod
    def _of_logarithms(y_true: Array, a: Array, y_pred: Array) -> Array:
        own = y_true * np.log(np.where(y_true > 0, y_true, 1.0))  # t log t, which is 0 for a count of 0
        losses: Array = np.sum(own - y_true * a - y_true + y_pred, axis=-1)
        return losses
