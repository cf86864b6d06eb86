"""A training that goes on after its process was killed."""

from __future__ import annotations

import os
import warnings
from typing import Any

from multilayer import saving
from multilayer.callbacks import randomness
from multilayer.callbacks.base import Callback, Logs
from multilayer.callbacks.frequency import Frequency
from multilayer.functional import Array
from multilayer.optimizers import state

_NAME = "latest.npz"
_KIND = "backup"


class BackupAndRestore(Callback):
    """Keeps a backup of the training, so that the same program, started again after it was killed, goes on from there.

    The backup holds the weights, the optimizer's state and learning rate, how far the random streams of shuffling and
    of the layers have come, and the epoch. A run that goes on from the end of an epoch ends with the very numbers of
    one that was never interrupted. A backup from the middle of an epoch has the weights of that moment; the epoch is
    run again from its first batch, as in Keras. What other callbacks have counted (the patience of `EarlyStopping`) is
    not part of it.

    The file appears whole or not at all: it is written under another name and then renamed.

    Args:
        backup_dir: A folder for this training alone; it is made where it is missing.
        save_freq: 'epoch', or after every how many batches.
        double_checkpoint: Whether the backup before the last is kept, too, and used where the last is damaged.
        delete_checkpoint: Whether the backup is deleted once training has come to its end.

    Raises:
        ValueError: `backup_dir` is empty, or `save_freq` neither of the two; or, when training begins, the backup is of
            another model.
        OSError: The folder cannot be written.

    Example:
        >>> backup = BackupAndRestore("run/backup")
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        self.backup_dir = os.fspath(backup_dir)
        if not self.backup_dir:
            raise ValueError("Empty `backup_dir` argument passed")
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._frequency = Frequency(save_freq)
        self._epoch = 0
        self._path = os.path.join(self.backup_dir, _NAME)  # noqa: PTH118 - pathlib would slow down every import
        self._previous_path = f"{self._path}.bkp"
        if save_freq != "epoch":  # else nobody needs the figures of every batch
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    # --- When ---

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Goes on from the backup, where there is one."""
        found = self._read()
        if found is not None:
            self._restore(*found)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Takes note of the epoch."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Writes the backup, where epochs are what is counted."""
        if self.save_freq == "epoch":
            self._write(epoch + 1, 0)

    def _after_batch(self, batch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        if self._frequency.due():
            self._write(self._epoch, batch + 1)

    def on_train_end(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Deletes the backup: training has come to its end."""
        if not self.delete_checkpoint:
            return
        for path in (self._path, self._previous_path):
            if os.path.exists(path):  # noqa: PTH110
                os.remove(path)  # noqa: PTH107
        if os.path.isdir(self.backup_dir) and not os.listdir(self.backup_dir):  # noqa: PTH112, PTH208
            os.rmdir(self.backup_dir)  # noqa: PTH106

    # --- How ---

    def _write(self, epoch: int, batch: int) -> None:
        model = self.model
        numbers, slots = state.describe(model.optimizer, model.weights)
        config = {
            "kind": _KIND,
            "epoch": epoch,
            "batch": batch,
            "optimizer": numbers,
            "shuffling": None if model._shuffling is None else randomness.position(model._shuffling),
            "streams": [randomness.position(source) for source in randomness.sources(model.layers)],
        }
        os.makedirs(self.backup_dir, exist_ok=True)  # noqa: PTH103
        if self.double_checkpoint and os.path.exists(self._path):  # noqa: PTH110
            os.replace(self._path, self._previous_path)  # noqa: PTH105
        saving.write(self._path, config, {**{f"weights/{i}": v.value for i, v in enumerate(model.weights)}, **slots})

    def _read(self) -> tuple[dict[str, Any], dict[str, Array]] | None:
        """The last backup, or the one before, where the last is damaged or was never finished; None where none is."""
        if not os.path.exists(self._previous_path):  # noqa: PTH110
            return saving.read(self._path) if os.path.exists(self._path) else None  # noqa: PTH110
        try:
            return saving.read(self._path)
        except (FileNotFoundError, ValueError) as error:
            warnings.warn(f"Training goes on from the backup before the last: {error}", stacklevel=2)
            return saving.read(self._previous_path)

    def _restore(self, found: dict[str, Any], arrays: dict[str, Array]) -> None:
        model = self.model
        weights = [arrays[f"weights/{i}"] for i in range(sum(name.startswith("weights/") for name in arrays))]
        streams = list(randomness.sources(model.layers))
        try:
            if found.get("kind") != _KIND:
                raise ValueError("it is no backup of this class.")
            if len(streams) != len(found["streams"]):
                raise ValueError(f"it has {len(found['streams'])} random streams, the model has {len(streams)}.")
            model.set_weights(weights)
            if found["optimizer"] is not None and model.optimizer is not None:
                state.restore(model.optimizer, found["optimizer"], arrays, model.weights)
        except ValueError as error:
            raise ValueError(
                f"The backup in {self.backup_dir!r} does not fit this model: {error} Delete that folder to begin anew."
            ) from error
        for source, where in zip(streams, found["streams"], strict=True):
            randomness.move(source, where)
        if model._shuffling is not None and found["shuffling"] is not None:
            randomness.move(model._shuffling, found["shuffling"])
        model._initial_epoch = found["epoch"]
