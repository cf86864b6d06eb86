"""Callbacks that end training early."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from multilayer.callbacks.base import Callback, Logs
from multilayer.registry import unknown


class EarlyStopping(Callback):
    """Ends training when a figure has stopped improving.

    Args:
        monitor: The figure to watch, as it is called in the logs.
        min_delta: The least change that counts as an improvement.
        patience: Number of epochs without improvement after which training ends.
        verbose: 1 announces what was done.
        mode: 'min', 'max', or 'auto': as the metric of that name has it; down for the loss.
        baseline: A value that the figure has to beat.
        restore_best_weights: Whether the weights of the best epoch are put back at the end.
        start_from_epoch: Number of epochs before watching starts.

    Raises:
        ValueError: `mode` is unknown.

    Example:
        >>> stop = EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        if mode not in ("auto", "min", "max"):
            raise unknown("mode", mode, ("auto", "min", "max"))
        self.monitor = monitor
        self.min_delta = abs(min_delta)
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: Any = None

    def _improves(self, value: float, reference: float | None) -> bool:
        if reference is None:
            return True
        upwards = self._direction() == "max"
        return value - self.min_delta > reference if upwards else value + self.min_delta < reference

    def _direction(self) -> str:
        """'max' or 'min'; raises ValueError where it is not given and the metric does not say."""
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return "min"
        for metric in self.model.metrics:
            if metric.name == name and metric.direction is not None:
                return "max" if metric.direction == "up" else "min"
        raise ValueError(
            f"EarlyStopping received monitor={self.monitor}, and cannot tell whether that metric should be maximized "
            "or minimized. Pass `mode='max'` in order to do early stopping based on the highest metric value, or pass "
            "`mode='min'` in order to use the lowest value."
        )

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Starts anew, so that one object serves several runs."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Looks at the figure, and ends training where patience is at its end."""
        self._direction()
        value = self._value(logs or {})
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if self._improves(value, self.best):
            self.best = value
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Puts the best weights back."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def _value(self, logs: Mapping[str, float]) -> float | None:
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"Early stopping conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {','.join(logs)}",
                stacklevel=2,
            )
        return value
