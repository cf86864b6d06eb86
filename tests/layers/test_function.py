"""`Lambda`: a function as a layer."""

import numpy as np
import pytest

import multilayer as ml
from multilayer import layers, saving
from multilayer.models import clone_model, load_model

X = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")


def cubed(x, scale=1.0):
    return scale * x**3


def model_of(layer):
    return ml.Sequential([ml.Input((3,)), layer, layers.Dense(1)])


def test_it_calls_the_function_with_its_arguments():
    np.testing.assert_allclose(layers.Lambda(cubed, arguments={"scale": 2.0})(X), 2 * X**3, rtol=1e-6)


def test_the_function_is_told_whether_the_model_is_trained():
    layer = layers.Lambda(lambda x, training: x * (2.0 if training else 1.0))
    np.testing.assert_array_equal(layer(X), X)
    np.testing.assert_array_equal(layer(X, training=True), 2 * X)


@pytest.mark.parametrize("given", [None, (2,), lambda shape: (shape[0], 2)])
def test_its_output_shape_is_found_or_given(given):
    layer = layers.Lambda(lambda x: x[:, :2], output_shape=given)
    assert layer.compute_output_shape((None, 3)) == (None, 2)
    assert layer(ml.Input((3,))).shape == (None, 2)


def test_a_model_with_it_is_trained_and_cloned():
    model = model_of(layers.Lambda(lambda x: np.tanh(x) * x))
    model.compile("sgd", "mse")
    losses = model.fit(X, X[:, :1], epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    clone_model(model)


def test_a_file_names_the_function(tmp_path):
    model = model_of(layers.Lambda(cubed, output_shape=(3,), arguments={"scale": 0.5}))
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras", custom_objects={"cubed": cubed})
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    with pytest.raises(saving.ModelFileError, match="cubed"):
        load_model(tmp_path / "model.keras")


def test_a_python_lambda_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="a Python lambda.*`def`.*register_keras_serializable"):
        model_of(layers.Lambda(lambda x: x)).save(tmp_path / "model.keras")


@pytest.mark.parametrize(("given", "message"), [({"function": "x"}, "a function"), ({"mask": 1}, "no masks")])
def test_what_it_is_not_made_of(given, message):
    with pytest.raises(ValueError, match=message):
        layers.Lambda(**{"function": cubed, **given})
