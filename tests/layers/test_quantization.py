"""Layers that are trained for weights of few bits."""

import numpy as np
import pytest

import multilayer as keras
from helpers.gradients import assert_gradient
from multilayer import layers
from multilayer._core.arena import Arena
from multilayer.functional import quantization

RNG = np.random.default_rng(5)
X = RNG.normal(0, 1, (7, 6))


def made(bits=4, activation="tanh", **arguments):
    """A layer in float64, built and measured, with its weights in an arena."""
    layer = layers.QuantizationAware(layers.Dense(3, activation, dtype="float64"), bits, dtype="float64", **arguments)
    layer.build((None, 6))
    layer.moving_minimum.assign(-1.5)
    layer.moving_maximum.assign(1.5)
    Arena(layer.weights)
    return layer


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_it_predicts_by_few_levels_and_inputs_of_8_bits(bits):
    layer = made(bits)
    Q = 2 ** (bits - 1) - 1
    levels = layer.levels()
    assert levels.dtype == np.int8
    assert set(np.unique(levels)) <= set(range(-Q, Q + 1))
    scale, zero = layer.scale_and_zero()
    x = scale * (np.clip(np.rint(X / scale) + zero, -128, 127) - zero)
    expected = np.tanh(x @ (levels * layer.step.value))
    np.testing.assert_allclose(layer(X), expected, atol=1e-12)


def test_the_way_back_is_the_derivative_with_rounding_errors_held_constant():
    layer = made()
    y = layer.forward(X.copy(), training=True)
    direction = RNG.normal(size=y.shape)
    dx = layer.backward(direction.copy())
    kernel, step, bias = layer.layer.kernel.value, layer.step.value, layer.layer.bias.value
    scale, zero = layer.scale_and_zero()
    low, high = scale * (-128.5 - zero), scale * (127.5 - zero)
    x = X.copy()
    weight_error = quantization.weight_levels(kernel, step, 4) - np.clip(kernel / step, -7, 7)
    input_error = quantization.fake_quantize_input(x, scale, zero) - np.clip(x, low, high)

    def loss():
        W = step * (np.clip(kernel / step, -7, 7) + weight_error)
        return float(np.sum(direction * np.tanh((np.clip(x, low, high) + input_error) @ W + bias)))

    assert_gradient(dx, loss, x)
    assert_gradient(layer.layer.kernel.gradient.copy(), loss, kernel)
    assert_gradient(layer.layer.bias.gradient.copy(), loss, bias)
    assert_gradient(layer.step.gradient * np.sqrt(6 * 7), loss, step)  # without g = 1 / sqrt(d Q)


def test_a_tape_gives_the_gradients_of_the_way_back():
    layer = made(trainable=True)
    layer.momentum = 0.999999  # the bounds hardly move from one call to the other
    y = layer.forward(X.copy(), training=True)
    direction = RNG.normal(size=y.shape)
    dx = layer.backward(direction.copy())
    x = keras.Variable(X)
    with keras.autodiff.GradientTape() as tape:
        loss = np.sum(direction * layer.formula(x))
    found = tape.gradient(loss, [x, layer.layer.kernel, layer.step, layer.layer.bias])
    expected = [dx, layer.layer.kernel.gradient, layer.step.gradient, layer.layer.bias.gradient]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


@pytest.mark.parametrize(("bits", "least"), [(8, 0.95), (4, 0.95), (2, 0.9)])
def test_training_learns(bits, least):
    x = np.random.default_rng(0).normal(size=(600, 8)).astype("float32")
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.QuantizationAware(layers.Dense(32, "relu"), bits),
            layers.QuantizationAware(layers.Dense(2, "softmax"), bits),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=40, verbose=0)
    assert model.evaluate(x, y, verbose=0)[1] >= least


def test_the_bounds_of_the_input_are_running_means_that_the_first_batch_sets():
    layer = layers.QuantizationAware(layers.Dense(1), momentum=0.75)
    assert not layer.measured if layer.built else True
    layer(np.array([[1.0, 3.0]]), training=True)
    assert (float(layer.moving_minimum), float(layer.moving_maximum)) == (0.0, 3.0)
    layer(np.array([[-2.0, 7.0]]), training=True)
    assert (float(layer.moving_minimum), float(layer.moving_maximum)) == (-0.5, 4.0)
    layer(np.array([[100.0, 100.0]]))
    assert float(layer.moving_maximum) == 4.0
    layer.trainable = False
    layer(np.array([[100.0, 100.0]]), training=True)
    assert float(layer.moving_maximum) == 4.0


def test_a_trained_layer_is_taken_with_its_weights():
    dense = layers.Dense(3)
    dense.build((None, 6))
    before = dense.get_weights()
    layer = layers.QuantizationAware(dense, 8)
    y = layer(X.astype("float32"))
    for one, other in zip(dense.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(y, dense(X), atol=0.2)


@pytest.mark.parametrize("ending", ["keras", "npz"])
def test_files_hold_it_with_its_steps_and_bounds(tmp_path, ending):
    model = keras.Sequential([keras.Input((6,)), layers.QuantizationAware(layers.Dense(3), 2, momentum=0.5)])
    model.compile("adam", "mse")
    model.fit(X, RNG.normal(size=(7, 3)), verbose=0)
    model.save(tmp_path / f"m.{ending}")
    loaded = keras.saving.load_model(tmp_path / f"m.{ending}")
    assert (loaded.layers[0].bits, loaded.layers[0].momentum) == (2, 0.5)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    loaded.fit(X, RNG.normal(size=(7, 3)), verbose=0)


@pytest.mark.parametrize("bits", [3, 16, 0, "4", 4.5, None, True])
def test_other_numbers_of_bits_are_refused(bits):
    with pytest.raises(ValueError, match=f"`bits` must be 8, 4 or 2. Received: bits={bits!r}"):
        layers.QuantizationAware(layers.Dense(2), bits)


def test_what_is_no_dense_layer_is_refused():
    with pytest.raises(ValueError, match="`QuantizationAware` is for a `Dense` layer, and 'drop' is a Dropout"):
        layers.QuantizationAware(layers.Dropout(0.5, name="drop"))
    with pytest.raises(ValueError, match="momentum"):
        layers.QuantizationAware(layers.Dense(2), momentum=1.0)


def test_weights_that_are_all_0_stay_finite():
    layer = layers.QuantizationAware(layers.Dense(2, kernel_initializer="zeros"), 4)
    assert not layer(X, training=True).any()
    assert np.isfinite(layer.step.value).all()
