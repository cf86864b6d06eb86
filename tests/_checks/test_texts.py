"""Texts from users, in whatever they bring them."""

import numpy as np
import pytest

from multilayer._checks.texts import as_texts


class Series:
    """What is known of a column of pandas'."""

    def __init__(self, values):
        self.values = np.array(values, object)
        self.dtype = self.values.dtype

    def __array__(self, dtype=None, copy=None):
        return self.values


@pytest.mark.parametrize(
    "given",
    [
        ["a", "ä"],
        ("a", "ä"),
        np.array(["a", "ä"]),
        np.array(["a", "ä"], object),
        np.array([b"a", "ä".encode()]),
        np.array([np.str_("a"), "ä".encode()], object),
        Series(["a", "ä"]),
    ],
    ids=lambda one: type(one).__name__,
)
def test_texts_become_texts_of_pythons(given):
    found = as_texts(given, "x")
    assert found.dtype == object
    assert found.tolist() == ["a", "ä"]
    assert {type(one) for one in found} == {str}


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="NumPy 2 has it")
def test_numpys_texts_of_any_length():
    given = np.array([["a"], ["ä"]], np.dtypes.StringDType())
    assert as_texts(given, "x").tolist() == [["a"], ["ä"]]


def test_one_text_alone():
    assert as_texts("word", "x").shape == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([["a"], [None]], r"`x` holds None at index \(1, 0\): a text is missing"),
        (["a", float("nan")], r"holds nan at index \(1,\): a text is missing"),
        (["a", 3], r"`x` must hold texts; at index \(1,\) it holds '3', a int"),
        (np.arange(3), "`x` must hold texts; got an array of type int64.*IntegerLookup"),
        ([["a"], ["b", "c"]], "its rows differ in length"),
        ([b"\xff"], r"bytes at index \(0,\) that are no text in utf-8"),
    ],
)
def test_what_is_no_text_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        as_texts(given, "x")
