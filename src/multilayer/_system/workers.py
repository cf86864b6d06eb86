"""Worker processes side by side, each of which takes the next task when it is done with its last.

They are processes and no threads, as Python's threads take turns at all but the kernels' larger products: of a small
network's step, that leaves too little to be done at the same time. And each is a fresh interpreter, as a fork would
take over locks and a BLAS library's threads in whatever state they happen to be in.

A worker computes what this process would have computed, bit for bit: it uses the same products and the same float type,
and its share of the cores, on whose number no result of the kernels depends.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, NamedTuple

from multilayer._system.worker import STOP, Setting, Tell, work

_LOOKS = 0.2  # seconds between two looks whether to stop


class Report(NamedTuple):
    """What has become of a task.

    Attributes:
        task: The item's number.
        event: 'begun'; 'told', what the function has to tell on its way; or, at the end, one of 'done', 'failed',
            'stopped' before it could return, and 'lost' with its process.
        content: What it tells; what it returned; its error; the exit code of the process.
    """

    task: int
    event: str
    content: Any = None

    @property
    def is_last(self) -> bool:
        """Whether it is a task's last one."""
        return self.event not in ("begun", "told")


class RemoteTraceback(Exception):  # noqa: N818 - an error's cause, and none itself
    """Where in its process a worker's error was raised."""

    def __str__(self) -> str:
        return f"\n\n{self.args[0]}"


class Workers:
    """Processes that call a function with one item after the other.

    Args:
        function: Called as `function(item, tell)`; what it hands to `tell` becomes a report. It goes to each worker
            once, so data that all items need is best bound to it by `functools.partial`.
        count: How many processes, at most.

    Raises:
        TypeError: The function cannot be handed to another process, nor, in `reports`, an item.

    Example:
        >>> with Workers(function, count=2) as workers:  # doctest: +SKIP
        ...     results = {report.task: report.content for report in workers.reports(items) if report.event == "done"}
    """

    def __init__(self, function: Callable[[Any, Tell], Any], count: int) -> None:
        self._function = _pickled("The function", function)
        self._count = count
        self._workers: list[_Worker] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()

    def reports(self, items: Iterable[Any], stopping: Callable[[], object] = lambda: False) -> Iterator[Report]:
        """What happens, as it happens, until all items are done.

        Where a process dies, its task is lost, and another process goes on with the rest.

        Args:
            items: What to call the function with.
            stopping: Asked several times a second. Once it says yes, no further task is begun, and those under way end
                at the next thing that they tell.
        """
        waiting = deque(enumerate(items))
        self._workers = [self._started() for _ in range(min(self._count, len(waiting)))]
        for worker in self._workers:
            worker.send(self._function)  # waits until the process is up, as the others come up, too
            yield worker.give(*waiting.popleft())
        stopped = False
        while busy := {worker.reports: worker for worker in self._workers if worker.task is not None}:
            for connection in wait(list(busy), _LOOKS):
                assert isinstance(connection, Connection)  # as those it was given
                yield from self._heard(busy[connection], waiting)
            if not stopped and stopping():
                stopped = True
                waiting.clear()
                for worker in self._workers:
                    worker.send(STOP)

    def _started(self) -> _Worker:
        return _Worker(Setting.here(self._count))

    def _heard(self, worker: _Worker, waiting: deque[tuple[int, Any]]) -> Iterator[Report]:
        """What a worker says; where that is the last of its task, it gets the next one."""
        report = worker.receive()
        if report is None:
            return
        yield report
        if not report.is_last or not waiting:
            return
        if report.event == "lost":
            successor = self._started()
            successor.send(self._function)
            self._workers[self._workers.index(worker)] = worker = successor
        yield worker.give(*waiting.popleft())


def _pickled(what: str, content: Any) -> bytes:
    try:
        return pickle.dumps(content)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            f"{what} cannot be handed to another process: {error}. Expected functions and classes that are defined at "
            "the top of a module, with data bound to them by `functools.partial`. Or use `n_jobs=1`."
        ) from error


def _loaded(message: bytes) -> tuple[str, Any]:
    """A report; a failure where what the function returned cannot be unpickled here."""
    try:
        event, content = pickle.loads(message)
    except Exception as error:  # whatever its class does then
        return "failed", (error, traceback.format_exc())
    return event, content


class _Worker:
    """A process, seen from the one that started it.

    Attributes:
        reports: Where its reports come from.
        task: The number of the item that it is at, None where it is at none.
    """

    def __init__(self, setting: Setting) -> None:
        its_orders, self._orders = multiprocessing.Pipe(duplex=False)
        self.reports, its_reports = multiprocessing.Pipe(duplex=False)
        self.task: int | None = None
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=work, args=(its_orders, its_reports, setting), daemon=True)
        with _ctrl_c_held_back():
            self._process.start()
        its_orders.close()
        its_reports.close()  # or no end of the process would be an end of its reports

    def send(self, order: bytes) -> None:
        """Gives an order; where the process has died, `receive` says so."""
        with suppress(OSError):
            self._orders.send_bytes(order)

    def give(self, task: int, item: Any) -> Report:
        """Gives it something to do."""
        self.task = task
        self.send(_pickled(f"Item {task}", item))
        return Report(task, "begun")

    def receive(self) -> Report | None:
        """Its next report; None where it is a warning, which is given here."""
        assert self.task is not None  # it speaks of nothing else
        event: str
        content: Any
        try:
            message = self.reports.recv_bytes()
        except (EOFError, OSError):
            self._process.join()
            event, content = "lost", self._process.exitcode
        else:
            event, content = _loaded(message)
        if event == "warned":
            message, category, file, line = content
            warnings.warn_explicit(message, category, file, line, registry=_warned)
            return None
        if event == "failed":
            content, text = content
            content.__cause__ = RemoteTraceback(text)
        report = Report(self.task, event, content)
        if report.is_last:
            self.task = None
        return report

    def end(self) -> None:
        """Ends the process, whatever it is at."""
        self._process.kill()
        self._process.join()
        self._orders.close()
        self.reports.close()


_warned: dict[Any, Any] = {}  # what several workers warn of in the same place is said once


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """A process that is started within it does not see Ctrl-C before it can say what to do then: nothing."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # or the first start would do it, and let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
