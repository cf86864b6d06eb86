"""What `multilayer train TABLE` does: measure on rows that were not trained on, train, and keep what came of it."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, NamedTuple, TextIO

import numpy as np

from multilayer._language import tr
from multilayer.cli.table_data import Learnable
from multilayer.cli.table_options import TableOptions
from multilayer.cli.terminal import can_redraw, say
from multilayer.functional import Array
from multilayer.tabular import TableWarning, TabularClassifier, TabularRegressor, splits
from multilayer.tabular.baselines import constant_probabilities, linear_probabilities, linear_values
from multilayer.tabular.figures import classification_figures, regression_figures
from multilayer.tabular.importance import Importance, permutation_importance

MODELS = ("network", "linear", "constant")


class Measured(NamedTuple):
    """What was predicted of rows that were not trained on.

    Attributes:
        rows: Their numbers in the table.
        truth: What is true of them: labels, or values.
        said: What the models say, by name: probabilities (n, C), or values (n,).
        trained_on: How many rows the models were trained on.
    """

    rows: Array
    truth: Array
    said: dict[str, Array]
    trained_on: int


class Result(NamedTuple):
    """What a training on a table has come to.

    Attributes:
        learnable: The table.
        estimator: The trained estimator.
        parts: What was measured, once, or for every fold.
        importance: How much each column matters.
        split: How the rows were chosen, in a sentence.
        notes: What was noticed, in sentences.
        seconds: How long training took, and all of it.
    """

    learnable: Learnable
    estimator: Any
    parts: list[Measured]
    importance: list[Importance]
    split: str
    notes: list[str]
    seconds: float

    @property
    def classes(self) -> list[str]:
        """The classes in order, of a classification."""
        return self.learnable.classes

    @property
    def measured(self) -> Measured:
        """All rows that were measured by, each with what a model says that has not seen it."""
        return Measured(
            np.concatenate([one.rows for one in self.parts]),
            np.concatenate([one.truth for one in self.parts]),
            {name: np.concatenate([one.said[name] for one in self.parts]) for name in MODELS},
            round(float(np.mean([one.trained_on for one in self.parts]))),
        )

    def figures(self) -> dict[str, dict[str, float]]:
        """The figures of each model: of the rows held out, or the means over the folds."""
        of_parts = [figures_of(self.learnable, one) for one in self.parts]
        return {
            model: {name: float(np.nanmean([one[model][name] for one in of_parts])) for name in of_parts[0][model]}
            for model in MODELS
        }

    def deviations(self) -> dict[str, float]:
        """The standard deviation of the network's figures over the folds, where there are some."""
        if len(self.parts) == 1:
            return {}
        of_parts = [figures_of(self.learnable, one)["network"] for one in self.parts]
        return {name: float(np.nanstd([one[name] for one in of_parts], ddof=1)) for name in of_parts[0]}


def figures_of(learnable: Learnable, measured: Measured) -> dict[str, dict[str, float]]:
    """The figures of each model on some rows."""
    if learnable.task == "regression":
        return {name: regression_figures(measured.truth, said) for name, said in measured.said.items()}
    numbers = numbers_of(measured.truth, learnable.classes)
    return {name: classification_figures(numbers, said) for name, said in measured.said.items()}


def numbers_of(labels: Array, classes: list[str]) -> Array:
    """Labels as numbers from 0, in the order of the classes."""
    place = {name: i for i, name in enumerate(classes)}
    return np.array([place[label] for label in labels], np.int64)


