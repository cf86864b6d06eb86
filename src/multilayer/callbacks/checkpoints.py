"""Models in files, on the way."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from multilayer._checks.arguments import file_name
from multilayer._checks.scalars import real_number
from multilayer._checks.states import COUNT, require_entries
from multilayer._containers.names import check_model_name, check_weights_name
from multilayer._language import tr
from multilayer._system.atomic import make_folder, require_replaceable, try_folder
from multilayer._system.progress import say
from multilayer.callbacks.base import Logs
from multilayer.callbacks.faults import check_on_error, has_finite_weights, writing
from multilayer.callbacks.frequency import Frequency
from multilayer.callbacks.monitor import MonitorCallback

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after every epoch or every so many batches.

    Args:
        filepath: The file, '.keras' or '.npz' for models, '.weights.h5' or '.weights.npz' for weights. It may name the
            epoch, counted from 1, and metrics: 'run/{epoch:02d}-{val_loss:.2f}.keras'; and the batch, where `save_freq`
            is a number. Folders that are missing are made.
        monitor: The metric that says which model is best.
        verbose: 1 announces every file.
        save_best_only: Whether only a model that is better than all before is saved.
        save_weights_only: Whether `Model.save_weights` writes the file, rather than `Model.save`.
        mode: 'min', 'max', or 'auto': as the metric of that name has it; down for the loss.
        save_freq: 'epoch', or after every how many batches. After a batch the metrics are those of the epoch so far.
        initial_value_threshold: The value that has to be beaten by the first model to be saved.
        on_error: 'raise': a file that cannot be written ends the training; 'warn': it goes on with a warning. What was
            there is whole in either case.

    A model whose weights are no finite numbers any more is not saved: a warning says so, and the last good one stays.

    Raises:
        ValueError: The file's name has another ending, `save_freq` is neither of the two, or `mode` is unknown.
        KeyError: The file's name asks for a metric that there is not.
        OSError: The folder cannot be written to: when training begins, or, with a full disk, later.

    Example:
        >>> best = ModelCheckpoint("run/best.keras", monitor="val_accuracy", save_best_only=True)
        >>> every = ModelCheckpoint("run/{epoch:02d}-{val_loss:.2f}.weights.h5", save_weights_only=True)
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        on_error: str = "raise",
    ) -> None:
        threshold = initial_value_threshold
        super().__init__(
            monitor,
            mode,
            None if threshold is None else real_number("initial_value_threshold", threshold, infinite=True),
        )
        self.filepath = file_name("filepath", filepath)
        self.verbose = real_number("verbose", verbose)
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        check_on_error(on_error)
        self.save_freq = save_freq
        self.on_error = on_error
        self._epoch = 0
        self._frequency = Frequency(save_freq)
        if save_weights_only:
            check_weights_name(self.filepath)
        else:
            check_model_name(self.filepath)
        if save_freq != "epoch":  # else nobody needs the metrics of every batch
            self._listen("on_train_batch_end", self._after_batch)

    @override
    def get_state(self) -> dict[str, Any]:
        return {**super().get_state(), "seen": self._frequency.seen}

    @override
    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)  # which checks all of it
        self._frequency.seen = state["seen"]

    @override
    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        require_entries(state, "ModelCheckpoint", {"seen": COUNT})

    @override
    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Finds out whether files can be written, and hold the model; a folder named by metrics is made later."""
        folder, _ = os.path.split(self.filepath)
        if "{" not in folder:
            with writing(tr("ModelCheckpoint cannot write its files")):
                try_folder(folder)
                if "{" not in self.filepath:
                    require_replaceable(self.filepath)
        if not self.save_weights_only:
            self.model.require_describable("ModelCheckpoint")

    @override
    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Takes note of the epoch."""
        self._epoch = epoch

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Saves, where epochs are what is counted."""
        if self.save_best_only:
            self._direction()
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _after_batch(self, batch: int, logs: Logs | None = None) -> None:
        if self._frequency.due():
            self._save(self._epoch, batch, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        path = self._path(epoch, batch, logs)
        if not self._wants(epoch, logs, path):
            return
        if os.path.isdir(path):  # noqa: PTH112 - `Path.is_dir` may raise: saving does, and says what helps
            raise IsADirectoryError(
                tr(
                    "Please specify a non-directory filepath for ModelCheckpoint. Filepath used is an existing "
                    "directory: {path}",
                    path=path,
                )
            )
        if not has_finite_weights(self.model):
            warnings.warn(
                tr(
                    "The weights hold NaN or infinity in epoch {epoch}: the model is not saved to {path!r}. A "
                    "smaller learning rate or `clipnorm` may help.",
                    epoch=epoch + 1,
                    path=path,
                ),
                stacklevel=2,
            )
            return
        with writing(tr("ModelCheckpoint cannot save the model"), self.on_error):
            folder, _ = os.path.split(path)
            if folder:
                make_folder(folder)
            if self.save_weights_only:
                self.model.save_weights(path, overwrite=True)
            else:
                self.model.save(path, overwrite=True)
            value = logs.get(self.monitor)
            if self.save_best_only and value is not None and not np.ndim(value):
                self.best = value
            self._say(epoch, tr("finished saving model to {path}", path=path))

    def _path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        numbers = {"epoch": epoch + 1} if batch is None else {"epoch": epoch + 1, "batch": batch + 1}
        try:
            return self.filepath.format(**{**numbers, **logs})
        except KeyError as error:
            raise KeyError(
                tr(
                    'Failed to format this callback filepath: "{filepath}". Reason: {error}',
                    filepath=self.filepath,
                    error=error,
                )
            ) from error

    def _wants(self, epoch: int, logs: Logs, path: str) -> bool:
        """Whether this model is to be saved; says so."""
        if not self.save_best_only:
            self._say(epoch, tr("saving model to {path}", path=path))
            return True
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(tr("Can save best model only with {monitor} available.", monitor=self.monitor), stacklevel=2)
            return True
        if np.ndim(value):
            warnings.warn(
                tr(
                    "Can save best model only when `monitor` is a scalar value. Received: {value}. Every model "
                    "is saved.",
                    value=value,
                ),
                stacklevel=2,
            )
            return True
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self._improves(value, self.best):
            self._say(epoch, tr("{monitor} did not improve from {best}", monitor=self.monitor, best=best))
            return False
        self._say(
            epoch,
            tr(
                "{monitor} improved from {best} to {value:.5f}, saving model to {path}",
                monitor=self.monitor,
                best=best,
                value=value,
                path=path,
            ),
        )
        return True

    def _say(self, epoch: int, what: str) -> None:
        if self.verbose > 0:
            say(tr("\nEpoch {epoch}: {what}\n", epoch=epoch + 1, what=what))
