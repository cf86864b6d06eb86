"""Padding is left out of the mean over the steps, however it gets there."""

import numpy as np
import pytest

import multilayer as keras
from helpers.gradients import assert_gradient
from multilayer import layers
from multilayer._core import masks

WORDS = np.array([[1, 2, 0], [3, 0, 0], [0, 0, 0], [2, 3, 1]])
Y = np.array([[1.0], [0.0], [0.5], [-1.0]])


def network(*between, **embedding):
    model = keras.Sequential(
        [keras.Input((3,)), layers.Embedding(4, 2, **embedding), *between, layers.GlobalAveragePooling1D()]
    )
    model.add(layers.Dense(1))
    return model


def mean_without_padding(model, words):
    table = model.layers[0].embeddings.value
    counts = (words != 0).astype("float32")
    return (table[words] * counts[..., None]).sum(axis=1) / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)


def test_the_mean_is_of_words_alone():
    model = network(layers.Dropout(0.5), mask_zero=True)
    kernel, bias = model.layers[-1].get_weights()
    expected = mean_without_padding(model, WORDS) @ kernel + bias
    np.testing.assert_allclose(model.predict(WORDS, verbose=0), expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(model(WORDS), expected, rtol=1e-5, atol=1e-7)
    unmasked = network()
    unmasked.set_weights(model.get_weights())
    assert not np.allclose(unmasked.predict(WORDS, verbose=0)[:3], expected[:3])


def test_training_goes_where_words_without_padding_go():
    """Row 0 of the table gets no gradient, and the others that of a mean over the words there are."""
    model = network(mask_zero=True)
    model.compile("sgd", "mse")
    before = model.get_weights()
    found = keras.utils.check_gradients(model, WORDS, Y)
    model.fit(WORDS, Y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0][0], before[0][0])
    assert not np.array_equal(model.get_weights()[0][1:], before[0][1:])
    assert found is not None


def test_a_mask_goes_through_a_model_within_and_through_a_file(tmp_path):
    words = keras.Input((3,))
    inner = keras.Sequential([keras.Input((3,)), layers.Embedding(4, 2, mask_zero=True), layers.Activation("tanh")])
    model = keras.Model(words, layers.Dense(1)(layers.GlobalAveragePooling1D()(inner(words))))
    table, kernel, bias = model.get_weights()
    counts = (WORDS != 0).astype("float32")[..., None]
    mean = (np.tanh(table[WORDS]) * counts).sum(axis=1) / np.maximum(counts.sum(axis=1), 1.0)
    np.testing.assert_allclose(model.predict(WORDS, verbose=0), mean @ kernel + bias, rtol=1e-5, atol=1e-7)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(WORDS, verbose=0), model.predict(WORDS, verbose=0))
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy.predict(WORDS, verbose=0), model.predict(WORDS, verbose=0))


def test_a_flattened_text_has_no_mask():
    model = keras.Sequential([keras.Input((3,)), layers.Embedding(4, 2, mask_zero=True), layers.Flatten()])
    model.add(layers.Dense(1))
    model.compile("sgd", "mse")
    model.fit(WORDS, Y, verbose=0)
    assert [type(call.layer).__name__ for call in model.flat_graph().calls] == ["Embedding", "Flatten", "Dense"]


# --- Losses and metrics: tests/golden/mask_programs.py holds them to Keras ---

TAGS = np.array([[1, 0, 2], [2, 1, 1], [0, 0, 0], [1, 2, 0]])


def tagger(loss, **metrics):
    model = keras.Sequential(
        [keras.Input((3,)), layers.Embedding(4, 2, mask_zero=True), layers.Dense(3, activation="softmax")]
    )
    model.compile("sgd", loss, **metrics)
    return model


