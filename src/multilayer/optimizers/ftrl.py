"""FTRL: follow the regularized leader."""

from __future__ import annotations

from typing import Any

from multilayer._checks.scalars import is_real, real_number
from multilayer._names import registry
from multilayer.functional import Array, ftrl_step
from multilayer.optimizers.base import Optimizer


@registry.register("optimizer")
class Ftrl(Optimizer):
    """Sets the weights to where all gradients so far and penalties are least: for wide, sparse models.

        n' = n + g^2,   z <- z + g - (n'^-power - n^-power) / learning_rate w
        w <- (clip(z, -l1, l1) - z) / (n'^-power / learning_rate + 2 l2)

    A weight is what its gradients say, not where it was: one without any goes to 0. A step with a learning rate of 0
    leaves everything as it is.

    Args:
        learning_rate: Size of a step.
        learning_rate_power: The power, at most 0; with 0 the learning rate stays as it is.
        initial_accumulator_value: Where n starts, at least 0.
        l1_regularization_strength: l1, at least 0: the larger, the more weights are exactly 0.
        l2_regularization_strength: l2, at least 0.
        l2_shrinkage_regularization_strength: Factor of a penalty on the square of w, at least 0, whose gradient is
            added to z.
        beta: Makes the first steps smaller: beta / (2 learning_rate) is added to l2.
        *options: Further arguments of every `Optimizer`, from `weight_decay` on.
        **named: The same by name.

    Source: McMahan et al., "Ad Click Prediction: a View from the Trenches", 2013.

    Raises:
        ValueError: A number is out of range.

    Example:
        >>> import numpy as np
        >>> w = np.array([1.0, 1.0])
        >>> Ftrl(learning_rate=0.5, l1_regularization_strength=2.0).step(np.array([5.0, 1.0]), w)
        >>> w.round(3)
        array([0.238, 0.   ])
    """

    slots = ("accumulator", "linear")
    side_by_side = ("accumulator", "linear")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        *options: Any,
        **named: Any,
    ) -> None:
        super().__init__(learning_rate, *options, **named)
        self.learning_rate_power = -_at_least_zero("learning_rate_power", learning_rate_power, -1.0)
        self.initial_accumulator_value = _at_least_zero("initial_accumulator_value", initial_accumulator_value)
        self.l1_regularization_strength = _at_least_zero("l1_regularization_strength", l1_regularization_strength)
        self.l2_regularization_strength = _at_least_zero("l2_regularization_strength", l2_regularization_strength)
        self.l2_shrinkage_regularization_strength = _at_least_zero(
            "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength
        )
        self.beta = float(real_number("beta", beta))

    def initial_value(self, slot: str) -> float:
        return self.initial_accumulator_value if slot == "accumulator" else 0.0

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        if not learning_rate:  # the end of a schedule; the formula divides by it
            return
        ftrl_step(
            variable,
            gradient,
            self.state["accumulator"],
            self.state["linear"],
            self._work,
            learning_rate=learning_rate,
            power=self.learning_rate_power,
            l1=self.l1_regularization_strength,
            l2=self.l2_regularization_strength + self.beta / (2.0 * learning_rate),
            shrinkage=self.l2_shrinkage_regularization_strength,
        )

    def get_config(self) -> dict[str, Any]:
        own = (
            "learning_rate_power initial_accumulator_value l1_regularization_strength l2_regularization_strength "
            "l2_shrinkage_regularization_strength beta"
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in own.split()}}


def _at_least_zero(name: str, value: Any, sign: float = 1.0) -> float:
    """A number times the sign; raises ValueError where that is less than 0."""
    if not is_real(value) or not sign * value >= 0:
        wanted = "positive or zero" if sign > 0 else "negative or zero"
        raise ValueError(f"`{name}` needs to be {wanted}. Received: {name}={value!r}.")
    return sign * float(value) + 0.0  # no -0.0, which a config would show
