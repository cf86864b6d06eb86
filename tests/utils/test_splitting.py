"""One set of samples into two."""

from collections import namedtuple

import numpy as np
import pytest

import multilayer as keras
from multilayer.utils import split_dataset

X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10)


@pytest.mark.parametrize(
    ("arguments", "left", "right"),
    [
        ({"left_size": 0.8}, 8, 2),
        ({"right_size": 0.3}, 7, 3),
        ({"left_size": 3}, 3, 7),
        ({"right_size": 4}, 6, 4),
        ({"left_size": 0.5, "right_size": 0.2}, 5, 2),
        ({"left_size": 2, "right_size": 0.5}, 2, 5),
        ({"left_size": 0.25}, 2, 8),
        ({"left_size": np.int64(3)}, 3, 7),
    ],
)
def test_the_front_is_the_left_and_the_back_the_right(arguments, left, right):
    first, second = split_dataset(X, **arguments)
    np.testing.assert_array_equal(first, X[:left])
    np.testing.assert_array_equal(second, X[10 - right :])
    assert np.shares_memory(first, X)


def test_the_form_stays_what_it_is():
    pair = namedtuple("pair", ["x", "y"])
    given = {"a": (X, [Y]), "b": pair(X, Y)}
    left, right = split_dataset(given, left_size=4)
    assert type(left["a"]) is tuple
    assert type(left["a"][1]) is list
    assert isinstance(right["b"], pair)
    np.testing.assert_array_equal(right["b"].y, Y[4:])
    np.testing.assert_array_equal(left["a"][1][0], Y[:4])


def test_shuffled_every_array_has_the_same_order_and_nothing_is_lost():
    (x, y), (x_rest, y_rest) = split_dataset((X, Y), left_size=6, shuffle=True, seed=3)
    np.testing.assert_array_equal(x[:, 0], 2 * y)
    np.testing.assert_array_equal(x_rest[:, 0], 2 * y_rest)
    assert sorted([*y, *y_rest]) == list(range(10))
    assert list(y) != list(range(6))
    again = split_dataset((X, Y), left_size=6, shuffle=True, seed=3)[0][1]
    np.testing.assert_array_equal(again, y)
    keras.utils.set_random_seed(1)
    first = split_dataset(Y, left_size=5, shuffle=True)[0]
    keras.utils.set_random_seed(1)
    np.testing.assert_array_equal(split_dataset(Y, left_size=5, shuffle=True)[0], first)


def test_what_comes_out_goes_into_fit():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    train, validation = split_dataset((X, Y), right_size=0.2)
    history = model.fit(*train, validation_data=validation, verbose=0)
    assert "val_loss" in history.history


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "At least one of the `left_size` or `right_size` must be specified"),
        ({"left_size": 10}, "`left_size` should be either a positive integer smaller than 10, or a float"),
        ({"right_size": 1.0}, "`right_size` should be either .*Received: right_size=1.0"),
        ({"left_size": 0}, "`left_size` should be either"),
        ({"left_size": -0.1}, "`left_size` should be either"),
        ({"left_size": float("nan")}, "`left_size` should be either"),
        ({"left_size": 0.6, "right_size": 0.6}, "at most the number of samples, 10"),
        ({"left_size": 7, "right_size": 4}, "at most the number of samples, 10"),
        ({"left_size": 0.01}, "the left side is empty"),
        ({"right_size": 0.04}, "the right side is empty"),
        ({"left_size": 0.5, "shuffle": True, "seed": -1}, "seed=-1"),
    ],
)
def test_sizes_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        split_dataset(X, **arguments)


@pytest.mark.parametrize("size", ["3", True, [3]])
def test_a_size_is_a_number(size):
    with pytest.raises(TypeError, match="Invalid `left_size` Type. Expected: int or float or None"):
        split_dataset(X, left_size=size)


@pytest.mark.parametrize("dataset", ["text", [1, 2, 3], None, {"x": X, "y": "z"}, np.float64(3)])
def test_what_is_no_array_is_refused(dataset):
    with pytest.raises(TypeError, match="The `dataset` argument must be an array, or a list, tuple or dict of arrays"):
        split_dataset(dataset, left_size=0.5)


@pytest.mark.parametrize("dataset", [(X, Y[:9]), [], {}])
def test_arrays_have_one_length(dataset):
    with pytest.raises(ValueError, match="must have the same number of samples, and at least one is needed"):
        split_dataset(dataset, left_size=0.5)


@pytest.mark.parametrize("shuffle", [False, True])
def test_frames_and_sparse_matrices_stay_what_they_are(shuffle):
    pandas, sparse = pytest.importorskip("pandas"), pytest.importorskip("scipy.sparse")
    frame = pandas.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "z"]}, index=[2, 1, 0])
    given = {"frame": frame, "series": frame["a"], "sparse": sparse.csr_array(np.eye(3))}
    left, right = split_dataset(given, left_size=2, shuffle=shuffle, seed=0)
    for part, rows in ((left, 2), (right, 1)):
        assert isinstance(part["frame"], pandas.DataFrame)
        assert list(part["frame"].columns) == ["a", "b"]
        assert (part["frame"]["a"] == part["series"]).all()
        assert part["sparse"].shape == (rows, 3)
    assert sorted([*left["series"], *right["series"]]) == [1.0, 2.0, 3.0]
