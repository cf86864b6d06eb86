"""Layers that say by `call` what they compute: figures are those of Keras 3.15.1 for the same programs."""

import copy
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer._core.arena import Arena

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
Y = np.ones((6, 1), "float32")


def dense(units, **arguments):
    return layers.Dense(units, kernel_initializer="ones", **arguments)


def losses_of(model, epochs=3):
    model.compile("sgd", "mse")
    return model.fit(X, Y, epochs=epochs, batch_size=3, shuffle=False, verbose=0).history["loss"]


class Noting(layers.Layer):
    def call(self, x, training=None):
        self.training = training
        return x


# --- What `call` is called with ---


def test_training_goes_on_to_the_layers_within_unless_they_are_told_otherwise():
    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.told, self.asking = Noting(), Noting()

        def call(self, x):
            return self.asking(self.told(x, training=False))

    outer = Outer()
    outer(X, training=True)
    assert (outer.told.training, outer.asking.training) == (False, True)
    outer(X)
    assert outer.asking.training is False


def test_training_is_what_the_signature_says_where_nobody_says_it():
    class Eager(layers.Layer):
        def call(self, x, training=True):
            return x + 1.0 if training else x

    np.testing.assert_array_equal(Eager()(X), X + 1.0)
    np.testing.assert_array_equal(Eager()(X, training=False), X)


