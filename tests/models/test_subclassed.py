"""Classes of one's own with `call`. That they train as Keras does is in `golden/model_programs.py`."""

import copy
import gc
import pickle
import warnings

import numpy as np
import pytest

import multilayer as keras
from multilayer import callbacks, layers

X = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
Y = X[:, :1] * X[:, 1:2]
QUIET = {"verbose": 0, "shuffle": False}


@keras.saving.register_keras_serializable("tests")
class Net(keras.Model):
    """Layers in attributes, lists and dicts, and a model among them."""

    def __init__(self, units=5, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = layers.Dense(units, activation="tanh", name="hidden")
        self.drop = layers.Dropout(0.5)
        self.more = [layers.Dense(3, name="more0"), layers.Dense(3, name="more1")]
        self.ends = {"inner": keras.Sequential([layers.Dense(1, name="end")], name="inner")}

    def call(self, x, training=False):
        x = self.drop(self.hidden(x), training=training)
        for layer in self.more:
            x = layer(x)
        return self.ends["inner"](x)


class Plain(keras.Model):
    """The same as `plain_sequential()`."""

    def __init__(self):
        super().__init__()
        self.a, self.b = layers.Dense(5, activation="relu"), layers.Dense(1)

    def call(self, x):
        return self.b(self.a(x))


class Pair(keras.Model):
    """A dict comes in, a dict goes out."""

    def __init__(self):
        super().__init__()
        self.left, self.right = layers.Dense(2), layers.Dense(2)

    def call(self, inputs):
        h = self.left(inputs["l"]) * self.right(inputs["r"])
        return {"sum": np.sum(h, axis=1, keepdims=True), "each": h}


def plain_sequential():
    return keras.Sequential([keras.Input((4,)), layers.Dense(5, activation="relu"), layers.Dense(1)])


def trained(model=None, **arguments):
    model = model or Net(name="net")
    model.compile("adam", "mse", **arguments)
    model.fit(X, Y, epochs=2, **QUIET)
    return model


def same(a, b):
    return all(np.array_equal(one, other) for one, other in zip(a.get_weights(), b.get_weights(), strict=True))


# --- Training ---


def test_a_step_is_that_of_the_same_sequential():
    ours, theirs = Plain(), plain_sequential()
    ours(X)
    ours.set_weights(theirs.get_weights())
    for model in (ours, theirs):
        model.compile(keras.optimizers.Adam(0.01), "mse")
        model.fit(X, Y, epochs=10, batch_size=10, **QUIET)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_derivatives_are_those_of_finite_differences():
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        model = Plain()
        model.compile("sgd", "mse")
        report = keras.utils.check_gradients(model, X.astype("float64"), Y.astype("float64"))
    finally:
        keras.config.set_floatx(before)
    assert report


@pytest.mark.parametrize("losses", ["mse", {"sum": "mse", "each": "mae"}, {"sum": "mse"}])
def test_compiled_before_its_outputs_are_known(losses):
    model = Pair()
    model.compile("sgd", losses, metrics={"sum": ["mae"]})
    data = {"l": X, "r": X[:, :2]}
    history = model.fit(data, {"sum": Y, "each": X[:, :2]}, **QUIET).history
    assert "sum_mae" in history
    assert ("each_loss" in history) == (losses != {"sum": "mse"})
    assert model.predict(data, verbose=0)["each"].shape == (20, 2)
    assert sorted(model.input_names) == ["l", "r"]


@pytest.mark.parametrize("make", [lambda: [(X[:8], Y[:8]), (X[8:], Y[8:])].__iter__(), lambda: Batches()])
def test_batches_of_a_stream(make):
    model = Plain()
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(make(), validation_data=(X, Y), **QUIET).history
    assert set(history) == {"loss", "mae", "val_loss", "val_mae"}
    assert model.predict(X, batch_size=3, verbose=0).shape == (20, 1)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, number):
        return X[number * 10 : number * 10 + 10], Y[number * 10 : number * 10 + 10]


