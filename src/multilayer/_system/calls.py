"""A function called with many items side by side, by joblib: on this machine's cores, or where its backends lead.

joblib starts processes and keeps them for the next time, or hands the calls to a cluster. (By default they are
processes and no threads, as Python's threads take turns at all but the kernels' larger products.) What is here is the
rest: a call comes to what it would have come to in this process, bit for bit; it has one thread, as the others have the
other cores; what it tells on its way, and what it warns of, is known here.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from multilayer import config
from multilayer._core import kernels
from multilayer._core.kernels import blas, products, threads

Tell = Callable[[Any], None]

# Seeds, float type and number of threads are a process's own: where calls share one, as with threads, they take turns.
_turn = threading.Lock()


class _Mine(threading.local):
    within = False  # a call


_mine = _Mine()


def within() -> bool:
    """Whether this thread is in the midst of a call, and so has one core to itself."""
    return _mine.within


def number_of(n_jobs: int | None) -> int:
    """How many calls there are to be at once; -1 where a cluster's backend knows how many it has room for.

    Where nobody says (None) it is what joblib is set to, or else one a core, as -1 is.
    """
    import joblib  # slow to import, and not needed where all is done in this process

    backend, default = joblib.parallel.get_active_backend()
    if getattr(backend, "uses_threads", False):
        return 1  # they would take turns
    if n_jobs is None:
        n_jobs = -1 if default is None else int(default)
    # Of this machine's cores there may be fewer to use than there are.
    return threads.available() if n_jobs == -1 and type(backend) is joblib.parallel.BACKENDS["loky"] else n_jobs


class LostError(RuntimeError):
    """A process has ended in the midst of a call.

    Attributes:
        under_way: The numbers of the items that were being computed, in this process or in another.
    """

    def __init__(self, under_way: list[int], reason: str) -> None:
        super().__init__(reason)
        self.under_way = under_way


class Exchange:
    """A folder by which calls and the process that waits for them talk: a file for each call that is under way.

    Where they share no folder, as on the machines of some clusters, calls tell nothing, and are not stopped.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    # --- In a call ---

    @contextmanager
    def beginning(self, number: int) -> Iterator[Tell]:
        """A call is under way within this context; gives the function by which it tells how far it is.

        It raises KeyboardInterrupt once the call is to stop: because somebody has said so, or died.
        """
        parent = os.getppid()

        def tell(content: Any) -> None:
            if self.stopped or os.getppid() != parent:
                raise KeyboardInterrupt
            self._write(number, content)

        self._write(number, None)
        yield tell
        with suppress(OSError):
            (self._folder / str(number)).unlink()

    @property
    def stopped(self) -> bool:
        """Whether no further call is to begin."""
        return (self._folder / "stop").exists()

    def _write(self, number: int, content: Any) -> None:
        with suppress(OSError):
            draft = self._folder / f"{number}.new"
            draft.write_text(json.dumps(content), encoding="utf-8")
            draft.replace(self._folder / str(number))  # whole, or not at all

    # --- Where they are waited for ---

    def stop(self) -> None:
        """Has no further call begin, and those under way end at the next thing that they tell."""
        (self._folder / "stop").touch()

    def under_way(self) -> dict[int, Any]:
        """The numbers of the calls that have begun and not returned, with what each has told last, or None."""
        found = {}
        for path in self._folder.iterdir():
            if path.name.isdecimal():
                with suppress(OSError):  # it is done by now
                    found[int(path.name)] = json.loads(path.read_text(encoding="utf-8"))
        return dict(sorted(found.items()))

    def forget(self) -> list[int]:
        """The numbers of the calls that were under way, and are no longer, as their processes have ended."""
        lost = list(self.under_way())
        for number in lost:
            (self._folder / str(number)).unlink(missing_ok=True)
        return lost


