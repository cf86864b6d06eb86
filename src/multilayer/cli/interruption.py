"""Trainings that are broken off: by Ctrl-C or SIGTERM in good order, and by a loss that is no number any more."""

from __future__ import annotations

import math
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from multilayer._language import tr
from multilayer.callbacks import BackupAndRestore, Callback, Logs
from multilayer.cli.terminal import fail, note, reason, say

BACKUP_SECONDS = 10.0  # between two backups
_SHARE = 0.01  # of the time that backups may take
_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


@contextmanager
def terminable() -> Iterator[None]:
    """Within it, SIGTERM ends the program as Ctrl-C does, after everything is cleared away, with exit code 143."""
    previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


class Stop(NamedTuple):
    """What has broken off a training, and behind which step."""

    signal: int
    epoch: int
    step: int
    steps: int
    epochs: int

    def __str__(self) -> str:
        return tr(
            "Stopped by {names} after step {step} of {steps} in epoch {epoch} of {epochs}.",
            names=_NAMES[signal.Signals(self.signal)],
            step=self.step,
            steps=self.steps,
            epoch=self.epoch,
            epochs=self.epochs,
        )


class Backups(BackupAndRestore):
    """Backups every so many seconds, or less often where they take long; one before Ctrl-C and SIGTERM do their work.

    Args:
        folder: Where they are kept.

    Attributes:
        stop: What has broken off the training, once its backup is written, or None.
    """

    def __init__(self, folder: Path) -> None:
        # `save_freq=1` has every step ask `_is_due`, which looks at the clock instead of counting steps.
        super().__init__(folder, save_freq=1, delete_checkpoint=False, save_before_preemption=True, on_error="warn")
        self.stop: Stop | None = None
        self._next = math.inf

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Says where a run goes on, and begins to count the seconds."""
        super().on_train_begin(logs)
        place = self._run().position
        if place is not None:
            epoch, step = place
            after = (
                tr(
                    "after step {step} of {params} in epoch {epoch}",
                    step=step,
                    params=self.params["steps"],
                    epoch=epoch + 1,
                )
                if step
                else tr("with epoch {epoch}", epoch=epoch + 1)
            )
            say(tr("Going on {after}", after=after))
        self._next = time.monotonic() + BACKUP_SECONDS

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keeps, of a run that has come to its end, what it takes to go on with more epochs."""
        if epoch + 1 == self.params["epochs"] and not self._preemption.announced:
            self.save(epoch + 1, 0)
        super().on_epoch_end(epoch, logs)

    def _is_due(self) -> bool:
        return time.monotonic() >= self._next

    def save(self, epoch: int, step: int) -> None:
        """Writes a backup; where it cannot be written, the training is not ended by that."""
        begun = time.monotonic()
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            super().save(epoch, step)
        for warning in said:
            note(str(warning.message))
        now = time.monotonic()
        self._next = now + max(BACKUP_SECONDS, (now - begun) / _SHARE)
        if self._preemption.announced:
            steps, epochs = self.params["steps"], self.params["epochs"]
            self.stop = Stop(self._preemption.announced, epoch + bool(step), step or steps, steps, epochs)


class Snapshots(Callback):
    """Keeps the model and the history on disk while training runs: after an epoch, and as often as it costs little.

    Args:
        save: Writes them.
    """

    def __init__(self, save: Callable[[], None]) -> None:
        self._save = save
        self._next = 0.0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Writes them; where that fails, the training is not ended by it."""
        super().on_epoch_end(epoch, logs)
        begun = time.monotonic()
        if begun < self._next:
            return
        try:
            self._save()
        except OSError as error:
            note(
                tr(
                    "Cannot write the model after epoch {epoch}: {error}. Training goes on.",
                    epoch=epoch + 1,
                    error=reason(error),
                )
            )
        now = time.monotonic()
        self._next = now + (now - begun) / _SHARE


class Divergence(Callback):
    """Ends the command where the loss is no number any more: nothing good comes after that."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Takes note of the epoch."""
        super().on_epoch_begin(epoch, logs)
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Looks at the loss."""
        loss = (logs or {})["loss"]
        if not math.isfinite(loss):
            raise fail(
                tr(
                    "The loss is {loss} after step {batch} of epoch {epoch}: the steps are too large. Train "
                    "again with a smaller --learning-rate.",
                    loss=loss,
                    batch=batch + 1,
                    epoch=self.epoch + 1,
                )
            )
