"""What Keras 3 writes into configs beside numbers and names: arrays, objects, functions, and forms without a model."""

import collections
import io
import json
import zipfile

import h5py
import numpy as np
import pytest

import multilayer as ml
from multilayer import initializers, layers, losses, models, random, saving
from multilayer.models import load_model
from multilayer.saving import ModelFileError

ARRAY = {"class_name": "__numpy__", "config": {"value": [0.5, 1.0, 2.0], "dtype": "float32"}}
Pair = collections.namedtuple("Pair", "left right")


def stack(*inner):
    return ml.Sequential([ml.Input((3,)), *inner])


def archive(path, config, weights):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        file.writestr("config.json", json.dumps(config))
        file.writestr("model.weights.h5", weights)
    return path


def changed(tmp_path, change):
    """The file of a small compiled model, once `change` has seen what it was compiled with."""
    model = stack(layers.Dense(2))
    model.compile("adam", "mse", metrics=["mae"])
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        config, weights = json.loads(file.read("config.json")), file.read("model.weights.h5")
    change(config["compile_config"])
    return archive(tmp_path / "changed.keras", config, weights)


# --- Arrays ---


def test_arrays_in_configs_are_read():
    """As `Normalization(mean=array)`, `Rescaling(array)` and `Constant(array)` are described."""
    normalization = layers.deserialize({"class_name": "Normalization", "config": {"mean": ARRAY, "variance": ARRAY}})
    np.testing.assert_allclose(normalization([[0.5, 1.0, 2.0]]), np.zeros((1, 3)), atol=1e-6)
    rescaling = layers.deserialize({"class_name": "Rescaling", "config": {"scale": ARRAY}})
    np.testing.assert_allclose(rescaling(np.ones((1, 3), "float32")), [[0.5, 1.0, 2.0]])
    number = {"class_name": "__numpy__", "config": {"value": 2.0, "dtype": "float32"}}
    assert layers.deserialize({"class_name": "ReLU", "config": {"max_value": number}}).max_value == 2.0


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"value": ["a"], "dtype": "U9999999"}, "arrays hold numbers"),
        ({"value": [1.0], "dtype": "(9999999,)f4"}, "arrays hold numbers"),
        ({"value": [1.0], "dtype": "f4,f4"}, "arrays hold numbers"),
        ({"value": [1.0], "dtype": "longdouble"}, "arrays hold numbers"),
        ({"value": [1.0], "dtype": "complex64"}, "holds complex numbers"),
        ({"value": [[1.0], [1.0, 2.0]], "dtype": "float32"}, "no description|inhomogeneous"),
        ({"value": [1.0]}, "it lacks 'dtype'"),
        ({"value": [1.0], "dtype": "no type"}, "no description"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(config, message):
    described = {"class_name": "Rescaling", "config": {"scale": {"class_name": "__numpy__", "config": config}}}
    with pytest.raises(ValueError, match=message):
        layers.deserialize(described)


@saving.register_keras_serializable("described")
class Own(layers.Layer):
    """A layer whose config holds an object and an array as they are."""

    def __init__(self, initializer, factors, **kwargs):
        super().__init__(**kwargs)
        self.initializer = initializers.get(initializer)
        self.factors = np.asarray(factors)

    def call(self, x):
        return x * self.factors

    def get_config(self):
        return {**super().get_config(), "initializer": self.initializer, "factors": self.factors}


@pytest.mark.parametrize("ending", [".keras", ".npz"])
def test_objects_and_arrays_in_a_config_of_ones_own_are_described(tmp_path, ending):
    model = stack(Own(initializers.HeNormal(seed=3), np.array([1.0, 2.0, 3.0])))
    config = json.loads(model.to_json())["config"]["layers"][-1]["config"]
    assert config["factors"] == {"class_name": "__numpy__", "config": {"value": [1.0, 2.0, 3.0], "dtype": "float64"}}
    assert config["initializer"]["module"] == "keras.initializers"
    model.save(tmp_path / f"model{ending}")
    again = load_model(tmp_path / f"model{ending}").layers[-1]
    assert again.initializer.get_config() == {"seed": 3}
    np.testing.assert_array_equal(again.factors, [1.0, 2.0, 3.0])


# --- What a model was compiled with ---


@pytest.mark.parametrize("change", [lambda c: c.pop("optimizer"), lambda c: c.update(optimizer=None)])
def test_a_model_that_was_compiled_without_an_optimizer_is_loaded_and_says_so(tmp_path, change):
    path = changed(tmp_path, change)
    with pytest.warns(UserWarning, match="does not say with which optimizer the model was compiled") as caught:
        model = load_model(path)
    assert caught[0].filename == __file__
    assert not model.compiled


def test_a_description_of_compiling_that_is_none_is_refused(tmp_path):
    model = stack(layers.Dense(2))
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        config, weights = json.loads(file.read("config.json")), file.read("model.weights.h5")
    with pytest.raises(ModelFileError, match="cannot be compiled as it was"):
        load_model(archive(tmp_path / "other.keras", {**config, "compile_config": "adam"}, weights))


def test_functions_by_name_are_read_wherever_they_stand(tmp_path):
    def function(name, module="builtins"):
        return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}

    def change(compiled):
        compiled["loss"] = function("mean_squared_error", "keras.losses")
        compiled["metrics"] = [function("mean_absolute_error", "keras.metrics")]

    model = load_model(changed(tmp_path, change))
    figures = model.evaluate(np.ones((2, 3)), np.ones((2, 2)), verbose=0, return_dict=True)
    assert figures.keys() == {"loss", "mean_absolute_error"}
    config = {"units": 2, "activation": function("tanh"), "kernel_initializer": function("ones")}
    dense = layers.deserialize({"class_name": "Dense", "config": config})
    assert (dense.activation.name, type(dense.kernel_initializer)) == ("tanh", initializers.Ones)
    assert saving.deserialize_keras_object(function("mean_squared_error")) is losses.mean_squared_error
    with pytest.raises(ValueError, match="Could not locate class or function 'get'"):
        saving.deserialize_keras_object(function("get", "keras.losses"))


