"""Losses: one table with every loss, its formula in plain Python, and the tests that each has to pass."""

import json
import math
import tracemalloc
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

import multilayer as keras
from helpers.gradients import assert_gradient
from multilayer import activations, losses
from multilayer._core.tape import Tensor, plain
from multilayer._names import registry
from multilayer._names.naming import snake_case
from multilayer.losses.families import JointLoss


def cross_entropy(t, p):
    """From probabilities that need not sum to 1."""
    return -sum(ti * math.log(pi / sum(p)) for ti, pi in zip(t, p, strict=True))


def softmax(a):
    return [math.exp(ai) / sum(math.exp(aj) for aj in a) for ai in a]


def sigmoid(a):
    return [1.0 / (1.0 + math.exp(-ai)) for ai in a]


def binary_cross_entropy(t, p):
    terms = [-ti * math.log(pi) - (1.0 - ti) * math.log(1.0 - pi) for ti, pi in zip(t, p, strict=True)]
    return sum(terms) / len(terms)


def one_hot(label, k):
    return [float(i == label) for i in range(k)]


def smooth(t, s, indifferent):
    return [ti * (1.0 - s) + s * indifferent for ti in t]


def mean_of(term):
    """A formula that is the mean of a term for each number."""
    return lambda t, p: sum(term(a, b) for a, b in zip(t, p, strict=True)) / len(p)


def cosine(t, p):
    return -sum(a * b for a, b in zip(t, p, strict=True)) / math.hypot(*t) / math.hypot(*p)


def categorical_hinge(t, p):
    right = sum(a * b for a, b in zip(t, p, strict=True))
    return max(0.0, 1.0 - right + max((1.0 - a) * b for a, b in zip(t, p, strict=True)))


def binary_focal(gamma=2.0, alpha=None):
    def term(t, p):
        weight = 1.0 if alpha is None else t * alpha + (1.0 - t) * (1.0 - alpha)
        missing = 1.0 - (t * p + (1.0 - t) * (1.0 - p))
        return weight * missing**gamma * binary_cross_entropy([t], [p])

    return mean_of(term)


def categorical_focal(alpha=0.25, gamma=2.0):
    def formula(t, p):
        shares, weights = [pi / sum(p) for pi in p], alpha if isinstance(alpha, list) else [alpha] * len(p)
        terms = zip(weights, t, shares, strict=True)
        return -sum(weight * (1.0 - pi) ** gamma * ti * math.log(pi) for weight, ti, pi in terms)

    return formula


class Row(NamedTuple):
    """How a loss is made, what it is given, and what it says of one sample by its formula."""

    make: Callable[..., losses.Loss]
    targets: str
    predictions: str
    formula: Callable[..., float]


