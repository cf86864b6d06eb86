"""The same seed gives the same run, bit for bit, whatever else the process does meanwhile."""

import threading
from contextlib import contextmanager, nullcontext

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers

X = np.random.default_rng(0).random((300, 12), dtype=np.float32)
Y = np.random.default_rng(1).integers(0, 4, 300)


def run(callbacks=()):
    """The weights that a training ends with in which everything is left to chance that can be."""
    keras.utils.set_random_seed(7)
    x = keras.Input((12,))
    h = layers.Dense(40, activation="relu")(x)
    h = layers.GaussianNoise(0.1)(layers.BatchNormalization()(layers.Dropout(0.3)(h)))
    h = layers.Add()([h, layers.AlphaDropout(0.1)(layers.Dense(40)(h))])
    model = keras.Model(x, layers.Dense(4, activation="softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, epochs=3, validation_split=0.1, callbacks=list(callbacks), verbose=0)
    return np.concatenate([weight.reshape(-1) for weight in model.get_weights()])


@contextmanager
def another_training_in_a_thread():
    other = keras.Sequential([keras.Input((12,)), layers.Dense(9), layers.Dropout(0.5, seed=3), layers.Dense(4)])
    other.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    other.fit(X, Y, verbose=0)
    over = threading.Event()

    def train():
        while not over.is_set():
            other.fit(X, Y, shuffle=False, verbose=0)
            np.random.rand(10)  # noqa: NPY002

    thread = threading.Thread(target=train)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Asking(keras.callbacks.Callback):
    """Asks and tests the model between epochs, and draws from everybody's generator."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.predict(X[:50], verbose=0)
        self.model.evaluate(X, Y, verbose=0)
        np.random.rand(3)  # noqa: NPY002


@pytest.mark.parametrize(
    ("meanwhile", "callbacks"),
    [(nullcontext, []), (another_training_in_a_thread, []), (nullcontext, [Asking()])],
    ids=["nothing", "another training in a thread", "questions between epochs"],
)
def test_a_run_is_the_same_whatever_happens_beside_it(meanwhile, callbacks):
    wanted = run()
    with meanwhile():
        np.testing.assert_array_equal(run(callbacks), wanted)
