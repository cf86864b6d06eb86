"""The same network as scikit-learn's from the same `random_state`: its steps, its stops, its figures."""

import warnings

import numpy as np
import pytest

theirs = pytest.importorskip("sklearn.neural_network")
from sklearn.datasets import make_classification, make_multilabel_classification  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402

from multilayer import sklearn as ours  # noqa: E402

RNG = np.random.RandomState(0)
X, CLASSES = make_classification(230, 10, n_informative=6, n_classes=3, random_state=0)
WEIGHTS = RNG.rand(230)
TARGETS = np.c_[2 * X[:, 0] + np.sin(X[:, 1]), X[:, 2] ** 2]
MANY_X, LABELS = make_multilabel_classification(230, 10, n_classes=4, random_state=0)
PROBLEMS = {
    "two classes, weighted": ("MLPClassifier", {}, X, np.array(["no", "yes"])[(CLASSES > 0).astype(int)], WEIGHTS),
    "three classes": ("MLPClassifier", {}, X, CLASSES, None),
    "labels": ("MLPClassifier", {}, MANY_X, LABELS, None),
    "a number": ("MLPRegressor", {}, X, TARGETS[:, 0], None),
    "two numbers, weighted": ("MLPRegressor", {}, X, TARGETS, WEIGHTS),
    "counts": ("MLPRegressor", {"loss": "poisson"}, X, RNG.poisson(np.exp(0.3 * X[:, 0])), None),
}
SGD = {"solver": "sgd", "learning_rate_init": 0.02, "max_iter": 5}
SETTINGS = {
    "sgd": SGD,
    "invscaling": {**SGD, "learning_rate": "invscaling"},
    "adaptive": {**SGD, "learning_rate": "adaptive", "max_iter": 12, "n_iter_no_change": 1, "tol": 0.3},
    "momentum": {**SGD, "nesterovs_momentum": False},
    "no momentum": {**SGD, "momentum": 0.0},
    "in order": {**SGD, "shuffle": False, "batch_size": 32},
    "adam": {"max_iter": 5, "activation": "logistic", "alpha": 0.1, "hidden_layer_sizes": (9, 7)},
    "until nothing improves": {"max_iter": 60, "tol": 0.01, "n_iter_no_change": 2, "learning_rate_init": 0.01},
    "early stopping": {"max_iter": 20, "early_stopping": True, "n_iter_no_change": 2, "learning_rate_init": 0.01},
    "no hidden layer": {"max_iter": 3, "hidden_layer_sizes": ()},
    "lbfgs": {"solver": "lbfgs", "max_iter": 10, "activation": "tanh", "hidden_layer_sizes": 8},
}
FIGURES = ["n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"]
CURVES = ["loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"]


def close(one, other, within=1e-9):
    if other is None:
        assert one is None
    else:
        np.testing.assert_allclose(one, other, rtol=within, atol=within)


def both(kind, parameters):
    return [getattr(module, kind)(random_state=3, **parameters) for module in (ours, theirs)]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_same_network_comes_out(problem, setting):
    kind, more, x, y, weight = PROBLEMS[problem]
    one, other = both(kind, {**SETTINGS[setting], **more})
    one.fit(x, y, sample_weight=weight)
    other.fit(x, y, sample_weight=weight)
    for mine, its in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        close(mine, its)
    assert [getattr(one, name) for name in FIGURES] == [getattr(other, name) for name in FIGURES]
    for name in CURVES:
        if hasattr(other, name):
            close(getattr(one, name), getattr(other, name))
    if kind == "MLPClassifier":
        np.testing.assert_array_equal(one.predict(x), other.predict(x))
        close(one.predict_proba(x), other.predict_proba(x))
        close(one.predict_log_proba(x), other.predict_log_proba(x), within=1e-6)
        np.testing.assert_array_equal(one.classes_, other.classes_)
    else:
        close(one.predict(x), other.predict(x))
    close(one.score(x, y), other.score(x, y))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_going_on_is_the_same_too():
    for parameters in ({"max_iter": 3, "warm_start": True}, {**SGD, "warm_start": True, "learning_rate": "invscaling"}):
        one, other = both("MLPClassifier", parameters)
        for estimator in (one, other):
            estimator.fit(X, CLASSES).fit(X, CLASSES).partial_fit(X[:50], CLASSES[:50])
        close(one.loss_curve_, other.loss_curve_)
        close(one.coefs_[0], other.coefs_[0])
    one, other = both("MLPClassifier", {})
    for estimator in (one, other):
        for part in (slice(0, 100), slice(100, 230), slice(0, 230)):
            estimator.partial_fit(X[part], CLASSES[part], classes=[0, 1, 2, 7], sample_weight=WEIGHTS[part])
    close(one.coefs_[1], other.coefs_[1])
    close(one.predict_proba(X), other.predict_proba(X))


def test_the_same_is_said(capsys):
    def said(estimator):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimator.fit(X, CLASSES)
        return [(one.category, str(one.message)) for one in caught], capsys.readouterr().out

    adaptive = {**SETTINGS["adaptive"], "verbose": True}
    early = {**SETTINGS["early stopping"], "verbose": True}
    for parameters in (SGD, adaptive, early, {"max_iter": 2, "batch_size": 1000}):
        mine, its = map(said, both("MLPClassifier", parameters))
        assert mine == its
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge"):
        ours.MLPClassifier(solver="lbfgs", max_iter=3).fit(X, CLASSES)


def test_float32_stays_float32_and_as_near_as_that_is():
    x = X.astype(np.float32)
    one, other = both("MLPClassifier", {"max_iter": 3})
    for estimator in (one, other):
        with pytest.warns(ConvergenceWarning):
            estimator.fit(x, CLASSES)
    assert one.coefs_[0].dtype == other.coefs_[0].dtype == np.float32
    close(one.predict_proba(x), other.predict_proba(x), within=1e-4)
