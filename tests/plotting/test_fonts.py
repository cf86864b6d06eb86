"""Korean letters in plots: from a font that is installed, or else English labels and one line of advice."""

import io
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from multilayer import plotting
from multilayer.plotting import fonts

HISTORY = {"loss": [0.9, 0.5], "val_loss": [0.8, 0.6]}


@pytest.fixture
def korean(monkeypatch):
    monkeypatch.setenv("MULTILAYER_LANG", "ko")


@pytest.fixture
def installed(monkeypatch):
    """Has one font that every machine has stand for a Korean one."""
    monkeypatch.setattr(fonts, "installed", lambda: ("DejaVu Serif",))


@pytest.fixture
def none_installed(monkeypatch):
    monkeypatch.setattr(fonts, "installed", tuple)
    fonts._missing.cache_clear()  # it is said once


def drawn(figure):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the font that stands for one has no such letters
        figure.savefig(io.BytesIO(), format="png")
    return figure.axes[0]


def test_labels_are_korean_and_have_a_font_that_has_their_letters(korean, installed):
    settings = dict(matplotlib.rcParams)
    ax = drawn(plotting.plot_history(HISTORY))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("에포크", "손실")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["학습", "검증"]
    assert ax.xaxis.label.get_fontfamily() == [*matplotlib.rcParams["font.family"], "DejaVu Serif"]
    assert dict(matplotlib.rcParams) == settings  # those of the user


def test_without_a_font_labels_are_english_and_one_line_says_what_to_install(korean, none_installed):
    with pytest.warns(UserWarning, match="Install Nanum Gothic"):
        ax = drawn(plotting.plot_history(HISTORY))
    drawn(plotting.plot_history(HISTORY))  # and is not said again
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")


def test_korean_text_of_the_users_own_gets_the_font_too(installed):
    figure = plotting.plot_history(HISTORY)
    figure.axes[0].set_title("학습 곡선")  # in English, and after the function has drawn
    ax = drawn(figure)
    assert ax.title.get_fontfamily()[-1] == "DejaVu Serif"
    assert "DejaVu Serif" not in ax.xaxis.label.get_fontfamily()  # which needs none


def test_korean_text_of_the_users_own_is_warned_of_once_and_not_for_each_letter(none_installed):
    figure = plotting.plot_history({"loss": [0.9, 0.5]})
    figure.axes[0].set_title("학습 곡선")
    with pytest.warns(UserWarning, match="No font with Korean letters") as said:
        figure.savefig(io.BytesIO(), format="png")
    assert len(said) == 1


def test_axes_of_the_users_own_figure_get_the_font(korean, installed):
    ax = Figure().add_subplot()
    plotting.plot_history(HISTORY, ax=ax)
    assert ax.yaxis.label.get_fontfamily()[-1] == "DejaVu Serif"


def test_names_of_classes_are_letters_as_well(installed):
    truth = np.array([0, 1, 1])
    ax = drawn(plotting.plot_confusion_matrix(truth, truth, classes=["낮음", "높음"]))
    assert all(label.get_fontfamily()[-1] == "DejaVu Serif" for label in ax.get_xticklabels())


def test_a_metric_that_the_library_does_not_know_keeps_its_name(korean, installed):
    assert drawn(plotting.plot_history({"my_metric": [1.0, 2.0]}, "my_metric")).get_ylabel() == "my_metric"


def test_the_fonts_that_are_found_are_some_of_those_that_are_known():
    assert set(fonts.installed()) <= set(fonts.FAMILIES)
