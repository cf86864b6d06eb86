"""Rows that are alike are one that counts more, and the order of rows says nothing."""

import warnings

import numpy as np
import pytest

from multilayer._tables import Table
from multilayer.tabular import TabularClassifier, TabularRegressor
from multilayer.tabular.distinct import distinct
from multilayer.tabular.ensemble import _folds


def as_dict(found, values):
    return {values[row]: weight for row, weight in zip(found.rows, found.weight, strict=True)}


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0, 1.0, np.nan, np.nan],
        [True, False, True, False, True],
        ["a", None, "a", "b", None],
        np.array(["2026-01-01", "NaT", "2026-01-01", "NaT", "2026-01-02"], "datetime64[s]"),
    ],
)
def test_rows_that_are_alike_are_one(values):
    table = Table({"x": values})
    found = distinct(table, [], None)
    codes = np.unique(table["x"].astype(str), return_inverse=True)[1]
    assert len(found.rows) == codes.max() + 1 == len(set(codes[found.rows].tolist()))
    assert (found.times == np.bincount(codes)[codes[found.rows]]).all()
    assert (found.times == found.weight).all()


def test_zero_has_one_sign():
    assert len(distinct(Table({"x": [0.0, -0.0]}), [], None).rows) == 1


def test_rows_of_other_targets_stay_apart_and_those_of_no_weight_are_left_out():
    table = Table({"x": [1.0, 1.0, 1.0, 1.0, 5.0]})
    found = distinct(table, [np.array([0, 1, 0, 1, 1])], np.array([1.0, 2.0, 0.5, 4.0, 0.0]))
    assert as_dict(found, "abcde") == {"a": 1.5, "b": 6.0}


def test_the_order_of_what_is_found_is_that_of_no_table():
    stream = np.random.default_rng(0)
    numbers, texts = stream.normal(size=50), stream.choice(["a", "b"], 50)
    order = stream.permutation(50)
    first = distinct(Table({"n": numbers, "t": texts}), [], None)
    other = distinct(Table({"n": numbers[order], "t": texts[order]}), [], None)
    np.testing.assert_array_equal(numbers[first.rows], numbers[order][other.rows])


@pytest.mark.parametrize("kind", [TabularClassifier, TabularRegressor])
def test_a_weight_is_how_often_a_row_stands_there_in_whatever_order(kind):
    stream = np.random.default_rng(0)
    X = {"size": stream.normal(size=40), "city": stream.choice(["Seoul", "Busan"], 40)}
    y = (X["size"] > 0).astype(int)
    times = stream.integers(0, 4, 40)
    rows = stream.permutation(np.repeat(np.arange(40), times))
    weighted = kind(members=4, random_state=0).fit(X, y, times)
    repeated = kind(members=4, random_state=0)
    repeated.fit({name: column[rows] for name, column in X.items()}, y[rows])
    np.testing.assert_array_equal(weighted.predict(X), repeated.predict(X))
    assert "are like an earlier one" in repeated.messages_[-1]
    assert not any("like an earlier" in one for one in weighted.messages_)


def test_classes_are_counted_as_they_stand_there():
    X, y = {"x": [1.0] * 90 + [2.0] * 6 + [3.0] * 4}, [0] * 96 + [1] * 4
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        TabularClassifier(members=2, random_state=0).fit(X, y)
    assert any("The class 1 has 4 of 100 rows" in str(one.message) for one in caught)


def test_rows_that_differ_in_the_target_alone_are_held_out_together():
    """Of a table of few cells nothing would be learned otherwise: of each cell both answers are there."""
    draw = np.random.default_rng(0)
    table = {"class": draw.choice(["1st", "2nd", "3rd"], 600), "sex": draw.choice(["f", "m"], 600)}
    share = 0.15 + 0.3 * (table["class"] == "1st") + 0.4 * (table["sex"] == "f")
    y = draw.random(600) < share
    said = TabularClassifier(random_state=0, members=2).fit(table, y).predict_proba(table)[:, 1]
    assert np.corrcoef(said, share)[0, 1] > 0.8
    assert np.ptp(said) > 0.3


@pytest.mark.parametrize("kind", [TabularClassifier, TabularRegressor])
def test_a_table_of_few_cells_is_learned_from(kind):
    stream = np.random.default_rng(0)
    cell = stream.integers(3, size=600)
    y = (stream.random(600) < np.array([0.2, 0.5, 0.8])[cell]).astype(int)
    if kind is TabularRegressor:
        y = np.array([0.0, 2.0, 5.0])[cell] + stream.normal(size=600)
    fitted = kind(random_state=0, members=4).fit({"cell": np.array(["a", "b", "c"])[cell]}, y)
    table = {"cell": ["a", "b", "c"]}
    said = fitted.predict(table) if kind is TabularRegressor else fitted.predict_proba(table)[:, 1]
    means = np.array([y[cell == one].mean() for one in range(3)])
    np.testing.assert_allclose(said, means, atol=0.1 * np.ptp(means))


def test_copies_share_a_weight_and_go_into_different_folds():
    found = distinct(Table({"x": ["a"] * 7 + ["b"] * 2 + ["c"]}), [], None, copies=5)
    assert np.bincount(found.unit).tolist() == np.minimum(found.times[found.times > 0], 5).tolist()
    assert sorted(np.bincount(found.unit, weights=found.weight)) == [1, 2, 7]
    held_out = _folds(None, len(found.rows), None, found.unit, 5, 2, np.random.default_rng(0))
    for unit in range(3):
        assert (held_out[found.unit == unit].sum(axis=0) <= 1).all()
    fractions = distinct(Table({"x": ["a", "a", "b"]}), [], np.array([1.5, 1.0, 3.0]), copies=5)
    assert len(fractions.rows) == 2  # weights that are no counts
