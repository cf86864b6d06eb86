"""Learning rates that change from step to step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from multilayer._checks.arguments import listed
from multilayer._checks.scalars import real_number
from multilayer._names import naming, registry, remembered
from multilayer._names.custom_objects import custom_object_scope
from multilayer._names.reprs import config_repr
from multilayer._tracebacks import filter_traceback


class LearningRateSchedule(remembered.Remembering):
    """Base class: a callable from the number of steps taken to the learning rate of the next one.

    Example:
        >>> class Halving(LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.1 * 0.5**step
        >>> Halving()(2)
        0.025
    """

    _arguments: ClassVar[tuple[str, ...]] = ()

    def __call__(self, step: int) -> float:
        """The learning rate after so many steps."""
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return remembered.described(self, {argument: getattr(self, argument) for argument in self._arguments})

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """The schedule with these constructor arguments."""
        return remembered.made(cls, config)

    __repr__ = config_repr


class _Decay(LearningRateSchedule):
    """What decays at a rate share: p = step / decay_steps, or whole numbers of that where `staircase`."""

    _arguments = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool, name: str
    ) -> None:
        self.initial_learning_rate = real_number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = real_number("decay_steps", decay_steps, above=0)
        self.decay_rate = real_number("decay_rate", decay_rate, least=0)
        self.staircase = bool(staircase)
        self.name = naming.checked(name)

    def _periods(self, step: int) -> float:
        periods = int(step) / self.decay_steps
        return math.floor(periods) if self.staircase else float(periods)


@registry.register("schedule")
class ExponentialDecay(_Decay):
    """initial_learning_rate decay_rate^(step / decay_steps), with whole exponents where `staircase`.

    Example:
        >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20)
        0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: int) -> float:
        return float(self.initial_learning_rate * self.decay_rate ** self._periods(step))


