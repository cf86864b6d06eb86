"""Which matrix products are faster here: the kernels' own, or those of the BLAS library behind NumPy.

The kernels' own need no second pool of threads, and take bias and activation along. But a library that a processor's
maker has written for it, such as Apple's, can multiply faster than any code in C. So the two are compared once, when
the first large product is due, and the winner stays for as long as the process lives. The library has to be clearly
the faster one, with one thread and by the time that the processor has spent, so that neither chance nor other
processes on the machine decide: other sums are other bits, and a training that is resumed in a new process is to go
on as it would have.

The environment variable MULTILAYER_PRODUCTS decides without a comparison: 'own' or 'blas'.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from typing import NamedTuple

import numpy as np

from multilayer._core import kernels
from multilayer._core.kernels import blas, threads

VARIABLE = "MULTILAYER_PRODUCTS"
LARGE_FLOP = 16e6  # a product of fewer operations than these is not worth the question
CLEARLY = 1.5  # times as fast as the kernels' own has the library to be
SHAPE = (128, 512, 512)  # a batch through a layer: m, k, n
ROUNDS = 5


class Choice(NamedTuple):
    """Whose products are used, 'own' or 'blas', and why."""

    by: str
    reason: str

    def __str__(self) -> str:
        whose = "the kernels' own" if self.by == "own" else "the BLAS library's"
        return f"{whose} ({self.reason})"


_chosen: Choice | None = None
_lock = threading.Lock()


def _renew_lock() -> None:
    """A forked child has none of its parent's other threads, one of which may be about to choose."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def choose_for(flop: float) -> None:
    """Makes the choice where it has not been made, and products of so many operations are about to come."""
    if _chosen is None and flop >= LARGE_FLOP:
        choice()


def choice() -> Choice:
    """Whose products are used for large matrices from now on.

    Example:
        >>> choice().by in ("own", "blas")
        True
    """
    global _chosen
    with _lock:
        if _chosen is None:
            _chosen = _by_hand() or _compared()
            kernels.share_among(threads.available())
            kernels.leave_to_blas(_chosen.by == "blas")
    return _chosen


def adopt(by: str) -> None:
    """Has products be whose another process says, so that both come to the same bits."""
    global _chosen
    with _lock:
        if kernels.kind != "numpy" and (_chosen is None or _chosen.by != by):
            _chosen = Choice(by, "as in the process that asked")
            kernels.leave_to_blas(by == "blas")


def _by_hand() -> Choice | None:
    if kernels.kind == "numpy":
        return Choice("blas", "the native kernels are not in use")
    wanted = os.environ.get(VARIABLE)
    if wanted in ("own", "blas"):
        return Choice(wanted, f"{VARIABLE}={wanted}")
    if wanted:
        warnings.warn(
            f"{VARIABLE}={wanted!r} is neither 'own' nor 'blas'. It is ignored.", RuntimeWarning, stacklevel=4
        )
    return None


def _compared() -> Choice:
    m, k, n = SHAPE
    a, b, out = np.full((m, k), 0.5, np.float32), np.full((k, n), 0.5, np.float32), np.empty((m, n), np.float32)
    seconds: dict[str, list[float]] = {"own": [], "blas": []}
    kernels.share_among(1)
    with blas.single_threaded() as known:
        # A library that threadpoolctl does not know, such as Apple's, has as many threads as it likes: the time of all.
        clock = time.thread_time if known else time.process_time
        for _ in range(ROUNDS):
            for name, multiply in (("own", kernels.matmul), ("blas", np.matmul)):
                start = clock()
                multiply(a, b, out)
                seconds[name].append(clock() - start)
    own, library = (min(times) for times in seconds.values())
    reason = f"{m} x {k} x {n} takes a core {1e6 * own:,.0f} us, with the BLAS library {1e6 * library:,.0f} us"
    return Choice("blas" if own > CLEARLY * library else "own", reason)
