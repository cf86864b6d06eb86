"""Kills trainings and lets them go on: does each end with the same bytes as one that was never killed?

    python reliability/resume.py                    36 kills of each training: some ten minutes
    python reliability/resume.py --kills 10 adam    10 kills of one of them

Every training is a program of its own, which is started, killed by SIGKILL at a random step, between two steps or while
a backup is being written, and started again, until it has been killed so often; then it is left to end. Compared is a
SHA-256 of the weights, the optimizer's running vectors, numbers of steps and learning rate, the places in all
random streams, the history, and the files that callbacks have written. The training "command line" is
`multilayer train`, and then `multilayer train --resume`; compared is what is in its run folder.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import warnings
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

import numpy as np

import multilayer as keras
from multilayer import callbacks, layers, optimizers
from multilayer._training import random_sources, randomness
from multilayer.optimizers import schedules

EPOCHS, SAMPLES, BATCH = 5, 192, 8


def data():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(SAMPLES, 12)).astype("float32")
    return x, (x[:, :4] @ generator.normal(size=(4, 3))).argmax(axis=1)


class Shuffled(keras.utils.PyDataset):
    """Batches by their number; it shuffles itself after every epoch, and draws noise for every batch."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y
        self.order = np.arange(len(x))
        self.shuffling, self.noise = np.random.default_rng(1), np.random.default_rng(2)

    def __len__(self):
        return len(self.x) // BATCH

    def __getitem__(self, index):
        rows = self.order[index * BATCH : (index + 1) * BATCH]
        return self.x[rows] + self.noise.normal(0, 0.01, (len(rows), 12)), self.y[rows]

    def on_epoch_end(self):
        self.shuffling.shuffle(self.order)


class Noisy(keras.utils.PyDataset):
    """Batches that several threads make at once: what is drawn for one follows from its number and the epoch."""

    def __init__(self, x, y):
        super().__init__(workers=3, max_queue_size=4)
        self.x, self.y, self.epoch = x, y, 0

    def __len__(self):
        return len(self.x) // BATCH

    def __getitem__(self, index):
        drawing = np.random.default_rng((self.epoch, index))
        rows = drawing.integers(len(self.x), size=BATCH)
        return self.x[rows] + drawing.normal(0, 0.01, (BATCH, 12)), self.y[rows]

    def on_epoch_end(self):
        self.epoch += 1


def endless(x, y):
    drawing = np.random.default_rng(3)
    while True:
        rows = drawing.integers(len(x), size=BATCH)
        yield x[rows], y[rows]


def in_arrays(x, y):
    return {"x": x, "y": y, "batch_size": BATCH, "validation_split": 0.15}


def in_steps(x, y):
    """Epochs that end within a pass over the data."""
    return {"x": x, "y": y, "batch_size": BATCH, "steps_per_epoch": 8, "validation_data": (x[:40], y[:40])}


def in_classes(x, y):
    return in_arrays(x, y) | {"class_weight": {0: 1.0, 1: 2.5, 2: 0.5}}


def in_weights(x, y):
    return in_steps(x, y) | {"sample_weight": np.linspace(0, 2, len(x))}


def by_workers(x, y):
    return {"x": Noisy(x, y), "validation_data": (x[:40], y[:40])}


def by_number(x, y):
    return {"x": Shuffled(x, y), "validation_data": (x[:40], y[:40])}


def by_generator(x, y):
    return {"x": endless(x, y), "steps_per_epoch": 20, "validation_data": endless(x, y), "validation_steps": 3}


def halved(epoch, rate):
    return rate * 0.5 if epoch else rate