class _Setting(NamedTuple):
    """What the result of a call depends on beside its item."""

    products: str
    floatx: str
    epsilon: float

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within this context it is that of this process, which computes with one thread."""
        before = config.floatx(), config.epsilon(), os.environ.get(threads.OWN_CHOICE)
        products.adopt(self.products)
        config.set_floatx(self.floatx)
        config.set_epsilon(self.epsilon)
        os.environ[threads.OWN_CHOICE] = "1"
        kernels.share_among(1)
        try:
            with blas.single_threaded():
                yield
        finally:
            config.set_floatx(before[0])
            config.set_epsilon(before[1])
            del os.environ[threads.OWN_CHOICE]
            if before[2] is not None:
                os.environ[threads.OWN_CHOICE] = before[2]
            kernels.share_among(threads.available())


def dismiss() -> None:
    """Ends the processes that joblib keeps on this machine for the next time: there will be none, as this one ends."""
    from joblib.externals import loky

    loky.get_reusable_executor().shutdown(kill_workers=True)


_Warned = tuple[str, type[Warning], str, int]


def results(
    function: Callable[[Any, Tell], Any], items: Iterable[tuple[int, Any]], jobs: int, exchange: Exchange
) -> Iterator[tuple[int, Any]]:
    """Calls a function with each item and gives number and result, as they come.

    Args:
        function: Called as `function(item, tell)`. It is pickled once, with all that is bound to it by
            `functools.partial`, and by value where other processes could not import it.
        items: Items with their numbers.
        jobs: How many calls at once.
        exchange: What the calls tell.

    Raises:
        TypeError: The function, or an item, cannot be handed to another process.
        LostError: A process has ended in the midst of a call; all calls under way are lost with it.
        Exception: What the function raised; the other calls are given up.
    """
    from concurrent.futures.process import BrokenProcessPool

    import joblib

    packed, setting = _packed(function), _Setting(products.choice().by, config.floatx(), config.epsilon())
    call = joblib.delayed(_call)
    # Files of large arrays are mapped into the processes' memory; what is written there is the process's own ('c').
    backend, _ = joblib.parallel.get_active_backend()
    given = "generator_unordered" if backend.supports_return_generator else "list"  # from Ray all come at the end
    parallel = joblib.Parallel(jobs, return_as=given, batch_size=1, mmap_mode="c")
    try:
        with _ctrl_c_held_back():
            found = parallel(call(packed, setting, exchange, number, item) for number, item in items)
        for number, result, warned in found:
            for message, category, file, line in warned:
                warnings.warn_explicit(message, category, file, line, registry=_warned)
            yield number, result
    except BrokenProcessPool as error:
        if type(error).__name__ != "TerminatedWorkerError":  # something could not be unpickled, as it says
            raise
        raise LostError(exchange.forget(), str(error)) from error
    except pickle.PicklingError as error:
        raise TypeError(f"An item cannot be handed to another process: {error.__cause__ or error}") from error


_warned: dict[Any, Any] = {}  # what several calls warn of in the same place is said once


def _packed(function: Any) -> NDArray[Any]:
    """The function as bytes, pickled once for all calls, in an array: such a one joblib's backends pass on but once."""
    import joblib

    try:
        return np.frombuffer(
            pickle.dumps(joblib.wrap_non_picklable_objects(function, keep_wrapper=False)), dtype=np.uint8
        )
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            f"The function cannot be handed to another process: {error}. Expected one that can be pickled with all "
            "that it refers to. Or use `n_jobs=1`."
        ) from error


def _call(
    function: NDArray[Any], setting: _Setting, exchange: Exchange, number: int, item: Any
) -> tuple[int, Any, list[_Warned]]:
    """What goes on in the other process: the number, the result, and what was warned of."""
    with _turn, setting.applied(), warnings.catch_warnings(record=True) as noted, _marked():
        if exchange.stopped:
            return number, None, []
        with exchange.beginning(number) as tell:
            try:
                result = pickle.loads(function.data)(item, tell)
            except Exception as error:
                if (told := _portable(error)) is error:
                    raise  # and not from itself: a pickle of that would have no end
                raise told from error
    return (
        number,
        result,
        [(str(one.message), _known_everywhere(one.category), one.filename, one.lineno) for one in noted],
    )


@contextmanager
def _marked() -> Iterator[None]:
    _mine.within = True
    try:
        yield
    finally:
        _mine.within = False


def _portable(error: Exception) -> Exception:
    """The error, or, where it does not survive pickling, one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever its class does then
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _known_everywhere(category: type[Warning]) -> type[Warning]:
    """The category, or what it is a kind of: one of the program's own need not be known in the other process."""
    return next(kind for kind in category.__mro__ if kind.__module__ == "builtins")


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """A process that is started within it never sees Ctrl-C, which a terminal sends to all: the first one heeds it."""
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