ROWS = {
    "MeanSquaredError": Row(
        losses.MeanSquaredError, "any", "any", lambda t, p: sum((a - b) ** 2 for a, b in zip(t, p, strict=True)) / 3
    ),
    "MeanAbsoluteError": Row(
        losses.MeanAbsoluteError, "any", "any", lambda t, p: sum(abs(a - b) for a, b in zip(t, p, strict=True)) / 3
    ),
    "CategoricalCrossentropy": Row(losses.CategoricalCrossentropy, "one-hot", "probabilities", cross_entropy),
    "CategoricalCrossentropy, logits": Row(
        lambda **k: losses.CategoricalCrossentropy(from_logits=True, **k),
        "one-hot",
        "any",
        lambda t, a: cross_entropy(t, softmax(a)),
    ),
    "CategoricalCrossentropy, smoothed": Row(
        lambda **k: losses.CategoricalCrossentropy(label_smoothing=0.3, **k),
        "one-hot",
        "probabilities",
        lambda t, p: cross_entropy(smooth(t, 0.3, 1 / 3), p),
    ),
    "CategoricalCrossentropy, smoothed, logits": Row(
        lambda **k: losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.3, **k),
        "one-hot",
        "any",
        lambda t, a: cross_entropy(smooth(t, 0.3, 1 / 3), softmax(a)),
    ),
    "CategoricalCrossentropy, soft targets": Row(
        losses.CategoricalCrossentropy, "probabilities", "probabilities", cross_entropy
    ),
    "SparseCategoricalCrossentropy": Row(
        losses.SparseCategoricalCrossentropy, "labels", "probabilities", lambda t, p: cross_entropy(one_hot(t, 3), p)
    ),
    "SparseCategoricalCrossentropy, logits": Row(
        lambda **k: losses.SparseCategoricalCrossentropy(from_logits=True, **k),
        "labels",
        "any",
        lambda t, a: cross_entropy(one_hot(t, 3), softmax(a)),
    ),
    "BinaryCrossentropy": Row(losses.BinaryCrossentropy, "binary", "probabilities", binary_cross_entropy),
    "BinaryCrossentropy, logits": Row(
        lambda **k: losses.BinaryCrossentropy(from_logits=True, **k),
        "binary",
        "any",
        lambda t, a: binary_cross_entropy(t, sigmoid(a)),
    ),
    "BinaryCrossentropy, smoothed": Row(
        lambda **k: losses.BinaryCrossentropy(label_smoothing=0.3, **k),
        "binary",
        "probabilities",
        lambda t, p: binary_cross_entropy(smooth(t, 0.3, 0.5), p),
    ),
    "BinaryCrossentropy, smoothed, logits": Row(
        lambda **k: losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.3, **k),
        "binary",
        "any",
        lambda t, a: binary_cross_entropy(smooth(t, 0.3, 0.5), sigmoid(a)),
    ),
    "MeanAbsolutePercentageError": Row(
        losses.MeanAbsolutePercentageError, "any", "any", mean_of(lambda t, p: 100.0 * abs(p - t) / abs(t))
    ),
    "MeanSquaredLogarithmicError": Row(
        losses.MeanSquaredLogarithmicError,
        "probabilities",
        "any",
        mean_of(lambda t, p: (math.log(1.0 + max(p, 1e-7)) - math.log(1.0 + t)) ** 2),
    ),
    "Huber": Row(
        losses.Huber, "any", "any", mean_of(lambda t, p: (p - t) ** 2 / 2 if abs(p - t) <= 1 else abs(p - t) - 0.5)
    ),
    "Huber, delta": Row(
        lambda **k: losses.Huber(delta=0.3, **k),
        "any",
        "any",
        mean_of(lambda t, p: (p - t) ** 2 / 2 if abs(p - t) <= 0.3 else 0.3 * abs(p - t) - 0.045),
    ),
    "LogCosh": Row(losses.LogCosh, "any", "any", mean_of(lambda t, p: math.log(math.cosh(p - t)))),
    "Poisson": Row(losses.Poisson, "probabilities", "probabilities", mean_of(lambda t, p: p - t * math.log(p + 1e-7))),
    "Huber, wide": Row(lambda **k: losses.Huber(delta=9.0, **k), "any", "any", mean_of(lambda t, p: (p - t) ** 2 / 2)),
    "Hinge, signs": Row(losses.Hinge, "signs", "any", mean_of(lambda t, p: max(0.0, 1.0 - t * p))),
    "SquaredHinge, signs": Row(losses.SquaredHinge, "signs", "any", mean_of(lambda t, p: max(0.0, 1.0 - t * p) ** 2)),
    "BinaryFocalCrossentropy, balanced, logits": Row(
        lambda **k: losses.BinaryFocalCrossentropy(True, alpha=0.6, gamma=0.5, from_logits=True, **k),
        "binary",
        "any",
        lambda t, a: binary_focal(0.5, 0.6)(t, sigmoid(a)),
    ),
    "CosineSimilarity": Row(losses.CosineSimilarity, "any", "any", cosine),
    "Hinge": Row(losses.Hinge, "binary", "any", mean_of(lambda t, p: max(0.0, 1.0 - (2 * t - 1) * p))),
    "SquaredHinge": Row(losses.SquaredHinge, "binary", "any", mean_of(lambda t, p: max(0.0, 1 - (2 * t - 1) * p) ** 2)),
    "CategoricalHinge": Row(losses.CategoricalHinge, "one-hot", "any", categorical_hinge),
    "KLDivergence": Row(
        losses.KLDivergence,
        "probabilities",
        "probabilities",
        lambda t, p: sum(a * math.log(a / b) for a, b in zip(t, p, strict=True)),
    ),
    "BinaryFocalCrossentropy": Row(losses.BinaryFocalCrossentropy, "binary", "probabilities", binary_focal()),
    "BinaryFocalCrossentropy, balanced": Row(
        lambda **k: losses.BinaryFocalCrossentropy(True, alpha=0.3, gamma=1.5, **k),
        "binary",
        "probabilities",
        binary_focal(1.5, 0.3),
    ),
    "BinaryFocalCrossentropy, logits": Row(
        lambda **k: losses.BinaryFocalCrossentropy(from_logits=True, **k),
        "binary",
        "any",
        lambda t, a: binary_focal()(t, sigmoid(a)),
    ),
    "BinaryFocalCrossentropy, smoothed": Row(
        lambda **k: losses.BinaryFocalCrossentropy(label_smoothing=0.2, gamma=0, **k),
        "binary",
        "probabilities",
        lambda t, p: binary_focal(0.0)(smooth(t, 0.2, 0.5), p),
    ),
    "CategoricalFocalCrossentropy": Row(
        losses.CategoricalFocalCrossentropy, "one-hot", "probabilities", categorical_focal()
    ),
    "CategoricalFocalCrossentropy, given": Row(
        lambda **k: losses.CategoricalFocalCrossentropy(alpha=0.5, gamma=0.7, label_smoothing=0.2, **k),
        "one-hot",
        "probabilities",
        lambda t, p: categorical_focal(0.5, 0.7)(smooth(t, 0.2, 1 / 3), p),
    ),
    "CategoricalFocalCrossentropy, a weight for each class": Row(
        lambda **k: losses.CategoricalFocalCrossentropy(alpha=[0.2, 0.5, 1.0], gamma=1.0, **k),
        "one-hot",
        "probabilities",
        categorical_focal([0.2, 0.5, 1.0], 1.0),
    ),
    "CategoricalFocalCrossentropy, logits": Row(
        lambda **k: losses.CategoricalFocalCrossentropy(from_logits=True, **k),
        "one-hot",
        "any",
        lambda t, a: categorical_focal()(t, softmax(a)),
    ),
    "CategoricalGeneralizedCrossEntropy": Row(
        losses.CategoricalGeneralizedCrossEntropy, "labels", "probabilities", lambda t, p: (1.0 - p[t] ** 0.5) / 0.5
    ),
    "CategoricalGeneralizedCrossEntropy, q": Row(
        lambda **k: losses.CategoricalGeneralizedCrossEntropy(q=0.8, **k),
        "labels",
        "probabilities",
        lambda t, p: (1.0 - p[t] ** 0.8) / 0.8,
    ),
}
FUSED = [name for name, row in ROWS.items() if row.make().fuses and "logits" not in name]
REDUCTIONS = {  # sum of weighted losses, sum of the weights, number of losses
    "sum": lambda total, weights, number: total,
    "sum_over_batch_size": lambda total, weights, number: total / number,
    "mean": lambda total, weights, number: total / number,
    "mean_with_sample_weight": lambda total, weights, number: total / weights,
}
every_row = pytest.mark.parametrize("name", ROWS)
every_fused_row = pytest.mark.parametrize("name", FUSED)
every_shape = pytest.mark.parametrize("shape", [(6, 3), (2, 4, 3)])
weighted_or_not = pytest.mark.parametrize("weighted", [False, True])


