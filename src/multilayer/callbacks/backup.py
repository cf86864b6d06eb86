"""A training that goes on after its process was killed, from any step."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

from multilayer._checks.arguments import file_name
from multilayer._checks.states import COUNT, require_entries
from multilayer._containers import npz
from multilayer._containers.errors import ModelFileError, printable, refusing, warn_of_file
from multilayer._containers.packing import pack, unpack
from multilayer._language import tr
from multilayer._system.atomic import clear_away, make_folder, require_replaceable, try_folder
from multilayer._training.protocols import Resumable
from multilayer.callbacks.base import Callback, Logs
from multilayer.callbacks.faults import check_on_error, has_finite_weights, writing
from multilayer.callbacks.frequency import Frequency

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override

_NAME = "latest.npz"
_KIND = "backup of a run"
_LONGEST = 500  # letters of a reason, behind which the remedy still has room


class BackupAndRestore(Callback):
    """Keeps a backup of the training, so that the same program, started again after it was killed, goes on from there.

    It goes on from the very step after which the backup was written, and ends with the same numbers, bit for bit, as a
    run that was never interrupted: a backup holds the weights, the optimizer's state and learning rate, the place in
    the order of the samples, all random streams, the metrics of the epoch so far, the history, and what other callbacks
    have counted (`Callback.get_state`). `fit` then returns the history of all epochs. What the class of a model holds
    belongs to it: further optimizers, metrics, variables and networks that are attributes, also in lists and dicts.

    Generators of random numbers that layers and a `utils.PyDataset` hold, in attributes, in lists and dicts, or in
    objects of their own, go on where they were: those of NumPy, of Python's `random` and of `random` here. Where one of
    another library is found, a warning names it.

    Not part of it are what functions in a `LambdaCallback` have gathered, attributes of layers of your own that are
    neither weights nor generators, and what `LBFGS` remembers. A generator is drawn from again up to its place, and has
    to give the same batches again; a `utils.PyDataset` is told of the epochs that there were.

    The file appears whole or not at all, and the last backup stays until the next one is complete, whatever happens.
    Weights that are no finite numbers any more are not backed up: a warning says so, the last good backup stays, and
    is not deleted at the end.

    Its hooks are called after those of all other callbacks.

    Args:
        backup_dir: A folder for this training alone; it is made where it is missing.
        save_freq: 'epoch', or after every how many batches.
        double_checkpoint: Whether the backup before the last is kept, too, and used where the last is damaged.
        delete_checkpoint: Whether the backup is deleted once training has come to its end.
        save_before_preemption: Whether SIGINT (Ctrl-C) and SIGTERM, with which machines announce that they are taken
            away, first let the step be finished and a backup be written, and only then do what they do otherwise. A
            second one does that at once. While `fit` runs, which must be in the main thread. Without this a signal ends
            training at once, and the last backup is whole all the same.
        on_error: 'raise': a backup that cannot be written ends the training; 'warn': it goes on with a warning.

    Raises:
        ValueError: An argument is none of these; or, when training begins, the backup is of another model, of other
            data, or of other callbacks.
        OSError: The folder cannot be written to: when training begins, or, with a full disk, later.

    Example:
        >>> backup = BackupAndRestore("run/backup", save_freq=1000, save_before_preemption=True)
    """

    runs_last = True
    run: Resumable | None = None  # while `fit` runs

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        save_before_preemption: bool = False,
        on_error: str = "raise",
    ) -> None:
        if not file_name("backup_dir", backup_dir):
            raise ValueError(tr("Empty `backup_dir` argument passed"))
        from multilayer.callbacks.preemption import Preemption  # only here: it takes `signal`, slow to import

        self.backup_dir = os.fspath(backup_dir)
        check_on_error(on_error)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.save_before_preemption = save_before_preemption
        self.on_error = on_error
        self._frequency = Frequency(save_freq)
        self._preemption = Preemption()
        self._epoch = 0
        self._spoiled = False  # whether the weights have ceased to be finite numbers
        self._path = os.path.join(self.backup_dir, _NAME)  # noqa: PTH118 - messages name it so: a `Path` would rewrite it
        self._previous_path = f"{self._path}.bkp"
        if save_freq != "epoch" or save_before_preemption:  # else nobody needs the metrics of every batch
            self._listen("on_train_batch_end", self._after_batch)

    @override
    def get_state(self) -> dict[str, Any]:
        return {"seen": self._frequency.seen}

    @override
    def set_state(self, state: dict[str, Any]) -> None:
        """Counts batches on."""
        self._check_state(state)
        self._frequency.seen = state["seen"]

    @override
    def _check_state(self, state: Any) -> None:
        require_entries(state, "BackupAndRestore", {"seen": COUNT})

    # --- When ---

    @override
    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Finds out whether backups can be written, and goes on from the one that there is."""
        self._spoiled = False
        run = self._run()
        with writing("BackupAndRestore cannot write its backups"):
            try_folder(self.backup_dir)
            require_replaceable(self._path)
            clear_away(self._path)
        for doubt in run.doubts():
            warnings.warn(
                tr(
                    "A backup does not keep where this stands: {doubt}. A run that goes on draws other numbers "
                    "from it than one that was never interrupted. Draw from a generator of NumPy, Python or "
                    "`random` instead.",
                    doubt=doubt,
                ),
                stacklevel=2,
            )
        state = self._read()
        if state is not None:
            try:
                run.go_on_from(state)
            except ValueError as error:
                reason = printable(str(error)[:_LONGEST].rstrip("."))  # names in the backup are anyone's
                raise ValueError(
                    tr(
                        "The backup in {backup_dir!r} does not fit this run: {reason}. Delete that folder to "
                        "begin anew.",
                        backup_dir=self.backup_dir,
                        reason=reason,
                    )
                ) from error
        if self.save_before_preemption:
            run.at_exit.enter_context(self._preemption)

    @override
    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Takes note of the epoch."""
        self._epoch = epoch

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Writes the backup, where epochs are what is counted or somebody wants the machine back."""
        if self.save_freq == "epoch" or self._preemption.announced:
            self.save(epoch + 1, 0)
        self._preemption.let_it_come()

    def _after_batch(self, batch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        if self._is_due() or self._preemption.announced:
            self.save(self._epoch, batch + 1)
        self._preemption.let_it_come()

    def _is_due(self) -> bool:
        """Whether it is time for a backup, after one more batch."""
        return self._frequency.due()

    @override
    def on_train_end(self, logs: Logs | None = None) -> None:
        """Deletes the backup: training has come to its end, and a good one."""
        if self.delete_checkpoint and has_finite_weights(self.model):
            self.delete()

    # --- How ---

    def save(self, epoch: int, step: int) -> None:
        """Writes a backup.

        Args:
            epoch: The epoch that is under way, or, with a `step` of 0, the one that is to begin next.
            step: How many of its steps have been taken.
        """
        from pathlib import Path

        if not self._is_sound(epoch, step):
            return
        run, arrays = self._run(), dict[str, Any]()
        with writing("BackupAndRestore cannot write its backup", self.on_error):
            config = {"kind": _KIND, "state": pack(run.get_state(epoch, step), "state", arrays)}
            make_folder(self.backup_dir)
            if self.double_checkpoint and self._exists():
                Path(self._path).replace(self._previous_path)
            npz.write(self._path, config, arrays)

    def delete(self) -> None:
        """Deletes the backup, and its folder where nothing else is in it."""
        from pathlib import Path

        for path in (self._path, self._previous_path):
            Path(path).unlink(missing_ok=True)
        folder = Path(self.backup_dir)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def _exists(self) -> bool:
        """Whether there is a backup."""
        from pathlib import Path

        return Path(self._path).exists()

    def _is_sound(self, epoch: int, step: int) -> bool:
        """Whether all weights are finite numbers; says so once where they no longer are."""
        if has_finite_weights(self.model):
            self._spoiled = False
            return True
        if not self._spoiled:
            kept = (
                tr("the last good backup stays in {backup_dir!r}", backup_dir=self.backup_dir)
                if self._exists()
                else tr("there is none before it")
            )
            warnings.warn(
                tr(
                    "The weights hold NaN or infinity (epoch {epoch}, step {step}): they are not backed up, "
                    "and {kept}. A smaller learning rate or `clipnorm` may help.",
                    epoch=epoch + (step > 0),
                    step=step or self.params["steps"],
                    kept=kept,
                ),
                stacklevel=2,
            )
        self._spoiled = True
        return False

    def _run(self) -> Resumable:
        if self.run is None:
            raise RuntimeError(tr("BackupAndRestore works within `Model.fit`, whose place it keeps; here is no `fit`."))
        return self.run

    def _read(self) -> dict[str, Any] | None:
        """The last backup, or the one before, where the last is damaged or was never finished; None where none is."""
        from pathlib import Path

        if not Path(self._previous_path).exists():
            return _state_in(self._path) if self._exists() else None
        try:
            return _state_in(self._path)
        except (FileNotFoundError, ValueError) as error:
            warn_of_file(tr("Training goes on from the backup before the last: {error}", error=error), stacklevel=2)
            return _state_in(self._previous_path)


def _state_in(path: str) -> dict[str, Any]:
    try:
        return _read_state(path)
    except ModelFileError as error:
        reason = error.reason if len(error.reason) <= _LONGEST else f"{error.reason[:_LONGEST]}…"
        raise ModelFileError(path, f"{reason} Delete it to begin anew.") from error


def _read_state(path: str) -> dict[str, Any]:
    config, arrays = npz.read(path, allow_nonfinite=True)
    if config.get("kind") != _KIND:
        raise ModelFileError(path, "it is no backup of a run.")
    with refusing(path):
        state: dict[str, Any] = unpack(config["state"], arrays)
        if not {"of", "epoch", "step"} <= set(state):
            raise ValueError(tr("it does not say what it is a backup of."))
        return state
