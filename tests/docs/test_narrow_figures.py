"""Figures as phones show them: how panels are set anew, which figures are left, and that a figure stays as it was."""

import base64
import importlib.util
import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from helpers.paths import DOCS

_spec = importlib.util.spec_from_file_location("narrow_figure", DOCS / "extensions" / "narrow_figure.py")
narrow_figure = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(narrow_figure)


def panels(rows, columns, width, height, **options):
    figure = Figure(figsize=(width, height), layout="constrained")
    for axes in np.ravel(figure.subplots(rows, columns, **options)):
        axes.plot([0, 1], [2, 3])
    return figure


def columns_when_narrow(figure):
    """In how many columns the panels stand when the narrow form is drawn."""
    drawn = []
    figure.savefig = lambda file, **_: drawn.append(figure.axes[0].get_subplotspec().get_gridspec().ncols)
    narrow_figure.narrowed(figure)
    return drawn


@pytest.mark.parametrize(
    ("rows", "columns", "width", "narrow"),
    [(1, 1, 6.4, 1), (1, 2, 9, 1), (1, 3, 9, 1), (1, 4, 10, 2), (1, 5, 8, 3), (3, 4, 9, 2), (2, 1, 6.4, 1)],
)
def test_panels_stand_in_as_many_columns_as_fit(rows, columns, width, narrow):
    assert columns_when_narrow(panels(rows, columns, width, 3)) == [narrow]


def test_three_panels_stand_one_under_the_other_and_each_keeps_its_height():
    png = base64.b64decode(narrow_figure.narrowed(panels(1, 3, 9, 3)))
    width, height = Image.open(io.BytesIO(png)).size
    assert width / narrow_figure.DOTS_AN_INCH == pytest.approx(narrow_figure.WIDTH, abs=0.3)  # but for its margins
    assert height / narrow_figure.DOTS_AN_INCH == pytest.approx(3 * 3, abs=0.3)


def test_each_panel_at_the_left_has_its_own_numbers():
    figure = panels(1, 3, 9, 3, sharey=True)
    seen = []
    figure.savefig = lambda file, **_: seen.extend(a.yaxis.get_tick_params()["labelleft"] for a in figure.axes)
    narrow_figure.narrowed(figure)
    assert seen == [True, True, True]


def test_the_figure_is_afterwards_as_it_was():
    figure = panels(1, 3, 9, 3, sharey=True)

    def state():
        where = [axes.get_subplotspec().get_position(figure).bounds for axes in figure.axes]
        return figure.get_size_inches().tolist(), where, [a.yaxis.get_tick_params()["labelleft"] for a in figure.axes]

    before = state()
    narrow_figure.narrowed(figure)
    assert state() == before


def test_a_scale_stays_beside_its_picture():
    figure = Figure(figsize=(9, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([0, 1])
    figure.colorbar(right.imshow(np.eye(3)), ax=right)
    assert columns_when_narrow(figure) == [1]


def with_legend_outside():
    figure = panels(1, 1, 9, 3)
    figure.legend(figure.axes[0].lines, ["a line"], loc="outside right center")
    return figure


def of_pictures():
    figure = Figure(figsize=(9, 2), layout="constrained")
    figure.subplots().imshow(np.zeros((10, 100)))
    return figure


def of_free_axes():
    figure = Figure(figsize=(9, 3))
    figure.add_axes((0, 0, 1, 1))
    return figure


@pytest.mark.parametrize("made", [lambda: panels(1, 1, 4, 3), with_legend_outside, of_pictures, of_free_axes])
def test_what_is_narrow_already_or_of_one_piece_has_no_other_form(made):
    assert narrow_figure.narrowed(made()) is None