def numbers(kind, shape, seed):
    """Targets or predictions of a kind, for outputs of this shape."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(shape[-1], size=shape[:-1])
    return {
        "any": lambda: rng.normal(size=shape),
        "probabilities": lambda: rng.uniform(0.1, 0.9, size=shape),  # rows that do not sum to 1
        "signs": lambda: 2.0 * rng.integers(2, size=shape) - 1.0,
        "binary": lambda: rng.integers(2, size=shape).astype(float),
        "labels": lambda: labels,
        "one-hot": lambda: np.eye(shape[-1])[labels],
    }[kind]()


def data(name, shape, weighted=False):
    """Targets, predictions and sample weights for a row."""
    row = ROWS[name]
    y_true = numbers(row.targets, shape, seed=1)
    y_pred = numbers(row.predictions, shape, seed=2)
    weight = np.random.default_rng(3).uniform(0.5, 2.0, size=shape[0]) if weighted else None
    return y_true, y_pred, weight


def by_formula(name, y_true, y_pred):
    """Each sample's loss, one after the other."""
    targets = y_true.reshape(-1) if ROWS[name].targets == "labels" else y_true.reshape(-1, 3)
    pairs = zip(targets.tolist(), y_pred.reshape(-1, 3).tolist(), strict=True)
    return np.reshape([ROWS[name].formula(t, p) for t, p in pairs], y_pred.shape[:-1])


