"""What the tests of models share: data, and the network that they use which are about something else."""

import numpy as np

import multilayer as keras
from multilayer import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("float32")
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def classifier(*, compiled=True, **compile_arguments):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "tanh"), layers.Dense(3, "softmax")])
    if compiled:
        arguments = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
        model.compile(**arguments | compile_arguments)
    return model
