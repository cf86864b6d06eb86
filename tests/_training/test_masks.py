"""Padding is left out of the mean over the steps, however it gets there."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers

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


def test_a_loss_of_steps_that_do_not_count_is_refused():
    model = keras.Sequential([keras.Input((3, 2)), layers.Masking(), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((2, 3, 2))
    assert model.predict(x, verbose=0).shape == (2, 3, 1)
    for use in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match="has steps that `Masking`, or an `Embedding` with `mask_zero`, leaves"):
            use(x, np.ones((2, 3, 1)), verbose=0)


@pytest.mark.parametrize(("value", "shape"), [("0", (3, 2)), (0.0, ())])
def test_a_step_is_full_of_a_number(value, shape):
    with pytest.raises(ValueError, match="`mask_value` must be a number|no axis that a step could be"):
        layers.Masking(value)(np.ones((2, *shape)))


def test_a_step_of_a_masked_network_is_laid_open():
    model = network(mask_zero=True)
    model.compile("sgd", "mse")
    assert "embedding" in str(model.trace(WORDS, Y)).lower()


def test_sequences_one_after_the_other_have_no_mask_that_is_carried_on():
    x = keras.Input((3, 2))
    both = layers.Concatenate(axis=1)([layers.Masking()(x), layers.Masking(1.0)(x)])
    model = keras.Model(x, layers.GlobalAveragePooling1D()(both))
    with pytest.raises(ValueError, match="puts sequences one after the other"):
        model.predict(np.ones((2, 3, 2)), verbose=0)


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