# --- Activations that are layers ---


@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        ({"class_name": "LeakyReLU", "config": {"negative_slope": 0.5}}, [-1.0, 3.0]),
        ({"class_name": "ReLU", "config": {"max_value": 2.0}}, [0.0, 2.0]),
        ({"class_name": "ELU", "config": {"alpha": 2.0}}, [2.0 * np.expm1(-2.0), 3.0]),
        ({"class_name": "Softmax", "config": {}}, [1 / (1 + np.exp(5.0)), 1 / (1 + np.exp(-5.0))]),
        ({"class_name": "Activation", "config": {"activation": "tanh"}}, np.tanh([-2.0, 3.0])),
    ],
)
def test_a_layer_as_an_activation_is_read(layer, wanted):
    described = {"module": "keras.layers", "registered_name": None, "build_config": {"input_shape": [None, 2]}, **layer}
    dense = layers.deserialize({"class_name": "Dense", "config": {"units": 2, "activation": described}})
    np.testing.assert_allclose(dense.activation(np.array([[-2.0, 3.0]])), [wanted], rtol=1e-6)


@pytest.mark.parametrize("name", ["Dense", "PReLU", "Sequential"])
def test_a_layer_with_weights_is_no_activation(name):
    described = {"module": "keras.layers", "class_name": name, "config": {"units": 2}, "registered_name": None}
    with pytest.raises(ValueError, match="Could not interpret activation function identifier"):
        layers.deserialize({"class_name": "Dense", "config": {"units": 2, "activation": described}})


# --- Models and generators as objects ---


def test_models_and_seed_generators_are_described_and_made_again():
    x = ml.Input((3,))
    for model in (models.Model(x, layers.Dense(2)(x), name="net"), stack(layers.Dense(2))):
        described = json.loads(json.dumps(saving.serialize_keras_object(model)))
        again = saving.deserialize_keras_object(described)
        assert (type(again), again.output_shape) == (type(model), (None, 2))
    described = saving.serialize_keras_object(random.SeedGenerator(3, name="seed"))
    assert described == {
        "module": "keras.random",
        "class_name": "SeedGenerator",
        "config": {"seed": 3, "name": "seed"},
        "registered_name": None,
    }
    assert saving.deserialize_keras_object(described).get_config() == {"seed": 3, "name": "seed"}


# --- Models without weights yet, and forms of inputs and outputs ---


@pytest.mark.parametrize("compiled", [False, True])
def test_a_model_that_was_saved_before_it_was_built_is_read(tmp_path, compiled):
    config = json.loads(ml.Sequential([layers.Dense(2), layers.Dense(1)]).to_json())
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for name in ("layers/dense/vars", "layers/dense_1/vars", "vars"):
            file.create_group(name)
        if compiled:
            adam = {"module": "keras.optimizers", "class_name": "Adam", "config": {}, "registered_name": None}
            config["compile_config"] = {"optimizer": adam, "loss": "mse"}
            file["optimizer/vars/0"], file["optimizer/vars/1"] = np.int64(0), np.float32(0.001)
    model = load_model(archive(tmp_path / "unbuilt.keras", config, memory.getvalue()))
    assert (model.built, model.compiled) == (False, compiled)
    if compiled:
        model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    assert model(np.ones((2, 3))).shape == (2, 1)


@pytest.mark.parametrize("form", [lambda *two: two, Pair], ids=["tuple", "namedtuple"])
def test_tuples_keep_their_form_and_come_from_files_as_lists(tmp_path, form):
    """As in Keras, whose files have no tuples."""
    a, b = ml.Input((3,), name="a"), ml.Input((3,), name="b")
    both = layers.Add()([a, b])
    model = models.Model(form(a, b), form(layers.Dense(1)(both), layers.Dense(2)(both)))
    x = form(np.ones((2, 3)), np.zeros((2, 3)))
    predicted = model.predict(x, verbose=0)
    assert type(predicted) is type(x)
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras").predict(x, verbose=0)
    assert isinstance(again, list)
    for one, other in zip(again, predicted, strict=True):
        np.testing.assert_array_equal(one, other)