def test_every_registered_loss_has_a_row():
    assert {type(row.make()) for row in ROWS.values()} == registry.registered("loss")


# --- Values and gradients ---


@every_row
@every_shape
def test_each_sample_has_the_loss_of_the_formula(name, shape):
    y_true, y_pred, _ = data(name, shape)
    values = ROWS[name].make(reduction="none")(y_true, y_pred)
    np.testing.assert_allclose(values, by_formula(name, y_true, y_pred), rtol=1e-6)


@every_row
@every_shape
@weighted_or_not
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_a_reduction_makes_one_number_of_them(name, shape, weighted, reduction):
    y_true, y_pred, weight = data(name, shape, weighted)
    values = by_formula(name, y_true, y_pred)
    weights = np.ones(shape[0]) if weight is None else weight
    weights = np.broadcast_to(weights.reshape(-1, *[1] * (values.ndim - 1)), values.shape)
    expected = REDUCTIONS[reduction](float((weights * values).sum()), float(weights.sum()), values.size)
    loss = ROWS[name].make(reduction=reduction)
    assert loss(y_true, y_pred, sample_weight=weight) == pytest.approx(expected, rel=1e-6)
    assert loss.value_and_gradient(y_true, y_pred, weight)[0] == pytest.approx(expected, rel=1e-6)


@every_row
@every_shape
@weighted_or_not
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_gradient_matches_finite_differences(name, shape, weighted, reduction):
    y_true, y_pred, weight = data(name, shape, weighted)
    loss = ROWS[name].make(reduction=reduction)
    gradient = loss.value_and_gradient(y_true, y_pred, weight)[1].copy()
    assert_gradient(gradient, lambda: loss.value_and_gradient(y_true, y_pred, weight)[0], y_pred)


@every_row
def test_memory_for_the_gradient_changes_nothing_but_where_it_lies(name):
    y_true, y_pred, _ = data(name, (6, 3))
    loss, given = ROWS[name].make(), y_pred.copy()
    value, gradient = loss.value_and_gradient(y_true, y_pred)
    value_out, gradient_out = loss.value_and_gradient(y_true, y_pred, out=np.full_like(y_pred, np.nan))
    assert value_out == value
    np.testing.assert_array_equal(gradient_out, gradient)
    np.testing.assert_array_equal(y_pred, given)


# --- On a tape ---


@every_row
def test_a_loss_of_tensors_has_the_same_value_and_gradients(name):
    y_true, y_pred, weight = data(name, (6, 3), weighted=True)
    loss, x = ROWS[name].make(), Tensor(y_pred)
    with keras.GradientTape() as tape:
        tape.watch(x)
        value = loss(y_true, x, sample_weight=weight)
    expected, gradient = loss.value_and_gradient(y_true, y_pred, weight)
    assert float(value.numpy()) == pytest.approx(expected)
    np.testing.assert_allclose(tape.gradient(value, x), gradient, rtol=1e-12)


