"""How many threads the matrix products use while a model computes.

A small product gains nothing from a second thread of a BLAS library: what the thread saves in arithmetic is lost to
waking it, and its half of the result lies in another core's cache. On a machine whose cores are busy, waiting for the
slower thread can cost ten times the product. So where the largest product is small, the library is set to one thread,
and back afterwards. The other core is then free for the native kernels' helper, which is told at a hundredth of the
cost. A number of threads that the user has chosen in the environment is never touched.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from multilayer._core import kernels
from multilayer._core.kernels.threads import CHOICES

# Measured with OpenBLAS on two cores: up to here one thread is as fast or faster for the whole step.
SMALL_PRODUCT_FLOP = 64e6

_lock = threading.Lock()
_users = 0
_undo: Any = None


def one_thread_does(flop: float) -> bool:
    """Whether products of so many operations are left to one thread, so that other cores are free for other work."""
    return flop <= SMALL_PRODUCT_FLOP and not any(map(os.environ.get, CHOICES)) and bool(_libraries())


@contextmanager
def threads_for(flop: float) -> Iterator[None]:
    """Within this context products use one thread where `flop`, those of the largest product, are few.

    Without threadpoolctl the BLAS library keeps its own number. Several trainings at once share one setting, which is
    put back when the last of them ends.
    """
    if not one_thread_does(flop):
        yield
        return
    global _users, _undo
    with _lock:
        if _users == 0:
            _undo = _one_thread()
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _undo()


def _one_thread() -> Any:
    """Sets every library to one thread, and the helper free; what is returned undoes it."""
    before = [(library, library.num_threads) for library in _libraries()]
    helped = kernels.use_helper(True)
    for library, _ in before:
        library.set_num_threads(1)

    def undo() -> None:
        kernels.use_helper(helped)
        for library, threads in before:
            library.set_num_threads(threads)

    return undo


@functools.cache
def _libraries() -> list[Any]:
    """The BLAS libraries that are loaded; none where threadpoolctl is not installed."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return []
    return [library for library in ThreadpoolController().lib_controllers if library.user_api == "blas"]
