"""Layers of whole numbers, and what is measured from data: embeddings, categories, means and variances."""

import json

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers

TOKENS = np.array([[0, 2, 2], [3, 1, 0]])


@pytest.mark.parametrize("dtype", ["int64", "float32", "uint8"])
def test_an_embedding_gives_rows_of_its_table(dtype):
    layer = layers.Embedding(4, 2)
    y = layer(TOKENS.astype(dtype))
    np.testing.assert_array_equal(y, layer.embeddings.numpy()[TOKENS])
    assert layer.compute_output_shape((None, 3)) == (None, 3, 2)


def test_the_gradient_of_an_embedding_adds_up_equal_numbers():
    model = keras.Sequential(
        [keras.Input((3,), dtype="int32"), layers.Embedding(4, 2), layers.Flatten(), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    assert max(keras.utils.check_gradients(model, TOKENS, np.ones((2, 1))).values()) < 1e-6


def test_a_table_can_be_given():
    weights = np.arange(8.0).reshape(4, 2)
    for given in (weights, [weights]):
        np.testing.assert_array_equal(layers.Embedding(4, 2, weights=given)([[3]]), [[[6.0, 7.0]]])


@pytest.mark.parametrize("bad", [[[4]], [[-1]]])
def test_numbers_without_a_row_are_refused(bad):
    with pytest.raises(ValueError, match="rows for whole numbers from 0 to 3; received"):
        layers.Embedding(4, 2)(bad)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("multi_hot", [[1, 0, 1, 0], [1, 1, 0, 1]]),
        ("count", [[1, 0, 2, 0], [1, 1, 0, 1]]),
        ("one_hot", np.eye(4)[TOKENS]),
    ],
)
def test_categories(mode, expected):
    layer = layers.CategoryEncoding(4, mode)
    np.testing.assert_array_equal(layer(TOKENS), expected)
    assert layer.compute_output_shape((None, 3)) == (None, *np.shape(expected)[1:])
    twin = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    np.testing.assert_array_equal(twin(TOKENS), expected)


