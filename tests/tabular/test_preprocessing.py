"""From columns to matrices: what training rows say is what is done with any rows."""

import json
import time
import warnings

import numpy as np
import pandas as pd
import pytest

from multilayer.tabular import Table
from multilayer.tabular.preprocessing import Preprocessing

ROWS = 40


def table(**columns):
    return Table.of({"n": np.linspace(-1, 1, ROWS), **columns})


def learned(**columns):
    return Preprocessing.learned(table(**columns))[0]


def test_a_number_is_centred_at_the_median_and_divided_by_the_distance_of_the_quartiles():
    values = np.r_[np.arange(1.0, ROWS), 1e9]
    encoded = learned(a=values)(table(a=values))
    q25, median, q75 = np.quantile(values, [0.25, 0.5, 0.75])
    assert np.allclose(encoded.numbers[:-1, 1], (values[:-1] - median) / (q75 - q25))
    assert encoded.numbers[-1, 1] == 1e6  # farther is no float32 squared


def test_a_number_whose_quartiles_are_equal_is_divided_by_half_its_range():
    values = np.r_[np.zeros(ROWS - 1), 4.0]
    assert learned(a=values)(table(a=values)).numbers[-1, 1] == 2.0


def test_a_missing_number_is_the_median_and_a_code_says_so():
    values = np.r_[np.nan, np.arange(ROWS - 1)]
    encoded = learned(a=values)(table(a=values))
    assert encoded.numbers[0, 1] == 0
    assert encoded.codes[:, 0].tolist() == [2] + [1] * (ROWS - 1)


def test_categories_are_codes_by_frequency_then_the_rare_ones_then_what_is_missing():
    city = ["b"] * 20 + ["a"] * 17 + ["x", "y", None]
    preprocessing = learned(city=city)
    assert preprocessing.cardinalities == [4]
    assert preprocessing(table(city=city)).codes[:, 0].tolist() == [1] * 20 + [2] * 17 + [3, 3, 4]


def test_a_category_that_was_never_seen_is_code_0_and_counted():
    preprocessing = learned(city=["a", "b"] * 20)
    encoded = preprocessing(table(city=["a", "c"] * 20))
    assert encoded.codes[:2, 0].tolist() == [1, 0]
    assert encoded.notes == ["`city` holds 1 category that training did not have, in 20 rows: 'c'."]


def test_truth_values_are_categories_whatever_type_they_have_later():
    preprocessing = learned(member=np.arange(ROWS) % 2 == 0)
    as_bool = preprocessing(table(member=np.arange(ROWS) % 2 == 0)).codes
    assert np.array_equal(preprocessing(table(member=1.0 * (np.arange(ROWS) % 2 == 0))).codes, as_bool)


def test_a_date_is_days_and_points_on_circles():
    dates = np.datetime64("2024-01-01") + np.arange(ROWS) * np.timedelta64(20, "D")
    encoded = learned(day=dates)(table(day=dates))
    days, month_cos, month_sin, week_cos, week_sin = encoded.numbers[:, 1:].T
    assert np.all(np.diff(days) > 0)
    assert (month_cos[0], month_sin[0]) == (1, 0)  # January
    assert np.isclose(month_cos[-1], np.cos(2 * np.pi * 1 / 12))  # 20 February 2026
    assert (week_cos[0], week_sin[0]) == (1, 0)  # a Monday


def test_a_missing_date_is_the_median_and_at_no_point_of_the_circles():
    dates = np.datetime64("2024-01-01") + np.arange(ROWS) * np.timedelta64(20, "D")
    dates[3] = np.datetime64("NaT")
    encoded = learned(day=dates)(table(day=dates))
    assert encoded.numbers[3, 1:].tolist() == [0] * 5
    assert encoded.codes[3].tolist() == [2]


def test_identifiers_constants_and_copies_are_left_out_and_said():
    given = table(id=[f"x{i}" for i in range(ROWS)], unit=["m"] * ROWS, copy=np.linspace(-1, 1, ROWS))
    preprocessing, columns = Preprocessing.learned(given)
    assert [one.kind for one in columns] == ["number", "identifier", "constant", "duplicate"]
    assert preprocessing(given).numbers.shape == (ROWS, 1)


def test_in_a_matrix_nothing_is_an_identifier():
    matrix = np.c_[np.arange(ROWS), np.random.default_rng(0).normal(size=ROWS)]
    assert Preprocessing.learned(Table.of(matrix))[0](Table.of(matrix)).numbers.shape == (ROWS, 2)


def test_columns_are_found_by_name_in_any_order_and_others_ignored():
    preprocessing = learned(a=np.arange(ROWS) ** 2.0)
    encoded = preprocessing(Table.of({"z": ["?"], "a": [4.0], "n": [0.0]}))
    assert encoded.notes == ["Columns that were not there in training are ignored: 'z'."]
    assert np.array_equal(encoded.numbers, preprocessing(Table.of({"n": [0.0], "a": [4.0]})).numbers)


def test_columns_that_are_missing_are_named():
    with pytest.raises(ValueError, match=r"missing: 'a'\. Expected what was there in training: 'n', 'a'"):
        learned(a=np.arange(ROWS) ** 2.0)(Table.of({"n": [0.0]}))


def test_a_column_of_another_type_is_named():
    with pytest.raises(ValueError, match="`a`"):
        learned(a=np.arange(ROWS) ** 2.0)(Table.of({"n": [0.0], "a": ["many"]}))


def test_a_file_holds_all_of_it():
    dates = np.datetime64("2024-01-01T03") + np.arange(ROWS) * np.timedelta64(25, "h")
    given = table(
        city=["a", "b", None, "c"] * 10, day=dates, a=np.r_[np.nan, np.arange(ROWS - 1)], ok=np.arange(ROWS) % 3 == 0
    )
    preprocessing, _ = Preprocessing.learned(given)
    again = Preprocessing.from_config(json.loads(json.dumps(preprocessing.config())))
    first, second = preprocessing(given), again(given)
    assert np.array_equal(first.numbers, second.numbers)
    assert np.array_equal(first.codes, second.codes)


def test_frames_of_pandas_keep_categories_and_missing_values():
    frame = pd.DataFrame({"size": pd.array([1, None, 3] * 10, "Int64"), "kind": pd.Categorical(["a", "b", None] * 10)})
    preprocessing, columns = Preprocessing.learned(Table.of(frame))
    assert [one.kind for one in columns] == ["number", "category"]
    assert preprocessing(Table.of(frame)).codes[:3].tolist() == [[1, 1], [2, 2], [1, 3]]


def test_the_largest_numbers_that_there_are_are_scaled_as_others():
    """The difference of two of them is no number."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        preprocessing = learned(a=[-1e308, 1e308, 1e307, -1.7e308] * (ROWS // 4))
        scaled = preprocessing(Table.of({"n": [0.0] * 4, "a": [1e308, -1e308, 0.0, np.nan]})).numbers[:, 1]
    assert np.isfinite(scaled).all()
    assert scaled[0] > scaled[2] > scaled[1]


def test_thousands_of_categories_that_were_never_seen_take_no_time():
    preprocessing = learned(a=["one", "two"] * (ROWS // 2))
    begun = time.perf_counter()
    encoded = preprocessing(Table.of({"n": np.zeros(20_000), "a": [f"new {i}" for i in range(20_000)]}))
    assert "20,000 categories that training did not have, in 20,000 rows" in encoded.notes[0]
    assert time.perf_counter() - begun < 3  # each compared with each takes twenty seconds
