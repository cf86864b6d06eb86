"""One program for everything with Keras' interface, which this library has too.

Training is `model.fit` with accuracy tracked. An epoch is timed from `on_epoch_begin` to `on_epoch_end`, as in the
middle of a long `fit`; the loss is read before the clock stops, which waits for a backend that computes meanwhile.
"""

from __future__ import annotations

import time
from typing import Any

from multilayer.benchmark.engines import Epoch
from multilayer.benchmark.nets import Net


def build(keras: Any, net: Net) -> Any:
    """The network, compiled, with the weights that all engines begin with."""
    model = keras.Sequential([keras.Input(net.sizes[:1])])
    for units in net.sizes[1:-1]:
        model.add(keras.layers.Dense(units, activation=net.activation))
    model.add(keras.layers.Dense(net.sizes[-1], activation="softmax"))
    optimizer = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[net.optimizer]
    model.compile(optimizer(net.learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.set_weights(net.weights())
    return model


def prepare_training(keras: Any, net: Net) -> Epoch:
    """`model.fit`, an epoch at a time; `keras` is the package, Keras itself or one with its interface."""
    model = build(keras, net)
    x, y = net.data()

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.loss = float(logs["loss"])
            self.seconds = time.perf_counter() - self.start

    watch = Watch()

    def epoch() -> tuple[float, float]:
        model.fit(x, y, batch_size=net.batch, epochs=1, verbose=0, callbacks=[watch])
        return watch.seconds, watch.loss

    epoch()
    return epoch
