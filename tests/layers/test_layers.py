"""Layers: one table with every layer in several forms, and the tests that each of them has to pass."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import multilayer as keras
from helpers.gradients import assert_gradient
from layers import test_merging, test_words
from multilayer import activations, layers
from multilayer._core.arena import Arena, Variable
from multilayer._names import registry
from multilayer.utils.features import TFDConcat, TFDIdentity


def has_weights(layer, shape):
    layer.ensure_built((None, *shape[1:]))
    return bool(layer.weights)


# Each row: how the layer is made, and the shape of a batch for it.
ROWS = {
    "Dense": (lambda **k: layers.Dense(3, **k), (5, 4)),
    "Dense, one unit": (lambda **k: layers.Dense(1, **k), (5, 4)),
    "Dense, relu": (lambda **k: layers.Dense(3, "relu", **k), (5, 4)),
    "Dense, sigmoid": (lambda **k: layers.Dense(3, "sigmoid", **k), (5, 4)),
    "Dense, tanh": (lambda **k: layers.Dense(3, "tanh", **k), (5, 4)),
    "Dense, softmax": (lambda **k: layers.Dense(3, "softmax", **k), (5, 4)),
    "Dense, no bias": (lambda **k: layers.Dense(3, "tanh", use_bias=False, **k), (5, 4)),
    "Dense, initializers": (
        lambda **k: layers.Dense(3, kernel_initializer="he_normal", bias_initializer="random_normal", **k),
        (5, 4),
    ),
    "Dense, rank 3": (lambda **k: layers.Dense(3, "tanh", **k), (5, 2, 4)),
    "Dense, rank 3, softmax": (lambda **k: layers.Dense(3, "softmax", **k), (5, 2, 4)),
    "EinsumDense": (lambda **k: layers.EinsumDense("ab,bc->ac", 3, "tanh", "c", **k), (5, 4)),
    "EinsumDense, no bias": (lambda **k: layers.EinsumDense("...x,xy->...y", 3, "gelu", **k), (5, 2, 4)),
    "EinsumDense, several axes": (lambda **k: layers.EinsumDense("abc,bcde->ade", (2, 6), "glu", "de", **k), (5, 2, 4)),
    "EinsumDense, members": (
        lambda **k: layers.EinsumDense(
            "bki,kio->bko",
            (2, 3),
            "softmax",
            "ko",
            kernel_initializer="he_normal",
            bias_initializer="random_normal",
            kernel_regularizer="l2",
            bias_regularizer="l1",
            activity_regularizer="l1_l2",
            kernel_constraint="max_norm",
            bias_constraint="non_neg",
            **k,
        ),
        (5, 2, 4),
    ),
    "EinsumDense, dots behind": (lambda **k: layers.EinsumDense("ab...,bc->ac...", 3, "relu", "c", **k), (5, 4, 2)),
    "EinsumDense, one axis of the bias": (
        lambda **k: layers.EinsumDense("abc,cd->abd", (2, 3), None, "b", **k),
        (5, 2, 4),
    ),
    "EinsumDense, axes apart": (lambda **k: layers.EinsumDense("abcd,bde->ace", (3, 2), None, "e", **k), (5, 2, 3, 4)),
    "EinsumDense, turned": (lambda **k: layers.EinsumDense("abc,dc->adb", (3, 2), "tanh", "db", **k), (5, 2, 4)),
    "EinsumDense, factors": (lambda **k: layers.EinsumDense("abc,bc->abc", (2, 4), "tanh", "b", **k), (5, 2, 4)),
    "EinsumDense, summed": (lambda **k: layers.EinsumDense("abc,ce->ae", 3, **k), (5, 2, 4)),
    "EinsumDense, diagonals": (lambda **k: layers.EinsumDense("abb,bcc->ac", 3, **k), (5, 4, 4)),
    "Activation, None": (lambda **k: layers.Activation(None, **k), (5, 4)),
    "Activation, relu": (lambda **k: layers.Activation("relu", **k), (5, 4)),
    "Activation, softmax": (lambda **k: layers.Activation("softmax", **k), (5, 4)),
    "Activation, object": (lambda **k: layers.Activation(activations.tanh, **k), (5, 4)),
    "Activation, rank 3": (lambda **k: layers.Activation("sigmoid", **k), (5, 2, 4)),
    "Dropout": (lambda **k: layers.Dropout(0.4, seed=3, **k), (5, 4)),
    "Dropout, nothing": (lambda **k: layers.Dropout(0, seed=3, **k), (5, 4)),
    "Dropout, everything": (lambda **k: layers.Dropout(1, seed=3, **k), (5, 4)),
    "Dropout, rank 3": (lambda **k: layers.Dropout(0.4, seed=3, **k), (5, 2, 4)),
    "Activation, of its input": (lambda **k: layers.Activation("gelu", **k), (5, 4)),
    "Activation, glu": (lambda **k: layers.Activation("glu", **k), (5, 4)),
    "Dense, gelu": (lambda **k: layers.Dense(3, "gelu", **k), (5, 4)),
    "Dense, glu": (lambda **k: layers.Dense(6, "glu", **k), (5, 4)),
    "Dense, silu, no bias, rank 3": (lambda **k: layers.Dense(3, "silu", use_bias=False, **k), (5, 2, 4)),
    "Dense, regularizers": (
        lambda **k: layers.Dense(
            3,
            kernel_regularizer="l2",
            bias_regularizer="l1",
            activity_regularizer="l1_l2",
            kernel_constraint="max_norm",
            bias_constraint="non_neg",
            **k,
        ),
        (5, 4),
    ),
    "ReLU": (lambda **k: layers.ReLU(**k), (5, 4)),
    "ReLU, all given": (lambda **k: layers.ReLU(0.8, 0.2, 0.1, **k), (5, 4)),
    "LeakyReLU": (lambda **k: layers.LeakyReLU(**k), (5, 4)),
    "LeakyReLU, given": (lambda **k: layers.LeakyReLU(0.7, **k), (5, 2, 4)),
    "ELU": (lambda **k: layers.ELU(**k), (5, 4)),
    "ELU, given": (lambda **k: layers.ELU(0.4, **k), (5, 4)),
    "Softmax": (lambda **k: layers.Softmax(**k), (5, 4)),
    "Softmax, axis": (lambda **k: layers.Softmax(1, **k), (5, 3, 4)),
    "PReLU": (lambda **k: layers.PReLU("ones", **k), (5, 4)),
    "PReLU, shared": (lambda **k: layers.PReLU(shared_axes=[1], alpha_regularizer="l2", **k), (5, 2, 4)),
    "ActivityRegularization": (lambda **k: layers.ActivityRegularization(l1=0.1, l2=0.2, **k), (5, 4)),
    "BatchNormalization": (lambda **k: layers.BatchNormalization(**k), (5, 4)),
    "BatchNormalization, given": (
        lambda **k: layers.BatchNormalization(
            axis=1, momentum=0.5, epsilon=0.1, beta_initializer="ones", gamma_regularizer="l2", **k
        ),
        (5, 3, 2),
    ),
    "BatchNormalization, bare": (lambda **k: layers.BatchNormalization(center=False, scale=False, **k), (5, 4)),
    "LayerNormalization": (lambda **k: layers.LayerNormalization(**k), (5, 4)),
    "LayerNormalization, axes": (
        lambda **k: layers.LayerNormalization(axis=[1, 2], epsilon=0.1, gamma_initializer="he_normal", **k),
        (5, 3, 2),
    ),
    "LayerNormalization, other axis": (lambda **k: layers.LayerNormalization(axis=1, center=False, **k), (5, 3, 2)),
    "LayerNormalization, bare": (lambda **k: layers.LayerNormalization(center=False, scale=False, **k), (5, 4)),
    "RMSNormalization": (lambda **k: layers.RMSNormalization(**k), (5, 4)),
    "RMSNormalization, axis": (lambda **k: layers.RMSNormalization(axis=1, epsilon=0.1, **k), (5, 3, 2)),
    "UnitNormalization": (lambda **k: layers.UnitNormalization(**k), (5, 4)),
    "UnitNormalization, axes": (lambda **k: layers.UnitNormalization(axis=[1, 2], **k), (5, 3, 2)),
    "GroupNormalization": (lambda **k: layers.GroupNormalization(2, **k), (5, 4)),
    "GroupNormalization, given": (
        lambda **k: layers.GroupNormalization(
            3, axis=1, epsilon=0.1, gamma_initializer="he_normal", beta_initializer="ones", **k
        ),
        (5, 6, 2),
    ),
    "GroupNormalization, each feature": (
        lambda **k: layers.GroupNormalization(-1, gamma_initializer="he_normal", **k),
        (5, 3, 2),
    ),
    "GroupNormalization, bare": (lambda **k: layers.GroupNormalization(2, center=False, scale=False, **k), (5, 3, 4)),
    "GaussianNoise": (lambda **k: layers.GaussianNoise(0.4, seed=3, **k), (5, 4)),
    "GaussianDropout": (lambda **k: layers.GaussianDropout(0.4, seed=3, **k), (5, 4)),
    "AlphaDropout": (lambda **k: layers.AlphaDropout(0.4, seed=3, **k), (5, 4)),
    "AlphaDropout, shape": (lambda **k: layers.AlphaDropout(0.4, (None, 1, 4), seed=3, **k), (5, 2, 4)),
    "Dropout, shape": (lambda **k: layers.Dropout(0.4, noise_shape=(None, 1, 4), seed=3, **k), (5, 2, 4)),
    "Reshape": (lambda **k: layers.Reshape((2, -1), **k), (5, 4)),
    "Permute": (lambda **k: layers.Permute((2, 1), **k), (5, 2, 3)),
    "Permute, three axes": (lambda **k: layers.Permute((3, 1, 2), **k), (5, 2, 3, 4)),
    "RepeatVector": (lambda **k: layers.RepeatVector(3, **k), (5, 4)),
    "GlobalAveragePooling1D": (lambda **k: layers.GlobalAveragePooling1D(**k), (5, 3, 4)),
    "GlobalAveragePooling1D, given": (
        lambda **k: layers.GlobalAveragePooling1D("channels_first", keepdims=True, **k),
        (5, 3, 4),
    ),
    "GlobalMaxPooling1D": (lambda **k: layers.GlobalMaxPooling1D(**k), (5, 3, 4)),
    "GlobalMaxPooling1D, given": (
        lambda **k: layers.GlobalMaxPooling1D("channels_first", keepdims=True, **k),
        (5, 3, 4),
    ),
    "TimeDistributed": (
        lambda **k: layers.TimeDistributed(layers.Dense(3, "tanh", dtype=k.get("dtype")), **k),
        (5, 2, 4),
    ),
    "TimeDistributed, rank 4": (
        lambda **k: layers.TimeDistributed(layers.Flatten(dtype=k.get("dtype")), **k),
        (5, 2, 3, 4),
    ),
    "TimeDistributed, drawing": (
        lambda **k: layers.TimeDistributed(layers.Dropout(0.4, seed=3, dtype=k.get("dtype")), **k),
        (5, 2, 4),
    ),
    "SpectralNormalization": (
        lambda **k: layers.SpectralNormalization(layers.Dense(3, "tanh", dtype=k.get("dtype")), 2, **k),
        (5, 4),
    ),
    "QuantizationAware": (
        lambda **k: layers.QuantizationAware(layers.Dense(3, "tanh", dtype=k.get("dtype")), 4, **k),
        (5, 4),
    ),
    "Masking": (lambda **k: layers.Masking(0.5, **k), (5, 2, 4)),
    "Identity": (lambda **k: layers.Identity(**k), (5, 4)),
    "Normalization": (lambda **k: layers.Normalization(**k), (5, 4)),
    "Normalization, given": (lambda **k: layers.Normalization(mean=[1, 2, 3, 4], variance=[2, 3, 4, 5], **k), (5, 4)),
    "Normalization, inverted": (lambda **k: layers.Normalization(None, 2.0, 4.0, invert=True, **k), (5, 2, 4)),
    "Rescaling, lists": (lambda **k: layers.Rescaling([1, 2, 3, 4], offset=[0, 1, 0, 1], **k), (5, 4)),
    "Flatten": (lambda **k: layers.Flatten(**k), (5, 2, 3)),
    "Flatten, rank 2": (lambda **k: layers.Flatten(**k), (5, 4)),
    "Flatten, rank 4": (lambda **k: layers.Flatten(**k), (5, 2, 3, 1)),
    "InputLayer": (lambda **k: layers.InputLayer((4,), **k), (5, 4)),
    "Rescaling": (lambda **k: layers.Rescaling(1 / 255, **k), (5, 4)),
    "Rescaling, offset": (lambda **k: layers.Rescaling(1 / 127.5, offset=-1, **k), (5, 2, 4)),
    # What `1 / x_train.max()` gives: a NumPy number, which must not drag float32 up to float64.
    "Rescaling, NumPy number": (lambda **k: layers.Rescaling(1 / np.float64(16.0), **k), (5, 4)),
}
TRAINED_THROUGH = [name for name in ROWS if name not in ("InputLayer", "SpectralNormalization")]
TRAINED_THROUGH.remove("QuantizationAware")  # the way back is not the derivative: see test_quantization.py
DRAWING = [
    "Dropout",
    "Dropout, rank 3",
    "Dropout, shape",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "AlphaDropout, shape",
    "TimeDistributed, drawing",
]  # other random numbers at every call
WITH_WEIGHTS = [name for name, (make, shape) in ROWS.items() if has_weights(make(), shape)]
every_row = pytest.mark.parametrize("row", ROWS)
every_trained_row = pytest.mark.parametrize("row", TRAINED_THROUGH)
every_row_with_weights = pytest.mark.parametrize("row", WITH_WEIGHTS)


def batch(shape, seed=0, dtype="float64"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def built(row, **arguments):
    """The row's layer, built and laid out in an arena as a model would, and a batch for it."""
    make, shape = ROWS[row]
    layer = make(**{"dtype": "float64"} | arguments)
    layer.ensure_built((None, *shape[1:]))
    Arena(layer.weights)
    return layer, batch(shape, dtype=layer.dtype)


