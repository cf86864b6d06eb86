"""Callbacks that set the learning rate, epoch by epoch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from multilayer._checks.arguments import function
from multilayer._checks.scalars import real_number
from multilayer._checks.states import BEST, COUNT, FINITE, Kind
from multilayer._language import tr
from multilayer._system.progress import say
from multilayer.callbacks.base import Callback, Logs
from multilayer.callbacks.monitor import MonitorCallback

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of every epoch, and adds it to the epoch's metrics.

    Args:
        schedule: `f(epoch, learning_rate)`: the rate for this epoch (counted from 0), from the one so far; a function
            of the epoch alone will do, too.
        verbose: 1 announces every rate.

    Raises:
        ValueError: The function gives something other than a float.

    Example:
        >>> halve = LearningRateScheduler(lambda epoch, rate: rate if epoch == 0 else 0.5 * rate)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule = function("schedule", schedule)
        self.verbose = real_number("verbose", verbose)

    @override
    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Sets the rate."""
        optimizer = _optimizer(self)
        rate = self._scheduled(epoch, float(optimizer.learning_rate))
        if not isinstance(rate, (float, np.floating)):
            raise ValueError(tr("The output of the `schedule` function should be a float. Got: {rate}", rate=rate))
        optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            say(
                tr(
                    "\nEpoch {epoch}: LearningRateScheduler setting learning rate to {rate}.\n",
                    epoch=epoch + 1,
                    rate=rate,
                )
            )

    def _scheduled(self, epoch: int, rate: float) -> Any:
        return self.schedule(epoch, rate) if _takes_two(self.schedule) else self.schedule(epoch)

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Adds the rate to the metrics."""
        if logs is not None:
            logs["learning_rate"] = float(_optimizer(self).learning_rate)


class ReduceLROnPlateau(MonitorCallback):
    """Reduces the learning rate when a metric has stopped improving.

    After `patience` epochs without improvement, learning_rate <- max(factor * learning_rate, min_lr). The rate is added
    to the epoch's metrics.

    Args:
        monitor: The metric to watch, as it is called in the logs.
        factor: What the rate is multiplied by, less than 1.
        patience: Number of epochs without improvement after which the rate is reduced.
        verbose: 1 announces every reduction.
        mode: 'min', 'max', or 'auto': as the metric of that name has it; down for the loss.
        min_delta: The least change that counts as an improvement.
        cooldown: Number of epochs after a reduction before watching goes on.
        min_lr: What the rate is never reduced below.

    Raises:
        ValueError: `factor` is not less than 1, or `mode` is unknown.

    Example:
        >>> reduce = ReduceLROnPlateau(monitor="val_loss", factor=0.2, patience=5, min_lr=0.001)
    """

    _gathered: Mapping[str, Kind] = {"best": BEST, "wait": COUNT, "cooldown_counter": FINITE}

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.factor = real_number("factor", factor)
        if self.factor >= 1.0:
            raise ValueError(
                tr("ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}", factor=factor)
            )
        self.patience = real_number("patience", patience, infinite=True)
        self.verbose = real_number("verbose", verbose)
        self.cooldown = real_number("cooldown", cooldown)
        self.min_lr = real_number("min_lr", min_lr)
        self._reset()

    def _reset(self) -> None:
        self.best = None
        self.wait = 0
        self.cooldown_counter: float = 0

    def in_cooldown(self) -> bool:
        """Whether the last reduction is so new that nothing is watched."""
        return self.cooldown_counter > 0

    @override
    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Starts anew, so that one object serves several runs."""
        self._reset()

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Looks at the metric, and reduces the rate where patience is at its end."""
        self._direction()
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(_optimizer(self).learning_rate)
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                tr(
                    "Learning rate reduction is conditioned on metric `{monitor}` which is not available. "
                    "Available metrics are: {logs}.",
                    monitor=self.monitor,
                    logs=",".join(logs),
                ),
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._improves(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = _optimizer(self)
        old = float(optimizer.learning_rate)
        if old <= self.min_lr:
            return
        optimizer.learning_rate = max(old * self.factor, self.min_lr)
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose > 0:
            new = optimizer.learning_rate
            say(tr("\nEpoch {epoch}: ReduceLROnPlateau reducing learning rate to {new}.\n", epoch=epoch + 1, new=new))


def _optimizer(callback: Callback) -> Any:
    optimizer = callback.model.optimizer
    if optimizer is None:
        raise ValueError(
            tr("{kind} needs a compiled model, whose optimizer has a learning rate.", kind=type(callback).__name__)
        )
    return optimizer


def _takes_two(schedule: Callable[..., float]) -> bool:
    """Whether the function can be called with an epoch and a rate."""
    import inspect

    try:
        inspect.signature(schedule).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a function in C that does not say
        return True
    return True
