"""Layers around layers: what the one inside does for them, and what is theirs."""

import numpy as np
import pytest

import multilayer as keras
from helpers.gradients import assert_gradient
from multilayer import layers
from multilayer._core.arena import Arena
from multilayer._training.random_sources import sources

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3, 4)).astype("float32")


def spectral(**arguments):
    layer = layers.SpectralNormalization(layers.Dense(3, "tanh", dtype="float64"), dtype="float64", **arguments)
    layer.build((None, 4))
    Arena(layer.weights)
    return layer


def test_every_step_has_the_same_weights():
    layer = layers.TimeDistributed(layers.Dense(5, "tanh"))
    y = layer(X)
    for t in range(X.shape[1]):
        np.testing.assert_allclose(y[:, t], layer.layer(X[:, t]), rtol=1e-6)
    assert layer.count_params() == 25


def test_a_kernel_is_divided_by_its_largest_singular_value():
    layer = spectral(power_iterations=50)
    kernel = layer.kernel.numpy()
    layer.forward(RNG.normal(size=(2, 4)), training=True)
    np.testing.assert_allclose(layer.kernel.value, kernel / np.linalg.norm(kernel, 2), rtol=1e-6)
    u = layer.vector_u.numpy()
    layer.layer.kernel.assign(np.zeros((4, 3)))  # no direction is its largest
    layer.forward(RNG.normal(size=(2, 4)), training=True)
    np.testing.assert_array_equal(layer.vector_u.value, u)
    assert not layer.kernel.value.any()


def test_gradients_are_those_of_the_divided_kernel():
    layer, x = spectral(), RNG.normal(size=(2, 4))
    direction = RNG.normal(size=layer.forward(x, training=True).shape)

    def loss():
        return float(np.sum(direction * layer.forward(x)))

    assert_gradient(layer.backward(direction.copy()), loss, x)
    for weight in layer.trainable_weights:
        assert_gradient(weight.gradient.copy(), loss, weight.value)


def test_only_what_has_a_kernel_is_held_to_a_norm():
    with pytest.raises(ValueError, match="needs a layer with a `kernel` or `embeddings`"):
        layers.SpectralNormalization(layers.Flatten()).build((None, 4))
    table = layers.SpectralNormalization(layers.Embedding(5, 3), power_iterations=30)
    table(np.array([[1, 2]]), training=True)
    assert np.linalg.norm(table.layer.embeddings.value, 2) == pytest.approx(1.0, abs=0.05)
    with pytest.raises(ValueError, match="`power_iterations` must be a whole number of at least 1"):
        layers.SpectralNormalization(layers.Dense(1), power_iterations=0)


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (lambda: "dense", "with a layer"),
        (lambda: layers.Add(), "a layer of one input"),
        (lambda: layers.BatchNormalization(), "cannot hold a `BatchNormalization`"),
    ],
)
def test_what_cannot_be_wrapped_is_refused(inner, message):
    with pytest.raises(ValueError, match=message):
        layers.TimeDistributed(inner())


def test_a_model_cannot_be_held_to_a_norm():
    with pytest.raises(ValueError, match="is a model"):
        layers.SpectralNormalization(keras.Sequential([layers.Dense(1)]))


@pytest.mark.parametrize("start", [[], [keras.Input((4,))]])
def test_a_model_at_every_step_learns_as_its_layer_would(tmp_path, start):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5, 4))
    inner = keras.Sequential([*start, layers.Dense(3, "tanh")])
    model = keras.Model(inputs, layers.TimeDistributed(inner)(inputs))
    alone = keras.Sequential([keras.Input((5, 4)), layers.Dense(3, "tanh")])
    alone.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(6, 5, 4)).astype("float32")
    for one in (model, alone):
        one.compile("sgd", "mse")
        one.fit(x, np.zeros((6, 5, 3)), batch_size=3, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], alone.get_weights()[0], rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), alone.predict(x, verbose=0), rtol=1e-4, atol=1e-6)


def test_a_model_at_every_step_is_what_its_layers_are(tmp_path):
    steps = layers.TimeDistributed(keras.Sequential([layers.Dense(5, "tanh"), layers.Dropout(0.0), layers.Dense(2)]))
    model = keras.Sequential([keras.Input((3, 4)), steps])
    same = keras.Sequential([keras.Input((3, 4)), layers.Dense(5, "tanh"), layers.Dense(2)])
    same.set_weights(model.get_weights())
    for one in (model, same):
        one.compile("adam", "mse")
        one.fit(X, X[..., :2], epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.predict(X, verbose=0), same.predict(X, verbose=0), rtol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_wrapper_with_a_backward_pass_of_its_own_takes_no_model():
    with pytest.raises(ValueError, match=r"is a model\. Wrap its layers one by one"):
        layers.SpectralNormalization(keras.Sequential([layers.Dense(1)]))


def test_a_step_is_an_axis_of_its_own():
    with pytest.raises(ValueError, match="at least 3 dimensions"):
        layers.TimeDistributed(layers.Dense(1)).build((None, 4))


def test_freezing_freezes_what_is_inside():
    layer = layers.TimeDistributed(layers.Dense(2), trainable=False)
    layer.build((None, 3, 4))
    assert layer.trainable_weights == []
    layer.trainable = True
    assert layer.trainable_weights == layer.layer.weights


def test_a_wrapper_in_two_places_keeps_apart_what_each_way_back_needs():
    shared = layers.TimeDistributed(layers.Dense(3, "tanh"))
    a, b = keras.Input((3, 4)), keras.Input((3, 4))
    model = keras.Model([a, b], layers.Subtract()([shared(a), shared(b)]))
    model.compile("sgd", "mse")
    y = RNG.normal(size=(6, 3, 3)).astype("float32")
    plain = layers.Dense(3, "tanh")
    same = keras.Model([a, b], layers.Subtract()([plain(a), plain(b)]))
    same.set_weights(model.get_weights())
    same.compile("sgd", "mse")
    for one in (model, same):
        one.fit([X, X[::-1]], y, epochs=2, shuffle=False, verbose=0)
    for ours, theirs in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_predicting_as_in_training_changes_no_weight():
    x = keras.Input((4,))
    layer = layers.SpectralNormalization(layers.Dense(3))
    model = keras.Model(x, layer(x, training=True))
    before = model.get_weights()
    y = model.predict(X[:, 0], verbose=0)
    kernel, u = layer.kernel.numpy(), layer.vector_u.numpy()
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)
    v = u @ kernel.T
    v /= np.linalg.norm(v)
    np.testing.assert_allclose(y, X[:, 0] @ kernel / np.linalg.norm(v @ kernel), rtol=1e-4, atol=1e-6)


def test_a_run_goes_on_with_the_random_numbers_of_what_is_inside():
    dropout = layers.Dropout(0.5, seed=1)
    assert sources([layers.TimeDistributed(dropout)]) == [dropout._stream]


@pytest.mark.parametrize("ending", ["keras", "npz"])
def test_a_file_holds_what_is_inside(tmp_path, ending):
    model = keras.Sequential(
        [
            keras.Input((3, 4)),
            layers.TimeDistributed(layers.Dense(5, "tanh", name="each")),
            layers.GlobalMaxPooling1D(),
            layers.SpectralNormalization(layers.Dense(2)),
        ]
    )
    model.compile("adam", "mse")
    model.fit(X, X[:, 0, :2], verbose=0)
    model.save(tmp_path / f"model.{ending}")
    again = keras.models.load_model(tmp_path / f"model.{ending}")
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
