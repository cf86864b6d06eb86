"""Files as Keras 2 wrote them, 2.12 and 2.16: read to the number, and trained on as there. See `make_keras2.py`."""

from __future__ import annotations

import json
import warnings
import zipfile

import h5py
import numpy as np
import pytest

import multilayer as ml
from helpers.paths import FILES
from multilayer import layers
from multilayer._names import keras2
from multilayer.models import compiling, load_model, model_from_json
from multilayer.saving import ModelFileError

VERSIONS = ("2.12", "2.16")
# What is built neither here nor in Keras 3 as it was, and what the error says.
REFUSED = {
    "legacy_nadam": "legacy Nadam of Keras 2, whose momentum follows another schedule",
}
BY_LAYER = ("legacy_nadam",)  # refused when they are compiled, and not before
# Keras 2.12 forgets to write that a Normalization is inverted.
LOST = {("2.12", "normalization_given.h5"), ("2.12", "normalization_given.keras")}


def inside(version):
    return zipfile.ZipFile(FILES / f"keras2_{version}.zip")


def told(version, file):
    with inside(version) as archive:
        return json.loads(archive.read(file))


EXPECTED = {version: told(version, "expected_keras2.json")["programs"] for version in VERSIONS}
EACH = [
    (version, name, file)
    for version, programs in EXPECTED.items()
    for name, program in programs.items()
    for file in program["files"]
    if (version, file) not in LOST
]
WEIGHTS = [one for one in EACH if "weights" in one[2]]
MODELS = [one for one in EACH if "weights" not in one[2] and one[1] not in REFUSED]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras2")
    for version in VERSIONS:
        with inside(version) as archive:
            archive.extractall(folder / version)
    return folder


def arrays(told):
    """What `make_keras2.listed` wrote."""
    if isinstance(told, dict):
        return (
            [arrays(one) for one in told["list"]] if set(told) == {"list"} else {k: arrays(v) for k, v in told.items()}
        )
    found = np.asarray(told)
    return found.astype("int32" if found.dtype.kind == "i" else "float32")


