"""The layers of networks for tables: gradients, files, ONNX, and what they refuse."""

import json

import numpy as np
import pytest

import multilayer as keras
from helpers.gradients import assert_gradient
from multilayer import layers, tabular
from multilayer._core.arena import Arena
from multilayer.autodiff import GradientTape

STREAM = np.random.default_rng(3)
X = STREAM.normal(size=(7, 4))
CODES = np.array([[0, 1, 2, 9], [3, 2, 0, 12], [1, 0, 1, 0], [4, 2, 1, 13], [-1, 1, 2, 1]])
CARDINALITIES = [3, 2, 1, 12]
ROWS = {
    "RobustScaling": (lambda **k: tabular.RobustScaling(**k), X),
    "RobustScaling, no clip": (lambda **k: tabular.RobustScaling(None, **k), X),
    "OneHotCodes": (lambda **k: tabular.OneHotCodes(CARDINALITIES, **k), CODES),
    "OneHotCodes, some": (lambda **k: tabular.OneHotCodes([3, 0, 1, 0], **k), CODES),
    "CategoryEmbeddings": (lambda **k: tabular.CategoryEmbeddings(CARDINALITIES, 3, **k), CODES),
    "CategoryEmbeddings, some": (lambda **k: tabular.CategoryEmbeddings([3, 0, 0, 12], 3, **k), CODES),
    "PeriodicEmbedding": (lambda **k: tabular.PeriodicEmbedding(5, 2, **k), X),
    "Scale": (lambda **k: tabular.Scale(**k), X),
    "NTPDense": (lambda **k: tabular.NTPDense(3, **k), X),
    "ParametricActivation": (lambda **k: tabular.ParametricActivation("mish", **k), X),
    "ParametricActivation, of its output": (lambda **k: tabular.ParametricActivation("tanh", **k), X),
    "Clamp": (lambda **k: tabular.Clamp(**k), X),
}
every_row = pytest.mark.parametrize("row", ROWS)


def built(row, **arguments):
    make, x = ROWS[row]
    layer = make(**{"dtype": "float64"} | arguments)
    layer.ensure_built((None, *x.shape[1:]))
    for weight in layer.weights:
        weight.assign(STREAM.uniform(0.5, 1.5, weight.shape) * (-1 if weight.name in ("low", "center") else 1))
    Arena(layer.weights)
    return layer, x


@every_row
def test_gradients_match_finite_differences(row):
    layer, x = built(row)
    x = x.astype("float64")
    y = layer.forward(x, training=True)
    direction = np.random.default_rng(1).normal(size=y.shape)
    dx = np.array(layer.backward(direction.copy()))

    def loss():
        # In training `Clamp` holds nothing; all others do the same.
        return float(np.sum(direction * layer.forward(x, training=isinstance(layer, tabular.Clamp))))

    gradients = [np.array(weight.gradient) for weight in layer.trainable_weights]
    if not row.startswith(("OneHot", "Category")):
        assert_gradient(dx, loss, x)
    else:
        assert dx.shape == x.shape
        assert not dx.any()
    for weight, gradient in zip(layer.trainable_weights, gradients, strict=True):
        assert_gradient(gradient, loss, weight.value)


@every_row
@pytest.mark.parametrize("training", [False, True])
def test_what_a_tape_records_is_the_same(row, training):
    layer, x = built(row)
    expected = np.array(layer.forward(x.astype("float64"), training=training))
    np.testing.assert_allclose(layer.call(x, training=training), expected, rtol=1e-12, atol=1e-14)
    with GradientTape() as tape:
        y = layer(x, training=training)
    np.testing.assert_allclose(np.asarray(y), expected, rtol=1e-12)
    for weight, gradient in zip(layer.trainable_weights, tape.gradient(y, layer.trainable_weights), strict=True):
        layer.forward(x.astype("float64"), training=True)
        layer.backward(np.ones_like(expected))
        np.testing.assert_allclose(gradient, weight.gradient, rtol=1e-10, atol=1e-12)


@every_row
def test_predicting_between_forward_and_backward_disturbs_nothing(row):
    layer, x = built(row)
    x = x.astype("float64")
    direction = np.random.default_rng(1).normal(size=layer.forward(x, training=True).shape)
    expected = np.array(layer.backward(direction.copy()))
    layer.forward(x, training=True)
    layer.forward(x[:3])
    np.testing.assert_array_equal(layer.backward(direction.copy()), expected)


@every_row
def test_a_config_and_a_file_and_onnx_give_the_same(row, tmp_path):
    layer, x = built(row, dtype="float32")
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    assert again.get_config() == layer.get_config()
    inputs = keras.Input(x.shape[1:], dtype="int32" if x is CODES else None)
    model = keras.Model(inputs, layer(inputs))
    expected = model.predict(x, verbose=0)
    assert model.output_shape == (None, *expected.shape[1:])
    for name in ("model.keras", "model.npz"):
        model.save(tmp_path / name)
        np.testing.assert_array_equal(keras.models.load_model(tmp_path / name).predict(x, verbose=0), expected)
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model.export(tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: x.astype("int32" if x is CODES else "float32")})
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", [tabular.Scale(), tabular.NTPDense(2), tabular.OneHotCodes([2, 2])])
def test_inputs_of_other_columns_are_refused(layer):
    layer(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"expected shape \(None, 2\), found shape=\(3, 5\)"):
        layer(np.ones((3, 5)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: tabular.RobustScaling(0.0), "`clip`"),
        (lambda: tabular.OneHotCodes([2, -1]), "`cardinalities`"),
        (lambda: tabular.NTPDense(0), "`units`"),
        (lambda: tabular.PeriodicEmbedding(size=0), "`size`"),
        (lambda: tabular.Scale()(np.ones((2, 3, 4))), "needs inputs of shape"),
    ],
)
def test_what_no_layer_could_compute_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
