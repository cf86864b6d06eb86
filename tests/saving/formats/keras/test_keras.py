"""Keras' own files: those that it wrote are read to the number, and ours are laid out as it reads them."""

from __future__ import annotations

import io
import json
import sys
import zipfile

import h5py
import numpy as np
import pytest

import multilayer as ml
from helpers import keras_programs as programs
from helpers.paths import FILES
from multilayer import layers, losses, metrics, saving
from multilayer.models import load_model
from multilayer.saving import ModelFileError

EXPECTED = json.loads((FILES / "expected.json").read_text())
MODELS = [name for name in EXPECTED if not name.endswith(".weights.h5")]
WEIGHTS = [name for name in EXPECTED if name.endswith(".weights.h5")]


def close(got, wanted, tolerance):
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def small(**compiled):
    model = ml.Sequential([ml.Input((3,)), layers.Dense(4, "relu"), layers.Dense(2)])
    model.compile(**{"optimizer": "adam", "loss": "mse", **compiled})
    return model


X, Y = programs.rows(8, 3), programs.rows(8, 2, seed=2)


# --- Files that Keras wrote ---


@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_keras_saved_says_the_same_and_trains_on_as_it_does_there(name):
    model = load_model(FILES / name)
    expected = EXPECTED[name]
    _, x, y = programs.PROGRAMS[expected["program"]](ml)
    close(programs.predictions(model, x), expected["predictions"], 1e-6)
    close(programs.train(model, x, y, 3), expected["losses"], 2e-4)


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_keras_saved_are_read_into_a_model_with_the_state_of_its_optimizer(name):
    expected = EXPECTED[name]
    model, x, y = programs.PROGRAMS[expected["program"]](ml)
    model.load_weights(FILES / name)
    close(programs.predictions(model, x), expected["predictions"], 1e-6)
    close(programs.train(model, x, y, 3), expected["losses"], 2e-4)


@pytest.mark.parametrize("name", ["within.keras", "within.h5"])
def test_the_weights_of_a_file_of_a_whole_model_are_read_alone(name):
    expected = EXPECTED[name]
    model, x, _ = programs.PROGRAMS[expected["program"]](ml)
    model.load_weights(FILES / name)
    close(programs.predictions(model, x), expected["predictions"], 1e-6)


def test_a_file_is_read_without_its_compile_arguments_where_that_is_asked():
    assert not load_model(FILES / "rmsprop.keras", compile=False).compiled


def as_keras_2(path):
    """A file as Keras 2 wrote it: layers with `batch_input_shape`, weights called 'kernel:0', losses as dicts."""
    dense = {"name": "dense", "trainable": True, "dtype": "float32", "units": 2, "activation": "relu", "use_bias": True}
    dense |= {
        "batch_input_shape": [None, 3],
        "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
        "kernel_regularizer": None,
    }
    leaky = {"name": "leaky_re_lu", "trainable": True, "dtype": "float32", "alpha": 0.25}
    layer_list = [{"class_name": "Dense", "config": dense}, {"class_name": "LeakyReLU", "config": leaky}]
    config = {"class_name": "Sequential", "config": {"name": "sequential", "layers": layer_list}}
    accuracy = {"name": "accuracy", "dtype": "float32", "fn": "categorical_accuracy"}
    training = {
        "loss": {"class_name": "MeanSquaredError", "config": {"reduction": "auto", "name": "mean_squared_error"}},
        "metrics": [[{"class_name": "MeanMetricWrapper", "config": accuracy}]],
        "weighted_metrics": None,
        "loss_weights": None,
        "optimizer_config": {"class_name": "SGD", "config": {"name": "SGD", "learning_rate": 0.5, "decay": 0.0}},
    }
    kernel, bias = np.arange(6, dtype="float32").reshape(3, 2), np.array([0.5, -50.0], "float32")
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.11.0"
        file.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["training_config"] = json.dumps(training).encode()
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"dense", b"leaky_re_lu"]
        weights.create_group("leaky_re_lu").attrs["weight_names"] = []
        group = weights.create_group("dense")
        group.attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
        group["dense/kernel:0"], group["dense/bias:0"] = kernel, bias
        file.create_group("optimizer_weights").attrs["weight_names"] = [b"SGD/iter:0"]
        file["optimizer_weights/SGD/iter:0"] = np.int64(7)
    return kernel, bias


