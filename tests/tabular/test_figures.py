"""Figures of predictions for tables, compared with scikit-learn's."""

import numpy as np
import pytest

from multilayer.tabular.figures import (
    area_under_curve,
    calibration,
    calibration_error,
    classification_figures,
    regression_figures,
)


def probabilities(rows, classes, seed=0):
    raw = np.random.default_rng(seed).random((rows, classes)).round(1) + 0.05  # rounded: there are equal scores
    return raw / raw.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 4])
def test_figures_of_classes_are_those_of_scikit_learn(classes):
    metrics = pytest.importorskip("sklearn.metrics")
    p = probabilities(200, classes)
    truth = np.random.default_rng(1).integers(0, classes, 200)
    found = classification_figures(truth, p)
    average = "binary" if classes == 2 else "macro"
    area = metrics.roc_auc_score(truth, p[:, 1] if classes == 2 else p, multi_class="ovr")
    expected = {
        "accuracy": metrics.accuracy_score(truth, p.argmax(axis=1)),
        "auc": area,
        "log_loss": metrics.log_loss(truth, p),
        "f1": metrics.f1_score(truth, p.argmax(axis=1), average=average),
    }
    assert found == pytest.approx(expected)


def test_figures_of_values_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    truth, said = np.random.default_rng(0).normal(size=(2, 100))
    assert regression_figures(truth, said) == pytest.approx(
        {
            "rmse": metrics.root_mean_squared_error(truth, said),
            "mae": metrics.mean_absolute_error(truth, said),
            "r2": metrics.r2_score(truth, said),
        }
    )


def test_what_cannot_be_measured_is_nan():
    assert np.isnan(area_under_curve([True, True], [0.1, 0.2]))
    assert np.isnan(regression_figures([2.0, 2.0], [1.0, 2.0])["r2"])
    assert classification_figures([0, 1], [[1.0, 0.0], [1.0, 0.0]])["log_loss"] < 20


def test_calibration_has_a_bin_for_each_confidence_that_there_is():
    p = np.array([[0.95, 0.05], [0.95, 0.05], [0.45, 0.55], [1.0, 0.0]])
    bins = calibration([0, 1, 1, 0], p)
    assert [(one.confidence, one.right, one.share) for one in bins] == [
        (0.55, 1.0, 0.25),
        (pytest.approx(29 / 30), pytest.approx(2 / 3), 0.75),
    ]
    assert calibration_error([0, 1, 1, 0], p) == pytest.approx(0.25 * 0.45 + 0.75 * 0.3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="Expected classes"):
        classification_figures([0, 1], [0.5, 0.5])
    with pytest.raises(ValueError, match="Expected true and predicted"):
        regression_figures([1.0], [1.0, 2.0])


def test_truth_values_and_whole_numbers_are_classes():
    p = [[0.9, 0.1], [0.4, 0.6], [0.6, 0.4]]
    assert classification_figures([False, True, True], p) == classification_figures([0, 1, 1], p)
    assert classification_figures([0.0, 1.0, 1.0], p) == classification_figures([0, 1, 1], p)


@pytest.mark.parametrize("truth", [["no", "yes"], [0, 2], [-1, 0], [0.0, 0.5], [0.0, np.nan]])
def test_classes_that_have_no_probability_are_refused(truth):
    with pytest.raises(ValueError, match="Expected classes as whole numbers from 0 to 1"):
        classification_figures(truth, [[0.9, 0.1], [0.4, 0.6]])
