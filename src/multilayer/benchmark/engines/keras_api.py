"""One program for everything with Keras' interface, which this library has too.

Training is `model.fit` with accuracy tracked. An epoch is timed from `on_epoch_begin` to `on_epoch_end`, as in the
middle of a long `fit`; the loss is read before the clock stops, which waits for a backend that computes meanwhile.
"""

from __future__ import annotations

import math
import time
from typing import Any

from multilayer.benchmark.engines import Epoch
from multilayer.benchmark.workloads import Workload


def build(keras: Any, workload: Workload) -> Any:
    """The network, compiled, with the weights that all engines begin with."""
    model = keras.Sequential([keras.Input(workload.sizes[:1])])
    for units in workload.sizes[1:-1]:
        model.add(keras.layers.Dense(units, activation=workload.activation))
    model.add(keras.layers.Dense(workload.sizes[-1], activation="softmax"))
    optimizer = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[workload.optimizer]
    model.compile(optimizer(workload.learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.set_weights(workload.weights())
    return model


def prepare_training(keras: Any, workload: Workload) -> Epoch:
    """`model.fit`, an epoch at a time; `keras` is the package, Keras itself or one with its interface."""
    model = build(keras, workload)
    x, y = workload.data()

    start = seconds = loss = math.nan

    def begin(_epoch: int, _logs: Any = None) -> None:
        nonlocal start
        start = time.perf_counter()

    def end(_epoch: int, logs: Any = None) -> None:
        nonlocal seconds, loss
        loss = float(logs["loss"])
        seconds = time.perf_counter() - start

    stopwatch = keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_epoch_end=end)

    def epoch() -> tuple[float, float]:
        model.fit(x, y, batch_size=workload.batch, epochs=1, verbose=0, callbacks=[stopwatch])
        return seconds, loss

    epoch()
    return epoch