def test_a_file_of_keras_2_is_read(tmp_path):
    kernel, bias = as_keras_2(tmp_path / "old.h5")
    model = load_model(tmp_path / "old.h5")
    np.testing.assert_array_equal(model(np.ones((1, 3))), np.maximum(kernel.sum(axis=0) + bias, 0)[None])
    assert model.layers[1].negative_slope == 0.25
    assert model.evaluate(np.ones((2, 3)), np.eye(2), verbose=0, return_dict=True).keys() == {"loss", "accuracy"}
    assert model.optimizer.learning_rate == 0.5


# --- Files of ours ---


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_a_model_comes_back_from_a_keras_file_and_trains_on_bit_for_bit(tmp_path, name):
    model, x, y = programs.PROGRAMS[name](ml)
    programs.train(model, x, y, 2)
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    for a, b in zip(programs.predictions(again, x), programs.predictions(model, x), strict=True):
        np.testing.assert_array_equal(a, b)
    assert again.optimizer.iterations == model.optimizer.iterations
    close(programs.train(again, x, y, 2), programs.train(model, x, y, 2), 0)


@pytest.mark.parametrize("suffix", [".weights.h5", ".weights.npz"])
def test_weights_come_back_with_the_state_of_the_optimizer(tmp_path, suffix):
    model, again = small(), small()
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    model.save_weights(tmp_path / f"line{suffix}")
    again.load_weights(tmp_path / f"line{suffix}")
    assert again.optimizer.iterations == 2
    for one in (model, again):
        one.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def within(path):
    """The members of an archive, its config, and the places and names of its weights."""
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            found = {}
            file.visititems(lambda place, one: found.update({place: one.attrs.get("name", one.__class__.__name__)}))
        return archive.namelist(), json.loads(archive.read("metadata.json")), config, found


def test_an_archive_is_laid_out_as_keras_lays_it_out(tmp_path):
    ml.utils.clear_session()
    x = ml.Input((3,), name="a")
    inner = ml.Sequential([ml.Input((3,)), layers.Dense(2, name="inside")], name="block")
    h = layers.Dense(3, name="first")(x)
    model = ml.Model(x, inner(layers.BatchNormalization(name="norm")(layers.Dense(3, name="second")(h))))
    model.compile(ml.optimizers.SGD(0.1), "mse", metrics=["mae"])
    model.save(tmp_path / "model.keras")
    members, metadata, config, weights = within(tmp_path / "model.keras")
    assert members == ["metadata.json", "config.json", "model.weights.h5"]
    assert metadata["keras_version"].startswith("3.")
    assert config["module"] == "keras.src.models.functional"
    assert config["class_name"] == config["registered_name"] == "Functional"
    assert set(config["compile_config"]) >= {"optimizer", "loss", "metrics", "weighted_metrics", "loss_weights"}
    first = config["config"]["layers"][1]
    assert (first["module"], first["class_name"], first["registered_name"]) == ("keras.layers", "Dense", None)
    assert first["config"]["dtype"]["class_name"] == "DTypePolicy"
    assert first["config"]["kernel_initializer"]["module"] == "keras.initializers"
    assert first["build_config"] == {"input_shape": [None, 3]}
    assert first["inbound_nodes"][0]["args"][0]["config"]["keras_history"] == ["a", 0, 0]
    names = {place.removesuffix("/vars"): name for place, name in weights.items() if place.endswith("vars")}
    assert names == {
        "vars": model.name,
        "layers/input_layer": "a",
        "layers/dense": "first",
        "layers/dense_1": "second",
        "layers/batch_normalization": "norm",
        "layers/sequential": "block",
        "layers/sequential/layers/dense": "inside",
        "optimizer": "sgd",
    }
    assert "layers/batch_normalization/vars/3" in weights


