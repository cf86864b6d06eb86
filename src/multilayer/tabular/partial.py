"""`partial_fit`, and training on a file that memory cannot hold: an estimator that learns from its rows in parts."""

from __future__ import annotations

import dataclasses
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from multilayer._tables import Table
from multilayer.functional import Array
from multilayer.tabular.arguments import TableWarning, checked_weights, seed_of
from multilayer.tabular.ensemble import Ensemble, _batch_size
from multilayer.tabular.preprocessing import Preprocessing
from multilayer.tabular.recipes import Trained
from multilayer.tabular.streaming import (
    Buckets,
    Reservoir,
    Stream,
    keys_of_rows,
    options_for,
    rows_of,
    steps_of,
)

_JUDGED = 5_000  # rows that `partial_fit` keeps to judge by
_MOST_JUDGED = 20_000  # of a file
_SHARE = 6  # of the memory that may be used, for the rows of a bucket, and for the inputs of what is judged


class Part(NamedTuple):
    """Some rows of a table.

    Attributes:
        table: What is predicted from.
        target: What is predicted (n,).
        keys: uint64 (n,): rows of one key are judged by members that have seen none of them.
    """

    table: Table
    target: Array
    keys: Array


class Learning:
    """What an estimator keeps between two calls of `partial_fit`.

    Args:
        stream: The members.
        unit: What weights are divided by, so that those of the first rows have mean 1.
        seed: Where all that is drawn comes from.
    """

    def __init__(self, stream: Stream, unit: float, seed: int) -> None:
        self.stream, self.unit = stream, unit
        self._generator = np.random.default_rng(seed)
        self._reservoir = Reservoir(_JUDGED, self._generator)
        self._sample: Array | None = None
        self._losses: list[float] = []

    def learn(self, rows: Array) -> Trained:
        """Goes through some rows once."""
        stay, join = self._reservoir.kept(len(rows))
        self._sample = rows[join] if self._sample is None else np.concatenate([self._sample[stay], rows[join]])
        self.stream.learn(rows[self._generator.permutation(len(rows))], _batch_size(len(rows)))
        judges = self.stream.judges(self._sample)
        for judged in judges:
            judged.on_epoch_end(0)
        found = self.stream.together(judges)
        self._losses.append(found.loss)
        return _as_trained(found, self.stream, self._losses)


def _as_trained(found: Ensemble, stream: Stream, losses: list[float]) -> Trained:
    return Trained(**{**vars(found), "losses": list(losses)}, options=dataclasses.asdict(stream.options))


def partial_fit(estimator: Any, X: Any, y: Any, sample_weight: Any, classes: Any, seed: int) -> None:
    """Has an estimator go through some rows once; see `TabularClassifier.partial_fit`."""
    learning: Learning | None = estimator.__dict__.get("_learning")
    _check(estimator)
    messages = _of_what_is_replaced(estimator) if learning is None else []
    table, y = estimator._with_target(X, y)
    count = len(table)
    if not count:
        raise ValueError("The table has no rows: n_samples = 0. Expected at least one.")
    target = estimator._as_target(y, count)
    weight = np.ones(count) if sample_weight is None else checked_weights(sample_weight, count)
    before = dict(estimator.__dict__)
    try:
        if learning is None:
            preprocessing, columns = Preprocessing.learned(table)
            estimator._learn_targets(target, classes)
            messages += [*table.notes, *(one.warning for one in columns if one.warning)]
            estimator.preprocessing_, estimator.columns_, estimator.messages_ = preprocessing, columns, messages
            estimator._note_names()
        else:
            _check_classes(estimator, classes)
        encoded = estimator.preprocessing_(table)
        targets = estimator._encoded_target(target, "y")
        weight = estimator._weighted(targets, weight)
        rows = rows_of(
            encoded.numbers, encoded.codes, targets, weight / (learning.unit if learning else _unit(weight)),
            keys_of_rows(encoded.numbers, encoded.codes),
        )  # fmt: skip
        if learning is None:
            learning = Learning(_stream(estimator, rows, seed), _unit(weight), seed)
            estimator._learning = learning
        for message in dict.fromkeys([*messages, *encoded.notes]):
            warnings.warn(message, TableWarning, stacklevel=3)
    except BaseException:  # nothing was learned yet
        estimator.__dict__.clear()
        estimator.__dict__.update(before)
        raise
    estimator._take(learning.learn(rows))


