"""TabularClassifier and TabularRegressor as their users have them."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

from multilayer.tabular import NotTrainedError, TableWarning, TabularClassifier, TabularRegressor, load, read_table

stream = np.random.default_rng(0)
ROWS = 120
SIZE = stream.normal(size=ROWS)
CITY = np.array(["Seoul", "Busan", "Daegu"])[stream.integers(3, size=ROWS)]
X = pd.DataFrame(
    {"size": np.where(stream.random(ROWS) < 0.1, np.nan, SIZE), "city": CITY, "noise": stream.random(ROWS)}
)
SCORE = np.nan_to_num(X["size"].to_numpy()) + 2 * (CITY == "Seoul")
LABEL = np.where(SCORE + 0.3 * stream.normal(size=ROWS) > 0.7, "yes", "no")
VALUE = 1000 + 50 * SCORE + stream.normal(size=ROWS)
QUICK = {"random_state": 0, "members": 2}


@pytest.fixture(scope="module")
def classifier():
    return TabularClassifier(**QUICK).fit(X, LABEL)


@pytest.fixture(scope="module")
def regressor():
    return TabularRegressor(**QUICK).fit(X, VALUE)


@pytest.fixture(scope="module")
def of_quantiles():
    return TabularRegressor(quantiles=(0.1, 0.9), **QUICK).fit(X, VALUE)


def test_a_classifier_tells_classes_apart(classifier):
    assert classifier.score(X, LABEL) > 0.9
    assert classifier.classes_.tolist() == ["no", "yes"]
    probabilities = classifier.predict_proba(X)
    assert probabilities.shape == (ROWS, 2)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert np.allclose(classifier.predict_log_proba(X), np.log(probabilities))
    assert (classifier.predict(X) == classifier.classes_[probabilities.argmax(axis=1)]).all()


def test_a_regressor_predicts_in_the_units_of_its_target(regressor):
    assert regressor.score(X, VALUE) > 0.8
    assert abs(regressor.predict(X).mean() - 1000) < 60


def test_quantiles_cover_what_they_say(of_quantiles):
    low, high = of_quantiles.predict_quantiles(X).T
    assert (low <= high).all()
    assert 0.7 < ((low < VALUE) & (high > VALUE)).mean() < 1
    assert of_quantiles.coverage_ == pytest.approx({0.1: 0.1, 0.5: 0.5, 0.9: 0.9}, abs=0.1)
    assert ((low <= of_quantiles.predict(X)) & (of_quantiles.predict(X) <= high)).all()


def test_without_quantiles_there_are_none_to_predict(regressor):
    with pytest.raises(ValueError, match="Pass them when it is made"):
        regressor.predict_quantiles(X)


def test_several_targets_are_predicted_at_once():
    both = np.c_[VALUE, -VALUE]
    regressor = TabularRegressor(**QUICK).fit(X, both)
    assert regressor.predict(X).shape == (ROWS, 2)
    assert regressor.score(X, both) > 0.8


def test_the_same_seed_gives_the_same_network(classifier):
    again = TabularClassifier(**QUICK).fit(X, LABEL)
    assert np.array_equal(again.predict_proba(X), classifier.predict_proba(X))


def test_a_global_seed_is_neither_used_nor_moved(classifier):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    TabularClassifier(**QUICK).fit(X, LABEL)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("name", ["classifier", "regressor", "of_quantiles"])
def test_a_file_holds_all_of_it(name, request, tmp_path):
    fitted = request.getfixturevalue(name)
    fitted.save(tmp_path / "fitted.npz")
    again = load(tmp_path / "fitted.npz")
    assert np.array_equal(again.predict(X), fitted.predict(X))
    assert again.get_params() == fitted.get_params()
    assert again.columns_ == fitted.columns_
    assert again.feature_names_in_.tolist() == ["size", "city", "noise"]
    if name == "of_quantiles":
        assert again.coverage_ == fitted.coverage_
        assert np.array_equal(again.predict_quantiles(X), fitted.predict_quantiles(X))


def test_a_pickle_does_too(classifier):
    assert np.array_equal(pickle.loads(pickle.dumps(classifier)).predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize(
    "given",
    [
        X.iloc[:3],
        X.iloc[:3][["noise", "city", "size"]],
        {name: X[name].tolist()[:3] for name in X},
        X.iloc[:3].to_dict("records"),
    ],
    ids=["frame", "reordered", "dict", "rows"],
)
def test_rows_come_in_any_form(classifier, given):
    assert np.allclose(classifier.predict_proba(given), classifier.predict_proba(X)[:3], atol=1e-6)


def test_the_target_may_be_named():
    named = TabularClassifier(**QUICK).fit(X.assign(label=LABEL), "label")
    assert named.n_features_in_ == 3
    assert named.score(X.assign(label=LABEL), "label") > 0.9


def test_what_is_new_is_said_when_predicting(classifier):
    with pytest.warns(TableWarning, match="`city` holds 1 category that training did not have, in 1 row: 'Jeju'"):
        classifier.predict(X.iloc[:2].assign(city=["Jeju", "Seoul"]))
    with pytest.raises(ValueError, match="missing: 'city'"):
        classifier.predict(X.drop(columns="city"))


def test_identifiers_are_warned_of():
    with pytest.warns(TableWarning, match="`id` is left out"):
        fitted = TabularClassifier(**QUICK).fit(X.assign(id=[f"p{i}" for i in range(ROWS)]), LABEL)
    assert len(fitted.messages_) == 1


def test_a_rare_class_is_said():
    rare = np.where(np.arange(ROWS) < 2, "rare", LABEL)
    with pytest.warns(TableWarning, match="'rare' has 2 of 120 rows"):
        fitted = TabularClassifier(**QUICK).fit(X, rare)
    assert fitted.predict_proba(X).shape == (ROWS, 3)


def test_weights_of_rows_and_of_classes_count():
    rare = LABEL == "yes"
    plain = TabularClassifier(**QUICK).fit(X[["noise"]], rare)
    # Whole numbers would be counts: rows that were seen so often, in different folds.
    by_row = TabularClassifier(**QUICK).fit(X[["noise"]], rare, sample_weight=np.where(rare, 9.5, 1.0))
    by_class = TabularClassifier(class_weight={True: 9.5}, **QUICK).fit(X[["noise"]], rare)
    assert by_row.predict_proba(X[["noise"]])[:, 1].mean() > plain.predict_proba(X[["noise"]])[:, 1].mean() + 0.2
    assert np.array_equal(by_row.predict_proba(X[["noise"]]), by_class.predict_proba(X[["noise"]]))


def test_a_validation_set_is_what_training_is_judged_by():
    fitted = TabularClassifier(**QUICK).fit(X[:80], LABEL[:80], validation_data=(X[80:], LABEL[80:]))
    said = fitted.predict_proba(X[80:])[np.arange(40), (LABEL[80:] == "yes").astype(int)]
    assert fitted.loss_ == pytest.approx(-np.log(said).mean(), abs=0.05)


def test_groups_are_held_out_together():
    # Each group has one label and one noise value, which tell nothing of other groups.
    group = np.arange(ROWS) // 6
    label, mark = stream.integers(2, size=20)[group], stream.normal(size=20)[group]
    mark = mark + stream.normal(scale=1e-3, size=ROWS)  # rows that are alike would be one
    alone = TabularClassifier(random_state=0).fit({"mark": mark}, label)
    together = TabularClassifier(random_state=0).fit({"mark": mark}, label, groups=group)
    assert together.loss_ > alone.loss_ + 0.05


def test_a_budget_ends_training():
    fitted = TabularClassifier(random_state=0, budget=0.3).fit(pd.concat([X] * 30), np.tile(LABEL, 30))
    assert fitted.n_iter_ < 20


def test_tuning_keeps_the_best_of_several_settings():
    fitted = TabularRegressor(tune=2, n_jobs=1, **QUICK).fit(X, VALUE)
    plain = TabularRegressor(**QUICK).fit(X, VALUE)
    assert fitted.loss_ <= plain.loss_


@pytest.mark.parametrize("rows", [2, 5, 20])
def test_few_rows_are_enough(rows):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)
        fitted = TabularClassifier(**QUICK).fit(X[:rows], np.arange(rows) % 2)
        assert np.isfinite(fitted.predict_proba(X)).all()
        assert np.isfinite(TabularRegressor(**QUICK).fit(X[:rows], np.arange(rows)).predict(X)).all()


def test_huge_values_and_nothing_but_constants_do_no_harm():
    huge = {"a": np.r_[1e300, np.arange(ROWS - 1) / 2], "b": np.ones(ROWS)}
    with pytest.warns(TableWarning, match="`b` is left out: it is constant"):
        assert np.isfinite(TabularRegressor(**QUICK).fit(huge, VALUE).predict(huge)).all()
    with pytest.warns(TableWarning, match="constant"):
        constant = TabularClassifier(**QUICK).fit({"b": np.ones(ROWS)}, LABEL)
    assert np.allclose(constant.predict_proba({"b": [1.0]})[0, 1], (LABEL == "yes").mean(), atol=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"recipe": "deep"}, "Unknown recipe: 'deep'. Expected one of: 'default'"),
        ({"members": 0}, "`members` must be a whole number of at least 1"),
        ({"budget": -1}, "`budget`"),
        ({"tune": -1}, "`tune`"),
        ({"class_weight": "equal"}, "`class_weight` must be a dict, 'balanced' or None"),
        ({"class_weight": {"maybe": 1}}, "classes that are not there"),
        ({"random_state": "x"}, "`random_state`"),
    ],
)
def test_arguments_are_checked_before_training(arguments, message):
    with pytest.raises(ValueError, match=message):
        TabularClassifier(**arguments).fit(X, LABEL)


@pytest.mark.parametrize(
    ("y", "arguments", "message"),
    [
        (None, {}, "There is no target"),
        (["a"] * ROWS, {}, "one class alone"),
        (LABEL[:-1], {}, "y has 119 values, and X has 120 rows"),
        (np.where(np.arange(ROWS) == 3, None, LABEL), {}, "missing .* the first of them 3"),
        (LABEL, {"sample_weight": np.zeros(ROWS)}, "not all of them zero"),
        (LABEL, {"sample_weight": np.ones(3)}, "for each of 120 rows"),
        (LABEL, {"groups": np.zeros(ROWS)}, "one group alone"),
        (LABEL, {"validation_data": X}, "must be"),
        (LABEL, {"validation_data": (X, np.full(ROWS, "maybe"))}, "classes that training rows do not have"),
    ],
)
def test_targets_and_weights_are_too(y, arguments, message):
    with pytest.raises(ValueError, match=message):
        TabularClassifier().fit(X, y, **arguments)


def test_text_is_no_value_to_predict():
    with pytest.raises(ValueError, match="`TabularClassifier` predicts classes"):
        TabularRegressor().fit(X, LABEL)


def test_asking_before_training_is_told():
    with pytest.raises(NotTrainedError, match="Call `fit` first"):
        TabularRegressor().predict(X)


def test_parameters_are_scikit_learns():
    classifier = TabularClassifier(members=3)
    assert repr(classifier) == "TabularClassifier(members=3)"
    assert classifier.set_params(budget=2).budget == 2
    with pytest.raises(ValueError, match="Invalid parameter 'depth'"):
        classifier.set_params(depth=2)


def test_the_words_of_a_files_target_are_its_classes(tmp_path):
    X.assign(label=LABEL).to_csv(tmp_path / "data.csv", index=False)
    assert TabularClassifier(**QUICK).fit(read_table(tmp_path / "data.csv"), "label").classes_.tolist() == ["no", "yes"]


def test_a_number_that_counts_is_there_to_learn_from():
    day = np.arange(40.0)
    assert TabularRegressor(**QUICK).fit({"day": day}, 3 * day + 10).score({"day": day}, 3 * day + 10) > 0.9


def test_dates_of_a_frame_may_be_text():
    days = (np.datetime64("2024-01-01") + np.arange(ROWS)).astype(str)
    fitted = TabularClassifier(**QUICK).fit(X.assign(joined=days), LABEL)
    assert [one.kind for one in fitted.columns_] == ["number", "category", "number", "date"]


def test_validation_data_without_rows_is_refused():
    for estimator, y in ((TabularClassifier(**QUICK), LABEL), (TabularRegressor(**QUICK), VALUE)):
        with pytest.raises(ValueError, match="`validation_data` has no rows"):
            estimator.fit(X, y, validation_data=(X[:0], y[:0]))


def test_columns_named_with_letters_taken_apart_are_those_of_training():
    table = {"caf\u00e9": np.arange(40.0), "b": np.arange(40.0) % 7}
    found = TabularRegressor(budget=0.5, **QUICK).fit(table, np.arange(40.0))
    apart = {"cafe\u0301": table["caf\u00e9"], "b": table["b"]}
    assert np.array_equal(found.predict(apart), found.predict(table))
