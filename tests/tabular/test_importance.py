"""How much columns matter."""

import numpy as np
import pytest

from multilayer._tables import Column
from multilayer.tabular.importance import permutation_importance


class Sums:
    """An estimator that knows the truth: a + 2 b."""

    def __init__(self):
        self.columns_ = [Column(name, kind, "") for name, kind in [("a", "number"), ("b", "number"), ("c", "constant")]]

    def predict(self, table):
        return table["a"] + 2 * table["b"]


class Signs(Sums):
    classes_ = np.array(["down", "up"], object)

    def predict_proba(self, table):
        p = 1 / (1 + np.exp(-self.predict(table)))
        return np.stack([1 - p, p], axis=1)


DRAW = np.random.default_rng(0)
X = {"a": DRAW.normal(size=500), "b": DRAW.normal(size=500), "c": np.ones(500)}


def test_what_counts_twice_matters_more():
    found = permutation_importance(Sums(), X, X["a"] + 2 * X["b"], random_state=0)
    assert [one.name for one in found] == ["b", "a"]
    # Shuffled, the error is the difference of two draws: of deviation sqrt(2), and of twice that.
    assert found[0].mean == pytest.approx(2 * np.sqrt(2), rel=0.15)
    assert found[1].mean == pytest.approx(np.sqrt(2), rel=0.15)


def test_classes_are_judged_by_their_log_loss():
    y = np.where(X["a"] + 2 * X["b"] > 0, "up", "down").astype(object)
    found = permutation_importance(Signs(), X, y, repeats=2, random_state=0)
    assert [one.name for one in found] == ["b", "a"]
    assert found[1].mean > 0.05


def test_repeats_are_checked():
    with pytest.raises(ValueError, match="repeats"):
        permutation_importance(Sums(), X, X["a"], repeats=0)
