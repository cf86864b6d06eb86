"""What the class of a model holds beside its layers, in files: optimizers, variables, networks, lists of lists."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import GradientTape, layers, optimizers, saving

X = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")


@saving.register_keras_serializable("tests")
class TwoParts(keras.Model):
    """Two layers, each with its optimizer."""

    def __init__(self):
        super().__init__()
        self.first, self.nested = layers.Dense(3), [[layers.Dense(1)]]
        self.gain = keras.Variable(1.0, trainable=False, name="gain")

    def compile(self, first_optimizer, second_optimizer):
        super().compile(None)
        self.first_optimizer, self.both = first_optimizer, {"second": second_optimizer}

    def get_compile_config(self):
        return {"first": self.first_optimizer, "second": self.both["second"]}

    def compile_from_config(self, config):
        self.compile(*(saving.deserialize_keras_object(config[name]) for name in ("first", "second")))
        self.build_optimizers()

    def build_optimizers(self):
        self.first_optimizer.build(self.first.trainable_weights)
        self.both["second"].build(self.nested[0][0].trainable_weights)

    def call(self, x):
        return self.nested[0][0](self.first(x))

    def train_step(self, data):
        with GradientTape(persistent=True) as tape:
            loss = np.mean(self(data) ** 2)
        for part, optimizer in ((self.first, self.first_optimizer), (self.nested[0][0], self.both["second"])):
            optimizer.apply(tape.gradient(loss, part.trainable_weights), part.trainable_weights)
        self.gain.assign(self.gain * 0.5)
        return {"loss": loss}


def trained():
    keras.utils.set_random_seed(1)
    model = TwoParts()
    model.compile(optimizers.Adam(0.01), optimizers.SGD(0.01, momentum=0.9))
    model.fit(X, epochs=2, batch_size=4, verbose=0)
    return model


def same_after_two_more_epochs(model, other):
    for one in (model, other):
        one.fit(X, epochs=2, batch_size=4, shuffle=False, verbose=0)
    return all(map(np.array_equal, model.get_weights(), other.get_weights()))


@pytest.mark.parametrize("ending", ["keras", "npz"])
def test_a_model_that_compiles_itself_goes_on_from_its_file(ending, tmp_path):
    """From a '.npz' file without the optimizers' states, which it never has."""
    pytest.importorskip("h5py")
    model = trained()
    model.save(tmp_path / f"model.{ending}")
    again = keras.models.load_model(tmp_path / f"model.{ending}")
    assert float(again.gain) == 0.0625
    assert again.both["second"].momentum == 0.9
    assert same_after_two_more_epochs(model, again) == (ending == "keras")


@pytest.mark.parametrize("ending", ["weights.h5", "weights.npz"])
def test_states_of_all_optimizers_are_with_the_weights(ending, tmp_path):
    pytest.importorskip("h5py")
    model, other = trained(), TwoParts()
    model.save_weights(tmp_path / f"w.{ending}")
    other.compile(optimizers.Adam(0.01), optimizers.SGD(0.01, momentum=0.9))
    other.build((None, 2))
    other.build_optimizers()
    other.load_weights(tmp_path / f"w.{ending}")
    assert same_after_two_more_epochs(model, other)


def test_they_stand_where_keras_has_them(tmp_path):
    h5py = pytest.importorskip("h5py")
    trained().save_weights(tmp_path / "w.weights.h5")
    places = set()
    with h5py.File(tmp_path / "w.weights.h5") as file:
        file.visititems(lambda name, one: places.add(name) if name.endswith("vars/0") else None)
    assert {place.removesuffix("vars/0") for place in places} == {
        "", "both/sgd/", "first/", "first_optimizer/", "nested/container/dense/"
    }  # fmt: skip


def test_an_optimizer_that_does_not_know_its_weights_stays_as_it_is(tmp_path):
    pytest.importorskip("h5py")
    model, other = trained(), TwoParts()
    model.save_weights(tmp_path / "w.weights.h5")
    other.compile(optimizers.Adam(0.01), optimizers.SGD(0.01, momentum=0.9))
    other.build((None, 2))
    other.both["second"].build(other.nested[0][0].trainable_weights)
    with pytest.warns(UserWarning, match=r"adam.* is left as it is.* Call its `build\(variables\)` before"):
        other.load_weights(tmp_path / "w.weights.h5")
    assert other.first_optimizer.iterations == 0


class Beside(keras.Model):
    """A network that is drawn up, whose class holds more."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.scale = keras.Variable(np.ones(2, "float32"), name="scale")
        self.own = self.add_weight(shape=(3,), initializer="zeros", name="own")
        self.count = keras.Variable(1.0, trainable=False, name="count")
        self.target = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="t")])


def beside():
    x = keras.Input((2,))
    return Beside(x, layers.Dense(1, name="d")(x))


def test_variables_and_networks_beside_the_layers_are_weights(tmp_path):
    """In Keras' order; freezing the model freezes them."""
    pytest.importorskip("h5py")
    model, other = beside(), beside()
    names = ["scale", f"{model.name}/own", "count", "d/kernel", "d/bias", "t/kernel", "t/bias"]
    assert [v.path for v in model.weights] == names
    assert [layer.name for layer in model.layers][1:] == ["d"]
    model.count.assign(5.0)
    for ending in ("weights.h5", "weights.npz"):
        model.save_weights(tmp_path / f"w.{ending}")
        other.load_weights(tmp_path / f"w.{ending}")
        assert all(map(np.array_equal, model.get_weights(), other.get_weights()))
    model.trainable = False
    assert not model.trainable_weights
    model.trainable = True
    assert [v.path for v in model.non_trainable_weights] == ["count"]
