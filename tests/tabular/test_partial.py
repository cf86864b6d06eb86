"""`partial_fit`: estimators that learn from rows in parts."""

import gc
import pickle
import warnings

import numpy as np
import pytest

from multilayer._core.hashes import splitmix64
from multilayer.tabular import Table, TableWarning, TabularClassifier, TabularRegressor, load
from multilayer.tabular.partial import Part, fit_in_parts

QUICK = {"random_state": 0, "members": 4}
CITIES = np.array(["Seoul", "Busan", "Daegu"])
pytestmark = pytest.mark.filterwarnings("ignore::multilayer.tabular.TableWarning")


def made(count, seed=0):
    draw = np.random.default_rng(seed)
    size, city = draw.normal(size=count), draw.integers(3, size=count)
    day = np.datetime64("2024-01-01") + draw.integers(0, 300, count)
    value = 2 * np.sin(size) + (city == 0) + (day > np.datetime64("2024-06-01")) + 0.3 * draw.normal(size=count)
    X = {"size": np.where(draw.random(count) < 0.05, np.nan, size), "city": CITIES[city], "day": day.astype(str)}
    return X, value, np.where(value > 0.8, "yes", "no")


def some(X, rows):
    return {name: column[rows] for name, column in X.items()}


def in_parts(estimator, X, y, count=500, times=3, **how):
    for _ in range(times):
        for start in range(0, len(y), count):
            rows = slice(start, start + count)
            estimator.partial_fit(some(X, rows), y[rows], **how)
    return estimator


@pytest.fixture(scope="module")
def classifier():
    X, _, y = made(4000)
    return in_parts(TabularClassifier(**QUICK), X, y, times=5, classes=["no", "yes"])


def test_parts_come_near_the_whole(classifier):
    X, value, y = made(4000)
    new, new_value, new_y = made(2000, seed=1)
    whole = TabularClassifier(budget=4, **QUICK).fit(X, y)
    assert classifier.score(new, new_y) > whole.score(new, new_y) - 0.02
    assert classifier.loss_ < 1.15 * whole.loss_
    regressor = in_parts(TabularRegressor(**QUICK), X, value)
    assert regressor.score(new, new_value) > 0.9


def test_it_goes_on_where_it_was(classifier):
    X, _, y = made(400, seed=2)
    again = pickle.loads(pickle.dumps(classifier))
    losses = len(again.losses_)
    again.partial_fit(X, y)
    assert len(again.losses_) == again.n_iter_ == losses + 1
    assert not np.array_equal(again.predict_proba(X), classifier.predict_proba(X))


def test_what_it_learned_is_in_the_file_but_not_what_it_would_go_on_from(classifier, tmp_path):
    X, _, y = made(50, seed=3)
    classifier.save(tmp_path / "a.npz")
    again = load(tmp_path / "a.npz")
    assert np.array_equal(again.predict_proba(X), classifier.predict_proba(X))
    with pytest.raises(ValueError, match="Begin with a new one"):
        again.partial_fit(X, y, classes=["no", "yes"])


def test_quantiles_and_several_targets_are_learned_in_parts():
    X, value, _ = made(2000)
    found = in_parts(TabularRegressor(quantiles=(0.1, 0.9), **QUICK), X, value, times=1)
    low, high = found.predict_quantiles(X).T
    assert 0.7 < np.mean((low <= value) & (value <= high)) < 0.9
    assert abs(found.coverage_[0.1] - 0.1) < 0.05
    two = in_parts(TabularRegressor(**QUICK), X, np.stack([value, -value], axis=1), times=1)
    assert two.predict(X).shape == (2000, 2)


def test_a_class_may_come_late_and_columns_may_hold_what_was_not_there_before():
    X, _, y = made(1500)
    estimator = TabularClassifier(**QUICK).partial_fit(X, np.full(1500, "no"), classes=["maybe", "no", "yes"])
    for _ in range(3):
        estimator.partial_fit(X, y)
    assert estimator.score(X, y) > 0.75
    new = {**X, "city": np.full(1500, "Jeju"), "day": np.full(1500, "2031-05-05")}
    with pytest.warns(TableWarning, match="`city` holds 1 category that training did not have"):
        estimator.partial_fit(new, y)
    assert np.isfinite(estimator.predict_proba(new)).all()


