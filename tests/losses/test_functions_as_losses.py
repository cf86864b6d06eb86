"""Plain functions, and classes with `call` alone, as losses: what they are given, and what fails early."""

import numpy as np
import pytest

import multilayer as keras
from helpers.gradients import assert_gradient
from multilayer import layers, losses

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(8, 3)).astype("float32"), RNG.normal(size=(8, 2)).astype("float32")


def trained(loss, y=Y, **arguments):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", loss)
    return model.fit(X, y, verbose=0, **arguments)


@pytest.mark.parametrize(
    "function",
    [
        lambda y_true, y_pred: np.mean((y_true - y_pred) ** 4, axis=-1),  # one number a sample
        lambda y_true, y_pred: np.mean((y_true - y_pred) ** 4),  # one number
        lambda y_true, y_pred: (y_true - y_pred) ** 4,  # one number an output
    ],
    ids=["samples", "batch", "outputs"],
)
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weight", [None, np.linspace(0.0, 2.0, 8)], ids=["plain", "weighted"])
def test_its_gradient_is_that_of_its_reduced_value(function, reduction, weight):
    loss = losses.LossFunctionWrapper(function, reduction=reduction)
    y_true, y_pred = Y.astype("float64"), RNG.normal(size=Y.shape)
    value, gradient = loss.value_and_gradient(y_true, y_pred, weight)
    assert value == pytest.approx(loss(y_true, y_pred, weight))
    gradient = gradient.copy()
    assert_gradient(gradient, lambda: loss.value_and_gradient(y_true, y_pred, weight)[0], y_pred)


@pytest.mark.parametrize("labels", [np.arange(8) % 2, (np.arange(8) % 2)[:, None], np.arange(8, dtype="uint8") % 2])
def test_labels_come_as_fractions_in_their_own_shape_as_in_keras(labels):
    given = []

    def loss(y_true, y_pred):
        given.append((y_true.dtype, y_true.shape[1:], y_pred.dtype, y_pred.shape[1:]))
        return losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)

    assert trained(loss, labels).history["loss"][0] > 0
    assert set(given) == {(np.dtype("float32"), labels.shape[1:], np.dtype("float32"), (2,))}


def test_it_is_tried_once_for_two_samples():
    batches = []

    def loss(y_true, y_pred):
        batches.append(len(y_pred))
        return np.mean(np.square(y_true - y_pred), axis=-1)

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", loss)
    for _ in range(3):
        model.train_on_batch(X, Y)
    assert batches == [2, 8, 8, 8]


def test_what_counts_on_the_size_of_a_batch_is_left_to_the_first_step():
    def halves(y_true, y_pred):
        return np.mean(np.square(np.reshape(y_true - y_pred, (4, 4))), axis=-1)

    assert trained(halves).history["loss"][0] > 0


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda y_true, y_pred: None, "returned None: it must return a loss for each sample. Is there a `return`"),
        (lambda y_true, y_pred: (y_pred, y_pred), "returned a tuple: it must return an array"),
        (lambda y_true, y_pred: np.argmax(y_pred, axis=-1), "int64 numbers that do not depend on the predictions"),
        (lambda y_true, y_pred: (y_pred > y_true).astype(float), "do not depend on the predictions in a way that has"),
        (lambda y_true, y_pred: np.mean(np.square(y_true)), "do not depend on the predictions in a way that has"),
    ],
)
def test_what_nothing_can_be_learned_from_is_said_before_the_first_step(function, message):
    with pytest.raises(ValueError, match=f"Loss 'lambda' .*{message}"):
        trained(function)


def test_what_turns_predictions_into_arrays_says_where():
    with pytest.raises(
        TypeError, match=r"cannot be turned into an array: its derivative would be lost.*test_functions"
    ):
        trained(lambda y_true, y_pred: np.mean(np.asarray(y_pred)))


def test_a_class_may_build_on_a_built_in_one():
    class Doubled(losses.CategoricalCrossentropy):
        def call(self, y_true, y_pred):
            return 2.0 * super().call(y_true, y_pred)

    y_true, y_pred = np.eye(3)[[0, 2]], np.array([[0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])
    value, gradient = Doubled().value_and_gradient(y_true, y_pred)
    expected = losses.CategoricalCrossentropy().value_and_gradient(y_true, y_pred)
    assert value == pytest.approx(2 * expected[0])
    np.testing.assert_allclose(gradient, 2 * expected[1])
    assert Doubled.fuses is None  # a softmax in front is not taken into it


def test_a_class_of_a_function_comes_back_from_its_config():
    def power(y_true, y_pred, exponent):
        return np.mean(np.abs(y_true - y_pred) ** exponent, axis=-1)

    class Power(losses.LossFunctionWrapper):
        def __init__(self, exponent=3.0, name="power"):
            super().__init__(power, name=name, exponent=exponent)

    again = losses.deserialize(losses.serialize(Power(4.0)), custom_objects={"Power": Power})
    assert type(again) is Power
    assert again(Y, 0 * Y) == pytest.approx(np.mean(Y**4))


class OfPairs(losses.Loss):
    """A loss of all pairs of a batch, as contrastive ones are: neither one number a sample, nor targets as outputs."""

    def __call__(self, y_true, y_pred, sample_weight=None):
        same = np.asarray(y_true).reshape(-1, 1) == np.asarray(y_true).reshape(1, -1)
        apart = y_pred[:, None] - y_pred[None]
        return np.mean(np.where(same, 1.0, -0.1) * np.sum(apart**2, axis=-1))


def test_a_loss_that_is_written_over_as_a_whole():
    x = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
    y = np.repeat([0, 1], 6).reshape(-1, 1)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model.compile(keras.optimizers.SGD(1.0), OfPairs())
    weight = model.layers[0].kernel
    with keras.GradientTape() as tape:
        loss = OfPairs()(y, model(x))
    expected = weight.numpy() - tape.gradient(loss, weight)
    history = model.fit(x, y, batch_size=12, verbose=0).history["loss"]
    np.testing.assert_allclose(history, [float(loss)], rtol=1e-5)
    np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-4, atol=1e-6)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(float(OfPairs()(y, model(x))), rel=1e-5)