def test_frozen_parts_stay_and_come_back():
    model = trained()
    model.hidden.trainable = False
    model.compile("sgd", "mse")
    before = model.hidden.get_weights()
    model.fit(X, Y, **QUIET)
    assert all(map(np.array_equal, before, model.hidden.get_weights()))
    assert len(model.trainable_weights) == 6
    assert next(w.shape for w in model.weights) == (4, 5), "the order does not depend on what is frozen"
    model.trainable = True
    assert len(model.trainable_weights) == 8


def test_it_adds_its_loss_itself():
    class Own(Plain):
        def call(self, x):
            y = super().call(x)
            self.add_loss(np.mean(np.square(y - x[:, :1])))
            return y

    model = Own()
    model.compile("sgd")
    first, *_, last = model.fit(X, epochs=5, **QUIET).history["loss"]
    assert last < first
    assert model.evaluate(X, verbose=0) < first


def test_metrics_within_layers_are_logged_and_begin_anew():
    class Counting(layers.Layer):
        def __init__(self):
            super().__init__()
            self.seen = keras.metrics.Sum(name="seen")

        def call(self, x):
            self.seen.update_state(x * 0 + 1)
            return x

    model = keras.Sequential([keras.Input((4,)), layers.Dense(1), Counting()])
    model.compile("sgd", "mse")
    assert model.fit(X, Y, epochs=2, **QUIET).history["seen"] == [20.0, 20.0]


def test_where_call_takes_no_training_its_layers_are_not_told_of_it():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.drop, self.end = layers.Dropout(0.9), layers.Dense(1)

        def call(self, x):
            return self.end(self.drop(x))

    model = Own()
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match=r"takes no `training`, so that its layer 'dropout"):
        loss = model.train_on_batch(X, Y)
    assert loss != model.evaluate(X, Y, verbose=0), "a step was taken"
    assert np.array_equal(model(X), model.predict(X, verbose=0))
    assert not np.array_equal(model(X, training=True), model(X)), "who says it in a call is heard"


