"""Models as ONNX files: onnxruntime computes from the file what the model computes."""

import errno
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import multilayer as keras
from helpers.layer_cases import ALL_ACTIVATIONS, DEEP, NUMBERS, RNG, ROWS, X, randomized
from multilayer import activations, layers
from multilayer._names import registry
from multilayer.layers import Activation, Dense, Input
from multilayer.saving.formats.onnx import reader, words

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


def run(path, *xs):
    """What onnxruntime gives for a file and arrays in the order of its inputs."""
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int32)": "int32"}
    given = zip(session.get_inputs(), xs, strict=True)
    return session.run(None, {one.name: np.asarray(x, types[one.type]) for one, x in given})


def agrees(model, path, *xs):
    model.export(path)
    expected = model.predict(list(xs) if len(xs) > 1 else xs[0], verbose=0)
    expected = list(expected.values()) if isinstance(expected, dict) else expected
    expected = expected if isinstance(expected, list) else [expected]
    for y, e in zip(run(path, *xs), expected, strict=True):
        assert y.dtype == e.dtype
        np.testing.assert_allclose(y, e, rtol=1e-5, atol=1e-5)


# --- Every activation, every layer ---


@pytest.mark.parametrize("name", ALL_ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_activation_comes_out_the_same(tmp_path, name, dtype):
    if (name, dtype) == ("gelu", "float64"):
        pytest.skip("onnxruntime computes the error function in float32 alone")
    inside = Dense(8, name, bias_initializer="random_normal", dtype=dtype)
    model = keras.Sequential([Input((6,), dtype=dtype), inside, Activation(name, dtype=dtype)])
    agrees(model, tmp_path / "m.onnx", X)


@pytest.mark.parametrize(("layer", "xs"), ROWS, ids=lambda one: getattr(one, "name", ""))
def test_every_layer_comes_out_the_same(tmp_path, layer, xs):
    several = isinstance(xs, list)
    xs = xs if several else [xs]
    inputs = [Input(x.shape[1:], dtype="int32" if x is NUMBERS else None) for x in xs]
    model = randomized(keras.Model(inputs, layer(inputs if several else inputs[0])))
    agrees(model, tmp_path / "m.onnx", *xs)


def test_the_table_has_every_layer():
    there = {type(layer) for layer, _ in ROWS} | {layers.InputLayer, layers.Lambda}  # the latter holds anything
    there |= words.KNOWN | set(words._BEYOND)  # of which test_words.py has the comparisons and the refusals
    registered = registry.registered("layer")
    # Those of wings above say themselves how they are written.
    of_layers = {one for one in registered if one.__module__.startswith("multilayer.layers.")}
    assert there == of_layers


@pytest.mark.parametrize("layer", [layers.Embedding(9, 4), layers.CategoryEncoding(9)])
def test_whole_numbers_may_come_as_fractions_do(tmp_path, layer):
    agrees(keras.Sequential([Input((3,)), layers.Identity(), layer]), tmp_path / "m.onnx", NUMBERS)


def test_pixels_come_in_as_bytes(tmp_path):
    pixels = RNG.integers(0, 256, (4, 3, 3)).astype("uint8")
    model = keras.Sequential(
        [Input((3, 3), dtype="uint8"), layers.Flatten(), layers.Rescaling(1 / 255), layers.Dense(2, "softmax")]
    )
    model.export(tmp_path / "m.onnx")
    session = runtime.InferenceSession(tmp_path / "m.onnx")
    (y,) = session.run(None, {session.get_inputs()[0].name: pixels})
    np.testing.assert_allclose(y, model.predict(pixels, verbose=0), atol=1e-6)


def test_padding_that_is_left_out_is_not_written(tmp_path):
    model = keras.Sequential(
        [Input((3,)), layers.Embedding(9, 4, mask_zero=True), layers.GlobalAveragePooling1D(), layers.Dense(1)]
    )
    with pytest.raises(ValueError, match="padding left out of a mean"):
        model.export(tmp_path / "m.onnx")


# --- Graphs ---


def test_a_graph_keeps_the_names_of_its_inputs_and_outputs(tmp_path):
    a, b = Input((6,), name="a"), Input((2, 4), name="b")
    shared = layers.Dense(4, "tanh", name="shared")
    first = shared(a)
    joined = layers.Concatenate()([layers.Dense(6, "relu")(first), layers.Flatten()(b)])
    again = shared(layers.Dense(6)(joined))
    model = keras.Model(
        [a, b], [layers.Dense(3, "softmax", name="kind")(again), layers.Add(name="sum")([first, again])]
    )
    agrees(model, tmp_path / "m.onnx", X, DEEP)
    graph = onnx.load(tmp_path / "m.onnx").graph
    assert [one.name for one in graph.input] == ["a", "b"]
    assert [one.name for one in graph.output] == ["kind", "sum"]
    assert [one.name for one in graph.initializer].count("shared/kernel") == 1  # one weight, however often it is used


def test_models_in_models_are_written_as_their_layers(tmp_path):
    inner = keras.Sequential([Input((6,)), layers.Dense(6, "relu", name="same"), layers.Dropout(0.5)])
    x = Input((6,))
    model = randomized(keras.Model(x, layers.Dense(2, name="same")(inner(inner(x)))))
    agrees(model, tmp_path / "m.onnx", X)


def test_an_input_may_be_an_output_and_an_output_be_there_twice(tmp_path):
    x = Input((6,), name="x")
    y = layers.Dense(2, name="y")(x)
    model = keras.Model(x, [x, y, y])
    model.export(tmp_path / "m.onnx")
    same, first, second = run(tmp_path / "m.onnx", X)
    np.testing.assert_array_equal(same, X)
    np.testing.assert_array_equal(first, second)


BOUNDED = [name for name in ALL_ACTIVATIONS if name != "exponential"]  # of which a few in a row overflow


@settings(max_examples=10, deadline=None)
@given(n=st.integers(1, 40), hidden=st.lists(st.integers(1, 9), max_size=3), name=st.sampled_from(BOUNDED))
def test_batches_of_any_size_go_through(tmp_path_factory, n, hidden, name):
    rng = np.random.default_rng(n)
    hidden = [2 * units for units in hidden]  # glu halves them
    model = keras.Sequential([Input((6,)), *(layers.Dense(units, name) for units in hidden), layers.Dense(1)])
    model.set_weights([rng.uniform(-0.5, 0.5, weight.shape) for weight in model.get_weights()])
    agrees(model, tmp_path_factory.mktemp("onnx") / "m.onnx", rng.normal(size=(n, 6)).astype("float32"))


def test_an_axis_whose_length_is_open_stays_open(tmp_path):
    model = keras.Sequential([Input((None, 4)), layers.Dense(4, "sparsemax"), layers.LayerNormalization()])
    model.export(tmp_path / "m.onnx")
    for length in (1, 5):
        x = RNG.normal(size=(3, length, 4)).astype("float32")
        np.testing.assert_allclose(run(tmp_path / "m.onnx", x)[0], model.predict(x, verbose=0), atol=1e-5)


def test_the_file_says_who_wrote_it_and_for_which_operators(tmp_path):
    keras.Sequential([Input((6,)), layers.Dense(1)], name="net").export(tmp_path / "m.onnx")
    proto = onnx.load(tmp_path / "m.onnx")
    assert (proto.producer_name, proto.producer_version, proto.graph.name) == ("multilayer", keras.__version__, "net")
    assert [one.version for one in proto.opset_import] == [18]
    assert proto.ir_version <= 8  # what onnxruntime 1.14 reads
    assert [one.dim_param for one in proto.graph.output[0].type.tensor_type.shape.dim] == ["batch", ""]


def test_the_same_model_gives_the_same_bytes(tmp_path):
    model = keras.Sequential([Input((6,)), layers.Dense(4, "gelu"), layers.Dense(1)])
    for name in "ab":
        model.export(tmp_path / f"{name}.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


# --- What is refused, and what is left then ---


class Own(layers.Dense):
    pass


TWICE = activations.Activation("relu", lambda x, out=None: 2 * x, lambda dy, y, out=None: 2 * dy)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda: keras.Sequential([Input((6,)), Own(2, name="mine")]), "'mine' is a Own, a class of your own"),
        (lambda: keras.Sequential([Input((6,)), Dense(2, TWICE, name="d")]), "'relu' of layer 'd' is .* of your own"),
        (lambda: keras.Sequential([layers.Dense(2)]), "no weights yet"),
        (lambda: keras.Model(x := Input((6,)), layers.Dropout(0.5, name="n")(x, training=True)), "'n' was called with"),
    ],
)
def test_what_onnx_cannot_express_is_refused_and_named(tmp_path, changed, message):
    with pytest.raises(ValueError, match=message):
        changed().export(tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "tf_saved_model"}, "no format 'tf_saved_model'"),
        ({"format": "openvino"}, "no format 'openvino'"),
        ({"input_signature": []}, "`input_signature` is None here"),
        ({"opset_version": 9}, "an ONNX file has no option `opset_version`"),
    ],
)
def test_keras_other_options_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        keras.Sequential([Input((6,)), layers.Dense(1)]).export(tmp_path / "m.onnx", **options)


