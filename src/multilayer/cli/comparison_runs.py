"""How `multilayer compare` trains its networks: one after the other, or several at once, each in a process."""

from __future__ import annotations

import functools
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from multilayer import callbacks, utils
from multilayer._system.worker import Tell
from multilayer._system.workers import Report, Workers
from multilayer.callbacks import Callback, History, Logs
from multilayer.callbacks.preemption import Preemption
from multilayer.cli import comparison_results, digits, grid
from multilayer.cli.grid import Trial
from multilayer.cli.terminal import can_redraw, note, reason, say

_PROBED = 500  # test digits that dead units are counted with
_TELLS = 0.1  # seconds between two tellings of how far a training is


def run_all(trials: list[Trial], loaded: digits.Digits, folder: Path, *, epochs: int, seed: int, jobs: int = 1) -> bool:
    """Trains every network, from the same seed and on the same data; whether Ctrl-C has not ended it.

    What there is of the tables is in the folder while the next ones train.

    Args:
        trials: What to train; what came of it is noted there.
        loaded: The data.
        folder: Where the tables go.
        epochs: How often every digit is seen.
        seed: Where every network starts from.
        jobs: How many to train at once. What is computed does not depend on it.
    """
    train = functools.partial(_train, loaded=loaded, epochs=epochs, seed=seed)
    with _shown(trials, epochs) as board:
        for number in (_one_by_one if jobs == 1 else functools.partial(_side_by_side, jobs=jobs))(trials, train, board):
            board.end(number, trials[number])
            try:
                comparison_results.save_tables(folder, trials)
            except OSError as error:
                note(f"Cannot write the tables: {reason(error)}. The comparison goes on.")
    return all(trial.status not in ("interrupted", "not run") for trial in trials)


# --- One network ---


class _Guard(Callback):
    """Ends a training whose loss is no longer a finite number, and tells how far it is.

    Attributes:
        diverged: The epoch in which that happened, counted from 1; 0 where it did not.
    """

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.epoch = self.diverged = 0
        self._told = -math.inf

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Takes note of the epoch."""
        super().on_epoch_begin(epoch, logs)
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Looks at the loss."""
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            self.diverged = self.epoch + 1
            self.model.stop_training = True
        now = time.monotonic()
        if now - self._told > _TELLS:
            self._told = now
            self.tell((self.epoch + batch / max(1, self.params["steps"] or 1), loss))


def _train(trial: Trial, tell: Tell, *, loaded: digits.Digits, epochs: int, seed: int) -> Trial:
    """Trains one network and notes in its trial what came of it: what goes wrong, and an interruption, too."""
    begin = time.perf_counter()
    history, guard = History(), _Guard(tell)
    try:
        utils.set_random_seed(seed)
        model = grid.network(trial.settings)
        (x, y), (x_test, y_test) = loaded.train, loaded.test
        given = digits.as_input(x_test, model)
        with np.errstate(all="ignore"):  # a network that blows up is reported by its loss
            model.fit(
                digits.as_input(x, model),
                y,
                batch_size=trial.settings["batch_size"],
                epochs=epochs,
                validation_data=(given, y_test),
                verbose=0,
                callbacks=[history, trial.record, guard],
            )
        shares = callbacks.dead_units(model, given[:_PROBED])
        trial.dead_units = float(np.mean(list(shares.values()))) if shares else 0.0
        trial.status = f"diverged in epoch {guard.diverged}" if guard.diverged else "ok"
    except (ValueError, MemoryError) as error:  # the user's settings; the others go on
        trial.status = f"failed: {reason(error) or type(error).__name__}"
    except KeyboardInterrupt:
        trial.status = "interrupted"  # what the whole epochs before have brought is kept
    trial.history = history.history
    trial.seconds = time.perf_counter() - begin
    return trial


# --- All of them. Each gives the numbers of those that are done, as they are. ---

_TrainOne = Callable[[Trial, Tell], Trial]


def _one_by_one(trials: list[Trial], train: _TrainOne, board: _Board) -> Iterator[int]:
    for number, trial in enumerate(trials):
        board.begin(number, trial)
        train(trial, functools.partial(board.update, number))
        yield number
        if trial.status == "interrupted":
            return


def _side_by_side(trials: list[Trial], train: _TrainOne, board: _Board, *, jobs: int) -> Iterator[int]:
    under_way = set()
    try:
        with Preemption() as signals, Workers(train, jobs) as workers:
            for report in workers.reports(trials, stopping=lambda: signals.announced):
                number = report.task
                if report.event == "begun":
                    under_way.add(number)
                    board.begin(number, trials[number])
                elif report.event == "told":
                    board.update(number, report.content)
                else:
                    under_way.remove(number)
                    trials[number] = _outcome(trials[number], report)
                    yield number
            if signals.announced != signal.SIGINT:  # which has done its work
                signals.let_it_come()
    except KeyboardInterrupt:  # pressed a second time: nobody waits for those under way
        for number in sorted(under_way):
            trials[number].status = "interrupted"
            yield number


def _outcome(trial: Trial, report: Report) -> Trial:
    if report.event == "done":
        trained: Trial = report.content
        return trained
    if report.event == "failed":  # a mistake in this program
        raise report.content
    if report.event == "stopped":
        trial.status = "interrupted"
    else:
        trial.status = (
            f"failed: its process was ended from outside (exit code {report.content}); where that was for want of "
            "memory, train fewer at once, by --jobs"
        )
    return trial


# --- What is seen of it ---


class _Board:
    """Says what becomes of the networks: a bar for each that trains, a line for each that is done.

    Args:
        progress: Where bars are drawn; None where none can be.
        trials: All networks.
        epochs: How many each is trained for.
    """

    def __init__(self, progress: Progress | None, trials: list[Trial], epochs: int) -> None:
        self._progress = progress
        self._count, self._epochs = len(trials), epochs
        self._width = max(len(trial.name) for trial in trials)
        self._bars: dict[int, TaskID] = {}
        if progress is not None:
            self._overall = progress.add_task("[bold]all", total=self._count, loss="", unit="networks")

    def begin(self, number: int, trial: Trial) -> None:
        """Draws a bar."""
        if self._progress is not None:
            name = escape(trial.name)
            self._bars[number] = self._progress.add_task(name, total=self._epochs, loss="", unit="epochs")

    def update(self, number: int, told: tuple[float, float]) -> None:
        """Moves it on: so many epochs are done, and this is the loss."""
        if self._progress is not None:
            done, loss = told
            self._progress.update(self._bars[number], completed=done, loss=f"loss {loss:.3f}")

    def end(self, number: int, trial: Trial) -> None:
        """Has a line take its place."""
        line = f"{number + 1}/{self._count}  {trial.name:<{self._width}}  {_in_words(trial)}"
        if self._progress is None:
            say(line)
            return
        self._progress.remove_task(self._bars.pop(number))
        self._progress.advance(self._overall)
        self._progress.console.print(escape(line), highlight=False)


def _in_words(trial: Trial) -> str:
    if trial.status != "ok":
        return trial.status
    return f"test accuracy {trial.last('val_accuracy'):.4f}  ({trial.seconds:.1f} s)"


@contextmanager
def _shown(trials: list[Trial], epochs: int) -> Iterator[_Board]:
    """A board with bars, where they can be redrawn in place."""
    if not can_redraw():
        yield _Board(None, trials, epochs)
        return
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[unit]}"))
    with Progress(*columns, TimeElapsedColumn(), TextColumn("{task.fields[loss]}"), transient=True) as progress:
        yield _Board(progress, trials, epochs)
