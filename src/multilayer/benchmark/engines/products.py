"""The matrix products alone, in NumPy: the least that a network of these shapes can cost on this BLAS.

For each layer x W forward, x^T da for its gradient, and da W^T for the layer below, which the first layer spares. They
run in one thread or in all, whichever is faster for the shapes at hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise

import numpy as np

from multilayer.benchmark.engines import Calls, Epoch
from multilayer.benchmark.timing import median_call
from multilayer.benchmark.workloads import Workload
from multilayer.functional import Array

DISTRIBUTIONS = ("numpy",)
_TRIAL = 0.1  # seconds for which each number of threads is tried


def prepare_training(workload: Workload) -> Epoch:
    """As many steps' products as an epoch has; there is no loss."""
    layers = [_operands(workload.batch, d, h) for d, h in pairwise(workload.sizes)]

    def step() -> None:
        for x, W, _, da, _, _ in layers:
            np.matmul(x, W, out=da)
        for number, (x, _, WT, da, dW, dx) in enumerate(layers):
            np.matmul(x.T, da, out=dW)
            if number:
                np.matmul(da, WT, out=dx)

    limit = _better_limit(step)

    def epoch() -> tuple[float, float]:
        with limit():
            start = time.perf_counter()
            for _ in range(workload.steps):
                step()
            return time.perf_counter() - start, float("nan")

    return epoch


def prepare_predicting(workload: Workload, rows: int) -> Calls:
    """The products of a forward pass."""
    layers = [_operands(rows, d, h) for d, h in pairwise(workload.sizes)]

    def forward() -> None:
        for x, W, _, da, _, _ in layers:
            np.matmul(x, W, out=da)

    limit = _better_limit(forward)
    limit().__enter__()  # for as long as this process lives
    return {"x W of every layer": forward}


def _operands(n: int, d: int, h: int) -> tuple[Array, ...]:
    """A layer's x, W, W^T, da, dW and dx: numbers of any size, none of them subnormal."""
    draw = np.random.default_rng(0).random
    x, W, da = (draw(shape, dtype=np.float32) + 0.5 for shape in ((n, d), (d, h), (n, h)))
    return x, W, W.T, da, np.empty_like(W), np.empty_like(x)


def _better_limit(work: Callable[[], object]) -> Callable[[], AbstractContextManager[object]]:
    """What sets the faster number of threads, one or all; nothing where threadpoolctl is not installed."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return nullcontext
    controller = ThreadpoolController()

    def one_thread() -> AbstractContextManager[object]:
        limit: AbstractContextManager[object] = controller.limit(limits=1, user_api="blas")
        return limit

    seconds = {}
    for limit in (one_thread, nullcontext):
        with limit():
            seconds[limit] = median_call(work, _TRIAL)
    return min(seconds, key=seconds.__getitem__)
