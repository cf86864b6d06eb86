"""How many threads the BLAS library uses while a model computes, and how many the kernels do.

The library is called for what the kernels do not take, such as products in float64, and where its products are the
faster ones. A small product gains nothing from a second thread of it: what the thread saves in arithmetic is lost to
waking it, and its half of the result lies in another core's cache. On a machine whose cores are busy, waiting for the
slower thread can cost ten times the product. So where the largest product is small, the library is set to one thread,
and back afterwards. A number of threads that the user has chosen in the environment is never touched, and one that he
has set with threadpoolctl holds for the kernels, too.
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from multilayer._core import kernels
from multilayer._core.kernels.threads import CHOICES, available

# Measured with OpenBLAS on two cores: up to here one thread is as fast or faster for the whole step.
SMALL_PRODUCT_FLOP = 64e6


class _Use:
    """One use of the setting, for as long as it exists: it goes with the frame that holds it, wherever Ctrl-C comes."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()


_lock = threading.Lock()
_users: weakref.WeakSet[_Use] = weakref.WeakSet()
_undo: Callable[[], None] | None = None  # while there are users, and until the next one where the last was interrupted


def _forget_others() -> None:
    """A forked child has none of its parent's other threads, which may hold the lock, and do not end their use."""
    global _lock, _users
    _lock = threading.Lock()
    _users = weakref.WeakSet(user for user in _users if user.thread == threading.get_ident())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_others)


def one_thread_does(flop: float) -> bool:
    """Whether products of so many operations are left to one thread, so that other cores are free for other work."""
    return flop <= SMALL_PRODUCT_FLOP and not any(map(os.environ.get, CHOICES)) and bool(_libraries())


@contextmanager
def threads_for(flop: float) -> Iterator[None]:
    """Within this context products use one thread where `flop`, those of the largest product, are few.

    Without threadpoolctl the BLAS library keeps its own number. Several trainings at once share one setting, which is
    put back when the last of them ends, in whatever thread.
    """
    _heed_limits()
    if not one_thread_does(flop):
        yield
        return
    use = _Use()
    undo_own = _enter(use)
    try:
        yield
    finally:
        undo_own()
        _leave(use)


@contextmanager
def single_threaded() -> Iterator[bool]:
    """Within this context every BLAS library has one thread; gives False where none is known."""
    use = _Use()
    undo_own = _enter(use)
    try:
        yield bool(_libraries())
    finally:
        undo_own()
        _leave(use)


def _heed_limits() -> None:
    """The kernels use no more threads than the BLAS library is limited to, such as by `threadpool_limits`."""
    _undo_if_unused()
    with _lock:
        if not _users:  # else it is this module's own limit
            kernels.share_among(min([available(), *filter(None, map(_limit_of, _libraries()))]))


def _limit_of(library: Any) -> int | None:
    """How many threads a library is limited to; None where it has one anyway, as BLIS has unless told otherwise."""
    if library.internal_api == "blis" or getattr(library, "threading_layer", None) == "disabled":
        return None
    threads: int | None = library.num_threads
    return threads


def _enter(use: _Use) -> Callable[[], None]:
    """Counts a user, the first of whom sets what all share; returns what undoes the setting of this thread alone."""
    global _undo
    with _lock:
        if _undo is None:
            _undo = _one_thread()
        _users.add(use)
        return _limited([library for library in _libraries() if _is_threads_own(library)])


def _leave(use: _Use) -> None:
    with _lock:
        _users.discard(use)
    _undo_if_unused()


def _undo_if_unused() -> None:
    global _undo
    with _lock:
        if _undo is not None and not _users:
            _undo()
            _undo = None


def _one_thread() -> Callable[[], None]:
    """Sets every library that all threads share to one thread; what is returned undoes it."""
    return _limited([library for library in _libraries() if not _is_threads_own(library)])


def _limited(libraries: Sequence[Any]) -> Callable[[], None]:
    """Sets libraries to one thread; what is returned undoes it, from whatever thread it is called."""
    before = [(library, library.num_threads) for library in libraries]
    for library in libraries:
        _set(library, 1)

    def undo() -> None:
        for library, threads in before:
            _set(library, threads)

    return undo


def _set(library: Any, threads: int) -> None:
    """Sets a library's number of threads, and looks whether it is set.

    Recent versions of threadpoolctl let but one Python thread set OpenBLAS's number, the first that does; for any other
    nothing is done, and nothing said. With another number of threads the sums of a product are others: the same seed
    would give other weights in a worker thread. So whoever has that right is relieved of it, and nobody keeps it.
    """
    library.set_num_threads(threads)
    release = getattr(library, "clear_controlling_thread", None)
    if release is None:
        return
    if library.num_threads != threads:
        release(force=True)
        library.set_num_threads(threads)
    release()


def _is_threads_own(library: Any) -> bool:
    """Whether each thread has a number of its own, as in an OpenBLAS that runs on OpenMP."""
    return library.internal_api == "openblas" and getattr(library, "threading_layer", None) == "openmp"


@functools.cache
def _libraries() -> list[Any]:
    """The BLAS libraries that are loaded; none where threadpoolctl is not installed."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return []
    return [library for library in ThreadpoolController().lib_controllers if library.user_api == "blas"]
