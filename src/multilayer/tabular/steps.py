"""The steps by which RealMLP learns: Adam with a learning rate for each sort of weight, and its schedules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from multilayer._checks.scalars import real_number, whole_number
from multilayer._core import kernels
from multilayer._names import registry
from multilayer._names.custom_objects import register_keras_serializable
from multilayer.functional import Array
from multilayer.optimizers import Adam
from multilayer.optimizers.schedules import LearningRateSchedule


class _Share(LearningRateSchedule):
    """A value times a function of the share of the steps that are done, t = step / steps."""

    _arguments = ("value", "steps")

    def __init__(self, value: float, steps: int) -> None:
        self.value = real_number("value", value)
        self.steps = whole_number("steps", steps, 1)

    def __call__(self, step: int) -> float:
        return self.value * self._at(min(int(step) / self.steps, 1.0))

    def _at(self, t: float) -> float:
        raise NotImplementedError


@register_keras_serializable("multilayer")
class CosineCycles(_Share):
    """Up from 0 and down again four times, each time taking twice as long: value (1 - cos(2 pi log2(1 + 15 t))) / 2.

    Args:
        value: The highest value.
        steps: Number of steps until t = 1.

    Raises:
        ValueError: `value` is no number, or `steps` no whole number of at least 1.

    Example:
        >>> rate = CosineCycles(0.04, steps=1500)
        >>> [round(rate(step), 3) for step in (0, 100, 300, 466, 700)]
        [0.0, 0.0, 0.0, 0.04, 0.0]
    """

    def _at(self, t: float) -> float:
        return 0.5 * (1.0 - math.cos(2.0 * math.pi * math.log2(1.0 + 15.0 * t)))


@register_keras_serializable("multilayer")
class FlatCosine(_Share):
    """The value for half of the steps, and then down to 0 on half a wave of a cosine.

    Args:
        value: The value.
        steps: Number of steps until it is 0.

    Raises:
        ValueError: `value` is no number, or `steps` no whole number of at least 1.

    Example:
        >>> rate = FlatCosine(0.5, steps=100)
        >>> rate(0), rate(50), round(rate(75), 3), rate(100)
        (0.5, 0.5, 0.25, 0.0)
    """

    def _at(self, t: float) -> float:
        return 1.0 if t <= 0.5 else 0.5 * (1.0 + math.cos(math.pi * (2.0 * t - 1.0)))


class _Part(NamedTuple):
    """A part of the vector of all weights, and what rate and decay are multiplied with there."""

    part: slice
    rate: float
    decay: float


@register_keras_serializable("multilayer")
class AdamByWeight(Adam):
    """Adam whose learning rate and decay are others for each sort of weight.

    For a weight with rate factor f and decay factor d, in this order,

        w <- w (1 - decay learning_rate f^2 d^2)
        m <- beta_1 m + (1 - beta_1) g,   v <- beta_2 v + (1 - beta_2) g^2
        w <- w - learning_rate f (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) + epsilon)

    The squares are what the networks were tuned with from which these numbers come. As in PyTorch, and not as in Keras,
    epsilon is added to the root of the corrected mean.

    Args:
        learning_rate: Size of a step: a number or a schedule.
        beta_1: How much of the mean of g is kept from step to step.
        beta_2: How much of the mean of g^2 is kept.
        epsilon: Keeps the quotient finite.
        decay: A number or a schedule; 0 for none.
        rate_factors: Factors of the learning rate by the names of weights, such as {'bias': 0.1}; 1 for any other.
        decay_factors: Factors of the decay, too, by names.
        **named: Further arguments of every `Optimizer`.

    Raises:
        ValueError: A number is out of range.

    Example:
        >>> import numpy as np
        >>> w = np.array([1.0])
        >>> AdamByWeight(0.1, decay=0.5, rate_factors={"bias": 0.1}).step(np.array([0.0]), w)
        >>> w
        array([0.95])
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.95,
        epsilon: float = 1e-8,
        decay: Any = 0.0,
        rate_factors: Mapping[str, float] | None = None,
        decay_factors: Mapping[str, float] | None = None,
        **named: Any,
    ) -> None:
        named.pop("amsgrad", None)
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **named)
        self.decayed_by = registry.deserialize("schedule", decay) if isinstance(decay, dict) else decay
        if not isinstance(self.decayed_by, LearningRateSchedule):
            self.decayed_by = real_number("decay", decay, least=0)
        self.rate_factors, self.decay_factors = (
            {name: real_number(what, value, least=0) for name, value in (given or {}).items()}
            for what, given in (("rate_factors", rate_factors), ("decay_factors", decay_factors))
        )

    def _parts(self) -> list[_Part]:
        """The vector in parts of equal factors, neighbours in one."""
        parts: list[_Part] = []
        for segment in self._segments:
            name = "" if segment.variable is None else segment.variable.name
            rate = self.rate_factors.get(name, 1.0)
            new = _Part(segment.part, rate, (rate * self.decay_factors.get(name, 1.0)) ** 2)
            if parts and parts[-1][1:] == new[1:] and parts[-1].part.stop == new.part.start:
                new = new._replace(part=slice(parts.pop().part.start, new.part.stop))
            parts.append(new)
        return parts

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        step = self.iterations + 1
        epsilon = self.epsilon * math.sqrt(1.0 - self.beta_2**step)  # Keras' formula corrects the quotient as a whole
        for part, rate, _ in self._parts():
            kernels.adam_step(
                variable[part],
                gradient[part],
                self.state["momentum"][part],
                self.state["velocity"][part],
                self._work[part],
                learning_rate=learning_rate * rate,
                beta_1=self.beta_1,
                beta_2=self.beta_2,
                epsilon=epsilon,
                step=step,
            )

    def decay(self, variable: Array, learning_rate: float) -> None:
        """Draws the weights towards 0."""
        by = self.decayed_by(self._batches) if isinstance(self.decayed_by, LearningRateSchedule) else self.decayed_by
        if not by * learning_rate:
            return
        for part, _, factor in self._parts():
            if factor:
                variable[part] *= 1.0 - by * learning_rate * factor

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["amsgrad"]
        by = self.decayed_by
        return {
            **config,
            "decay": registry.serialize(by) if isinstance(by, LearningRateSchedule) else by,
            "rate_factors": self.rate_factors,
            "decay_factors": self.decay_factors,
        }
