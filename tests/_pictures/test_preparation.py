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
        (text("42"), "several shapes side by side"),
        (text("12"), "several shapes side by side"),
        (text("9 o'clock"), "a pattern or noise, not a few lines"),
        (np.random.default_rng(0).integers(0, 256, (200, 200)).astype(np.uint8), "a pattern or noise"),
    ],
)
def test_what_cannot_be_a_single_digit_is_told(pixels, doubt):
    assert doubt in prepared(pixels).doubt


def test_single_digits_are_not_doubted(digits):
    assert [prepared(digit).doubt for digit in digits] == [""] * len(digits)
    assert prepared(text("7")).doubt == ""
