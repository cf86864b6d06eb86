"""What `multilayer train` does: make a network, train it, test it, and keep it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

import multilayer as ml
from multilayer import layers, optimizers, plotting
from multilayer._language import later, tr
from multilayer._pictures import as_input
from multilayer._system.machine import memory
from multilayer.callbacks import History
from multilayer.cli import digits, run_folder
from multilayer.cli.interruption import Backups, Divergence, Snapshots, Stop
from multilayer.cli.terminal import can_redraw, escaped, failing_on, say, stamped
from multilayer.cli.train_options import TrainOptions, layer_sizes
from multilayer.models import Model, Sequential


def network(sizes: list[int], activation: str, optimizer: str, learning_rate: float | None) -> Sequential:
    """The tutorial's kind of network: 784 pixels, hidden layers, a probability for each of ten digits."""
    rule = optimizers.get(optimizer)
    rule.name = optimizer.lower()  # without a number, or the file of a run that went on would differ in it
    if learning_rate is not None:
        rule.learning_rate = learning_rate
    hidden = [layers.Dense(size, activation=activation) for size in sizes]
    model = Sequential([layers.Input((784,)), *hidden, layers.Dense(10, activation="softmax")])
    model.compile(optimizer=rule, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Outcome(NamedTuple):
    """What a training has come to.

    Attributes:
        stop: What has broken it off, or None.
        history: Loss and metrics of all whole epochs.
        tested: The loss and the metrics on test digits, under their names.
    """

    stop: Stop | None
    history: dict[str, list[float]]
    tested: dict[str, float]


_TOO_LARGE = later("A network of this size does not fit into memory")


def build(options: TrainOptions) -> Sequential:
    """The network of a run, from the run's seed; ends the command where it does not fit into memory."""
    assert options.seed is not None  # a run that is begun has one
    ml.utils.set_random_seed(options.seed)
    with failing_on(MemoryError, ValueError, doing=tr(_TOO_LARGE)):
        _require_memory(layer_sizes(options.hidden))
        return network(layer_sizes(options.hidden), options.activation, options.optimizer, options.learning_rate)


def _require_memory(sizes: list[int]) -> None:
    """Raises ValueError where weights, gradients and the two means of Adam would be more than the machine's memory."""
    sides = [784, *sizes, 10]
    weights = sum((inputs + 1) * units for inputs, units in pairwise(sides))
    needed, there = 4 * 4 * weights, memory()
    if there is not None and needed > there:
        raise ValueError(
            tr(
                "its {weights:,} weights need about {needed:,.0f} GiB to be trained, and this machine has "
                "{there:,.0f} GiB. Choose smaller layers by --hidden",
                weights=weights,
                needed=needed / 2**30,
                there=there / 2**30,
            )
        )


def run(model: Sequential, options: TrainOptions, loaded: digits.Digits, folder: Path) -> Outcome:
    """Trains, or goes on with what was begun in the folder, tests, and saves; tells what it does."""
    with failing_on(MemoryError, doing=tr(_TOO_LARGE)):
        model.summary()
        backups = Backups(folder / run_folder.BACKUP)
        history = fit(model, loaded, backups, folder, epochs=options.epochs, batch_size=options.batch_size)
        tested = test(model, loaded.test)
        save(folder, model, history, loaded)
    if backups.stop is None:
        with failing_on(OSError, doing=tr("Cannot save the run")):
            run_folder.write_run(options, folder, complete=True)
    return Outcome(backups.stop, history, tested)


def fit(
    model: Sequential, loaded: digits.Digits, backups: Backups, folder: Path, *, epochs: int, batch_size: int
) -> dict[str, list[float]]:
    """Trains, tests after every epoch, and returns the history of all whole epochs."""
    (x, y), (x_test, y_test) = loaded.train, loaded.test
    record = History()

    def snapshot() -> None:
        model.save(folder / run_folder.MODEL)
        run_folder.write_history(record.history, folder)

    try:
        with failing_on(OSError, ValueError), stamped():  # a backup that cannot be written, or that is of another run
            model.fit(
                as_input(x, model),
                y,
                batch_size=batch_size,
                epochs=epochs,
                validation_data=(as_input(x_test, model), y_test),
                verbose=1 if can_redraw() else 2,
                callbacks=[record, Divergence(), Snapshots(snapshot), backups],
            )
    except (KeyboardInterrupt, SystemExit):
        if backups.stop is None:  # the second, which means at once
            raise
        say(tr("\n{stop} Saving what there is.", stop=backups.stop))
    return record.history


def save(folder: Path, model: Sequential, history: dict[str, list[float]], loaded: digits.Digits) -> None:
    """Fills the run folder."""
    images, labels = loaded.test
    probabilities = model.predict(as_input(images, model), verbose=0)
    with failing_on(
        OSError, doing=tr("Cannot save the run (once that is mended, go on with --resume {folder})", folder=folder)
    ):
        model.save(folder / run_folder.MODEL)
        if any(history.values()):  # no whole epoch, no history
            run_folder.write_history(history, folder)
            run_folder.draw_history(history, folder)
        run_folder.save_figure(plotting.plot_mistakes(images, labels, probabilities), folder / run_folder.MISTAKES)


def test(model: Model, split: digits.Split) -> dict[str, float]:
    """The loss and the metrics of a network on test digits, the loss first."""
    images, labels = split
    results = model.evaluate(as_input(images, model), labels, verbose=0, return_dict=True)
    return {name: float(np.mean(results[name])) for name in sorted(results, key=lambda name: name != "loss")}


def print_tested(tested: dict[str, float]) -> None:
    """Prints the loss and the metrics."""
    for name, value in tested.items():
        say(tr("test_{name}: {value:.4f}", name=escaped(name), value=value))