def alike(got, wanted):
    if isinstance(wanted, dict):
        assert got.keys() == wanted.keys()
        got, wanted = [got[key] for key in wanted], list(wanted.values())
    if not isinstance(wanted, list):
        got, wanted = [got], [wanted]
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("version", "name", "file"), MODELS, ids=lambda one: one)
def test_a_model_says_the_same_and_trains_on_as_it_does_there(unpacked, version, name, file):
    """Figures and the names of metrics, and, where the file has it, the state of the optimizer, by the next losses."""
    program = EXPECTED[version][name]
    x = arrays(program["x"])
    stateless = file.endswith(".keras") and name.startswith("legacy")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = load_model(unpacked / version / file)
    assert [str(one.message)[:45] for one in caught] == ["The file holds no state of the optimizer: Ker"] * stateless
    alike(model.predict(x, verbose=0), arrays(program["predictions"]))
    if program["y"] is None:
        return
    y = arrays(program["y"])
    figures = model.evaluate(x, y, batch_size=6, return_dict=True, verbose=0)
    wanted = dict(program["evaluated"])
    if name == "loss_dict":  # Keras 3 shows no loss of one output beside the loss that it is
        del wanted["pair_loss"]
    assert figures.keys() == wanted.keys()
    for key, figure in wanted.items():
        assert figures[key] == pytest.approx(figure, rel=1e-5, abs=1e-6), key
    assert model.optimizer.iterations == (0 if stateless else 3)
    if "losses" not in program or stateless or name == "training_given":
        return
    losses = model.fit(x, y, batch_size=6, epochs=2, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(losses, program["losses"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("version", "name", "file"), WEIGHTS, ids=lambda one: one)
def test_weights_are_read_into_the_model_that_its_json_describes(unpacked, version, name, file):
    program = EXPECTED[version][name]
    model = model_from_json(json.dumps(program["json"]))
    model.load_weights(unpacked / version / file)
    alike(model.predict(arrays(program["x"]), verbose=0), arrays(program["predictions"]))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_built_here_is_refused_by_name(unpacked, version, name):
    with pytest.raises(ModelFileError, match=REFUSED[name]):
        load_model(unpacked / version / f"{name}.h5")
    if name in BY_LAYER:
        program = EXPECTED[version][name]
        model = load_model(unpacked / version / f"{name}.h5", compile=False)
        alike(model.predict(arrays(program["x"]), verbose=0), arrays(program["predictions"]))


def test_an_archive_of_before_2_12_is_an_hdf5_file(unpacked, tmp_path):
    """`save("model.keras")` wrote the form of '.h5' then."""
    path = tmp_path / "model.keras"
    path.write_bytes((unpacked / "2.12" / "adam.h5").read_bytes())
    model, program = load_model(path), EXPECTED["2.12"]["adam"]
    alike(model.predict(arrays(program["x"]), verbose=0), arrays(program["predictions"]))
    assert model.optimizer.iterations == 3
    again = load_model(path, compile=False)
    again.set_weights([w * 0 for w in again.get_weights()])
    again.load_weights(path)
    alike(again.predict(arrays(program["x"]), verbose=0), arrays(program["predictions"]))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_text_of_to_json_is_a_model(version):
    for name, program in EXPECTED[version].items():
        if name not in REFUSED or name in BY_LAYER:
            model = model_from_json(json.dumps(program["json"]))
            assert len(model.layers) > 0, name


def test_a_layer_called_with_training_false_stays_so_in_training(unpacked):
    """Its moving means stand still, and what lies before it is trained through it."""
    model = load_model(unpacked / "2.16" / "training_given.h5")
    dense, normalization = model.layers[1:3]
    of_dense, (*_, mean, variance) = dense.get_weights(), normalization.get_weights()
    model.fit(np.ones((6, 4)), np.ones((6, 1)), verbose=0)
    for a, b in zip(normalization.get_weights()[-2:], (mean, variance), strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.any(dense.get_weights()[0] != of_dense[0])
    dense.trainable = normalization.trainable = False
    model.compile("sgd", "mse")
    before = normalization.get_weights()
    model.fit(np.ones((6, 4)), np.ones((6, 1)), verbose=0)
    for a, b in zip(normalization.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_legacy_state_of_another_optimizer_is_left_out_with_a_warning(unpacked):
    model = load_model(unpacked / "2.16" / "legacy_nadam.h5", compile=False)
    model.compile("nadam", "mse")
    with pytest.warns(UserWarning, match="legacy Nadam"):
        model.load_weights(unpacked / "2.16" / "legacy_nadam.h5")
    assert model.optimizer.iterations == 0


def test_hard_sigmoid_is_the_function_of_the_keras_that_wrote_it(unpacked, tmp_path):
    """max(0, min(1, 0.2 x + 0.5)) in Keras 2, and so wherever the model goes; relu6(x + 3) / 6 in Keras 3."""
    model = load_model(unpacked / "2.16" / "hard_sigmoid.keras")
    activation = model.layers[-1].activation
    np.testing.assert_allclose(activation([-2.6, -1.0, 0.0, 2.0]), [0.0, 0.3, 0.5, 0.9], rtol=1e-6)
    model.save(tmp_path / "again.keras")
    again = load_model(tmp_path / "again.keras").layers[-1].activation
    np.testing.assert_array_equal(again([-1.0, 1.0]), activation([-1.0, 1.0]))
    mine = ml.activations.Activation("mine", activation.forward, activation.backward, of_input=True)
    with ml.saving.custom_object_scope({"hard_sigmoid": mine}):
        text = json.dumps(EXPECTED["2.16"]["hard_sigmoid"]["json"])
        assert model_from_json(text).layers[-1].activation is mine


COMPILED = told("2.16", "compiled_keras2.json")
NOT_ALIKE = {
    "optimizer adam_ema": "Keras 2's average begins with the weights before the first step, Keras 3's after it",
    "optimizer legacy_nadam": "refused",
    "optimizer ftrl": "refused",
    "optimizer legacy_ftrl": "refused",
}
CHOSEN = {"ce", "crossentropy"}  # what fits the loss


def network(kind):
    """`make_keras2.compiled_model`."""
    layer = layers.Dense(1 if kind == "sigmoid" else 3, None if kind == "linear" else kind, name="out")
    model = ml.Sequential([ml.Input((4,)), layer])
    rng = np.random.default_rng(8)
    model.set_weights([rng.normal(size=w.shape).round(2).astype("float32") for w in model.get_weights()])
    return model


@pytest.mark.filterwarnings("ignore:invalid value encountered in log")  # the mean of a Poisson of negative numbers
@pytest.mark.parametrize("form", ["h5", "keras"])
@pytest.mark.parametrize("name", [name for name in COMPILED["compiled"] if name not in NOT_ALIKE])
def test_what_compile_was_given_is_read(name, form):
    entry = COMPILED["compiled"][name]
    if form not in entry or (form == "keras" and name.split("'")[1:2] and name.split("'")[1] in CHOSEN):
        return
    x, y = np.asarray(COMPILED["x"], "float32"), arrays(entry["y"])
    model = network(entry["network"])
    model.compile(**compiling.arguments_from(keras2.compiled(entry[form], ["out"])))
    losses = model.fit(x, y, batch_size=6, epochs=3, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(losses, entry["losses"], rtol=2e-5)
    figures = model.evaluate(x, y, batch_size=6, return_dict=True, verbose=0)
    assert figures.keys() == entry["evaluated"].keys()
    for key, wanted in entry["evaluated"].items():
        np.testing.assert_allclose(figures[key], wanted, rtol=1e-4, atol=2e-5, err_msg=key)


def test_metrics_of_several_outputs_are_called_as_they_were():
    rmse = {"class_name": "RootMeanSquaredError", "config": {"name": "amount_rmse"}}
    own = {"class_name": "RootMeanSquaredError", "config": {"name": "label_rmse"}}
    outputs = ["amount", "label"]
    listed = keras2.compiled({"metrics": [[rmse], [own]]}, outputs)["metrics"]
    assert [one["config"]["name"] for [one] in listed] == ["rmse", "rmse"]
    by_name = keras2.compiled({"metrics": {"amount": rmse, "label": [rmse]}}, outputs)["metrics"]
    assert by_name["amount"]["config"]["name"] == "rmse"
    assert by_name["label"][0]["config"]["name"] == "amount_rmse"  # its own name
    assert keras2.compiled({"metrics": [rmse]}, ["amount"])["metrics"] == [rmse]  # of one output, it has no name before


def test_a_flat_list_of_metrics_is_for_every_output():
    """In Keras 3, a list of as many entries as outputs has one for each."""
    found = keras2.compiled({"metrics": ["mae", "mse"]}, ["a", "b"])["metrics"]
    assert found == [["mae", "mse"], ["mae", "mse"]]


def test_a_decay_on_top_of_a_schedule_is_refused():
    rate = {"class_name": "ExponentialDecay", "config": {}}
    described = {"class_name": "SGD", "config": {"learning_rate": rate, "decay": 0.1}}
    with pytest.raises(ValueError, match="both a schedule of the learning rate and decay=0.1"):
        keras2.compiled({"optimizer_config": described}, ["out"])


def test_the_first_forms_of_keras_2_are_read():
    """A stack was a list of layers without a name, and a learning rate was called `lr`."""
    dense = {"class_name": "Dense", "config": {"units": 2, "batch_input_shape": [None, 3], "name": "dense_1"}}
    model = model_from_json(json.dumps({"class_name": "Sequential", "config": [dense], "keras_version": "2.1.6"}))
    assert model.output_shape == (None, 2)
    old = {"class_name": "SGD", "config": {"lr": 0.25, "momentum": 0.0, "decay": 0.0, "nesterov": False}}
    found = compiling.arguments_from(keras2.compiled({"optimizer_config": old, "loss": "mse"}, ["dense_1"]))
    assert ml.optimizers.get(found["optimizer"]).learning_rate == 0.25


CALLS = [
    ({"mask": ["x", 0, 0]}, "takes one tensor, or one list of tensors, and neither masks nor other arguments"),
    ({"training": 1}, "is called with training=1"),
]


@pytest.mark.parametrize(("arguments", "message"), CALLS)
def test_what_a_call_of_keras_2_says_is_heeded_or_refused(arguments, message):
    x = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "name": "x"}, "name": "x"}
    dense = {"class_name": "Dense", "config": {"units": 2, "name": "d"}, "name": "d"}
    config = {
        "name": "m",
        "layers": [{**x, "inbound_nodes": []}, {**dense, "inbound_nodes": [[["x", 0, 0, arguments]]]}],
        "input_layers": [["x", 0, 0]],
        "output_layers": [["d", 0, 0]],
    }
    with pytest.raises(ValueError, match=message):
        model_from_json(json.dumps({"class_name": "Functional", "config": config, "keras_version": "2.12.0"}))


def test_functions_of_tensorflow_that_are_no_layer_here_are_refused_by_name():
    described = json.loads(json.dumps(EXPECTED["2.16"]["operators"]["json"]))
    one = next(layer for layer in described["config"]["layers"] if layer["class_name"] == "TFOpLambda")
    one["config"]["function"] = "math.erf"
    with pytest.raises(ValueError, match="The function 'math.erf' of TensorFlow"):
        model_from_json(json.dumps(described))


def test_arrays_of_no_numbers_are_refused_in_configs():
    value = {"class_name": "__numpy__", "config": {"value": ["a"], "dtype": "U100000"}}
    described = {"class_name": "ReLU", "config": {"max_value": value}}
    with pytest.raises(ValueError, match="arrays hold numbers"):
        layers.deserialize(described)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_optimizer_of_another_network_is_left_out_with_a_warning(unpacked, version, tmp_path):
    model = load_model(unpacked / version / "adam.h5", compile=False)
    model.compile("rmsprop", "mse")
    with pytest.warns(UserWarning, match="is left as it is"):
        model.load_weights(unpacked / version / "adam.h5")
    with h5py.File(unpacked / version / "adam.h5") as file:
        assert file["optimizer_weights"].attrs["weight_names"][0] == "iteration:0"


# --- Weights by name ---

BY_NAME = told("2.16", "by_name_keras2.json")
CASES = [case for case in BY_NAME["cases"] if case["arguments"] != {"skip_mismatch": True}]  # an error in Keras 2
READERS = ["", ".weights.h5", ".keras", ".weights.npz", ".npz", ".safetensors"]  # "": the file of Keras 2


def stack(units):
    dense = [layers.Dense(n, name=name) for name, n in units.items()]
    return ml.Sequential([ml.Input((4,)), *dense, layers.BatchNormalization(name="last")])


@pytest.fixture(scope="module")
def same_weights(unpacked, tmp_path_factory):
    """By ending, the weights of Keras 2's file in each form that has names."""
    folder = tmp_path_factory.mktemp("by_name")
    model = stack({"first": 3, "second": 3, "third": 2})
    model.load_weights(unpacked / "2.16" / "by_name_weights.h5")
    model.compile("adam", "mse")
    for ending in READERS[1:]:
        (model.save if ending in (".keras", ".npz") else model.save_weights)(folder / f"same{ending}")
    return {"": unpacked / "2.16" / "by_name_weights.h5"} | {e: folder / f"same{e}" for e in READERS[1:]}


def zeros(units):
    model = stack(units)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    return model


@pytest.mark.filterwarnings("ignore:The weight .* is left as it is")
@pytest.mark.parametrize("ending", READERS)
@pytest.mark.parametrize("case", [case for case in CASES if case["arguments"]], ids=lambda one: one["case"])
def test_layers_are_found_by_their_names_as_in_keras_2_in_every_form(same_weights, case, ending):
    model = zeros(case["units"])
    model.compile("adam", "mse")
    if "sums" not in case:
        with pytest.raises(ModelFileError, match="has shape"):
            model.load_weights(same_weights[ending], **case["arguments"])
        assert all((w == 0).all() for w in model.get_weights())
        return
    model.load_weights(same_weights[ending], **case["arguments"])
    assert [round(float(w.sum()), 4) for w in model.get_weights()] == pytest.approx(case["sums"], abs=1e-4)
    assert model.optimizer.iterations == 0


@pytest.mark.parametrize("ending", READERS)
def test_layers_that_do_not_fit_are_skipped_in_every_form(same_weights, ending):
    """The second has another number of units, so the third takes other inputs; each is left as a whole."""
    model = zeros({"first": 3, "second": 5, "third": 2})
    with pytest.warns(UserWarning, match="is left as it is") as caught:
        model.load_weights(same_weights[ending], skip_mismatch=True)
    assert [str(one.message).split("'")[1] for one in caught] == ["second", "third"]
    sums = [round(float(w.sum()), 4) for w in model.get_weights()]
    assert sums == pytest.approx([*BY_NAME["sums"][:2], 0, 0, 0, 0, *BY_NAME["sums"][6:]], abs=1e-4)


@pytest.mark.parametrize("ending", READERS)
def test_layers_that_a_file_lacks_are_skipped_in_every_form(same_weights, ending):
    model = zeros({"first": 3, "second": 3, "third": 2, "fourth": 2})
    with pytest.raises(ModelFileError):
        model.load_weights(same_weights[ending])
    with pytest.warns(UserWarning, match="is left as it is"):
        model.load_weights(same_weights[ending], skip_mismatch=True)
    sums = [round(float(w.sum()), 4) for w in model.get_weights()]
    assert sums[:8] == pytest.approx([*BY_NAME["sums"][:6], 0, 0], abs=1e-4)


@pytest.mark.parametrize("arguments", [{"by_name": True}, {"skip_mismatch": True}])
def test_arrays_without_names_cannot_be_found_by_them(tmp_path, arguments):
    model = stack({"first": 3})
    np.savez(tmp_path / "arrays.npz", *model.get_weights())
    with pytest.raises(ModelFileError, match="its arrays have no names"):
        model.load_weights(tmp_path / "arrays.npz", **arguments)
