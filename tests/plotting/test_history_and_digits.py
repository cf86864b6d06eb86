"""Plots, compared by the data on their artists."""

import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from multilayer.callbacks import History
from multilayer.plotting import learning_rate_range, plot_digits, plot_history, plot_mistakes
from multilayer.utils import LearningRateRange

HISTORY = {"accuracy": [0.5, 0.8, 0.9], "val_accuracy": [0.6, 0.7, 0.8], "loss": [1.5, 0.8, 0.4]}


def captions(figure):
    return [text.get_text() for text in figure.axes[0].texts]


# --- History ---


def test_history_has_a_line_for_train_and_one_for_validation():
    train, validation = plot_history(HISTORY, "accuracy").axes[0].lines
    assert train.get_xydata().tolist() == [[1, 0.5], [2, 0.8], [3, 0.9]]
    assert validation.get_xydata().tolist() == [[1, 0.6], [2, 0.7], [3, 0.8]]
    assert [train.get_label(), validation.get_label()] == ["train", "validation"]
    assert train.get_color() != validation.get_color()
    assert train.get_linestyle() != validation.get_linestyle()  # told apart without colour, too


def test_history_without_validation_has_one_line():
    assert len(plot_history(HISTORY, "loss").axes[0].lines) == 1


def test_accuracy_is_drawn_from_0_to_1_with_the_legend_at_the_lower_right():
    ax = plot_history(HISTORY, "accuracy").axes[0]
    assert ax.get_ylim() == (0, 1)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "accuracy")
    assert ax.get_legend()._loc == 4  # matplotlib's code for "lower right"


def test_loss_is_drawn_from_0_to_above_its_largest_value():
    ax = plot_history(HISTORY, "loss").axes[0]
    bottom, top = ax.get_ylim()
    assert bottom == 0
    assert top > 1.5
    assert ax.get_ylabel() == "loss"


def test_labels_and_the_meaning_of_a_value_can_be_given():
    ax = plot_history(HISTORY, "accuracy", labels=("seen", "unseen"), xlabel="step").axes[0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["seen", "unseen"]
    assert ax.get_xlabel() == "step"


def test_epochs_come_from_the_history_object():
    history = History()
    history.epoch, history.history = [5, 6], {"loss": [0.4, 0.3]}
    (line,) = plot_history(history).axes[0].lines
    assert line.get_xdata().tolist() == [6, 7]


@pytest.mark.parametrize("losses", [[0.5], [], [np.nan, np.inf], list(range(1000))])
def test_a_history_of_any_length_and_value_can_be_saved(losses, tmp_path):
    figure = plot_history({"loss": losses, "val_loss": losses})
    figure.savefig(tmp_path / "loss.png")
    assert all(tick == int(tick) for tick in figure.axes[0].get_xticks())


def test_an_unknown_metric_names_the_nearest_one():
    with pytest.raises(ValueError, match="Did you mean 'accuracy'"):
        plot_history(HISTORY, "acuracy")


def test_validation_of_some_epochs_only_is_refused():
    with pytest.raises(ValueError, match="'loss' has 2 values and 'val_loss' 1"):
        plot_history({"loss": [1.0, 0.5], "val_loss": [0.7]})


# --- Digits ---


def test_digits_stand_in_reading_order_with_their_captions():
    images = np.arange(3 * 4).reshape(3, 2, 2)
    ax = plot_digits(images, ["a", "b", "c"], columns=2).axes[0]
    assert [image.get_array().tolist() for image in ax.images] == images.tolist()
    (a_left, _, a_bottom, _), (b_left, _, b_bottom, _), (c_left, _, c_bottom, _) = (i.get_extent() for i in ax.images)
    assert a_bottom == b_bottom > c_bottom
    assert a_left == c_left < b_left
    assert captions(ax.figure) == ["a", "b", "c"]


def test_flattened_digits_become_square():
    (image,) = plot_digits(np.zeros((1, 784))).axes[0].images
    assert image.get_array().shape == (28, 28)


def test_no_digits_make_an_empty_picture(tmp_path):
    figure = plot_digits(np.zeros((0, 28, 28)))
    figure.savefig(tmp_path / "digits.png")
    assert len(figure.axes[0].images) == 0


@pytest.mark.parametrize("shape", [(784,), (3, 10), (2, 28, 28, 1)])
def test_what_is_no_image_is_refused(shape):
    with pytest.raises(ValueError, match=r"Expected images of shape \(n, rows, columns\)"):
        plot_digits(np.zeros(shape))


def test_captions_have_to_be_as_many_as_images():
    with pytest.raises(ValueError, match="one caption for each of the 2 images; got 1"):
        plot_digits(np.zeros((2, 4, 4)), ["a"])


# --- Mistakes ---

IMAGES = np.arange(4 * 9).reshape(4, 3, 3)
LABELS = [0, 1, 2, 1]
PROBABILITIES = [[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.0, 0.0, 1.0], [0.1, 0.1, 0.8]]


def test_mistakes_show_prediction_and_truth_the_surest_first():
    figure = plot_mistakes(IMAGES, LABELS, PROBABILITIES)
    assert captions(figure) == ["predicted 2\ntrue 1", "predicted 0\ntrue 1"]
    assert [image.get_array().tolist() for image in figure.axes[0].images] == IMAGES[[3, 1]].tolist()
    assert figure.axes[0].get_title() == "2 of 4 wrong"


def test_mistakes_of_predicted_classes_keep_their_order():
    figure = plot_mistakes(IMAGES, LABELS, [0, 0, 2, 2])
    assert captions(figure) == ["predicted 0\ntrue 1", "predicted 2\ntrue 1"]


def test_more_mistakes_than_the_limit_are_counted_but_not_drawn():
    figure = plot_mistakes(IMAGES, LABELS, PROBABILITIES, limit=1)
    assert captions(figure) == ["predicted 2\ntrue 1"]
    assert figure.axes[0].get_title() == "2 of 4 wrong (the 1 surest)"


def test_a_picture_without_mistakes_says_so(tmp_path):
    figure = plot_mistakes(IMAGES, LABELS, LABELS)
    figure.savefig(tmp_path / "mistakes.png")
    assert figure.axes[0].get_title() == "None of 4 wrong"
    assert captions(figure) == []


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="got 4 images, 3 labels and 4 predictions"):
        plot_mistakes(IMAGES, LABELS[:3], PROBABILITIES)