def test_a_disk_error_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")

    def failing(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="what was there is as it was"):
        keras.Sequential([Input((6,)), layers.Dense(1)]).export(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_it_says_where_the_file_is_when_asked(tmp_path, capsys):
    keras.Sequential([Input((6,)), layers.Dense(1)]).export(tmp_path / "m.onnx", verbose=True)
    assert capsys.readouterr().out == f"Saved artifact at '{tmp_path / 'm.onnx'}'.\n"


def test_a_file_that_is_cut_while_it_is_read_is_told_and_ends_nothing(tmp_path):
    path = tmp_path / "m.onnx"
    model = keras.Sequential([Input((300,)), Dense(300)])
    model.export(path, verbose=False)
    with reader.opened(path) as proto:
        path.write_bytes(path.read_bytes()[:20])
        with pytest.raises(ValueError, match="it has become shorter while it was read"):
            next(iter(proto.arrays.values())).read()


@pytest.mark.parametrize("cut", [1, 100, 2**16 - 1, 2**16, 2**16 + 1])
def test_a_file_is_read_across_the_windows_it_is_read_in(tmp_path, monkeypatch, cut):
    path = tmp_path / "m.onnx"
    model = keras.Sequential([Input((3,)), *(Dense(3, name=f"layer_{i}") for i in range(9))])
    model.export(path, verbose=False)
    with reader.opened(path) as proto:
        expected = {name: stored.read() for name, stored in proto.arrays.items()}, proto.nodes
    monkeypatch.setattr(reader, "_WINDOW", cut)
    with reader.opened(path) as proto:
        found = {name: stored.read() for name, stored in proto.arrays.items()}, proto.nodes
    np.testing.assert_equal(found, expected)


@pytest.mark.parametrize("name", ["model.tflite", "model.pb", "model", "model.onnx.gz"])
def test_an_ending_that_is_not_known_is_refused(tmp_path, name):
    model = keras.Sequential([Input((6,)), layers.Dense(1)])
    with pytest.raises(ValueError, match=r"ends in '.onnx' for an ONNX file.*Received: .*model"):
        model.export(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
