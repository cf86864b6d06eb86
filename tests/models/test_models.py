"""Keras' face: how models are built, trained, asked, and what they say to bad input."""

import threading
import tracemalloc

import numpy as np
import pytest

import multilayer as keras
from helpers.classifier import LABELS, RNG, X, classifier
from multilayer import layers
from multilayer._core import kernels

# --- Building ---


def test_a_list_add_and_input_shape_build_the_same_model():
    by_list = keras.Sequential([keras.Input((4,)), layers.Dense(8), layers.Dense(3)])
    by_add = keras.models.Sequential()
    by_add.add(layers.Dense(8, input_shape=(4,)))
    by_add.add(layers.Dense(3))
    for model in (by_list, by_add):
        assert [w.shape for w in model.weights] == [(4, 8), (8,), (8, 3), (3,)]
        assert model.count_params() == 67
        assert (model.input_shape, model.output_shape) == ((None, 4), (None, 3))


def test_a_model_without_a_shape_is_built_by_its_first_data():
    model = keras.Sequential([layers.Dense(3)])
    assert not model.built
    assert model.get_weights() == []
    assert model(X).shape == (60, 3)
    assert model.built


def test_default_names_count_up_as_in_keras():
    keras.utils.clear_session()
    model = keras.Sequential([layers.Dense(1), layers.Dense(1)])
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]
    assert (model.name, keras.Sequential().name) == ("sequential", "sequential_1")


def test_popping_a_layer_takes_it_off():
    model = classifier()
    model.pop()
    assert model.output_shape == (None, 8)
    assert model.predict(X, verbose=0).shape == (60, 8)


def test_a_layer_that_does_not_fit_is_not_added():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8)])
    with pytest.raises(ValueError, match="unique names"):
        model.add(layers.Dense(3, name=model.layers[0].name))
    with pytest.raises(ValueError, match="Only instances of `layers.Layer`"):
        model.add("dense")
    with pytest.raises(ValueError, match="An input comes first"):
        model.add(keras.Input((4,)))
    assert len(model.layers) == 1


class Moody(layers.Layer):
    """Fails in its first build, after it has declared a weight."""

    failed = False

    def build(self, input_shape):
        self.gain = self.add_weight(input_shape[-1:], "ones", name="gain")
        if not self.failed:
            type(self).failed = True
            raise RuntimeError("not today")

    def forward(self, x, training=False):
        return x * self.gain.value


def test_a_failed_add_leaves_neither_the_layer_nor_the_model_built_by_half(monkeypatch):
    monkeypatch.setattr(Moody, "failed", False)
    model, layer = keras.Sequential(), Moody(input_shape=(4,))
    with pytest.raises(RuntimeError, match="not today"):
        model.add(layer)
    assert (model.layers, model.built, layer.built, layer.weights) == ([], False, False, [])
    model.add(layer)
    assert model(X).shape == (60, 4)
    assert len(model.weights) == 1


def test_a_build_that_fails_leaves_the_model_as_it_was():
    model = classifier()
    with pytest.raises(ValueError, match="incompatible"):
        model.build((None, 7))
    assert model.input_shape == (None, 4)
    assert model.predict(X, verbose=0).shape == (60, 3)

    unbuilt = keras.Sequential([layers.Dense(8), layers.Flatten(), layers.Dense(3)])
    with pytest.raises(ValueError, match="with d known"):
        unbuilt.build((None, None, 4))
    assert unbuilt.weights == []
    assert unbuilt(X).shape == (60, 3)


WRONG_FIRST_DATA = {
    "targets": {"y": LABELS + 1},
    "weights": {"sample_weight": -np.ones(7)},
    "validation data": {"validation_data": (X[:, :3], LABELS)},
    "validation targets": {"validation_data": (np.zeros((60, 7)), LABELS + 1)},
    "validation split": {"validation_split": 0.999},
}


