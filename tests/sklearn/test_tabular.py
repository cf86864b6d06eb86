"""TabularClassifier and TabularRegressor among scikit-learn's tools."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - without it the next import is refused
from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from multilayer.sklearn import MLPClassifier, TabularClassifier, TabularRegressor
from multilayer.tabular import load

QUICK = {"members": 2, "random_state": 0}
ESTIMATORS = [TabularClassifier(**QUICK), TabularRegressor(**QUICK)]

stream = np.random.default_rng(0)
X = pd.DataFrame({"size": stream.normal(size=80), "city": np.array(["Seoul", "Busan"])[stream.integers(2, size=80)]})
Y = np.where(X["size"] + (X["city"] == "Seoul") > 0.5, "yes", "no")


@pytest.mark.filterwarnings("ignore::multilayer.tabular.TableWarning", "ignore:X does not have valid feature names")
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_a_grid_is_searched_with_columns_of_all_kinds():
    steps = make_pipeline(FunctionTransformer(), TabularClassifier(**QUICK))
    search = GridSearchCV(steps, {"tabularclassifier__class_weight": [None, "balanced"]}, cv=2).fit(X, Y)
    assert search.best_score_ > 0.7
    assert cross_val_score(clone(search.best_estimator_), X, Y, cv=2).shape == (2,)


def test_weights_are_routed():
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = TabularClassifier(**QUICK).set_fit_request(sample_weight=True)
        assert estimator.get_metadata_routing().fit.requests["sample_weight"] is True


def test_every_form_of_a_sparse_matrix_is_a_table():
    dense = np.where(stream.random((40, 3)) < 0.6, 0, 1.0) * stream.random((40, 3))
    expected = TabularRegressor(**QUICK).fit(dense, dense.sum(axis=1)).predict(dense)
    for form in ("csr", "csc", "coo", "dok", "lil", "dia", "bsr"):
        matrix = getattr(scipy.sparse, f"{form}_array")(dense)
        assert np.array_equal(TabularRegressor(**QUICK).fit(matrix, dense.sum(axis=1)).predict(matrix), expected), form


def test_columns_have_to_come_in_order_as_everywhere_in_scikit_learn():
    fitted = TabularClassifier(**QUICK).fit(X, Y)
    with pytest.raises(ValueError, match="same order"):
        fitted.predict(X[["city", "size"]])


def test_a_file_is_read_without_scikit_learn(tmp_path):
    fitted = TabularClassifier(**QUICK).fit(X, Y)
    fitted.save(tmp_path / "fitted.npz")
    again = load(tmp_path / "fitted.npz")
    assert type(again).__module__ == "multilayer.tabular.estimators"
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=["classifier", "regressor"])
def test_asking_before_training_is_scikit_learns_error(estimator):
    with pytest.raises(NotFittedError):
        estimator.predict(X)


@pytest.mark.filterwarnings("ignore::multilayer.tabular.TableWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("estimator", "space"),
    [
        (TabularClassifier(**QUICK, budget=0.3), {"class_weight": [None, "balanced"], "members": [2, 4]}),
        (
            MLPClassifier(max_iter=60, learning_rate_init=0.01, random_state=0),
            {"alpha": [1e-4, 1e-2], "hidden_layer_sizes": [(8,), (4, 4)]},
        ),
    ],
)
def test_settings_are_searched_by_halving(estimator, space):
    rows, labels = stream.normal(size=(160, 3)), np.array(["no", "yes"])
    y = labels[(rows[:, 0] > 0).astype(int)]
    settings = {"n_candidates": 4, "cv": 2, "random_state": 0, "min_resources": 40, "error_score": "raise"}
    search = HalvingRandomSearchCV(estimator, space, **settings).fit(rows, y)
    assert search.n_resources_ == [40, 120]
    assert search.best_score_ > 0.7
    assert search.best_estimator_.predict(rows).shape == (160,)


@pytest.mark.filterwarnings("ignore::multilayer.tabular.TableWarning")
def test_rows_in_parts_are_looked_at_as_everywhere_in_scikit_learn():
    estimator = TabularClassifier(**QUICK).partial_fit(X[:40], Y[:40], classes=["no", "yes"])
    assert estimator.partial_fit(X[40:], Y[40:]).n_iter_ == 2
    assert list(estimator.feature_names_in_) == ["size", "city"]
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.partial_fit(X[["city", "size"]], Y)
    with sklearn.config_context(enable_metadata_routing=True):
        assert TabularRegressor().set_partial_fit_request(sample_weight=True).get_metadata_routing()
