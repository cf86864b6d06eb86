"""Losses in models: of one's own, behind an activation, from probabilities at the edge."""

import math

import numpy as np
import pytest

import multilayer as keras
from helpers.gradients import assert_gradient
from multilayer import activations, losses

# --- A loss of one's own ---


class Quartic(losses.Loss):
    def call(self, y_true, y_pred):
        return np.mean((y_pred - y_true) ** 4, axis=-1)

    def gradient(self, y_true, y_pred):
        return 4.0 * (y_pred - y_true) ** 3 / y_pred.shape[-1]


def test_a_loss_of_ones_own_is_trained_on_like_any_other():
    loss = Quartic()
    assert loss.name == "quartic"
    rng = np.random.default_rng(0)
    y_true, y_pred, weight = rng.normal(size=(6, 3)), rng.normal(size=(6, 3)), rng.uniform(0.0, 2.0, size=6)
    gradient = loss.value_and_gradient(y_true, y_pred, weight)[1].copy()
    assert_gradient(gradient, lambda: loss.value_and_gradient(y_true, y_pred, weight)[0], y_pred)


@pytest.mark.parametrize("shape", [(3,), (4,), (4, 1), ()])
def test_a_gradient_of_another_shape_than_the_predictions_is_refused(shape):
    class Flat(Quartic):
        def gradient(self, y_true, y_pred):
            return np.zeros(shape)

    with pytest.raises(ValueError, match=r"`gradient` of loss 'flat' must return .* shape \(4, 3\); got shape \("):
        Flat().value_and_gradient(np.zeros((4, 3)), np.zeros((4, 3)))


def test_one_number_for_all_samples_goes_without_a_gradient_of_its_own():
    class Whole(Quartic):
        def call(self, y_true, y_pred):
            return np.mean((y_pred - y_true) ** 4)

    y_true, y_pred = np.random.default_rng(0).normal(size=(2, 4, 3))
    value, gradient = Whole().value_and_gradient(y_true, y_pred)
    assert value == pytest.approx(Quartic()(y_true, y_pred))
    np.testing.assert_allclose(gradient, Quartic().value_and_gradient(y_true, y_pred)[1])

    class WithGradient(Whole):
        gradient = Quartic.gradient

    with pytest.raises(ValueError, match=r"`call` of loss 'with_gradient' must return a loss for each sample, shape"):
        WithGradient().value_and_gradient(y_true, y_pred)


def test_a_loss_without_its_methods_says_which_is_missing():
    class Half(losses.Loss):
        def call(self, y_true, y_pred):
            return np.zeros(len(y_pred))

    with pytest.raises(ValueError, match=r"Loss 'half' gives float64 numbers that do not depend on the predictions"):
        Half().value_and_gradient(np.zeros((1, 1)), np.zeros((1, 1)))
    with pytest.raises(NotImplementedError, match=r"Loss Loss does not define `call\(self, y_true, y_pred\)`"):
        losses.Loss()([[0.0]], [[0.0]])


# --- What a model's end and a user's own code make of a loss ---


def test_probabilities_that_do_not_sum_to_one_are_repaired_in_the_order_of_keras():
    y_pred, label = np.array([[0.0, 0.0, 0.0], [2.0, 0.5, 0.0]]), np.array([1, 0])
    kept = np.clip(y_pred, 1e-7, 1 - 1e-7)
    expected = -np.log(kept[[0, 1], label] / kept.sum(axis=1))
    loss = losses.SparseCategoricalCrossentropy(reduction="none")
    np.testing.assert_allclose(loss(label, y_pred), expected)
    value, gradient = losses.SparseCategoricalCrossentropy(reduction="sum").value_and_gradient(label, y_pred)
    assert value == pytest.approx(expected.sum())
    # what was cut has no slope; 0.5 pulls the sum
    np.testing.assert_allclose(gradient, [[0, 0, 0], [0, 1 / kept[1].sum(), 0]])


def test_a_row_of_zeros_has_no_share_to_scale_and_is_nan_as_in_keras():
    loss = losses.CategoricalCrossentropy(reduction="none")
    with pytest.warns(RuntimeWarning, match="invalid value"):
        values = loss(np.eye(2), np.array([[0.0, 0.0], [0.5, 0.5]]))
    np.testing.assert_allclose(values, [np.nan, math.log(2)])