def copy_of(layer, shape):
    """The layer made anew from its config as JSON, with the same weights and a random stream at its start."""
    copy = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    copy.ensure_built((None, *shape[1:]))
    copy.set_weights(layer.get_weights())
    return copy


def test_every_registered_layer_has_a_row():
    models = {keras.models.Functional, keras.Sequential}
    merging = {type(make()) for make, _ in test_merging.ROWS.values()}
    merging |= {layers.Embedding, layers.CategoryEncoding}  # of whole numbers: see test_whole_numbers.py
    merging |= {layers.Lambda}  # of functions: see test_function.py
    merging |= {type(make()) for make, _ in test_words.ROWS.values()}
    merging |= {keras.utils.FeatureSpace, TFDConcat, TFDIdentity}  # of tables: see utils/test_feature_space.py
    assert {type(make()) for make, _ in ROWS.values()} | merging | models == registry.registered("layer")


# --- The backward pass ---


@every_trained_row
def test_gradients_match_finite_differences(row):
    layer, x = built(row)
    y = layer.forward(x, training=True)
    direction = batch(y.shape, seed=1)  # the gradient of sum(direction y) with respect to y

    def loss():  # a copy draws the same random numbers as the layer did
        return float(np.sum(direction * copy_of(layer, x.shape).forward(x, training=True)))

    dx = layer.backward(direction.copy())
    assert_gradient(dx, loss, x)
    for weight in layer.trainable_weights:
        assert_gradient(weight.gradient.copy(), loss, weight.value)


