"""Lessons say the same in both languages, and a lesson that gives something else than is recorded of it is noticed."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from helpers.pages import figure_data, lessons
from multilayer.plotting import Animation

NAMES = lessons.names("en")


def test_every_lesson_is_there_in_both_languages():
    assert NAMES
    assert lessons.names("ko") == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_of_a_lesson_have_the_same_code(name):
    english, korean = lessons.cells("en", name), lessons.cells("ko", name)
    assert len(english) == len(korean)
    for index, (ours, theirs) in enumerate(zip(english, korean, strict=True), start=1):
        assert lessons.parted(ours.code, theirs.code) is None, f"code cell {index}"


@pytest.mark.parametrize("language", lessons.LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_recorded_is_of_the_code_that_is_there(language, name):
    recorded = json.loads((lessons.RECORDED / language / f"{name}.json").read_text(encoding="utf-8"))
    begins = [cell.code.strip().split("\n")[0] for cell in lessons.cells(language, name)]
    assert [cell["code"] for cell in recorded] == begins


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("x = 1  # one", "x = 1  # 하나"),
        ("print('loss', x)", "print('손실', x)"),
        ("print(f'loss {x:.2f}')", "print(f'손실 {x:.2f}')"),
        ('def f():\n    """What it does."""\n    return 1', 'def f():\n    """하는 일."""\n    return 1'),
    ],
)
def test_comments_and_korean_strings_may_differ(english, korean):
    assert lessons.parted(english, korean) is None


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("x = 1", "x = 2"),
        ("x = 1", "y = 1"),
        ("x = 1", "x = 1\ny = 2"),
        ("layer('sigmoid')", "layer('tanh')"),
        ("print(f'loss {x:.2f}')", "print(f'손실 {x:.3f}')"),
        ("print(f'loss {x:.2f}')", "print(f'손실 {y:.2f}')"),
    ],
)
def test_other_code_is_noticed(english, korean):
    assert "in Korean" in lessons.parted(english, korean)


# What a run gave, against what is recorded


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("loss 0.12345", "loss 0.12346"),
        ("loss  0.1", "loss 0.1"),
        ("[ 1.  -2.5]", "[1.0 -2.5]"),
        ("difference 1e-12", "difference -3e-13"),
        ("loss nan, inf", "loss nan, inf"),
    ],
)
def test_rounding_and_spaces_are_no_difference(before, now):
    assert list(lessons.differences(before, now)) == []


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("loss 0.123", "loss 0.124"),
        ("loss 0.123", "error 0.123"),
        ("31 of 2000 wrong", "32 of 2000 wrong"),
        ("loss 1e-5", "loss 1e-6"),
        ("loss 0.5", "loss -0.5"),
        ("loss 0.5", "loss nan"),
        ("dense_1", "dense_2"),
        ("[1. 2.]", "[1. 2. 3.]"),
    ],
)
def test_another_number_or_word_is_noticed(before, now):
    assert len(list(lessons.differences(before, now))) == 1


def figure(**changes):
    look = {"scale": 1.0, "label": "loss", "title": "a run", "yscale": "linear", "bar": 3.0, "pixel": 0.0, **changes}
    figure = Figure()
    left, right = figure.subplots(1, 2)
    left.plot([1, 2, 3], np.array([1.0, 0.1, 0.001]) * look["scale"], label=look["label"])
    left.scatter([1, 2], [3.0, 4.0 * look["scale"]], c=[0.0, 1.0])
    left.set(title=look["title"], yscale=look["yscale"])
    left.legend()
    right.bar(["a", "b"], [1.0, look["bar"]])
    image = np.zeros((28, 28))
    image[14, 14] = look["pixel"]
    right.imshow(image)
    right.text(0, 0, "here")
    return json.loads(json.dumps(figure_data.described(figure)))


def test_the_same_figure_is_no_difference():
    assert list(lessons.differences(figure(), figure())) == []
    assert list(lessons.differences(figure(), figure(scale=1 + 1e-5))) == []


@pytest.mark.parametrize(
    "changes",
    [{"scale": 1.1}, {"label": "error"}, {"title": "another"}, {"yscale": "log"}, {"bar": 3.1}, {"pixel": 1.0}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_figure_that_shows_something_else_is_noticed(changes):
    assert list(lessons.differences(figure(), figure(**changes)))


def test_small_numbers_on_a_logarithmic_axis_are_compared():
    def falling(last):
        figure = Figure()
        figure.subplots().semilogy([1.0, 1e-3, last])
        return figure_data.described(figure)

    assert list(lessons.differences(falling(1e-6), falling(1.001e-6))) == []
    assert list(lessons.differences(falling(1e-6), falling(2e-6)))


def animation(frames=3, middle=1.0, last=1.0):
    heights = [1.0, middle, last]

    def draw(number):
        figure = Figure()
        figure.subplots().plot([0.0, heights[number]])
        return figure

    shown = Animation(draw, [f"step {number}" for number in range(frames)], "a line")
    return json.loads(json.dumps(figure_data.described_animation(shown)))


def test_of_an_animation_its_length_its_first_and_its_last_frame_are_compared():
    assert list(lessons.differences(animation(), animation(middle=2.0))) == []
    assert list(lessons.differences(animation(), animation(last=2.0)))
    assert list(lessons.differences(animation(), animation(frames=2)))


# Recording and checking


def notebook(text, tags=()):
    output = {"output_type": "stream", "name": "stdout", "text": [text]}
    cell = {"cell_type": "code", "source": ["print(loss)\n"], "metadata": {"tags": list(tags)}, "outputs": [output]}
    return {"cells": [{"cell_type": "markdown", "source": ["# One"], "metadata": {}}, cell]}


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """A folder with the notebooks of one lesson that ran, and nothing recorded of it."""
    monkeypatch.setattr(lessons, "TUTORIAL", tmp_path / "tutorial")
    monkeypatch.setattr(lessons, "RECORDED", tmp_path / "tutorial" / "recorded")
    for language in lessons.LANGUAGES:
        (tmp_path / "tutorial" / language).mkdir(parents=True)
        (tmp_path / "tutorial" / language / "01-one.md").write_text("# One\n")
        (tmp_path / "ran" / language).mkdir(parents=True)
        (tmp_path / "ran" / language / "01-one.ipynb").write_text(json.dumps(notebook("0.5")))
    return tmp_path / "ran"


def test_a_lesson_of_which_nothing_is_recorded_is_noticed(ran):
    assert lessons.check(ran) == [f"{language}/01-one: nothing is recorded of this lesson" for language in ("en", "ko")]


def test_a_lesson_that_gives_what_is_recorded_is_well(ran):
    assert len(lessons.record(ran)) == 2
    assert lessons.check(ran) == []


def test_a_lesson_whose_number_changes_is_named_with_the_cell_and_both_numbers(ran):
    lessons.record(ran)
    (ran / "ko" / "01-one.ipynb").write_text(json.dumps(notebook("0.6")))
    assert lessons.check(ran) == ["ko/01-one, code cell 1 (`print(loss)`), text: '0.6', recorded as '0.5'"]


def test_a_lesson_with_another_number_of_cells_is_noticed(ran):
    lessons.record(ran)
    longer = notebook("0.5")
    longer["cells"] *= 2
    (ran / "en" / "01-one.ipynb").write_text(json.dumps(longer))
    assert lessons.check(ran) == ["en/01-one: 2 code cells, recorded with 1"]


def test_a_cell_that_is_not_to_be_checked_may_give_other_numbers(ran):
    (ran / "en" / "01-one.ipynb").write_text(json.dumps(notebook("0.5", tags=["not-checked"])))
    lessons.record(ran)
    (ran / "en" / "01-one.ipynb").write_text(json.dumps(notebook("0.6", tags=["not-checked"])))
    assert lessons.check(ran) == []
    (ran / "en" / "01-one.ipynb").write_text(json.dumps(notebook("", tags=["not-checked"])))
    assert lessons.check(ran) == ["en/01-one, code cell 1 (`print(loss)`), prints: False, recorded as True"]


def test_recordings_of_lessons_that_are_no_more_are_removed(ran):
    lessons.record(ran)
    stale = lessons.RECORDED / "en" / "00-older.json"
    stale.write_text("[]")
    lessons.record(ran)
    assert not stale.exists()
    assert (lessons.RECORDED / "en" / "01-one.json").exists()
