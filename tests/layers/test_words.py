"""Layers for words and categories, beside what the golden programs compare with Keras: arguments, errors, networks."""

import copy
import json
import pickle

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers

WORDS = np.array([["red", "green"], ["red", "blue"], ["red", "green"]])
CODES = np.array([[3, 7], [3, 9], [3, 7]])
AMOUNTS = np.linspace(-2.0, 2.0, 30).reshape(10, 3)
COLUMNS = [WORDS[:, 0], CODES[:, 1]]


def learned(layer, data):
    layer.adapt(data)
    return layer


# How each layer is made, with something to know, and what it is called with.
ROWS = {
    "StringLookup": (lambda: layers.StringLookup(vocabulary=["red", "green"]), WORDS),
    "StringLookup, counting": (
        lambda: layers.StringLookup(
            vocabulary=["red", "b"], output_mode="tf_idf", idf_weights=[1.0, 2.0], max_tokens=5, pad_to_max_tokens=True
        ),
        WORDS,
    ),
    "StringLookup, unknown": (lambda: layers.StringLookup(None, 3, "green", "?", ["red"], salt=(1, 2)), WORDS),
    "IntegerLookup": (lambda: layers.IntegerLookup(vocabulary=[3, 9], num_oov_indices=2, mask_token=0), CODES),
    "IntegerLookup, inverted": (lambda: layers.IntegerLookup(vocabulary=[3, 9], invert=True), CODES),
    "Discretization": (lambda: layers.Discretization([-1.0, 0.0, 1.5], output_mode="count"), AMOUNTS),
    "Discretization, learned": (lambda: learned(layers.Discretization(num_bins=4), AMOUNTS), AMOUNTS),
    "Hashing": (lambda: layers.Hashing(5, mask_value="red", salt=3), WORDS),
    "Hashing, counting": (lambda: layers.Hashing(5, output_mode="multi_hot", dtype="float64"), CODES),
    "HashedCrossing": (lambda: layers.HashedCrossing(5), COLUMNS),
    "HashedCrossing, rows": (lambda: layers.HashedCrossing(5, "one_hot"), COLUMNS),
    "TextVectorization": (lambda: layers.TextVectorization(vocabulary=["red"], output_sequence_length=3), WORDS[:, 0]),
    "TextVectorization, pairs": (
        lambda: layers.TextVectorization(vocabulary=["red"], ngrams=(1, 2), output_mode="count"),
        ["red red", "green"],
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_copy_does_the_same(row):
    make, x = ROWS[row]
    layer = make()
    expected = layer(x)
    for twin in (
        layers.deserialize(json.loads(json.dumps(layers.serialize(layer)))),
        copy.deepcopy(layer),
        pickle.loads(pickle.dumps(layer)),
    ):
        np.testing.assert_array_equal(twin(x), expected)
        assert twin.get_config() == layer.get_config()


@pytest.mark.parametrize("row", ROWS)
def test_shapes_and_types_are_known_before(row):
    make, x = ROWS[row]
    layer = make()
    several = isinstance(x, list) and not isinstance(x[0], str)
    arrays = [np.asarray(one) for one in (x if several else [x])]
    kinds = {"U": "string", "i": "int64", "f": "float32"}
    inputs = [keras.Input(one.shape[1:], dtype=kinds[one.dtype.kind]) for one in arrays]
    tensor = layer(inputs if several else inputs[0])
    y = layer(x)
    assert (len(y), *tensor.shape[1:]) == y.shape
    assert tensor.dtype == ("string" if y.dtype == object else y.dtype)
    predicted = keras.Model(inputs, tensor).predict(arrays if several else arrays[0], verbose=0)
    np.testing.assert_array_equal(predicted, y)


def test_a_network_learns_from_words():
    lookup = layers.StringLookup()
    words, labels = np.array(["yes", "no", "maybe"] * 30), np.array([0, 1, 2] * 30)
    lookup.adapt(words)
    embedded = [layers.Embedding(4, 8), layers.Flatten(), layers.Dense(3, "softmax")]
    model = keras.Sequential([keras.Input((1,), dtype="string"), lookup, *embedded])
    model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(words, labels, epochs=10, batch_size=16, verbose=0, validation_split=0.1)
    assert model.evaluate(words, labels, verbose=0)[1] == 1.0
    found = model.predict(["no", "yes"], verbose=0)
    assert found.argmax(axis=1).tolist() == [1, 0]
    np.testing.assert_array_equal(found, model(np.array([["no"], ["yes"]])))
    np.testing.assert_array_equal(found, model.predict(np.array([b"no", b"yes"]), verbose=0))


def test_the_first_layer_says_what_a_network_without_input_takes():
    model = keras.Sequential([layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot"), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.array([["a"], ["b"]]), np.ones(2), verbose=0)
    assert model.input_dtypes == ["object"]


def test_batches_of_a_generator_may_hold_words():
    lookup = layers.StringLookup(vocabulary=["a", "b"], output_mode="count")
    model = keras.Sequential([keras.Input((2,), dtype="string"), lookup, layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(((np.array([["a", "b"]]), np.ones((1, 1))) for _ in range(4)), steps_per_epoch=4, verbose=0)
    assert np.isfinite(history.history["loss"][0])


def test_gradients_stop_at_a_bin():
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(2), layers.Discretization([0.0], output_mode="count"), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    before = model.layers[0].kernel.numpy()
    model.fit(AMOUNTS, np.ones(10), verbose=0)
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), before)


def test_words_from_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes("red\n\u0085blue\ngreen\r\n".encode())
    for layer in (layers.StringLookup(vocabulary=str(path)), layers.StringLookup()):
        layer.set_vocabulary(path)
        assert layer.get_vocabulary() == ["[UNK]", "red", "\u0085blue", "green"]
    assert layers.StringLookup(vocabulary=str(path)).get_config()["vocabulary"] is None
    codes = tmp_path / "codes.txt"
    codes.write_text("3\n-9\n")
    assert layers.IntegerLookup(vocabulary=str(codes)).get_vocabulary() == [-1, 3, -9]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "is no text in UTF-8: byte 0"),
        (b"red\nred", "at least one repeated term.*'red'"),
        (b"", "Cannot set an empty vocabulary"),
    ],
)
def test_files_that_hold_no_vocabulary(tmp_path, content, message):
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        layers.StringLookup(vocabulary=str(path))


@pytest.mark.parametrize("line", ["1.5", "x", "9" * 30, "9" * 19, ""])
def test_a_file_of_numbers_holds_numbers(tmp_path, line):
    path = tmp_path / "codes.txt"
    path.write_text(f"3\n{line}\n5")
    with pytest.raises(ValueError, match="whole number"):
        layers.IntegerLookup(vocabulary=str(path))


@pytest.mark.parametrize("cls", [layers.StringLookup, layers.IntegerLookup, layers.TextVectorization])
def test_no_config_names_a_file(tmp_path, cls):
    path = tmp_path / "words.txt"
    path.write_text("3")
    with pytest.raises(ValueError, match="loading of a vocabulary file outside of the model archive"):
        cls.from_config({**cls().get_config(), "vocabulary": str(path)})


def test_functions_clean_and_split():
    def shouted(texts):
        return np.char.upper(texts)

    def at_commas(texts):
        return [str(text).split(",") for text in texts]

    layer = layers.TextVectorization(standardize=shouted, split=at_commas, vocabulary=["A", "B"])
    assert layer(["a,b,c", "b"]).tolist() == [[2, 3, 1], [3, 0, 0]]
    config = json.loads(json.dumps(layers.serialize(layer)))
    with pytest.raises(ValueError, match="Could not locate function"):
        layers.deserialize(config)
    again = layers.deserialize(config, custom_objects={"shouted": shouted, "at_commas": at_commas})
    assert again(["b"]).tolist() == [[3]]
    with pytest.raises(ValueError, match="must return a list of words for each text"):
        layers.TextVectorization(split=lambda texts: [["a"]], vocabulary=["a"])(["a", "b"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.StringLookup(max_tokens=1), "`max_tokens` must be greater than 1"),
        (lambda: layers.StringLookup(pad_to_max_tokens=True), "must set `max_tokens`"),
        (lambda: layers.StringLookup(num_oov_indices=-1), "`num_oov_indices` must be greater than or equal to 0"),
        (lambda: layers.StringLookup(output_mode="hot"), "Unknown value for `output_mode` argument of StringLookup"),
        (lambda: layers.StringLookup(invert=True, output_mode="count"), "`output_mode` must be `'int'`"),
        (lambda: layers.StringLookup(idf_weights=[1.0]), "`idf_weights` should only be set"),
        (lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf"), "the `idf_weights` argument must also"),
        (lambda: layers.StringLookup(vocabulary=["a"]).adapt(["b"]), "after setting a static vocabulary"),
        (lambda: layers.StringLookup(vocabulary=["a", "b", "a"]), "repeated term.*'a'"),
        (lambda: layers.StringLookup(vocabulary=["a", ""], mask_token=""), "Found reserved mask token"),
        (lambda: layers.StringLookup(vocabulary=["a", "[UNK]"], invert=True), "Found reserved OOV token"),
        (lambda: layers.StringLookup(vocabulary=["a", "b"], max_tokens=2), "larger than the maximum vocab size"),
        (lambda: layers.StringLookup(vocabulary="no such file"), "Vocabulary file no such file does not exist"),
        (lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), r"found OOV values \['b'\]"),
        (lambda: layers.StringLookup(vocabulary=["a"])([1]), "must hold texts"),
        (lambda: layers.StringLookup(sparse=True, output_mode="count"), "`sparse=True` is out of scope"),
        (lambda: layers.StringLookup(encoding="nonsense"), "`encoding` must be one that Python knows"),
        (lambda: layers.StringLookup(salt=(1, 2, 3)), "`salt` argument for `StringLookup`"),
        (lambda: layers.StringLookup(oov_token=3), "`oov_token` must be a text"),
        (lambda: layers.IntegerLookup(salt=3), "`salt` can only be used when `oov_method='farmhash'`"),
        (lambda: layers.IntegerLookup(vocabulary_dtype="int32"), "Only `vocabulary_dtype='int64'`"),
        (lambda: layers.IntegerLookup(vocabulary=[1.5]), "takes whole numbers: `vocabulary` holds 1.5"),
        (lambda: layers.IntegerLookup(vocabulary=[1])(["a"]), "Words are for `StringLookup`"),
        (lambda: layers.Discretization(), "either `num_bins` or `bin_boundaries`"),
        (lambda: layers.Discretization([1.0], 3), "Both `num_bins` and `bin_boundaries`"),
        (lambda: layers.Discretization([1.0, 0.0]), "numbers in ascending order"),
        (lambda: layers.Discretization(num_bins=-1), "`num_bins` must be greater than or equal to 0"),
        (lambda: layers.Discretization(num_bins=3)([1.0]), "call `adapt"),
        (lambda: layers.Discretization([0.0]).adapt(AMOUNTS), "Cannot adapt a Discretization layer"),
        (lambda: layers.Discretization(num_bins=2).adapt(np.array([np.nan])), "received nan, which lies in no bin"),
        (lambda: layers.Discretization(num_bins=2).adapt([]), "received no data"),
        (lambda: layers.Hashing(0), "`num_bins` for `Hashing` cannot be `None` or non-positive"),
        (lambda: layers.Hashing(3, dtype="float32"), "`dtype` of Hashing should be an integer type"),
        (lambda: layers.Hashing(3, output_mode="tf_idf"), "Unknown value for `output_mode`"),
        (lambda: layers.HashedCrossing(3)(["a"]), "at least two inputs"),
        (lambda: layers.HashedCrossing(3)([WORDS, WORDS]), r"should have shape `\(\)`"),
        (lambda: layers.HashedCrossing(3)([WORDS[:, 0], CODES[:2, 0]]), "should have equal shape"),
        (lambda: layers.HashedCrossing(3)([np.ones(2), np.ones(2)]), "integer or string dtype"),
        (lambda: layers.TextVectorization(ragged=True), "`ragged=True` is out of scope"),
        (lambda: layers.TextVectorization(standardize="upper"), "Unknown value for `standardize`"),
        (lambda: layers.TextVectorization(split="comma"), "Unknown value for `split`"),
        (lambda: layers.TextVectorization(ngrams=[1]), "`ngrams` must be None, an integer, or a tuple"),
        (lambda: layers.TextVectorization(output_sequence_length=1.5), "`output_sequence_length` must be either"),
        (lambda: layers.TextVectorization(output_mode="count", output_sequence_length=3), "must not be set"),
        (lambda: layers.TextVectorization(vocabulary=["a"])(WORDS), "the last shape dimension must be 1"),
        (lambda: layers.TextVectorization(vocabulary=["a"]).adapt(["b"]), "after setting a static vocabulary"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_rows_need_a_vocabulary_and_keep_their_length():
    layer = layers.StringLookup(output_mode="count")
    with pytest.raises(RuntimeError, match="you must set the layer's vocabulary before calling it"):
        layer(["a"])
    layer.adapt(["a", "b"])
    with pytest.raises(RuntimeError, match="Old vocab size is 3, new vocab size is 4"):
        layer.adapt(["a", "b", "c"])
    with pytest.raises(RuntimeError, match="Old vocab size is 3, new vocab size is 2"):
        layer.set_vocabulary(["a"])


def test_numbers_without_end_in_a_config_cost_nothing():
    layers.StringLookup(num_oov_indices=10**12, vocabulary=["a"])
    layers.TextVectorization(ngrams=10**12, vocabulary=["a"])(["a b"])