@every_row_with_weights
def test_a_frozen_layer_passes_the_gradient_on_and_keeps_none(row):
    if row.startswith(("BatchNormalization", "QuantizationAware")):
        return  # frozen, it goes by its running means or bounds: see test_whole_numbers.py, test_quantization.py
    layer, x = built(row)
    frozen, _ = built(row, trainable=False)
    frozen.set_weights(layer.get_weights())
    direction = batch(layer.forward(x, training=True).shape, seed=1)
    frozen.forward(x, training=True)
    np.testing.assert_array_equal(frozen.backward(direction.copy()), layer.backward(direction.copy()))
    assert frozen.trainable_weights == []
    assert all(weight.gradient is None for weight in frozen.weights)


@every_row_with_weights
def test_without_dx_the_weights_still_get_their_gradients(row):
    if row == "SpectralNormalization":
        return  # its second step goes on from another kernel: see test_wrappers.py
    layer, x = built(row)
    direction = batch(layer.forward(x, training=True).shape, seed=1)
    layer.backward(direction.copy())
    expected = [weight.gradient.copy() for weight in layer.trainable_weights]
    layer.needs_dx = False
    for weight in layer.trainable_weights:
        weight.gradient[...] = 0.0
    layer.forward(x, training=True)
    layer.backward(direction.copy())
    for weight, gradient in zip(layer.trainable_weights, expected, strict=True):
        np.testing.assert_array_equal(weight.gradient, gradient)


