"""A whole program, the tutorial's: import, read MNIST, train its network for ten epochs, evaluate.

    python train_mnist.py PACKAGE MNIST.npz [floats|uint8]

PACKAGE is `multilayer` or `keras`. Prints one line of JSON: test accuracy, and the most memory the process ever held.
With `uint8` the pixels stay bytes, and the network's first layer rescales them.
"""

import importlib
import json
import resource
import sys

import numpy as np

keras = importlib.import_module(sys.argv[1])
kind = sys.argv[3]
with np.load(sys.argv[2]) as mnist:
    x_train, y_train = mnist["x_train"].reshape(-1, 784), mnist["y_train"]
    x_test, y_test = mnist["x_test"].reshape(-1, 784), mnist["y_test"]
first = [keras.layers.Rescaling(1 / 255)] if kind == "uint8" else []
if kind == "floats":
    x_train, x_test = x_train / 255.0, x_test / 255.0

model = keras.Sequential(
    [
        keras.Input((784,)),
        *first,
        keras.layers.Dense(50, activation="sigmoid"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=10, verbose=0)
_, accuracy = model.evaluate(x_test, y_test, verbose=0)
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps({"accuracy": accuracy, "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}))