# What each training has of its own: an optimizer, the form of its data, and callbacks.
CASES = {
    "sgd momentum": (
        lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True, clipnorm=1.0),
        in_arrays,
        lambda: [callbacks.ReduceLROnPlateau("val_loss", patience=1, factor=0.5)],
    ),
    "adam": (
        lambda: optimizers.Adam(schedules.CosineDecay(0.01, 100), amsgrad=True),
        in_steps,
        lambda: [callbacks.EarlyStopping("val_loss", patience=9, restore_best_weights=True)],
    ),
    "adamw with ema": (
        lambda: optimizers.AdamW(0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=30),
        in_arrays,
        lambda: [callbacks.SwapEMAWeights(swap_on_epoch=True)],
    ),
    "lion": (
        lambda: optimizers.Lion(0.002),
        by_number,
        lambda: [callbacks.LearningRateScheduler(halved)],
    ),
    "muon": (
        lambda: optimizers.Muon(0.02),
        in_arrays,
        lambda: [callbacks.EarlyStopping("loss", patience=1, min_delta=0.05)],
    ),
    "rmsprop accumulating": (
        lambda: optimizers.RMSprop(0.005, momentum=0.5, centered=True, gradient_accumulation_steps=3),
        by_generator,
        lambda: [callbacks.LearningRateScheduler(halved)],
    ),
    "nadam": (
        lambda: optimizers.Nadam(0.01, global_clipnorm=1.0),
        in_classes,
        lambda: [callbacks.ReduceLROnPlateau("loss", patience=1, factor=0.5), callbacks.TerminateOnNaN()],
    ),
    "adamax": (
        lambda: optimizers.Adamax(schedules.ExponentialDecay(0.02, 10, 0.9, staircase=True)),
        by_workers,
        lambda: [callbacks.EarlyStopping("val_loss", patience=2, start_from_epoch=1)],
    ),
    "adagrad scheduled": (
        lambda: optimizers.Adagrad(schedules.PiecewiseConstantDecay([9, 21], [0.1, 0.05, 0.01]), weight_decay=0.01),
        in_weights,
        lambda: [callbacks.EarlyStopping("val_accuracy", patience=3, restore_best_weights=True)],
    ),
    "adadelta ema accumulating": (
        lambda: optimizers.Adadelta(1.0, use_ema=True, ema_momentum=0.8, gradient_accumulation_steps=2),
        by_number,
        lambda: [callbacks.SwapEMAWeights(swap_on_epoch=True), callbacks.LearningRateScheduler(halved)],
    ),
    "adam by generator": (
        lambda: optimizers.Adam(schedules.InverseTimeDecay(0.01, 10, 0.5), clipvalue=0.5),
        by_generator,
        lambda: [callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)],
    ),
    "adafactor": (
        lambda: optimizers.Adafactor(0.02),
        in_arrays,
        lambda: [callbacks.ReduceLROnPlateau("val_loss", patience=1, factor=0.5)],
    ),
    "ftrl": (
        lambda: optimizers.Ftrl(0.05, l1_regularization_strength=1e-3, beta=0.1),
        in_steps,
        lambda: [callbacks.EarlyStopping("val_loss", patience=9, restore_best_weights=True)],
    ),
    "lamb accumulating": (
        lambda: optimizers.Lamb(0.01, gradient_accumulation_steps=2),
        by_number,
        lambda: [callbacks.LearningRateScheduler(halved)],
    ),
    "schedule-free adamw": (
        lambda: optimizers.ScheduleFreeAdamW(0.02, warmup_steps=20),
        in_classes,
        lambda: [callbacks.EarlyStopping("val_loss", patience=2, start_from_epoch=1)],
    ),
    "lamb own step": (
        lambda: optimizers.Lamb(schedules.CosineDecay(0.02, 100)),
        in_arrays,
        lambda: [callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)],
    ),
    "schedule-free own step": (
        lambda: optimizers.ScheduleFreeAdamW(0.02),
        by_generator,
        lambda: [callbacks.ReduceLROnPlateau("loss", patience=1, factor=0.5)],
    ),
}
COMMAND = "command line"
EVERY = (*CASES, COMMAND)


class Noise(layers.Layer):
    """Noise from a generator that the layer holds, and a number of steps that is no weight that is trained."""

    def __init__(self):
        super().__init__()
        self.generator = keras.random.SeedGenerator(5)
        self.steps = self.add_weight((), "zeros", trainable=False, name="steps")

    def call(self, x, training=False):
        if training:
            self.steps.assign_add(1.0)
            x = x + keras.random.normal(np.shape(x), stddev=0.05, seed=self.generator)
        return x


