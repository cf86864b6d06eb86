"""What RealMLP's training has beside the loop of every model: whole batches, the best epoch, dropout that fades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multilayer._core import kernels
from multilayer.callbacks import Callback
from multilayer.callbacks.base import Logs
from multilayer.functional import Array
from multilayer.layers import Dropout
from multilayer.optimizers.schedules import LearningRateSchedule
from multilayer.utils import PyDataset

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override


class WholeBatches(PyDataset):
    """Rows in batches of one size, newly shuffled for every epoch; those that are left over wait for the next one.

    Args:
        xs: The inputs, (n, ...) each.
        y: The targets (n, k).
        sample_weight: Weights (n,), or None.
        batch_size: Rows a batch.
        generator: Where the order comes from.
    """

    def __init__(
        self,
        xs: Sequence[Array],
        y: Array,
        sample_weight: Array | None,
        batch_size: int,
        generator: np.random.Generator,
    ) -> None:
        super().__init__()
        self._arrays = [*xs, y, *(() if sample_weight is None else (sample_weight,))]
        self._inputs = len(xs)
        self.batch_size = min(batch_size, len(y))
        self._generator = generator
        self._order = generator.permutation(len(y))

    def __len__(self) -> int:
        return len(self._order) // self.batch_size

    def __getitem__(self, index: int) -> Any:
        rows = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        taken = [kernels.take_rows(one, rows, np.empty((len(rows), *one.shape[1:]), one.dtype)) for one in self._arrays]
        return (tuple(taken[: self._inputs]), *taken[self._inputs :])

    @override
    def on_epoch_end(self) -> None:
        """Another order for the next epoch."""
        self._order = self._generator.permutation(len(self._order))


class BestEpoch(Callback):
    """Keeps the weights of the epoch with the best value of a figure, of equal ones the last, and puts them back.

    Args:
        monitor: The figure, as it is called in the logs.
        highest: Whether the highest value is the best, and not the lowest.

    Attributes:
        epoch: That epoch, from 0; None before one has ended.
    """

    def __init__(self, monitor: str, highest: bool = False) -> None:
        self.monitor = monitor
        self.highest = highest
        self.epoch: int | None = None
        self._least = np.inf
        self._weights: list[Array] = []

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Looks at the figure."""
        value = (logs or {})[self.monitor] * (-1 if self.highest else 1)
        if value <= self._least:  # on few rows the errors of many epochs are equal: later ones were a little better
            self._least, self.epoch = value, epoch
            self._weights = self.model.get_weights()

    @override
    def on_train_end(self, logs: Logs | None = None) -> None:
        """Puts the best weights back."""
        if self._weights:
            self.model.set_weights(self._weights)


class StopWhen(Callback):
    """Ends training after the epoch for which a function says so.

    Args:
        stop: Called with the epoch's number, from 0, and its figures.
    """

    def __init__(self, stop: Callable[[int, dict[str, float]], bool]) -> None:
        self._stop = stop

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Asks."""
        if self._stop(epoch, dict(logs or {})):
            self.model.stop_training = True


class FadingDropout(Callback):
    """Sets the rate of all dropout before every step, by a schedule; afterwards it is what it was.

    Args:
        schedule: The rate by the number of steps taken.
        layers: The layers.
    """

    def __init__(self, schedule: LearningRateSchedule, layers: Sequence[Dropout]) -> None:
        self._schedule = schedule
        self._layers = list(layers)
        self._rates = [layer.rate for layer in self._layers]
        self._step = 0

    @override
    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Sets the rate."""
        rate = self._schedule(self._step)
        for layer in self._layers:
            layer.rate = rate
        self._step += 1

    @override
    def on_train_end(self, logs: Logs | None = None) -> None:
        """Sets it back."""
        for layer, rate in zip(self._layers, self._rates, strict=True):
            layer.rate = rate
