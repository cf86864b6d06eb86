"""Plain functions as metrics, and metrics of tensors that a tape records."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import metrics


def bias(y_true, y_pred):
    return np.mean(y_pred - y_true)


@pytest.mark.parametrize("axis", [None, -1])
def test_a_function_gives_a_number_or_one_for_each_sample(axis):
    metric = metrics.get(lambda y_true, y_pred: np.mean(y_pred - y_true, axis=axis))
    metric.update_state(np.zeros((4, 2)), np.ones((4, 2)))
    metric.update_state(np.zeros((2, 2)), np.full((2, 2), 4.0))
    assert metric.result() == pytest.approx(2.5 if axis is None else 2.0)  # a mean over batches, or over samples


def test_a_function_that_returns_nothing_says_so():
    with pytest.raises(ValueError, match="Metric 'nothing' returned None: it must return a number"):
        metrics.MeanMetricWrapper(lambda y_true, y_pred: None, name="nothing")([1.0], [2.0])


class Total(metrics.Metric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.total = self.add_variable((), name="total")

    def update_state(self, values):
        self.total.assign_add(np.sum(np.abs(values)))

    def result(self):
        return self.total / 2


@pytest.mark.parametrize(
    ("metric", "of_targets", "expected"),
    [
        (Total, False, 3.0),
        (metrics.Mean, False, 2.0),
        (metrics.MeanAbsoluteError, True, 1.0),
        (lambda: metrics.MeanMetricWrapper(bias), True, 1.0),
    ],
)
def test_a_metric_takes_tensors_that_are_being_recorded(metric, of_targets, expected):
    metric, weights = metric(), keras.Variable(np.ones((3, 1)))
    with keras.GradientTape() as tape:
        y = weights * 2.0
        metric.update_state(*([np.ones((3, 1))] if of_targets else []), y)
        loss = np.sum(y)
    assert float(metric.result()) == expected
    np.testing.assert_array_equal(tape.gradient(loss, weights), np.full((3, 1), 2.0))