def test_weights_of_samples_belong_to_all_steps_that_count():
    """Keras multiplies weights (n,) with a mask (n, steps), which has no meaning."""
    model = tagger(
        "sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["sparse_top_k_categorical_accuracy"]
    )
    weights, counts = np.array([1.0, 2.0, 3.0, 4.0]), WORDS != 0
    right = np.take_along_axis(model.predict(WORDS, verbose=0), TAGS[..., None], axis=-1)[..., 0]
    losses = -np.log(right) * weights[:, None]
    found = model.evaluate(WORDS, TAGS, sample_weight=weights, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(losses[counts].mean(), rel=1e-5)
    assert found["sparse_top_k_categorical_accuracy"] == 1.0


def test_a_class_to_ignore_and_a_mask_make_one_mean_of_what_both_leave():
    model = tagger(keras.losses.SparseCategoricalCrossentropy(ignore_class=2))
    counts = (WORDS != 0) & (TAGS != 2)
    right = np.take_along_axis(model.predict(WORDS, verbose=0), TAGS[..., None], axis=-1)[..., 0]
    expected = -np.log(right)[counts].mean()
    assert model.evaluate(WORDS, TAGS, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert model.loss(TAGS, model(WORDS)) == pytest.approx(expected, rel=1e-5)
    assert keras.utils.check_gradients(model, WORDS, TAGS) is not None


def test_no_metric_counts_padding():
    """Keras leaves it out of means alone, and counts it in precision and its kin."""
    model = keras.Sequential([keras.Input((3,)), layers.Embedding(4, 1, mask_zero=True)])
    model.set_weights([np.array([[1.0], [1.0], [0.0], [1.0]])])
    model.compile("sgd", "mse", metrics=["precision", "recall", keras.metrics.BinaryAccuracy()])
    truth = (WORDS == 1)[..., None].astype("float32")
    found = model.evaluate(WORDS, truth, verbose=0, return_dict=True)
    assert (found["precision"], found["recall"]) == (0.5, 1.0)  # of two 1s and two 3s that are no padding
    assert found["binary_accuracy"] == pytest.approx(4 / 6)


def test_nothing_but_padding_is_no_loss():
    model = tagger("sparse_categorical_crossentropy")
    before = model.get_weights()
    assert model.evaluate(WORDS[2:3], TAGS[2:3], verbose=0) == 0.0
    model.fit(WORDS[2:3], TAGS[2:3], verbose=0)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_plain_function_and_a_number_for_a_batch_heed_masks():
    def of_steps(y_true, y_pred):
        return np.mean((y_pred - y_true) ** 2, axis=-1)

    x, y = np.array([[[1.0], [2.0], [0.0]], [[3.0], [0.0], [0.0]]]), np.zeros((2, 3, 1))
    model = keras.Sequential([keras.Input((3, 1)), layers.Masking(), layers.Dense(1, kernel_initializer="ones")])
    for loss, expected in ((of_steps, 14 / 3), (lambda t, p: np.mean((p - t) ** 2), 14 / 6)):
        model.compile("sgd", loss)
        assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-6)
        assert keras.utils.check_gradients(model, x, y) is not None


def test_a_layer_that_does_not_hand_a_mask_on_says_so_as_in_keras():
    class Twice(layers.Layer):
        def call(self, x):
            return 2 * x

    with pytest.warns(UserWarning, match="which it does not hand on: .*supports_masking = True"):
        Twice()(layers.Masking()(np.ones((2, 3, 2))))
    assert not Twice().supports_masking


def test_masks_are_forgotten_with_what_they_belong_to():
    words = layers.Embedding(4, 2, mask_zero=True)(WORDS)
    np.testing.assert_array_equal(masks.mask_of(words), WORDS != 0)
    del words
    assert masks.none_is_known()


@pytest.mark.parametrize(("value", "shape"), [("0", (3, 2)), (0.0, ())])
def test_a_step_is_full_of_a_number(value, shape):
    with pytest.raises(ValueError, match="`mask_value` must be a number|no axis that a step could be"):
        layers.Masking(value)(np.ones((2, *shape)))


def test_a_step_of_a_masked_network_is_laid_open():
    model = network(mask_zero=True)
    model.compile("sgd", "mse")
    assert "embedding" in str(model.trace(WORDS, Y)).lower()


ONE = np.array([[[0, 0], [1, 2], [0, 0], [3, 4]]], "float32")
OTHER = np.array([[[0, 0], [0, 0], [1, 2], [3, 4]]], "float32")


@pytest.mark.parametrize(
    ("layer", "both", "expected", "mask"),  # as Keras 3.15.1 has them
    [
        (layers.Multiply(), False, [[[0, 0], [0, 0], [1, 2], [9, 16]]], None),
        (layers.Multiply(), True, [[[0, 0], [1, 2], [1, 2], [9, 16]]], [[0, 1, 1, 1]]),
        (layers.Maximum(), True, [[[0, 0], [1, 2], [1, 2], [3, 4]]], [[0, 1, 1, 1]]),
        (layers.Minimum(), False, [[[0, 0], [0, 0], [1, 2], [3, 4]]], None),
        (layers.Minimum(), True, [[[0, 0], [1, 2], [1, 2], [3, 4]]], [[0, 1, 1, 1]]),
        (layers.Concatenate(1), False, np.concatenate([ONE, OTHER], 1), [[0, 1, 0, 1, 1, 1, 1, 1]]),
        (layers.Concatenate(2), False, np.concatenate([ONE, OTHER], 2), [[1, 1, 1, 1]]),
    ],
)
def test_what_a_masked_step_is_among_others(layer, both, expected, mask):
    masking = layers.Masking()
    merged = layer([masking(ONE), masking(OTHER) if both else OTHER])
    np.testing.assert_array_equal(merged, expected)
    np.testing.assert_array_equal(masks.mask_of(merged), mask)
    inputs = [keras.Input((4, 2)), keras.Input((4, 2))]
    drawn = layer([masking(inputs[0]), masking(inputs[1]) if both else inputs[1]])
    model = keras.Model(inputs, layers.GlobalAveragePooling1D()(drawn))
    mean = layers.GlobalAveragePooling1D()(merged)
    np.testing.assert_allclose(model.predict([ONE, OTHER], verbose=0), mean, rtol=1e-6)
    model = keras.Model(inputs, drawn)
    model.compile("sgd", "mse", metrics=["mae"])
    loss, _ = model.evaluate([ONE, OTHER], 0.0 * merged, verbose=0)
    squares = np.mean(np.square(expected), axis=-1)
    assert loss == pytest.approx(squares.mean() if mask is None else squares[np.array(mask, bool)].mean())


def test_what_a_mask_leaves_out_of_a_product_gets_no_gradient():
    keras.utils.set_random_seed(0)
    inputs = [keras.Input((4, 2)), keras.Input((4, 2))]
    scale = layers.Dense(2, use_bias=False)
    model = keras.Model(inputs, layers.Multiply()([scale(layers.Masking()(inputs[0])), inputs[1]]))
    model.compile(keras.optimizers.SGD(1.0), "mse")
    before = model.get_weights()[0]
    # Steps 0 and 2 of the first input are left out: only step 3 meets anything in the second but zeros.
    slope = 2.0 * ONE[0, 3][:, None] * (ONE[0, 3] @ before) * OTHER[0, 3] ** 2 / 8.0
    model.fit([ONE, OTHER], np.zeros((1, 4, 2)), verbose=0)
    np.testing.assert_allclose(before - model.get_weights()[0], slope, rtol=1e-4)


def test_beside_steps_that_all_count_all_count():
    x = keras.Input((3, 2))
    model = keras.Model(x, layers.GlobalAveragePooling1D()(layers.Add()([layers.Masking(1.0)(x), x])))
    np.testing.assert_allclose(model.predict(np.ones((1, 3, 2)), verbose=0), [[1.0, 1.0]])


class MeanOfWords(layers.Layer):
    def call(self, x, mask=None):
        if mask is None:
            return np.mean(x, axis=1)
        counts = mask[..., None].astype(x.dtype)
        return np.sum(x * counts, axis=1) / np.sum(counts, axis=1)


class Doubled(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x):
        return 2.0 * x


def test_a_layer_of_the_users_takes_a_mask_and_passes_one_on():
    words = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [1, 2, 3, 4]])

    def trained(pooling):
        x = keras.Input((4,), dtype="int32")
        y = layers.Embedding(5, 3, mask_zero=True, embeddings_initializer=keras.initializers.Constant(0.5))(x)
        y = layers.Dense(1, kernel_initializer="ones")(pooling(Doubled()(y)))
        model = keras.Model(x, y)
        model.compile("sgd", "mse")
        model.fit(words, np.array([1.0, 2.0, 3.0]), epochs=3, batch_size=3, shuffle=False, verbose=0)
        np.testing.assert_allclose(model(words), model.predict(words, verbose=0), rtol=1e-6)
        return model.get_weights()

    for ours, theirs in zip(trained(MeanOfWords()), trained(layers.GlobalAveragePooling1D()), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_layer_of_the_users_that_says_nothing_of_masks_passes_none_on():
    class Mean(layers.Layer):
        def call(self, x):
            return np.mean(x, axis=1)

    x = keras.Input((4,), dtype="int32")
    model = keras.Model(x, layers.Dense(1)(Mean()(layers.Embedding(5, 3, mask_zero=True)(x))))
    model.compile("sgd", "mse")
    model.fit(np.array([[1, 2, 0, 0]]), np.array([1.0]), verbose=0)


# --- What else heeds them ---


def test_a_batch_is_normalized_by_the_steps_that_count():
    rng = np.random.default_rng(0)
    x, mask = rng.normal(size=(3, 4, 2)), np.array([[1, 1, 0, 0], [1, 0, 1, 1], [0, 0, 0, 1]], bool)
    layer, alone = (layers.BatchNormalization(dtype="float64") for _ in range(2))
    y = layer(x, training=True, mask=mask)
    np.testing.assert_allclose(y[mask], alone(x[mask], training=True), rtol=1e-12)
    np.testing.assert_allclose(layer.moving_variance.value, alone.moving_variance.value, rtol=1e-12)
    np.testing.assert_array_equal(layer(x, mask=mask), layer(x))  # in use, the running means are those of all

    direction = rng.normal(size=x.shape)

    def loss():
        return float(np.sum(direction * layer.forward([x, mask], training=True)))

    loss()
    dx, none = layer.backward(direction.copy())
    assert none is None
    dx, dgamma = dx.copy(), np.sum(direction * layer._x_hat.reshape(x.shape), axis=(0, 1))
    assert_gradient(dx, loss, x)
    with keras.GradientTape() as tape:
        watched = tape.watch(x)
        value = np.sum(direction * layer(watched, training=True, mask=mask))
    by_x, by_gamma = tape.gradient(value, [watched, layer.gamma])
    np.testing.assert_allclose(by_x, dx, rtol=1e-9)
    np.testing.assert_allclose(by_gamma, dgamma, rtol=1e-9)


def test_a_network_with_masks_is_normalized_as_in_keras():
    words = np.array([[1, 2, 0, 0], [3, 0, 4, 1], [2, 1, 0, 0]])
    x = keras.Input((4,), dtype="int32")
    h = layers.Embedding(5, 2, mask_zero=True)(x)
    model = keras.Model(x, layers.GlobalAveragePooling1D()(layers.BatchNormalization()(h)))
    model.compile("sgd", "mse")
    table = np.arange(10, dtype="float32").reshape(5, 2)
    model.layers[1].set_weights([table])
    model.train_on_batch(words, np.zeros((3, 2)))
    rows = table[words[words != 0]]
    np.testing.assert_allclose(model.layers[2].moving_mean.value, 0.01 * rows.mean(axis=0), rtol=1e-5)


def test_a_merged_step_counts_where_one_of_its_inputs_does():
    a, b = np.array([[True, False, False]]), np.array([[False, True, False]])
    add, xs = layers.Add(), [np.ones((1, 3, 2))] * 2
    assert add.compute_mask(xs, [a, b]).tolist() == [[True, True, False]]
    assert add.compute_mask(xs, [a, None]) is None
    assert add.compute_mask(xs) is None


@pytest.mark.parametrize(
    ("several", "given", "message"),
    [
        (True, np.ones((1, 3), bool), "`previous_mask` should be a list"),
        (False, [None, None], "`inputs` should be a list"),
        (True, [None], "should have the same length"),
    ],
)
def test_of_several_inputs_each_has_its_mask(several, given, message):
    x = np.ones((1, 3, 2))
    with pytest.raises(ValueError, match=message):
        layers.Add().compute_mask([x, x] if several else x, given)


def test_a_watched_array_keeps_its_mask_and_its_gradient():
    embedding = layers.Embedding(5, 2, embeddings_initializer="ones", mask_zero=True)
    words, others = embedding(np.array([[1, 0]])), embedding(np.array([[2, 3]]))
    assert layers.Multiply()([words, others]).numpy().shape == (1, 2, 2)
    model = keras.Sequential([layers.Input((2, 2)), layers.ReLU()])
    with keras.GradientTape() as tape:
        tape.watch(words)
        y = np.sum(layers.Multiply()([words, 3 * others]))
        assert masks.mask_of(model(words)).tolist() == [[True, False]]
    np.testing.assert_array_equal(tape.gradient(y, words), [[[3, 3], [0, 0]]])


def test_a_batch_that_is_watched_is_normalized_with_a_mask():
    x = keras.ops.convert_to_tensor(np.arange(6.0).reshape(1, 3, 2))
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = np.sum(layers.BatchNormalization()(x, training=True, mask=np.array([[1, 1, 0]], bool)) ** 3)
    assert np.any(tape.gradient(y, x))