def test_a_model_that_was_never_compiled_comes_back_so(tmp_path):
    model = ml.Sequential([ml.Input((3,)), layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    assert not load_model(tmp_path / "model.keras").compiled


def test_float64_stays_float64(tmp_path):
    ml.Sequential([ml.Input((3,)), layers.Dense(1, dtype="float64")]).save(tmp_path / "model.keras")
    assert load_model(tmp_path / "model.keras").weights[0].dtype == "float64"


def test_a_layer_whose_call_says_whether_it_trains_comes_back_so(tmp_path):
    x = ml.Input((3,))
    model = ml.Model(x, layers.Dropout(0.9, seed=1)(layers.Dropout(0.9, seed=1)(x), training=True))
    model.save(tmp_path / "model.keras")
    assert [call.training for call in load_model(tmp_path / "model.keras").graph.calls] == [None, True]


@saving.register_keras_serializable("tests")
class Cubic(losses.Loss):
    def call(self, y_true, y_pred):
        return np.mean(np.abs(y_pred - y_true) ** 3, axis=-1)

    def gradient(self, y_true, y_pred):
        return 3 * np.abs(y_pred - y_true) * (y_pred - y_true) / y_pred.shape[-1]


@saving.register_keras_serializable("tests")
def largest(y_true, y_pred):
    return np.max(np.abs(y_true - y_pred), axis=-1)


def test_losses_and_metrics_of_ones_own_come_back_where_they_are_registered(tmp_path):
    model = small(loss=Cubic(), metrics=[largest, metrics.MeanAbsoluteError(name="error")])
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert again.evaluate(X, Y, verbose=0, return_dict=True) == model.evaluate(X, Y, verbose=0, return_dict=True)


def test_a_metric_that_nobody_could_find_again_is_left_out_with_a_warning(tmp_path):
    with pytest.warns(UserWarning, match="Metric '<lambda>' is a function without a name of its own") as warned:
        small(metrics=["mae", lambda y_true, y_pred: y_pred]).save(tmp_path / "model.keras")
    assert warned[0].filename == __file__
    assert load_model(tmp_path / "model.keras").evaluate(X, Y, verbose=0, return_dict=True).keys() == {"loss", "mae"}


# --- What does not fit, or has another name ---


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_weights_that_do_not_fit_leave_a_model_as_it_was(tmp_path, suffix):
    model = small()
    other = ml.Sequential([ml.Input((3,)), layers.Dense(4), layers.Dense(3)])
    (other.save_weights if suffix == ".weights.h5" else other.save)(tmp_path / f"other{suffix}")
    before = model.get_weights()
    with pytest.raises(ModelFileError, match=r"dense.*/kernel has shape \(4, 2\), but the array for it \(4, 3\)"):
        model.load_weights(tmp_path / f"other{suffix}")
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match=r"Layer 'dense.*' is left as it is: its weight"):
        model.load_weights(tmp_path / f"other{suffix}", skip_mismatch=True)
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])
    np.testing.assert_array_equal(model.get_weights()[2], before[2])


def test_the_state_of_another_optimizer_is_left_out_with_a_warning(tmp_path):
    model, again = small(), small(optimizer="sgd")
    model.fit(X, Y, verbose=0)
    model.save_weights(tmp_path / "line.weights.h5")
    with pytest.warns(UserWarning, match=r"optimizer 'sgd.*' is left as it is, and the weights alone are loaded"):
        again.load_weights(tmp_path / "line.weights.h5")
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("as.npz", "no file of this library|it holds no config"),
        ("as.h5", r"zip archive, as '.keras' and '.npz' files are. Rename it"),
        ("npz.keras", r"an '.npz' file, by its content: rename it"),
        ("weights.h5", "it holds no description of a model: it is a file of weights"),
    ],
)
def test_a_file_under_the_name_of_another_format_is_refused(tmp_path, wrong, message):
    model = small()
    model.save(tmp_path / "model.keras")
    model.save(tmp_path / "model.npz")
    content = {
        "as.npz": tmp_path / "model.keras",
        "as.h5": tmp_path / "model.keras",
        "npz.keras": tmp_path / "model.npz",
        "weights.h5": FILES / "adam.weights.h5",
    }[wrong]
    (tmp_path / wrong).write_bytes(content.read_bytes())
    with pytest.raises(ModelFileError, match=message):
        load_model(tmp_path / wrong)


