"""What `multilayer train` does: make a network, train it, test it, and keep it."""

from __future__ import annotations

from pathlib import Path

from multilayer import layers, optimizers, plotting
from multilayer.cli import digits, runs
from multilayer.cli.interruption import Interruption
from multilayer.cli.terminal import can_redraw, failing_on
from multilayer.models import Model, Sequential


def network(sizes: list[int], activation: str, optimizer: str, learning_rate: float | None) -> Sequential:
    """The tutorial's kind of network: 784 pixels, hidden layers, a probability for each of ten digits."""
    rule = optimizers.get(optimizer)
    if learning_rate is not None:
        rule.learning_rate = learning_rate
    hidden = [layers.Dense(size, activation=activation) for size in sizes]
    model = Sequential([layers.Input((784,)), *hidden, layers.Dense(10, activation="softmax")])
    model.compile(optimizer=rule, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(
    model: Sequential, loaded: digits.Digits, interruption: Interruption, *, epochs: int, batch_size: int
) -> dict[str, list[float]]:
    """Trains, tests after every epoch, and returns the history of all whole epochs."""
    (x, y), (x_test, y_test) = loaded.train, loaded.test
    history = model.fit(
        digits.as_input(x, model),
        y,
        batch_size=batch_size,
        epochs=epochs,
        validation_data=(digits.as_input(x_test, model), y_test),
        verbose=1 if can_redraw() else 2,
        callbacks=[interruption],
    )
    if interruption.requested:
        print(f"\nStopped by Ctrl-C after {interruption.where}. Saving what there is.")
    if interruption.within_epoch:  # its figures are those of a part of the data, and do not compare with the others
        return {name: values[:-1] for name, values in history.history.items()}
    return history.history


def save(folder: Path, model: Sequential, history: dict[str, list[float]], loaded: digits.Digits) -> None:
    """Fills the run folder, and says with what."""
    images, labels = loaded.test
    probabilities = model.predict(digits.as_input(images, model), verbose=0)
    with failing_on(OSError, doing="Cannot save the run"):
        model.save(folder / runs.MODEL)
        runs.write_trained_on(loaded.name, len(loaded.train[0]), folder)
        if any(history.values()):  # no whole epoch, no history
            runs.write_history(history, folder)
            runs.draw_history(history, folder)
        plotting.plot_mistakes(images, labels, probabilities).savefig(folder / runs.MISTAKES)
    print(f"\nThe run is in {folder}:")
    for name, what in runs.CONTENTS.items():
        if (folder / name).exists():
            print(f"  {name:<15}  {what}")


def evaluate(model: Model, split: digits.Split) -> None:
    """Tests a network, and prints the figures."""
    images, labels = split
    figures = model.evaluate(digits.as_input(images, model), labels, verbose=0, return_dict=True)
    for name in sorted(figures, key=lambda name: name != "loss"):  # the loss first
        print(f"test_{name}: {figures[name]:.4f}")
