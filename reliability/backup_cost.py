"""What a backup costs: how long one takes, and how long a step of training takes beside it.

python reliability/backup_cost.py            in the system's folder for temporary files
python reliability/backup_cost.py FOLDER     on the disk of that folder
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time

import numpy as np

import multilayer as keras
from multilayer import layers
from multilayer.callbacks import BackupAndRestore

BATCH, STEPS = 32, 300
NETWORKS = {"784-50-10": (50,), "784-512-512-10": (512, 512)}


class Timed(BackupAndRestore):
    """Takes note of how long it takes."""

    def __init__(self, folder):
        super().__init__(folder, save_freq=10)
        self.seconds = []

    def save(self, epoch, step):
        begun = time.perf_counter()
        super().save(epoch, step)
        self.seconds.append(time.perf_counter() - begun)


def compiled(hidden):
    model = keras.Sequential([keras.Input((784,)), *(layers.Dense(units, "relu") for units in hidden)])
    model.add(layers.Dense(10, "softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="where backups are written")
    folder = parser.parse_args().folder
    generator = np.random.default_rng(0)
    x = generator.random((BATCH * STEPS, 784), dtype="float32")
    y = generator.integers(10, size=len(x))
    print(f"{'network':<16} {'a step':>10} {'a backup':>10} {'its size':>10}   share of the time, with one in 10 s")
    for name, hidden in NETWORKS.items():
        model = compiled(hidden)
        model.fit(x, y, batch_size=BATCH, verbose=0)
        begun = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, verbose=0)
        step = (time.perf_counter() - begun) / STEPS
        with tempfile.TemporaryDirectory(dir=folder) as where:
            timed = Timed(where)
            model.fit(x, y, batch_size=BATCH, verbose=0, callbacks=[timed])
        backup = statistics.median(timed.seconds)
        size = 4 * 3 * model.count_params()  # float32; the weights and Adam's two means
        print(f"{name:<16} {1e6 * step:>7.0f} us {1e3 * backup:>7.1f} ms {size / 1e6:>7.1f} MB   {backup / 10:.2%}")


if __name__ == "__main__":
    main()
