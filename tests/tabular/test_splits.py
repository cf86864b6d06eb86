"""Which rows are trained on, and which are measured by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilayer.tabular.splits import folds, held_out


@given(st.integers(2, 60), st.floats(0.05, 0.95), st.integers(0, 5))
def test_both_parts_have_rows_and_share_none(rows, share, seed):
    train, test = held_out(rows, share, classes=np.arange(rows) % 3, seed=seed)
    assert len(train)
    assert len(test)
    assert sorted([*train, *test]) == list(range(rows))


def test_each_class_has_its_share():
    classes = np.repeat([0, 1], [900, 100])
    _, test = held_out(1000, 0.2, classes=classes, seed=0)
    assert np.bincount(classes[test]).tolist() == [180, 20]
    for _, test in folds(1000, 5, classes=classes, seed=0):
        assert np.bincount(classes[test]).tolist() == [180, 20]


def test_groups_stay_together():
    groups = np.random.default_rng(0).integers(0, 12, 200)
    for train, test in [held_out(200, 0.25, groups=groups, seed=1), *folds(200, 4, groups=groups, seed=1)]:
        assert not set(groups[train]) & set(groups[test])
        assert 20 < len(test) < 90
    rows = np.concatenate([test for _, test in folds(200, 4, groups=groups, seed=1)])
    assert sorted(rows) == list(range(200))


def test_what_is_measured_by_comes_last():
    times = np.random.default_rng(0).integers(0, 50, 200)
    for train, test in [held_out(200, 0.25, times=times), *folds(200, 4, times=times)]:
        assert times[train].max() < times[test].min()


def test_the_seed_says_which_rows():
    assert held_out(50, 0.2, seed=1)[1].tolist() == held_out(50, 0.2, seed=1)[1].tolist()
    assert held_out(50, 0.2, seed=1)[1].tolist() != held_out(50, 0.2, seed=2)[1].tolist()


def test_a_part_without_rows_is_refused():
    with pytest.raises(ValueError, match="at least two groups"):
        held_out(5, 0.2, groups=np.zeros(5))
    with pytest.raises(ValueError, match="at least two times"):
        held_out(5, 0.2, times=np.zeros(5))
    with pytest.raises(ValueError, match="fewer than 7 rows"):
        next(folds(5, 7))
