"""Digits drawn by the library: shaped like MNIST, repeatable, varied, and distinct enough to learn from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilayer.datasets import synthetic_digits


@pytest.fixture(scope="module")
def drawn():
    return synthetic_digits.generate(4000, seed=3)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 60), st.integers(0, 2**40))
def test_any_number_of_digits_comes_in_mnists_form(num_samples, seed):
    images, labels = synthetic_digits.generate(num_samples, seed)
    assert images.shape == (num_samples, 28, 28)
    assert labels.shape == (num_samples,)
    assert images.dtype == labels.dtype == np.uint8
    assert (labels < 10).all()
    assert num_samples == 0 or images.reshape(num_samples, -1).any(axis=1).all()


def test_load_data_gives_two_sets():
    (x_train, y_train), (x_test, y_test) = synthetic_digits.load_data(num_train=300, num_test=200)
    assert [a.shape for a in (x_train, y_train, x_test, y_test)] == [(300, 28, 28), (300,), (200, 28, 28), (200,)]
    seen = {image.tobytes() for image in x_train}
    assert not any(image.tobytes() in seen for image in x_test)


def test_the_seed_decides():
    first, again, other = (synthetic_digits.generate(50, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_glyphs_drawn_in_several_chunks_are_whole(monkeypatch):
    monkeypatch.setattr(synthetic_digits, "_CHUNK", 1)
    images, _ = synthetic_digits.generate(40, seed=0)
    assert images.reshape(40, -1).any(axis=1).all()


def test_varied_digits_are_written_in_more_ways():
    images, labels = synthetic_digits.generate(2000, seed=3, varied=True)
    plain, same = synthetic_digits.generate(2000, seed=3)
    np.testing.assert_array_equal(labels, same)
    assert not np.array_equal(images, plain)
    assert (images.reshape(len(images), -1).max(axis=1) > 150).all()


def test_every_class_comes_about_as_often(drawn):
    counts = np.bincount(drawn[1], minlength=10)
    assert (np.abs(counts - 400) < 5 * np.sqrt(400 * 0.9)).all()  # five standard deviations


def test_ink_is_light_on_dark_and_has_soft_edges(drawn):
    images = drawn[0].reshape(len(drawn[0]), -1)
    assert (images.max(axis=1) > 150).all()
    assert ((images == 0).mean(axis=1) > 0.5).all()
    grey = ((images > 0) & (images < 255)).sum(axis=1)
    assert (grey > 10).all()


def test_ink_fills_a_box_of_20_pixels_around_its_centre_of_mass(drawn):
    ink = drawn[0] > 100
    heights = ink.any(axis=2).sum(axis=1)
    widths = ink.any(axis=1).sum(axis=1)
    longest = np.maximum(heights, widths)
    assert 18 <= np.median(longest) <= 20
    assert (longest <= 23).all()
    weight = drawn[0].astype(float)
    total = weight.sum(axis=(1, 2))
    pixel = np.arange(28)
    for centre in ((weight.sum(axis=1) @ pixel) / total, (weight.sum(axis=2) @ pixel) / total):
        assert abs(centre.mean() - 14) < 0.2
        assert np.quantile(np.abs(centre - 14), 0.99) < 2


def test_no_two_digits_are_the_same(drawn):
    assert len({image.tobytes() for image in drawn[0]}) == len(drawn[0])


def test_classes_differ_enough_to_be_told_apart_by_their_mean_alone(drawn):
    images, labels = drawn[0].reshape(-1, 784) / 255.0, drawn[1]
    means = np.stack([images[:2000][labels[:2000] == digit].mean(axis=0) for digit in range(10)])
    distance = ((images[2000:, None] - means) ** 2).sum(axis=2)
    assert np.mean(distance.argmin(axis=1) == labels[2000:]) > 0.6


@pytest.mark.parametrize(
    ("arguments", "name"),
    [((-1,), "num_samples"), ((1.5,), "num_samples"), ((True,), "num_samples"), ((1, -1), "seed"), ((1, None), "seed")],
)
def test_what_is_no_number_of_digits_or_seed_is_refused(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` must be a whole number of at least 0"):
        synthetic_digits.generate(*arguments)
