"""The default for tables: networks side by side, each judged by the rows that it did not see.

What a random forest has and a single network lacks is many members and little confidence. Here K networks are trained
in one pass, each without its fold of the rows. Every row is in some members' folds: what these predict for it, all rows
together, is an honest figure, and a far calmer one than that of a few rows held out. Training ends where it is best,
and a temperature that is fitted to the same predictions calibrates the probabilities.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from multilayer import initializers, layers, losses, ops, optimizers
from multilayer._core.arena import Variable
from multilayer._language import tr
from multilayer.callbacks import Callback
from multilayer.callbacks.base import Logs
from multilayer.functional import Array, softmax
from multilayer.models.base import Model
from multilayer.models.functional import Functional
from multilayer.optimizers.schedules import LearningRateSchedule
from multilayer.tabular.calibration import Calibration
from multilayer.tabular.inputs import OneHotCodes, RobustScaling
from multilayer.tabular.lookup import looked_up
from multilayer.tabular.piecewise import PiecewiseLinear
from multilayer.utils import PyDataset

_LEAST = 1e-7  # no probability below this is believed
_BATCH = 1024  # rows that are judged at once
_FEWEST_EPOCHS = 20
_MANY = 1_000  # rows; of fewer, each is held out twice, as a figure over few rows is less certain
_PARTS = 8  # that kinds of members share among them


@dataclass(frozen=True)
class Options:
    """How the members are drawn up and trained; the defaults were chosen by measurement on 54 tables."""

    folds: int = 5
    repeats: int | None = None
    widths: tuple[int, ...] = (128, 128)
    activation: str = "relu"
    bins: int = 16
    dropout: float = 0.1
    learning_rate: float = 2e-3
    weight_decay: float = 0.03
    batch_size: int | None = None
    epochs: int = 150
    steps: int = 4_000
    patience: int = 25


@dataclass(frozen=True)
class Ensemble:
    """A trained ensemble.

    Attributes:
        model: From numbers (n, p) and codes (n, q) to probabilities (n, C), or to values (n, targets).
        out_of_fold: What the members that did not see a row say of it, (n, C) or (n, targets).
        judged_targets: The targets of these rows.
        judged_weights: What they weigh.
        losses: The mean loss of these after each epoch, of one kind of members after the other.
        loss: The mean loss of what is kept.
    """

    model: Model
    out_of_fold: Array
    judged_targets: Array
    judged_weights: Array
    losses: list[float]
    loss: float


def fit_ensemble(
    numbers: Array,
    codes: Array,
    cardinalities: list[int],
    targets: Array,
    classes: int | None,
    *,
    seed: int,
    options: Options | None = None,
    quantiles: Sequence[float] = (),
    sample_weight: Array | None = None,
    groups: Array | None = None,
    units: Array | None = None,
    validation: int = 0,
    budget: float | None = None,
    callback: Callable[[int, float], None] | None = None,
) -> Ensemble:
    """Trains an ensemble on matrices.

    Args:
        numbers: float32 (n, p), in units of about 1.
        codes: int (n, q), from 0 to the column's cardinality.
        cardinalities: How many codes each column has, 0 not counted.
        targets: Classes (n,) as whole numbers from 0, or values (n, targets) with mean 0 and standard deviation 1.
        classes: How many classes there are; None for values.
        seed: Where all that is drawn comes from.
        options: How members are drawn up and trained.
        quantiles: Which quantiles of a single target to predict, in the place of its mean.
        sample_weight: Weights (n,) of the rows.
        groups: Numbers (n,) of the groups of rows that belong together: all of one are held out by the same members.
        units: Numbers (n,), ascending from 0, of which rows are copies of one: these go into folds one after the other.
        validation: So many rows at the end are seen by no member, and they alone are what training is judged by.
        budget: Seconds after which training ends.
        callback: Called with every epoch and its loss.
    """
    options = options or Options()
    generator = np.random.default_rng(seed)
    rows = len(targets) - validation
    repeats = options.repeats or (2 if rows < _MANY else 1)
    held_out = np.ones((len(targets), options.folds * repeats), bool)  # (n, K)
    held_out[:rows] = (
        False
        if validation
        else _folds(targets[:rows] if classes else None, rows, groups, units, options.folds, repeats, generator)
    )
    if quantiles:  # of one target, a column each
        targets = np.repeat(targets, len(quantiles), axis=1)
    weights = np.ones(len(targets), np.float32) if sample_weight is None else np.asarray(sample_weight, np.float32)
    looked_at = slice(rows, None) if validation else slice(None)
    score = Score(targets[looked_at], classes, quantiles, weights[looked_at])
    views = _views(numbers, codes, cardinalities, rows, options)
    found = []
    for view in views:
        features = view.features()
        judged = _Judged(
            features[looked_at],
            held_out[looked_at],
            score,
            options.patience,
            None if budget is None else budget / len(views),
            callback,
        )
        batch_size = options.batch_size or _batch_size(rows)
        batches = _Batches(features[:rows], targets[:rows], weights[:rows], held_out[:rows], batch_size, generator)
        body = _members(features.shape[1], held_out.shape[1], score.outputs, options, generator)
        _start_at(body, targets[:rows], weights[:rows], classes)
        found.append(_trained(view, body, batches, judged, options))
    return _together(found, score)


def _together(found: list[_Members], score: Score) -> Ensemble:
    """The mean of all kinds of members that is best on what they did not see, and calibrated by that."""
    shares = _shares([one.out_of_fold for one in found], score)
    kept = [(one, share) for one, share in zip(found, shares, strict=True) if share]
    out_of_fold = np.sum([share * one.out_of_fold for one, share in kept], axis=0)
    power = None if score.classes is None else _power(out_of_fold, score.y, score.weights)
    return Ensemble(
        _whole(kept, power),
        out_of_fold,
        score.y,
        score.weights,
        [loss for one in found for loss in one.losses],
        score(out_of_fold),
    )


class _View(NamedTuple):
    """How the members of one kind see a row: the layers that each matrix goes through, side by side."""

    parts: list[tuple[str, Array, layers.Layer]]

    def features(self) -> Array:
        """What they see of all rows (n, d)."""
        return np.concatenate([layer(x) for _, x, layer in self.parts], axis=1)


class _Members(NamedTuple):
    """The members of one kind, trained."""

    view: _View
    body: Model
    out_of_fold: Array
    losses: list[float]


def _views(numbers: Array, codes: Array, cardinalities: list[int], rows: int, options: Options) -> list[_View]:
    """Numbers as they are, and, for members of their own, also by their quantiles.

    Those of the first kind see slopes, as a network does, those of the second jumps, as a tree does. Which is better
    differs from table to table, and both together are better than either on most.
    """
    plain: list[tuple[str, Array, layers.Layer]] = []
    if numbers.shape[1]:
        plain.append(("numbers", numbers, RobustScaling(name="bounded")))
    if codes.shape[1]:
        plain.append(("codes", codes, OneHotCodes(cardinalities, name="categories")))
    views = [_View(plain)]
    if options.bins and numbers.shape[1]:
        pieces = PiecewiseLinear(options.bins, name="pieces")
        pieces.adapt(numbers[:rows])  # of what members see
        views.append(_View([*plain, ("numbers", numbers, pieces)]))
    return views


def _trained(view: _View, body: Model, batches: _Batches, judged: _Judged, options: Options) -> _Members:
    epochs = min(options.epochs, max(_FEWEST_EPOCHS, options.steps // len(batches)))
    optimizer = _optimizer(options, _Annealed(options.learning_rate, epochs * len(batches), judged.budget))
    body.compile(optimizer, judged.score.loss())
    # The batches shuffle their rows themselves; `fit` would shuffle batches by the global seed.
    body.fit(batches, epochs=epochs, verbose=0, shuffle=False, callbacks=[judged])
    body.set_weights(judged.best_weights)
    return _Members(view, body, judged.out_of_fold, judged.losses)


def _shares(out_of_fold: list[Array], score: Score) -> list[float]:
    """What each kind of members counts in the mean: eight times the one is added that makes it best.

    Source: Caruana et al., "Ensemble Selection from Libraries of Models", 2004.
    """
    chosen: list[int] = []
    total: Any = 0.0
    for _ in range(_PARTS if len(out_of_fold) > 1 else 1):
        scores = [score((total + one) / (len(chosen) + 1)) for one in out_of_fold]
        chosen.append(int(np.argmin(scores)))
        total = total + out_of_fold[chosen[-1]]
    return [chosen.count(one) / len(chosen) for one in range(len(out_of_fold))]


def _batch_size(rows: int) -> int:
    """About a sixteenth of the rows, so that an epoch has some steps even where there are few."""
    return int(np.clip(2 ** round(math.log2(max(rows / 16, 1))), 16, 256))


def _folds(
    classes: Array | None,
    rows: int,
    groups: Array | None,
    units: Array | None,
    folds: int,
    repeats: int,
    generator: np.random.Generator,
) -> Array:
    """Which rows each member is not to see (n, K): in every fold as many of each class, and all of a group or none."""
    held_out = []
    for _ in range(repeats):
        if groups is not None:
            fold = (generator.permutation(int(groups.max()) + 1) % folds)[groups]
        else:
            one = np.arange(rows) if units is None else units
            order = np.argsort(generator.permutation(int(one[-1]) + 1)[one], kind="stable")  # copies side by side
            if classes is not None:
                order = order[np.argsort(classes[order], kind="stable")]
            fold = np.empty(rows, np.intp)
            fold[order] = np.arange(rows) % folds
        held_out.append(fold[:, None] == np.arange(folds))
    return np.concatenate(held_out, axis=1)


def _members(inputs: int, members: int, outputs: int, options: Options, generator: np.random.Generator) -> Model:
    """K networks of one shape, from (n, d) to (n, K, outputs), a straight line from inputs to outputs beside each."""

    def seed() -> int:
        return int(generator.integers(2**31))

    x = layers.Input((inputs,), name="features")
    h = x
    for depth, width in enumerate(options.widths):
        h = layers.EinsumDense(
            "bi,kio->bko" if h is x else "bki,kio->bko",
            (members, width),
            activation=options.activation,
            bias_axes="ko",
            kernel_initializer=initializers.HeNormal(seed=seed()),
            bias_initializer=initializers.RandomNormal(stddev=0.5, seed=seed()),
            name=f"hidden_{depth}",
        )(h)
        h = layers.Dropout(options.dropout, seed=seed())(h)
    curved = layers.EinsumDense(
        "bki,kio->bko", (members, outputs), bias_axes="ko", kernel_initializer="zeros", name="curved"
    )(h)
    straight = layers.EinsumDense("bi,kio->bko", (members, outputs), kernel_initializer="zeros", name="straight")(x)
    return Functional(x, layers.Add(name="members")([curved, straight]))


def _start_at(body: Model, targets: Array, weights: Array, classes: int | None) -> None:
    """Lets all members begin with what is known without any column: how frequent each class is."""
    if classes is not None:
        bias: Variable = body.get_layer("curved").bias  # type: ignore[attr-defined]
        shares = np.bincount(targets, weights=weights, minlength=classes) / weights.sum()
        bias.assign(np.broadcast_to(np.log(shares + 1e-3), bias.shape))


class _Batches(PyDataset):
    """Rows with the weights that they have for each member: 0 where it is not to see them."""

    def __init__(
        self, x: Array, y: Array, weights: Array, held_out: Array, batch_size: int, generator: np.random.Generator
    ) -> None:
        super().__init__()
        self._x, self._y, self._weights, self._seen = x, y, weights, ~held_out
        self._batch_size, self._generator = batch_size, generator
        self._order = generator.permutation(len(x))

    def __len__(self) -> int:
        # What is left over goes into the last batch: a step of very few rows would be mostly noise.
        return max(1, len(self._order) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[Array, Array, Array]:
        last = len(self._order) if index == len(self) - 1 else (index + 1) * self._batch_size
        rows = self._order[index * self._batch_size : last]
        seen = self._seen[rows]  # (b, K)
        y = self._y[rows]
        y = np.repeat(y[:, None], seen.shape[1], axis=1)  # (b, K) or (b, K, targets)
        return self._x[rows], y, seen * self._weights[rows, None]

    def on_epoch_end(self) -> None:
        self._order = self._generator.permutation(len(self._order))


class _Annealed(LearningRateSchedule):
    """A short rise, then half a cosine to 0, by the steps taken or by the time used up, whichever is farther."""

    def __init__(self, rate: float, steps: int, budget: float | None) -> None:
        self.rate, self.steps, self.budget = rate, steps, budget
        self._began = time.monotonic()

    def __call__(self, step: int) -> float:
        done = step / self.steps
        if self.budget is not None:
            done = max(done, (time.monotonic() - self._began) / self.budget)
        rise = min(1.0, (step + 1) / min(20, max(1, self.steps / 10)))
        return self.rate * rise * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))

    def get_config(self) -> dict[str, Any]:
        return {"rate": self.rate, "steps": self.steps, "budget": self.budget}


def _optimizer(options: Options, schedule: LearningRateSchedule) -> optimizers.Optimizer:
    optimizer = optimizers.AdamW(schedule, weight_decay=options.weight_decay, beta_2=0.95)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


class Pinball(losses.Loss):
    """The loss whose minimum is a quantile: mean of max(q (y - y_hat), (q - 1) (y - y_hat)), an output for each q.

    Args:
        quantiles: The shares q, between 0 and 1.

    Source: Koenker and Bassett, "Regression Quantiles", 1978.

    Example:
        >>> float(Pinball([0.9])(np.array([[1.0]]), np.array([[0.0]])))
        0.8999999761581421
    """

    def __init__(self, quantiles: Sequence[float] | Array) -> None:
        super().__init__(name="pinball")
        self.quantiles = np.asarray(quantiles, np.float32)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        above = y_true - y_pred
        return ops.mean(ops.maximum(self.quantiles * above, (self.quantiles - 1) * above), axis=-1)


class Score:
    """What is said of rows against what is true of them."""

    def __init__(self, y: Array, classes: int | None, quantiles: Sequence[float], weights: Array) -> None:
        self.y, self.classes, self.quantiles, self.weights = y, classes, np.asarray(quantiles, np.float32), weights

    @property
    def outputs(self) -> int:
        """How many numbers are said of a row."""
        return self.classes or int(self.y.shape[1])

    def loss(self) -> losses.Loss:
        """What members are trained on."""
        if self.classes is not None:
            return losses.SparseCategoricalCrossentropy(from_logits=True)
        return Pinball(self.quantiles) if len(self.quantiles) else losses.MeanSquaredError()

    def __call__(self, said: Array) -> float:
        """The mean loss."""
        if self.classes is not None:
            each = -np.log(np.maximum(said[np.arange(len(self.y)), self.y], _LEAST))
        elif len(self.quantiles):
            above = self.y - said
            each = np.maximum(self.quantiles * above, (self.quantiles - 1) * above).mean(axis=1)
        else:
            each = np.square(said - self.y).mean(axis=1)
        return float(np.average(each, weights=self.weights))


class _Judged(Callback):
    """After every epoch: the loss of what members say of rows that they did not see; keeps the weights of the best."""

    def __init__(
        self,
        x: Array,
        held_out: Array,
        score: Score,
        patience: int,
        budget: float | None,
        callback: Callable[[int, float], None] | None,
    ) -> None:
        self.score, self.budget = score, budget
        self.losses: list[float] = []
        self.best_weights: list[Array] = []
        self.out_of_fold: Array
        self._x, self._held_out = x, held_out[..., None]
        self._patience, self._callback, self._best = patience, callback, 0
        self._ends = math.inf if budget is None else time.monotonic() + budget

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        said = self.model.predict(self._x, batch_size=_BATCH, verbose=0)  # (n, K, outputs)
        if self.score.classes is not None:
            said = softmax(said)
        out_of_fold = (said * self._held_out).sum(axis=1) / self._held_out.sum(axis=1)
        self.losses.append(self.score(out_of_fold))
        if not math.isfinite(self.losses[-1]):
            if not self.best_weights:
                raise ValueError(
                    tr(
                        "Training came apart in its first epoch: the loss is no finite number. Look for values "
                        "that are far from all others."
                    )
                )
            self.model.stop_training = True
        elif self.losses[-1] <= min(self.losses):
            self._best, self.best_weights, self.out_of_fold = epoch, self.model.get_weights(), out_of_fold
        if self._callback is not None:
            self._callback(epoch, self.losses[-1])
        if epoch - self._best >= self._patience or time.monotonic() > self._ends:
            self.model.stop_training = True


def _power(said: Array, y: Array, weights: Array) -> float:
    """The power a for which softmax(a log p) has the least log loss, found where the slope of the loss is 0."""
    logs = np.log(np.maximum(said, _LEAST)).astype(np.float64)

    def slope(a: float) -> float:
        expected = (softmax(a * logs) * logs).sum(axis=1)
        return float(np.average(expected - logs[np.arange(len(y)), y], weights=weights))

    low, high = math.log(0.3), math.log(3.0)
    for _ in range(30):  # the loss is convex in a
        middle = (low + high) / 2
        low, high = (low, middle) if slope(math.exp(middle)) > 0 else (middle, high)
    return math.exp((low + high) / 2)


def _whole(kinds: list[tuple[_Members, float]], power: float | None) -> Model:
    """All members with what comes before and after them, as one model."""
    shapes = {name: x.shape[1] for one, _ in kinds for name, x, _ in one.view.parts}
    inputs = {name: layers.Input((width,), name=name) for name, width in shapes.items()}
    parts = {layer.name: (name, layer) for one, _ in kinds for name, _, layer in one.view.parts}
    # What all kinds see alike is computed once.
    plain = [layer(inputs[name]) for name, layer in parts.values() if not isinstance(layer, PiecewiseLinear)]
    x = plain[0] if len(plain) == 1 else layers.Concatenate()(plain)
    means = []
    for one, share in kinds:
        pieces = [layer for _, _, layer in one.view.parts if isinstance(layer, PiecewiseLinear)]
        said = looked_up(one.body, pieces[0])([x, inputs["numbers"]]) if pieces else one.body(x)
        if power is not None:
            said = layers.Softmax()(said)
        mean = layers.GlobalAveragePooling1D()(said)
        means.append(mean if len(kinds) == 1 else layers.Rescaling(share)(mean))
    mean = means[0] if len(means) == 1 else layers.Add()(means)
    return Functional(inputs, mean if power is None else Calibration(power, name="calibrated")(mean))
