"""Classes of one's own that draw their network in the constructor."""

import copy
import pickle

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")


class Drawn(keras.Model):
    """The idiom of Keras' guides: attributes, then the network."""

    def __init__(self, units=3, **kwargs):
        self.units = units
        x = keras.Input((4,))
        super().__init__(inputs=x, outputs=layers.Dense(units)(x), **kwargs)

    def get_config(self):
        return {"units": self.units, "name": self.name}

    def doubled(self, x):
        return 2 * self.predict(x, verbose=0)


class Plain(keras.Model):
    """Nothing but a name: the tensors come from outside."""


class Alone(keras.Model):
    def __init__(self, name="alone"):
        x = keras.Input((4,))
        super().__init__(x, layers.Dense(2)(x), name=name)


class Greeting:
    def hello(self):
        return "hello"


class Mixed(Greeting, keras.Model):
    pass


def plain(kind):
    x = keras.Input((4,))
    return kind(x, layers.Dense(2)(x))


MAKERS = [lambda: Drawn(5), lambda: plain(Plain), Alone, lambda: plain(Mixed)]


@pytest.mark.parametrize("make", MAKERS)
def test_a_subclass_is_a_functional_model_that_keeps_its_class(make, tmp_path):
    model = make()
    assert isinstance(model, keras.models.Functional)
    model.compile("sgd", "mse")
    history = model.fit(X, np.ones((8, model.output_shape[1])), epochs=2, verbose=0).history["loss"]
    assert history[1] < history[0]
    expected = model.predict(X, verbose=0)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert type(twin) is type(model)
        np.testing.assert_array_equal(twin.predict(X, verbose=0), expected)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", custom_objects={type(model).__name__: type(model)})
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), expected)
    assert keras.models.clone_model(model).output_shape == model.output_shape


def test_methods_bases_and_heirs():
    class Heir(Drawn):
        pass

    assert Drawn(5).doubled(X).shape == (8, 5)
    assert plain(Mixed).hello() == "hello"
    assert Heir(2).output_shape == (None, 2)
    assert Drawn(2, name="two").name == "two"


def test_a_file_of_a_class_that_nobody_has_named_says_how_to_name_it(tmp_path):
    Alone().save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="its class is 'Alone'.*register_keras_serializable.*`custom_objects`"):
        keras.models.load_model(tmp_path / "model.keras")


def test_a_constructor_whose_arguments_nobody_knows_is_told_of_get_config(tmp_path):
    class Wide(keras.Model):
        def __init__(self, units):
            x = keras.Input((4,))
            super().__init__(x, layers.Dense(units)(x))

    Wide(3).save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"Wide cannot be made again: its constructor wants \['units'\].*get_config"):
        keras.models.load_model(tmp_path / "model.keras", custom_objects={"Wide": Wide})


def test_hasattr_of_what_a_model_does_not_know_yet():
    model = keras.Sequential([layers.Dense(1)])
    for name in ("input_shape", "output_shape", "inputs", "outputs"):
        assert not hasattr(model, name)
    model.build((None, 4))
    assert model.input_shape == (None, 4)
    assert hasattr(model, "outputs")


def test_losses_in_lists_of_one():
    x = keras.Input((4,))
    outputs = {"a": layers.Dense(1, name="a")(x), "b": layers.Dense(1, name="b")(x)}
    model = keras.Model(x, outputs)
    targets = {"a": np.ones(8), "b": np.zeros(8)}
    results = []
    for loss in ({"a": ["mse"], "b": "mae"}, [["mse"], "mae"], {"a": "mse", "b": "mae"}):
        model.compile("sgd", loss)
        results.append(model.evaluate(X, targets, verbose=0))
    assert results[0] == results[1] == results[2]


def test_a_constructor_that_hands_on_what_it_gets_is_made_again_with_its_own_arguments():
    class Named(keras.Model):
        def __init__(self, *args, param=1, **kwargs):
            super().__init__(*args, **kwargs)
            self.param = param

        def get_config(self):
            return {**super().get_config(), "param": self.param}

    x = keras.Input((3,))
    again = Named.from_config(Named(inputs=x, outputs=layers.Dense(5)(x), param=3).get_config())
    assert (again.param, again.output_shape) == (3, (None, 5))
