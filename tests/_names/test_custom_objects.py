"""Classes and functions of the user's own, by name: entered, found, described and made again."""

import json
import threading

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers, losses, metrics, regularizers, saving
from multilayer._names import custom_objects
from multilayer.models import load_model
from multilayer.saving import deserialize_keras_object, serialize_keras_object


@pytest.fixture(autouse=True)
def nothing_left_behind():
    kept = dict(saving.get_custom_objects())
    yield
    saving.get_custom_objects().clear()
    saving.get_custom_objects().update(kept)


class Twice(layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def forward(self, x, training=False):
        return self.factor * x

    def backward(self, dy):
        return self.factor * dy

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def off_by(y_true, y_pred):
    return np.abs(np.subtract(y_true, y_pred)).max(axis=-1)


# --- Names ---


def test_what_is_registered_is_found_by_package_and_name():
    assert saving.register_keras_serializable("mine")(Twice) is Twice
    assert saving.register_keras_serializable()(off_by) is off_by
    assert saving.get_registered_name(Twice) == "mine>Twice"
    assert saving.get_registered_object("mine>Twice") is Twice
    assert saving.get_registered_object("Custom>off_by") is off_by
    assert saving.get_registered_object("Twice") is None
    assert saving.get_custom_objects()["mine>Twice"] is Twice
    saving.register_keras_serializable("mine", name="Double")(Twice)
    assert saving.get_registered_name(Twice) == "mine>Double"


def test_what_is_not_registered_has_its_own_name():
    assert saving.get_registered_name(Twice) == "Twice"
    saving.register_keras_serializable("mine")(Twice)
    del saving.get_custom_objects()["mine>Twice"]
    assert saving.get_registered_name(Twice) == "Twice"


def test_a_name_is_looked_up_in_scope_first_then_among_the_registered_then_where_one_says():
    places = {"custom_objects": {"a": 3, "b": 3, "c": 3}, "module_objects": {"a": 4, "b": 4, "c": 4, "d": 4}}
    saving.get_custom_objects().update({"a": 2, "b": 2})
    with saving.custom_object_scope({"a": 1}):
        assert [saving.get_registered_object(name, **places) for name in "abcde"] == [1, 2, 3, 4, None]


def test_a_scope_ends_and_an_inner_one_adds_to_the_outer():
    scope = saving.CustomObjectScope({"a": 1, "b": 1})
    for _ in range(2):  # it can be entered again
        with scope:
            with saving.custom_object_scope({"a": 2}):
                assert [saving.get_registered_object(name) for name in "ab"] == [2, 1]
            assert saving.get_registered_object("a") == 1
        assert saving.get_registered_object("a") is None
    with pytest.raises(KeyError), scope:
        raise KeyError
    assert saving.get_registered_object("a") is None
    with saving.custom_object_scope(None):
        pass
    assert "a" not in saving.get_custom_objects()


def test_a_scope_is_that_of_its_thread():
    found = []
    with saving.custom_object_scope({"a": 1}):
        thread = threading.Thread(target=lambda: found.append(saving.get_registered_object("a")))
        thread.start()
        thread.join()
    assert found == [None]


def test_a_class_that_nothing_describes_is_refused():
    with pytest.raises(ValueError, match="Cannot register a class that does not have a get_config\\(\\) method"):
        saving.register_keras_serializable()(threading.Lock.__class__)


def test_utils_and_saving_have_the_same():
    for name in custom_objects.__dict__:
        if not name.startswith("_") and name in saving.__all__:
            assert getattr(keras.utils, name) is getattr(saving, name)
    assert keras.utils.serialize_keras_object is serialize_keras_object


# --- In layers, losses, metrics, and models ---


def network():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2), Twice(3.0)])
    model.compile("sgd", "mse")
    return model