@every_row
def test_a_gradient_is_differentiated_again(name):
    y_true, y_pred, _ = data(name, (6, 3))
    loss, x = ROWS[name].make(reduction="sum"), Tensor(y_pred)
    along = np.random.default_rng(4).normal(size=y_pred.shape)
    with keras.GradientTape() as second:
        second.watch(x)
        with keras.GradientTape() as first:
            first.watch(x)
            value = loss(y_true, x)
        gradient = first.gradient(value, x)
        product = np.sum(gradient * along)
    np.testing.assert_allclose(plain(gradient), loss.value_and_gradient(y_true, y_pred)[1], rtol=1e-9, atol=1e-12)
    found = second.gradient(product, x)
    found = np.zeros_like(y_pred) if found is None else found
    assert_gradient(found, lambda: float(np.sum(along * loss.value_and_gradient(y_true, y_pred)[1])), y_pred)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.targets in ("any", "probabilities")])
def test_targets_have_a_derivative_as_well(name):
    y_true, y_pred, _ = data(name, (6, 3))
    loss, t, x = ROWS[name].make(), Tensor(y_true), Tensor(y_pred)
    with keras.GradientTape() as tape:
        tape.watch([t, x])
        value = loss(t, x)
    of_targets, of_predictions = tape.gradient(value, [t, x])
    assert float(value.numpy()) == pytest.approx(loss(y_true, y_pred), rel=1e-9)
    assert_gradient(of_targets, lambda: loss(y_true, y_pred), y_true)
    assert_gradient(of_predictions, lambda: loss(y_true, y_pred), y_pred)


def test_a_variable_is_compared_and_weighs():
    centre, weight = keras.Variable(np.ones((2, 3))), keras.Variable(np.array([1.0, 3.0]))
    with keras.GradientTape() as tape:
        value = losses.MeanSquaredError("sum")(np.zeros((2, 3)), centre, sample_weight=weight * 1.0)
    of_centre, of_weight = tape.gradient(value, [centre, weight])
    np.testing.assert_allclose(of_centre, np.outer([1.0, 3.0], np.full(3, 2 / 3)))
    np.testing.assert_allclose(of_weight, [1.0, 1.0])


def peak_of(action):
    """What an action that has been done before allocates at its worst moment, in bytes."""
    action()
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "name", [name for name, row in ROWS.items() if isinstance(row.make(), JointLoss) and "Focal" not in name]
)
def test_with_memory_given_no_array_of_the_predictions_size_is_made(name):
    row, shape = ROWS[name], (512, 100)
    y_true, y_pred = numbers(row.targets, shape, seed=1), numbers(row.predictions, shape, seed=2).astype("float32")
    y_true = y_true if row.targets == "labels" else y_true.astype("float32")
    loss, out, work, losses_out = row.make(), *(np.empty_like(y_pred) for _ in range(2)), np.empty(512, "float32")
    smoothed = y_pred.nbytes if getattr(loss, "label_smoothing", 0) else 0  # their own targets: one array
    assert peak_of(lambda: loss.value_and_gradient(y_true, y_pred, None, out, work)) < smoothed + y_pred.nbytes
    if loss.fuses:
        fused = lambda: loss.value_and_gradient_fused(y_true, y_pred, None, work, out, losses_out)  # noqa: E731
        assert peak_of(fused) < smoothed + y_pred.nbytes / 2


# --- Behind a softmax or a sigmoid: both in one ---


