"""What people have for inputs: sparse matrices, frames, an axis too many, and what is none at all."""

import numpy as np
import pytest

import multilayer as keras
from helpers.classifier import LABELS, X, classifier
from multilayer import layers

HALF = np.where(X > 0, X, 0).astype("float32")

# --- Sparse matrices: what they give is what their arrays give ---


def sparse(form="csr"):
    return pytest.importorskip("scipy.sparse").coo_matrix(HALF).asformat(form)


def twins():
    models = [classifier(), classifier()]
    models[1].set_weights(models[0].get_weights())
    return models


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "dok", "lil"])
@pytest.mark.parametrize("shuffle", [False, True])
def test_sparse_matrices_are_trained_on_as_their_arrays_are(form, shuffle):
    x, (one, other) = sparse(form), twins()
    arguments = {"epochs": 2, "batch_size": 16, "shuffle": shuffle, "verbose": 0, "validation_split": 0.2}
    histories = []
    for model, data in ((one, x), (other, HALF)):
        keras.utils.set_random_seed(0)
        histories.append(model.fit(data, LABELS, **arguments).history)
    assert histories[0] == histories[1]


def test_sparse_matrices_go_in_wherever_arrays_do():
    x, (one, other) = sparse(), twins()
    calls = [
        lambda model, x: model(x),
        lambda model, x: model.predict(x, verbose=0),
        lambda model, x: model.predict_on_batch(x),
        lambda model, x: model.evaluate(x, LABELS, verbose=0),
        lambda model, x: model.test_on_batch(x, LABELS),
        lambda model, x: model.train_on_batch(x, LABELS),
        lambda model, x: model.fit(X, LABELS, validation_data=(x, LABELS), shuffle=False, verbose=0).history[
            "val_loss"
        ],
        lambda model, x: model.fit(((x[i : i + 20], LABELS[i : i + 20]) for i in (0, 20)), verbose=0).history["loss"],
        lambda model, x: model.layers[0](x),
    ]
    for call in calls:
        np.testing.assert_array_equal(call(one, x), call(other, HALF))
    doubles = x.astype("float64")
    np.testing.assert_array_equal(one.predict(doubles, verbose=0), other.predict(HALF, verbose=0))


