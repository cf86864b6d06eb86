"""The ensemble of tables that are larger than memory: rows come in parts, and each is let go after its step.

The members are those of `ensemble`, both kinds side by side, as reading a row takes as long as a step on it. A row's
folds follow from its key, so that wherever and however often it comes by, the same members do not see it: what these
say of a sample of the rows is as honest a figure as that of a table in memory. Weights, calibration and the end of
training go by it.
"""

from __future__ import annotations

import dataclasses
import math
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from multilayer._core.hashes import splitmix64
from multilayer.functional import Array
from multilayer.models.base import Model
from multilayer.optimizers.schedules import LearningRateSchedule
from multilayer.tabular.ensemble import (
    Ensemble,
    Options,
    Score,
    _Annealed,
    _batch_size,
    _Batches,
    _Judged,
    _Members,
    _members,
    _optimizer,
    _start_at,
    _together,
    _View,
    _views,
)

_BLOCK = 4096  # rows whose features are made at once
_LOOKS = 25  # times that training is judged
_PATIENCE = 8  # of these without getting better
_PRESENTED = 3_000_000  # rows in all epochs; a table of more is gone through once
_MOST_EPOCHS = 20
_MOST_FILES = 200  # that are open at once
_CALM = 2_000  # steps after which the learning rate of an endless stream begins to fall


def rows_of(numbers: Array, codes: Array, targets: Array, weights: Array, keys: Array) -> Array:
    """Encoded rows as one array (n,) that can be indexed, joined and written as a whole.

    Args:
        numbers: float32 (n, p).
        codes: (n, q), from 0 to 255.
        targets: Classes (n,), or values (n, targets).
        weights: (n,).
        keys: uint64 (n,): what decides which members do not see a row.
    """
    parts: dict[str, Array] = {
        "numbers": numbers.astype(np.float32, copy=False),
        "codes": codes.astype(np.uint8),
        "targets": targets.astype(np.int32 if targets.ndim == 1 else np.float32),
        "weights": weights.astype(np.float32),
        "keys": keys,
    }
    rows = np.empty(len(keys), [(name, part.dtype, part.shape[1:]) for name, part in parts.items()])
    for name, part in parts.items():
        rows[name] = part
    return rows


def keys_of_rows(numbers: Array, codes: Array) -> Array:
    """A key for each row (n,) by what stands in it, so that a row that comes by again has the same."""
    keys = np.zeros(len(numbers), np.uint64)
    # + 0 makes 0 of -0, which is the same number with other bits.
    for column in (*(numbers.astype(np.float32) + 0).view(np.uint32).T, *codes.T):
        keys = splitmix64(keys ^ column.astype(np.uint64))
    return keys


class Reservoir:
    """Which of many rows are kept, so that each has the same chance, without knowing how many there will be.

    Every row draws a number, and the rows with the smallest are kept.

    Args:
        most: How many are kept.
        generator: Where chance comes from.
    """

    def __init__(self, most: int, generator: np.random.Generator) -> None:
        self.most, self._generator = most, generator
        self._drawn = np.zeros(0)

    def kept(self, rows: int) -> tuple[Array, Array]:
        """Which of the rows that were kept so far stay, and which of so many new ones join them, by their numbers."""
        before = len(self._drawn)
        drawn = np.concatenate([self._drawn, self._generator.random(rows)])
        kept = np.arange(len(drawn))
        if len(drawn) > self.most:
            kept = np.sort(np.argpartition(drawn, self.most)[: self.most])
        self._drawn = drawn[kept]
        return kept[kept < before], kept[kept >= before] - before