@pytest.mark.parametrize("row", [name for name in TRAINED_THROUGH if name not in DRAWING])
def test_a_smaller_last_batch_is_as_right_as_a_first_one(row):
    layer, x = built(row)
    fresh = copy_of(layer, x.shape)
    Arena(fresh.weights)
    y = layer.forward(x, training=True)
    layer.backward(batch(y.shape, seed=1))
    few = x[:2] + 1.0
    y, expected = layer.forward(few, training=True), fresh.forward(few, training=True)
    np.testing.assert_array_equal(y, expected)
    direction = batch(y.shape, seed=2)
    np.testing.assert_array_equal(layer.backward(direction.copy()), fresh.backward(direction.copy()))
    for one, other in zip(layer.weights, fresh.weights, strict=True):
        np.testing.assert_array_equal(one.gradient, other.gradient)
    np.testing.assert_array_equal(layer.forward(x, training=True), fresh.forward(x, training=True))


def test_dropout_uses_one_mask_for_both_directions_whatever_the_batch():
    layer = layers.Dropout(0.5, seed=1)
    for rows in (8, 3, 8):
        x = np.ones((rows, 6), "float32")
        np.testing.assert_array_equal(layer.forward(x, training=True), layer.backward(x))


# --- Inference changes nothing ---


@every_trained_row
def test_predicting_between_forward_and_backward_disturbs_nothing(row):
    layer, x = built(row)
    undisturbed = copy_of(layer, x.shape)
    Arena(undisturbed.weights)
    direction = batch(layer.forward(x, training=True).shape, seed=1)
    undisturbed.forward(x, training=True)
    layer.forward(x[:3] * 7.0, training=False)
    np.testing.assert_array_equal(layer.backward(direction.copy()), undisturbed.backward(direction.copy()))
    for one, other in zip(layer.weights, undisturbed.weights, strict=True):
        np.testing.assert_array_equal(one.gradient, other.gradient)
    np.testing.assert_array_equal(layer.forward(x, training=True), undisturbed.forward(x, training=True))


