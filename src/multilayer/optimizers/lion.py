"""Lion: steps of one size, in the direction of a sign."""

from __future__ import annotations

from typing import Any

from multilayer._checks.scalars import real_number
from multilayer._core import kernels
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.optimizers.base import Optimizer, checked_decay_rate


@registry.register("optimizer")
class Lion(Optimizer):
    """Steps of one size in the direction of a sign: w <- w - learning_rate sign(beta_1 m + (1 - beta_1) g).

    Then m <- beta_2 m + (1 - beta_2) g.

    Args:
        learning_rate: Size of a step.
        beta_1: How much of the mean counts in the direction, in (0, 1].
        beta_2: How much of the mean is kept from step to step.
        *options: Further arguments of every `Optimizer`, from `weight_decay` on.
        **named: The same by name.

    Source: Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023.

    Example:
        >>> import numpy as np
        >>> w = np.array([1.0, 1.0])
        >>> Lion(learning_rate=0.25).step(np.array([5.0, -0.01]), w)
        >>> w
        array([0.75, 1.25])
    """

    slots = ("momentum",)

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, *options: Any, **named: Any
    ) -> None:
        super().__init__(learning_rate, *options, **named)
        self.beta_1 = float(real_number("beta_1", beta_1, above=0, most=1))
        self.beta_2 = checked_decay_rate("beta_2", beta_2)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        kernels.lion_step(
            variable,
            gradient,
            self.state["momentum"],
            self._work,
            learning_rate=learning_rate,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