def test_a_wide_sparse_matrix_is_never_made_dense_as_a_whole():
    scipy = pytest.importorskip("scipy.sparse")
    rows, columns = 3000, 30_000  # 360 MB of float32, if it were
    x = scipy.csr_matrix((np.ones(rows, "float32"), (np.arange(rows), np.arange(rows))), shape=(rows, columns))
    model = keras.Sequential([keras.Input((columns,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    import tracemalloc

    tracemalloc.start()
    y = model.predict(x, verbose=0)
    model.fit(x, np.ones(rows), verbose=0)
    model.evaluate(x, np.ones(rows), verbose=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(y, np.ones((rows, 1)))
    assert peak < 60e6


def test_sparse_matrices_that_do_not_fit():
    scipy = pytest.importorskip("scipy.sparse")
    x = HALF.copy()
    x[3, 1] = np.nan
    for data, message in (
        (x, r"`x` holds nan at index \(3, 1\)"),
        (HALF[:, :3], "incompatible"),
        (HALF[:50], "'x' has 50"),
    ):
        with pytest.raises(ValueError, match=message):
            classifier().fit(scipy.csr_matrix(data), LABELS)


# --- Frames ---


def frame(**columns):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame({name: X[:, i] for i, name in enumerate("abcd")} | columns)


def test_frames_of_several_types():
    pandas = pytest.importorskip("pandas")
    mixed = frame(b=X[:, 1] > 0, c=pandas.array(np.arange(60) % 7, "Int64"), d=pandas.array(X[:, 3] > 0, "boolean"))
    expected = np.stack([X[:, 0], X[:, 1] > 0, np.arange(60) % 7, X[:, 3] > 0], axis=1).astype("float32")
    model = classifier()
    np.testing.assert_array_equal(model.predict(mixed, verbose=0), model.predict(expected, verbose=0))
    labels = pandas.Series(LABELS).astype("Int64")
    assert model.evaluate(mixed, labels, verbose=0) == model.evaluate(expected, LABELS, verbose=0)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"b": ["Paris"] * 60}, r"The column `x\['b'\]` does not hold numbers.*holds 'Paris'.*get_dummies"),
        ({"c": [None, *[1.0] * 59]}, r"The column `x\['c'\]` holds nan in row 0, and 1 of its 60 values"),
        ({"d": "Int64"}, r"The column `x\['d'\]` holds nan in row 2"),
        ({"d": np.full(60, np.inf)}, r"The column `x\['d'\]` holds inf in row 0, and 60 of its 60 values"),
        ({"a": np.full(60, "2026-01-01", "datetime64[s]")}, r"The column `x\['a'\]` does not hold numbers"),
    ],
)
def test_the_column_that_is_wrong_is_named(columns, message):
    pandas = pytest.importorskip("pandas")
    if isinstance(columns.get("d"), str):
        columns = {"d": pandas.array([1, 2, None, *[3] * 57], "Int64")}
    with pytest.raises(ValueError, match=message):
        classifier().fit(frame(**columns), LABELS)


def test_labels_that_are_words_are_told_how_to_become_numbers():
    words = np.array(["ham", "spam", "eggs"])[LABELS]
    advice = r"Text such as .* becomes whole numbers by `names, y = np.unique\(y, return_inverse=True\)`"
    for y in (words, words.astype(object), list(words)):
        with pytest.raises(ValueError, match=advice):
            classifier().fit(X, y)
    with pytest.raises(ValueError, match=r"numbers as text: convert it by `x.astype\(float\)`"):
        classifier().fit(X.astype(str), LABELS)


def test_no_advice_that_hides_what_is_missing():
    x = X.copy()
    x[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"`x` holds nan at index \(3, 2\).*Drop such samples, or fill") as caught:
        classifier().fit(x, LABELS)
    assert "nan_to_num" not in str(caught.value)


# --- Axes ---


def test_a_last_axis_of_one_too_many_or_too_few():
    model = classifier()
    expected = model.predict(X, verbose=0)
    for x in (X[..., None], X[..., None].astype("float64")):
        np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
        np.testing.assert_array_equal(model(x), model(X))
        assert model.evaluate(x, LABELS, verbose=0) == model.evaluate(X, LABELS, verbose=0)
    pictures = keras.Sequential([keras.Input((5, 4, 1)), layers.Flatten(), layers.Dense(2)])
    x = np.random.default_rng(0).normal(size=(3, 5, 4))
    np.testing.assert_array_equal(pictures.predict(x, verbose=0), pictures.predict(x[..., None], verbose=0))


def test_samples_that_are_single_numbers():
    x = keras.Input((), dtype="int32")
    model = keras.Model(x, layers.Dense(1)(layers.Embedding(5, 3)(x)))
    model.compile("sgd", "mse")
    numbers = np.arange(5)
    assert model.predict(numbers, verbose=0).shape == (5, 1)
    np.testing.assert_array_equal(model.predict(numbers[:, None], verbose=0), model.predict(numbers, verbose=0))
    np.testing.assert_array_equal(model(numbers), model.predict(numbers, verbose=0))
    model.fit(numbers, numbers * 0.5, verbose=0)
    assert model.predict((numbers for _ in range(2)), verbose=0).shape == (10, 1)


@pytest.mark.parametrize("method", ["predict", "__call__", "predict_on_batch"])
def test_one_sample_without_its_batch_axis(method):
    with pytest.raises(ValueError, match=r"shape \(4,\) is one sample without its batch axis: pass `x\[None\]`"):
        getattr(classifier(), method)(X[0])
    pictures = keras.Sequential([keras.Input((5, 3)), layers.Flatten(), layers.Dense(2)])
    with pytest.raises(ValueError, match=r"shape \(5, 3\) is one sample.*`x\[None\]`"):
        getattr(pictures, method)(np.zeros((5, 3)))


def test_a_network_that_nobody_told_its_shape_takes_batches_of_any_length():
    draw = np.random.default_rng(0).normal
    model = keras.Sequential([layers.Dense(3, "tanh"), layers.Dense(1)])
    model.compile("sgd", "mse")
    batches = [draw(size=(4, length, 6)).astype("float32") for length in (5, 7, 2)]
    model.fit(((x, np.ones((*x.shape[:2], 1))) for x in batches), verbose=0)
    assert model.input_shape == (None, None, 6)
    for x in batches:
        hidden = np.tanh(x @ model.layers[0].kernel.numpy() + model.layers[0].bias.numpy())
        expected = hidden @ model.layers[1].kernel.numpy() + model.layers[1].bias.numpy()
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="incompatible"):
        model.predict(draw(size=(4, 5, 7)), verbose=0)
    flat = keras.Sequential([layers.Flatten(), layers.Dense(2)])
    flat.predict(batches[0], verbose=0)
    with pytest.raises(ValueError, match="incompatible"):
        flat.predict(batches[1], verbose=0)
    assert flat.input_shape == (None, 5, 6)
    fixed = keras.Sequential([keras.Input((5, 6)), layers.Dense(2)])
    with pytest.raises(ValueError, match=r"expected shape=\(None, 5, 6\), found shape=\(4, 7, 6\)"):
        fixed.predict(batches[1], verbose=0)


# --- What is no data ---


def make_batches():
    yield X, LABELS


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (make_batches, r"`x` is the generator function make_batches, which was not called: .*`make_batches\(\)`"),
        (lambda: X, "`x` is the function <lambda>, which was not called"),
        (keras.utils.PyDataset, r"`x` is the class PyDataset itself: pass an object of it"),
        ([(X, LABELS), (X[:5], LABELS[:5])], "`x` is a list of 2 batches. Batches come from"),
    ],
)
def test_what_only_leads_to_data_is_named(x, message):
    model = classifier()
    for ask in (model.fit, model.evaluate, model.predict):
        with pytest.raises(ValueError, match=message):
            ask(x)
    named = message.replace("`x`", "`validation_data`")
    with pytest.raises(ValueError, match=named):
        model.fit(X, LABELS, validation_data=x, verbose=0)


def test_whole_numbers_are_not_rounded_on_a_tape():
    x = keras.Input((1,), dtype="int64")
    model = keras.Model(x, layers.Lambda(lambda x: (x % 10).astype("float32"))(x))
    large = np.array([[2**24 + 1]])
    with keras.GradientTape():
        assert np.asarray(model(large)) == model.predict(large, verbose=0) == 7


@pytest.mark.parametrize("dtype", ["int64", "int32", "float64", "uint8"])
def test_numbers_of_another_type_train_an_input_of_bytes(dtype):
    x, y = np.arange(60).reshape(20, 3).astype(dtype), np.arange(20) % 2
    found = []
    for given in (x, x.astype("uint8")):
        inside = [layers.Rescaling(1 / 255), layers.Dense(1, kernel_initializer="ones")]
        model = keras.Sequential([keras.Input((3,), dtype="uint8"), *inside])
        model.compile("sgd", "mse")
        model.fit(given, y, epochs=2, shuffle=False, verbose=0)
        found.append(model.get_weights()[0])
    assert np.array_equal(*found)
