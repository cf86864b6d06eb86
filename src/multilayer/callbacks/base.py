"""What a callback is: hooks that the training loop calls at its events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multilayer._training.protocols import Logs as Logs
from multilayer._training.protocols import TrainedModel


class Callback:
    """Base class: override the hooks you need.

    One that gathers something in the course of a run gives it in `get_state`, and takes it in `set_state`, so that a
    run goes on after its process was killed (`BackupAndRestore`).

    Attributes:
        model: The model being trained. Setting `model.stop_training = True` ends training after the current step.
        params: A dict with `verbose`, `epochs` and `steps`.
        runs_last: Whether its hooks are called after those of all others; False but for what backs up the others.

    Example:
        >>> import numpy as np
        >>> from multilayer import Sequential, layers
        >>> class Announce(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(f"epoch {epoch}: {sorted(logs)}")
        >>> model = Sequential([layers.Input((4,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> _ = model.fit(np.ones((8, 4)), np.ones(8), epochs=2, verbose=0, callbacks=[Announce()])
        epoch 0: ['loss']
        epoch 1: ['loss']
    """

    params: dict[str, Any]
    model: TrainedModel
    runs_last = False

    def set_params(self, params: dict[str, Any]) -> None:
        """Receives `params`."""
        self.params = params

    def set_model(self, model: TrainedModel) -> None:
        """Receives the model."""
        self.model = model

    def get_state(self) -> dict[str, Any]:
        """What it has gathered since training began: numbers, text, None, arrays, and lists and dicts of them.

        `BackupAndRestore` writes it into every backup.
        """
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from what `get_state` gave in another process.

        Called once, after `on_train_begin`, and where the run goes on within an epoch, after `on_epoch_begin`.
        """

    def _check_state(self, state: Any) -> None:
        """Raises ValueError where this is nothing that `get_state` can have given; before training, and any change."""

    def _listen(self, hook: str, listener: Callable[..., None]) -> None:
        """Has a function called at a hook of this object alone.

        Hooks of single batches cost time wherever a class overrides them, for the logs have to be made: what needs them
        by some of its arguments alone listens only then.
        """
        setattr(self, hook, listener)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called once before training."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called once after training."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before each epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after each epoch and its validation, with the epoch's metrics."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each training step."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each training step, with the metrics of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before evaluation or validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after evaluation or validation, with its metrics."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each batch of evaluation or validation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each batch of evaluation or validation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called before prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called after prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each batch of prediction."""
