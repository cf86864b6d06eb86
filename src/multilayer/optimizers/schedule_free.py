"""Adam without a schedule of the learning rate: gradients are taken beside the mean of the path."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer._checks.scalars import whole_number
from multilayer._names import registry
from multilayer.functional import Array, schedule_free_adamw_step
from multilayer.optimizers.base import Optimizer, checked_decay_rate, checked_epsilon


@registry.register("optimizer", "schedulefreeadamw")
class ScheduleFreeAdamW(Optimizer):
    """Takes Adam's steps from z, whose mean over all steps is x, and keeps the weights between: needs no schedule.

        v <- v + (1 - beta_2) (g^2 - v),   z <- z - learning_rate g / (sqrt(v / (1 - beta_2^t)) + epsilon)
        x <- x + (z - x) / t,   w = (1 - beta_1) z + beta_1 x

    As in Keras, the weights stay at w when training ends.

    Args:
        learning_rate: Size of a step.
        beta_1: How near to the mean x gradients are taken, more than 0 and less than 1.
        beta_2: How much of the mean of g^2 is kept from step to step.
        epsilon: Keeps the quotient finite.
        warmup_steps: Number of steps over which the learning rate grows to its size.
        *options: Further arguments of every `Optimizer`, from `weight_decay` on.
        **named: The same by name.

    Source: Defazio et al., "The Road Less Scheduled", 2024.

    Raises:
        ValueError: A number is out of range.

    Example:
        >>> import numpy as np
        >>> w = np.array([1.0])
        >>> ScheduleFreeAdamW(learning_rate=0.1).step(np.array([5.0]), w)
        >>> w.round(4)
        array([0.9])
    """

    slots = ("momentum", "velocity")
    side_by_side = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        *options: Any,
        **named: Any,
    ) -> None:
        super().__init__(learning_rate, *options, **named)
        self.beta_1 = checked_decay_rate("beta_1", beta_1)
        if not self.beta_1:
            raise ValueError(f"`beta_1` must be more than 0: the mean is found by it. Received: beta_1={beta_1!r}")
        self.beta_2 = checked_decay_rate("beta_2", beta_2)
        self.epsilon = checked_epsilon(epsilon)
        self.warmup_steps = whole_number("warmup_steps", warmup_steps, 0)

    def initial_values(self, slot: str, values: Array) -> Array:
        """The steps of z, Keras' momentum, begin where the weights are."""
        return np.array(values) if slot == "momentum" else super().initial_values(slot, values)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        t = int(self.iterations) + 1
        warm = min(t / self.warmup_steps, 1.0) if self.warmup_steps else 1.0
        schedule_free_adamw_step(
            variable,
            gradient,
            self.state["momentum"],
            self.state["velocity"],
            self._work,
            learning_rate=learning_rate * warm,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            step=t,
        )

    def get_config(self) -> dict[str, Any]:
        own = "beta_1 beta_2 epsilon warmup_steps"
        return {**super().get_config(), **{name: getattr(self, name) for name in own.split()}}
