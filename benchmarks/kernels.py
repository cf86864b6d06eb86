"""Each native kernel of an optimizer's step and of a normalization beside its NumPy reference, in one process, in turn.

    python benchmarks/kernels.py [--rounds 30]

The best times of all rounds are shown, which other work on the machine leaves alone.
"""

import argparse
import time

import numpy as np

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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    print(f"Kernels: {kernels.describe()}")
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
