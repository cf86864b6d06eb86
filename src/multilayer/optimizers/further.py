"""Optimizers that are asked for less often."""

from __future__ import annotations

from typing import Any

from multilayer._core import kernels
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.optimizers.base import Optimizer, checked_epsilon, checked_share


@registry.register("optimizer")
class Adamax(Optimizer):
    """Adam with the largest size of the gradient in the place of the root of its mean square.

        m <- m + (1 - beta_1) (g - m),   u <- max(beta_2 u, |g|)
        w <- w - learning_rate / (1 - beta_1^t) m / (u + epsilon)

    Args:
        learning_rate: Size of a step.
        beta_1: How much of the mean of g is kept from step to step.
        beta_2: How much of the largest size is kept.
        epsilon: Keeps the quotient finite.
        *options: Further arguments of every `Optimizer`, from `weight_decay` on.
        **named: The same by name.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, section 7.1.

    Example:
        >>> import numpy as np
        >>> w = np.array([1.0])
        >>> Adamax(learning_rate=0.1).step(np.array([5.0]), w)
        >>> w.round(6)
        array([0.9])
    """

    slots = ("momentum", "norm")

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
        self.beta_1 = checked_share("beta_1", beta_1)
        self.beta_2 = checked_share("beta_2", beta_2)
        self.epsilon = checked_epsilon(epsilon)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        kernels.adamax_step(
            variable,
            gradient,
            self.state["momentum"],
            self.state["norm"],
            self._work,
            learning_rate=learning_rate,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            step=int(self.iterations) + 1,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


@registry.register("optimizer")
class Nadam(Optimizer):
    """Adam that looks ahead along its momentum, which follows the schedule mu_t = beta_1 (1 - 0.96^t / 2).

        m <- m + (1 - beta_1) (g - m),   v <- v + (1 - beta_2) (g^2 - v)
        m_hat = mu_{t+1} m / (1 - mu_1 ... mu_{t+1}) + (1 - mu_t) g / (1 - mu_1 ... mu_t)
        w <- w - learning_rate m_hat / (sqrt(v / (1 - beta_2^t)) + epsilon)

    Args:
        learning_rate: Size of a step.
        beta_1: How much of the mean of g is kept from step to step.
        beta_2: How much of the mean of g^2 is kept.
        epsilon: Keeps the quotient finite.
        *options: Further arguments of every `Optimizer`, from `weight_decay` on.
        **named: The same by name.

    Source: Dozat, "Incorporating Nesterov Momentum into Adam", 2016.

    Example:
        >>> import numpy as np
        >>> w = np.array([1.0])
        >>> Nadam(learning_rate=0.1).step(np.array([5.0]), w)
        >>> bool(0.8 < w[0] < 1.0)
        True
    """

    slots = ("momentum", "velocity")

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
        self.beta_1 = checked_share("beta_1", beta_1)
        self.beta_2 = checked_share("beta_2", beta_2)
        self.epsilon = checked_epsilon(epsilon)

    def _product(self, steps: int) -> float:
        """mu_1 ... mu_steps; a few hundred factors, as it is 0 for all purposes from there on."""
        product = 1.0
        for t in range(1, min(steps, 2000) + 1):
            product *= self._mu(t)
        return product

    def _mu(self, t: int) -> float:
        return self.beta_1 * (1.0 - 0.5 * 0.96**t)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        t = int(self.iterations) + 1
        if getattr(self, "_product_of", (None, 1.0))[0] != t - 1:
            self._product_of = (t - 1, self._product(t - 1))  # after `iterations` was set
        product = self._product_of[1] * self._mu(t)
        self._product_of = (t, product)
        kernels.nadam_step(
            variable,
            gradient,
            self.state["momentum"],
            self.state["velocity"],
            self._work,
            m_factor=learning_rate * self._mu(t + 1) / (1.0 - product * self._mu(t + 1)),
            g_factor=learning_rate * (1.0 - self._mu(t)) / (1.0 - product),
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            step=t,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


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
        self.initial_accumulator_value = float(initial_accumulator_value)
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

    slots = ("accumulated_grad", "accumulated_delta_var")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        *options: Any,
        **named: Any,
    ) -> None:
        super().__init__(learning_rate, *options, **named)
        self.rho = checked_share("rho", rho)
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
        if not 0 < beta_1 <= 1:
            raise ValueError(f"Argument `beta_1` must be in the [0, 1] range. Received: beta_1={beta_1}")
        self.beta_1 = float(beta_1)
        self.beta_2 = checked_share("beta_2", beta_2)

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
