"""Confusion and calibration, compared by the data on their artists."""

import numpy as np
import pytest

from multilayer import plotting
from multilayer.plotting import plot_calibration, plot_confusion_matrix

TRUTH, GUESSES = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0])


def cells(ax):
    return {text.get_position(): text.get_text() for text in ax.texts}


# --- Confusion ---


def test_each_cell_counts_its_pair_of_classes():
    ax = plot_confusion_matrix(TRUTH, GUESSES).axes[0]
    assert cells(ax) == {(0, 0): "2", (1, 0): "1", (1, 1): "2", (0, 2): "1"}  # (predicted, true)
    right, wrong = ax.images
    np.testing.assert_allclose(np.ma.filled(right.get_array(), 0).diagonal(), [2 / 3, 1.0, 0.0])
    np.testing.assert_allclose(np.ma.filled(wrong.get_array(), 0), [[0, 1 / 3, 0], [0, 0, 0], [1, 0, 0]])
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("predicted", "true", "66.7% of 6 right")


def test_probabilities_and_names():
    ax = plot_confusion_matrix(TRUTH, np.eye(4)[GUESSES], classes=["ant", "bee", "cat", "dog"]).axes[0]
    assert cells(ax)[(0, 2)] == "1"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["ant", "bee", "cat", "dog"]


def test_many_classes_have_colours_and_no_numbers():
    labels = np.arange(60)
    ax = plot_confusion_matrix(labels, labels[::-1]).axes[0]
    assert not ax.texts
    assert len(ax.get_xticks()) <= 30


@pytest.mark.parametrize(
    ("labels", "predictions", "options", "message"),
    [
        ([0, 1], [0], {}, r"got \(2,\) and \(1,\)"),
        ([], [], {}, "n at least 1"),
        ([0, 1], [[0.2], [0.9]], {}, "A single output is no class"),
        ([0, 1], [0.2, 0.9], {}, "`predictions` must be whole numbers"),
        (["cat", "dog"], [0, 1], {}, "`labels` must hold numbers"),
        ([0, -1], [0, 1], {}, "numbered from 0; got -1"),
        ([0, 2], [0, 1], {"classes": ["a", "b"]}, "a name for each of the 3 classes; got 2"),
    ],
)
def test_what_is_no_classification_is_refused(labels, predictions, options, message):
    with pytest.raises(ValueError, match=message):
        plot_confusion_matrix(labels, predictions, **options)


# --- Calibration ---


def test_points_are_the_share_of_right_answers_by_mean_confidence():
    p = np.array([[0.95, 0.05], [0.85, 0.15], [0.81, 0.19], [0.45, 0.55]])
    ax = plot_calibration([0, 0, 1, 1], p).axes[0]
    diagonal, line = ax.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    np.testing.assert_allclose(line.get_xydata(), [[0.55, 1.0], [0.83, 0.5], [0.95, 1.0]])
    error = (0.45 + 2 * 0.33 + 0.05) / 4
    assert ax.get_title() == f"expected calibration error {error:.3f}"
    heights = [bar.get_height() for bar in ax.patches]
    np.testing.assert_allclose(np.array(heights) / max(heights), [0, 0, 0, 0, 0, 0.5, 0, 0, 1, 0.5])


@pytest.mark.parametrize("column", [False, True])
def test_a_single_output_is_the_probability_of_class_1(column):
    p = np.array([0.1, 0.1, 0.9, 0.9])
    ax = plot_calibration([0, 1, 1, 1], p[:, None] if column else p, bins=2).axes[0]
    np.testing.assert_allclose(ax.lines[1].get_xydata(), [[0.1, 0.5], [0.9, 1.0]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("probability of class 1", "share of class 1")


def test_a_network_that_is_as_right_as_it_is_sure_has_no_error():
    p = np.linspace(0.005, 0.995, 100).repeat(2000)
    y = (np.random.default_rng(0).random(p.size) < p).astype(int)
    title = plot_calibration(y, p).axes[0].get_title()
    assert float(title.split()[-1]) < 0.01


@pytest.mark.parametrize(
    ("labels", "predictions", "options", "message"),
    [
        ([0, 1], [0.5], {}, "n at least 1; got"),
        ([0, 1], [-3.0, 5.0], {}, r"Expected probabilities, in \[0, 1\]; got numbers from -3 to 5"),
        ([0, 2], [0.1, 0.9], {}, "labels are 0 or 1"),
        ([0, 1], [0.1, 0.9], {"bins": 0}, "`bins` must be a whole number of at least 1"),
    ],
)
def test_what_is_no_probability_is_refused(labels, predictions, options, message):
    with pytest.raises(ValueError, match=message):
        plot_calibration(labels, predictions, **options)


def test_residuals_lie_over_the_line_of_equal_values():
    figure = plotting.plot_residuals([1.0, 2.0, 3.0], [1.5, 2.0, 2.0])
    (line,) = figure.axes[0].lines
    assert line.get_xydata().tolist() == [[1, 1], [3, 3]]
    assert figure.axes[0].collections[0].get_offsets().tolist() == [[1, 1.5], [2, 2], [3, 2]]
    with pytest.raises(ValueError, match="Expected true and predicted values"):
        plotting.plot_residuals([1.0], [1.0, 2.0])


def test_columns_that_matter_most_come_first():
    figure = plotting.plot_importance({"a": (0.1, 0.0), "b$": (0.3, 0.1), "c": (-0.1, 0.0)}, most=2)
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0.3, 0.1]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == [r"b\$", "a"]
    with pytest.raises(ValueError, match="no column"):
        plotting.plot_importance({})
