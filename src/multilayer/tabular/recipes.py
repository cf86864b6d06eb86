"""The recipes by name: from encoded rows to a trained network, by its own settings or by the best of several."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from multilayer import layers
from multilayer.functional import Array
from multilayer.models.base import Model
from multilayer.models.functional import Functional
from multilayer.tabular import realmlp
from multilayer.tabular.ensemble import Options, Score, fit_ensemble

FOLDS = Options().folds
Report = Callable[[int, float], None]


@dataclass(frozen=True)
class Task:
    """What is to be learned.

    Attributes:
        numbers: float32 (n, p).
        codes: int (n, q).
        cardinalities: How many codes each column of them has, 0 not counted.
        targets: Classes (n,) from 0, or values (n, targets) with mean 0 and standard deviation 1.
        classes: How many classes there are; None for values.
        quantiles: Which quantiles of a single target are wanted in the place of its mean.
        weight: The rows' weights (n,), or None.
        groups: Which rows belong together (n,), or None.
        units: Which rows are copies of one (n,), one after the other, or None.
        validation: How many rows at the end are there to judge by alone.
    """

    numbers: Array
    codes: Array
    cardinalities: list[int]
    targets: Array
    classes: int | None
    quantiles: tuple[float, ...] = ()
    weight: Array | None = None
    groups: Array | None = None
    units: Array | None = None
    validation: int = 0

    def judged_by(self, numbers: Array, codes: Array, targets: Array, judged_weight: Array | None) -> Task:
        """The same, with rows to judge by, and what they weigh."""
        weight = self.weight
        if weight is not None or judged_weight is not None:
            own = np.ones(len(self.targets)) if weight is None else weight
            weight = np.concatenate([own, np.ones(len(numbers)) if judged_weight is None else judged_weight])
        return dataclasses.replace(
            self,
            numbers=np.concatenate([self.numbers, numbers]),
            codes=np.concatenate([self.codes, codes]),
            targets=np.concatenate([self.targets, targets]),
            weight=weight,
            validation=len(numbers),
        )

    def of_units(self, units: Array) -> Task:
        """The same, with rows that are copies of one."""
        return dataclasses.replace(self, units=units)

    def in_groups(self, groups: Array) -> Task:
        """The same, with groups of rows that belong together."""
        return dataclasses.replace(self, groups=groups)


@dataclass(frozen=True)
class Trained:
    """What a recipe gives.

    Attributes:
        model: From numbers and codes to probabilities, or to standardized values or quantiles.
        losses: The loss, after each epoch, on what members did not see.
        loss: That of what was kept.
        options: The settings.
        out_of_fold: What members say of rows that they did not see.
        judged_targets: These rows' targets.
        judged_weights: What they weigh.
    """

    model: Model
    losses: list[float]
    loss: float
    options: dict[str, Any]
    out_of_fold: Array
    judged_targets: Array
    judged_weights: Array


def _default(task: Task, settings: dict[str, Any], seed: int, budget: float | None, report: Report | None) -> Trained:
    settings = dict(settings)
    members = settings.pop("members", None)
    options = Options(**settings)
    rows = len(task.targets) - task.validation
    possible = rows if task.groups is None else int(task.groups.max()) + 1
    folds = min(options.folds, possible)
    if members is not None:
        of_a_kind = max(2, members // 2)
        folds = min(folds, of_a_kind)
        options = dataclasses.replace(options, repeats=max(1, round(of_a_kind / folds)))
    options = dataclasses.replace(options, folds=folds)
    ensemble = fit_ensemble(
        task.numbers,
        task.codes,
        task.cardinalities,
        task.targets,
        task.classes,
        seed=seed,
        options=options,
        quantiles=task.quantiles,
        sample_weight=task.weight,
        groups=task.groups,
        units=task.units,
        validation=task.validation,
        budget=budget,
        callback=report,
    )
    return Trained(**vars(ensemble), options=dataclasses.asdict(options))


def trained(
    recipe: str,
    task: Task,
    *,
    seed: int,
    members: int | None = None,
    budget: float | None = None,
    tries: int = 0,
    n_jobs: int | None = None,
    report: Report | None = None,
) -> Trained:
    """Trains by a recipe, with its own settings, or also with others drawn from its space, of which the best is kept.

    What the settings are compared by is the loss on what members did not see, so that no row is lost to a search.

    Args:
        recipe: Its name.
        task: What is to be learned.
        seed: Where all that is drawn comes from.
        members: How many networks; None for the recipe's number.
        budget: Seconds for all of it, about.
        tries: How many other settings to try.
        n_jobs: How many of them at the same time, by joblib, on whatever backend it was told to use.
        report: Called with every epoch and its loss, where nothing is searched.
    """
    make, space = RECIPES[recipe]
    own: dict[str, Any] = {} if members is None else {"members": members}
    if not tries:
        return make(task, own, seed, budget, report)
    from joblib import Parallel, delayed, effective_n_jobs  # only here: `import multilayer` is quick

    generator = np.random.default_rng(seed)
    settings = [own, *({**space(generator), **own} for _ in range(tries))]
    # Each gets its share of the time; side by side there is more of it.
    share = None if budget is None else budget * min(effective_n_jobs(n_jobs), len(settings)) / len(settings)
    found = Parallel(n_jobs=n_jobs)(delayed(make)(task, one, seed, share, None) for one in settings)
    best: Trained = min(found, key=lambda one: one.loss)
    return best


def _default_space(generator: np.random.Generator) -> dict[str, Any]:
    """Settings of the default, around its own."""
    width = int(generator.choice([64, 128, 256]))
    return {
        "widths": (width,) * int(generator.integers(1, 4)),
        "activation": str(generator.choice(["relu", "silu", "selu"])),
        "dropout": float(generator.uniform(0, 0.5)),
        "learning_rate": float(np.exp(generator.uniform(np.log(5e-4), np.log(5e-3)))),
        "weight_decay": float(np.exp(generator.uniform(np.log(1e-2), np.log(1.0)))),
    }


Make = Callable[[Task, dict[str, Any], int, float | None, Report | None], Trained]


def _realmlp(recipe: Callable[..., realmlp.Trained]) -> Make:
    """A recipe of RealMLP's, as the others are: with probabilities, several members and a budget."""

    def make(task: Task, settings: dict[str, Any], seed: int, budget: float | None, report: Report | None) -> Trained:
        own = dict(settings)
        members = own.pop("members", 1)
        train, judged = _split(task, np.random.default_rng(seed))
        arguments = {
            "classes": task.classes,
            "validation": (task.numbers[judged], task.codes[judged], task.targets[judged]),
            "sample_weight": None if task.weight is None else task.weight[train],
            **own,
        }
        found = []
        for member in range(members):
            stop = _Stop(None if budget is None else budget / members, report)
            matrices = task.numbers[train], task.codes[train], task.cardinalities, task.targets[train]
            found.append(recipe(*matrices, seed=seed + member, stop=stop, **arguments))
        model = _mean_of(found, task)
        inputs = {"numbers": task.numbers[judged], "codes": task.codes[judged]}
        said = model.predict({name: inputs[name] for name in model.input_names}, verbose=0)
        weights = np.ones(len(judged)) if task.weight is None else task.weight[judged]
        # Not the least of the epochs' losses, which are smoothed as the labels are, and of single members.
        loss = Score(task.targets[judged], task.classes, (), weights)(said)
        return Trained(model, _mean_losses(found), loss, dict(settings), said, task.targets[judged], weights)

    return make