def test_what_a_file_cannot_be_is_said_before_anything_is_written(tmp_path):
    model = small()
    with pytest.raises(ValueError, match="A model is one file here, and no folder: leave `zipped` out"):
        model.save(tmp_path / "model.keras", zipped=False)
    with pytest.raises(ValueError, match="it is read here, and not written. Use .*model.keras"):
        model.save(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="must end in `.weights.h5`, `.weights.npz` or `.safetensors`"):
        model.save_weights(tmp_path / "model.h5")
    (tmp_path / "model.txt").write_text("")
    with pytest.raises(ValueError, match=r"ends in '.keras', '.npz', '.h5' or '.hdf5'"):
        load_model(tmp_path / "model.txt")
    with pytest.raises(ValueError, match="Code in files is never run here"):
        load_model(FILES / "adam.h5", safe_mode=False)
    assert [path.name for path in tmp_path.iterdir()] == ["model.txt"]


def test_without_h5py_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    model = ml.Sequential([ml.Input((2,)), layers.Dense(1)])
    for save, name in ((model.save, "model.keras"), (model.save_weights, "model.weights.h5")):
        with pytest.raises(ImportError, match=r"written with h5py, which is not installed: `pip install h5py`.*`.npz`"):
            save(tmp_path / name)
    assert not list(tmp_path.iterdir())
    model.save(tmp_path / "model.npz")


# --- Objects that are skipped ---


def in_two(width):
    model = ml.Sequential([ml.Input((4,)), layers.Dense(3, name="kept"), layers.Dense(width, name="head")])
    model.compile("adam", "mse")
    model.fit(np.ones((4, 4)), np.ones((4, width)), verbose=0)
    return model


@pytest.mark.parametrize("skipping", ["reading", "writing"])
def test_a_new_head_keeps_its_weights_where_it_is_skipped(tmp_path, skipping):
    path, old, new = tmp_path / "m.weights.h5", in_two(2), in_two(2 if skipping == "writing" else 5)
    skipped = [old.layers[1], old.optimizer] if skipping == "writing" else None
    ml.saving.save_weights(old, path, objects_to_skip=skipped)
    kernel, momentum = new.layers[1].get_weights()[0], new.optimizer.variables[2].numpy()
    new.load_weights(path, objects_to_skip=[new.layers[1], new.optimizer])
    np.testing.assert_array_equal(new.layers[0].get_weights()[0], old.layers[0].get_weights()[0])
    np.testing.assert_array_equal(new.layers[1].get_weights()[0], kernel)
    np.testing.assert_array_equal(new.optimizer.variables[2].numpy(), momentum)
    if skipping == "writing":
        with pytest.raises(ml.saving.ModelFileError, match="holds 0 arrays for layer 'head'"):
            new.load_weights(path)


@pytest.mark.parametrize(
    ("name", "skipped", "message"),
    [
        ("m.weights.h5", ["head"], "the objects and not their names"),
        ("m.weights.h5", "head", "the objects and not their names"),
        ("m.weights.npz", [layers.Dense(1)], "is for '.weights.h5' files"),
    ],
)
def test_what_cannot_be_skipped_is_refused(tmp_path, name, skipped, message):
    model = in_two(2)
    model.save_weights(tmp_path / name)
    for act in (model.save_weights, model.load_weights):
        with pytest.raises(ValueError, match=message):
            act(tmp_path / name, objects_to_skip=skipped)
