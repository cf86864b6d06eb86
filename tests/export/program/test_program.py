"""Models as Python with NumPy alone: the file computes what the model computes, in a process without the library."""

import base64
import re
import runpy
import subprocess
import sys

import numpy as np
import pytest

import multilayer as keras
from helpers.layer_cases import ALL_ACTIVATIONS, DEEP, NUMBERS, ROWS, X, randomized
from multilayer import layers
from multilayer.layers import Dense, Input

BIG = np.array([[7, -3, 2**40], [5, 5, 0], [7, 7, 7]])
WHOLE = [
    (layers.IntegerLookup(vocabulary=[7, 2**40], num_oov_indices=3), BIG),
    (layers.IntegerLookup(vocabulary=[7, -3, 5, 0, 2**40], num_oov_indices=0), BIG),
    (layers.IntegerLookup(vocabulary=[7, 5], output_mode="tf_idf", idf_weights=[0.5, 2.0]), BIG),
    (layers.IntegerLookup(vocabulary=[70, 50], invert=True), NUMBERS),
    (layers.Discretization([-1.0, 0.0, 0.5]), X),
    (layers.Discretization([0.0], output_mode="count"), X),
]


def written(model, tmp_path):
    """The function `predict` of the file that a model is written to."""
    model.export(tmp_path / "net.py")
    return runpy.run_path(str(tmp_path / "net.py"))["predict"]


def agrees(model, tmp_path, *xs):
    found = written(model, tmp_path)(*xs)
    found = found if isinstance(found, tuple) else (found,)
    for y, e in zip(found, model.run([np.asarray(x) for x in xs]), strict=True):
        assert y.dtype == np.float32
        assert y.shape == e.shape
        np.testing.assert_allclose(y, e, rtol=1e-6, atol=1e-6)


def of(layer, xs):
    several = isinstance(xs, list)
    xs = xs if several else [xs]
    inputs = [Input(x.shape[1:], dtype=None if x.dtype.kind == "f" else str(x.dtype)) for x in xs]
    return randomized(keras.Model(inputs, layer(inputs if several else inputs[0]))), xs


@pytest.mark.parametrize("name", ALL_ACTIVATIONS)
def test_every_activation_comes_out_the_same(tmp_path, name):
    model, xs = of(layers.Activation(name), X)
    agrees(model, tmp_path, *xs)


@pytest.mark.parametrize(("layer", "xs"), [*ROWS, *WHOLE], ids=lambda one: getattr(one, "name", ""))
def test_every_layer_comes_out_the_same(tmp_path, layer, xs):
    model, xs = of(layer, xs)
    agrees(model, tmp_path, *xs)


def test_a_graph_has_its_layers_as_variables(tmp_path):
    a, b = Input((6,), name="a"), Input((2, 4), name="class")
    shared = Dense(4, "tanh", name="shared")
    first = shared(a)
    joined = layers.Concatenate(name="np")([Dense(6, "relu", name="relu")(first), layers.Flatten()(b)])
    again = shared(Dense(6, name="W")(joined))
    model = keras.Model([a, b], [Dense(3, "softmax", name="predict")(again), layers.Add(name="sum")([first, again])])
    agrees(randomized(model), tmp_path, X, DEEP)
    text = (tmp_path / "net.py").read_text()
    assert 'shared = tanh(a @ W["shared_kernel"] + W["shared_bias"])' in text
    assert "sum_2 = shared + shared_2" in text


def test_steps_of_a_sequence_and_what_is_for_training_alone(tmp_path):
    inner = keras.Sequential([Input((4,)), layers.LayerNormalization(), Dense(3, "gelu"), layers.Dropout(0.5)])
    model = keras.Sequential([Input((2, 4)), layers.TimeDistributed(inner), layers.Flatten(), Dense(2, "softmax")])
    agrees(randomized(model), tmp_path, DEEP)


def test_it_is_a_page_of_ascii_that_needs_numpy_alone(tmp_path):
    model = keras.Sequential([Input((28, 28)), layers.Flatten(), Dense(64, "relu", name="é"), Dense(10, "softmax")])
    model.export(tmp_path / "net.py")
    text = (tmp_path / "net.py").read_bytes().decode("ascii")
    page = text.partition('W = unpacked(\n    """')[0].splitlines()
    assert len(page) < 60
    assert max(map(len, text.splitlines())) <= 120
    assert set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE)) == {"base64", "numpy"}
    compile(text, "net.py", "exec")
    program = (
        "import sys; sys.modules['multilayer'] = None; import net, numpy; print(net.predict(numpy.ones((1, 28, 28))))"
    )
    found = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=True, text=True)
    assert abs(np.fromstring(found.stdout.replace("[", "").replace("]", ""), sep=" ").sum() - 1) < 1e-5
    assert len(base64.b85decode("".join(text.rpartition('"""')[0].rpartition('"""')[2].split()))) == 4 * 50_890


def test_whole_numbers_that_there_are_not_are_errors(tmp_path):
    predict = written(keras.Sequential([Input((1,)), layers.Embedding(9, 2)]), tmp_path)
    with pytest.raises(ValueError, match="from 0 to 8"):
        predict([[-1]])
    predict = written(
        keras.Sequential([Input((1,), dtype="int64"), layers.IntegerLookup(vocabulary=[5], num_oov_indices=0)]),
        tmp_path,
    )
    with pytest.raises(ValueError, match="Not in the vocabulary"):
        predict([[4]])