class InOut(layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = dense(2)

    def call(self, a, b=None, scale=1.0, flag=False):
        return {"p": self.dense(a) * scale, "q": [b, self.dense(b)] if flag else b}


def test_arguments_and_results_may_be_structures_and_constants():
    one, other = keras.Input((4,)), keras.Input((4,))
    y = InOut()(one, b=other, scale=2.0, flag=True)
    model = keras.Model([one, other], [y["p"], *y["q"]])
    p, b, q = model.predict([X, 2 * X], verbose=0)
    np.testing.assert_allclose(p, 2 * np.repeat(X.sum(axis=1, keepdims=True), 2, axis=1), rtol=1e-5)
    np.testing.assert_array_equal(b, 2 * X)
    np.testing.assert_allclose(q, p, rtol=1e-5)
    spec = InOut().compute_output_spec(one, other)
    assert {name: tensor.shape for name, tensor in spec.items()} == {"p": (None, 2), "q": (None, 4)}
    built_in = dense(3)
    assert built_in.compute_output_spec(one).shape == (None, 3)
    assert not built_in.nodes


@pytest.mark.parametrize(
    ("given", "expected"), [("float64", "float32"), ("float16", "float32"), ("int64", "int64"), ("bool", "bool")]
)
def test_real_numbers_come_in_the_layers_type_and_others_as_they_are(given, expected):
    class Typed(layers.Layer):
        def call(self, x):
            assert x.dtype == expected
            return x

    Typed()(np.ones((2, 2), given))


# --- What a layer holds ---


class Many(layers.Layer):
    def __init__(self):
        super().__init__()
        self.first = dense(3)
        self.listed = [dense(2)]
        self.offset = self.add_weight(shape=(1,), initializer="zeros", name="offset")
        self.by_name = {"b": dense(1), "a": dense(5)}
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    def build(self, input_shape):
        self.listed.append(dense(7))

    def call(self, x):
        parts = [self.first, *self.listed, *self.by_name.values()]
        return np.concatenate([part(x) for part in parts], axis=-1) + self.offset


def test_layers_are_tracked_in_the_order_in_which_they_came():
    layer = Many()
    layer(X)
    assert [one.units for one in layer.sublayers()] == [3, 2, 1, 5, 7]
    shapes = [(1,), (), (4, 3), (3,), (4, 2), (2,), (4, 1), (1,), (4, 5), (5,), (4, 7), (7,)]
    assert [v.shape for v in layer.weights] == shapes
    layer.first.trainable = False
    assert len(layer.trainable_weights) == 9
    layer.trainable = False
    assert layer.trainable_weights == []
    layer.trainable = True
    assert len(layer.trainable_weights) == 11


def test_what_an_attribute_held_before_is_forgotten():
    layer = Many()
    layer.first = dense(6)
    layer.listed[0] = dense(9)
    assert [one.units for one in layer.sublayers()] == [1, 5, 6, 9]


def test_copies_stand_on_their_own():
    layer = Many()
    y = layer(X)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(twin(X), y)
        twin.first.kernel.assign(np.zeros((4, 3)))
        np.testing.assert_array_equal(layer(X), y)


# --- What training does ---


def test_statistics_move_once_a_step_and_may_be_counts():
    class Centered(layers.Layer):
        def build(self, input_shape):
            self.mean = self.add_weight(shape=input_shape[-1:], initializer="zeros", trainable=False)
            self.steps = self.add_weight(shape=(), dtype="int32", trainable=False)

        def call(self, x, training=False):
            if training:
                self.mean.assign(0.5 * self.mean + 0.5 * np.mean(x, axis=0))
                self.steps.assign_add(1)
            return x - self.mean

    model = keras.Sequential([keras.Input((4,)), Centered(), dense(1)])
    losses_of(model, epochs=2)
    np.testing.assert_allclose(model.layers[0].mean, [-0.7406, 0.0653, -0.1748, 0.2518], atol=5e-4)
    assert int(model.layers[0].steps) == 4
    np.testing.assert_allclose(model.layers[1].kernel.numpy().ravel(), [0.8775, 0.9177, 0.8804, 0.9176], atol=5e-4)


def test_what_is_added_to_the_loss_is_gathered_anew_with_every_call():
    class Penalized(layers.Layer):
        def __init__(self):
            super().__init__(activity_regularizer=keras.regularizers.L2(0.1))
            self.dense = dense(2, activity_regularizer="l2", kernel_regularizer="l1")

        def call(self, x):
            self.add_loss(np.mean(np.square(x)))
            return self.dense(x) + self.dense(2 * x)

    layer = Penalized()
    for _ in range(2):
        layer(X)
        assert len(layer.losses) == 5  # its own two, one for each call within, and the kernel's
    assert layer.losses[0] == pytest.approx(np.mean(np.square(X)), rel=1e-6)


def test_penalties_of_models_within_count_in_training_and_in_evaluating():
    class Holding(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = keras.Sequential([dense(2, activity_regularizer="l2"), dense(1)])

        def call(self, x):
            return self.inner(x)

    model = Holding()
    np.testing.assert_allclose(losses_of(model, epochs=2), [19.8496, 6.8938], rtol=1e-4)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(3.7887, rel=1e-4)


def test_a_built_in_layers_call_can_be_built_upon():
    class Twice(layers.Dense):
        def call(self, inputs, training=None):
            return 2 * super().call(inputs)

    class Shifted(layers.BatchNormalization):
        def call(self, inputs, training=None):
            return super().call(inputs, training=training) + 1

    class Half(layers.Dropout):
        def call(self, inputs, training=None):
            return super().call(inputs, training=training) / 2

    x = keras.Input((4,))
    model = keras.Model(x, dense(1)(Shifted(momentum=0.5)(x)))
    np.testing.assert_allclose(losses_of(model), [15.70114, 7.48479, 4.29948], rtol=1e-4)
    np.testing.assert_allclose(model.layers[1].moving_variance, [0.6533, 0.5583, 0.5348, 0.4217], atol=1e-4)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(3.1724, rel=1e-4)

    own = keras.Sequential([keras.Input((4,)), Twice(3, "tanh", kernel_initializer="ones"), dense(1)])
    same = keras.Sequential([keras.Input((4,)), dense(3, activation="tanh"), layers.Rescaling(2.0), dense(1)])
    np.testing.assert_allclose(losses_of(own), losses_of(same), rtol=1e-5)

    dropping = Half(0.5, seed=1)
    np.testing.assert_array_equal(dropping(X), X / 2)
    assert set(np.unique(dropping(np.ones((9, 9)), training=True))) == {0.0, 1.0}


def test_threads_can_predict_at_once():
    class Adding(layers.Layer):
        def __init__(self):
            super().__init__(activity_regularizer="l2")
            self.dense = dense(3, activity_regularizer="l2")

        def call(self, x):
            self.add_loss(np.mean(x))
            return self.dense(x)

    layer = Adding()
    layer(X)
    Arena(layer.weights)
    before = list(layer.losses)
    batches = [X[:n] * n for n in range(1, 6)] * 10
    expected = [layer.forward(x) for x in batches]
    with ThreadPoolExecutor(4) as threads:
        for y, wanted in zip(threads.map(layer.forward, batches), expected, strict=True):
            np.testing.assert_array_equal(y, wanted)
    assert layer.losses == before


class Penalized(layers.Layer):
    """Gives what it gets, and adds its mean to the loss."""

    def call(self, x):
        self.add_loss(np.mean(x))
        return x * 1.0


def test_a_model_that_is_drawn_up_knows_what_its_layers_added():
    adding = Penalized()
    inner = keras.Sequential([keras.Input((4,)), adding])
    first = keras.Input((4,))
    model = keras.Model(first, adding(inner(layers.Dense(4, kernel_initializer="identity")(first))))
    of_one_call = [np.mean(X), np.mean(X)]  # of both calls of the layer, and not of earlier calls of the model
    for _ in range(2):
        model(X)
        np.testing.assert_allclose(model.losses, of_one_call, rtol=1e-6)
        with keras.GradientTape() as tape:
            model(X)
            total = sum(model.losses)
        np.testing.assert_allclose(float(total), sum(of_one_call), rtol=1e-6)
        kernel, _ = tape.gradient(total, model.trainable_variables)
        np.testing.assert_allclose(kernel, np.repeat(2 * X.mean(axis=0)[:, None] / 4, 4, axis=1), rtol=1e-5)


# --- Mistakes ---


def test_a_constructor_without_its_bases_is_named():
    class Bare(layers.Layer):
        def __init__(self):
            self.dense = dense(2)

    class Barest(layers.Layer):
        def __init__(self):
            self.units = 2

    for make in (Bare, lambda: Barest()(X)):
        with pytest.raises(RuntimeError, match=r"you forgot to call `super\(\).__init__\(\)`"):
            make()


def test_a_call_that_returns_nothing_is_named():
    class Silent(layers.Layer):
        def call(self, x):
            np.tanh(x)

    for x in (X, keras.Input((4,))):
        with pytest.raises(ValueError, match=r"\(Silent\) returned None: it must return its output"):
            Silent()(x)


def test_weights_are_not_declared_in_call():
    class Late(layers.Layer):
        def call(self, x):
            return x * self.add_weight(shape=(4,), name="late")

    with pytest.raises(ValueError, match=r"\(Late\) declares a weight, 'late'.*Declare it in `build`"):
        Late()(X)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="errors bear notes since Python 3.11")
def test_an_error_where_the_shape_is_found_says_of_which_layer_and_that_the_numbers_are_zeros():
    class Long(layers.Layer):
        def call(self, x):
            return x + np.ones(4)

    with pytest.raises(ValueError, match="could not be broadcast") as found:
        keras.Sequential([keras.Input((3,)), Long(name="long")])
    assert found.value.__notes__ == [
        "Layer 'long' (Long) was tried with zeros of shape (2, 3), to find the shape of its output."
    ]


class FirstOf(layers.Layer):
    """It has several inputs, and says the shape of its output itself, as a list."""

    def call(self, inputs):
        return inputs[0] * np.mean(inputs[1], axis=-1, keepdims=True)

    def compute_output_shape(self, input_shapes):
        return list(input_shapes[0])


def test_shapes_come_as_the_arguments_of_call_do():
    a, b = keras.Input((3,)), keras.Input((5,))
    model = keras.Model([a, b], FirstOf()([layers.Dense(2)(a), b]))
    model.compile("sgd", "mse")
    model.fit([np.ones((4, 3)), np.ones((4, 5))], np.ones((4, 2)), verbose=0)
    assert model.output_shape == (None, 2)
    assert FirstOf().compute_output_shape([(None, 2), (None, 5)]) == (None, 2)