@every_row
def test_several_threads_can_predict_with_one_layer(row):
    layer, x = built(row)
    inputs = [batch((n, *x.shape[1:]), seed=n) for n in range(1, 9)] * 8
    expected = [layer.forward(one).copy() for one in inputs]
    with ThreadPoolExecutor(8) as threads:
        for y, wanted in zip(threads.map(layer.forward, inputs), expected, strict=True):
            np.testing.assert_array_equal(y, wanted)


@every_row
@pytest.mark.parametrize("training", [False, True])
def test_what_a_layer_returns_is_the_callers_own(row, training):
    layer, x = built(row)
    given = x.copy()
    y = layer(x, training=training)
    kept = y.copy()
    layer(x * 3.0, training=training)
    np.testing.assert_array_equal(y, kept)
    y[...] = 0.0
    np.testing.assert_array_equal(x, given)


# --- Shapes, types, configs ---


@every_row
@pytest.mark.parametrize("training", [False, True])
def test_the_output_has_the_shape_that_was_announced(row, training):
    layer, x = built(row)
    announced = layer.compute_output_shape((None, *x.shape[1:]))
    assert announced == (None, *layer.forward(x, training).shape[1:])


@every_row
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_layer_stays_within_its_type(row, training, dtype):
    layer, x = built(row, dtype=dtype)
    assert layer.forward(x, training).dtype == dtype
    assert layer(x.round().astype("int64"), training).dtype == dtype
    assert all(weight.dtype == dtype for weight in layer.weights)


@every_trained_row
def test_gradients_of_a_float32_layer_are_float32(row):
    layer, x = built(row, dtype="float32")
    y = layer.forward(x, training=True)
    assert layer.backward(np.ones_like(y)).dtype == "float32"