def _check(estimator: Any) -> None:
    estimator._check_arguments(2)
    if estimator.recipe != "default":
        raise ValueError(f"Only the recipe 'default' learns in parts. Received: recipe={estimator.recipe!r}.")
    if estimator.tune:
        raise ValueError(
            f"`tune` tries settings on a table in memory. Received: tune={estimator.tune}. Expected 0 where rows come "
            "in parts: find the settings on a sample of them."
        )


def _of_what_is_replaced(estimator: Any) -> list[str]:
    """What is to be said where `partial_fit` begins with an estimator that is trained already.

    Raises:
        ValueError: It was read from a file, and what is in it would be lost by mistake.
    """
    if "model_" not in estimator.__dict__:
        return []
    if not hasattr(estimator, "losses_"):
        raise ValueError(
            f"This {type(estimator).__name__} is of a file, which does not hold what `partial_fit` would go on from. "
            "Begin with a new one."
        )
    return ["`partial_fit` begins anew: what `fit` learned is not gone on with."]


def _check_classes(estimator: Any, classes: Any) -> None:
    if classes is not None and set(np.asarray(classes).tolist()) != set(estimator.classes_.tolist()):
        raise ValueError(
            f"`classes={np.asarray(classes).tolist()[:10]}` is not the same as on last call to partial_fit, "
            f"{estimator.classes_.tolist()[:10]}."
        )


def _unit(weight: Array) -> float:
    return float(weight.mean()) or 1.0


def _stream(estimator: Any, rows: Array, seed: int, **more: Any) -> Stream:
    classes = len(estimator.classes_) if estimator.kind == "classifier" else None
    quantiles = () if classes else estimator._quantiles()
    cardinalities = estimator.preprocessing_.cardinalities
    return Stream(rows, cardinalities, classes, quantiles, options_for(estimator.members), seed, **more)


def fit_in_parts(
    estimator: Any,
    sample: Part,
    parts: Iterable[Part],
    rows: int,
    *,
    memory: int,
    counts: Mapping[Any, int] | None = None,
) -> None:
    """Trains an estimator on more rows than memory can hold, which are read once.

    Preprocessing is learned from a sample of all rows, as the first ones may be of one day or of one class. By it rows
    become numbers and codes, which lie shuffled on disk while training goes through them.

    Args:
        estimator: A `TabularClassifier` or a `TabularRegressor`.
        sample: Some of the rows, drawn from all over the table.
        parts: All rows.
        rows: How many they are, about.
        memory: Bytes that this may use, about.
        counts: How many rows each class has in the whole table, of a classifier.

    Raises:
        OSError: There is too little space for the shuffled rows.
        ValueError: The recipe does not learn in parts, or columns or targets cannot be used.
    """
    _check(estimator)
    preprocessing, columns = Preprocessing.learned(sample.table)
    estimator.preprocessing_, estimator.columns_ = preprocessing, columns
    estimator.messages_ = [one.warning for one in columns if one.warning]
    estimator._note_names()
    estimator._learn_targets(sample.target, None if counts is None else list(counts))
    if counts is not None:
        estimator.messages_ += estimator._about(np.array([counts[one] for one in estimator.classes_.tolist()]))

    def encoded(part: Part) -> Array:
        numbers, codes, _ = preprocessing(part.table)
        targets = estimator._encoded_target(part.target, "the table")
        return rows_of(numbers, codes, targets, estimator._weighted(targets, np.ones(len(targets))), part.keys)

    seed = seed_of(estimator.random_state)
    generator = np.random.default_rng(seed)
    seen = encoded(sample)
    buckets = Buckets(Path(tempfile.gettempdir()), rows, seen.dtype, memory // _SHARE, generator)
    with closing(buckets):
        for part in parts:
            buckets.add(encoded(part))
        budget = estimator.budget  # for what can be ended early: all rows have to be read
        stream = _stream(estimator, seen, seed, steps=steps_of(rows), budget=budget)
        judged = seen[generator.permutation(len(seen))[: _most_judged(preprocessing, memory)]]
        report: Callable[[int, float], None] | None = estimator._report if estimator.verbose else None
        found = stream.learn_until_best(lambda: iter(buckets), rows, judged, budget, report)
    estimator._take(_as_trained(found, stream, stream.losses))


def _most_judged(preprocessing: Preprocessing, memory: int) -> int:
    """The rows whose inputs, of both kinds of members, memory has place for."""
    inputs = 18 * preprocessing.widths["numbers"] + 2 * sum(preprocessing.cardinalities)
    return min(_MOST_JUDGED, max(1_000, memory // _SHARE // (4 * inputs)))
