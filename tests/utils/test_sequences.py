"""Sequences of different lengths, as rows of one array."""

import numpy as np
import pytest

from multilayer.utils import pad_sequences

SEQUENCES = [[1], [], [4, 5, 6], np.array([2, 3])]


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        ({}, [[0, 0, 1], [0, 0, 0], [4, 5, 6], [0, 2, 3]]),
        ({"padding": "post", "value": -1}, [[1, -1, -1], [-1, -1, -1], [4, 5, 6], [2, 3, -1]]),
        ({"maxlen": 2}, [[0, 1], [0, 0], [5, 6], [2, 3]]),
        ({"maxlen": 2, "truncating": "post"}, [[0, 1], [0, 0], [4, 5], [2, 3]]),
    ],
)
def test_short_ones_are_filled_up_and_long_ones_are_cut_off(arguments, rows):
    padded = pad_sequences(SEQUENCES, **arguments)
    assert padded.dtype == np.int32
    np.testing.assert_array_equal(padded, rows)


def test_steps_may_be_rows_of_features_and_words():
    steps = [np.ones((1, 2)), np.full((3, 2), 2.0)]
    np.testing.assert_array_equal(pad_sequences(steps, 2, "float32"), [[[0, 0], [1, 1]], [[2, 2], [2, 2]]])
    assert pad_sequences([["a"], ["b", "c"]], dtype=object, value="-").tolist() == [["-", "a"], ["b", "c"]]


@pytest.mark.parametrize(
    ("sequences", "arguments", "words"),
    [
        ([[1], 2], {}, "Found non-iterable: 2 at position 1"),
        ([[[1, 2]], [[1]]], {}, r"\(1,\) of sequence at position 1 is different from expected shape \(2,\)"),
        ([[1]], {"padding": "before"}, "`padding` must be 'pre' or 'post'"),
        ([[1]], {"truncating": "end"}, "`truncating` must be"),
        ([[1]], {"maxlen": 1.5}, "`maxlen` must be a whole number"),
    ],
)
def test_what_are_no_sequences_is_an_error(sequences, arguments, words):
    with pytest.raises(ValueError, match=words):
        pad_sequences(sequences, **arguments)