def test_one_hot_labels_are_refused():
    with pytest.raises(ValueError, match=r"labels of shape \(n,\).*got \(4, 3\)"):
        plot_mistakes(IMAGES, np.eye(3)[LABELS], PROBABILITIES)


# --- All of them ---

DRAWINGS = {
    "history": lambda ax: plot_history(HISTORY, ax=ax),
    "digits": lambda ax: plot_digits(IMAGES, ax=ax),
    "mistakes": lambda ax: plot_mistakes(IMAGES, LABELS, PROBABILITIES, ax=ax),
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_given_axes_are_drawn_into_and_their_figure_returned(draw):
    figure = Figure()
    other, ax = figure.subplots(1, 2)
    assert draw(ax) is figure
    assert ax.has_data()
    assert not other.has_data()


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_axes_in_a_subfigure_belong_to_the_whole_figure(draw):
    figure = Figure()
    assert draw(figure.subfigures(1, 2)[0].subplots()) is figure


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_pyplot_is_left_alone(draw, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # importing it now raises ImportError
    draw(None).savefig(tmp_path / "figure.png")


# --- Learning rates ---


def test_the_range_test_is_drawn_over_a_logarithmic_axis_with_its_steepest_fall():
    steps = np.arange(101.0)
    rates = 10 ** (steps / 25 - 4)
    found = LearningRateRange(rates, 1 / (1 + np.exp((steps - 50) / 5)))
    figure = learning_rate_range(found)
    (axes,) = figure.axes
    each, mean, mark = axes.lines
    assert axes.get_xscale() == "log"
    np.testing.assert_array_equal(each.get_xydata(), np.stack(found, axis=1))
    np.testing.assert_array_equal(mean.get_ydata(), found.smoothed())
    assert mark.get_xdata()[0] == pytest.approx(rates[50], rel=0.2)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["each batch", "mean", "steepest fall: 0.01"]


def test_a_loss_that_only_rises_has_no_steepest_fall():
    figure = learning_rate_range(LearningRateRange(np.array([0.1, 1.0, 10.0]), np.array([1.0, 2.0, 3.0])))
    assert len(figure.axes[0].lines) == 2


def test_a_last_batch_that_blew_up_does_not_press_the_others_together():
    losses = np.array([*np.linspace(2, 1, 50), 1e9, np.inf])
    figure = learning_rate_range(LearningRateRange(np.logspace(-5, 0, 52), losses))
    assert figure.axes[0].get_ylim()[1] < 4


def test_a_range_test_needs_two_losses_to_be_drawn():
    with pytest.raises(ValueError, match="at least two finite losses; got 1 of 2"):
        learning_rate_range(LearningRateRange(np.ones(2), np.array([1.0, np.nan])))


# --- Figures ---


def test_a_notebook_shows_a_figure_without_pyplot():
    figure = plot_history(HISTORY)
    data, size = figure._repr_png_()
    assert data.startswith(b"\x89PNG")
    assert size == {"width": 614, "height": 384}
