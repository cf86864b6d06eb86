"""Makes `functions.keras` with Keras 3.15, and prints what comes next: `python tests/files/make_functions.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def main() -> None:
    import keras  # which need not be there when tests are collected

    ops = keras.ops

    def bent(x):
        return x / (1.0 + ops.abs(x))

    def sizes(w):
        return 0.01 * ops.sum(ops.abs(w))

    def kept_small(w):
        return ops.clip(w, -0.4, 0.4)

    def halves(shape, dtype=None):
        return ops.full(shape, 0.5, dtype)

    def fourth_power(y_true, y_pred):
        return ops.mean((y_true - y_pred) ** 4, axis=-1)

    def largest_error(y_true, y_pred):
        return ops.max(ops.abs(y_true - y_pred), axis=-1)

    penalties = {"kernel_regularizer": sizes, "activity_regularizer": sizes}
    hidden = keras.layers.Dense(3, bent, kernel_constraint=kept_small, bias_initializer=halves, **penalties)
    model = keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), fourth_power, metrics=[largest_error])
    x, y = np.linspace(-1, 1, 24).reshape(6, 4), np.linspace(0, 1, 12).reshape(6, 2)
    model.fit(x, y, epochs=2, verbose=0)
    model.save(Path(__file__).parent / "functions.keras")
    print(model.evaluate(x, y, verbose=0))
    model.fit(x, y, shuffle=False, verbose=0)
    print(model.evaluate(x, y, verbose=0))


if __name__ == "__main__":
    main()
