"""Hinge losses: nothing to pay beyond a margin."""

from __future__ import annotations

import numpy as np

from multilayer import registry
from multilayer.functional import Array
from multilayer.losses.base import BuiltIn


def _signs(y_true: Array, y_pred: Array) -> Array:
    """Targets as -1 and 1; those that are all 0 or 1 are turned into them."""
    t = np.asarray(y_true, y_pred.dtype)
    return 2.0 * t - 1.0 if np.all((t == 0) | (t == 1)) else t


@registry.register("loss")
class Hinge(BuiltIn):
    """Hinge loss: mean(max(0, 1 - t y)) with targets t of -1 and 1; targets of 0 and 1 are turned into them.

    Example:
        >>> Hinge()([[0.0, 1.0]], [[0.5, 0.5]])
        1.0
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return np.maximum(1.0 - _signs(y_true, y_pred) * y_pred, 0.0).mean(axis=-1)  # type: ignore[no-any-return]

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        t = _signs(y_true, y_pred)
        return -t * (1.0 - t * y_pred > 0) * (1.0 / y_pred.shape[-1])  # type: ignore[no-any-return]


@registry.register("loss")
class SquaredHinge(BuiltIn):
    """Squared hinge loss: mean(max(0, 1 - t y)^2).

    Example:
        >>> SquaredHinge()([[0.0, 1.0]], [[0.5, 0.5]])
        1.25
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return np.square(np.maximum(1.0 - _signs(y_true, y_pred) * y_pred, 0.0)).mean(axis=-1)  # type: ignore[no-any-return]

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        t = _signs(y_true, y_pred)
        return -t * np.maximum(1.0 - t * y_pred, 0.0) * (2.0 / y_pred.shape[-1])  # type: ignore[no-any-return]


@registry.register("loss")
class CategoricalHinge(BuiltIn):
    """Hinge loss for one-hot targets: max(0, 1 + the best wrong score - the right score).

    Example:
        >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]])
        0.75
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        right = np.sum(y_true * y_pred, axis=-1)
        wrong = np.max((1.0 - y_true) * y_pred, axis=-1)
        return np.maximum(wrong - right + 1.0, 0.0).astype(y_pred.dtype)  # type: ignore[no-any-return]

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        others = np.asarray(1.0 - y_true, y_pred.dtype)
        best = np.argmax(others * y_pred, axis=-1)[..., None]
        gradient = -np.asarray(y_true, y_pred.dtype)
        np.put_along_axis(
            gradient, best, np.take_along_axis(gradient, best, -1) + np.take_along_axis(others, best, -1), axis=-1
        )
        return gradient * (self.call(y_true, y_pred) > 0)[..., None]
