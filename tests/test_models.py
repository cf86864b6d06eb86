"""Keras' face: how models are built, trained, asked, and what they say to bad input."""

import copy
import pickle
import threading
import tracemalloc

import numpy as np
import pytest

import multilayer as keras
from multilayer import kernels, layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("float32")
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def classifier(*, compiled=True, **compile_arguments):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "tanh"), layers.Dense(3, "softmax")])
    if compiled:
        arguments = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
        model.compile(**arguments | compile_arguments)
    return model


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


# --- Weights: views of one vector ---


def test_weights_are_given_and_taken_as_copies():
    model = classifier()
    weights = model.get_weights()
    weights[0][:] = 1.0
    assert not (model.get_weights()[0] == 1.0).any()
    model.set_weights(weights)
    assert (model.get_weights()[0] == 1.0).all()


def test_setting_weights_that_do_not_fit_changes_none():
    model = classifier()
    before = model.get_weights()
    with pytest.raises(ValueError, match="weight list of length 1, but it was expecting 4 weights"):
        model.set_weights(before[:1])
    with pytest.raises(ValueError, match=r"has shape \(8, 3\), but the value given for it has shape \(3, 8\)"):
        model.set_weights([before[0] + 1, before[1], before[2].T, before[3]])
    for kind in (complex, str):
        with pytest.raises(ValueError, match=r"Weights are real numbers; got an array of type .* for dense.*/bias"):
            model.set_weights([before[0] + 1, *before[1:3], before[3].astype(kind)])
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_weight_cannot_be_replaced_only_assigned():
    model = classifier()
    with pytest.raises(AttributeError, match=r"use `layer.kernel.assign\(value\)`"):
        model.layers[0].kernel = np.zeros((4, 8))
    model.layers[0].kernel.assign(np.zeros((4, 8)))
    assert not model.get_weights()[0].any()


def test_all_parameters_train_as_one_vector():
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    first = model.weights[0].value
    assert first.base is not None
    assert all(np.shares_memory(w.value, first.base) for w in model.weights)


def test_a_frozen_layer_keeps_its_weights():
    model = classifier(compiled=False)
    model.layers[0].trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = model.get_weights()
    model.fit(X, LABELS, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], before[0])
    assert not np.array_equal(model.layers[1].get_weights()[0], before[2])


def test_changing_what_is_trainable_without_compiling_again_is_refused():
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    loss = model.evaluate(X, LABELS, verbose=0)
    model.layers[0].trainable = False
    with pytest.raises(ValueError, match="Compile the model again"):
        model.fit(X, LABELS, verbose=0)
    with pytest.raises(ValueError, match="Compile the model again"):
        model.train_on_batch(X, LABELS)
    assert model.evaluate(X, LABELS, verbose=0) == loss  # nothing is trained here
    assert model.test_on_batch(X, LABELS) == pytest.approx(loss)


def test_changing_layers_without_compiling_again_is_refused():
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    model.pop()
    model.add(layers.Dense(3, "softmax"))
    assert len(model.evaluate(X, LABELS, verbose=0)) == 2
    with pytest.raises(ValueError, match="Compile the model again"):
        model.fit(X, LABELS, verbose=0)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, LABELS, verbose=0)


def test_an_optimizer_does_not_mix_the_means_of_two_models():
    optimizer = keras.optimizers.Adam()
    first, second = classifier(optimizer=optimizer), classifier(optimizer=optimizer)
    first.fit(X, LABELS, verbose=0)
    with pytest.raises(ValueError, match="has trained other weights.*belongs to another model"):
        second.fit(X, LABELS, verbose=0)
    first.fit(X, LABELS, verbose=0)


def test_compiling_again_with_the_same_optimizer_does_not_hide_what_was_frozen():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.Dense(4), layers.Dense(4)])
    for frozen in (0, 1):  # as many trainable weights, but other ones
        for i, layer in enumerate(model.layers):
            layer.trainable = i != frozen
        model.compile(model.optimizer or "adam", "mse")
        if frozen == 0:
            model.fit(X, X, verbose=0)
    with pytest.raises(ValueError, match="has trained other weights"):
        model.fit(X, X, verbose=0)


def test_an_optimizer_that_took_steps_on_a_plain_vector_trains_no_model():
    optimizer = keras.optimizers.Adam()
    model = classifier(optimizer=optimizer)
    size = model.count_params()
    optimizer.step(np.ones(size, "float32"), np.ones(size, "float32"))
    with pytest.raises(ValueError, match="has trained other weights"):
        model.fit(X, LABELS, verbose=0)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_goes_on_as_the_original_does(copied):
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    twin = copied(model)
    for one in (model, twin):
        one.fit(X, LABELS, epochs=2, shuffle=False, verbose=0)
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_two_models_can_share_a_layer_and_both_train_it():
    shared = layers.Dense(8, "tanh")
    models = [keras.Sequential([keras.Input((4,)), shared, layers.Dense(k)]) for k in (1, 2)]
    for model, target in zip(models, (X[:, :1], X[:, :2]), strict=True):
        model.compile("sgd", "mse")
        model.fit(X, target, verbose=0)
    trained = shared.get_weights()[0]
    models[0].fit(X, X[:, :1], verbose=0)
    assert not np.array_equal(shared.get_weights()[0], trained)
    np.testing.assert_array_equal(models[0].get_weights()[0], models[1].get_weights()[0])


