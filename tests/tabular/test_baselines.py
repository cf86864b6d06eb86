"""What has to be beaten, compared with scikit-learn's."""

import numpy as np
import pytest

from multilayer._tables import Table
from multilayer.tabular.baselines import constant_probabilities, linear_probabilities, linear_values

DRAW = np.random.default_rng(0)
TABLE = Table.of({"a": DRAW.normal(size=300), "b": DRAW.choice(["x", "y", "z"], 300)})
SCORE = TABLE["a"] + 2.0 * (TABLE["b"] == "x")


def design():
    """The columns as the linear model has them: bounded, a column for each category, standardized."""
    a = TABLE["a"]
    low, middle, high = np.quantile(a, [0.25, 0.5, 0.75])
    z = ((a - middle) / (high - low)).astype(np.float32).astype(float)
    columns = [z / np.hypot(1, z / 3), *(TABLE["b"] == one for one in "xyz")]
    x = np.stack(columns, axis=1).astype(float)
    return (x - x.mean(axis=0)) / x.std(axis=0)


def test_classes_are_those_of_logistic_regression():
    linear_model = pytest.importorskip("sklearn.linear_model")
    classes = (SCORE + DRAW.normal(size=300) > 0.5).astype(int) + (SCORE > 2)
    found = linear_probabilities(TABLE, classes, 3, TABLE)
    x = design()
    expected = linear_model.LogisticRegression(tol=1e-8, max_iter=1000).fit(x, classes).predict_proba(x)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_values_are_those_of_ridge_regression():
    linear_model = pytest.importorskip("sklearn.linear_model")
    found = linear_values(TABLE, SCORE, TABLE)
    x = design()
    np.testing.assert_allclose(found, linear_model.Ridge().fit(x, SCORE).predict(x), atol=1e-6)


def test_a_constant_is_how_frequent_classes_are():
    np.testing.assert_array_equal(constant_probabilities(np.array([0, 0, 2, 2]), 3, 2), [[0.5, 0, 0.5]] * 2)
