"""What a training step costs: `fit` of 784-50-10 (sigmoid, softmax, Adam, batch 32), beside its matrix products alone.

    python benchmarks/step.py

Leave the BLAS free to choose its kernel: unset OPENBLAS_CORETYPE. The kernel in use is printed.
"""

import statistics
import time

import numpy as np
import threadpoolctl

import multilayer as keras

SAMPLES, BATCH, SIZES, EPOCHS = 60_000, 32, (784, 50, 10), 10


def microseconds_a_step(epochs):
    rng = np.random.default_rng(0)
    # A fifth of MNIST's pixels are inked; whole columns never are.
    x = rng.random((SAMPLES, SIZES[0]), dtype="float32") * (rng.random(SIZES[0]) < 0.85)
    x *= rng.random(x.shape, dtype="float32") < 0.25
    y = rng.integers(0, SIZES[-1], SAMPLES)
    model = keras.Sequential(
        [keras.Input(SIZES[:1]), keras.layers.Dense(SIZES[1], "sigmoid"), keras.layers.Dense(SIZES[2], "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    times = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            times.append((time.perf_counter() - self.start) / (SAMPLES / BATCH) * 1e6)

    model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[Watch()])
    return times


def microseconds_of_products(rounds=2000):
    d, h, k = SIZES
    draw = np.random.default_rng(0).standard_normal
    x, w1, w2 = (draw(shape).astype("float32") for shape in ((BATCH, d), (d, h), (h, k)))
    z, dz, dy = (draw(shape).astype("float32") for shape in ((BATCH, h), (BATCH, h), (BATCH, k)))
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        _ = x @ w1, z @ w2, z.T @ dy, dy @ w2.T, x.T @ dz
        times.append((time.perf_counter() - start) * 1e6)
    return times


def main():
    for library in threadpoolctl.threadpool_info():
        if library["user_api"] == "blas":
            print(f"{library['internal_api']} {library['version']}, kernel {library['architecture']}")
    step = statistics.median(microseconds_a_step(EPOCHS))
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        products = statistics.median(microseconds_of_products())
    print(f"a step {step:.0f} us, its products alone {products:.0f} us: {step / products:.2f} times")


if __name__ == "__main__":
    main()
