"""Hinge losses: nothing to pay beyond a margin."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from multilayer._names import registry
from multilayer.functional import Array
from multilayer.losses.families import BuiltInLoss, ElementwiseLoss


def _positive(margin: Any) -> Any:
    """max(margin, 0), whose slope at the corner itself is that of the inside, as in Keras."""
    return np.where(margin < 0, 0.0, margin)


class _MarginLoss(ElementwiseLoss):
    """A loss of the margin 1 - t y, with targets t of -1 and 1; those that are all 0 or 1 are turned into them."""

    def _signs(self, y_true: Any) -> Any:
        return 2.0 * y_true - 1.0 if np.all((y_true == 0) | (y_true == 1)) else y_true

    def _margin(self, y_true: Array, y_pred: Array, signs: Array, out: Array) -> Array:
        """1 - t y in `out`, where t is written to `signs`."""
        np.copyto(signs, y_true, casting="same_kind")
        if np.all((signs == 0) | (signs == 1)):
            signs *= 2.0
            signs -= 1.0
        return np.subtract(1.0, np.multiply(signs, y_pred, out=out), out=out)


@registry.register("loss")
class Hinge(_MarginLoss):
    """Hinge loss: mean(max(0, 1 - t y)) with targets t of -1 and 1, gradient -t / k inside the margin.

    Targets that are all 0 or 1 are turned into -1 and 1.

    Example:
        >>> Hinge()([[0.0, 1.0]], [[0.5, 0.5]])
        1.0
    """

    factor = -1.0

    def costs(self, y_true: Any, y_pred: Any) -> Any:
        return _positive(1.0 - self._signs(y_true) * y_pred)

    def terms(self, y_true: Array, y_pred: Array, cost: Array, slope: Array) -> None:
        margin = self._margin(y_true, y_pred, slope, cost)
        slope *= margin >= 0  # at the corner itself the slope is that of the inside, as in Keras
        np.maximum(margin, 0.0, out=cost)


@registry.register("loss")
class SquaredHinge(_MarginLoss):
    """Squared hinge loss: mean(max(0, 1 - t y)^2) with targets t of -1 and 1, gradient -2 t max(0, 1 - t y) / k.

    Targets that are all 0 or 1 are turned into -1 and 1.

    Example:
        >>> SquaredHinge()([[0.0, 1.0]], [[0.5, 0.5]])
        1.25
    """

    factor = -2.0

    def costs(self, y_true: Any, y_pred: Any) -> Any:
        return np.square(_positive(1.0 - self._signs(y_true) * y_pred))

    def terms(self, y_true: Array, y_pred: Array, cost: Array, slope: Array) -> None:
        margin = self._margin(y_true, y_pred, slope, cost)
        np.maximum(margin, 0.0, out=cost)
        slope *= cost
        cost *= cost


@registry.register("loss")
class CategoricalHinge(BuiltInLoss):
    """Hinge loss for one-hot targets t: max(0, 1 + max((1 - t) y) - sum(t y)), the best wrong score against the right.

    Where several wrong scores are equally good, the gradient is shared among them.

    Example:
        >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]])
        0.75
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return cast(Array, _positive(self._margin(y_true, y_pred)))

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        others = (1.0 - y_true).astype(y_pred.dtype)
        scores = others * y_pred
        best = scores == scores.max(axis=-1, keepdims=True)
        gradient: Array = others * best / best.sum(axis=-1, keepdims=True, dtype=y_pred.dtype) - y_true
        gradient *= (self._margin(y_true, y_pred) >= 0)[..., None]
        return gradient

    def _margin(self, y_true: Array, y_pred: Array) -> Array:
        right = np.sum(y_true * y_pred, axis=-1)
        wrong = np.max((1.0 - y_true) * y_pred, axis=-1)
        return cast(Array, (wrong - right + 1.0).astype(y_pred.dtype))
