"""The learning rate range test."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer.utils import LearningRateRange, learning_rate_range_test

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)).astype("float32")
Y = (X @ [1.0, -2.0, 0.5, 0.0]).astype("float32")


def compiled(optimizer=None):
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(6, "tanh"), layers.Dropout(0.2), layers.Dense(1)])
    model.compile(optimizer or keras.optimizers.SGD(0.25, momentum=0.5), "mse", metrics=["mae"])
    return model


def test_the_rate_grows_by_the_same_factor_from_start_to_end():
    found = learning_rate_range_test(compiled(), X, Y, start=1e-6, end=1e-3, steps=31)
    assert len(found.rates) == len(found.losses) == 31
    np.testing.assert_allclose(found.rates[[0, -1]], [1e-6, 1e-3])
    np.testing.assert_allclose(found.rates[1:] / found.rates[:-1], 10**0.1)


def test_every_step_is_a_step_of_training_with_its_rate():
    found = learning_rate_range_test(compiled("sgd"), X, Y, start=1e-3, end=0.1, steps=9, batch_size=50)
    model, losses = compiled("sgd"), []
    order = np.random.default_rng(0)
    for rate in found.rates:
        rows = order.permutation(50)
        model.optimizer.learning_rate = rate
        losses.append(model.train_on_batch(X[rows], Y[rows], return_dict=True)["loss"])
    np.testing.assert_allclose(found.losses, losses)


@pytest.mark.parametrize("seed", [0, 5])
def test_the_samples_come_again_in_a_new_order_that_the_seed_gives(seed):
    seen = []

    class Watched(layers.Layer):
        def forward(self, x, training=False):
            seen.append(x[:, 0].copy())
            return x

        def backward(self, dy):
            return dy

    model = keras.Sequential([keras.Input((1,)), Watched(), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.arange(5.0)[:, None]
    learning_rate_range_test(model, x, x, start=1e-9, end=1e-8, steps=6, batch_size=2, seed=seed)
    assert [len(batch) for batch in seen] == [2, 2, 1] * 2
    first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    assert sorted(first) == sorted(second) == list(range(5))
    assert list(first) != list(second)
    np.testing.assert_array_equal(first, np.random.default_rng(seed).permutation(5))


@pytest.mark.parametrize("trained", [False, True])
def test_afterwards_all_is_as_it_was(trained):
    def fitted(*, tested):
        model = compiled()
        if trained:
            model.fit(X, Y, epochs=2, verbose=0)
        if tested:
            before, optimizer = model.get_weights(), model.optimizer
            found = learning_rate_range_test(model, X, Y, end=100.0)
            assert len(found.rates) < 100  # it blew up
            for ours, theirs in zip(model.get_weights(), before, strict=True):
                np.testing.assert_array_equal(ours, theirs)
            assert model.optimizer is optimizer
            assert optimizer.learning_rate == 0.25
            assert optimizer.iterations == (4 if trained else 0)
        history = model.fit(X, Y, epochs=3, verbose=0).history
        return history, model.get_weights()

    (history, weights), (expected, same) = fitted(tested=True), fitted(tested=False)
    assert history == expected
    for ours, theirs in zip(weights, same, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_an_error_on_the_way_leaves_all_as_it_was(monkeypatch):
    model = compiled()
    before, take = model.get_weights(), model.train_on_batch
    calls = []

    def breaking(*data, **arguments):
        calls.append(0)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return take(*data, **arguments)

    monkeypatch.setattr(model, "train_on_batch", breaking)
    with pytest.raises(KeyboardInterrupt):
        learning_rate_range_test(model, X, Y, start=0.01)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_it_ends_where_the_loss_blows_up_or_is_no_number():
    early = learning_rate_range_test(compiled(), X, Y, blow_up=1.5)
    late = learning_rate_range_test(compiled(), X, Y, blow_up=1e300)
    assert len(early.rates) < len(late.rates)
    steep = learning_rate_range_test(compiled(), X, Y, start=1.0, end=1e30, steps=30, blow_up=1e300)
    assert not np.isfinite(steep.losses[-1])
    assert np.isfinite(steep.losses[:-1]).all()


def test_a_loss_below_zero_does_not_end_it():
    class Below(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return np.mean(np.square(y_pred - y_true), axis=-1) - 100.0

        def gradient(self, y_true, y_pred):
            return 2 * (y_pred - y_true) / y_pred.shape[-1]

    model = compiled()
    model.compile("sgd", Below())
    assert len(learning_rate_range_test(model, X, Y[:, None], end=1e-3).rates) == 100


def test_an_unbuilt_model_and_lists_of_numbers_will_do():
    model = keras.Sequential([layers.Dense(1)])
    model.compile("adam", "mse")
    found = learning_rate_range_test(model, X.tolist(), Y.tolist(), steps=5, end=1e-3)
    assert len(found.rates) == 5
    assert model.built


def test_several_inputs_and_outputs_come_as_lists_or_dicts():
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    both = layers.Add()([layers.Dense(3)(left), layers.Dense(3)(right)])
    model = keras.Model([left, right], [layers.Dense(1, name="a")(both), layers.Dense(1, name="b")(both)])
    model.compile("sgd", "mse")
    as_lists = learning_rate_range_test(model, [X, -X], [Y, -Y], steps=8, end=1e-3)
    as_dicts = learning_rate_range_test(model, {"left": X, "right": -X}, {"a": Y, "b": -Y}, steps=8, end=1e-3)
    np.testing.assert_array_equal(as_lists.losses, as_dicts.losses)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 0.0}, "0 < start < end. Received: start=0.0, end=10.0"),
        ({"start": 1.0, "end": 0.1}, "0 < start < end"),
        ({"end": float("inf")}, "0 < start < end"),
        ({"steps": 1}, "`steps` must be a whole number of at least 2. Received: steps=1"),
        ({"batch_size": 0}, "`batch_size` must be"),
        ({"blow_up": 1.0}, "`blow_up` must be more than 1"),
    ],
)
def test_bad_numbers_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        learning_rate_range_test(compiled(), X, Y, **arguments)


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(ValueError, match="You must call `compile\\(\\)` before"):
        learning_rate_range_test(keras.Sequential([keras.Input((4,)), layers.Dense(1)]), X, Y)
    for x, y in ((X, Y[:-1]), (X[:0], Y[:0])):
        with pytest.raises(ValueError, match="must have the same number of samples, at least one"):
            learning_rate_range_test(compiled(), x, y)


# --- Smoothing ---


def test_smoothing_does_not_lag():
    steps = np.arange(101.0)
    falling = LearningRateRange(10 ** (steps / 50), 1 / (1 + np.exp((steps - 50) / 5)))
    smooth = falling.smoothed()
    assert abs(int(np.argmin(np.gradient(smooth))) - 50) <= 1
    assert len(smooth) == 101
    np.testing.assert_array_equal(falling.smoothed(momentum=0.0), falling.losses)


def test_what_blew_up_does_not_reach_back():
    losses = np.array([2.0] * 20 + [1.0] * 20 + [1e9, np.nan, 1.0])
    smooth = LearningRateRange(np.ones(43), losses).smoothed()
    assert len(smooth) == 41
    assert smooth.max() <= 2.0
    assert LearningRateRange(np.ones(1), np.array([np.inf])).smoothed().size == 0