class Buckets:
    """Encoded rows in files, each row in one drawn by chance: a shuffle of what memory cannot hold.

    Each file is a sample of all rows, also where these come in the order of their targets, and fits in memory, where it
    is shuffled in itself. So a pass over the files is a pass over the rows in an order drawn from all that there are.

    Args:
        folder: Where the files are made. They have no name there, or lose it: whoever kills the process leaves nothing.
        rows: About how many rows there will be.
        row: How they are built up.
        most_bytes: How large a file may become, about.
        generator: Where chance comes from.

    Raises:
        OSError: There is too little space for them.
    """

    def __init__(
        self, folder: Path, rows: int, row: np.dtype[Any], most_bytes: int, generator: np.random.Generator
    ) -> None:
        needed, free = rows * row.itemsize, shutil.disk_usage(folder).free
        if needed > 0.95 * free:
            raise OSError(
                f"{folder} has {free / 1e9:.1f} GB of free space. Expected {needed / 1e9:.1f} GB, in which the rows "
                "lie shuffled while training lasts: name another folder in the environment's TMPDIR."
            )
        count = min(_MOST_FILES, math.ceil(needed / most_bytes))
        self._files = [tempfile.TemporaryFile(dir=folder) for _ in range(max(1, count))]  # noqa: SIM115
        self._row, self._generator = row, generator

    def add(self, rows: Array) -> None:
        """Writes rows, each into a file drawn by chance."""
        which = self._generator.integers(len(self._files), size=len(rows))
        order = np.argsort(which, kind="stable")
        ends = np.cumsum(np.bincount(which, minlength=len(self._files)))
        for file, part in zip(self._files, np.split(rows[order], ends[:-1]), strict=True):
            file.write(part.tobytes())

    def close(self) -> None:
        """Gives the files up."""
        for file in self._files:
            file.close()

    def __iter__(self) -> Iterator[Array]:
        """All rows, a file at a time, in an order of its own each time."""
        for i in self._generator.permutation(len(self._files)):
            self._files[i].seek(0)
            rows = np.frombuffer(self._files[i].read(), self._row)
            yield rows[self._generator.permutation(len(rows))]


