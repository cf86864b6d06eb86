"""Metrics and histograms for TensorBoard."""

from __future__ import annotations

import importlib
import itertools
import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from multilayer._checks.scalars import is_whole
from multilayer._checks.states import COUNT, SIZES, require_entries
from multilayer.callbacks.base import Callback, Logs
from multilayer.functional import Array

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override

_FILES = itertools.count()


class TensorBoard(Callback):
    """Writes metrics and histograms to files that TensorBoard shows: `tensorboard --logdir logs`.

    The folder `train` gets every epoch's metrics as `epoch_loss`, `epoch_accuracy` and so on, and the learning rate as
    `epoch_learning_rate`; `validation` gets those of validation under the same names, and after every evaluation
    `evaluation_loss_vs_iterations` and so on, over the optimizer's steps. The files are written by the package
    tensorboardX, which has to be installed.

    In a run that goes on (`BackupAndRestore`) no metric is there twice: what was written after the backup is dropped.
    Every backup closes the files, and what comes next is written to new ones.

    Args:
        log_dir: The folder, for this training alone.
        histogram_freq: After every how many epochs, the first among them, a histogram of every weight is written, and
            one of its gradient, that of the epoch's last batch; 0 for none.
        write_graph: Ignored: there is no graph of operations here, and layers are shown by `Model.summary`.
        write_images: False: weights are not drawn as pictures.
        write_steps_per_second: Whether to write how many steps a second are taken.
        update_freq: 'epoch'; or 'batch', or every how many batches the metrics of the epoch so far are written, too, as
            `batch_loss` and so on.
        profile_batch: 0: there is no profiler. Python's own `cProfile` shows where time goes.
        embeddings_freq: 0: embeddings are not projected.
        embeddings_metadata: None, for the same reason.

    Raises:
        ImportError: tensorboardX is not installed.
        ValueError: An argument has a value that is not to be had, as above.

    Example:
        >>> board = TensorBoard("logs/first", histogram_freq=1)  # doctest: +SKIP
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        for name, value, reason in (
            ("write_images", write_images, "Weights are not drawn as pictures here; `histogram_freq=1` shows them."),
            ("profile_batch", profile_batch, "There is no profiler here; Python's `cProfile` shows where time goes."),
            ("embeddings_freq", embeddings_freq, "Embeddings are not projected here."),
            ("embeddings_metadata", embeddings_metadata, "Embeddings are not projected here."),
        ):
            if value:
                raise ValueError(f"{reason} Leave `{name}` out. Received: {name}={value!r}")
        if update_freq not in ("epoch", "batch") and not is_whole(update_freq, 1):
            raise ValueError(
                "`update_freq` must be 'epoch', 'batch', or every how many batches. Received: "
                f"update_freq={update_freq!r}"
            )
        if not is_whole(histogram_freq, 0):
            raise ValueError(
                f"`histogram_freq` must be a whole number of at least 0. Received: histogram_freq={histogram_freq!r}"
            )
        self._writer_class = _summary_writer()
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self._writers: dict[str, Any] = {}
        self._batches = 0
        self._in_fit = False
        self._epoch_begin = self._batch_begin = 0.0
        self._steps_before = 0
        if self.update_freq != "epoch":  # else nobody needs the metrics of every batch
            self._listen("on_train_batch_end", self._log_batch)
            if write_steps_per_second:
                self._listen("on_train_batch_begin", self._note_time)

    # --- In a run that goes on ---

    @override
    def get_state(self) -> dict[str, Any]:
        from pathlib import Path

        self._close()  # nothing else has tensorboardX bring to the file all that it has taken
        return {"batches": self._batches, "files": {path: Path(path).stat().st_size for path in self._files()}}

    @override
    def set_state(self, state: dict[str, Any]) -> None:
        """Counts batches on, and drops what was written after the backup: it is written again."""
        from pathlib import Path

        self._check_state(state)
        self._batches = state["batches"]
        for path in self._files():
            if path in state["files"]:
                os.truncate(path, min(state["files"][path], Path(path).stat().st_size))
            else:
                Path(path).unlink()

    @override
    def _check_state(self, state: Any) -> None:
        require_entries(state, "TensorBoard", {"batches": COUNT, "files": SIZES})

    def _files(self) -> list[str]:
        """The files of this training, by this process and those before."""
        from pathlib import Path

        return [
            self._path(name, found.name)
            for name in ("train", "validation")
            for found in sorted(Path(self._path(name)).glob("events.out.tfevents.*"))
        ]

    def _path(self, *names: str) -> str:
        """A path in `log_dir`, which begins as that was given: backups know files by it."""
        return os.path.join(self.log_dir, *names)  # noqa: PTH118

    # --- When ---

    @override
    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Counts batches anew."""
        self._batches = 0
        self._in_fit = True

    @override
    def on_train_end(self, logs: Logs | None = None) -> None:
        """Closes the files."""
        self._in_fit = False
        self._close()

    @override
    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Takes note of the time."""
        self._epoch_begin, self._steps_before = time.perf_counter(), self._iterations()

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Writes the epoch's metrics and histograms."""
        optimizer = self.model.optimizer
        train = {name: value for name, value in (logs or {}).items() if not name.startswith("val_")}
        if optimizer is not None:
            train["learning_rate"] = float(optimizer.learning_rate)
        if self.write_steps_per_second:
            steps = self._iterations() - self._steps_before
            train["steps_per_second"] = steps / (time.perf_counter() - self._epoch_begin)
        self._scalars("train", {f"epoch_{name}": value for name, value in train.items()}, epoch)
        validation = {n.removeprefix("val_"): value for n, value in (logs or {}).items() if n.startswith("val_")}
        self._scalars("validation", {f"epoch_{name}": value for name, value in validation.items()}, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._histograms(epoch)
        for writer in self._writers.values():
            writer.flush()  # what is written is there to see, and stays where the run breaks off

    def _note_time(self, batch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        self._batch_begin = time.perf_counter()

    def _log_batch(self, batch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        self._batches += 1
        if self._batches % int(self.update_freq):
            return
        metrics = {f"batch_{name}": value for name, value in (logs or {}).items()}
        if self.write_steps_per_second:
            metrics["batch_steps_per_second"] = 1.0 / (time.perf_counter() - self._batch_begin)
        self._scalars("train", metrics, self._batches)

    @override
    def on_test_end(self, logs: Logs | None = None) -> None:
        """Writes the metrics of an evaluation."""
        if self.model.optimizer is not None:
            metrics = {f"evaluation_{name}_vs_iterations": value for name, value in (logs or {}).items()}
            self._scalars("validation", metrics, self._iterations())
        if not self._in_fit:
            self._close()

    # --- How ---

    def _iterations(self) -> int:
        return 0 if self.model.optimizer is None else self.model.optimizer.iterations

    def _writer(self, folder: str) -> Any:
        if folder not in self._writers:
            # Without an ending of its own, a second file of the same second would replace the first.
            ending = f".{os.getpid()}.{next(_FILES)}"
            self._writers[folder] = self._writer_class(self._path(folder), filename_suffix=ending)
        return self._writers[folder]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _scalars(self, folder: str, metrics: Logs, step: int) -> None:
        for name, value in metrics.items():
            if np.ndim(value) == 0:
                self._writer(folder).add_scalar(name, value, step)
            for index, part in enumerate(np.ravel(value) if np.ndim(value) else ()):  # one number a class, say
                self._writer(folder).add_scalar(f"{name}_{index}", part, step)

    def _histograms(self, epoch: int) -> None:
        for variable in self.model.weights:
            self._histogram(f"{variable.path}/histogram", variable.value, epoch)
            if variable.gradient is not None:
                self._histogram(f"{variable.path}/gradient", variable.gradient, epoch)

    def _histogram(self, tag: str, values: Array, epoch: int) -> None:
        finite = values[np.isfinite(values)]  # a histogram has no place for anything else
        if finite.size:
            self._writer("train").add_histogram(tag, finite, epoch)

    def __getstate__(self) -> dict[str, Any]:
        """A copy opens files of its own."""
        return {**self.__dict__, "_writers": {}}


def _summary_writer() -> Any:
    """The class that writes event files.

    Raises:
        ImportError: It is not installed.
    """
    try:
        return importlib.import_module("tensorboardX").SummaryWriter
    except ImportError as error:
        raise ImportError(
            "The TensorBoard callback writes its files with the package tensorboardX, which is not installed. Install "
            "it with `pip install tensorboardX`, and `tensorboard` to look at them."
        ) from error
