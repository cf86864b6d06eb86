"""How `multilayer compare` trains its networks: one after the other, or several at once, each in a process."""

from __future__ import annotations

import functools
import math
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from multilayer import callbacks, utils
from multilayer._language import tr
from multilayer._pictures import as_input
from multilayer._system import calls
from multilayer._system.calls import Tell
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
        jobs: How many to train at once, or -1 for as many as there is room for. What is computed does not depend on it.
    """
    train = functools.partial(_train, loaded=loaded, epochs=epochs, seed=seed)
    with _shown(trials, epochs) as board:
        for number in (_one_by_one if jobs == 1 else functools.partial(_side_by_side, jobs=jobs))(trials, train, board):
            board.end(number, trials[number])
            try:
                comparison_results.save_tables(folder, trials)
            except OSError as error:
                note(tr("Cannot write the tables: {error}. The comparison goes on.", error=reason(error)))
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
            self.tell((self.epoch + batch / max(1, self.params["steps"] or 1), float(loss)))


def _train(trial: Trial, tell: Tell, *, loaded: digits.Digits, epochs: int, seed: int) -> Trial:
    """Trains one network and notes in its trial what came of it: what goes wrong, and an interruption, too."""
    begin = time.perf_counter()
    history, guard = History(), _Guard(tell)
    try:
        utils.set_random_seed(seed)
        model = grid.network(trial.settings)
        (x, y), (x_test, y_test) = loaded.train, loaded.test
        given = as_input(x_test, model)
        with np.errstate(all="ignore"):  # a network that blows up is reported by its loss
            model.fit(
                as_input(x, model),
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
        board.update(number, trial, (0, math.nan))
        train(trial, functools.partial(board.update, number, trial))
        yield number
        if trial.status == "interrupted":
            return


def _side_by_side(trials: list[Trial], train: _TrainOne, board: _Board, *, jobs: int) -> Iterator[int]:
    with tempfile.TemporaryDirectory(prefix="multilayer-") as folder, Preemption() as signals:
        exchange, begun = calls.Exchange(folder), set[int]()
        try:
            with _watched(exchange, board, trials, signals, begun):
                for number, trained in _survivors(trials, train, exchange, jobs):
                    trials[number] = trained
                    yield number
            if signals.announced not in (None, signal.SIGINT):  # which has done its work
                calls.dismiss()
                signals.let_it_come()
        except KeyboardInterrupt:  # pressed a second time: nobody waits for those under way
            for number in sorted(begun):
                if trials[number].status == "not run":
                    trials[number].status = "interrupted"
                    yield number


def _survivors(
    trials: list[Trial], train: _TrainOne, exchange: calls.Exchange, jobs: int
) -> Iterator[tuple[int, Trial]]:
    """What comes of all networks, though a process may end in the midst of one, which takes its neighbours along.

    Which one of those under way it was nobody knows, so each is trained anew with no other beside it.
    """
    groups = [list(range(len(trials)))]
    while groups:
        group = groups.pop(0)
        try:
            for number, trained in calls.results(train, [(number, trials[number]) for number in group], jobs, exchange):
                group.remove(number)
                if trained is not None:
                    yield number, trained
        except calls.LostError as error:
            lost = error.under_way
            if not lost:
                raise  # none has begun: no process comes up
            rest = [number for number in group if number not in lost]
            if len(lost) > 1:
                groups = [[number] for number in lost] + [rest] + groups
                continue
            groups.insert(0, rest)
            trials[lost[0]].status = _LOST
            yield lost[0], trials[lost[0]]


_LOST = "failed: its process was ended from outside; where that was for want of memory, train fewer at once, by --jobs"


@contextmanager
def _watched(
    exchange: calls.Exchange, board: _Board, trials: list[Trial], signals: Preemption, begun: set[int]
) -> Iterator[None]:
    """Within this context bars show what networks tell, and a signal is passed on to them; notes which have begun.

    A thread does it: this one waits for what joblib hands over.
    """
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_TELLS):
            for number, told in exchange.under_way().items():
                begun.add(number)
                board.update(number, trials[number], told or (0, math.nan))
            if signals.announced:
                exchange.stop()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


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
        self._ended: set[int] = set()
        self._drawing = threading.Lock()  # what networks in other processes tell comes by a thread
        if progress is not None:
            self._overall = progress.add_task("[bold]all", total=self._count, loss="", unit="networks")

    def update(self, number: int, trial: Trial, told: tuple[float, float]) -> None:
        """Moves its bar on, which is drawn at the first time: so many epochs are done, and this is the loss."""
        with self._drawing:
            if self._progress is None or number in self._ended:
                return
            if number not in self._bars:
                name = escape(trial.name)
                self._bars[number] = self._progress.add_task(name, total=self._epochs, loss="", unit="epochs")
            done, loss = told
            shown = "" if math.isnan(loss) else tr("loss {loss:.3f}", loss=loss)
            self._progress.update(self._bars[number], completed=done, loss=shown)

    def end(self, number: int, trial: Trial) -> None:
        """Has a line take its place."""
        line = f"{number + 1}/{self._count}  {trial.name:<{self._width}}  {_in_words(trial)}"
        if self._progress is None:
            say(line)
            return
        with self._drawing:
            self._ended.add(number)
            if number in self._bars:
                self._progress.remove_task(self._bars.pop(number))
        self._progress.advance(self._overall)
        self._progress.console.print(escape(line), highlight=False)


def _in_words(trial: Trial) -> str:
    if trial.status != "ok":
        return trial.status
    return tr(
        "test accuracy {accuracy:.4f}  ({seconds:.1f} s)", accuracy=trial.last("val_accuracy"), seconds=trial.seconds
    )


@contextmanager
def _shown(trials: list[Trial], epochs: int) -> Iterator[_Board]:
    """A board with bars, where they can be redrawn in place."""
    if not can_redraw():
        yield _Board(None, trials, epochs)
        return
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[unit]}"))
    with Progress(*columns, TimeElapsedColumn(), TextColumn("{task.fields[loss]}"), transient=True) as progress:
        yield _Board(progress, trials, epochs)
