"""How much each column matters to a fitted estimator."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from multilayer._checks.scalars import whole_number
from multilayer._tables import Table
from multilayer.functional import Array
from multilayer.tabular.figures import classification_figures, regression_figures
from multilayer.tabular.targets import as_labels

_MOST_ROWS = 2_000  # more of them make the figure hardly surer, and take as much longer


class Importance(NamedTuple):
    """How much a column matters.

    Args:
        name: The column.
        mean: By how much the loss rises when the column is shuffled, the mean of all times.
        deviation: The standard deviation of that.
    """

    name: str
    mean: float
    deviation: float


def permutation_importance(
    estimator: Any, X: Any, y: Any, *, repeats: int = 5, random_state: int | None = None
) -> list[Importance]:
    """By how much the loss on given rows rises when one column at a time is shuffled among them.

    The loss is the log loss of classes, and the root of the mean squared error of values. Rows that were not trained on
    say what a column is worth; of two columns that tell the same neither seems to matter, as the other is still there.

    Args:
        estimator: A fitted `TabularClassifier` or `TabularRegressor`.
        X: Rows, as the estimator takes them.
        y: What is true of them.
        repeats: How often each column is shuffled.
        random_state: What the shuffling depends on.

    Returns:
        The columns that the estimator uses, those that matter most first.

    Raises:
        ValueError: `repeats` is no whole number of at least 1, or the rows do not fit the estimator.
    """
    whole_number("repeats", repeats, 1)
    draw = np.random.default_rng(random_state)
    table = Table.of(X)
    y = as_labels(y, len(table)) if hasattr(estimator, "classes_") else np.asarray(y)
    if len(table) > _MOST_ROWS:
        rows = draw.choice(len(table), _MOST_ROWS, replace=False)
        table, y = table.rows(rows), y[rows]
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is said of these rows is said once, and not for every shuffling
        whole = loss_of(estimator, table, y)
        for name in used_columns(estimator):
            rises = [loss_of(estimator, _shuffled(table, name, draw), y) - whole for _ in range(repeats)]
            found.append(Importance(name, float(np.mean(rises)), float(np.std(rises))))
    return sorted(found, key=lambda one: -one.mean)


def used_columns(estimator: Any) -> list[str]:
    """The columns that a fitted estimator predicts from."""
    unused = ("identifier", "constant", "duplicate")
    return [one.name for one in estimator.columns_ if one.kind not in unused]


def loss_of(estimator: Any, table: Table, y: Array) -> float:
    """The log loss of a classifier, or the root of a regressor's mean squared error."""
    if hasattr(estimator, "classes_"):
        # A class that training did not have: of its rows nothing can be right, whatever a column says.
        known = np.isin(y, estimator.classes_)
        numbers = np.searchsorted(estimator.classes_, y[known])
        return classification_figures(numbers, estimator.predict_proba(table)[known])["log_loss"]
    return regression_figures(y.astype(np.float64), np.asarray(estimator.predict(table)))["rmse"]


def _shuffled(table: Table, name: str, draw: np.random.Generator) -> Table:
    order = draw.permutation(len(table))
    return Table(table.columns | {name: table[name][order]}, table.named)
