"""Each native kernel of an optimizer's step and of a normalization beside its NumPy reference, in one process, in turn.

    python benchmarks/kernels.py [--rounds 30] [--products]

With `--products`, matrix products beside those of NumPy's BLAS library, on one core and on all. The best times of all
rounds are shown, which other work on the machine leaves alone.
"""

import argparse
import time

import numpy as np
import threadpoolctl

from multilayer import layers, optimizers
from multilayer._core import kernels
from multilayer.functional import normalization, optimizer_steps

PARAMETERS = 400_000  # about 784-512
ROWS, COLUMNS = 128, 512
OPTIMIZERS = ("SGD", "RMSprop", "Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta", "Lion")
LAYERS = ("BatchNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization")
REFERENCES = {
    name: function
    for module in (optimizer_steps, normalization)
    for name, function in vars(module).items()
    if hasattr(kernels, name) and callable(function)
}
NATIVE = {name: getattr(kernels, name) for name in REFERENCES}


def use(functions):
    for name, function in functions.items():
        setattr(kernels, name, function)


def optimizer_call(make):
    optimizer = make()
    rng = np.random.default_rng(0)
    w, g = rng.standard_normal((2, PARAMETERS), dtype=np.float32)
    return lambda: optimizer.step(g, w)


def layer_call(make):
    layer = make()
    x = np.random.default_rng(0).standard_normal((ROWS, COLUMNS), dtype=np.float32)
    layer.ensure_built((None, COLUMNS))

    def forward_and_back():
        layer.forward(x, training=True)
        layer.backward(x)

    return forward_and_back


def best(call, rounds):
    seconds = {"native": [], "numpy": []}
    for _ in range(rounds):
        for kind, functions in (("native", NATIVE), ("numpy", REFERENCES)):
            use(functions)
            start = time.perf_counter()
            call()
            seconds[kind].append(time.perf_counter() - start)
    return (1e6 * min(times) for times in seconds.values())


# m, k, n, and how the factors lie: nn as they are, tn x^T da, nt da W^T
PRODUCTS = [
    (100, 784, 50, "nn"),
    (784, 100, 50, "tn"),
    (100, 50, 10, "nn"),
    (32, 784, 50, "nn"),
    (784, 32, 50, "tn"),
    (128, 784, 512, "nn"),
    (784, 128, 512, "tn"),
    (128, 512, 512, "nn"),
    (512, 128, 512, "tn"),
    (128, 512, 512, "nt"),
    (128, 512, 10, "nn"),
    (512, 128, 10, "tn"),
    (128, 10, 512, "nt"),
    (256, 2048, 2048, "nn"),
    (2048, 256, 2048, "tn"),
    (256, 2048, 2048, "nt"),
]


def product_calls(m, k, n, lie):
    """The product in the kernels and in the BLAS library, and how often to do it for a turn of about a millisecond."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((k, m) if lie[0] == "t" else (m, k), dtype=np.float32)
    b = rng.standard_normal((n, k) if lie[1] == "t" else (k, n), dtype=np.float32)
    a, b = (one.T if how == "t" else one for one, how in zip((a, b), lie, strict=True))
    out = np.empty((m, n), np.float32)
    return (lambda: kernels.matmul(a, b, out)), (lambda: np.matmul(a, b, out)), max(1, int(1e8 / (2 * m * k * n)))


def best_of(call, times, clock, best):
    start = clock()
    for _ in range(times):
        call()
    return min(best, (clock() - start) / times)


def products(rounds):
    """One thread is timed by what the processor has spent, which other work on the machine leaves alone."""
    print("| | threads | kernels, us | BLAS, us | times as fast |\n| --- | ---: | ---: | ---: | ---: |")
    for threads, clock in ((1, time.thread_time), (kernels.threads.cores(), time.perf_counter)):
        kernels.share_among(threads)
        with threadpoolctl.threadpool_limits(threads, user_api="blas"):
            for shape in PRODUCTS:
                own, blas, times = product_calls(*shape)
                best_own = best_blas = float("inf")
                for _ in range(rounds):
                    best_own = best_of(own, times, clock, best_own)
                    best_blas = best_of(blas, times, clock, best_blas)
                name = "{} x {} x {} {}".format(*shape)
                micro = f"{1e6 * best_own:.1f} | {1e6 * best_blas:.1f} | {best_blas / best_own:.2f}"
                print(f"| {name} | {threads} | {micro} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--products", action="store_true")
    options = parser.parse_args()
    rounds = options.rounds
    print(f"Kernels: {kernels.describe()}")
    if options.products:
        products(rounds)
        return
    print("| | native, us | NumPy, us | times as fast |\n| --- | ---: | ---: | ---: |")
    calls = {name: optimizer_call(getattr(optimizers, name)) for name in OPTIMIZERS}
    calls["SGD, momentum"] = optimizer_call(lambda: optimizers.SGD(momentum=0.9))
    calls["Adam, amsgrad"] = optimizer_call(lambda: optimizers.Adam(amsgrad=True))
    calls |= {name: layer_call(getattr(layers, name)) for name in LAYERS}
    for name, call in calls.items():
        native, numpy = best(call, rounds)
        print(f"| {name} | {native:.0f} | {numpy:.0f} | {numpy / native:.1f} |", flush=True)


if __name__ == "__main__":
    main()
