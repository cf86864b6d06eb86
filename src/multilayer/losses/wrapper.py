"""Plain functions as losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multilayer._names import registry, remembered
from multilayer._names.functions import OfFunction
from multilayer.functional import Array
from multilayer.losses.base import Loss, align


class LossFunctionWrapper(OfFunction, Loss):
    """A function of (y_true, y_pred), written with NumPy's functions or `ops`, as a loss: a tape differentiates it.

    Args:
        fn: Gives a loss for each sample, or one number for the batch.
        reduction: See `Loss`.
        name: Name; by default the function's.
        dtype: See `Loss`.
        **kwargs: Further arguments of the function.

    Example:
        >>> LossFunctionWrapper(lambda y_true, y_pred: np.mean(np.abs(y_pred - y_true) ** 3, axis=-1))([[0.0]], [[2.0]])
        8.0
    """

    by_tape = True
    kind = "loss"

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", type(fn).__name__).strip("<>"), reduction, dtype)
        self.fn = self.function = fn
        self._fn_kwargs = kwargs

    @property
    def function_alone(self) -> Callable[..., Any] | None:
        alone = LossFunctionWrapper(self.fn)
        return self.fn if type(self) is type(alone) and self._beside() == alone._beside() else None

    def _beside(self) -> dict[str, Any]:
        """What there is to say beside the function."""
        return {**super().get_config(), **self._fn_kwargs}

    def get_config(self) -> dict[str, Any]:
        if type(self) is not LossFunctionWrapper:  # a class of the user's, whose constructor knows its function
            made_with = vars(self).get(remembered.MADE_WITH, {})
            return {**made_with, **super().get_config()} if isinstance(made_with, dict) else super().get_config()
        return {**self._beside(), "fn": registry.described_function("loss", self.fn)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        if cls is not LossFunctionWrapper:
            return super().from_config(config)
        return cls(**{**config, "fn": registry.resolved("loss", config["fn"])})

    def call(self, y_true: Array, y_pred: Array) -> Array:
        y_true, y_pred = align(y_true, y_pred)
        losses: Any = self.fn(y_true, y_pred, **self._fn_kwargs)
        return np.asarray(losses) if isinstance(losses, (int, float)) else losses
