"""LAMB: Adam's direction, in steps as long as each weight."""

from __future__ import annotations

from typing import Any

from multilayer._names import registry
from multilayer.functional import Array, lamb_step
from multilayer.optimizers.base import Optimizer, checked_decay_rate, checked_epsilon


@registry.register("optimizer")
class Lamb(Optimizer):
    """Takes the direction of Adam, and steps whose length is that of the weight: for large batches.

        m <- m + (1 - beta_1) (g - m),   v <- v + (1 - beta_2) (g^2 - v)
        u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon),   w <- w - learning_rate |w| / |u| u

    The lengths |w| and |u| are those of one kernel or bias each.

    Args:
        learning_rate: Length of a step, in lengths of the weight.
        beta_1: How much of the mean of g is kept from step to step.
        beta_2: How much of the mean of g^2 is kept.
        epsilon: Keeps the quotient finite.
        *options: Further arguments of every `Optimizer`, from `weight_decay` on.
        **named: The same by name.

    Source: You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", 2020.

    Raises:
        ValueError: A number is out of range.

    Example:
        >>> import numpy as np
        >>> w = np.array([3.0, 4.0])
        >>> Lamb(learning_rate=0.1).step(np.array([1.0, 1.0]), w)
        >>> w.round(4)
        array([2.6464, 3.6464])
    """

    slots = ("momentum", "velocity")
    side_by_side = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        *options: Any,
        **named: Any,
    ) -> None:
        super().__init__(learning_rate, *options, **named)
        self.beta_1 = checked_decay_rate("beta_1", beta_1)
        self.beta_2 = checked_decay_rate("beta_2", beta_2)
        self.epsilon = checked_epsilon(epsilon)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        for segment in self._segments:
            lamb_step(
                variable[segment.part],
                gradient[segment.part],
                self.state["momentum"][segment.part],
                self.state["velocity"][segment.part],
                learning_rate=learning_rate,
                beta_1=self.beta_1,
                beta_2=self.beta_2,
                epsilon=self.epsilon,
                step=int(self.iterations) + 1,
            )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
