"""The tutorial's network, trained in a thread while people watch: paused, stopped, its learning rate set as it learns.

A training is idle, then preparing (its digits), then training or paused, and in the end done, stopped or failed: from
each of these it can start anew.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from multilayer import layers
from multilayer._checks.scalars import real_number
from multilayer.callbacks import Callback, Logs
from multilayer.models import Sequential
from multilayer.optimizers import Adam
from multilayer.serve.digits import Digits, Report, load_digits
from multilayer.serve.record import Event, Record, Snapshot

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override

_BETWEEN_SNAPSHOTS = 0.2  # seconds: as often as an eye takes a picture for a new one
_RATE, _LARGEST_RATE = 0.001, 10.0
_FROM = {
    "start": ("idle", "done", "stopped", "failed"),
    "pause": ("training",),
    "resume": ("paused",),
    "stop": ("preparing", "training", "paused"),
}


def network() -> Sequential:
    """The tutorial's network, 784-50-10, ready to be trained."""
    model = Sequential(
        [layers.Input((784,)), layers.Dense(50, activation="sigmoid"), layers.Dense(10, activation="softmax")]
    )
    model.compile(optimizer=Adam(_RATE), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def to_watch(step: int) -> float:
    """The least seconds that a step takes: the first teach most, so they are shown slowest.

    With 30 steps a second at first, and one more every second step, the number of steps grows exponentially with time,
    and a curve over their logarithm grows evenly.
    """
    return 1 / (30 + step / 2)


class LiveTraining:
    """A training that any number of people watch, and one at a time directs.

    Args:
        load: Gives the digits; it is called in the thread that trains, with a function to report to.
        build: Makes a compiled network.
        epochs: How often every digit is seen.
        batch_size: Digits in a step.
        pace: The least seconds that each step takes, from its number; see `to_watch`.

    Attributes:
        model: The network with its newest weights; another one whenever it starts anew.
        state: 'idle', 'preparing', 'training', 'paused', 'done', 'stopped' or 'failed'.

    Example:
        >>> training = LiveTraining()
        >>> training.state
        'idle'
        >>> training.direct("pause")
        Traceback (most recent call last):
            ...
        multilayer.serve.training.NotNowError: Cannot pause: the training is idle. ...
    """

    def __init__(
        self,
        load: Callable[[Report], Digits] = load_digits,
        build: Callable[[], Sequential] = network,
        *,
        epochs: int = 10,
        batch_size: int = 32,
        pace: Callable[[int], float] | None = to_watch,
    ) -> None:
        self._load, self._build, self._pace = load, build, pace
        self._epochs, self._batch_size = epochs, batch_size
        self._changed = threading.Condition()  # guards all of these, and tells the thread that something was asked
        self._version = 0
        self._progress = 0.0
        self._failure: dict[str, str] | None = None
        self._digits: Digits | None = None
        self._thread: threading.Thread | None = None
        self.state = "idle"
        self._begin(0)
        self._rate = _RATE

    def _begin(self, run: int) -> None:
        self.model = self._build()
        self.record = Record(run)
        self._take_snapshot()

    # --- Directing ---

    def direct(self, action: str | None = None, learning_rate: float | None = None) -> None:
        """Does what somebody asked for.

        Args:
            action: 'start', 'pause', 'resume' or 'stop'; None changes the learning rate alone.
            learning_rate: The size of a step, for the next one and all after it.

        Raises:
            ValueError: There is no such action, not in this state, or the learning rate is no such number. Nothing was
                changed then.
        """
        if action is None and learning_rate is None:
            raise ValueError(f"Nothing to do. Expected `action`, one of {', '.join(_FROM)}, or `learning_rate`.")
        if action is not None and not (isinstance(action, str) and action in _FROM):
            raise ValueError(f"Unknown action: {str(action)[:50]!r}. Expected one of: {', '.join(_FROM)}.")
        rate = None if learning_rate is None else real_number("learning_rate", learning_rate, above=0)
        if rate is not None and rate > _LARGEST_RATE:
            raise ValueError(f"`learning_rate` is {rate}. Expected at most {_LARGEST_RATE}.")
        if action == "start" and self.state in _FROM["start"]:
            self.join()  # a run that was stopped may be at its last step
        with self._changed:
            if action is not None and self.state not in _FROM[action]:
                raise NotNowError(
                    f"Cannot {action}: the training is {self.state}. It can where it is {' or '.join(_FROM[action])}."
                )
            if rate is not None:
                self._rate = rate
            if action == "start":
                self._start()
            elif action is not None:
                self.state = {"pause": "paused", "resume": "training", "stop": "stopped"}[action]
            self._tell()

    def _start(self) -> None:
        self._begin(self.record.run + 1)
        self.state, self._failure, self._progress = "preparing", None, 0.0
        self._thread = threading.Thread(target=self._run, args=(self.model,), name="live training", daemon=True)
        self._thread.start()

    def join(self, timeout: float | None = None) -> None:
        """Waits until the thread has ended: what was stopped ends with the step that is under way."""
        if self._thread is not None:
            self._thread.join(timeout)

    def close(self) -> None:
        """Stops what is under way, and waits for it."""
        with self._changed:
            if self.state in _FROM["stop"]:
                self.state = "stopped"
                self._tell()
        self.join()

    def _tell(self) -> None:
        self._version += 1
        self._changed.notify_all()

    # --- Listening ---

    def described(self) -> dict[str, Any]:
        """How it stands, as plain data."""
        with self._changed:
            digits = self._digits
            steps = 0 if digits is None else math.ceil(len(digits.train[0]) / self._batch_size)
            return {
                "state": self.state,
                "version": self._version,
                "run": self.record.run,
                "step": len(self.record),
                "steps": steps * self._epochs,
                "epochs": self._epochs,
                "learning_rate": self._rate,
                "progress": self._progress,
                "data": None if digits is None else digits.name,
                "digits": 0 if digits is None else len(digits.train[0]),
                "failure": self._failure,
            }

    def listen(self) -> Listener:
        """Someone who hears all from the run's first step on."""
        return Listener(self)

    # --- Training, in its thread ---

    def _run(self, model: Sequential) -> None:
        try:
            if self._digits is None:
                digits = self._load(self._report)
                with self._changed:
                    self._digits = digits
            if self._moved("preparing", "training"):
                (x, y), test = self._digits.train, self._digits.test
                model.fit(
                    x, y, epochs=self._epochs, batch_size=self._batch_size, validation_data=test, verbose=0,
                    callbacks=[_Watched(self, len(x))],
                )  # fmt: skip
            self._end()
        except _Stopped:
            pass
        except BaseException as error:  # whatever it is, those who watch have to know
            self._fail(error)

    def _report(self, progress: float) -> None:
        with self._changed:
            if self.state == "stopped":
                raise _Stopped
            self._progress = progress
            self._tell()

    def _moved(self, old: str, new: str) -> bool:
        """Goes from one state to another; False where somebody has asked for a third meanwhile."""
        with self._changed:
            if self.state != old:
                return False
            self.state = new
            self._tell()
            return True

    def _end(self) -> None:
        with self._changed:
            while self.state == "paused":  # since the last step
                self._changed.wait()
            if self.state == "training":
                self.state = "done"
                self._tell()

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            code = "diverged" if isinstance(error, _DivergedError) else "error"
            self._failure = {"code": code, "message": f"{type(error).__name__}: {error}"[:1000]}
            self.state = "failed"
            self._tell()

    def _take_snapshot(self) -> None:
        self.record.snapshot = Snapshot(self.record.run, len(self.record), self.model.get_weights())

    def _wait(self, until: float) -> None:
        """Waits until it is time for the next step, and as long as the training is paused."""
        with self._changed:
            while self.state == "training" and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            if self.state == "paused":
                self._take_snapshot()  # what is looked at meanwhile is the newest
            while self.state == "paused":
                self._changed.wait()


class NotNowError(ValueError):
    """What was asked for cannot be done in this state."""


class _Stopped(Exception):  # noqa: N818 - no error, but the way out of loading
    pass


class _DivergedError(ArithmeticError):
    pass


class _Watched(Callback):
    """What happens between two steps of a training that is watched."""

    def __init__(self, training: LiveTraining, rows: int) -> None:
        self._training, self._rows = training, rows
        self._due = self._next_snapshot = time.monotonic()

    @override
    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch's means begin anew."""
        self._seen, self._sums = 0, (0.0, 0.0)

    @override
    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Sets the learning rate that was asked for: here, as between two steps alone nobody reads it."""
        optimizer, rate = self.model.optimizer, self._training._rate
        if optimizer is not None and optimizer.learning_rate != rate:
            optimizer.learning_rate = rate

    @override
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Notes the step, takes a snapshot where one is due, and waits."""
        training, now = self._training, time.monotonic()
        loss, accuracy = self._of_batch(logs or {})
        if not math.isfinite(loss):
            raise _DivergedError(f"the loss of step {len(training.record) + 1} is {loss}")
        training.record.add_step(loss, accuracy)
        if now >= self._next_snapshot:
            training._take_snapshot()
            self._next_snapshot = now + _BETWEEN_SNAPSHOTS
        if training._pace is not None:
            # What a step came late is not made up for, or after a pause all would rush.
            self._due = max(self._due, now - 0.1) + training._pace(len(training.record))
        training._wait(self._due)
        self.model.stop_training = training.state == "stopped"

    def _of_batch(self, logs: Logs) -> tuple[float, float]:
        """A batch's own loss and accuracy: logs have the means over all rows of the epoch so far."""
        seen = min(self._seen + self._training._batch_size, self._rows)
        sums = float(logs["loss"]) * seen, float(logs["accuracy"]) * seen
        found = tuple((new - old) / (seen - self._seen) for new, old in zip(sums, self._sums, strict=True))
        self._seen, self._sums = seen, (sums[0], sums[1])
        return found[0], found[1]

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Notes the epoch's figures."""
        self._training._take_snapshot()
        self._training.record.add_epoch({name: round(float(value), 5) for name, value in (logs or {}).items()})


class Listener:
    """Someone who listens to a training, at his own pace.

    Attributes:
        behind: Whether there is more to hear at once.
    """

    def __init__(self, training: LiveTraining) -> None:
        self._training = training
        self._version = -1
        self._begin(training.record)

    def _begin(self, record: Record) -> None:
        self._record, self._steps, self._epochs = record, 0, 0
        self._snapshot: Snapshot | None = None
        self.behind = False

    def news(self) -> list[Event]:
        """What has happened since the last time, in order: 'state', 'steps', 'epoch', 'weights'."""
        training, found = self._training, []
        if training.record is not self._record:
            self._begin(training.record)
        if training._version != self._version:
            self._version = training._version
            found.append(Event("state", training.described()))
        record = self._record
        loss, accuracy, epochs = record.since(self._steps, self._epochs)
        if loss:
            found.append(Event("steps", {"run": record.run, "first": self._steps, "loss": loss, "accuracy": accuracy}))
        found += [Event("epoch", {"run": record.run, **one}) for one in epochs]
        self._steps, self._epochs = self._steps + len(loss), self._epochs + len(epochs)
        self.behind = self._steps < len(record)
        if record.snapshot is not None and record.snapshot is not self._snapshot and not self.behind:
            self._snapshot = record.snapshot
            found.append(self._snapshot.event)
        return found
