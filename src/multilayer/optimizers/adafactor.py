"""Adafactor: of a matrix, the mean squares of rows and columns stand for those of all numbers."""

from __future__ import annotations

import math
from typing import Any

from multilayer._checks.scalars import real_number
from multilayer._names import registry
from multilayer.functional import Array, adafactor_step
from multilayer.optimizers.base import Optimizer, checked_epsilon
from multilayer.optimizers.kept import Segment


@registry.register("optimizer")
class Adafactor(Optimizer):
    """Steps by the gradient over the root of its mean square, which of a matrix is known by rows and columns alone.

        beta_2 = 1 - t^beta_2_decay,   rate = min(learning_rate, 1 / sqrt(t))
        r <- beta_2 r + (1 - beta_2) mean of g^2 + epsilon_1 over each row,   c the same over each column
        v = r c / mean(r),   u = g / sqrt(v)
        w <- w - rate max(epsilon_2, rms(w)) u / max(1, rms(u) / clip_threshold)

    with rms the root of the mean square. A vector has a v of its own in the place of r and c.

    Args:
        learning_rate: The largest size of a step, in sizes of the weight.
        beta_2_decay: How quickly the means come to reach further back, less than 0.
        epsilon_1: Keeps the quotient finite.
        epsilon_2: The size that a weight is taken to have at least.
        clip_threshold: The largest root of the mean square that a step may have before it is scaled.
        relative_step: Accepted as Keras does, where it changes nothing: a rate is never more than 1 / sqrt(t).
        *options: Further arguments of every `Optimizer`, from `weight_decay` on.
        **named: The same by name.

    Source: Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018.

    Raises:
        ValueError: A number is out of range.

    Example:
        >>> import numpy as np
        >>> w = np.array([3.0, 4.0])
        >>> Adafactor(learning_rate=0.1).step(np.array([1.0, -2.0]), w)
        >>> w.round(4)
        array([2.6464, 4.3536])
    """

    slots = ("r", "c", "velocity")
    side_by_side = ("r", "c", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        *options: Any,
        **named: Any,
    ) -> None:
        super().__init__(learning_rate, *options, **named)
        self.beta_2_decay = float(real_number("beta_2_decay", beta_2_decay, below=0))
        self.epsilon_1 = checked_epsilon(epsilon_1, "epsilon_1")
        self.epsilon_2 = checked_epsilon(epsilon_2, "epsilon_2")
        self.clip_threshold = float(real_number("clip_threshold", clip_threshold, above=0, infinite=True))
        self.relative_step = bool(relative_step)

    def stored(self, slot: str, segment: Segment) -> Segment:
        """Where in a slot the numbers of a weight lie: r and c are shorter than it, and begin where it begins."""
        if slot not in ("r", "c"):
            return segment
        shape = segment.shape
        of_slot = () if len(shape) < 2 else shape[:-1] if slot == "r" else (*shape[:-2], shape[-1])
        start = segment.part.start or 0
        return segment._replace(part=slice(start, start + math.prod(of_slot)), shape=of_slot)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        t = int(self.iterations) + 1
        for segment in self._segments:
            factors = (self.stored(slot, segment) for slot in ("r", "c"))
            r, c = (self.state[slot][one.part].reshape(one.shape) for slot, one in zip("rc", factors, strict=True))
            factored = len(segment.shape) >= 2
            w, g, v = (
                vector[segment.part].reshape(segment.shape) for vector in (variable, gradient, self.state["velocity"])
            )
            adafactor_step(
                w,
                g,
                v,
                r if factored else None,
                c if factored else None,
                learning_rate=min(learning_rate, 1.0 / math.sqrt(t)),
                beta_2=1.0 - t**self.beta_2_decay,
                epsilon_1=self.epsilon_1,
                epsilon_2=self.epsilon_2,
                clip_threshold=self.clip_threshold,
            )

    def get_config(self) -> dict[str, Any]:
        own = "beta_2_decay epsilon_1 epsilon_2 clip_threshold relative_step"
        return {**super().get_config(), **{name: getattr(self, name) for name in own.split()}}
