"""TabularClassifier and TabularRegressor among scikit-learn's tools."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from multilayer.sklearn import TabularClassifier, TabularRegressor
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