def test_a_model_with_a_registered_layer_comes_back(tmp_path):
    saving.register_keras_serializable("mine")(Twice)
    model = network()
    model.save(tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    assert type(loaded.layers[1]) is Twice
    assert loaded.layers[1].factor == 3.0
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_layer_that_is_only_in_scope_comes_back_there_and_nowhere_else(tmp_path):
    network().save(tmp_path / "model.npz")
    with saving.custom_object_scope({"Twice": Twice}):
        assert type(load_model(tmp_path / "model.npz").layers[1]) is Twice
    with pytest.raises(ValueError, match="Unknown layer: 'Twice'"):
        load_model(tmp_path / "model.npz")


def test_a_registered_name_counts_before_the_name_of_the_class():
    class Dense(Twice):
        pass

    saving.register_keras_serializable("mine")(Dense)
    described = layers.serialize(Dense(5.0))
    assert described["registered_name"] == "mine>Dense"
    assert type(layers.deserialize(described)) is Dense
    assert type(layers.deserialize(layers.serialize(layers.Dense(2)))) is layers.Dense
    assert layers.serialize(layers.Dense(2))["registered_name"] is None


def test_names_of_ones_own_do_where_a_name_does():
    class Squares(losses.MeanSquaredError):
        pass

    own = keras.activations.Activation("own", lambda x, out=None: x, lambda dy, y, out=None: dy)
    with saving.custom_object_scope({"Squares": Squares, "off_by": off_by, "own": own, "l": regularizers.L2(0.5)}):
        assert type(losses.get("Squares")) is Squares
        metric = metrics.get("off_by")
        assert (metric.name, float(metric([[1.0]], [[3.0]]))) == ("off_by", 2.0)
        assert layers.Dense(2, activation="own").activation is own
        assert regularizers.get("l").get_config() == {"l2": 0.5}
        assert losses.get("off_by").function is off_by
        with pytest.raises(ValueError, match="The custom object 'l' is no initializer: expected Initializer; got"):
            keras.initializers.get("l")
    with pytest.raises(ValueError, match="Unknown loss: 'Squares'"):
        losses.get("Squares")


def test_an_activation_of_ones_own_survives_the_way_through_a_config():
    own = keras.activations.Activation("own", lambda x, out=None: x, lambda dy, y, out=None: dy)
    saving.register_keras_serializable("mine")(own)
    layer = layers.deserialize(json.loads(json.dumps(layers.serialize(layers.Dense(2, activation=own)))))
    assert layer.activation is own


# --- Descriptions of anything ---

THINGS = [
    keras.initializers.HeNormal(seed=3),
    regularizers.L2(0.25),
    keras.constraints.NonNeg(),
    layers.Dense(3, "relu", name="three"),
    losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics.MeanSquaredError(),
    keras.optimizers.SGD(0.5, momentum=0.5),
    keras.Sequential([keras.Input((3,)), layers.Dense(2, kernel_initializer="he_normal"), layers.Dropout(0.5)]),
]


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: type(thing).__name__)
def test_a_thing_survives_the_way_through_json(thing):
    described = json.loads(json.dumps(serialize_keras_object(thing)))
    again = deserialize_keras_object(described)
    assert type(again) is type(thing)
    assert again.get_config() == thing.get_config()
    assert described["module"].startswith("keras")
    assert described["registered_name"] is None


@pytest.mark.parametrize(
    "plain", [None, 1, 0.5, True, "text", [1, [2]], {"a": {"b": None}}, b"bytes", slice(1, None, 2), Ellipsis], ids=repr
)
def test_plain_data_survives(plain):
    assert deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(plain)))) == plain


def test_arrays_and_numbers_of_numpy_survive():
    array = np.array([[1.5, 2.0]], "float32")
    again = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object({"x": array}))))["x"]
    assert again.dtype == np.float32
    np.testing.assert_array_equal(again, array)
    for number in (np.float64(0.5), np.float32(0.5), np.int64(3), np.bool_(True)):
        assert type(serialize_keras_object(number)) in (float, int, bool)


def test_functions_and_classes_of_ones_own_survive_once_they_are_registered():
    described = serialize_keras_object([Twice(5.0, name="five"), off_by])
    assert [one["registered_name"] for one in described] == ["Twice", "function"]
    for one in described:
        with pytest.raises(
            ValueError, match="Could not locate class or function '(Twice|off_by)', .* Make sure custom"
        ):
            deserialize_keras_object(one)
    layer, function = deserialize_keras_object(described, custom_objects={"Twice": Twice, "off_by": off_by})
    assert layer.get_config() == Twice(5.0, name="five").get_config()
    assert function is off_by
    saving.register_keras_serializable("mine")(Twice)
    saving.register_keras_serializable("mine")(off_by)
    described = json.loads(json.dumps(serialize_keras_object([Twice(5.0), off_by])))
    assert [one["registered_name"] for one in described] == ["mine>Twice", "function"]
    assert described[1]["config"] == "mine>off_by"
    layer, function = deserialize_keras_object(described)
    assert (type(layer), function) == (Twice, off_by)


