"""The layer of linear splines: prediction by the kernel, training by the tape, files and ONNX."""

import json

import numpy as np
import pytest

import multilayer as keras
from helpers.gradients import assert_gradient
from multilayer import layers
from multilayer.tabular import LinearSplines

STREAM = np.random.default_rng(0)
COUNTS = [3, 0, 2]
X = STREAM.normal(size=(9, 3))
BASE = STREAM.normal(size=(9, 4))


def built(activation="tanh", dtype="float64"):
    layer = LinearSplines(4, COUNTS, activation, dtype=dtype)
    layer.build([(None, 4), (None, 3)])
    edges = [np.sort(STREAM.normal(size=count + 1)) for count in COUNTS]
    low = np.concatenate([one[:-1] for one in edges])
    factor = np.concatenate([1 / np.diff(one) for one in edges])
    layer.set_weights([low, factor, STREAM.normal(size=(8, 4))])
    return layer


@pytest.mark.parametrize("activation", [None, "relu", "tanh", "selu", "softmax"])
def test_training_and_predicting_give_the_same(activation):
    layer = built(activation)
    np.testing.assert_allclose(layer([BASE, X], training=True), layer([BASE, X]), rtol=1e-12)


def test_the_gradients_are_those_of_finite_differences():
    layer = built()
    direction = STREAM.normal(size=(9, 4))
    base, x = BASE.copy(), X.copy()
    layer.forward([base, x], training=True)
    dbase, dx = layer.backward(direction)

    def loss():
        return float((layer.forward([base, x]) * direction).sum())

    assert_gradient(dbase, loss, base)
    assert_gradient(dx, loss, x)


def test_a_config_and_a_file_and_onnx_give_the_same(tmp_path):
    layer = built("relu", "float32")
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    assert again.get_config() == layer.get_config()
    base, x = keras.Input((4,), name="base"), keras.Input((3,), name="x")
    model = keras.Model({"base": base, "x": x}, layer([base, x]))
    given = {"base": BASE.astype("float32"), "x": X.astype("float32")}
    expected = model.predict(given, verbose=0)
    model.save(tmp_path / "model.npz")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.npz").predict(given, verbose=0), expected)
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model.export(tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, given)[0], expected, rtol=1e-5, atol=1e-5)


def test_inputs_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"expected shapes \[\(None, 4\), \(None, 3\)\]"):
        built()([X, BASE])
    with pytest.raises(ValueError, match="`counts`"):
        LinearSplines(4, [-1])
