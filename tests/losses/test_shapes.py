"""Every loss and metric with all pairs of shapes that could broadcast: the value that Keras gives, or an error.

`tests/files/keras_shapes.json` has Keras' values. Where targets and predictions are of one shape, but for a last axis
of length 1 that one has too many, a value is owed. Everywhere else an error is right, too: what Keras broadcasts there
is seldom meant. A value other than Keras' never is, but for Keras' slips.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import multilayer as keras
from multilayer import losses, metrics

TABLE = json.loads(Path(__file__).parents[1].joinpath("files", "keras_shapes.json").read_text())["table"]
HALF = ["PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity"]
# These metrics do not bring (n,) and (n, 1) into one shape in Keras, as its losses and other metrics do: they broadcast
# them to (n, n), or refuse.
UNALIGNED = [
    "CategoricalHinge",
    "Hinge",
    "KLDivergence",
    "Poisson",
    "SquaredHinge",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
]


def _data(shape, kind):
    n = np.arange(np.prod(shape))
    values = {
        "predictions": (n * 7 + 3) % 11 / 11.0,
        "real": (n * 5 + 1) % 11 / 11.0,
        "labels": (n * 5 + 1) % 2,
        "binary": (n * 5 + 1) % 3 % 2,
    }
    return values[kind].reshape(shape).astype("float32")


def _is_slip_of_keras(key, name, y_true, y_pred):
    if key.startswith("metrics") and name in UNALIGNED:
        return y_true.ndim != y_pred.ndim
    if name == "CategoricalGeneralizedCrossEntropy":  # labels (n, 1) are broadcast against the n samples
        return y_true.shape == (*y_pred.shape[:-1], 1)
    # Its NumPy backend clips after scaling, where JAX and TensorFlow clip before it.
    return name == "SparseCategoricalCrossentropy" and y_pred.min() == 0.0


@pytest.mark.filterwarnings("ignore:In loss:SyntaxWarning")  # of one class alone
@pytest.mark.parametrize("key", TABLE)
def test_shapes_that_could_broadcast(key):
    module, name = key.split(".")
    kind = TABLE[key]["targets"]
    for of_targets, of_predictions, expected in TABLE[key]["pairs"]:
        y_true, y_pred = _data(of_targets, kind), _data(of_predictions, "predictions")
        y_pred = (y_pred > 0.5).astype("float32") if name == "Accuracy" else y_pred
        case = f"{key} {of_targets} {of_predictions}"
        aligned = losses.align(y_true, y_pred)
        fit = aligned[0].shape == aligned[1].shape
        try:
            if module == "losses":
                value = getattr(losses, name)(reduction="sum")(y_true, y_pred)
            else:
                value = getattr(metrics, name)(*[0.5] * (name in HALF))(y_true, y_pred)
        except ValueError:
            labels = kind == "labels" or "Categorical" in name  # (n,) are labels to them, one axis less than (n, 1)
            assert expected is None or labels or not fit, case
            continue
        if _is_slip_of_keras(key, name, y_true, y_pred):
            continue
        if expected is None:
            assert fit or kind == "labels", case
            continue
        np.testing.assert_allclose(value, np.array(expected, float), rtol=2e-4, atol=1e-5, err_msg=case)


@pytest.mark.parametrize("name", UNALIGNED)
def test_a_metric_is_its_loss_where_one_has_an_axis_too_many(name):
    for of_targets, of_predictions in (([3, 1], [3]), ([3, 2], [3, 2, 1]), ([3, 2, 1], [3, 2])):
        y_true, y_pred = _data(of_targets, "real"), _data(of_predictions, "predictions")
        try:
            expected = getattr(losses, name)()(y_true, y_pred)
        except ValueError:
            with pytest.raises(ValueError, match="expects"):
                getattr(metrics, name)()(y_true, y_pred)
            continue
        np.testing.assert_allclose(getattr(metrics, name)()(y_true, y_pred), expected, rtol=1e-6)


@pytest.mark.parametrize("activation", [None, "sigmoid"])
@pytest.mark.parametrize("reduction", ["sum", "sum_over_batch_size"])
def test_targets_without_the_last_axis_of_the_outputs_are_trained_on_as_one_sample(activation, reduction):
    """(n, k) for (n, k, 1): the mean over k, for value and gradient, as in Keras; with the axis each is a sample."""
    loss = (
        losses.BinaryCrossentropy(reduction=reduction) if activation else losses.MeanSquaredError(reduction=reduction)
    )
    x = np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32")
    y = np.random.default_rng(1).integers(0, 2, (4, 3)).astype("float32")
    of_all = {}
    for targets in (y, y[..., None]):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((3, 2)), keras.layers.Dense(1, activation=activation)])
        model.compile(keras.optimizers.SGD(0.1), loss, metrics=["mae"])
        before = model.get_weights()
        value = model.train_on_batch(x, targets)[0]
        np.testing.assert_allclose(value, loss(targets, _predicted(model, before, x)), rtol=1e-5)
        of_all[targets.ndim] = value, before[0] - model.get_weights()[0]
        model.evaluate(x, targets, verbose=0)
    factor = 3.0 if reduction == "sum" else 1.0
    np.testing.assert_allclose(of_all[3][0], factor * of_all[2][0], rtol=1e-5)
    np.testing.assert_allclose(of_all[3][1], factor * of_all[2][1], rtol=1e-4)


def _predicted(model, weights, x):
    after = model.get_weights()
    model.set_weights(weights)
    try:
        return model.predict(x, verbose=0)
    finally:
        model.set_weights(after)


@pytest.mark.parametrize("name", ["Precision", "Recall", "AUC", "F1Score", "TruePositives"])
def test_metrics_of_yes_and_no_say_what_to_do_with_class_labels(name):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy", metrics=[getattr(metrics, name)(name="mine")])
    with pytest.raises(ValueError, match=r"Metric 'mine' expects .*to_categorical\(y, 4\)"):
        model.fit(np.zeros((8, 2)), np.arange(8) % 4, verbose=0)


def test_one_hot_accuracies_send_labels_to_their_kin():
    for metric in (metrics.CategoricalAccuracy(), metrics.TopKCategoricalAccuracy()):
        with pytest.raises(ValueError, match="use 'sparse_"):
            metric([1, 2], np.zeros((2, 3)))


@pytest.mark.parametrize("name", ["ce", "crossentropy"])
def test_the_crossentropy_is_that_of_the_shapes(name):
    x, labels = np.zeros((4, 2)), np.array([0, 1, 2, 1])
    for units, loss, y in (
        (1, "binary_crossentropy", labels % 2),
        (3, "sparse_categorical_crossentropy", labels),
        (3, "categorical_crossentropy", np.eye(3)[labels]),
    ):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units, "softmax" if units > 1 else "sigmoid")])
        model.compile(loss=loss, metrics=[name])
        figures = model.evaluate(x, y, verbose=0, return_dict=True)
        np.testing.assert_allclose(figures[name], figures["loss"], rtol=1e-6)


@pytest.mark.parametrize("loss", [losses.categorical_crossentropy, losses.categorical_focal_crossentropy])
def test_of_one_class_alone_a_categorical_loss_says_nothing(loss):
    with pytest.warns(SyntaxWarning, match=r"expected y_pred.shape to be \(batch_size, num_classes\)"):
        loss(np.ones((2, 1)), np.full((2, 1), 0.5))
