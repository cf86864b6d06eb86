"""Callbacks that end training early."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from multilayer._checks.scalars import real_number
from multilayer._checks.states import ANYTHING, BEST, COUNT, Kind, require_arrays_like
from multilayer._language import tr
from multilayer._system.progress import say
from multilayer.callbacks.base import Callback, Logs
from multilayer.callbacks.monitor import MonitorCallback

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override


class EarlyStopping(MonitorCallback):
    """Ends training when a metric has stopped improving.

    Args:
        monitor: The metric to watch, as it is called in the logs.
        min_delta: The least change that counts as an improvement.
        patience: Number of epochs without improvement after which training ends.
        verbose: 1 announces what was done.
        mode: 'min', 'max', or 'auto': as the metric of that name has it; down for the loss.
        baseline: A value that the metric has to beat.
        restore_best_weights: Whether the weights of the best epoch are put back at the end.
        start_from_epoch: Number of epochs before watching starts.

    Raises:
        ValueError: `mode` is unknown.

    Example:
        >>> stop = EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
    """

    _gathered: Mapping[str, Kind] = {
        **dict.fromkeys(("wait", "stopped_epoch", "best_epoch"), COUNT),
        "best": BEST,
        "best_weights": ANYTHING,
    }

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
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = real_number("patience", patience, infinite=True)
        self.verbose = real_number("verbose", verbose)
        self.baseline = None if baseline is None else real_number("baseline", baseline, infinite=True)
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = real_number("start_from_epoch", start_from_epoch, infinite=True)
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights: Any = None

    @override
    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        if state["best_weights"] is not None:  # they go into the model at the end
            like = [weight.value for weight in self.model.weights]
            require_arrays_like(state["best_weights"], like, "EarlyStopping's best weights")

    @override
    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Starts anew, so that one object serves several runs."""
        self._reset()

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Looks at the metric, and ends training where patience is at its end."""
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

    @override
    def on_train_end(self, logs: Logs | None = None) -> None:
        """Puts the best weights back."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            say(tr("Epoch {stopped_epoch}: early stopping\n", stopped_epoch=self.stopped_epoch + 1))
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                say(
                    tr(
                        "Restoring model weights from the end of the best epoch: {best_epoch}.\n",
                        best_epoch=self.best_epoch + 1,
                    )
                )
            self.model.set_weights(self.best_weights)

    def _value(self, logs: Mapping[str, float]) -> float | None:
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                tr(
                    "Early stopping conditioned on metric `{monitor}` which is not available. Available "
                    "metrics are: {logs}",
                    monitor=self.monitor,
                    logs=",".join(logs),
                ),
                stacklevel=2,
            )
        return value


class TerminateOnNaN(Callback):
    """Ends training after the step with which the epoch's loss is no longer a finite number.

    Args:
        raise_error: Whether that raises an error, so that no other callback's `on_train_end` is called: a
            `BackupAndRestore` then keeps its backup.

    Raises:
        RuntimeError: The loss is NaN or infinite, and `raise_error` was asked for.

    Example:
        >>> guard = TerminateOnNaN()
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    @override
    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Looks at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                tr(
                    "NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. Terminating training "
                    "immediately.",
                    batch=batch,
                    loss=loss,
                )
            )
        say(tr("Batch {batch}: Invalid loss, terminating training\n", batch=batch))
        self.model.stop_training = True