@every_row
def test_a_config_is_json_and_makes_the_same_layer(row):
    layer, x = built(row, name="mine")
    copy = copy_of(layer, x.shape)
    assert type(copy) is type(layer)
    assert copy.name == "mine"
    assert copy.get_config() == layer.get_config()
    np.testing.assert_array_equal(copy.forward(x), layer.forward(x))
    if row in TRAINED_THROUGH:
        np.testing.assert_array_equal(copy.forward(x, training=True), layer.forward(x, training=True))


def test_frozen_and_dtype_are_part_of_a_config():
    copy = layers.deserialize(layers.serialize(layers.Dense(2, trainable=False, dtype="float64")))
    assert (copy.trainable, copy.dtype) == (False, "float64")


# --- What each layer does, by hand ---


def test_dense_is_an_affine_map_and_an_activation():
    layer = layers.Dense(2, "relu")
    layer(np.zeros((1, 2)))
    layer.set_weights([[[1.0, -1.0], [10.0, -10.0]], [0.5, 0.5]])
    np.testing.assert_array_equal(layer([[1.0, 2.0], [-1.0, 0.0]]), [[21.5, 0.0], [0.0, 1.5]])


def test_flatten_keeps_the_samples_and_their_order():
    x = np.arange(12.0).reshape(2, 3, 2)
    np.testing.assert_array_equal(layers.Flatten()(x), [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]])
    np.testing.assert_array_equal(layers.Flatten()([1.0, 2.0]), [[1.0], [2.0]])
    assert layers.Flatten().compute_output_shape((None, None, 3)) == (None, None)


def test_dropout_drops_its_share_and_scales_the_rest():
    y = layers.Dropout(0.25, seed=0)(np.ones((400, 100)), training=True)
    assert set(np.unique(y)) == {np.float32(0), np.float32(4 / 3)}
    assert np.mean(y == 0) == pytest.approx(0.25, abs=0.01)
    assert np.mean(y) == pytest.approx(1.0, abs=0.02)


def test_dropout_draws_anew_for_every_batch_and_the_same_for_the_same_seed():
    x = np.ones((10, 10))
    one, other = layers.Dropout(0.5, seed=7), layers.Dropout(0.5, seed=7)
    first = one(x, training=True)
    np.testing.assert_array_equal(other(x, training=True), first)
    assert not np.array_equal(one(x, training=True), first)
    keras.utils.set_random_seed(1)
    unseeded = layers.Dropout(0.5)(x, training=True)
    assert not np.array_equal(layers.Dropout(0.5)(x, training=True), unseeded)
    keras.utils.set_random_seed(1)
    np.testing.assert_array_equal(layers.Dropout(0.5)(x, training=True), unseeded)


def test_dropout_takes_a_numpy_number_as_its_rate():
    assert layers.Dropout(np.float32(0.5)).rate == 0.5


def test_an_input_takes_whole_numbers_of_any_kind():
    assert layers.Input((28, None), batch_size=3).shape == (3, 28, None)
    assert layers.Input(shape=(np.prod((28, 28)),)).shape == (None, 784)


# --- Building ---


def test_a_layer_is_built_by_its_first_batch_once():
    layer = layers.Dense(3)
    assert not layer.built
    assert layer.weights == []
    layer(np.ones((2, 4)))
    kernel = layer.kernel
    layer(np.ones((2, 4)))
    assert layer.kernel is kernel
    assert layer.count_params() == 15


def test_a_layer_can_be_built_by_hand():
    layer = layers.Dense(3)
    layer.build((None, 4))
    assert layer.built
    assert layer.count_params() == 15
    layer(np.ones((2, 4)))
    assert [weight.shape for weight in layer.get_weights()] == [(4, 3), (3,)]


def test_trainable_moves_the_weights_from_one_list_to_the_other():
    class Counting(layers.Layer):
        def build(self, input_shape):
            self.gain = self.add_weight(input_shape[-1:], "ones", name="gain")
            self.count = self.add_weight((), "zeros", name="count", trainable=False)

    layer = Counting()
    layer.ensure_built((None, 2))
    assert (layer.trainable_weights, layer.non_trainable_weights) == ([layer.gain], [layer.count])
    layer.trainable = False
    assert (layer.trainable_weights, layer.non_trainable_weights) == ([], [layer.gain, layer.count])
    layer.trainable = True
    assert (layer.trainable_weights, layer.non_trainable_weights) == ([layer.gain], [layer.count])