def test_activations_are_functions():
    described = serialize_keras_object(keras.activations.relu)
    assert (described["class_name"], described["config"]) == ("function", "relu")
    assert deserialize_keras_object(described) is keras.activations.relu
    assert deserialize_keras_object({**described, "module": "keras.activations"}) is keras.activations.relu
    with pytest.raises(ValueError, match="Could not locate class or function 'relu'.*in module 'keras.losses'"):
        deserialize_keras_object({**described, "module": "keras.losses"})


def test_a_name_with_several_meanings_needs_its_module():
    described = serialize_keras_object(metrics.MeanSquaredError())
    assert described["module"] == "keras.metrics"
    del described["module"]
    with pytest.raises(ValueError, match="may be a .* or a .*: say which by its `module`, one of .*'keras.metrics'"):
        deserialize_keras_object(described)


@pytest.mark.parametrize(
    ("described", "kind", "message"),
    [
        ({"class_name": "Nothing", "config": {}}, ValueError, "Could not locate class or function 'Nothing'"),
        ({"module": "os", "class_name": "function", "config": "system"}, ValueError, "Could not locate"),
        ({"module": "builtins", "class_name": "function", "config": "eval"}, ValueError, "Could not locate"),
        ({"module": "keras.losses", "class_name": "Dense", "config": {"units": 1}}, ValueError, "Could not locate"),
        ({"class_name": "__lambda__", "config": {"value": "x"}}, ValueError, "code in files is never run"),
        ({"class_name": "Dense", "config": [1]}, TypeError, "Expected 'config' to be a dict for Dense"),
        ({"class_name": "function", "config": None}, TypeError, "by its name; got None"),
        (object(), TypeError, "Could not parse config"),
    ],
)
def test_what_describes_nothing_is_refused(described, kind, message):
    with pytest.raises(kind, match=message):
        deserialize_keras_object(described)


def test_what_nothing_describes_is_refused():
    with pytest.raises(TypeError, match="a class must implement the `get_config\\(\\)` method"):
        serialize_keras_object(object())
    with pytest.raises(ValueError, match="A `lambda` cannot be serialized"):
        serialize_keras_object(lambda x: x)
    with pytest.raises(ValueError, match="leave `safe_mode` out"):
        deserialize_keras_object({}, safe_mode=False)

    class Wrong:
        def get_config(self):
            return [1]

    with pytest.raises(TypeError, match="should return a dict. It returned: \\[1\\]"):
        serialize_keras_object(Wrong())


def test_a_class_without_from_config_cannot_be_made_again():
    class Half:
        def get_config(self):
            return {}

    with pytest.raises(TypeError, match="Unable to reconstruct an instance of 'Half'"):
        deserialize_keras_object(serialize_keras_object(Half()), custom_objects={"Half": Half})


def test_the_backend_is_numpy():
    assert keras.config.backend() == "numpy"


def test_a_class_of_ones_own_is_not_mistaken_for_one_of_ours_in_a_config():
    own = type("Dense", (Twice,), {})
    model = keras.Sequential([keras.Input((2,)), own()])
    with pytest.raises(ValueError, match="A class of your own has the name 'Dense', which is taken"):
        model.get_config()
    with keras.utils.custom_object_scope({"Dense": own}):
        assert type(keras.Sequential.from_config(model.get_config()).layers[0]) is own
    saving.register_keras_serializable("mine")(own)
    assert type(keras.Sequential.from_config(model.get_config()).layers[0]) is own


def test_a_built_in_has_no_registered_name_of_another_kind():
    dense = {"class_name": "Dense", "module": "keras.layers", "config": {"units": 1}}
    relu = {"class_name": "function", "module": "builtins", "config": "relu"}
    assert deserialize_keras_object({**dense, "registered_name": "Dense"}).units == 1
    for described, wrong in ((dense, "builtins.eval"), (dense, "my_pkg>MyDense"), (relu, "some_other_name")):
        with pytest.raises(ValueError, match="resolved to a Keras built-in"):
            deserialize_keras_object({**described, "registered_name": wrong})
