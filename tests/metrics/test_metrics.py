"""Metrics: one table with every metric and what it is in plain NumPy, and the tests that each has to pass."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import multilayer as keras
from metrics import test_counting
from multilayer import losses, metrics, saving
from multilayer._names import registry
from multilayer._names.naming import snake_case

RNG = np.random.default_rng(0)
N = 23
LABELS = RNG.integers(3, size=N)
ONE_HOT = np.eye(3)[LABELS]
PROBABILITIES = RNG.dirichlet([1.0, 1.0, 1.0], size=N)
LOGITS = RNG.normal(size=(N, 3))
NUMBERS, NUMBERS_HAT = RNG.normal(size=(N, 2)), RNG.normal(size=(N, 2))
YES_NO, YES_NO_HAT = RNG.integers(2, size=(N, 1)).astype(float), RNG.uniform(0.01, 0.99, size=(N, 1))
WEIGHTS = RNG.uniform(0.5, 2.0, size=N)


def log_softmax(a):
    return a - np.log(np.exp(a).sum(axis=1, keepdims=True))


def binary_cross_entropy(t, p):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(axis=1)


# Each row: how the metric is made, targets, predictions, and each sample's value.
ROWS = {
    "Accuracy": (metrics.Accuracy, LABELS, PROBABILITIES.argmax(axis=1), PROBABILITIES.argmax(axis=1) == LABELS),
    "BinaryAccuracy": (metrics.BinaryAccuracy, YES_NO, YES_NO_HAT, ((YES_NO_HAT > 0.5) == YES_NO)[:, 0]),
    "BinaryAccuracy, flat targets": (
        metrics.BinaryAccuracy,
        YES_NO[:, 0],
        YES_NO_HAT,
        ((YES_NO_HAT > 0.5) == YES_NO)[:, 0],
    ),
    "BinaryAccuracy, threshold": (
        lambda **k: metrics.BinaryAccuracy(threshold=0.8, **k),
        YES_NO,
        YES_NO_HAT,
        ((YES_NO_HAT > 0.8) == YES_NO)[:, 0],
    ),
    "BinaryAccuracy, several outputs": (
        metrics.BinaryAccuracy,
        ONE_HOT,
        PROBABILITIES,
        ((PROBABILITIES > 0.5) == ONE_HOT).mean(axis=1),
    ),
    "CategoricalAccuracy": (
        metrics.CategoricalAccuracy,
        ONE_HOT,
        PROBABILITIES,
        PROBABILITIES.argmax(axis=1) == LABELS,
    ),
    "SparseCategoricalAccuracy": (
        metrics.SparseCategoricalAccuracy,
        LABELS,
        PROBABILITIES,
        PROBABILITIES.argmax(axis=1) == LABELS,
    ),
    "SparseCategoricalAccuracy, column": (
        metrics.SparseCategoricalAccuracy,
        LABELS[:, None],
        PROBABILITIES,
        PROBABILITIES.argmax(axis=1) == LABELS,
    ),
    "MeanSquaredError": (
        metrics.MeanSquaredError,
        NUMBERS,
        NUMBERS_HAT,
        ((NUMBERS - NUMBERS_HAT) ** 2).mean(axis=1),
    ),
    "MeanAbsoluteError": (
        metrics.MeanAbsoluteError,
        NUMBERS,
        NUMBERS_HAT,
        np.abs(NUMBERS - NUMBERS_HAT).mean(axis=1),
    ),
    "BinaryCrossentropy": (
        metrics.BinaryCrossentropy,
        YES_NO,
        YES_NO_HAT,
        binary_cross_entropy(YES_NO, YES_NO_HAT),
    ),
    "BinaryCrossentropy, logits, smoothed": (
        lambda **k: metrics.BinaryCrossentropy(from_logits=True, label_smoothing=0.2, **k),
        ONE_HOT,
        LOGITS,
        binary_cross_entropy(0.8 * ONE_HOT + 0.1, 1 / (1 + np.exp(-LOGITS))),
    ),
    "CategoricalCrossentropy": (
        metrics.CategoricalCrossentropy,
        ONE_HOT,
        PROBABILITIES,
        -(ONE_HOT * np.log(PROBABILITIES)).sum(axis=1),
    ),
    "CategoricalCrossentropy, logits, smoothed": (
        lambda **k: metrics.CategoricalCrossentropy(from_logits=True, label_smoothing=0.3, **k),
        ONE_HOT,
        LOGITS,
        -((0.7 * ONE_HOT + 0.1) * log_softmax(LOGITS)).sum(axis=1),
    ),
    "SparseCategoricalCrossentropy": (
        metrics.SparseCategoricalCrossentropy,
        LABELS,
        PROBABILITIES,
        -np.log(PROBABILITIES[np.arange(N), LABELS]),
    ),
    "SparseCategoricalCrossentropy, logits": (
        lambda **k: metrics.SparseCategoricalCrossentropy(from_logits=True, **k),
        LABELS,
        LOGITS,
        -log_softmax(LOGITS)[np.arange(N), LABELS],
    ),
}
every_row = pytest.mark.parametrize("row", ROWS)


@pytest.mark.parametrize("name", ["Accuracy", "ACC", "Acc"])
def test_the_name_of_the_accuracy_may_be_in_any_case(name):
    metric = metrics.resolve(name, np.array([0, 1]), (None, 2))
    assert type(metric) is metrics.SparseCategoricalAccuracy
    assert metric.name == name
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[name])
    assert list(model.evaluate(np.eye(2), [0, 1], verbose=0, return_dict=True)) == [name, "loss"]


def test_a_loss_as_a_metric_keeps_its_name():
    assert metrics.get(losses.MeanSquaredError()).name == "mean_squared_error"
    assert metrics.get(losses.MeanAbsoluteError(name="off")).name == "off"


def test_every_registered_metric_has_a_row():
    classes = {type(make()) for make, *_ in ROWS.values()}
    others = {type(make()) for make, *_ in test_counting.ROWS.values()}
    # `Mean` and `Sum` take values: see below
    assert classes | others | {metrics.Mean, metrics.Sum} == registry.registered("metric")


# --- Figures over batches ---


@every_row
@settings(max_examples=10, deadline=None)
@given(cuts=st.sets(st.integers(1, N - 1)), weighted=st.booleans())
def test_the_figure_is_that_of_all_samples_however_they_are_cut_into_batches(row, cuts, weighted):
    make, y_true, y_pred, values = ROWS[row]
    metric = make()
    edges = [0, *sorted(cuts), N]
    for start, stop in pairwise(edges):
        rows = slice(start, stop)
        metric.update_state(y_true[rows], y_pred[rows], WEIGHTS[rows] if weighted else None)
    expected = np.average(values, weights=WEIGHTS if weighted else None)
    assert metric.result() == pytest.approx(expected, rel=1e-6)


@every_row
def test_a_reset_forgets_everything(row):
    make, y_true, y_pred, values = ROWS[row]
    metric = make()
    assert metric.result() == 0.0
    metric.update_state(y_true[:10], y_pred[:10])
    metric.reset_state()
    assert metric.result() == 0.0
    metric.update_state(y_true[10:], y_pred[10:])
    assert metric.result() == pytest.approx(values[10:].mean(), rel=1e-6)


@every_row
def test_a_metric_can_be_called_and_gives_a_python_number(row):
    make, y_true, y_pred, values = ROWS[row]
    metric = make()
    metric(y_true[:10], y_pred[:10])
    figure = metric(y_true[10:].tolist(), y_pred[10:].tolist())
    assert isinstance(figure, float)
    assert figure.numpy() == np.float32(figure)  # what programs for Keras ask of a result
    assert figure == pytest.approx(values.mean(), rel=1e-6)


@every_row
def test_arguments_are_left_as_they_were(row):
    make, y_true, y_pred, _ = ROWS[row]
    y_true, y_pred, weights = y_true.copy(), y_pred.copy(), WEIGHTS.copy()
    make().update_state(y_true, y_pred, weights)
    for now, then in ((y_true, ROWS[row][1]), (y_pred, ROWS[row][2]), (weights, WEIGHTS)):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("row", ["BinaryAccuracy", "SparseCategoricalAccuracy", "MeanSquaredError"])
def test_sample_weights_may_be_a_column(row):
    make, y_true, y_pred, values = ROWS[row]
    assert make()(y_true, y_pred, WEIGHTS[:, None]) == pytest.approx(np.average(values, weights=WEIGHTS), rel=1e-6)


def test_float32_predictions_are_averaged_without_losing_count():
    """A sum kept in float32 would stop growing at 2^24."""
    metric = metrics.MeanSquaredError()
    metric.total, metric.count = 2.0**24, 2.0**24
    for _ in range(100):
        metric.update_state(np.zeros((1, 1), "float32"), np.ones((1, 1), "float32"))
    assert (metric.total, metric.count) == (2.0**24 + 100, 2.0**24 + 100)


def test_mean_is_a_weighted_mean_of_values():
    mean = metrics.Mean()
    for values, weights in (([1.0, 3.0], None), (5.0, None), ([2.0, 4.0], [1.0, 3.0]), ([[1.0, 3.0]], [2.0])):
        mean.update_state(values, sample_weight=weights)
    assert mean.result() == pytest.approx((1 + 3 + 5 + 2 + 12 + 2 * 2) / (3 + 4 + 2))
    assert mean.name == "mean"


def test_weights_of_zero_leave_a_sample_out():
    mean = metrics.Mean()
    mean.update_state([1.0, 100.0], sample_weight=[1.0, 0.0])
    assert mean.result() == 1.0
    mean.reset_state()
    mean.update_state([1.0], sample_weight=[0.0])
    assert mean.result() == 0.0


# --- Names and configs ---


@every_row
def test_a_config_is_json_and_makes_the_same_metric(row):
    make, y_true, y_pred, _ = ROWS[row]
    metric = make(name="mine")
    copy = metrics.get(json.loads(json.dumps(metrics.serialize(metric))))
    assert type(copy) is type(metric)
    assert copy.name == "mine"
    assert copy.get_config() == metric.get_config()
    assert copy(y_true, y_pred) == metric(y_true, y_pred)


@pytest.mark.parametrize(
    ("identifier", "cls"),
    [
        ("mse", metrics.MeanSquaredError),
        ("MAE", metrics.MeanAbsoluteError),
        ("mean_absolute_error", metrics.MeanAbsoluteError),
        ("BinaryAccuracy", metrics.BinaryAccuracy),
        ("sparse_categorical_accuracy", metrics.SparseCategoricalAccuracy),
        ("bce", metrics.BinaryCrossentropy),
        (metrics.CategoricalAccuracy, metrics.CategoricalAccuracy),
    ],
)
def test_a_metric_goes_by_several_names(identifier, cls):
    assert type(metrics.get(identifier)) is cls


def test_default_names_are_the_classes_in_snake_case():
    for row, (make, *_) in ROWS.items():
        assert make().name == snake_case(row.split(",")[0])


def test_a_function_of_targets_and_predictions_is_a_metric():
    def worst(y_true, y_pred):
        return np.abs(y_true - y_pred).max(axis=-1)

    metric = metrics.get(worst)
    assert metric.name == "worst"
    assert metric(np.zeros((2, 2)), np.array([[1.0, 3.0], [5.0, 0.0]])) == 4.0


@pytest.mark.parametrize(
    ("outputs", "y", "cls"),
    [
        (1, np.zeros((4, 1)), metrics.BinaryAccuracy),
        (3, np.zeros(4, int), metrics.SparseCategoricalAccuracy),
        (3, np.zeros((4, 1), int), metrics.SparseCategoricalAccuracy),
        (3, np.eye(3), metrics.CategoricalAccuracy),
    ],
)
@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_means_what_the_shapes_say(name, outputs, y, cls):
    metric = metrics.resolve(name, y, (None, outputs))
    assert type(metric) is cls
    assert metric.name == name


def test_a_metric_of_ones_own_is_followed_through_training():
    class Largest(metrics.Metric):
        def reset_state(self):
            self.largest = 0.0

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.largest = max(self.largest, float(np.abs(y_true - y_pred).max()))

        def result(self):
            return self.largest

    model = keras.Sequential([keras.Input((2,)), keras.layers.Activation("linear")])
    model.compile("sgd", "mse", metrics=[Largest()])
    x, y = np.zeros((5, 2)), np.arange(10.0).reshape(5, 2)
    assert model.evaluate(x, y, batch_size=2, verbose=0, return_dict=True)["largest"] == 9.0
    assert model.evaluate(x[:2], y[:2], verbose=0, return_dict=True)["largest"] == 3.0


# --- Bad arguments ---


def test_unknown_names_come_with_the_nearest_known_one():
    with pytest.raises(ValueError, match="Unknown metric: 'acuracy'. Did you mean 'accuracy'"):
        metrics.get("acuracy")
    with pytest.raises(ValueError, match="Could not interpret metric identifier: 5"):
        metrics.get(5)


def test_scores_are_told_apart_at_a_threshold_of_0():
    accuracy = metrics.BinaryAccuracy(threshold=0.0)
    assert accuracy([[1.0], [0.0]], [[0.1], [-3.0]]) == 1.0
    assert accuracy.threshold == 0.0


def test_running_figures_are_called_with_values_alone():
    assert metrics.Mean()([1.0, 2.0]) == 1.5
    assert metrics.Mean()([1.0, 2.0], sample_weight=[3.0, 1.0]) == 1.25
    total = metrics.Sum()
    total(1.0)
    assert total(2.0) == 3.0


def test_a_metric_without_its_methods_says_which_is_missing():
    for method, arguments in (("update_state", ([], [])), ("result", ())):
        with pytest.raises(NotImplementedError, match=f"Metric Metric does not define `{method}`"):
            getattr(metrics.Metric(), method)(*arguments)


def test_the_means_of_losses_are_the_losses():
    y_true, y_pred = NUMBERS, NUMBERS_HAT
    assert metrics.MeanSquaredError()(y_true, y_pred) == pytest.approx(losses.MeanSquaredError()(y_true, y_pred))


# --- Cross-entropies behind their activation ---

FAR = np.array([[60.0, 0.0], [0.0, 90.0], [30.0, 0.0]])  # so sure that float32 has rounded the others to 0


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize(
    ("activation", "loss", "metric", "x", "y"),
    [
        ("softmax", "categorical_crossentropy", metrics.CategoricalCrossentropy, FAR, np.eye(2)[[1, 0, 0]]),
        ("softmax", "sparse_categorical_crossentropy", metrics.SparseCategoricalCrossentropy, FAR, [1, 0, 0]),
        ("sigmoid", "binary_crossentropy", metrics.BinaryCrossentropy, FAR - 50.0, np.array([[0, 1], [1, 0], [1, 0]])),
    ],
)
def test_a_crossentropy_behind_its_activation_is_the_loss(activation, loss, metric, x, y, from_logits):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Activation(activation)])
    model.compile("sgd", loss, metrics=[metric(from_logits=from_logits)], weighted_metrics=[metric(name="weighted")])
    logs = model.evaluate(x, np.asarray(y), sample_weight=np.ones(3), verbose=0, return_dict=True)
    assert logs["loss"] > 20.0
    assert logs[metric().name] == pytest.approx(logs["loss"], rel=1e-6)
    assert logs["weighted"] == pytest.approx(logs["loss"], rel=1e-6)


def test_a_crossentropy_behind_its_activation_takes_probabilities_where_the_loss_needs_none():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Activation("softmax")])
    model.compile("sgd", "mse", metrics=[metrics.CategoricalCrossentropy(from_logits=True)])
    x, y = np.array([[0.0, 1.0], [2.0, 0.0]]), np.eye(2)
    figure = model.evaluate(x, y, verbose=0, return_dict=True)["categorical_crossentropy"]
    assert figure == pytest.approx(np.mean(losses.categorical_crossentropy(y, x, from_logits=True)), rel=1e-6)


class Halves(metrics.Metric):
    """A metric that is made of two others, and of a variable of its own."""

    def __init__(self, name="halves", **kwargs):
        super().__init__(name=name, **kwargs)
        self.seen = self.add_variable((), name="seen")
        self.parts = {"of": [metrics.Precision(), metrics.Recall()]}

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.seen.assign_add(len(y_true))
        for part in self.parts["of"]:
            part.update_state(y_true, y_pred, sample_weight)

    def result(self):
        return sum(part.result() for part in self.parts["of"])


def test_metrics_that_a_metric_holds_are_part_of_it():
    halves = Halves()
    assert len(halves.variables) == 1 + 2 + 2
    halves.update_state([0, 1, 1], [0.9, 0.9, 0.1])
    state = halves.get_state()
    assert halves.result() == 1.0
    halves.reset_state()  # Keras resets all variables, those of the parts as well
    assert halves.result() == 0.0
    assert float(halves.seen) == 0.0
    halves.set_state(state)
    assert halves.result() == 1.0
    with pytest.raises(ValueError, match="the 2 metrics that it holds"):
        halves.set_state({**state, "metrics": state["metrics"][:1]})


@saving.register_keras_serializable("tests", "gap")
def gap(y_true, y_pred):
    return abs(y_true - y_pred)


@pytest.mark.parametrize("function", [gap, losses.mean_absolute_error])
def test_a_mean_of_a_function_is_described_with_it(function):
    wrapper = metrics.MeanMetricWrapper(function, "apart")
    again = metrics.MeanMetricWrapper.from_config(json.loads(json.dumps(wrapper.get_config())))
    assert again.name == "apart"
    assert again(np.array([[1.0]]), np.array([[3.0]])) == 2.0


def test_a_mean_of_a_function_that_nobody_knows_cannot_be_made_again():
    with pytest.warns(UserWarning, match="`lambda` is described by a name that nothing can find it by"):
        config = metrics.MeanMetricWrapper(lambda y_true, y_pred: y_pred).get_config()
    with pytest.raises(ValueError, match="register_keras_serializable"):
        metrics.MeanMetricWrapper.from_config(config)


@pytest.mark.parametrize(
    "metric",
    [
        metrics.Accuracy,
        metrics.BinaryAccuracy,
        metrics.RootMeanSquaredError,
        metrics.PearsonCorrelation,
        metrics.ConcordanceCorrelation,
    ],
)
@pytest.mark.parametrize("shape", [(3,), (4,), (3, 1), (3, 2)])
def test_targets_are_not_repeated_along_an_axis_that_happens_to_be_as_long(metric, shape):
    """A batch of as many labels as there are classes, say, is not laid along the classes of each sample."""
    with pytest.raises(ValueError, match="expects targets of the shape of the predictions"):
        metric().update_state(np.ones(shape), np.ones((shape[0], 3)))


@pytest.mark.parametrize(("predictions", "area"), [([-3.0, 0.2, 5.0, -4.0], 1.0), ([-3.0, 0.2, 5.0, 4.0], 0.625)])
def test_predictions_beyond_0_and_1_stand_at_the_ends_of_the_curve(predictions, area):
    metric = keras.metrics.AUC()  # in the second, of four pairs two are in order, one is not, and one is even
    metric.update_state([0, 1, 1, 0], predictions)
    assert float(metric.result()) == pytest.approx(area)


class _Largest(keras.metrics.Metric):
    def __init__(self):
        super().__init__(name="largest")
        self.seen = self.add_weight(name="seen", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.seen.assign(np.abs(np.asarray(y_true)).max())

    def result(self):
        return {"variable": self.seen, "value": self.seen.value}


def test_figures_stay_what_they_were_where_a_metric_returns_its_own_memory():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[_Largest()])
    first = model.train_on_batch([[1.0]], [[2.0]], return_dict=True)
    second = model.train_on_batch([[1.0]], [[3.0]], return_dict=True)
    assert [(one["variable"], one["value"]) for one in (first, second)] == [(2.0, 2.0), (3.0, 3.0)]
