"""Several networks one after the other, in threads, and in processes (`utils.parallel_map`): what side by side brings.

    python benchmarks/at_once.py [--rounds 5] [--seconds 1] [--only 784-50-10]

The three ways are asked in turn, and have to come to the same weights, bit for bit. Processes include the time that it
takes to start them, which the first row shows alone. Ratios are to one after the other; above 1 is faster.
"""

import argparse
import functools
import operator
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from multilayer import Sequential, initializers, layers, utils

# Sizes of the layers, and the batch.
NETWORKS = {
    "20-16-3": ((20, 16, 3), 32),
    "784-50-10": ((784, 50, 10), 100),
    "784-50-10, batch 32": ((784, 50, 10), 32),
    "784-512-512-10": ((784, 512, 512, 10), 128),
}
SAMPLES = 4096
COUNT = 4


def train(seed, network, epochs):
    """The weights of one network; nothing is drawn from the global seed, which threads would share."""
    (inputs, *hidden, classes), batch = NETWORKS[network]
    drawn = np.random.default_rng(0)
    x, y = drawn.random((SAMPLES, inputs), np.float32), drawn.integers(0, classes, SAMPLES)
    parts = [
        layers.Dense(units, "relu", kernel_initializer=initializers.GlorotUniform(seed=seed + number))
        for number, units in enumerate(hidden)
    ]
    last = initializers.GlorotUniform(seed=seed + len(hidden))
    model = Sequential([layers.Input((inputs,)), *parts, layers.Dense(classes, "softmax", kernel_initializer=last)])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=batch, epochs=epochs, shuffle=False, verbose=0)
    return [w.tobytes() for w in model.get_weights()]


def one_after_the_other(function, processes):
    return [function(seed) for seed in range(COUNT)]


def in_threads(function, processes):
    with ThreadPoolExecutor(processes) as threads:
        return list(threads.map(function, range(COUNT)))


def in_processes(function, processes):
    return utils.parallel_map(function, range(COUNT), n_jobs=processes)


WAYS = {"one after the other": one_after_the_other, "in threads": in_threads, "in processes": in_processes}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1, help="so long, about, does one network train")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", choices=NETWORKS)
    options = parser.parse_args()
    begin = time.perf_counter()
    utils.parallel_map(operator.neg, range(options.processes), n_jobs=options.processes)
    print(f"starting {options.processes} processes: {time.perf_counter() - begin:.2f} s")
    print(f"{COUNT} networks | way | best, 25th percentile and median of the seconds | how many times as fast")
    for network in [options.only] if options.only else NETWORKS:
        train(0, network, 1)  # the first fills memory
        begin = time.perf_counter()
        train(0, network, 10)
        epochs = max(1, round(10 * options.seconds / (time.perf_counter() - begin)))
        print_compared(network, functools.partial(train, network=network, epochs=epochs), options)


def print_compared(network, function, options):
    seconds, weights = {name: [] for name in WAYS}, {}
    for _ in range(options.rounds):
        for name, way in WAYS.items():
            begin = time.perf_counter()
            weights[name] = way(function, options.processes)
            seconds[name].append(time.perf_counter() - begin)
    assert all(found == weights["one after the other"] for found in weights.values())
    first, *_ = found = [summary(times) for times in seconds.values()]
    for name, three in zip(seconds, found, strict=True):
        ratios = [base / own for base, own in zip(first, three, strict=True)]
        print(network, name, *(" ".join(f"{figure:.2f}" for figure in row) for row in (three, ratios)), sep=" | ")


def summary(times):
    return min(times), sorted(times)[len(times) // 4], statistics.median(times)


if __name__ == "__main__":
    main()