@every_fused_row
@every_shape
@weighted_or_not
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_fused_path_is_the_activation_and_the_loss_in_turn(name, shape, weighted, reduction):
    loss = ROWS[name].make(reduction=reduction)
    activation = activations.get(loss.fuses)
    y_true, _, weight = data(name, shape, weighted)
    a = numbers("any", shape, seed=4)
    y_pred, out = np.full_like(a, np.nan), np.full_like(a, np.nan)
    value, da = loss.value_and_gradient_fused(y_true, a.copy(), weight, y_pred, out)
    da = da.copy()
    np.testing.assert_allclose(y_pred, activation(a), rtol=1e-12)
    unfused_value, dy = loss.value_and_gradient(y_true, y_pred, weight)
    assert value == pytest.approx(unfused_value, rel=1e-6)
    np.testing.assert_allclose(da, activation.backward(dy, y_pred), rtol=1e-5, atol=1e-9)
    assert_gradient(da, lambda: loss.value_and_gradient(y_true, activation(a.copy()), weight)[0], a)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("name", [name for name in ROWS if "logits" in name and "Focal" not in name])
def test_extreme_logits_give_finite_losses_and_exact_gradients(name, fused, dtype):
    a = np.array([[-1e4, 0.0, 1e4], [1e4, -1e4, 0.0], [1e4, 1e4, 1e4], [-1e4, -1e4, -1e4], [0, 0, 0]], dtype)
    loss = ROWS[name].make()
    if ROWS[name].targets == "labels":
        y_true = np.array([0, 1, 2, 0, 1])
        t = np.eye(3)[y_true]
    else:
        y_true = t = np.eye(3)[[0, 1, 2, 0, 1]].astype(dtype)
    smoothing = getattr(loss, "label_smoothing", 0.0)
    if fused:
        value, da = loss.value_and_gradient_fused(y_true, a, None, np.empty_like(a), np.empty_like(a))
    else:
        value, da = loss.value_and_gradient(y_true, a)
    outputs = 3 if loss.fuses == "sigmoid" else 1  # the binary loss is a mean over the outputs
    t = t * (1 - smoothing) + smoothing / (2 if loss.fuses == "sigmoid" else 3)
    assert 0 < value < 1e5
    assert da.dtype == dtype
    np.testing.assert_allclose(da, (activations.get(loss.fuses)(a) - t) / (5 * outputs), rtol=1e-5, atol=1e-7)


@every_row
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_certain_predictions_right_or_wrong_stay_finite(name, dtype):
    loss = ROWS[name].make()
    y_true = np.array([0, 1]) if ROWS[name].targets == "labels" else np.eye(3)[:2].astype(dtype)
    value, gradient = loss.value_and_gradient(y_true, np.eye(3)[[0, 2]].astype(dtype))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@every_row
@weighted_or_not
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_has_the_type_of_the_predictions(name, weighted, dtype):
    y_true, y_pred, weight = data(name, (6, 3), weighted)
    y_true = y_true if y_true.dtype.kind == "i" else y_true.astype(dtype)
    weight = None if weight is None else weight.astype(dtype)
    loss = ROWS[name].make()
    value, gradient = loss.value_and_gradient(y_true, y_pred.astype(dtype), weight)
    assert isinstance(value, float)
    assert gradient.dtype == dtype
    if loss.fuses:
        a = y_pred.astype(dtype)
        assert loss.value_and_gradient_fused(y_true, a, weight, np.empty_like(a), np.empty_like(a))[1].dtype == dtype


def test_smoothing_of_one_makes_every_target_indifferent():
    for loss in (losses.CategoricalCrossentropy(label_smoothing=1.0), losses.BinaryCrossentropy(label_smoothing=1)):
        assert loss([[1.0, 0.0]], [[0.5, 0.5]]) == pytest.approx(math.log(2))


# --- What a user may pass to a loss that is called ---


def test_a_column_and_a_row_of_numbers_mean_the_same():
    loss = losses.MeanSquaredError(reduction="none")
    for y_true in ([1.0, 2.0], [[1.0], [2.0]]):
        np.testing.assert_array_equal(loss(y_true, [[0.0], [0.0]]), [1.0, 4.0])


@pytest.mark.parametrize("reduction", ["none", "sum", "sum_over_batch_size", "mean_with_sample_weight"])
def test_sample_weights_may_be_a_column(reduction):
    y_true, y_pred, weight = data("SparseCategoricalCrossentropy", (6, 3), weighted=True)
    loss = losses.SparseCategoricalCrossentropy(reduction=reduction)
    np.testing.assert_allclose(loss(y_true, y_pred, weight[:, None]), loss(y_true, y_pred, weight))


