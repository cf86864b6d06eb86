"""Optimizers that give each parameter a step of its own size."""

from __future__ import annotations

from typing import Any

from multilayer import kernels, registry
from multilayer.functional import Array
from multilayer.optimizers.base import Optimizer, checked_epsilon, checked_share


@registry.register("optimizer")
class Adam(Optimizer):
    """Adam: steps by the running mean of the gradient over the root of the running mean of its square.

        m <- beta_1 m + (1 - beta_1) g,   v <- beta_2 v + (1 - beta_2) g^2
        w <- w - learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)

    Args:
        learning_rate: Size of a step.
        beta_1: How much of the mean of g is kept from step to step.
        beta_2: How much of the mean of g^2 is kept.
        epsilon: Keeps the quotient finite.
        name: Its name.

    Raises:
        ValueError: A number is out of range.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015.

    Example:
        >>> import numpy as np
        >>> w = np.array([1.0, 1.0])
        >>> Adam(learning_rate=0.1).step(np.array([5.0, -0.01]), w)
        >>> w.round(3)
        array([0.9, 1.1])
    """

    slots = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, name)
        self.beta_1 = checked_share("beta_1", beta_1)
        self.beta_2 = checked_share("beta_2", beta_2)
        self.epsilon = checked_epsilon(epsilon)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        kernels.adam_step(
            variable,
            gradient,
            self.state["momentum"],
            self.state["velocity"],
            self._work,
            learning_rate=learning_rate,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            step=self.iterations + 1,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


@registry.register("optimizer", "rmsprop")
class RMSprop(Optimizer):
    """RMSprop: steps by the gradient over the root of the running mean of its square.

        v <- rho v + (1 - rho) g^2,   w <- w - learning_rate g / sqrt(v + epsilon)

    Args:
        learning_rate: Size of a step.
        rho: How much of the mean of g^2 is kept from step to step.
        momentum: Share of the last step that is kept.
        epsilon: Keeps the quotient finite.
        centered: Whether to divide by the root of the variance (mean of g^2 less the square of the mean of g) instead.
        name: Its name.

    Raises:
        ValueError: A number is out of range.

    Source: Tieleman and Hinton, "Lecture 6.5: rmsprop", 2012.

    Example:
        >>> import numpy as np
        >>> w = np.array([1.0])
        >>> RMSprop(learning_rate=0.1, rho=0.0).step(np.array([5.0]), w)
        >>> w.round(3)
        array([0.9])
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, name)
        self.rho = checked_share("rho", rho)
        self.momentum = checked_share("momentum", momentum)
        self.epsilon = checked_epsilon(epsilon)
        self.centered = bool(centered)
        self.slots = (
            "velocity",
            *(("momentum",) if momentum else ()),
            *(("average_gradient",) if centered else ()),
        )

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        kernels.rmsprop_step(
            variable,
            gradient,
            self.state["velocity"],
            self._work,
            mean=self.state.get("average_gradient"),
            m=self.state.get("momentum"),
            learning_rate=learning_rate,
            rho=self.rho,
            momentum=self.momentum,
            epsilon=self.epsilon,
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
