"""Optimizers that give each parameter a step of its own size."""

from __future__ import annotations

from typing import Any

from multilayer._core import kernels
from multilayer._names import registry
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
        amsgrad: Whether to divide by the root of the largest mean so far (Reddi et al., "On the Convergence of Adam and
            Beyond", 2018).
        *options: Further arguments of every `Optimizer`, from `weight_decay` on.
        **named: The same by name.

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

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        *options: Any,
        **named: Any,
    ) -> None:
        super().__init__(learning_rate, *options, **named)
        self.amsgrad = bool(amsgrad)
        self.slots = ("momentum", "velocity", *(("velocity_hat",) if amsgrad else ()))
        self.beta_1 = checked_share("beta_1", beta_1)
        self.beta_2 = checked_share("beta_2", beta_2)
        self.epsilon = checked_epsilon(epsilon)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        m, v = self.state["momentum"], self.state["velocity"]
        numbers: dict[str, Any] = {
            "learning_rate": learning_rate,
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "step": int(self.iterations) + 1,
        }
        if self.amsgrad:
            kernels.amsgrad_step(variable, gradient, m, v, self.state["velocity_hat"], self._work, **numbers)
        else:
            kernels.adam_step(variable, gradient, m, v, self._work, **numbers)

    def get_config(self) -> dict[str, Any]:
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon, "amsgrad": self.amsgrad}
        return {**super().get_config(), **own}


@registry.register("optimizer", "adamw")
class AdamW(Adam):
    """Adam with weight decay that its means know nothing of.

    Args:
        learning_rate: Size of a step.
        weight_decay: Before every step w <- w - learning_rate weight_decay w.
        beta_1: See `Adam`.
        beta_2: See `Adam`.
        epsilon: See `Adam`.
        amsgrad: See `Adam`.
        **named: Further arguments of every `Optimizer`.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.

    Raises:
        ValueError: A number is out of range, or `weight_decay` is None.

    Example:
        >>> import numpy as np
        >>> w = np.array([1.0])
        >>> AdamW(learning_rate=0.1, weight_decay=0.5).step(np.array([0.0]), w)
        >>> w
        array([0.95])
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **named: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError(
                "Argument `weight_decay` must be a float. Received: weight_decay=None. Use `Adam` for no decay."
            )
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **named)


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
        *options: Further arguments of every `Optimizer`, from `weight_decay` on.
        **named: The same by name.

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
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        *options: Any,
        **named: Any,
    ) -> None:
        super().__init__(learning_rate, *options, **named)
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