class LayerThatHeedsNeedsDx(layers.Layer):
    """An identity without weights, which nothing but `needs_dx` tells whether the chain goes on below it."""

    def forward(self, x, training=False):
        return x

    def backward(self, dy):
        return dy if self.needs_dx else None


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_train_batch_begin", "on_train_batch_end", "on_test_batch_end"])
@pytest.mark.parametrize("use", ["evaluate", "fit"])
def test_using_another_model_with_the_same_layers_in_a_callback_does_not_stop_training(hook, use):
    def run(hooks):
        keras.utils.set_random_seed(1)
        below, between, above = layers.Dense(8, "tanh"), LayerThatHeedsNeedsDx(), layers.Dense(3, "softmax")
        model = keras.Sequential([keras.Input((4,)), below, between, above])
        other = keras.Sequential([keras.Input((8,)), between, above])
        for one in (model, other):
            one.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        other.optimizer.learning_rate = 0.0  # what it trains stays where it is

        def use_other(*_, **__):
            getattr(other, use)(np.ones((3, 8)), [0, 1, 2], verbose=0)

        callbacks = [keras.callbacks.LambdaCallback(**dict.fromkeys(hooks, use_other))]
        data = {"batch_size": 20, "shuffle": False, "validation_data": (X, LABELS)}
        model.fit(X, LABELS, **data, epochs=3, verbose=0, callbacks=callbacks)
        return model.get_weights()

    for alone, watched in zip(run([]), run([hook]), strict=True):
        np.testing.assert_array_equal(watched, alone)


def test_evaluating_leaves_variables_where_they_are():
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    values = [v.value for v in model.weights]
    other = keras.Sequential([keras.Input((8,)), model.layers[1]])
    other.compile("adam", "sparse_categorical_crossentropy")
    other.evaluate(np.ones((60, 8)), LABELS, verbose=0)
    other.test_on_batch(np.ones((60, 8)), LABELS)
    assert all(v.value is value for v, value in zip(model.weights, values, strict=True))
    assert model.layers[1].needs_dx


def test_freezing_in_a_callback_is_refused_rather_than_ignored():
    def freeze(epoch, logs):
        model.layers[0].trainable = False

    model = classifier()
    with pytest.raises(ValueError, match="Compile the model again"):
        model.fit(X, LABELS, epochs=2, verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=freeze)])


def test_a_layer_is_found_by_its_name_or_its_place():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, name="first"), layers.Dense(3, name="last")])
    assert model.get_layer("last") is model.get_layer(index=1) is model.layers[1]
    with pytest.raises(ValueError, match=r"No such layer: middle. Existing layers are: \['first', 'last'\]"):
        model.get_layer("middle")
    with pytest.raises(ValueError, match="index 2 but model only has 2 layers"):
        model.get_layer(index=2)
    with pytest.raises(ValueError, match="either a layer's name or its index"):
        model.get_layer()


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


# --- Bad input: a clear error before the first step, and nothing lost ---

WRONG_DATA = {
    "features": (
        X[:, :3],
        LABELS,
        r'layer "dense.*" is incompatible.*value 4, but received input with shape \(60, 3\)',
    ),
    "rank": (X[:, None, :], LABELS, r"expected shape=\(None, 4\), found shape=\(60, 1, 4\)"),
    "nan": (np.where(X > 1, np.nan, X), LABELS, "`x` holds nan at index"),
    "infinity": (np.where(X > 1, np.inf, X), LABELS, "`x` holds inf at index"),
    "too large": (
        np.where(X > 1, 1e300, X.astype(float)),
        LABELS,
        r"`x` holds 1e\+300 at index.*too large for float32",
    ),
    "lengths": (X, LABELS[:-1], "'x' has 60, 'y' has 59"),
    "empty": (X[:0], LABELS[:0], "`x` is empty"),
    "text": (X.astype(str), LABELS, "`x` must hold numbers"),
    "no targets": (X, None, "pass `y`"),
    "labels too large": (X, LABELS + 1, r"label value of 3 which is outside the valid range of \[0, 3\)"),
    "labels negative": (X, LABELS - 1, "label value of -1"),
    "labels not whole": (X, LABELS + 0.5, "whole-number labels"),
    "labels one-hot": (X, np.eye(3)[LABELS], "look one-hot: use 'categorical_crossentropy'"),
    "labels nan": (X, np.where(LABELS == 0, np.nan, LABELS), "`y` holds nan"),
}


