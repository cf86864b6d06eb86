"""How many threads the matrix products use while a model trains.

A small product gains nothing from a second thread: what the thread saves in arithmetic is lost to waking it, and its
half of the result lies in another core's cache. On a machine whose cores are busy, waiting for the slower thread can
cost ten times the product. So training whose largest product is small runs on one thread, and the setting is put back
afterwards. A number of threads that the user has chosen in the environment is never touched.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from multilayer.kernels.threads import CHOICES

# Measured with OpenBLAS on two cores: up to here one thread is as fast or faster for the whole step.
SMALL_PRODUCT_FLOP = 64e6

_lock = threading.Lock()
_users = 0
_limit: Any = None


def one_thread_does(flop: float) -> bool:
    """Whether products of so many operations are left to one thread, so that other cores are free for other work."""
    return flop <= SMALL_PRODUCT_FLOP and not any(map(os.environ.get, CHOICES)) and _controller() is not None


@contextmanager
def threads_for(flop: float) -> Iterator[None]:
    """Within this context products use one thread where `flop`, those of the largest product, are few.

    Without threadpoolctl the BLAS library keeps its own number. Several trainings at once share one setting, which is
    put back when the last of them ends.
    """
    if not one_thread_does(flop):
        yield
        return
    global _users, _limit
    with _lock:
        if _users == 0:
            _limit = _controller().limit(limits=1, user_api="blas")
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _limit.restore_original_limits()


@functools.cache
def _controller() -> Any:
    """What sets the number of threads, or None where threadpoolctl is not installed."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()