class Normalizing(layers.Layer):
    """Declares a statistic between two weights, as Keras' BatchNormalization might."""

    def build(self, input_shape):
        self.gain = self.add_weight((1,), "ones", name="gain")
        self.mean = self.add_weight((2,), "zeros", name="mean", trainable=False)
        self.shift = self.add_weight((3,), "zeros", name="shift")


@pytest.mark.parametrize("frozen", ["nothing", "a weight", "the layer", "the layer, from the start"])
def test_weights_keep_their_order_whatever_is_frozen(frozen):
    layer = Normalizing(trainable=frozen != "the layer, from the start")
    layer.ensure_built((None, 2))
    if frozen == "the layer":
        layer.trainable = False
    elif frozen == "a weight":
        layer.gain.trainable = False
    assert layer.weights == [layer.gain, layer.shift, layer.mean]
    assert [weight.shape for weight in layer.get_weights()] == [(1,), (3,), (2,)]
    assert layer.non_trainable_weights == [weight for weight in layer.weights if not weight.trainable]


def test_names_count_up_and_paths_name_the_layer():
    keras.utils.clear_session()
    assert [layers.Dense(1).name, layers.Dense(1).name, layers.Flatten().name] == ["dense", "dense_1", "flatten"]
    layer = layers.Dense(1, name="head")
    layer(np.ones((1, 2)))
    assert [weight.path for weight in layer.weights] == ["head/kernel", "head/bias"]


# --- Layers of one's own ---


class Scale(layers.Layer):
    """y = s x, with one learned s for each feature."""

    def build(self, input_shape):
        self.s = self.add_weight(shape=input_shape[-1:], initializer="ones", name="s")

    def forward(self, x, training=False):
        if training:
            self.x = x
        return x * self.s.value

    def backward(self, dy):
        np.sum(dy * self.x, axis=0, out=self.s.gradient)
        return dy * self.s.value


def test_a_layer_of_ones_own_is_trained_like_any_other():
    model = keras.Sequential([keras.Input((2,)), Scale()])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x = batch((50, 2))
    model.fit(x, x * [2.0, -3.0], epochs=60, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], [2.0, -3.0], atol=1e-2)


class Smooth(layers.Layer):
    """Ends in a softmax that it calls itself, and keeps it under a name that Dense uses too."""

    def __init__(self, activation):
        super().__init__()
        self.activation = activation

    def forward(self, x, training=False):
        self.y = activations.get(self.activation)(x)
        return self.y

    def backward(self, dy):
        return activations.get(self.activation).backward(dy, self.y)


@pytest.mark.parametrize("kept", ["softmax", activations.softmax])
def test_a_layer_of_ones_own_may_keep_its_activation_as_it_likes(kept):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2), Smooth(kept)])
    model.compile("sgd", "categorical_crossentropy")
    before = model.evaluate(np.eye(2), np.eye(2), verbose=0)
    assert model.fit(np.eye(2), np.eye(2), epochs=20, verbose=0).history["loss"][-1] < before


def test_an_overridden_forward_is_what_the_loss_sees():
    class Sharper(layers.Dense):
        def forward(self, x, training=False):
            return super().forward(3.0 * x, training)

    model = keras.Sequential([keras.Input((2,)), Sharper(2, "softmax")])
    model.compile("sgd", "categorical_crossentropy")
    x, y = batch((6, 2)), np.eye(2)[[0, 1, 0, 1, 0, 1]]
    of_predictions = keras.losses.CategoricalCrossentropy()(y, model.predict(x, verbose=0))
    assert model.evaluate(x, y, verbose=0) == pytest.approx(of_predictions, rel=1e-5)


def test_a_layer_without_its_methods_says_which_is_missing():
    with pytest.raises(NotImplementedError, match=r"Layer Layer does not have a `call\(\)` method implemented"):
        layers.Layer()(np.ones((1, 1)))
    with pytest.raises(NotImplementedError, match=r"`backward\(self, dy\)` .* defines `call\(self, x\)` in its"):
        layers.Layer().backward(np.ones((1, 1)))


# --- Bad input ---


@pytest.mark.parametrize("units", [0, -3, 2.5, "10", None, True])
def test_units_must_be_a_positive_whole_number(units):
    with pytest.raises(ValueError, match=f"`units`, expected a positive integer. Received: units={units!r}"):
        layers.Dense(units)


