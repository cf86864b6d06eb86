"""Models as scikit-learn's estimators: its own checks, and what programs do with them."""

import io
import pickle

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import joblib  # noqa: E402
import pandas as pd  # noqa: E402
from sklearn.calibration import CalibratedClassifierCV  # noqa: E402
from sklearn.datasets import make_classification, make_regression  # noqa: E402
from sklearn.frozen import FrozenEstimator  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from helpers.networks import network  # noqa: E402 - where other processes find it
from helpers.processes import printed_by  # noqa: E402
from multilayer import Sequential, layers, losses  # noqa: E402
from multilayer.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer  # noqa: E402

X, Y = make_classification(n_samples=120, n_features=6, n_informative=4, n_classes=3, class_sep=2, random_state=0)
NAMES = np.array(["ant", "bee", "cow"])
QUIET = {"verbose": 0}
LONG = {"epochs": 30, "batch_size": 8, "verbose": 0}


def compiled(outputs=3, end="softmax", loss="categorical_crossentropy"):
    model = Sequential([layers.Input((6,)), layers.Dense(8, "relu"), layers.Dense(outputs, end)])
    model.compile("adam", loss)
    return model


# --- scikit-learn's own checks, all of them ---


class Network:
    """The function, with a name that is the same in every process: tests are called by it."""

    def __call__(self, X, y, **arguments):
        return network(X, y, **arguments)

    def __repr__(self):
        return "network"


@parametrize_with_checks(
    [
        SKLearnClassifier(Network(), model_kwargs={"units": [20, 20, 20]}, fit_kwargs={"epochs": 5, "verbose": 0}),
        SKLearnRegressor(Network(), model_kwargs={"loss": "mse", "end": None}, fit_kwargs=QUIET),
        SKLearnTransformer(Network(), model_kwargs={"loss": "mse", "end": None}, fit_kwargs=QUIET),
    ]
)
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


# --- Classes ---


def test_classes_are_predicted_as_they_were_given():
    classifier = SKLearnClassifier(network, fit_kwargs=LONG, random_state=0).fit(X, NAMES[Y])
    assert classifier.classes_.tolist() == NAMES.tolist()
    assert classifier.score(X, NAMES[Y]) > 0.8
    scores, shares = classifier.decision_function(X), classifier.predict_proba(X)
    assert (NAMES[scores.argmax(axis=1)] == classifier.predict(X)).all()
    np.testing.assert_allclose(scores, shares, atol=1e-6)  # of a softmax
    assert classifier.epoch_ == 30
    assert len(classifier.history_.history["loss"]) == 30


@pytest.mark.parametrize(
    ("end", "loss"),
    [
        (None, losses.CategoricalCrossentropy(from_logits=True)),
        (None, losses.BinaryCrossentropy(from_logits=True)),
        ("sigmoid", "binary_crossentropy"),
    ],
)
def test_whatever_the_outputs_are_there_are_probabilities_that_agree_with_what_is_predicted(end, loss):
    for y in (Y, Y == 2):
        classifier = SKLearnClassifier(network, model_kwargs={"end": end, "loss": loss}, fit_kwargs=QUIET).fit(X, y)
        shares = classifier.predict_proba(X)
        np.testing.assert_allclose(shares.sum(axis=1), 1)
        assert (classifier.classes_[shares.argmax(axis=1)] == classifier.predict(X)).all()
    scores = classifier.decision_function(X)
    assert ((scores > 0) == classifier.predict(X)).all()


def test_outputs_that_are_no_probabilities_are_not_given_as_such():
    classifier = SKLearnClassifier(compiled(end=None, loss="mse"), fit_kwargs=QUIET).fit(X, Y)
    with pytest.raises(ValueError, match="no probabilities: some are below 0"):
        classifier.predict_proba(X)


def test_labels_to_validate_with_are_classes_too():
    classifier = SKLearnClassifier(compiled(), fit_kwargs={"validation_data": (X[:20], NAMES[Y[:20]]), **QUIET})
    assert classifier.fit(X, NAMES[Y]).history_.history["val_loss"][0] > 0
    with pytest.raises(ValueError, match=r"classes that the first fit has not seen: \['dog'\]"):
        classifier.fit(X, NAMES[Y], validation_data=(X[:2], ["ant", "dog"]))


# --- The model ---


def test_a_model_is_copied_and_left_as_it_is():
    model = compiled()
    before = model.get_weights()[0].copy()
    classifier = SKLearnClassifier(model, fit_kwargs=QUIET).fit(X, Y)
    assert classifier.model_ is not model
    assert (model.get_weights()[0] == before).all()
    first = classifier.model_
    assert classifier.fit(X, Y).model_ is not first


def test_with_a_warm_start_the_weights_of_the_fit_before_go_on():
    model = compiled()
    classifier = SKLearnClassifier(model, warm_start=True, fit_kwargs=QUIET).fit(X, Y)
    assert classifier.model_ is model
    steps = int(model.optimizer.iterations)
    classifier.fit(X[Y < 2], Y[Y < 2])
    assert classifier.classes_.tolist() == [0, 1, 2]
    assert int(model.optimizer.iterations) > steps
    made = SKLearnRegressor(network, True, {"loss": "mse", "end": None}, QUIET).fit(X, Y)
    assert made.fit(X, Y).model_ is made.model_