def _split(task: Task, generator: np.random.Generator) -> tuple[Array, Array]:
    """Rows to train on and rows to judge by: those that are there for it, a fifth of the groups, or of the rows."""
    rows = len(task.targets)
    if task.validation:
        return np.arange(rows - task.validation), np.arange(rows - task.validation, rows)
    units = np.arange(rows) if task.groups is None else task.groups
    count = int(units.max()) + 1
    held_out = generator.permutation(count)[: max(1, round(0.2 * count))]
    judged = np.isin(units, held_out)
    return np.flatnonzero(~judged), np.flatnonzero(judged)


class _Stop:
    """Says after an epoch whether the time is used up, and reports the epoch."""

    def __init__(self, budget: float | None, report: Report | None) -> None:
        self._ends = math.inf if budget is None else time.monotonic() + budget
        self._report = report

    def __call__(self, epoch: int, logs: dict[str, float]) -> bool:
        if self._report is not None:
            self._report(epoch, logs["val_loss"])
        return time.monotonic() > self._ends


def _mean_of(found: list[realmlp.Trained], task: Task) -> Model:
    """The networks as one: the mean of their probabilities, or of their values in the units of the task."""
    first = found[0].model
    inputs = dict(zip(first.input_names, first.inputs, strict=True))
    said = []
    for one in found:
        output = one.model([inputs[name] for name in one.model.input_names])
        if task.classes is not None:
            said.append(layers.Softmax()(output))
        elif one.mean is not None and one.deviation is not None:
            said.append(layers.Rescaling(one.deviation.tolist(), one.mean.tolist())(output))
    return Functional(inputs, said[0] if len(said) == 1 else layers.Average()(said))


def _mean_losses(found: list[realmlp.Trained]) -> list[float]:
    shortest = min(len(one.history["val_loss"]) for one in found)
    return [float(np.mean([one.history["val_loss"][epoch] for one in found])) for epoch in range(shortest)]


def _realmlp_space(generator: np.random.Generator) -> dict[str, Any]:
    """Settings of RealMLP that its authors search among, as far as the recipes have them as arguments."""
    return {
        "learning_rate": float(np.exp(generator.uniform(np.log(0.02), np.log(0.3)))),
        "label_smoothing": float(generator.choice([0.0, 0.05, 0.1])),
        "batch_size": int(generator.choice([64, 128, 256])),
    }


RECIPES: dict[str, tuple[Make, Callable[[np.random.Generator], dict[str, Any]]]] = {
    "default": (_default, _default_space),
    "realmlp-td-s": (_realmlp(realmlp.realmlp_td_s), _realmlp_space),
    "realmlp-td": (_realmlp(realmlp.realmlp_td), _realmlp_space),
}