def test_weights_count_and_their_unit_does_not():
    X, _, y = made(1000)
    weights = np.where(y == "yes", 5.0, 1.0)
    found = [
        in_parts(TabularClassifier(**kind, **QUICK), X, y, 1000, 2, classes=["no", "yes"], sample_weight=weight)
        for kind, weight in [({}, weights), ({}, 1000 * weights), ({"class_weight": {"yes": 5}}, None), ({}, None)]
    ]
    heavy, heavier, by_class, plain = (one.predict_proba(X)[:, 1].mean() for one in found)
    assert heavy == pytest.approx(heavier, abs=1e-3)
    assert heavy == pytest.approx(by_class, abs=1e-3)
    assert heavy > plain + 0.1


@pytest.mark.parametrize(
    ("settings", "arguments", "message"),
    [
        ({}, {"classes": None}, "classes must be passed on the first call to partial_fit"),
        ({}, {"classes": ["no"]}, r"`classes` is a list of all classes .* at least two. Received: \['no'\]"),
        ({}, {"classes": ["no", "no"]}, "`classes` is a list of all classes"),
        ({}, {"classes": "yes"}, "`classes` is a list of all classes .* Received: 'yes'"),
        ({}, {"classes": ["no", "maybe"]}, r"y has classes that training does not have: \['yes'\]"),
        ({}, {"sample_weight": [1.0]}, "for each of 100 rows"),
        ({"recipe": "realmlp-td"}, {}, "Only the recipe 'default' learns in parts"),
        ({"tune": 2}, {}, "find the settings on a sample"),
        ({"class_weight": "balanced"}, {}, "Give the weights as a dict"),
    ],
)
def test_what_cannot_be_is_said_before_the_first_step(settings, arguments, message):
    X, _, y = made(100)
    estimator = TabularClassifier(**{**QUICK, **settings})
    with pytest.raises(ValueError, match=message):
        estimator.partial_fit(X, y, **{"classes": ["no", "yes"], **arguments})
    assert not hasattr(estimator, "model_")
    assert not hasattr(estimator, "preprocessing_")


def test_later_rows_are_looked_at_as_the_first_ones(classifier):
    X, _, y = made(100)
    before = classifier.predict_proba(X)
    with pytest.raises(ValueError, match="not the same as on last call"):
        classifier.partial_fit(X, y, classes=["no", "perhaps"])
    with pytest.raises(ValueError, match="These columns are missing: 'day'"):
        classifier.partial_fit({name: X[name] for name in ("size", "city")}, y)
    with pytest.raises(ValueError, match="infinit|finite"):
        classifier.partial_fit({**X, "size": np.full(100, np.inf)}, y)
    assert np.array_equal(before, classifier.predict_proba(X))


def test_fit_and_partial_fit_begin_anew():
    X, _, y = made(200)
    estimator = TabularClassifier(**QUICK).partial_fit(X, y, classes=["no", "yes"])
    estimator.fit(X, y)
    with pytest.warns(TableWarning, match="begins anew"):
        estimator.partial_fit(X, y)
    assert estimator.n_iter_ == 1


def test_rows_in_the_order_of_their_targets_are_learned_from_in_parts():
    X, _, y = made(6000)
    order = np.argsort(y, kind="stable")
    X, y = some(X, order), y[order]
    keys = splitmix64(np.arange(6000))
    drawn = np.sort(np.random.default_rng(0).permutation(6000)[:1000])

    def parts():
        for start in range(0, 6000, 700):
            rows = slice(start, start + 700)
            yield Part(Table.of(some(X, rows)), y[rows].astype(object), keys[rows])

    estimator = TabularClassifier(budget=10, **QUICK)
    sample = Part(Table.of(some(X, drawn)), y[drawn].astype(object), keys[drawn])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_in_parts(estimator, sample, parts(), 6000, memory=2**20, counts={"no": 3000, "yes": 3000})
    new, _, new_y = made(2000, seed=1)
    assert estimator.score(new, new_y) > 0.88


def test_files_are_closed_where_the_rows_end_in_an_error(recwarn):
    X, _, y = made(300)
    rows = Part(Table.of(X), y.astype(object), splitmix64(np.arange(300)))

    def parts():
        yield rows
        raise OSError("The file cannot be read any more.")

    with pytest.raises(OSError, match="any more"):
        fit_in_parts(TabularClassifier(**QUICK), rows, parts(), 300, memory=2**20, counts={"no": 150, "yes": 150})
    gc.collect()
    assert not [one for one in recwarn if issubclass(one.category, ResourceWarning)]
