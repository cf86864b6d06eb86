"""What a user gives an estimator beside a table: weights of rows and of classes, groups, a seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from multilayer._checks.scalars import real_number, shown, whole_number
from multilayer._language import tr
from multilayer._tables import Table
from multilayer.functional import Array


class TableWarning(UserWarning):
    """What a user should know of a table, though it can be used."""


class NotTrainedError(ValueError, AttributeError):
    """It was asked before it was trained."""


def seed_of(random_state: Any) -> int:
    """A seed from whatever scikit-learn takes for one."""
    if isinstance(random_state, (np.random.RandomState,)):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    return whole_number("random_state", random_state, 0)


def checked_weights(sample_weight: Any, rows: int) -> Array:
    """Weights as they were given (n,).

    Raises:
        ValueError: There is not one for each row, or they are no weights.
    """
    weight = np.asarray(sample_weight, np.float64)
    if weight.shape != (rows,) or not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise ValueError(
            tr(
                "`sample_weight` must be a finite number of at least 0 for each of {rows} rows, not all of "
                "them zero. Received shape {shape}, {sample_weight}",
                rows=rows,
                shape=weight.shape,
                sample_weight=shown(sample_weight),
            )
        )
    return weight


def scaled_to_one(weight: Array) -> Array:
    """Weights with mean 1, so that the size of a step does not depend on the unit that they are in."""
    scaled: Array = weight * (len(weight) / weight.sum())
    return scaled


def groups_of(groups: Any, rows: int) -> Array:
    """The number of each row's group (n,).

    Raises:
        ValueError: There is not one for each row, or there are not several groups.
    """
    if isinstance(groups, str):
        raise ValueError(
            f"`groups` must have a value for each row. Received the text {groups!r}. Pass the column itself, such as "
            f"table[{groups!r}]."
        )
    column = next(iter(Table({"groups": groups}).columns.values()))
    if len(column) != rows:
        raise ValueError(
            tr(
                "`groups` has {count} values, and X has {rows} rows. Expected one for each.",
                count=len(column),
                rows=rows,
            )
        )
    found = np.unique(column.astype(str), return_inverse=True)[1]
    if found.max() < 1:
        raise ValueError(
            tr("`groups` names one group alone. Expected at least two: some are held out from some members.")
        )
    return found


def with_class_weights(given: Any, classes: Array, labels: Array, weight: Array | None) -> Array | None:
    """The rows' weights times those of their classes."""
    if given is None:
        return weight
    own = np.ones(len(labels)) if weight is None else weight
    weighted = own * class_factors(given, classes, labels, own)[labels]
    if not weighted.any():
        raise ValueError(
            tr(
                "`class_weight` and `sample_weight` leave no row a weight above 0. Received: "
                "class_weight={given}. Expected one class that counts, at least.",
                given=shown(given),
            )
        )
    return scaled_to_one(weighted)


def class_factors(given: Any, classes: Array, labels: Array, own: Array) -> Array:
    """What the rows of each class count."""
    if given is None:
        return np.ones(len(classes))
    if isinstance(given, str) and given == "balanced":
        sums = np.bincount(labels, weights=own, minlength=len(classes))
        factors: Array = own.sum() / (len(classes) * np.maximum(sums, 1e-12))
    elif isinstance(given, Mapping):
        unknown = [one for one in given if one not in classes.tolist()]
        if unknown:
            raise ValueError(
                tr(
                    "`class_weight` names classes that are not there: {unknown}. There are {tolist}.",
                    unknown=unknown,
                    tolist=classes.tolist(),
                )
            )
        factors = np.array([real_number("class_weight", given.get(one, 1.0), least=0) for one in classes.tolist()])
    else:
        raise ValueError(
            tr("`class_weight` must be a dict, 'balanced' or None. Received: class_weight={given}", given=shown(given))
        )
    return factors