def test_one_number_weighs_every_sample():
    assert losses.MeanSquaredError()([[1.0], [2.0]], [[0.0], [0.0]], sample_weight=2.0) == 5.0


def test_a_weight_belongs_to_a_sample_not_to_a_time_step():
    values = losses.MeanSquaredError(reduction="none")(np.zeros((2, 2, 1)), np.ones((2, 2, 1)), [1.0, 5.0])
    np.testing.assert_array_equal(values, [[1.0, 1.0], [5.0, 5.0]])


def test_labels_where_one_hot_rows_are_expected_are_refused():
    with pytest.raises(ValueError, match="sparse_categorical_crossentropy"):
        losses.CategoricalCrossentropy()([1, 0], [[0.2, 0.8], [0.5, 0.5]])


def test_the_functions_give_each_samples_loss():
    for name in ("MeanSquaredError", "MeanAbsoluteError"):
        y_true, y_pred, _ = data(name, (6, 3))
        function = getattr(losses, snake_case(name))
        np.testing.assert_allclose(function(y_true, y_pred), by_formula(name, y_true, y_pred))
    y_true, a, _ = data("CategoricalCrossentropy, smoothed, logits", (6, 3))
    np.testing.assert_allclose(
        losses.categorical_crossentropy(y_true, a, from_logits=True, label_smoothing=0.3),
        by_formula("CategoricalCrossentropy, smoothed, logits", y_true, a),
    )
    labels = y_true.argmax(axis=1)
    np.testing.assert_allclose(
        losses.sparse_categorical_crossentropy(labels, a, from_logits=True),
        by_formula("SparseCategoricalCrossentropy, logits", labels, a),
    )
    np.testing.assert_allclose(
        losses.binary_crossentropy(y_true, a, from_logits=True, label_smoothing=0.3),
        by_formula("BinaryCrossentropy, smoothed, logits", y_true, a),
    )


# --- Configs and names ---


@every_row
def test_a_config_is_json_and_makes_the_same_loss(name):
    loss = ROWS[name].make(reduction="sum", name="mine")
    copy = losses.get(json.loads(json.dumps(losses.serialize(loss))))
    assert type(copy) is type(loss)
    assert copy.get_config() == loss.get_config()
    assert (copy.name, copy.reduction) == ("mine", "sum")
    y_true, y_pred, _ = data(name, (6, 3))
    assert copy(y_true, y_pred) == loss(y_true, y_pred)


@pytest.mark.parametrize(
    ("identifier", "cls"),
    [
        ("mse", losses.MeanSquaredError),
        ("MSE", losses.MeanSquaredError),
        ("mean_squared_error", losses.MeanSquaredError),
        ("MeanSquaredError", losses.MeanSquaredError),
        ("mae", losses.MeanAbsoluteError),
        ("categorical_crossentropy", losses.CategoricalCrossentropy),
        ("sparse_categorical_crossentropy", losses.SparseCategoricalCrossentropy),
        ("binary_crossentropy", losses.BinaryCrossentropy),
        ("bce", losses.BinaryCrossentropy),
        (losses.MeanSquaredError, losses.MeanSquaredError),
        (losses.mean_absolute_error, losses.MeanAbsoluteError),
        (losses.sparse_categorical_crossentropy, losses.SparseCategoricalCrossentropy),
    ],
)
def test_a_loss_goes_by_several_names(identifier, cls):
    loss = losses.get(identifier)
    assert type(loss) is cls
    assert loss.name == snake_case(cls.__name__)


def test_a_loss_is_itself():
    loss = losses.MeanSquaredError()
    assert losses.get(loss) is loss


# --- Targets, checked before training ---


