"""Losses: what single ones promise besides their formula, and what holds for whichever numbers they meet."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from multilayer import losses

# --- What some losses have besides ---


@pytest.mark.parametrize("fused", [False, True])
def test_a_class_to_ignore_does_not_count(fused):
    a = np.random.default_rng(0).normal(size=(6, 3))
    labels = np.array([0, -1, 2, 1, -1, 0])
    kept = labels >= 0
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    alone = losses.SparseCategoricalCrossentropy(from_logits=True)
    expected, slope = alone.value_and_gradient(labels[kept], a[kept])
    prepared = loss.prepare(labels, (None, 3))
    if fused:
        value, gradient = loss.value_and_gradient_fused(prepared, a, None, np.empty_like(a), np.empty_like(a))
    else:
        value, gradient = loss.value_and_gradient(prepared, a)
    assert value == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradient[kept], slope, rtol=1e-6)
    assert not gradient[~kept].any()
    assert loss(labels, a) == pytest.approx(expected, rel=1e-6)


def test_targets_of_hinge_losses_may_be_signs_or_bits():
    y = np.array([[0.3, -0.2]])
    for loss in (losses.Hinge(), losses.SquaredHinge()):
        assert loss([[1.0, 0.0]], y) == loss([[1.0, -1.0]], y)


@pytest.mark.parametrize("error", [-1e30, -1e4, -30.0, -1.0, -0.01, 1e-3, 0.1, 1.0, 30.0, 1e4, 1e38])
def test_log_cosh_neither_overflows_nor_loses_small_errors(error):
    error = np.float32(error)
    exact = abs(float(error)) + math.log1p(math.exp(-2.0 * abs(float(error)))) - math.log(2.0)
    exact = math.log(math.cosh(error)) if abs(error) < 1 else exact
    value, gradient = losses.LogCosh().value_and_gradient(np.zeros((1, 1), "float32"), np.array([[error]]))
    assert value == pytest.approx(exact, rel=1e-3)
    assert gradient.item() == pytest.approx(math.tanh(error), rel=1e-6)


def test_a_vector_of_zeros_has_no_direction():
    loss = losses.CosineSimilarity()
    value, gradient = loss.value_and_gradient(np.ones((1, 2), "float32"), np.zeros((1, 2), "float32"))
    assert value == 0
    assert np.isfinite(gradient).all()


def test_the_best_wrong_scores_share_the_gradient_of_a_categorical_hinge():
    gradient = losses.CategoricalHinge().value_and_gradient(np.eye(3)[:1], np.array([[0.0, 2.0, 2.0]]))[1]
    np.testing.assert_array_equal(gradient, [[-1.0, 0.5, 0.5]])


def test_at_the_corner_of_a_hinge_its_slope_is_that_of_the_inside():
    signs = np.array([[1.0, -1.0]])
    np.testing.assert_array_equal(losses.Hinge().value_and_gradient(signs, signs)[1], [[-0.5, 0.5]])
    np.testing.assert_array_equal(losses.SquaredHinge().value_and_gradient(signs, signs)[1], [[0.0, 0.0]])


def test_the_class_to_ignore_leaves_the_mean_of_the_others_exactly():
    labels, a = np.array([0, 7, 1, 7, 7]), np.array([[0.5, -1.0], [9, 9], [0.25, 2], [3, 0], [0, 3]])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=7)
    kept = losses.SparseCategoricalCrossentropy(from_logits=True)(labels[[0, 2]], a[[0, 2]])
    assert loss(labels, a) == pytest.approx(kept, rel=1e-15)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_where_every_class_is_ignored_there_is_no_loss(reduction):
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0, reduction=reduction)
    value, gradient = loss.value_and_gradient(np.zeros(3, int), np.ones((3, 2)))
    assert value == 0
    assert not gradient.any()


def test_negative_counts_are_refused_and_what_keras_promises_to_cut_is_cut():
    with pytest.raises(ValueError, match=r"'poisson' expects targets of at least 0; got -2\.0"):
        losses.Poisson().prepare([[1.0], [-2.0]], (None, 1))
    for loss in (losses.MeanSquaredLogarithmicError(), losses.KLDivergence()):
        y_true = loss.prepare([[-1.0, 0.5]], (None, 2))
        assert loss(y_true, [[0.5, 0.5]]) == pytest.approx(loss([[0.0, 0.5]], [[0.5, 0.5]]), rel=1e-5)


@pytest.mark.parametrize("use", ["prepare", "call"])
def test_a_focal_loss_has_one_weight_or_one_for_each_class(use):
    loss = losses.CategoricalFocalCrossentropy(alpha=(0.5, 1.0))
    assert loss.get_config()["alpha"] == [0.5, 1.0]
    with pytest.raises(ValueError, match=r"`alpha` as one number or one for each of the 3 classes; got 2"):
        loss.prepare(np.eye(3), (None, 3)) if use == "prepare" else loss(np.eye(3), np.eye(3))


REGRESSION = [losses.MeanSquaredError, losses.MeanAbsoluteError, losses.MeanAbsolutePercentageError, losses.Huber]


@pytest.mark.parametrize("cls", [*REGRESSION, losses.LogCosh, losses.MeanSquaredLogarithmicError, losses.Poisson])
def test_a_prediction_that_is_no_number_is_not_hushed_up(cls):
    value, gradient = cls().value_and_gradient(np.ones((1, 2)), np.array([[np.nan, 2.0]]))
    assert np.isnan(value)
    assert np.isnan(gradient).tolist() == [[True, False]]


@pytest.mark.parametrize("cls", [losses.MeanAbsoluteError, losses.MeanAbsolutePercentageError])
def test_an_error_of_zero_has_no_direction(cls):
    gradient = cls("sum").value_and_gradient(np.ones((1, 3)), np.array([[0.5, 1.0, 1e9]]))[1]
    np.testing.assert_array_equal(np.sign(gradient), [[-1.0, 0.0, 1.0]])


# --- As configs ---


def test_a_function_of_keras_is_written_as_its_class():
    assert losses.serialize(losses.huber) == losses.serialize(losses.Huber())
    assert type(losses.deserialize("mse")) is losses.MeanSquaredError


class Cubic(losses.Loss):
    def call(self, y_true, y_pred):
        return np.mean(np.abs(y_pred - y_true) ** 3, axis=-1)


def test_a_loss_of_ones_own_is_read_where_its_name_is_given():
    config = losses.serialize(Cubic(reduction="sum"))
    with pytest.raises(ValueError, match="Unknown loss: 'Cubic'"):
        losses.deserialize(config)
    copy = losses.deserialize(config, custom_objects={"Cubic": Cubic})
    assert (type(copy), copy.reduction) == (Cubic, "sum")
    assert type(losses.deserialize("Cubic", {"Cubic": Cubic})) is Cubic


# --- Whichever numbers they meet ---

ROWS_OF = st.integers(1, 5).flatmap(lambda n: st.integers(2, 4).map(lambda k: (n, k)))


@st.composite
def cases(draw, low, high):
    """Targets in [0, 1] and predictions in [low, high], float32 of one shape."""
    shape = draw(ROWS_OF)
    numbers = lambda a, b: hnp.arrays(np.float32, shape, elements=st.floats(a, b, width=32))  # noqa: E731
    return draw(numbers(0, 1)), draw(numbers(low, high))


ANYWHERE = [
    losses.MeanAbsoluteError,
    losses.MeanSquaredLogarithmicError,
    losses.Huber,
    losses.LogCosh,
    losses.CosineSimilarity,
    losses.Hinge,
    losses.SquaredHinge,
    losses.CategoricalHinge,
    losses.KLDivergence,
    lambda: losses.BinaryFocalCrossentropy(from_logits=True, gamma=0.5),
    lambda: losses.CategoricalFocalCrossentropy(from_logits=True, gamma=0.5),
    lambda: losses.BinaryCrossentropy(from_logits=True),
    lambda: losses.CategoricalCrossentropy(from_logits=True),
]


@pytest.mark.parametrize("make", ANYWHERE)
@settings(max_examples=60, deadline=None)
@given(case=cases(-1e6, 1e6))
def test_values_and_gradients_of_any_float32_are_finite(make, case):
    value, gradient = make().value_and_gradient(*case)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert gradient.dtype == np.float32


@settings(max_examples=60, deadline=None)
@given(case=cases(-50, 50), delta=st.floats(0.01, 20))
def test_huber_lies_between_the_square_and_the_line_and_log_cosh_below_both(case, delta):
    error = np.abs(case[1] - case[0]).astype("float64")
    huber = losses.huber(*case, delta=delta)
    assert (huber <= np.mean(error**2 / 2, axis=-1) * (1 + 1e-5) + 1e-6).all()
    assert (huber <= np.mean(delta * error, axis=-1) * (1 + 1e-5) + 1e-6).all()
    log_cosh = losses.log_cosh(*case)
    assert (log_cosh >= -1e-6).all()
    assert (log_cosh <= np.mean(np.minimum(error**2 / 2, error), axis=-1) * (1 + 1e-5) + 1e-6).all()


@settings(max_examples=60, deadline=None)
@given(case=cases(-50, 50), factor=st.floats(0.1, 10))
def test_only_the_direction_counts_for_cosine_similarity(case, factor):
    y_true, y_pred = case
    values = losses.cosine_similarity(y_true, y_pred)
    assert (np.abs(values) <= 1 + 1e-5).all()
    long = (np.linalg.norm(y_true, axis=-1) > 1e-3) & (np.linalg.norm(y_pred, axis=-1) > 1e-3)
    again = losses.cosine_similarity(y_true, y_pred * np.float32(factor))
    np.testing.assert_allclose(again[long], values[long], atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(case=cases(0.0078125, 0.984375))
def test_without_a_focus_the_focal_losses_are_cross_entropies(case):
    y_true, y_pred = case
    focal = losses.binary_focal_crossentropy(y_true, y_pred, gamma=0.0)
    np.testing.assert_allclose(focal, losses.binary_crossentropy(y_true, y_pred), rtol=1e-4, atol=1e-6)
    focal = losses.categorical_focal_crossentropy(y_true, y_pred, alpha=1.0, gamma=0.0)
    np.testing.assert_allclose(focal, losses.categorical_crossentropy(y_true, y_pred), rtol=1e-4, atol=1e-6)
