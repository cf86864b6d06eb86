"""Gradient descent, with and without momentum."""

from __future__ import annotations

from typing import Any

from multilayer._checks.scalars import is_real
from multilayer._core import kernels
from multilayer._language import tr
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.optimizers.base import Optimizer


@registry.register("optimizer")
class SGD(Optimizer):
    """Gradient descent: w <- w - learning_rate g.

    With momentum: m <- momentum m - learning_rate g, then w <- w + m, or, in Nesterov's form,
    w <- w + momentum m - learning_rate g.

    Args:
        learning_rate: Size of a step.
        momentum: Share of the last step that is kept, in [0, 1].
        nesterov: Whether to look ahead.
        *options: Further arguments of every `Optimizer`, from `weight_decay` on.
        **named: The same by name.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    Raises:
        ValueError: `momentum` is outside [0, 1].

    Example:
        >>> import numpy as np
        >>> w = np.array([1.0])
        >>> SGD(learning_rate=0.1).step(np.array([2.0]), w)
        >>> w
        array([0.8])
    """

    def __init__(
        self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, *options: Any, **named: Any
    ) -> None:
        super().__init__(learning_rate, *options, **named)
        if not is_real(momentum) or not 0 <= momentum <= 1:
            raise ValueError(
                tr("`momentum` must be a float between [0, 1]. Received: momentum={momentum!r}", momentum=momentum)
            )
        self.momentum = float(momentum)
        self.nesterov = bool(nesterov)
        self.slots = ("momentum",) if momentum else ()

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        if not self.momentum:
            kernels.sgd_step(variable, gradient, self._work, learning_rate=learning_rate)
            return
        kernels.momentum_step(
            variable,
            gradient,
            self.state["momentum"],
            self._work,
            learning_rate=learning_rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
