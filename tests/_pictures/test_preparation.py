"""Pictures of digits, prepared as MNIST's makers prepared theirs."""

import numpy as np
import pytest

from helpers.pictures import on_canvas, text
from multilayer import _pictures as images
from multilayer._pictures import prepare
from multilayer.datasets import synthetic_digits


@pytest.fixture(scope="module")
def digits():
    return synthetic_digits.load_data(40, 1)[0][0]


def prepared(pixels, side=28, invert=None):
    (found,) = prepare(images.DigitImage("one", pixels), side, invert)
    return found


def centre(pixels):
    return [float((pixels.sum(1 - axis) * np.arange(28.0)).sum() / pixels.sum()) for axis in (0, 1)]


def test_digits_that_are_as_mnists_are_left_alone(digits):
    for digit in digits:
        assert prepared(digit).done == ()
        assert np.array_equal(prepared(digit).pixels, digit)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_digit_is_found_scaled_and_centred_wherever_it_stands(factor, digits):
    for digit in digits:
        found = prepared(on_canvas(digit, size=200, column=60, factor=factor))
        assert found.done == ("cropped to the ink, scaled into 20 x 20 pixels, centred by mass",)
        assert found.doubt == ""
        rows_of, columns_of = (np.flatnonzero(found.pixels.any(axis)) for axis in (1, 0))
        assert max(np.ptp(rows_of), np.ptp(columns_of)) in (18, 19)
        assert centre(found.pixels) == pytest.approx([14, 14], abs=0.6)
        assert found.pixels.max() == 255


def test_a_digit_is_the_same_in_any_corner_and_either_ink(digits):
    for digit in digits:
        here, there = prepared(on_canvas(digit)), prepared(255 - on_canvas(digit, row=80, column=2))
        assert np.array_equal(here.pixels, there.pixels)
        assert there.done[0] == "dark ink on light paper inverted"


def test_the_box_grows_with_the_network(digits):
    assert prepared(on_canvas(digits[0], factor=2, column=40), side=14).pixels.shape == (14, 14)
    assert "into 40 x 40 pixels" in prepared(on_canvas(digits[0]), side=56).done[-1]


def test_grain_and_specks_are_no_ink(digits):
    clean = on_canvas(digits[1], size=112, row=30, column=30)
    noisy = np.clip(200 - 0.5 * clean + np.random.default_rng(1).normal(0, 3, clean.shape), 0, 255).astype(np.uint8)
    noisy[3, 3] = 100
    assert np.abs(prepared(noisy).pixels.astype(int) - prepared(clean).pixels).mean() < 6
    assert centre(prepared(noisy).pixels) == pytest.approx([14, 14], abs=0.6)


@pytest.mark.parametrize(
    ("pixels", "doubt"),
    [
        (np.full((40, 40), 200, np.uint8), "no ink, nothing to read"),
        (on_canvas(np.ones((1, 1), np.uint8)), "no ink, nothing to read"),
        (on_canvas(np.full((1, 1), 255, np.uint8)), "a dot of 1 x 1 pixels"),
        (on_canvas(np.full((40, 40), 255, np.uint8)), "fills an area"),
        (on_canvas(np.full((3, 3), 255, np.uint8)), "a dot of 3 x 3 pixels"),
        (np.pad(np.full((4, 90), 255, np.uint8), 10), "times as wide as high"),
        (np.random.default_rng(0).integers(0, 256, (200, 200)).astype(np.uint8), "a pattern or noise"),
    ],
)
def test_what_cannot_be_a_single_digit_is_told(pixels, doubt):
    assert doubt in prepared(pixels).doubt


def test_single_digits_are_not_doubted(digits):
    assert [prepared(digit).doubt for digit in digits] == [""] * len(digits)
    assert prepared(text("7")).doubt == ""


# --- Several digits ---


def sheet_of(digits, places, size=(300, 400)):
    """White paper with dark digits at some places, (row, column)."""
    sheet = np.zeros(size, np.uint8)
    for digit, (row, column) in zip(digits, places, strict=True):
        large = np.kron(digit, np.ones((3, 3), np.uint8))
        view = sheet[row : row + len(large), column : column + len(large)]
        np.maximum(view, large, out=view)
    return 255 - sheet


def read(pixels, **more):
    return prepare(images.DigitImage("one", pixels, **more), 28, None)