def test_a_category_a_sample():
    np.testing.assert_array_equal(layers.CategoryEncoding(3, "one_hot")([[1], [2]]), [[0, 1, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.CategoryEncoding(3)([[3]]), "Input values must be in the range 0 <= values < num_tokens"),
        (lambda: layers.CategoryEncoding(), "num_tokens must be set"),
        (lambda: layers.CategoryEncoding(3, "int"), "Unknown arg for output_mode: int"),
        (lambda: layers.Embedding(0, 3), "`input_dim` must be a whole number of at least 1"),
        (lambda: layers.Embedding(3, 3, lora_rank=2), "`lora_rank` is out of scope"),
        (lambda: layers.Normalization(mean=1.0), "both `mean` and `variance` must be set"),
        (lambda: layers.Normalization(mean=1.0, variance=1.0).adapt(np.ones((2, 2))), "Cannot `adapt`"),
        (lambda: layers.Normalization(mean=1.0, variance=[1.0, 2.0]), "must have the same shape"),
        (
            lambda: layers.Normalization(mean=[[1.0]], variance=[[1.0]]),
            r"equal to the number of axes \(1\)",
        ),
        (
            lambda: layers.CategoryEncoding(3)([[0]], count_weights=[[2.0]]),
            "not used when `output_mode`",
        ),
        (lambda: layers.CategoryEncoding(3, "count")([[0]], count_weights=[1.0]), r"shape of the input, \(1, 1\)"),
        (lambda: layers.CategoryEncoding(3, "count")(keras.Input((2,)), count_weights=[[1.0]]), "not within a model"),
        (lambda: layers.Normalization().adapt([]), "received no data"),
        (lambda: layers.Normalization().adapt(np.ones((0, 3))), "received no data"),
        (lambda: layers.Normalization(axis=3)(np.ones((2, 2))), r"in the range \[-ndim, ndim\)"),
        (lambda: layers.GaussianNoise(-1.0), "`stddev`"),
        (lambda: layers.GaussianDropout(1.0), "less than 1"),
        (lambda: layers.Reshape((-1, -1)), "at most one unknown dimension"),
        (lambda: layers.Reshape((3, 3))(np.ones((2, 4))), "total size of the tensor must be unchanged"),
        (lambda: layers.BatchNormalization(renorm=True), "`renorm` is out of scope"),
        (lambda: layers.BatchNormalization(axis=0)(np.ones((2, 4))), "is not the batch"),
        (lambda: layers.LayerNormalization(axis=5)(np.ones((2, 4))), "needs inputs whose axis 5 exists"),
        (lambda: layers.Dropout(0.5, (3, 1))(np.ones((2, 4)), training=True), "does not fit inputs of shape"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_mean_and_variance_are_measured_in_pieces_as_at_once():
    x = np.random.default_rng(0).normal(3.0, 2.0, size=(50, 4)).astype("float32")
    whole, pieces = layers.Normalization(), layers.Normalization()
    whole.adapt(x)
    pieces.adapt(x[i : i + 7] for i in range(0, 50, 7))
    for one, other in zip(whole.get_weights(), pieces.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    np.testing.assert_allclose(whole(x).mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(whole(x).std(axis=0), 1.0, rtol=1e-4)


def test_mean_and_variance_can_be_seen_in_a_shape_that_fits_the_inputs():
    layer = layers.Normalization()
    assert layer.mean is None
    layer.adapt(np.array([[1.0, 2.0], [3.0, 6.0]]))
    np.testing.assert_allclose(layer.mean.numpy(), [[2.0, 4.0]])
    np.testing.assert_allclose(layer.variance, [[1.0, 4.0]])
    given = layers.Normalization(axis=(1, 2), mean=[1.0, 2.0], variance=[4.0, 4.0])  # of the last axis, for both rows
    np.testing.assert_allclose(given(np.ones((1, 2, 2))), [[[0.0, -0.5], [0.0, -0.5]]])
    np.testing.assert_allclose(given.mean.numpy(), [[[1.0, 2.0], [1.0, 2.0]]])


def test_a_category_counts_what_its_weight_says():
    encoding = layers.CategoryEncoding(3, "count")
    counts = encoding([[0, 1], [2, 2]], count_weights=[[0.5, 2.0], [1.0, 0.25]])
    np.testing.assert_array_equal(counts, [[0.5, 2.0, 0.0], [0.0, 0.0, 1.25]])


def test_running_means_follow_the_batches_and_stand_still_where_frozen():
    x = np.random.default_rng(0).normal(3.0, 2.0, size=(50, 4)).astype("float32")
    layer = layers.BatchNormalization(momentum=0.5)
    for _ in range(30):
        layer(x, training=True)
    np.testing.assert_allclose(layer(x), layer(x, training=True), rtol=1e-4, atol=1e-4)
    layer.trainable = False
    kept = layer.get_weights()
    np.testing.assert_allclose(layer(x + 1, training=True), layer(x + 1), rtol=1e-5, atol=1e-5)
    for now, then in zip(layer.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_frozen_batch_normalization_passes_gradients_on():
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(4), layers.BatchNormalization(trainable=False), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(5, 3))
    assert max(keras.utils.check_gradients(model, x, np.ones((5, 1)), inputs=True).values()) < 1e-6


def test_noise_has_the_spread_that_was_asked_for():
    x = np.ones((200, 100), "float32")
    assert layers.GaussianNoise(0.5, seed=1)(x, training=True).std() == pytest.approx(0.5, rel=0.02)
    assert layers.GaussianDropout(0.2, seed=1)(x, training=True).std() == pytest.approx(0.5, rel=0.02)
    normal = np.random.default_rng(0).normal(size=(500, 100))
    dropped = layers.AlphaDropout(0.3, seed=1)(normal, training=True)
    assert dropped.mean() == pytest.approx(0.0, abs=0.02)
    assert dropped.std() == pytest.approx(1.0, rel=0.02)
