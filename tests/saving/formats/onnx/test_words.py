"""Lookups and bins as ONNX files: onnxruntime finds the same numbers."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers

pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

WORDS = np.array([["a", "b"], ["c", "nobody"], ["", ""], ["b", "b"]], object)
CODES = np.array([[1, 2], [5, 2**40], [0, -4], [7, 7]])
AMOUNTS = np.array([[0.5, -9.0], [0.7, 0.6], [-0.5, 3.0], [0.0, -0.6]], "float32")
MODES = ("int", "one_hot", "multi_hot", "count")
ROWS = [
    *((layers.StringLookup(vocabulary=["a", "b", "c"], output_mode=mode), WORDS) for mode in MODES),
    *((layers.StringLookup(vocabulary=["a", "b"], output_mode=mode, mask_token=""), WORDS) for mode in MODES),
    *((layers.IntegerLookup(vocabulary=[1, 2, 2**40], output_mode=mode, mask_token=0), CODES) for mode in MODES),
    *((layers.Discretization([-0.5, 0.5, 0.7], output_mode=mode), AMOUNTS) for mode in MODES),
    (layers.StringLookup(vocabulary=["a", "b"], output_mode="tf_idf", idf_weights=[1.0, 2.0]), WORDS),
    (layers.StringLookup(vocabulary=["a", "b", "c"], invert=True, mask_token=""), CODES),
    (layers.IntegerLookup(vocabulary=[4, 9], invert=True), CODES),
]


def both(model, x, path):
    model.export(path)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    return session.run(None, {given.name: x})[0], model.predict(x, verbose=0)


@pytest.mark.parametrize(("layer", "x"), ROWS, ids=lambda one: getattr(one, "name", ""))
def test_the_same_comes_out(tmp_path, layer, x):
    dtype = {"O": "string", "i": "int64", "f": "float32"}[x.dtype.kind]
    found, expected = both(keras.Sequential([keras.Input((2,), dtype=dtype), layer]), x, tmp_path / "m.onnx")
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_a_network_of_words(tmp_path):
    lookup = layers.StringLookup(vocabulary=["a", "b", "c"])
    model = keras.Sequential(
        [keras.Input((2,), dtype="string"), lookup, layers.Embedding(4, 3), layers.Flatten(), layers.Dense(2)]
    )
    np.testing.assert_allclose(*both(model, WORDS, tmp_path / "m.onnx"), atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (layers.Hashing(4), "is a Hashing: it needs hashes"),
        (layers.TextVectorization(vocabulary=["a"], split=None), "is a TextVectorization: it needs the splitting"),
        (layers.StringLookup(vocabulary=["a"], num_oov_indices=2), "only `num_oov_indices=1` is exported"),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_what_onnx_cannot_say_is_refused(tmp_path, layer, message):
    with pytest.raises(ValueError, match=message):
        keras.Sequential([keras.Input((2,), dtype="string"), layer]).export(tmp_path / "m.onnx")