def test_several_digits_are_read_one_by_one_from_left_to_right(digits):
    places = [(100, 10), (90, 110), (110, 300), (105, 200)]
    found = read(sheet_of(digits[:4], places))
    assert [one.part for one in found] == [(0, 4), (1, 4), (2, 4), (3, 4)]
    assert [one.doubt for one in found] == [""] * 4
    for one, number in zip(found, (0, 1, 3, 2), strict=True):  # as they stand
        (alone,) = read(sheet_of([digits[number]], [(100, 150)]))
        assert np.abs(one.pixels.astype(int) - alone.pixels).mean() < 6
        assert alone.part is None


def test_lines_are_read_one_after_the_other(digits):
    places = [(180, 10), (20, 200), (170, 200), (10, 30)]
    boxes = [one.box for one in read(sheet_of(digits[:4], places))]
    assert [(left > 150, top > 150) for left, top, _, _ in boxes] == [
        (False, False), (True, False), (False, True), (True, True),
    ]  # fmt: skip


def test_where_a_digit_lies_is_said_in_the_pixels_of_the_picture(digits):
    pixels = sheet_of(digits[:1], [(100, 150)])
    ink = np.argwhere(pixels < 128)
    (one,) = read(pixels, size=(800, 600))  # twice as large as it was looked at
    assert np.allclose(np.array(one.box) / 2, [*ink.min(axis=0)[::-1], *(ink.max(axis=0) + 1)[::-1]], atol=2)


def five():
    """A 5 whose bar does not touch its body, and a 1 with a gap where the pen has skipped."""
    broken = np.zeros((120, 160), np.uint8)
    broken[20:26, 30:62] = 255  # the bar
    broken[32:64, 30:36] = broken[58:64, 30:60] = broken[58:100, 56:62] = broken[94:100, 28:62] = 255
    broken[20:60, 110:116] = broken[64:100, 110:116] = 255
    return broken


def test_broken_strokes_are_one_digit():
    found = read(five())
    assert [one.part for one in found] == [(0, 2), (1, 2)]
    assert [one.box[1] for one in found] == [20, 20]


def test_commas_and_specks_are_no_digits(digits):
    sheet = sheet_of(digits[:2], [(100, 100), (100, 220)])
    sheet[175:185, 195:199] = 0  # a comma
    sheet[20:22, 20:22] = 0
    assert len(read(sheet)) == 2


def test_a_data_sets_image_is_never_taken_apart():
    assert len(read(five()[:112, :112], prepared=True)) == 1


# --- Photographs of paper ---


def lit(kind, ink):
    """A grey photograph of ink, which is given from 0 to 1, on paper in some light."""
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]] / max(ink.shape)
    light = {
        "lamp": 0.9 - 0.5 * columns,
        "corner": 1 - 0.55 * np.hypot(rows, columns),
        "shadow": 0.45 + 0.45 / (1 + np.exp(60 * (columns - 0.45))),
        "table": 0.9 - 0.4 * rows,
        "blackboard": 0.2 + 0.6 * columns,
    }[kind]
    picture = 120 * light + 120 * ink if kind == "blackboard" else 230 * light * (1 - 0.7 * ink)
    if kind == "table":
        margin = np.ones(ink.shape, bool)
        margin[40:-40, 40:-40] = False
        picture[margin] = 60 * light[margin]
    return np.clip(picture + np.random.default_rng(1).normal(0, 3, ink.shape), 0, 255).astype(np.uint8)


def likeness(a, b):
    """The correlation of two pictures, where one may be off by a pixel."""
    moved = [np.roll(a, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return max(np.corrcoef(one.ravel(), b.ravel())[0, 1] for one in moved)


@pytest.mark.parametrize("kind", ["lamp", "corner", "shadow", "table", "blackboard"])
def test_photographs_of_paper_are_read_as_if_they_were_evenly_lit(kind, digits):
    for digit in digits[:4]:
        clean = 255 - sheet_of([digit], [(120, 180)], (360, 480))
        (wanted,) = read(clean)
        (found,) = read(lit(kind, clean / 255))
        assert found.doubt == ""
        assert "uneven light of a photograph evened out" in found.done
        assert likeness(found.pixels, wanted.pixels) > 0.8


def test_several_digits_are_read_from_a_photograph(digits):
    clean = 255 - sheet_of(digits[:3], [(120, 60), (110, 180), (125, 300)], (360, 480))
    assert [one.part for one in read(lit("lamp", clean / 255))] == [(0, 3), (1, 3), (2, 3)]


def test_evenly_lit_pictures_are_left_as_they_are(digits):
    for digit in digits:
        for pixels in (on_canvas(digit, size=200, column=60, factor=4), 255 - on_canvas(digit, factor=3, column=20)):
            assert not any("uneven" in step for step in prepared(pixels).done)