@pytest.mark.parametrize("loss", [losses.MeanSquaredError(), losses.BinaryCrossentropy()])
def test_probabilities_of_zero_and_one_give_finite_gradients(loss):
    y = np.array([[0.0, 1.0, 0.0, 1.0]], "float32")
    value, gradient = loss.value_and_gradient(y, np.array([[0.0, 1.0, 1.0, 0.0]], "float32"))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def model_ending_in(activation, loss, **options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation)])
    model.compile("sgd", loss, **options)
    return model


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("softmax", losses.SparseCategoricalCrossentropy),
        ("softmax", losses.CategoricalCrossentropy),
        ("sigmoid", losses.BinaryCrossentropy),
    ],
)
def test_logits_promised_but_an_activation_in_front_of_the_loss_is_not_applied_twice(activation, loss):
    x = np.linspace(-1, 1, 24, dtype="float32").reshape(6, 4)
    labels = np.array([0, 1, 2, 0, 1, 2])
    y = labels if loss is losses.SparseCategoricalCrossentropy else np.eye(3, dtype="float32")[labels]
    plain, promised = model_ending_in(activation, loss()), model_ending_in(activation, loss(from_logits=True))
    plain.fit(x, y, shuffle=False, verbose=0)
    with pytest.warns(UserWarning, match=f"was given `from_logits=True`, but the model ends in a {activation}"):
        promised.fit(x, y, shuffle=False, verbose=0)
    for got, expected in zip(promised.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_what_is_made_of_promised_logits_is_said_once():
    model = model_ending_in("softmax", losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = np.ones((2, 4), "float32"), np.array([0, 1])
    with pytest.warns(UserWarning, match="from_logits=True") as said:
        model.fit(x, y, validation_data=(x, y), verbose=0)
    assert len(said) == 1
    model.fit(x, y, verbose=0)  # a second warning would be an error
    model.evaluate(x, y, verbose=0)


def test_an_activation_of_ones_own_is_used_whatever_its_name():
    flat = activations.Activation(
        "softmax", lambda x, out=None: np.full_like(x, 0.25), lambda dy, y, out=None: np.zeros_like(dy)
    )
    model = model_ending_in(flat, "sparse_categorical_crossentropy")
    loss = model.evaluate(np.ones((2, 4), "float32"), np.array([0, 1]), verbose=0)
    assert loss == pytest.approx(math.log(3))


class Mover(losses.Loss):
    """A gradient that is the user's own array, and of another type."""

    def call(self, y_true, y_pred):
        return np.abs(y_true - y_pred).mean(axis=-1)

    def gradient(self, y_true, y_pred):
        return y_true


def test_a_gradient_that_is_somebody_elses_array_is_not_written_to():
    y = np.arange(6.0).reshape(2, 3)
    _, gradient = Mover().value_and_gradient(y, np.zeros((2, 3), "float32"))
    np.testing.assert_array_equal(y, np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(gradient, (y / 2).astype("float32"))
    assert gradient.dtype == np.float32


@pytest.mark.parametrize(
    ("units", "activation", "targets", "meant"),
    [
        (1, "sigmoid", np.array([[0.0], [1.0]]), "binary_crossentropy"),
        (3, "softmax", np.array([0, 2]), "sparse_categorical_crossentropy"),
        (3, "softmax", np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), "categorical_crossentropy"),
    ],
)
@pytest.mark.parametrize("name", ["ce", "CrossEntropy"])
def test_crossentropy_is_the_one_that_targets_mean(tmp_path, units, activation, targets, meant, name):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units, activation)])
    x, losses_found = np.ones((2, 2)), []
    for loss in (name, meant):
        model.compile("sgd", loss=loss)
        losses_found.append(model.evaluate(x, targets, verbose=0))
    assert losses_found[0] == losses_found[1]
    model.compile("sgd", loss=name)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.loss == name
    assert loaded.evaluate(x, targets, verbose=0) == losses_found[0]