def test_a_number_repeats_a_fit_and_leaves_other_randomness_alone():
    regressor = SKLearnRegressor(network, model_kwargs={"loss": "mse", "end": None}, fit_kwargs=QUIET, random_state=3)
    np.random.seed(1)  # noqa: NPY002 - which programs use, too
    expected = np.random.rand()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    one, two = (regressor.fit(X, Y).predict(X) for _ in range(2))
    assert (one == two).all()
    assert np.random.rand() == expected  # noqa: NPY002


def test_what_is_no_compiled_model_is_refused():
    model = Sequential([layers.Input((6,)), layers.Dense(3)])
    with pytest.raises(RuntimeError, match="The model of SKLearnClassifier is not compiled"):
        SKLearnClassifier(model).fit(X, Y)
    with pytest.raises(TypeError, match=r"a function of X and y that returns one\. Received: NoneType"):
        SKLearnClassifier(lambda X, y: None).fit(X, Y)


def test_arguments_of_fit_go_before_those_of_the_estimator_and_do_not_stay():
    given = {"epochs": 1, "verbose": 0}
    regressor = SKLearnRegressor(network, model_kwargs={"loss": "mse", "end": None}, fit_kwargs=given)
    assert regressor.fit(X, Y, epochs=3).epoch_ == 3
    assert given == {"epochs": 1, "verbose": 0}
    assert regressor.fit(X, Y).epoch_ == 1
    assert sklearn.clone(regressor).fit_kwargs == given


def test_several_targets():
    data, targets = make_regression(n_samples=100, n_features=4, n_targets=2, random_state=0)
    kwargs = {"loss": "mse", "end": None, "units": (), "optimizer": "lbfgs"}
    regressor = SKLearnRegressor(network, model_kwargs=kwargs, fit_kwargs={"epochs": 20, "verbose": 0})
    assert regressor.fit(data, targets).score(data, targets) > 0.99
    assert regressor.predict(data).shape == (100, 2)


# --- In scikit-learn ---


def test_in_a_pipeline_searched_by_two_processes_and_dumped():
    pipeline = make_pipeline(StandardScaler(), SKLearnClassifier(network, fit_kwargs=QUIET, random_state=0))
    grid = {"sklearnclassifier__model_kwargs": [{"units": (4,)}, {"units": (16, 16), "optimizer": "adam"}]}
    found = [GridSearchCV(pipeline, grid, cv=2, n_jobs=jobs).fit(X, Y, sklearnclassifier__epochs=5) for jobs in (1, 2)]
    one, two = (search.cv_results_["mean_test_score"] for search in found)
    assert (one == two).all()
    expected = found[1].predict_proba(X)
    for again in (pickle.loads(pickle.dumps(found[1])), dumped(found[1])):
        assert (again.predict_proba(X) == expected).all()


def dumped(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


def test_it_is_scored_by_probabilities_and_calibrated():
    classifier = SKLearnClassifier(network, fit_kwargs=LONG, random_state=0)
    assert cross_val_score(classifier, X, Y == 1, scoring="roc_auc", cv=3).min() > 0.6
    calibrated = CalibratedClassifierCV(classifier, cv=2).fit(X, Y)
    assert calibrated.predict_proba(X).shape == (120, 3)


def test_sample_weights_are_routed():
    with sklearn.config_context(enable_metadata_routing=True):
        classifier = SKLearnClassifier(network, fit_kwargs=LONG, random_state=0)
        pipeline = make_pipeline(classifier.set_fit_request(sample_weight=True))
        pipeline.fit(X, Y, sample_weight=(Y != 1).astype(float))
        assert 1 not in pipeline.predict(X)


def test_a_frozen_transformer_feeds_another_estimator_and_names_its_columns():
    table = pd.DataFrame(X, columns=list("abcdef"))
    code = SKLearnTransformer(compiled(outputs=3), fit_kwargs=QUIET).fit(table, np.eye(3)[Y])
    assert code.feature_names_in_.tolist() == list("abcdef")
    assert make_pipeline(FrozenEstimator(code), LogisticRegression()).fit(table, Y).score(table, Y) > 0.3
    named = code.set_output(transform="pandas").transform(table)
    assert named.columns.tolist() == [f"sklearntransformer{number}" for number in range(3)]


# --- Where scikit-learn is not installed ---


def test_without_scikit_learn_an_error_says_what_to_install():
    program = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import multilayer\n"
        "try: multilayer.wrappers\n"
        "except ImportError as error: print(error)"
    )
    assert 'Install it with `pip install "multilayer[sklearn]"`.' in printed_by(program)


def test_scikit_learn_is_imported_with_the_wrappers_alone_which_programs_for_keras_find_too():
    loaded = "print('sklearn' in sys.modules)"
    program = (
        f"import sys, multilayer.as_keras; {loaded}; from keras import wrappers; {loaded}; print(wrappers.__name__)"
    )
    assert printed_by(program).split() == ["False", "True", "multilayer.wrappers"]