@pytest.mark.parametrize("wrong", WRONG_FIRST_DATA)
def test_after_data_that_did_not_fit_a_model_can_begin_with_other_data(wrong):
    model = keras.Sequential([layers.Dense(8, "tanh"), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    with pytest.raises(ValueError):  # noqa: PT011 - the messages are tested below
        model.fit(**{"x": np.zeros((60, 7)), "y": LABELS, "verbose": 0} | WRONG_FIRST_DATA[wrong])
    assert not model.built
    model.fit(X, LABELS, verbose=0)
    assert model.input_shape == (None, 4)


def test_a_model_popped_empty_begins_anew_unless_it_has_an_input():
    model = keras.Sequential([layers.Dense(3, input_shape=(4,))])
    model.pop()
    model.add(layers.Dense(3, input_shape=(5,)))
    assert model.get_weights()[0].shape == (5, 3)
    model.pop()
    model.add(layers.Dense(2))
    assert model(X).shape == (60, 2)

    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model.pop()
    assert not model.built
    model.add(layers.Dense(2, input_shape=(5,)))
    assert model.get_weights()[0].shape == (4, 2)


# --- Training ---


def test_fit_learns_and_records():
    keras.utils.set_random_seed(0)
    model = classifier()
    history = model.fit(X, LABELS, epochs=200, batch_size=10, validation_data=(X, LABELS), verbose=0)
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.epoch == list(range(200))
    assert history.history["loss"][-1] < history.history["loss"][0] / 2
    assert history is model.history


def test_the_same_seed_gives_the_same_run_bit_for_bit():
    def run():
        keras.utils.set_random_seed(5)
        model = keras.Sequential(
            [keras.Input((4,)), layers.Dense(8, "relu"), layers.Dropout(0.5), layers.Dense(3, "softmax")]
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        losses = model.fit(X, LABELS, epochs=3, batch_size=7, verbose=0).history["loss"]
        return losses, model.get_weights()

    first, second = run(), run()
    assert first[0] == second[0]
    for a, b in zip(first[1], second[1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_softmax_layer_and_logits_loss_walk_the_same_path():
    fused = keras.Sequential([keras.Input((4,)), layers.Dense(3, "softmax")])
    separate = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Activation("softmax")])
    logits = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    separate.set_weights(fused.get_weights())
    logits.set_weights(fused.get_weights())
    for model in (fused, separate):
        model.compile("sgd", "sparse_categorical_crossentropy")
    logits.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    paths = [
        model.fit(X, LABELS, epochs=3, shuffle=False, verbose=0).history["loss"] for model in (fused, separate, logits)
    ]
    np.testing.assert_allclose(paths[0], paths[1], rtol=1e-6)
    np.testing.assert_allclose(paths[0], paths[2], rtol=1e-6)


def test_a_network_deep_in_saturation_still_has_its_true_loss_and_gradient():
    model = keras.Sequential([keras.Input((1,)), layers.Dense(2, "softmax", use_bias=False)])
    model.set_weights([np.array([[500.0, -500.0]])])
    model.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    assert model.train_on_batch([[1.0]], [1]) == 1000.0
    np.testing.assert_array_equal(model.get_weights()[0], [[499.0, -499.0]])


def test_training_stops_in_the_middle_of_an_epoch_when_asked():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 2

    steps = []
    record = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    history = classifier().fit(X, LABELS, batch_size=10, epochs=5, verbose=0, callbacks=[Stop(), record])
    assert steps == [0, 1, 2]
    assert len(history.history["loss"]) == 1


@pytest.mark.parametrize("frequency", [2, np.int64(2), [2, 4], (2, 4), {2, 4}, range(2, 5, 2), np.array([2, 4])])
def test_validation_comes_every_so_many_epochs_or_where_asked_for(frequency):
    model = classifier()
    history = model.fit(X, LABELS, epochs=4, validation_data=(X, LABELS), validation_freq=frequency, verbose=0).history
    assert (len(history["loss"]), len(history["val_loss"])) == (4, 2)


def test_train_on_batch_returns_the_batchs_own_figures():
    model = classifier()
    expected = model.evaluate(X, LABELS, verbose=0)
    loss, accuracy = model.train_on_batch(X, LABELS)
    assert (loss, accuracy) == pytest.approx(expected)
    assert model.test_on_batch(X, LABELS, return_dict=True)["loss"] < loss


def test_evaluate_returns_a_number_a_list_or_a_dict():
    assert isinstance(classifier(metrics=None).evaluate(X, LABELS, verbose=0), float)
    loss, accuracy = classifier().evaluate(X, LABELS, verbose=0)
    assert 0 <= accuracy <= 1 < loss + 1
    assert list(classifier().evaluate(X, LABELS, verbose=0, return_dict=True)) == ["accuracy", "loss"]


def test_whole_numbers_and_float64_train_like_float32():
    pixels = RNG.integers(0, 255, (40, 4)).astype("uint8")
    labels = RNG.integers(0, 3, 40)
    paths = []
    for kind in ("uint8", "int64", "float64", "float32"):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((4,)), layers.Rescaling(1 / 255), layers.Dense(3, "softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        paths.append(model.fit(pixels.astype(kind), labels, batch_size=8, verbose=0).history["loss"])
    assert paths[0] == paths[1] == paths[2] == paths[3]


def test_float64_models_compute_in_float64():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "softmax", dtype="float64")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, LABELS, verbose=0)
    assert model.predict(X, verbose=0).dtype == np.float64
    assert model.weights[0].dtype == "float64"


def peaks_of_steps(model, x, y):
    """What each step of a fit allocates at its worst moment, in bytes, but for the first two steps."""
    peaks = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            tracemalloc.reset_peak()
            self.before = tracemalloc.get_traced_memory()[0]

        def on_train_batch_end(self, batch, logs=None):
            peaks.append(tracemalloc.get_traced_memory()[1] - self.before)

    tracemalloc.start()
    try:
        model.fit(x, y, batch_size=512, epochs=2, verbose=0, callbacks=[Watch()])
    finally:
        tracemalloc.stop()
    return peaks[2:]


def test_a_steady_step_allocates_no_array_of_its_batchs_size():
    model = keras.Sequential([keras.Input((256,)), layers.Dense(128, "sigmoid"), layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = np.zeros((512 * 4, 256), "float32"), np.zeros(512 * 4, int)
    # A batch of inputs is 512 KiB and of hidden outputs 256 KiB; what is left are a few numbers a row, 2 or 4 KiB each.
    assert max(peaks_of_steps(model, x, y)) < 40 * 1024


@pytest.mark.skipif(kernels.kind == "numpy", reason="the NumPy kernels make a few numbers a row")
@pytest.mark.parametrize(
    ("loss", "activation"),
    [
        ("sparse_categorical_crossentropy", "softmax"),
        ("categorical_crossentropy", "softmax"),
        ("binary_crossentropy", "sigmoid"),
    ],
)
def test_a_steady_step_with_native_kernels_makes_no_array_at_all(loss, activation):
    model = keras.Sequential(
        [
            keras.Input((256,)),
            layers.Rescaling(1 / 255),
            layers.Dense(128, "relu"),
            layers.Dropout(0.2),
            layers.Dense(64, "tanh"),
            layers.Dense(10, activation),
        ]
    )
    metrics = ["accuracy"] if loss.startswith("sparse") else []
    model.compile("adam", loss, metrics=metrics)
    x = np.zeros((512 * 4, 256), "uint8")
    y = np.zeros(512 * 4, int) if loss.startswith("sparse") else np.zeros((512 * 4, 10), "float32")
    # The smallest array there could be has a number a row, 2 KiB. What is counted are Python's own objects.
    assert max(peaks_of_steps(model, x, y)) < 2 * 1024


# --- Predicting ---


def test_predict_call_and_predict_on_batch_agree():
    model = classifier(compiled=False)
    expected = model(X)
    np.testing.assert_array_equal(model.predict_on_batch(X), expected)
    np.testing.assert_allclose(model.predict(X, batch_size=7, verbose=0), expected, rtol=1e-6)


def test_a_prediction_is_the_callers_own():
    model = keras.Sequential([keras.Input((4,)), layers.Dropout(0.5)])
    y = model(X)
    y[:] = 0.0
    assert X.any()
    first = model(X, training=True)
    kept = first.copy()
    model(X, training=True)
    np.testing.assert_array_equal(first, kept)


def test_threads_can_predict_at_once():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(64, "relu"), layers.Dense(64, "tanh"), layers.Dense(3)])
    inputs = [RNG.normal(size=(n, 4)).astype("float32") for n in (1, 3, 50, 200)]
    expected = [model(x) for x in inputs]
    wrong = []

    def ask(x, y):
        wrong.extend(len(x) for _ in range(100) if not np.array_equal(model(x), y))

    threads = [threading.Thread(target=ask, args=pair) for pair in zip(inputs, expected, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


class Clipping(layers.Layer):
    """Writes into its own input, which is not done."""

    def forward(self, x, training=False):
        return np.clip(x, -0.1, 0.1, out=x)

    def backward(self, dy):
        return dy


def test_a_layer_that_writes_into_its_input_cannot_change_the_users_data():
    model = keras.Sequential([keras.Input((4,)), Clipping(), layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = X.copy()
    for use in (
        lambda: model.fit(x, LABELS, shuffle=False, verbose=0),
        lambda: model.evaluate(x, LABELS, verbose=0),
        lambda: model.predict(x, verbose=0),
        lambda: model.train_on_batch(x, LABELS),
        lambda: model(x),
        lambda: Clipping()(x),
    ):
        with pytest.raises(ValueError, match="read-only"):
            use()
    np.testing.assert_array_equal(x, X)
    assert x.flags.writeable
