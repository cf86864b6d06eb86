"""Arrays made ready for training."""

import numpy as np
import pytest

from multilayer.utils import normalize, to_categorical

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
@pytest.mark.parametrize("axis", [0, 1, -1, -2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_vectors_get_length_1_and_keep_their_direction(axis, order, dtype):
    x = RNG.normal(size=(3, 4)).astype(dtype)
    y = normalize(x, axis=axis, order=order)
    assert (y.dtype, y.shape) == (x.dtype, x.shape)
    np.testing.assert_allclose(np.linalg.norm(y, order, axis), 1.0, rtol=1e-6)
    ratio = x / y
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio.max(axis=axis, keepdims=True), x.shape), rtol=1e-5)


def test_zeros_stay_and_the_array_given_is_left_alone():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    np.testing.assert_array_equal(normalize(x), [[0.0, 0.0], [0.6, 0.8]])
    np.testing.assert_array_equal(x, [[0.0, 0.0], [3.0, 4.0]])


def test_whole_numbers_and_single_vectors_will_do():
    np.testing.assert_array_equal(normalize([3, 4]), [0.6, 0.8])
    assert normalize(np.array([[1, 1]]), order=1).dtype == np.float64
    assert normalize(RNG.normal(size=(2, 3, 4)), axis=1).shape == (2, 3, 4)


def test_an_axis_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="axis"):
        normalize(np.ones((2, 2)), axis=2)


@pytest.mark.parametrize(
    ("x", "classes", "rows"),
    [
        ([0, 2], None, [[1, 0, 0], [0, 0, 1]]),
        ([[1], [0]], 2, [[0, 1], [1, 0]]),
        ([[0, 1]], 2, [[[1, 0], [0, 1]]]),
        ([1.0], 3, [[0, 1, 0]]),
        ([], None, np.zeros((0, 0))),
    ],
)
def test_labels_become_rows(x, classes, rows):
    found = to_categorical(x, classes)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, rows)


@pytest.mark.parametrize("x", [[0.5], [-1], [3]])
def test_labels_that_are_none_are_refused(x):
    with pytest.raises(ValueError, match="whole.number"):
        to_categorical(x, 3)


def test_labels_that_are_words_say_how_they_become_numbers():
    with pytest.raises(ValueError, match=r"`names, x = np.unique\(x, return_inverse=True\)`"):
        to_categorical(["setosa", "virginica"])
    np.testing.assert_array_equal(to_categorical(["1", "0"]), [[0, 1], [1, 0]])  # as in Keras
    np.testing.assert_array_equal(to_categorical(np.array([1, 0], object)), [[0, 1], [1, 0]])
