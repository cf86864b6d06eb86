"""Adam and its variants: running means of the gradient and of its square, or largest size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from multilayer._core import kernels
from multilayer._core.arena import Variable
from multilayer._language import tr
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.optimizers.base import Optimizer, checked_decay_rate, checked_epsilon
from multilayer.optimizers.kept import Kept


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

    side_by_side = ("momentum", "velocity")

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
        self.beta_1 = checked_decay_rate("beta_1", beta_1)
        self.beta_2 = checked_decay_rate("beta_2", beta_2)
        self.epsilon = checked_epsilon(epsilon)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        step: Callable[..., None] = kernels.adam_step
        means: tuple[Array, ...] = self.state["momentum"], self.state["velocity"]
        if self.amsgrad:
            step, means = kernels.amsgrad_step, (*means, self.state["velocity_hat"])
        step(
            variable,
            gradient,
            *means,
            self._work,
            learning_rate=learning_rate,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            step=self.iterations + 1,
        )

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
                tr("Argument `weight_decay` must be a float. Received: weight_decay=None. Use `Adam` for no decay.")
            )
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **named)


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

    slots = side_by_side = ("momentum", "norm")

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

    slots = side_by_side = ("momentum", "velocity")

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

    @property
    def variables(self) -> list[Variable]:
        """As those of any other, with the product of the momenta, which follows from the number of steps."""
        product = np.float32(self._product(int(self.iterations)))
        return [*super().variables, *([Kept(product, "product", lambda _: None)] if self.built else [])]

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
