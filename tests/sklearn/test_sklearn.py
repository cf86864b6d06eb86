"""The estimators among scikit-learn's tools, and what they have beyond scikit-learn's own."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", minversion="1.6")
from sklearn.base import clone  # noqa: E402
from sklearn.calibration import CalibratedClassifierCV  # noqa: E402
from sklearn.datasets import load_iris, make_classification  # noqa: E402
from sklearn.ensemble import StackingClassifier  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_validate  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from multilayer import callbacks, losses, models, optimizers  # noqa: E402
from multilayer.sklearn import MLPClassifier, MLPRegressor  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
QUICK = {"hidden_layer_sizes": (8,), "max_iter": 5, "random_state": 0}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [
        MLPClassifier((20,), learning_rate_init=0.02, max_iter=40),
        MLPRegressor("squared_error", (20,), learning_rate_init=0.02, max_iter=40),
    ]
)
def test_every_check_of_scikit_learn_passes(estimator, check):
    check(estimator)


# --- Among scikit-learn's tools ---


def test_in_pipelines_and_searches():
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**QUICK))
    grid = {"mlpclassifier__solver": ["adam", optimizers.SGD(0.1)]}
    search = GridSearchCV(pipeline, grid, n_jobs=2, cv=2).fit(X, Y)
    assert search.best_score_ > 0.3
    assert isinstance(search.best_estimator_[-1].model_, models.Sequential)


def test_calibrated_and_stacked():
    base = MLPClassifier((8,), solver="lbfgs", max_iter=50, random_state=0)
    assert CalibratedClassifierCV(base, cv=2).fit(X, Y).score(X, Y) > 0.8
    stack = StackingClassifier([("mlp", base), ("linear", LogisticRegression())], cv=2).fit(X, Y)
    assert stack.score(X, Y) > 0.9


def test_routed_sample_weights_reach_it():
    heavy = np.where(Y == 2, 50.0, 0.02)
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = MLPClassifier((8,), max_iter=60, random_state=0).set_fit_request(sample_weight=True)
        estimator.set_score_request(sample_weight=False)
        scored = cross_validate(estimator, X, Y, params={"sample_weight": heavy}, cv=2, return_estimator=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), estimator)
        counts = [np.bincount(pipeline.fit(X, Y, sample_weight=heavy).predict(X), minlength=3)[2]]
    counts += [np.bincount(one.predict(X), minlength=3)[2] for one in scored["estimator"]]
    assert min(counts) > 90


def test_frames_names_and_set_output():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    estimator = MLPClassifier(**QUICK)
    pipeline = make_pipeline(StandardScaler(), estimator).set_output(transform="pandas").fit(frame, Y)
    assert pipeline[-1].feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        pipeline[-1].predict(frame.rename(columns={"a": "z"}))


@pytest.mark.parametrize("copied", ["pickle", "joblib", "clone"])
def test_copies(copied, tmp_path):
    estimator = MLPClassifier((8,), max_iter=5, random_state=0, solver=optimizers.Adam(0.01), dropout=0.2).fit(X, Y)
    if copied == "clone":
        other = clone(estimator)
        assert not hasattr(other, "coefs_")
        other.fit(X, Y)
    elif copied == "joblib":
        joblib.dump(estimator, tmp_path / "it.joblib")
        other = joblib.load(tmp_path / "it.joblib")
    else:
        other = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(other.predict_proba(X), estimator.predict_proba(X))
    if copied != "clone":  # the optimizer's means came along
        estimator.partial_fit(X, Y)
        other.partial_fit(X, Y)
        assert other.t_ == estimator.t_ == 6 * len(X)
        assert other._optimizer.iterations == estimator._optimizer.iterations


# --- Beyond scikit-learn's own ---


def test_the_network_is_a_model(tmp_path):
    estimator = MLPClassifier(**QUICK).fit(X, Y)
    estimator.model_.save(tmp_path / "iris.keras")
    loaded = models.load_model(tmp_path / "iris.keras")
    np.testing.assert_allclose(loaded.predict(X, verbose=0), estimator.predict_proba(X), rtol=1e-12)
    assert loaded.evaluate(X, Y, verbose=0, return_dict=True)["accuracy"] == pytest.approx(estimator.score(X, Y))
    assert estimator.coefs_[0] is estimator.model_.layers[0].kernel.value


def test_class_weights():
    x, y = make_classification(400, 6, weights=[0.9], flip_y=0.1, random_state=0)
    found = {}
    for given in (None, "balanced", {0: 1.0, 1: 50.0}):
        estimator = MLPClassifier((8,), solver="lbfgs", max_iter=15, class_weight=given, random_state=0).fit(x, y)
        found[str(given)] = estimator.predict(x).sum()
    assert found["None"] < found["balanced"] < found["{0: 1.0, 1: 50.0}"]
    by_hand = MLPClassifier(**QUICK).fit(x, y, sample_weight=np.where(y, 5.0, 1.0))
    by_class = MLPClassifier(**QUICK, class_weight={1: 5.0}).fit(x, y)
    np.testing.assert_allclose(by_class.coefs_[0], by_hand.coefs_[0])
    with pytest.raises(ValueError, match=r"weight for \['a'\]"):
        MLPClassifier(class_weight={"a": 1.0}).fit(x, y)
    with pytest.raises(ValueError, match="compute_class_weight"):
        MLPClassifier(class_weight="balanced").partial_fit(x, y, classes=[0, 1])


def test_validation_data_callbacks_and_history():
    stop = callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=True)
    estimator = MLPClassifier((8,), max_iter=300, learning_rate_init=0.5, random_state=0)
    estimator.fit(X[::2], Y[::2], validation_data=(X[1::2], Y[1::2]), callbacks=[stop])
    history = estimator.history_
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert len(history["val_loss"]) == estimator.n_iter_ < 300
    best = int(np.argmin(history["val_loss"]))
    assert history["val_accuracy"][best] == pytest.approx(estimator.score(X[1::2], Y[1::2]))
    early = MLPClassifier((8,), early_stopping=True, max_iter=4, random_state=0)
    early.fit(X[::2], Y[::2], validation_data=(X[1::2], Y[1::2]))  # it takes the place of the share set aside
    assert early.t_ == 4 * len(X[::2])
    np.testing.assert_allclose(early.validation_scores_, early.history_["val_accuracy"])
    regressor = MLPRegressor(**QUICK).fit(X[:, :3], X[:, 3], validation_data=(X[:, :3], X[:, 3], np.ones(len(X))))
    assert regressor.history_["val_r2_score"][-1] == pytest.approx(regressor.score(X[:, :3], X[:, 3]))


def test_activations_dropout_normalization_and_optimizers_by_keras_names():
    estimator = MLPClassifier(
        (8, 6),
        activation=["gelu", "silu"],
        dropout=[0.0, 0.3],
        batch_normalization=True,
        solver="nadam",
        random_state=0,
    ).fit(X, Y)
    kinds = [type(layer).__name__ for layer in estimator.model_.layers]
    hidden = ["Dense", "BatchNormalization", "Activation"]
    assert kinds == [*hidden, *hidden, "Dropout", "Dense"]
    assert [W.shape for W in estimator.coefs_] == [(4, 8), (8, 6), (6, 3)]
    assert estimator.score(X, Y) > 0.85
    again = clone(estimator).fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), estimator.predict_proba(X))


@pytest.mark.parametrize("loss", ["categorical_focal_crossentropy", losses.SparseCategoricalCrossentropy(), "kld"])
def test_losses_by_keras_names(loss):
    estimator = MLPClassifier((8,), loss=loss, max_iter=60, learning_rate_init=0.01, random_state=0).fit(X, Y)
    assert estimator.score(X, Y) > 0.8
    smoothed = MLPClassifier((8,), label_smoothing=0.3, max_iter=60, learning_rate_init=0.03, random_state=0).fit(X, Y)
    assert smoothed.predict_proba(X).max() < 0.96
    outlier = np.r_[np.zeros(149), 1e3]
    assert abs(MLPRegressor("mae", (8,), random_state=0).fit(X, outlier).predict(X).mean()) < 1


def test_float32_is_a_choice():
    estimator = MLPClassifier(**QUICK, dtype="float32").fit(X, Y)
    assert estimator.coefs_[0].dtype == estimator.predict_proba(X).dtype == np.float32
    np.testing.assert_allclose(estimator.predict_proba(X), MLPClassifier(**QUICK).fit(X, Y).predict_proba(X), atol=1e-4)


def test_progress(capsys):
    MLPClassifier(**QUICK, verbose="line").fit(X, Y, validation_data=(X, Y))
    assert "Epoch 5/5" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": -1}, r"`alpha` of MLPClassifier must be a number in \[0, inf\); got -1"),
        ({"batch_size": 0}, "`batch_size` of MLPClassifier must be 'auto' or a whole number"),
        ({"hidden_layer_sizes": (3, 0)}, r"hidden_layer_sizes must be > 0, got \(3, 0\)"),
        ({"activation": "rleu"}, "Did you mean 'relu'"),
        ({"solver": "rmsprp"}, "Did you mean 'rmsprop'"),
        ({"activation": ["relu", "tanh"]}, "2 entries for 1 hidden layers"),
        ({"dropout": 1.5}, "rate"),
        ({"solver": optimizers.SGD(), "learning_rate": "adaptive"}, "learning rate of its own"),
        ({"loss": "mse", "label_smoothing": 0.1}, "goes with loss='log_loss'"),
        ({"verbose": "loud"}, "'bar' or 'line'"),
    ],
)
def test_what_cannot_be_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**{"hidden_layer_sizes": 4, **parameters}).fit(X, Y)


def test_data_that_does_not_fit_is_refused():
    estimator = MLPClassifier(**QUICK)
    with pytest.raises(ValueError, match=r"`validation_data` must be `\(X, y\)`"):
        estimator.fit(X, Y, validation_data=X)
    with pytest.raises(ValueError, match="In `validation_data`: `y` has classes not in"):
        estimator.fit(X, Y, validation_data=(X, Y + 1))
    with pytest.raises(ValueError, match="two, which the network tells apart"):
        MLPClassifier(loss="categorical_crossentropy").fit(X, Y > 0)
    with pytest.raises(ValueError, match="BackupAndRestore"):
        estimator.fit(X, Y, callbacks=[callbacks.BackupAndRestore("backups")])
    with pytest.raises(ValueError, match="greater than or equal to 0|negative|at least 0"):
        MLPRegressor("poisson").fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"hidden layers of \[8\]"):
        estimator.set_params(warm_start=True).fit(X, Y).set_params(hidden_layer_sizes=(4,)).fit(X, Y)
    with pytest.raises(AttributeError, match="no attribute 'partial_fit'"):
        _ = MLPClassifier(solver="lbfgs").partial_fit


# --- Imports ---


def test_importing_it_adds_nothing_but_what_scikit_learn_imports():
    code = (
        "import sys, multilayer; assert 'sklearn' not in sys.modules; import sklearn.neural_network; "
        "before = set(sys.modules); import multilayer.sklearn; print(*set(sys.modules) - before)"
    )
    added = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {name.split(".")[0] for name in added} == {"multilayer"}


def test_without_scikit_learn_the_error_names_the_extra():
    code = "import sys; sys.modules['sklearn'] = None; import multilayer.sklearn"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr
    assert "pip install 'multilayer[sklearn]'" in said