def run(options: TableOptions, learnable: Learnable) -> Result:
    """Measures and trains; tells what it does.

    Raises:
        ValueError: The rows cannot be split as wanted, or the estimator refuses them.
    """
    began = time.monotonic()
    chosen, split = _chosen(options, learnable)
    trainings = len(chosen) + (options.folds is not None)
    estimator = None
    parts: list[Measured] = []
    worth: list[list[Importance]] = []
    notes: list[str] = []
    for number, (train, test) in enumerate(chosen, start=1):
        label = tr("Fold {number} of {count}", number=number, count=len(chosen)) if options.folds else tr("Training")
        estimator = _trained(options, learnable, train, label, trainings, notes)
        parts.append(measured(learnable, estimator, train, test))
        say(tr("Shuffling one column at a time, to see what each is worth"))
        worth.append(
            permutation_importance(
                estimator,
                learnable.features.rows(test),
                learnable.target[test],
                repeats=max(1, 5 // len(chosen)),
                random_state=options.seed,
            )
        )
    if options.folds is not None:
        estimator = _trained(options, learnable, np.arange(len(learnable.target)), tr("All rows"), trainings, notes)
    return Result(learnable, estimator, parts, _mean_importance(worth), split, notes, time.monotonic() - began)


def _mean_importance(parts: list[list[Importance]]) -> list[Importance]:
    """What columns are worth on average; a column that was left out of a fold was worth nothing there."""
    if len(parts) == 1:
        return parts[0]
    rises: dict[str, list[float]] = {one.name: [] for part in parts for one in part}
    for part in parts:
        found = {one.name: one.mean for one in part}
        for name, of_name in rises.items():
            of_name.append(found.get(name, 0.0))
    means = [Importance(name, float(np.mean(one)), float(np.std(one))) for name, one in rises.items()]
    return sorted(means, key=lambda one: -one.mean)


def _chosen(options: TableOptions, learnable: Learnable) -> tuple[list[tuple[Array, Array]], str]:
    """The rows to train on and to measure by, and how they were chosen."""
    rows = len(learnable.target)
    classes = numbers_of(learnable.target, learnable.classes) if learnable.task == "classification" else None
    how: dict[str, Any] = {"classes": classes, "groups": learnable.groups, "times": learnable.times}
    by = (
        tr("by whole groups of `{group}`", group=options.group) if options.group is not None
        else tr("by `{time}`, measured by what comes last", time=options.time) if options.time is not None
        else tr("by chance") + (tr(", each class alike") if classes is not None else "")
    )  # fmt: skip
    if options.folds is not None:
        return list(splits.folds(rows, options.folds, seed=options.seed, **how)), (
            tr(
                "measured in {folds} folds, chosen {by}; the network that was kept learned from all rows",
                folds=options.folds,
                by=by,
            )
        )
    train, test = splits.held_out(rows, options.validation, seed=options.seed, **how)
    return [(train, test)], tr(
        "trained on {count:,} rows, measured on {tests:,} others, chosen {by}",
        count=len(train),
        tests=len(test),
        by=by,
    )


def _trained(
    options: TableOptions, learnable: Learnable, rows: Array, label: str, trainings: int, notes: list[str]
) -> Any:
    kind = TabularClassifier if learnable.task == "classification" else TabularRegressor
    budget = None if options.budget is None else options.budget / trainings
    estimator = kind(options.recipe, members=options.members, budget=budget, random_state=options.seed, verbose=1)
    groups = None if learnable.groups is None else learnable.groups[rows]
    target = learnable.target[rows]
    began = time.monotonic()
    with warnings.catch_warnings(), in_a_line(label):
        warnings.simplefilter("ignore", TableWarning)  # they are kept in `messages_`
        estimator.fit(learnable.features.rows(rows), target, groups=groups)
    say(
        tr(
            "{label}: {count:,} rows in {seconds:.1f} s",
            label=label,
            count=len(rows),
            seconds=time.monotonic() - began,
        )
    )
    notes += [one for one in estimator.messages_ if one not in notes]
    return estimator


@contextmanager
def in_a_line(label: str) -> Iterator[None]:
    """While entered, what is printed line by line is shown in one line of a terminal, and nowhere else."""
    line = _Line(sys.stdout, label)
    try:
        with redirect_stdout(line):
            yield
    finally:
        line.clear()


class _Line:
    def __init__(self, stream: TextIO, label: str) -> None:
        self._stream, self._label, self._shows = stream, label, can_redraw()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes the text in place of what was there."""
        if self._shows and text.strip():
            self._stream.write(f"\r{self._label}: {text.strip()[:70]}\x1b[K\r")
        return len(text)

    def clear(self) -> None:
        """Leaves the line to what is printed next."""
        if self._shows:
            self._stream.write("\x1b[K")


def measured(learnable: Learnable, estimator: Any, train: Array, test: Array) -> Measured:
    """What the trained network, a linear model and a constant say of rows that none of them has seen."""
    features, target = learnable.features, learnable.target
    known, new = features.rows(train), features.rows(test)
    if learnable.task == "regression":
        values = target[train]
        said = {
            "network": said_by(estimator, new, []),
            "linear": linear_values(known, values, new),
            "constant": np.full(len(test), values.mean()),
        }
    else:
        classes = learnable.classes
        labels = numbers_of(target[train], classes)
        said = {
            "network": said_by(estimator, new, classes),
            "linear": linear_probabilities(known, labels, len(classes), new),
            "constant": constant_probabilities(labels, len(classes), len(test)),
        }
    return Measured(test, target[test], said, len(train))


def said_by(estimator: Any, table: Any, classes: list[str]) -> Array:
    """Probabilities (n, C) in the order of the classes, or values (n,)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)
        if not classes:
            return np.asarray(estimator.predict(table), np.float64)
        found = estimator.predict_proba(table)
    said = np.zeros((len(found), len(classes)))
    said[:, [classes.index(str(one)) for one in estimator.classes_]] = found
    return said