class _Fading(LearningRateSchedule):
    """A short rise, then slower and slower steps, 1 / sqrt(1 + t / 2,000), as nobody knows when the rows will end."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, step: int) -> float:
        return self.rate * min(1.0, (step + 1) / 20) / math.sqrt(1 + step / _CALM)

    def get_config(self) -> dict[str, Any]:
        return {"rate": self.rate}


class Stream:
    """The members of both kinds, which learn from rows as they come.

    Args:
        sample: Encoded rows, by which inputs are cut into pieces.
        cardinalities: How many codes each column has, 0 not counted.
        classes: How many classes there are; None for values.
        quantiles: Which quantiles of a single target to predict, in the place of its mean.
        options: How members are drawn up and trained.
        seed: Where all that is drawn comes from.
        steps: How many steps there will be; None where nobody knows.
        budget: Seconds after which training ends.
    """

    def __init__(
        self,
        sample: Array,
        cardinalities: list[int],
        classes: int | None,
        quantiles: Sequence[float],
        options: Options,
        seed: int,
        *,
        steps: int | None = None,
        budget: float | None = None,
    ) -> None:
        self.options, self.losses = options, list[float]()
        self._classes, self._quantiles = classes, quantiles
        self._generator = np.random.default_rng(seed)
        score = self._score(sample)
        numbers, codes = sample["numbers"], sample["codes"].astype(np.int32)
        self._kinds: list[tuple[_View, Model]] = []
        for view in _views(numbers, codes, cardinalities, len(sample), options):
            width = _features(view, sample[:1]).shape[1]
            body = _members(width, self._folds(sample).shape[1], score.outputs, options, self._generator)
            _start_at(body, sample["targets"], sample["weights"], classes)
            rate = options.learning_rate
            body.compile(_optimizer(options, _Annealed(rate, steps, budget) if steps else _Fading(rate)), score.loss())
            self._kinds.append((view, body))

    def learn(self, rows: Array, batch_size: int) -> None:
        """A step for each batch of the rows, which are shuffled; a member skips those of its fold."""
        for block in _blocks(rows, _BLOCK):
            y, weights, held_out = self._targets(block), block["weights"], self._folds(block)
            for view, body in self._kinds:
                if not body.stop_training:
                    batches = _Batches(_features(view, block), y, weights, held_out, batch_size, self._generator)
                    body.fit(batches, epochs=1, verbose=0, shuffle=False)

    def judges(self, sample: Array, patience: int = 1) -> list[_Judged]:
        """What says of each kind of members how good it is on rows of its folds, and when it has been best."""
        score = self._score(sample)
        found = []
        for view, body in self._kinds:
            found.append(_Judged(_features(view, sample), self._folds(sample), score, patience, None, None))
            found[-1].set_model(body)
        return found

    def together(self, judges: list[_Judged]) -> Ensemble:
        """All members as one model, by what the judges last found best."""
        found = [
            _Members(view, body, judged.out_of_fold, judged.losses)
            for (view, body), judged in zip(self._kinds, judges, strict=True)
        ]
        return _together(found, judges[0].score)

    def learn_until_best(
        self,
        parts: Callable[[], Iterator[Array]],
        rows: int,
        sample: Array,
        budget: float | None,
        report: Callable[[int, float], None] | None,
    ) -> Ensemble:
        """Goes through the rows as often as is due, or until what is said of the sample gets no better.

        Args:
            parts: All rows from the beginning, shuffled, in parts.
            rows: How many there are.
            sample: Some of them, to judge by.
            budget: Seconds after which training ends.
            report: Called with how often it was judged, and the loss.
        """
        ends = math.inf if budget is None else time.monotonic() + budget
        judges = self.judges(sample, _PATIENCE)
        often = max(_BLOCK, epochs_of(rows) * rows // _LOOKS)
        since = 0
        blocks = (block for _ in range(epochs_of(rows)) for part in parts() for block in _blocks(part, _BLOCK))
        for block in blocks:
            self.learn(block, _batch_size(rows))
            since += len(block)
            if since >= often:
                self._judge(judges, report)
                since = 0
            if time.monotonic() > ends or all(body.stop_training for _, body in self._kinds):
                break
        if since:
            self._judge(judges, report)
        for judged, (_, body) in zip(judges, self._kinds, strict=True):
            body.set_weights(judged.best_weights)
        return self.together(judges)

    def _judge(self, judges: list[_Judged], report: Callable[[int, float], None] | None) -> None:
        for judged, (_, body) in zip(judges, self._kinds, strict=True):
            if not body.stop_training:
                judged.on_epoch_end(len(judged.losses))
        self.losses.append(float(np.mean([judged.losses[-1] for judged in judges])))
        if report is not None:
            report(len(self.losses) - 1, self.losses[-1])

    def _score(self, rows: Array) -> Score:
        return Score(self._targets(rows), self._classes, self._quantiles, rows["weights"])

    def _targets(self, rows: Array) -> Array:
        targets: Array = rows["targets"]
        return np.repeat(targets, len(self._quantiles), axis=1) if self._quantiles else targets

    def _folds(self, rows: Array) -> Array:
        """Which rows each member is not to see (n, K), by their keys."""
        keys, folds = rows["keys"], self.options.folds
        found = [
            (splitmix64(keys, repeat) % np.uint64(folds))[:, None] == np.arange(folds, dtype=np.uint64)
            for repeat in range(self.options.repeats or 1)
        ]
        return np.concatenate(found, axis=1)


def _blocks(rows: Array, size: int) -> Iterator[Array]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def epochs_of(rows: int) -> int:
    """How often rows are gone through."""
    return int(np.clip(math.ceil(_PRESENTED / rows), 1, _MOST_EPOCHS))


def steps_of(rows: int) -> int:
    """How many steps that takes."""
    return epochs_of(rows) * math.ceil(rows / _batch_size(rows))


def options_for(members: int | None) -> Options:
    """The settings of the default recipe, with about so many members of both kinds."""
    options = Options()
    if members is not None:
        of_a_kind = max(2, members // 2)
        folds = min(options.folds, of_a_kind)
        options = dataclasses.replace(options, folds=folds, repeats=max(1, round(of_a_kind / folds)))
    return options


def _features(view: _View, rows: Array) -> Array:
    matrices = {"numbers": rows["numbers"], "codes": rows["codes"].astype(np.int32)}
    # `rows` is one array of whole rows: without a copy, each column would be far from its next value.
    parts = [(name, np.ascontiguousarray(matrices[name]), layer) for name, _, layer in view.parts]
    return view._replace(parts=parts).features()
