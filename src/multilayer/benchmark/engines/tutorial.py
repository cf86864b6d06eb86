"""The tutorial's own NumPy, as it stands: float64, two layers, gradient descent, batches drawn with replacement."""

from __future__ import annotations

import time

import numpy as np

from multilayer import tutorial
from multilayer.benchmark.engines import Calls, Epoch, UnsupportedError
from multilayer.benchmark.workloads import Workload

DISTRIBUTIONS = ("numpy",)


def prepare_training(workload: Workload) -> Epoch:
    """`tutorial.train_step` over random batches."""
    if (len(workload.sizes), workload.activation, workload.optimizer) != (3, "sigmoid", "sgd"):
        raise UnsupportedError("the tutorial knows two layers, sigmoid and SGD")
    x, y = workload.data()
    x = x.astype(np.float64)
    W1, b1, W2, b2 = (w.astype(np.float64) for w in workload.weights())
    rng = np.random.default_rng(2)

    def epoch() -> tuple[float, float]:
        nonlocal W1, b1, W2, b2
        total = 0.0
        start = time.perf_counter()
        for _ in range(workload.steps):
            rows = rng.choice(workload.rows, workload.batch)
            W1, b1, W2, b2, loss = tutorial.train_step(x[rows], y[rows], W1, b1, W2, b2, workload.learning_rate)
            total += loss
        return time.perf_counter() - start, total / workload.steps

    epoch()
    return epoch


def prepare_predicting(workload: Workload, rows: int) -> Calls:
    """`tutorial.predict`."""
    if (len(workload.sizes), workload.activation) != (3, "sigmoid"):
        raise UnsupportedError("the tutorial knows two layers and sigmoid")
    W1, b1, W2, b2 = (w.astype(np.float64) for w in workload.weights())
    x = workload.data()[0][:rows].astype(np.float64)
    return {"predict": lambda: tutorial.predict(W1, b1, W2, b2, x)}