class OwnStep(keras.Model):
    """A subclass that is trained by a step of its own, on a tape."""

    def __init__(self):
        super().__init__()
        self.noise, self.hidden = Noise(), layers.SpectralNormalization(layers.Dense(16, "relu"))
        self.normalized, self.dropout, self.last = layers.GroupNormalization(4), layers.Dropout(0.25), layers.Dense(3)
        self.mean_loss, self.accuracy = keras.metrics.Mean(name="loss"), keras.metrics.SparseCategoricalAccuracy()

    def call(self, x, training=False):
        x = self.normalized(self.hidden(self.noise(x, training=training), training=training))
        return self.last(self.dropout(x, training=training))

    def _seen(self, y, logits):
        losses = keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)
        self.mean_loss.update_state(losses)
        self.accuracy.update_state(y, logits)
        return keras.ops.mean(losses)

    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            loss = self._seen(y, self(x, training=True))
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {metric.name: metric.result() for metric in self.metrics}

    def test_step(self, data):
        x, y = data
        self._seen(y, self(x, training=False))
        return {metric.name: metric.result() for metric in self.metrics}

    @property
    def metrics(self):
        return [self.mean_loss, self.accuracy]


def own_step(optimizer):
    keras.utils.set_random_seed(7)
    model = OwnStep()
    model.compile(optimizer)
    return model


def network(optimizer):
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((12,)),
            layers.GaussianNoise(0.05),
            layers.Dense(16, "relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.25),
            layers.Dense(3, "softmax"),
        ]
    )
    metrics = ["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2, name="top_2")]
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=metrics)
    return model


class Kill(callbacks.Callback):
    """Kills its own process after so many steps: then, or at the next backup, before or after it gets its name."""

    def __init__(self, steps, moment):
        self.steps, self.moment = steps, moment

    def on_train_batch_end(self, batch, logs=None):
        self.steps -= 1
        if self.steps == 0 and self.moment == "step":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.steps == 0:
            rename = os.replace

            def replace(*names):
                if self.moment == "after the rename":
                    rename(*names)
                os.kill(os.getpid(), signal.SIGKILL)

            os.replace = replace


def train(case, folder, save_freq, steps=0, moment="step"):
    """The program that is killed; prints the hash of all that it has come to."""
    make_optimizer, form, extra = CASES[case]
    model = (own_step if case.endswith("own step") else network)(make_optimizer())
    watchers = [
        *extra(),
        callbacks.CSVLogger(folder / "log.csv"),
        callbacks.ModelCheckpoint(folder / "best.weights.npz", "loss", save_best_only=True, save_weights_only=True),
        callbacks.ModelCheckpoint(folder / "often.weights.npz", save_weights_only=True, save_freq=11),
        callbacks.BackupAndRestore(folder / "backup", save_freq),
    ]
    if steps:
        watchers.insert(0, Kill(steps, moment))
    history = model.fit(**form(*data()), epochs=EPOCHS, verbose=0, callbacks=watchers)
    print(digest(model, history, folder))


def command(folder, save_freq, steps=0, moment="step"):
    """`multilayer train` in the place of `train`: its backups are counted in steps instead of seconds."""
    from multilayer.cli import interruption, run_folder
    from multilayer.cli.commands import app

    kill, count = Kill(steps, moment), itertools.count(1)

    def is_due(backups):
        kill.on_train_batch_end(0)
        return next(count) % save_freq == 0

    interruption.Backups._is_due = is_due
    run = folder / "run"
    options = [
        "--data",
        "synthetic_digits",
        "--samples",
        "600",
        "--hidden",
        "12,8",
        "--epochs",
        str(EPOCHS),
        "--seed",
        "7",
    ]
    begin = ["--output", str(run), "--optimizer", "nadam", *options]
    arguments = ["--resume", str(run)] if (run / run_folder.RUN).exists() else begin
    with redirect_stdout(sys.stderr):
        app(["train", "--quiet", *arguments], standalone_mode=False)
    found = hashlib.sha256((run / run_folder.HISTORY).read_bytes())
    found.update((run / run_folder.RUN).read_bytes())
    for path in (run / run_folder.MODEL, run / run_folder.BACKUP / "latest.npz"):
        with np.load(path) as file:
            for member in sorted(file.files):
                found.update(file[member].tobytes())
    print(found.hexdigest())