@registry.register("schedule")
class InverseTimeDecay(_Decay):
    """initial_learning_rate / (1 + decay_rate step / decay_steps), with whole quotients where `staircase`.

    Example:
        >>> InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)(10)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: int) -> float:
        return float(self.initial_learning_rate / (1.0 + self.decay_rate * self._periods(step)))


@registry.register("schedule")
class PiecewiseConstantDecay(LearningRateSchedule):
    """The first value up to and with the first boundary, the next one up to the next, and so on.

    Args:
        boundaries: Numbers of steps, rising.
        values: Learning rates, one more than there are boundaries.
        name: Its name.

    Raises:
        ValueError: Their numbers do not fit.

    Example:
        >>> rate = PiecewiseConstantDecay([100, 200], [0.1, 0.05, 0.01])
        >>> rate(100), rate(101), rate(300)
        (0.1, 0.05, 0.01)
    """

    _arguments = ("boundaries", "values", "name")

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        boundaries = [real_number("boundaries", one) for one in listed("boundaries", boundaries)]
        values = [real_number("values", one) for one in listed("values", values)]
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of length {len(values)}."
            )
        self.boundaries, self.values = boundaries, values
        self.name = naming.checked(name)

    def __call__(self, step: int) -> float:
        return float(self.values[sum(int(step) > boundary for boundary in self.boundaries)])


@registry.register("schedule")
class PolynomialDecay(LearningRateSchedule):
    """(initial - end) (1 - step / decay_steps)^power + end, and end after decay_steps; or over and over where `cycle`.

    With `cycle`, each time the end is reached the decay goes on with as many more steps.

    Example:
        >>> PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)(5)
        0.05
    """

    _arguments = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = real_number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = real_number("decay_steps", decay_steps, above=0)
        self.end_learning_rate = real_number("end_learning_rate", end_learning_rate)
        self.power = real_number("power", power, least=0)
        self.cycle = bool(cycle)
        self.name = naming.checked(name)

    def __call__(self, step: int) -> float:
        times = math.ceil(int(step) / self.decay_steps) if self.cycle and step else 1
        steps = self.decay_steps * times
        share = min(int(step), steps) / steps
        span = self.initial_learning_rate - self.end_learning_rate
        return float(span * (1.0 - share) ** self.power + self.end_learning_rate)


def _cosine(share: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * share))


@registry.register("schedule")
class CosineDecay(LearningRateSchedule):
    """Falls along half a cosine, to alpha times where it started; after a warm-up that rises in a straight line.

    Args:
        initial_learning_rate: Where it starts.
        decay_steps: How many steps it falls.
        alpha: What is left in the end, as a share.
        name: Its name.
        warmup_target: Where the warm-up ends and the fall begins; None for no warm-up.
        warmup_steps: How many steps it rises.

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.

    Example:
        >>> rate = CosineDecay(0.0, decay_steps=10, warmup_target=0.1, warmup_steps=10)
        >>> rate(5), rate(10), round(rate(15), 6), rate(20)
        (0.05, 0.1, 0.05, 0.0)
    """

    _arguments = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate = real_number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = real_number("decay_steps", decay_steps, above=0)
        self.alpha = real_number("alpha", alpha)
        self.name = naming.checked(name)
        self.warmup_target = None if warmup_target is None else real_number("warmup_target", warmup_target)
        self.warmup_steps = real_number("warmup_steps", warmup_steps)

    def __call__(self, step: int) -> float:
        top, done = self.initial_learning_rate, float(step)
        if self.warmup_target is not None:
            if done < self.warmup_steps:
                return float(top + (self.warmup_target - top) * done / self.warmup_steps)
            top, done = self.warmup_target, done - self.warmup_steps
        share = min(done, self.decay_steps) / self.decay_steps
        return float(top * ((1.0 - self.alpha) * _cosine(share) + self.alpha))


@registry.register("schedule")
class CosineDecayRestarts(LearningRateSchedule):
    """Falls along half a cosine again and again, each time t_mul as long and from m_mul as high.

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.

    Example:
        >>> rate = CosineDecayRestarts(0.1, first_decay_steps=10)
        >>> rate(0), round(rate(5), 6), rate(10), round(rate(20), 6)
        (0.1, 0.05, 0.1, 0.05)
    """

    _arguments = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = real_number("initial_learning_rate", initial_learning_rate)
        self.first_decay_steps = real_number("first_decay_steps", first_decay_steps, above=0)
        self.t_mul = real_number("t_mul", t_mul, above=0)
        self.m_mul = real_number("m_mul", m_mul)
        self.alpha = real_number("alpha", alpha)
        self.name = naming.checked(name)

    def __call__(self, step: int) -> float:
        done = int(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            restarts = math.floor(done)
            share = done - restarts
        else:
            # The periods are a geometric series: solved for their number, with a little for logarithms' rounding.
            restarts = math.floor(math.log(1.0 - done * (1.0 - self.t_mul)) / math.log(self.t_mul) + 1e-12)
            length = self.t_mul**restarts
            share = (done - (1.0 - length) / (1.0 - self.t_mul)) / length
        fall = _cosine(share) * self.m_mul**restarts
        return float(self.initial_learning_rate * ((1.0 - self.alpha) * fall + self.alpha))


@registry.register("schedule")
class OneCycle(LearningRateSchedule):
    """Rises to max_learning_rate and falls far below where it started, once over the whole training.

    Args:
        max_learning_rate: The top.
        total_steps: Number of steps of the whole training.
        pct_start: Share of them that it rises.
        anneal: 'cos' for halves of a cosine, 'linear' for straight lines.
        div_factor: It starts at max_learning_rate / div_factor.
        final_div_factor: It ends at that divided by this.
        name: Its name.

    Source: Smith, "A disciplined approach to neural network hyper-parameters", 2018.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> rate = OneCycle(0.1, total_steps=101, div_factor=10.0, anneal="linear")
        >>> round(rate(0), 6), round(rate(15), 6), round(rate(29), 3), rate(100) < 1e-5
        (0.01, 0.056075, 0.099, True)
    """

    _arguments = (
        "max_learning_rate",
        "total_steps",
        "pct_start",
        "anneal",
        "div_factor",
        "final_div_factor",
        "name",
    )

    def __init__(
        self,
        max_learning_rate: float,
        total_steps: int,
        pct_start: float = 0.3,
        anneal: str = "cos",
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        name: str = "OneCycle",
    ) -> None:
        if anneal not in ("cos", "linear"):
            raise registry.unknown("anneal", anneal, ("cos", "linear"))
        self.max_learning_rate = real_number("max_learning_rate", max_learning_rate)
        self.total_steps = real_number("total_steps", total_steps, above=0)
        self.pct_start = real_number("pct_start", pct_start, least=0, most=1)
        self.anneal = anneal
        self.div_factor = real_number("div_factor", div_factor, above=0)
        self.final_div_factor = real_number("final_div_factor", final_div_factor, above=0)
        self.name = naming.checked(name)

    def __call__(self, step: int) -> float:
        start = self.max_learning_rate / self.div_factor
        top = self.pct_start * self.total_steps - 1.0
        last = self.total_steps - 1.0
        if step <= top:
            return self._between(start, self.max_learning_rate, int(step) / max(top, 1.0))
        share = (min(int(step), last) - top) / max(last - top, 1.0)
        return self._between(self.max_learning_rate, start / self.final_div_factor, share)

    def _between(self, a: float, b: float, share: float) -> float:
        left = _cosine(share) if self.anneal == "cos" else 1.0 - share
        return float(b + (a - b) * left)


def serialize(schedule: LearningRateSchedule) -> dict[str, Any]:
    """The schedule as a config that `deserialize` reads."""
    return registry.serialize(schedule)


@filter_traceback
def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> LearningRateSchedule:
    """The schedule that `serialize` described, with classes of your own by name."""
    with custom_object_scope(custom_objects):
        schedule: LearningRateSchedule = registry.deserialize("schedule", config)
        return schedule