@pytest.mark.parametrize("kind", WRONG_DATA)
def test_data_that_does_not_fit_is_refused_before_anything_is_trained(kind):
    x, y, message = WRONG_DATA[kind]
    model = classifier()
    before = model.get_weights()
    for method in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=message):
            method(x, y, verbose=0)
    with pytest.raises(ValueError, match=f"In `validation_data`: .*{message}"):
        model.fit(X, LABELS, validation_data=(x, y), verbose=0)
    with pytest.raises(ValueError, match=message):
        model.train_on_batch(x, y)
    if "`x`" in message:
        for ask in (model.predict, model.predict_on_batch):
            with pytest.raises(ValueError, match=message):
                ask(x)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert model.optimizer.iterations == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": -1}, "`epochs` must be a whole number of at least 0"),
        ({"epochs": 1.5}, "`epochs` must be a whole number"),
        ({"batch_size": 0}, "`batch_size` must be a whole number of at least 1"),
        ({"verbose": 3}, "`verbose` must be 'auto', 0, 1 or 2"),
        ({"validation_freq": 0}, "`validation_freq` must be a whole number of at least 1. Received: validation_freq=0"),
        ({"validation_freq": 1.5}, "`validation_freq` must be a whole number of at least 1"),
        ({"validation_freq": [1, 2.5]}, "Received: validation_freq=2.5"),
        ({"validation_split": 1.0}, "`validation_split` must be in"),
        ({"validation_data": X}, r"`validation_data` must be `\(x, y\)`"),
        ({"sample_weight": np.ones(3)}, "'sample_weight' has 3"),
        ({"callbacks": ["stop"]}, "instances of `callbacks.Callback`"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, LABELS, **{"verbose": 0, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "adm"}, "Unknown optimizer: 'adm'. Did you mean 'adam'?"),
        ({"loss": "sparse_crossentropy"}, "Did you mean 'sparse_categorical_crossentropy'?"),
        ({"loss": lambda y_true, y_pred: 0.0}, "no automatic differentiation"),
        ({"metrics": ["acuracy"]}, "Did you mean 'accuracy'?"),
        ({"metrics": "accuracy"}, "Expected `metrics` argument to be a list"),
        ({"optimizer": 3}, "Could not interpret optimizer identifier: 3"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest_known_one(arguments, message):
    model = classifier(compiled=False)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is checked below
        model.compile(**{"loss": "mse"} | arguments)
    assert message in str(caught.value)


def test_unknown_activations_and_initializers_are_refused_too():
    with pytest.raises(ValueError, match="Did you mean 'sigmoid'"):
        layers.Dense(3, activation="sigmod")
    with pytest.raises(ValueError, match="Did you mean 'he_normal'"):
        layers.Dense(3, kernel_initializer="he_norml")
    with pytest.raises(ValueError, match="together with its derivative"):
        layers.Dense(3, activation=np.tanh)


def test_use_before_compile_or_build_is_explained():
    model = classifier(compiled=False)
    with pytest.raises(ValueError, match=r"You must call `compile\(\)` before calling `fit\(\)`"):
        model.fit(X, LABELS)
    model.compile("adam")
    with pytest.raises(ValueError, match="No loss to compute"):
        model.fit(X, LABELS)
    unbuilt = keras.Sequential([layers.Dense(1)])
    for use in (unbuilt.count_params, lambda: unbuilt.input_shape, lambda: unbuilt.save("model.npz")):
        with pytest.raises(ValueError, match=r"Start it with `Input\(shape\)`"):
            use()
    with pytest.raises(ValueError, match="has no layers"):
        keras.Sequential().predict(X)


def test_what_keras_compile_takes_besides_changes_nothing():
    plain = classifier(compiled=False)
    model = classifier(compiled=False)
    model.set_weights(plain.get_weights())
    plain.compile("sgd", "sparse_categorical_crossentropy")
    besides = {"run_eagerly": True, "jit_compile": False, "steps_per_execution": 1, "auto_scale_loss": False}
    model.compile("sgd", "sparse_categorical_crossentropy", **besides)
    for one in (plain, model):
        one.fit(X, LABELS, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], plain.get_weights()[0])
    with pytest.raises(ValueError, match="Steps are taken one by one here"):
        model.compile("sgd", "mse", steps_per_execution=8)


def test_binary_targets_for_a_sparse_loss_get_a_hint():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, "sigmoid")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="use 'binary_crossentropy'"):
        model.fit(X, LABELS > 0, verbose=0)
    model.compile("sgd", "binary_crossentropy")
    with pytest.raises(ValueError, match="targets from 0 to 1; got 2"):
        model.fit(X, LABELS, verbose=0)
    model.fit(X, LABELS > 0, verbose=0)