def digest(model, history, folder):
    found = hashlib.sha256()
    optimizer = model.optimizer
    for array in [*model.get_weights(), *(optimizer.state[slot] for slot in sorted(optimizer.state))]:
        found.update(np.ascontiguousarray(array).tobytes())
    numbers = [int(optimizer.iterations), float(optimizer.learning_rate).hex(), history.epoch]
    metrics = {name: [float(value).hex() for value in values] for name, values in sorted(history.history.items())}
    places = [randomness.position(source) for source in random_sources.sources(model.layers)]
    found.update(repr((numbers, metrics, places)).encode())
    found.update((folder / "log.csv").read_bytes())
    for name in ("best.weights.npz", "often.weights.npz"):
        with np.load(folder / name) as file:
            for member in sorted(file.files):
                found.update(file[member].tobytes())
    return found.hexdigest()


def start(case, folder, save_freq, steps=0, moment="step"):
    """Starts the program; returns its exit status and what it printed."""
    arguments = ["--child", case, str(folder), str(save_freq), str(steps), moment]
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=False)
    if done.returncode not in (0, -signal.SIGKILL):
        raise SystemExit(f"The training '{case}' has failed:\n{done.stderr}")
    return done.returncode, done.stdout.strip()


def killed_again_and_again(case, kills, seed, save_freq):
    """What a training comes to that is killed so often; one that ends before that is begun again.

    Returns:
        Everything that the trainings came to, and how many times they were killed.
    """
    choose = random.Random(seed)
    ends, count = [], 0
    while count < kills:
        with tempfile.TemporaryDirectory() as folder:
            status = -signal.SIGKILL
            while status:
                moment = choose.choice(["step", "step", "before the rename", "after the rename"])
                steps = choose.randint(1, 6) if count < kills else 0
                status, printed = start(case, Path(folder), save_freq, steps, moment)
                count += status != 0
            ends.append(printed)
    return ends, count


def unbroken(case, save_freq):
    with tempfile.TemporaryDirectory() as folder:
        return start(case, Path(folder), save_freq)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="TRAINING", help=f"of {', '.join(EVERY)}; all by default")
    parser.add_argument("--kills", type=int, default=36, help="how often each training is killed")
    parser.add_argument("--seed", type=int, default=0, help="of the steps at which it is killed")
    arguments = parser.parse_args()
    unknown = set(arguments.cases) - set(EVERY)
    if unknown:
        parser.error(f"no such training: {', '.join(sorted(unknown))}. There are {', '.join(EVERY)}.")
    print(f"{'training':<25} {'data':<14} {'backup every':<14} {'kills':>5}  {'SHA-256':<18} equal")
    different = 0
    for case in arguments.cases or EVERY:
        for save_freq in (1, 3):
            expected = unbroken(case, save_freq)
            found, kills = killed_again_and_again(case, -(-arguments.kills // 2), arguments.seed + save_freq, save_freq)
            every = "step" if save_freq == 1 else f"{save_freq} steps"
            equal = set(found) == {expected}
            different += not equal
            form = "run folder" if case == COMMAND else CASES[case][1].__name__.replace("_", " ")
            print(f"{case:<25} {form:<14} {every:<14} {kills:>5}  {expected[:16]:<18} {'yes' if equal else 'NO'}")
    return 1 if different else 0


if __name__ == "__main__":
    warnings.simplefilter("error")
    if sys.argv[1:2] == ["--child"]:
        name, where, every, how_many, when = sys.argv[2:]
        program = command if name == COMMAND else partial(train, name)
        program(Path(where), int(every), int(how_many), when)
    else:
        sys.exit(main())
