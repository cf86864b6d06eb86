"""Which learning rates a model can be trained with: the range test."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from multilayer._checks.scalars import whole_number
from multilayer._language import tr
from multilayer._training import random_sources, randomness
from multilayer.functional import Array
from multilayer.utils.splitting import arrays_of, for_each_array

if TYPE_CHECKING:
    from multilayer.models import Model

_MOMENTUM = 0.95  # of the running mean that says when the loss has blown up: single batches are noisy


class LearningRateRange(NamedTuple):
    """What a range test found.

    Attributes:
        rates: The learning rate of every step, float64.
        losses: The loss of each step's batch, before the step, float64.
    """

    rates: Array
    losses: Array

    def smoothed(self, momentum: float = 0.9) -> Array:
        """The losses without the noise of single batches: each step's is a mean over those before and after it.

        A loss k steps away has the weight momentum^k. A running mean over those before alone would lag behind, and show
        every fall at a rate that is too large. Losses far above the first ones count as an upper limit, so that a last
        batch that blew up does not reach back; after a loss that is no finite number nothing counts.

        Args:
            momentum: The weight of a neighbour, in [0, 1).

        Returns:
            As many numbers as there are finite losses before the first that is none.
        """
        finite = np.isfinite(self.losses)
        losses = self.losses[: len(finite) if finite.all() else int(np.argmin(finite))]
        if not len(losses):
            return losses
        first = losses[: max(3, len(losses) // 10)].max()
        steps = np.arange(len(losses))
        weights = momentum ** np.abs(steps[:, None] - steps)
        smooth: Array = weights @ np.minimum(losses, 2 * first - losses.min()) / weights.sum(axis=1)
        return smooth


class _RunningMean:
    """m <- momentum m + (1 - momentum) loss, divided by 1 - momentum^t as in Adam, for it starts at zero."""

    def __init__(self, momentum: float) -> None:
        self.momentum = momentum
        self._mean = 0.0
        self._power = 1.0

    def update(self, loss: float) -> float:
        self._mean = self.momentum * self._mean + (1 - self.momentum) * loss
        self._power *= self.momentum
        return self._mean / (1 - self._power)


def learning_rate_range_test(
    model: Model,
    x: Any,
    y: Any,
    start: float = 1e-7,
    end: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    *,
    blow_up: float = 4.0,
    seed: int = 0,
) -> LearningRateRange:
    """Takes steps with a learning rate that grows from each to the next, and notes the loss of every batch.

    The rate of step i is start (end / start)^(i / (steps - 1)). Where the rate is too small the loss stays as it is; it
    falls where the rate is right, and rises where it is too large. A good rate lies where the loss falls most steeply,
    well below where it begins to rise. See `plotting.learning_rate_range`.

    The test ends early when the loss is no finite number, or its running mean more than `blow_up` times the smallest so
    far. Afterwards weights, optimizer and random streams are what they were, so that training goes on as if nothing had
    happened.

    Args:
        model: A compiled model.
        x: Inputs, shape (n, ...), as `fit` takes them.
        y: Targets, shape (n, ...).
        start: The first rate, more than 0.
        end: The last rate, more than `start`.
        steps: Number of steps, at least 2; where they are more than there are batches, the samples come again.
        batch_size: Samples a step.
        blow_up: How many times the smallest running mean so far ends the test, more than 1.
        seed: Seed of the order of the samples.

    Returns:
        The rates and losses of the steps that were taken.

    Source: Smith, "Cyclical learning rates for training neural networks", 2017.

    Raises:
        ValueError: The model is not compiled, the data do not fit, or one of the numbers is out of its range.

    Example:
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((2,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.linspace(-1, 1, 64).reshape(32, 2)
        >>> found = learning_rate_range_test(model, x, x.sum(axis=1), steps=20, batch_size=8)
        >>> len(found.rates) == len(found.losses) <= 20
        True
    """
    if not 0 < start < end < math.inf:
        raise ValueError(
            tr("Expected learning rates 0 < start < end. Received: start={start}, end={end}", start=start, end=end)
        )
    whole_number("steps", steps, 2)
    whole_number("batch_size", batch_size, 1)
    if not blow_up > 1:
        raise ValueError(tr("`blow_up` must be more than 1. Received: blow_up={blow_up!r}", blow_up=blow_up))
    data = (_as_arrays(x), _as_arrays(y))
    lengths = sorted({len(array) for array in arrays_of(data)})
    if len(lengths) != 1 or lengths == [0]:
        raise ValueError(
            tr(
                "`x` and `y` must have the same number of samples, at least one. Received lengths: {lengths}",
                lengths=lengths,
            )
        )
    rates = start * (end / start) ** (np.arange(steps) / (steps - 1))
    losses: list[float] = []
    mean, smallest = _RunningMean(_MOMENTUM), math.inf
    if not model.built:
        model.predict_on_batch(
            for_each_array(data[0], lambda array: array[:1])
        )  # so that there are weights to put back
    with _untouched(model), np.errstate(over="ignore", invalid="ignore"):  # it ends where numbers do
        for rate, rows in zip(rates, _batches(lengths[0], batch_size, seed), strict=False):
            assert model.optimizer is not None  # compiled, as `_untouched` has seen
            model.optimizer.learning_rate = float(rate)
            batch_x, batch_y = for_each_array(data, itemgetter(rows))
            loss = float(model.train_on_batch(batch_x, batch_y, return_dict=True)["loss"])
            losses.append(loss)
            smooth = mean.update(loss)
            smallest = min(smallest, smooth)
            # More than `blow_up` times the smallest; as a difference, so that it also holds for losses below zero.
            if not math.isfinite(loss) or smooth - smallest > (blow_up - 1) * abs(smallest):
                break
    return LearningRateRange(rates[: len(losses)], np.array(losses))


def _as_arrays(value: Any) -> Any:
    """The value as an array, or its parts as arrays where it is a dict, or a list of arrays."""
    if isinstance(value, dict):
        return {key: _as_arrays(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)) and any(isinstance(part, np.ndarray) for part in value):
        return [_as_arrays(part) for part in value]
    return np.asarray(value)


def _batches(n: int, batch_size: int, seed: int) -> Iterator[Array]:
    """The rows of batch after batch, without end, in an order that is new in every pass."""
    generator = np.random.default_rng(seed)
    while True:
        order = generator.permutation(n)
        for begin in range(0, n, batch_size):
            yield order[begin : begin + batch_size]


@contextmanager
def _untouched(model: Model) -> Iterator[None]:
    """Puts weights, optimizer and random streams back afterwards."""
    optimizer = model.optimizer
    if optimizer is None or not model.compiled:
        raise ValueError(tr("You must call `compile()` before calling `learning_rate_range_test()`."))
    weights = model.get_weights()
    before = dict(vars(optimizer))
    slots = {slot: vector.copy() for slot, vector in optimizer.memory().items()}
    streams = [(source, randomness.position(source)) for source in random_sources.sources(model.layers)]
    try:
        yield
    finally:
        model.set_weights(weights)
        vars(optimizer).clear()
        vars(optimizer).update(before)
        memory = optimizer.memory()
        for slot, vector in slots.items():
            memory[slot][...] = vector
        for source, position in streams:
            randomness.move(source, position)
