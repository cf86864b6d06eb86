"""What goes on in a worker process; see `workers`, which starts them."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import threading
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from multilayer import config
from multilayer._core.kernels import products, threads

STOP = b""  # an order; all others are pickled objects, which are never empty

Tell = Callable[[Any], None]


class Setting(NamedTuple):
    """What a worker's results, and its share of the machine, depend on."""

    products: str
    threads: int
    floatx: str
    epsilon: float

    @classmethod
    def here(cls, workers: int) -> Setting:
        """That of this process, for one of so many workers."""
        share = max(1, threads.available() // workers)
        return cls(products.choice().by, share, config.floatx(), config.epsilon())

    def apply(self) -> None:
        """Makes it that of this process."""
        os.environ[products.VARIABLE] = self.products
        os.environ[threads.OWN_CHOICE] = str(self.threads)
        config.set_floatx(self.floatx)
        config.set_epsilon(self.epsilon)
        products.choice()


def work(orders: Connection, reports: Connection, setting: Setting) -> None:
    """Calls the function that comes first with each item that comes after it, until this process is ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all; the one that it is for says `STOP`
    setting.apply()
    parent = _Parent(orders, reports)
    warnings.showwarning = lambda message, category, file, line, *_: parent.say(
        "warned", (str(message), _known_everywhere(category), file, line)
    )
    function = parent.order()
    while True:
        item = parent.order()
        try:
            # Unpickled here, so that what is wrong with them becomes a report: a process that dies tells nothing.
            parent.say("done", _unpickled(function)(pickle.loads(item), parent.tell))
        except KeyboardInterrupt:
            parent.say("stopped")
        except Exception as error:
            parent.say("failed", (_portable(error), traceback.format_exc()))


class _Parent:
    """The process that gives orders. A thread listens to them while the function computes."""

    def __init__(self, orders: Connection, reports: Connection) -> None:
        self._orders, self._reports = orders, reports
        self._given: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._stopped = False
        self._speaking = threading.Lock()  # threads of the function's may warn of something while it tells another
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            while True:
                order = self._orders.recv_bytes()
                if order == STOP:
                    self._stopped = True
                else:
                    self._given.put(order)
        except (EOFError, OSError):
            os._exit(1)  # it has died, and nobody wants the results any more

    def order(self) -> bytes:
        """The next order; waits for it."""
        return self._given.get()

    def say(self, event: str, content: Any = None) -> None:
        """Sends a report; raises what keeps its content from being pickled."""
        message = pickle.dumps((event, content))
        with self._speaking:
            self._reports.send_bytes(message)

    def tell(self, content: Any) -> None:
        """What the function tells on its way; raises KeyboardInterrupt where it is to stop."""
        if self._stopped:
            raise KeyboardInterrupt
        self.say("told", content)


def _known_everywhere(category: type[Warning]) -> type[Warning]:
    """The category, or what it is a kind of: one of the program's own need not be known in the other process."""
    return next(kind for kind in category.__mro__ if kind.__module__ == "builtins")


def _unpickled(function: bytes) -> Callable[[Any, Tell], Any]:
    try:
        given: Callable[[Any, Tell], Any] = pickle.loads(function)
    except (AttributeError, ImportError) as error:
        raise TypeError(
            f"A worker process cannot import the function ({error}). Expected one in a module or a program's file, at "
            "its top: what is defined in a notebook, or typed in, is in no other process. Or use `n_jobs=1`."
        ) from error
    return given


def _portable(error: Exception) -> Exception:
    """The error, or, where it does not survive pickling, one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever its class does then
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