def test_callbacks(tmp_path):
    model = Net()
    model.compile("adam", "mse")
    stopping = callbacks.EarlyStopping("loss", patience=0, restore_best_weights=True)
    keeping = callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="loss", save_best_only=True)
    model.fit(X, Y, epochs=5, callbacks=[stopping, keeping], **QUIET)
    assert same(model, keras.models.load_model(tmp_path / "best.keras"))


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    class Ending(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def run(*also):
        keras.utils.set_random_seed(3)
        model = Net()
        model.compile("adam", "mse")
        backup = callbacks.BackupAndRestore(tmp_path / "backup")
        model.fit(X, Y, epochs=4, verbose=0, callbacks=[backup, *also])
        return model

    with pytest.raises(KeyboardInterrupt):
        run(Ending())
    resumed, straight = run(), run()
    assert same(resumed, straight)


# --- What it is ---


def test_layers_and_weights_in_the_order_of_attributes():
    model = trained()
    assert [layer.name for layer in model.layers] == ["hidden", model.drop.name, "more0", "more1", "inner"]
    assert [w.path for w in model.weights[::2]] == ["hidden/kernel", "more0/kernel", "more1/kernel", "end/kernel"]
    assert model.get_layer("more1") is model.more[1]
    assert model.get_layer(index=0) is model.hidden
    assert model.count_params() == 25 + 18 + 12 + 4


def test_summary_before_and_after_it_is_built():
    model, pages = Net(), []
    model.summary(print_fn=pages.append)
    assert "0 (unbuilt)" in pages[0]
    model(X)
    model.summary(print_fn=pages.append)
    assert "(None, 5)" in pages[1]
    assert "Total params: 59" in pages[1]


@pytest.mark.parametrize("shape", [(None, 4), [None, 4]])
def test_built_by_a_shape(shape):
    model = Net()
    model.build(shape)
    assert model.built
    assert model.output_shape == (None, 1)


def test_built_by_a_call():
    model = Net()
    assert not hasattr(model, "inputs")
    model(X)
    assert model.built
    assert len(model.weights) == 8


def test_copies_stand_on_their_own():
    model = trained()
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert same(model, twin)
        twin.fit(X, Y, **QUIET)
        assert not same(model, twin)


def test_a_clone_has_the_same_arguments_and_weights_of_its_own():
    model = trained(Net(units=7))
    clone = keras.models.clone_model(model)
    assert clone.units == 7
    clone.fit(X, Y, **QUIET)
    with pytest.raises(ValueError, match="`call` of its own"):
        keras.models.clone_model(model, input_tensors=keras.Input((4,)))


@pytest.mark.parametrize("ending", ["keras", "npz"])
def test_saved_and_loaded(ending, tmp_path):
    model = trained(Net(units=6), metrics=["mae"])
    model.save(tmp_path / f"model.{ending}")
    again = keras.models.load_model(tmp_path / f"model.{ending}")
    assert type(again) is Net
    assert again.units == 6
    assert same(model, again)
    again.fit(X, Y, **QUIET)


def test_as_json():
    again = keras.models.model_from_json(trained(Net(units=6)).to_json())
    assert again.count_params() == 30 + 21 + 12 + 4


@pytest.mark.parametrize("ending", ["weights.h5", "weights.npz", "safetensors"])
def test_weights_in_files(ending, tmp_path):
    pytest.importorskip("safetensors")
    model, other = trained(), Net()
    other(X)
    model.save_weights(tmp_path / f"w.{ending}")
    other.load_weights(tmp_path / f"w.{ending}")
    assert same(model, other)


def test_weights_stand_where_keras_has_them(tmp_path):
    h5py = pytest.importorskip("h5py")
    trained().save_weights(tmp_path / "w.weights.h5")
    places = []
    with h5py.File(tmp_path / "w.weights.h5") as file:
        file.visititems(lambda name, one: places.append(name) if hasattr(one, "shape") else None)
    weights = {place.removesuffix("/vars/0") for place in places if place.endswith("/vars/0")}
    assert weights == {"ends/sequential/layers/dense", "hidden", "more/dense", "more/dense_1", "optimizer"}


def test_a_compile_of_its_own_is_called_by_hand_after_loading(tmp_path):
    @keras.saving.register_keras_serializable("tests")
    class Compiled(Net):
        def compile(self, learning_rate):
            super().compile(keras.optimizers.SGD(learning_rate), "mse")

    model = Compiled()
    model.compile(0.1)
    model.fit(X, Y, **QUIET)
    model.save(tmp_path / "model.keras")
    with pytest.warns(UserWarning, match="`compile` of Compiled is its class's own"):
        again = keras.models.load_model(tmp_path / "model.keras")
    assert not again.compiled
    assert same(model, again)


def test_part_of_a_larger_model():
    inner = Plain()
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(1)(inner(x)))
    trained(model)
    assert np.allclose(model.layers[1](X), inner(X))
    assert len(model.weights) == 6


# --- What does not do ---


class ReturnsNothing(Plain):
    def call(self, x):
        super().call(x)


class WithoutCall(keras.Model):
    pass


class WithoutConstructor(keras.Model):
    def __init__(self):
        self.end = layers.Dense(1)

    def call(self, x):
        return self.end(x)


class LayerInCall(Plain):
    def call(self, x):
        self.c = layers.Dense(1)
        return self.c(x)


class WeightInCall(Plain):
    def call(self, x):
        return x @ self.add_weight(shape=(4, 1))