def test_prepared_targets_have_the_shape_of_the_output():
    mse = losses.MeanSquaredError()
    assert mse.prepare([1, 2], (None, 1)).tolist() == [[1.0], [2.0]]
    assert mse.prepare([[1], [2]], (None, 1)).dtype == "float32"
    assert mse.prepare([[[1.0], [2.0]]], (None, 2)).tolist() == [[1.0, 2.0]]
    sparse = losses.SparseCategoricalCrossentropy()
    for labels in ([2, 0], [[2], [0]], [2.0, 0.0], np.array([2, 0], "uint8")):
        assert sparse.prepare(labels, (None, 3)).tolist() == [2, 0]
    assert sparse.prepare([[2, 0]], (None, 2, 3)).tolist() == [[2, 0]]


@pytest.mark.parametrize(
    ("loss", "y", "outputs", "message"),
    [
        ("mse", [[1.0, 2.0]], 3, r"shape of the model's output, \(None, 3\); got an array of shape \(1, 2\)"),
        ("mse", [[np.nan]], 1, r"`y` holds nan at index \(0, 0\)"),
        ("mae", [["a"]], 1, "`y` must hold numbers"),
        ("mae", [[1.0], [1.0, 2.0]], 1, "`y` cannot be made into one array"),
        ("mae", 3.0, 1, "one entry a sample; got the single number 3.0"),
        ("categorical_crossentropy", [0, 1], 3, "expects one-hot targets.*'sparse_categorical_crossentropy'.*to_categ"),
        ("categorical_crossentropy", [[0, 1]], 3, r"\(None, 3\); got an array of shape \(1, 2\)"),
        ("sparse_categorical_crossentropy", [0, 3], 3, r"label value of 3 .* range of \[0, 3\): the model has 3 outp"),
        ("sparse_categorical_crossentropy", [-1, 2], 3, r"label value of -1 .* range of \[0, 3\)"),
        ("sparse_categorical_crossentropy", [0.5, 1.0], 3, "whole-number labels; got fractions such as 0.5"),
        ("sparse_categorical_crossentropy", [[0, 1, 0]], 3, "look one-hot: use 'categorical_crossentropy'"),
        ("sparse_categorical_crossentropy", [0, 1], 1, "two classes and one output, use 'binary_crossentropy'"),
        ("sparse_categorical_crossentropy", [0.0, np.inf], 3, r"`y` holds inf at index \(1,\)"),
        ("binary_crossentropy", [0, 2], 1, "targets from 0 to 1; got 2"),
        ("binary_crossentropy", [-1, 1], 1, "targets from 0 to 1; got -1"),
    ],
)
def test_targets_that_do_not_fit_are_named(loss, y, outputs, message):
    with pytest.raises(ValueError, match=message):
        losses.get(loss).prepare(y, (None, outputs))


# --- Bad arguments ---


def test_unknown_names_come_with_the_nearest_known_one():
    with pytest.raises(ValueError, match="Unknown loss: 'sparse_crossentropy'. Did you mean 'sparse_categorical_cross"):
        losses.get("sparse_crossentropy")
    with pytest.raises(ValueError, match="Unknown reduction: 'summ'. Did you mean 'sum'"):
        losses.MeanSquaredError(reduction="summ")


@pytest.mark.parametrize("identifier", [None, 5])
def test_something_else_is_no_loss(identifier):
    with pytest.raises(ValueError, match=f"Could not interpret loss identifier: {identifier}"):
        losses.get(identifier)


@pytest.mark.parametrize("smoothing", [-0.1, 1.1])
def test_smoothing_is_a_share(smoothing):
    for cls in (losses.CategoricalCrossentropy, losses.BinaryCrossentropy):
        with pytest.raises(ValueError, match=rf"`label_smoothing` must be in \[0, 1\]. Received: .*={smoothing}"):
            cls(label_smoothing=smoothing)


@pytest.mark.parametrize("reduction", ["none", None])
def test_a_loss_that_is_not_reduced_cannot_be_trained_on(reduction):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", losses.MeanSquaredError(reduction=reduction))
    with pytest.raises(ValueError, match="Loss 'mean_squared_error' has reduction 'none': one number is needed"):
        model.fit([[1.0]], [[1.0]], verbose=0)
