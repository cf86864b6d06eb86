"""Adagrad and what grew out of it: the gradient over the root of its accumulated squares."""

from __future__ import annotations

from typing import Any

from multilayer._checks.scalars import real_number
from multilayer._core import kernels
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.optimizers.base import Optimizer, checked_decay_rate, checked_epsilon


@registry.register("optimizer")
class Adagrad(Optimizer):
    """Steps by the gradient over the root of the sum of its squares: v <- v + g^2, w <- w - rate g / sqrt(v + epsilon).

    Args:
        learning_rate: Size of a step.
        initial_accumulator_value: Where v starts, at least 0.
        epsilon: Keeps the quotient finite.
        *options: Further arguments of every `Optimizer`, from `weight_decay` on.
        **named: The same by name.

    Source: Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011.

    Example:
        >>> import numpy as np
        >>> w = np.array([1.0])
        >>> Adagrad(learning_rate=0.1, initial_accumulator_value=0.0).step(np.array([5.0]), w)
        >>> w.round(6)
        array([0.9])
    """

    slots = ("accumulator",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        *options: Any,
        **named: Any,
    ) -> None:
        super().__init__(learning_rate, *options, **named)
        self.initial_accumulator_value = float(
            real_number("initial_accumulator_value", initial_accumulator_value, least=0)
        )
        self.epsilon = checked_epsilon(epsilon)

    def initial_value(self, slot: str) -> float:
        return self.initial_accumulator_value if slot == "accumulator" else 0.0

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        kernels.adagrad_step(
            variable,
            gradient,
            self.state["accumulator"],
            self._work,
            learning_rate=learning_rate,
            epsilon=self.epsilon,
        )

    def get_config(self) -> dict[str, Any]:
        own = {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


@registry.register("optimizer")
class Adadelta(Optimizer):
    """Steps in the units of the steps before: the gradient over the root of its mean square, times that of the steps.

        v <- rho v + (1 - rho) g^2,   u = g sqrt(d + epsilon) / sqrt(v + epsilon)
        d <- rho d + (1 - rho) u^2,   w <- w - learning_rate u

    Args:
        learning_rate: Factor of a step; 1 in the paper.
        rho: How much of the means is kept from step to step.
        epsilon: Where the steps begin.
        *options: Further arguments of every `Optimizer`, from `weight_decay` on.
        **named: The same by name.

    Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.

    Example:
        >>> import numpy as np
        >>> w = np.array([1.0])
        >>> Adadelta(learning_rate=1.0).step(np.array([5.0]), w)
        >>> bool(w[0] < 1.0)
        True
    """

    slots = side_by_side = ("accumulated_grad", "accumulated_delta_var")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        *options: Any,
        **named: Any,
    ) -> None:
        super().__init__(learning_rate, *options, **named)
        self.rho = checked_decay_rate("rho", rho)
        self.epsilon = checked_epsilon(epsilon)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        kernels.adadelta_step(
            variable,
            gradient,
            self.state["accumulated_grad"],
            self.state["accumulated_delta_var"],
            self._work,
            learning_rate=learning_rate,
            rho=self.rho,
            epsilon=self.epsilon,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}


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
        self.rho = checked_decay_rate("rho", rho)
        self.momentum = checked_decay_rate("momentum", momentum)
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
