"""Bad input: a clear error before the first step, and nothing lost."""

import numpy as np
import pytest

import multilayer as keras
from helpers.classifier import LABELS, X, classifier
from multilayer import layers

WRONG_DATA = {
    "features": (
        X[:, :3],
        LABELS,
        r'layer "dense.*" is incompatible.*value 4, but received input with shape \(60, 3\)',
    ),
    "rank": (X[:, None, :], LABELS, r"expected shape=\(None, 4\), found shape=\(60, 1, 4\)"),
    "nan": (np.where(X > 1, np.nan, X), LABELS, "`x` holds nan at index"),
    "infinity": (np.where(X > 1, np.inf, X), LABELS, "`x` holds inf at index"),
    "too large": (
        np.where(X > 1, 1e300, X.astype(float)),
        LABELS,
        r"`x` holds 1e\+300 at index.*too large for float32",
    ),
    "lengths": (X, LABELS[:-1], "'x' has 60, 'y' has 59"),
    "empty": (X[:0], LABELS[:0], "`x` is empty"),
    "text": (X.astype(str), LABELS, "`x` must hold numbers"),
    "no targets": (X, None, "pass `y`"),
    "labels too large": (X, LABELS + 1, r"label value of 3 which is outside the valid range of \[0, 3\)"),
    "labels negative": (X, LABELS - 1, "label value of -1"),
    "labels not whole": (X, LABELS + 0.5, "whole-number labels"),
    "labels one-hot": (X, np.eye(3)[LABELS], "look one-hot: use 'categorical_crossentropy'"),
    "labels nan": (X, np.where(LABELS == 0, np.nan, LABELS), "`y` holds nan"),
}


@pytest.mark.parametrize("kind", WRONG_DATA)
def test_data_that_does_not_fit_is_refused_before_anything_is_trained(kind):
    x, y, message = WRONG_DATA[kind]
    model = classifier()
    before = model.get_weights()
    for method in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=message):
            method(x, y, verbose=0)
    with pytest.raises(ValueError, match=f"In `validation_data`: .*{message}"):
        model.fit(X, LABELS, validation_data=(x, y), verbose=0)
    with pytest.raises(ValueError, match=message):
        model.train_on_batch(x, y)
    if "`x`" in message:
        for ask in (model.predict, model.predict_on_batch):
            with pytest.raises(ValueError, match=message):
                ask(x)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert model.optimizer.iterations == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": -1}, "`epochs` must be a whole number of at least 0"),
        ({"epochs": 1.5}, "`epochs` must be a whole number"),
        ({"batch_size": 0}, "`batch_size` must be a whole number of at least 1"),
        ({"verbose": 3}, "`verbose` must be 'auto', 0, 1 or 2"),
        ({"validation_freq": 0}, "`validation_freq` must be a whole number of at least 1. Received: validation_freq=0"),
        ({"validation_freq": 1.5}, "`validation_freq` must be a whole number of at least 1"),
        ({"validation_freq": [1, 2.5]}, "Received: validation_freq=2.5"),
        ({"validation_split": 1.0}, "`validation_split` must be in"),
        ({"validation_data": X}, r"`validation_data` must be `\(x, y\)`"),
        ({"sample_weight": np.ones(3)}, "'sample_weight' has 3"),
        ({"shuffle": "batch"}, "`shuffle` must be True or False. Received: shuffle='batch'.*changes no step"),
        ({"shuffle": "no"}, "`shuffle` must be True or False"),
        ({"callbacks": ["stop"]}, "instances of `callbacks.Callback`"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, LABELS, **{"verbose": 0, **arguments})


@pytest.mark.parametrize("row", [[1, 0, 1], [0.5, 0.5, 0]])
def test_weights_of_classes_are_refused_where_a_row_has_several_ones(row):
    y = np.eye(3)[LABELS]
    y[7] = row
    model = classifier(loss="binary_crossentropy")
    for method in (model.fit, model.train_on_batch):
        with pytest.raises(ValueError, match="`class_weight` needs one class a sample; row 7 .* pass `sample_weight`"):
            method(X, y, class_weight={0: 2.0})
    model.train_on_batch(X, np.eye(3)[LABELS] * 0.9 + 0.03, class_weight={0: 2.0})  # smoothed, and still one class


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "adm"}, "Unknown optimizer: 'adm'. Did you mean 'adam'?"),
        ({"loss": "sparse_crossentropy"}, "Did you mean 'sparse_categorical_crossentropy'?"),
        ({"loss": 3}, "Could not interpret loss identifier: 3"),
        ({"metrics": ["acuracy"]}, "Did you mean 'accuracy'?"),
        ({"metrics": "accuracy"}, "Expected `metrics` argument to be a list"),
        ({"optimizer": 3}, "Could not interpret optimizer identifier: 3"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest_known_one(arguments, message):
    model = classifier(compiled=False)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is checked below
        model.compile(**{"loss": "mse"} | arguments)
    assert message in str(caught.value)


def test_unknown_activations_and_initializers_are_refused_too():
    with pytest.raises(ValueError, match="Did you mean 'sigmoid'"):
        layers.Dense(3, activation="sigmod")
    with pytest.raises(ValueError, match="Did you mean 'he_normal'"):
        layers.Dense(3, kernel_initializer="he_norml")
    with pytest.raises(ValueError, match="together with its derivative"):
        layers.Dense(3, activation=3)


def test_use_before_compile_or_build_is_explained():
    model = classifier(compiled=False)
    with pytest.raises(ValueError, match=r"You must call `compile\(\)` before calling `fit\(\)`"):
        model.fit(X, LABELS)
    model.compile("adam")
    with pytest.raises(ValueError, match="No loss to compute"):
        model.fit(X, LABELS)
    penalized = keras.Sequential([layers.Dense(1, activity_regularizer="l2")])  # not built yet
    penalized.compile("sgd")
    assert penalized.fit(X, verbose=0).history["loss"][0] > 0
    unbuilt = keras.Sequential([layers.Dense(1)])
    for use in (unbuilt.count_params, lambda: unbuilt.input_shape):
        with pytest.raises(ValueError, match=r"Start it with `Input\(shape\)`"):
            use()
    with pytest.raises(ValueError, match="has no layers"):
        keras.Sequential().predict(X)


def test_what_keras_compile_takes_besides_changes_nothing():
    plain = classifier(compiled=False)
    model = classifier(compiled=False)
    model.set_weights(plain.get_weights())
    plain.compile("sgd", "sparse_categorical_crossentropy")
    besides = {"run_eagerly": True, "jit_compile": False, "steps_per_execution": 8, "auto_scale_loss": False}
    model.compile("sgd", "sparse_categorical_crossentropy", **besides)
    for one in (plain, model):
        one.fit(X, LABELS, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], plain.get_weights()[0])
    assert (plain.steps_per_execution, model.steps_per_execution) == (1, 8)
    for steps in (0, 1.5, "auto", None):
        with pytest.raises(ValueError, match="`steps_per_execution` must be a whole number of at least 1"):
            model.compile("sgd", "mse", steps_per_execution=steps)


def test_binary_targets_for_a_sparse_loss_get_a_hint():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, "sigmoid")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="use 'binary_crossentropy'"):
        model.fit(X, LABELS > 0, verbose=0)
    model.compile("sgd", "binary_crossentropy")
    with pytest.raises(ValueError, match="targets from 0 to 1; got 2"):
        model.fit(X, LABELS, verbose=0)
    model.fit(X, LABELS > 0, verbose=0)