def test_dense_takes_a_numpy_whole_number():
    assert layers.Dense(np.int64(3)).units == 3


@pytest.mark.parametrize("rate", [-0.1, 1.5, "half", None])
def test_a_rate_must_be_a_share(rate):
    with pytest.raises(ValueError, match=f"`rate`. Expected a float value between 0 and 1. Received: rate={rate!r}"):
        layers.Dropout(rate)


@pytest.mark.parametrize("shape", [784, "784", (0,), (-1,), (2.5,)])
def test_an_input_shape_must_be_a_tuple_of_whole_numbers(shape):
    with pytest.raises(ValueError, match=r"`shape` must be a tuple of whole numbers.*Received: shape="):
        layers.Input(shape)


@pytest.mark.parametrize("dtype", ["int32", "float16", "str", "nonsense"])
def test_a_type_that_cannot_be_trained_in_is_refused_at_once(dtype):
    with pytest.raises(ValueError, match=f"float32.*{dtype}|{dtype}.*float32"):
        layers.Dense(3, dtype=dtype)


def test_unknown_names_come_with_the_nearest_known_one():
    with pytest.raises(ValueError, match=r"Unknown activation: 'sigmoidd'\. Did you mean 'sigmoid'\?"):
        layers.Dense(3, "sigmoidd")
    with pytest.raises(ValueError, match=r"Unknown initializer: 'he_norml'\. Did you mean 'he_normal'\?"):
        layers.Dense(3, kernel_initializer="he_norml")
    with pytest.raises(ValueError, match=r"Unknown layer: 'Dens'\. Did you mean 'dense'\?"):
        layers.deserialize({"class_name": "Dens", "config": {}})


@pytest.mark.parametrize("shape", [(2, 5), (2,), (2, 4, 5)])
def test_a_batch_of_the_wrong_width_is_named_with_the_layer(shape):
    layer = layers.Dense(3, name="hidden")
    layer(np.ones((2, 4)))
    with pytest.raises(
        ValueError, match=rf'layer "hidden".*value 4, but received input with shape {re.escape(str(shape))}'
    ):
        layer(np.ones(shape))


def test_dense_needs_features():
    with pytest.raises(ValueError, match=r"Layer 'hidden' needs inputs of shape \(n, d\)"):
        layers.Dense(3, name="hidden")(np.ones(2))


def test_set_weights_sets_all_or_nothing():
    layer = layers.Dense(3, name="hidden")
    layer(np.ones((2, 4)))
    before = layer.get_weights()
    with pytest.raises(ValueError, match="layer 'hidden' with a weight list of length 1, but it was expecting 2"):
        layer.set_weights([np.zeros((4, 3))])
    with pytest.raises(ValueError, match=r"hidden/bias of layer 'hidden' has shape \(3,\).*has shape \(2,\)"):
        layer.set_weights([np.zeros((4, 3)), np.zeros(2)])
    for weight, value in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, value)


@pytest.mark.parametrize("value", [np.zeros((4, 3)), None, Variable(np.zeros((4, 3)))])
def test_a_weight_cannot_be_replaced_only_assigned(value):
    layer = layers.Dense(3, name="hidden")
    layer(np.ones((2, 4)))
    with pytest.raises(
        AttributeError, match=r"`kernel` of layer 'hidden' is a view.*use `layer.kernel.assign\(value\)`"
    ):
        layer.kernel = value


def test_counting_an_unbuilt_layer_says_how_to_build_it():
    with pytest.raises(ValueError, match=r"`count_params` on layer 'hidden', but the layer isn't built"):
        layers.Dense(3, name="hidden").count_params()


def test_a_mask_that_does_not_fit_a_softmax_is_refused():
    with pytest.raises(ValueError, match="`mask` that can be broadcast"):
        layers.Softmax()(np.zeros((1, 3)), mask=np.ones((2, 3)))
    np.testing.assert_array_equal(layers.Softmax()(np.zeros((2, 2)), mask=np.array([[1, 0]])), [[1, 0], [1, 0]])


def test_an_input_that_may_be_missing_is_refused():
    assert layers.InputLayer((2,), optional=False).optional is False
    with pytest.raises(ValueError, match="`optional=True` is not supported"):
        layers.InputLayer((2,), optional=True)
