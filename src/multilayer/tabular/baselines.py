"""What has to be beaten: always the same answer, and a linear model of the same columns."""

from __future__ import annotations

import numpy as np

from multilayer._tables import Table
from multilayer.functional import Array, softmax
from multilayer.tabular.preprocessing import Preprocessing

_FARTHEST = 3.0  # quartile distances from the median, which columns approach and never pass
_MOST_ROWS = 20_000
_MOST_STEPS = 300


def constant_probabilities(classes: Array, count: int, rows: int) -> Array:
    """The shares that classes have among training rows, for each of some rows.

    Args:
        classes: The classes of training rows (n,), numbers from 0.
        count: How many classes there are.
        rows: How many rows to predict.

    Example:
        >>> constant_probabilities(np.array([0, 1, 1, 1]), 2, 1)
        array([[0.25, 0.75]])
    """
    shares = np.bincount(classes, minlength=count) / len(classes)
    return np.tile(shares, (rows, 1))


def linear_probabilities(train: Table, classes: Array, count: int, rows: Table, strength: float = 1.0) -> Array:
    """Probabilities of classes (n, C) by logistic regression on training rows.

        p = softmax(x W + b),   sum of -log p(true class) + strength / 2 |W|^2 is least

    Columns are those that a network has: numbers bounded, what is missing and categories as columns of 0 and 1.

    Args:
        train: Training rows.
        classes: Their classes (n,), numbers from 0.
        count: How many classes there are.
        rows: The rows to predict.
        strength: How much large weights cost.
    """
    x, x_new = _design(train, rows)
    some = _some_of(len(x))
    x, targets = x[some], np.eye(count)[classes[some]]
    # Nesterov's method: the curvature of the mean loss is at most a half of X^T X / n's largest eigenvalue.
    smoothest = 0.5 * np.linalg.eigvalsh(x.T @ x / len(x))[-1] + strength / len(x)
    decay = np.full((x.shape[1], 1), strength / len(x))
    decay[0] = 0  # the offset
    w = ahead = np.zeros((x.shape[1], count))
    momentum = 1.0
    for _ in range(_MOST_STEPS):
        slope = x.T @ (softmax(x @ ahead) - targets) / len(x) + decay * ahead
        new = ahead - slope / smoothest
        if np.sum(slope * (new - w)) > 0:  # uphill: begin anew
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / following * (new - w)
        w, momentum = new, following
        if np.abs(slope).max() < 1e-5:
            break
    return softmax(x_new @ w)


def linear_values(train: Table, values: Array, rows: Table, strength: float = 1.0) -> Array:
    """Values (n,) by ridge regression on training rows.

        sum of (x w + b - t)^2 + strength |w|^2 is least,   for standardized columns

    Args:
        train: Training rows.
        values: Their values t (n,).
        rows: The rows to predict.
        strength: How much large weights cost.
    """
    x, x_new = _design(train, rows)
    some = _some_of(len(x))
    x, values = x[some], values[some]
    cost = strength * np.eye(x.shape[1])
    cost[0, 0] = 0  # the offset
    w = np.linalg.lstsq(x.T @ x + cost, x.T @ values, rcond=None)[0]
    result: Array = x_new @ w
    return result


def _some_of(rows: int) -> Array:
    """The rows that a linear model is fitted to: of very many a part says the same."""
    if rows <= _MOST_ROWS:
        return np.arange(rows)
    return np.random.default_rng(0).choice(rows, _MOST_ROWS, replace=False)


def _design(train: Table, rows: Table) -> tuple[Array, Array]:
    """Matrices with a column of ones first, and columns of mean 0 and deviation 1 among training rows."""
    preprocessing, _ = Preprocessing.learned(train)
    x, x_new = (_numbers(preprocessing, one) for one in (train, rows))
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    deviation[deviation < 1e-9] = np.inf
    return tuple(np.column_stack([np.ones(len(one)), (one - mean) / deviation]) for one in (x, x_new))  # type: ignore[return-value]


def _numbers(preprocessing: Preprocessing, table: Table) -> Array:
    encoded = preprocessing(table)
    numbers = encoded.numbers.astype(np.float64)
    parts = [numbers / np.hypot(1, numbers / _FARTHEST)]
    for codes, cardinality in zip(encoded.codes.T, preprocessing.cardinalities, strict=True):
        parts.append(np.eye(cardinality + 1)[codes][:, 1:])
    return np.concatenate(parts, axis=1)
