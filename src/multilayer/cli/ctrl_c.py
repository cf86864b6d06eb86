"""Ctrl-C during trainings that leave no backup: once ends them in good order, twice ends the program."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

from multilayer.callbacks import Callback, Logs


class Interruption(Callback):
    """While entered, the first Ctrl-C lets the current step finish and then ends `fit`; the second stops at once.

    Attributes:
        requested: Whether Ctrl-C was pressed.
        epoch: The epoch that is being trained, counted from 1.
        step: The number of its steps that were taken.
    """

    requested = False
    epoch = step = 0

    def __enter__(self) -> Interruption:
        self._previous = signal.signal(signal.SIGINT, self._request)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _request(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.requested = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Counts the epochs."""
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Counts the steps, and ends training after this one where that was asked for."""
        self.step = batch + 1
        self.model.stop_training |= self.requested

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Ends training after the validation where it was asked for during it."""
        self.model.stop_training |= self.requested

    @property
    def within_epoch(self) -> bool:
        """Whether training was ended with steps of an epoch left to take."""
        return self.requested and self.step < self.params["steps"]
