"""Targets as a network has them, and back."""

import json

import numpy as np
import pandas as pd
import pytest

from multilayer.tabular.targets import Classes, Scale, as_labels, as_values


@pytest.mark.parametrize(
    "y", [["b", "a"], np.array(["b", "a"]), pd.Series(["b", "a"]), pd.DataFrame({"y": ["b", "a"]}), [["b"], ["a"]]]
)
def test_a_target_comes_in_any_form(y):
    assert as_labels(y, 2).tolist() == ["b", "a"]


def test_several_targets_are_columns():
    assert as_values(np.ones((3, 2)), 3).shape == (3, 2)
    with pytest.raises(ValueError, match="y has 2 columns"):
        as_labels(np.ones((3, 2)), 3)


def test_missing_targets_are_counted_and_their_rows_named():
    with pytest.raises(ValueError, match=r"missing \(NaN or None\) in 2 of 3 rows, the first of them 0, 2"):
        as_values([np.nan, 1.0, np.nan], 3)


def test_a_target_of_another_length_is_refused():
    with pytest.raises(ValueError, match="y has 2 values, and X has 3 rows"):
        as_values([0, 1], 3)


@pytest.mark.parametrize("values", [["no", "yes"], [0.0, 1.0], [False, True], [1.5, 2.5]])
def test_classes_in_a_file_are_what_they_were(values):
    classes = Classes.learned(np.array(values))
    again = Classes.from_config(json.loads(json.dumps(classes.config())))
    assert again.values.tolist() == values
    assert again.values.dtype == classes.values.dtype


def test_one_class_alone_is_refused():
    with pytest.raises(ValueError, match="one class alone"):
        Classes.learned(np.ones(3))


def test_classes_of_a_type_that_runs_code_are_refused():
    with pytest.raises(ValueError, match="type"):
        Classes.from_config({"values": [1], "dtype": "V8"})


def test_values_are_standardized_and_come_back():
    y = np.array([[1.0, 10.0], [3.0, 30.0]])
    scale = Scale.learned(y)
    assert scale.standardized(y).tolist() == [[-1, -1], [1, 1]]
    assert np.array_equal(scale.values(scale.standardized(y)), y)


def test_one_value_alone_is_refused():
    with pytest.raises(ValueError, match="one value alone"):
        Scale.learned(np.full((5, 1), 7.0))


@pytest.mark.parametrize("values", [[0, 1], [2**53, 2**53 + 1], ["2024-01-31", "2024-02-01"], [True, False]])
def test_classes_keep_their_type_and_their_words(values):
    labels = as_labels(np.array(values), 2)
    assert labels.tolist() == values
    assert labels.dtype == np.array(values).dtype
    assert len(Classes.learned(labels).values) == 2


def test_text_among_numbers_is_no_target():
    with pytest.raises(ValueError, match="text among numbers"):
        as_labels(np.array(["a", 1], object), 2)


def test_values_too_large_for_their_squares_are_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"goes from -1e\+200 to 1e\+200.*in another unit, or their logarithms"):
        Scale.learned(np.array([[1e200], [-1e200], [3.0]]))