class MadeWithALayer(keras.Model):
    def __init__(self, end):
        super().__init__()
        self.end = end

    def call(self, x):
        return self.end(x)


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        (ReturnsNothing, ValueError, "returned None: it must return its output"),
        (WithoutCall, NotImplementedError, r"WithoutCall does not have a `call\(\)` method implemented"),
        (WithoutConstructor, RuntimeError, r"you forgot to call `super\(\).__init__\(\)` as the first statement"),
        (LayerInCall, ValueError, "`call` of 'layer_in_call' makes a layer.*Make it in `__init__`"),
        (WeightInCall, ValueError, "declares a weight, 'variable'.*Declare it in `build`"),
    ],
)
def test_mistakes(kind, error, words):
    def use():
        model = kind()
        model.compile("sgd", "mse")
        model.fit(X, Y, epochs=2, **QUIET)

    with pytest.raises(error, match=words):
        use()


def test_predicting_without_call():
    with pytest.raises(NotImplementedError, match="does not have a `call"):
        WithoutCall().predict(X)


def test_layers_that_call_makes_are_nobodys():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()

        def call(self, x):
            return layers.Dense(1)(x)

    model = Own()
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        model.fit(X, Y, **QUIET)


def test_weights_that_the_output_does_not_depend_on():
    class Unused(Plain):
        def call(self, x):
            self.a(x)
            return self.b(x)

    model = Unused()
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \['dense.*/kernel', 'dense.*/bias'\]"):
        model.fit(X, Y, **QUIET)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, Y, **QUIET)  # it is said once


def test_data_of_another_shape():
    model = trained()
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 4, but received"):
        model.fit(X[:, :3], Y, **QUIET)
    with pytest.raises(ValueError, match="targets of the shape of the model's output"):
        model.fit(X, X, **QUIET)


def test_nothing_to_minimize():
    model = Plain()
    model.compile("sgd")
    with pytest.raises(ValueError, match="No loss to compute"):
        model.fit(X, Y, **QUIET)


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_build_of_ones_own_may_call_that_of_the_base(by_hand):
    class Reconstructing(keras.Model):
        def build(self, input_shape):
            self.shift = self.add_weight((input_shape[-1],), "zeros", name="shift")
            self.end = layers.Dense(input_shape[-1])
            super().build(input_shape)

        def call(self, x):
            return self.end(x) + self.shift

    model = Reconstructing()
    if by_hand:
        model.build((None, 4))
    model.compile("sgd", "mse")
    model.fit(X, X, **QUIET)
    assert [v.name for v in model.weights] == ["shift", "kernel", "bias"]


def test_arguments_that_no_file_can_hold(tmp_path):
    model = MadeWithALayer(layers.Dense(1))
    model(X)
    with pytest.raises(NotImplementedError, match=r"(?s)its argument `end` is a Dense.*def get_config"):
        model.save(tmp_path / "model.keras")


def test_steps_of_several_outputs_leave_nothing_behind():
    """Not even what the collector would find."""

    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.a, self.b = layers.Dense(3, activity_regularizer="l2"), layers.Dense(1), layers.Dense(2)

        def call(self, x):
            h = self.hidden(x)
            self.add_loss(np.mean(h**2))
            return {"a": self.a(h), "b": self.b(h)}

    model = Two()
    model.compile("sgd", {"a": "mse", "b": "mse"})
    drawn = keras.Sequential([keras.Input((4,)), layers.Dense(2, activity_regularizer="l2")])
    drawn.compile("sgd", "mse")
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            model.train_on_batch(X, {"a": X[:, :1], "b": X[:, :2]})
            drawn.train_on_batch(X, X[:, :2])
        assert gc.collect() < 100  # once, when it was built
    finally:
        gc.enable()


class _Called(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        return self.dense(x)


def test_a_model_that_was_only_called_is_loaded_again(tmp_path):
    x = np.ones((3, 4), "float32")
    model = _Called()
    wanted = model(x)
    model.save(tmp_path / "called.keras")
    again = keras.models.load_model(tmp_path / "called.keras", custom_objects={"_Called": _Called})
    assert np.array_equal(again(x), wanted)
