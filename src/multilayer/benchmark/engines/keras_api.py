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
    model = keras.Sequential([keras.Input(workload.sizes[:1]), *layers(keras, workload)])
    return made_ready(keras, model, workload, "sparse_categorical_crossentropy")


def layers(keras: Any, workload: Workload) -> list[Any]:
    """The network's layers."""
    hidden = [keras.layers.Dense(units, activation=workload.activation) for units in workload.sizes[1:-1]]
    return [*hidden, keras.layers.Dense(workload.sizes[-1], activation="softmax")]


def made_ready(keras: Any, model: Any, workload: Workload, loss: Any, **options: Any) -> Any:
    """A model of these layers, compiled, with the weights that all begin with."""
    optimizer = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[workload.optimizer]
    model.compile(optimizer(workload.learning_rate), loss, metrics=["accuracy"], **options)
    model.set_weights(workload.weights())
    return model


def prepare_training(keras: Any, workload: Workload) -> Epoch:
    """`model.fit`, an epoch at a time; `keras` is the package, Keras itself or one with its interface."""
    return fitting(keras, build(keras, workload), *workload.data(), workload.batch)


def fitting(keras: Any, model: Any, x: Any, y: Any, batch: int) -> Epoch:
    """The same for a model of one's own."""
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
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0, callbacks=[stopwatch])
        return seconds, loss

    epoch()
    return epoch
