"""Frames and columns of three libraries as arrays, without any of them being needed."""

import datetime

import numpy as np
import pytest

from multilayer._checks.tables import as_array, columns_of, is_column, is_frame, is_table, rows_of

COLUMNS = {"a": [True, False, True], "b": [1, 2, 3], "c": [0.5, 1.5, 2.5]}
ARRAY = np.array([[1, 1, 0.5], [0, 2, 1.5], [1, 3, 2.5]])


def pandas_frame(columns):
    return pytest.importorskip("pandas").DataFrame(columns)


def nullable_frame(columns):
    return pandas_frame(columns).convert_dtypes()


def frame_of_objects(columns):
    return pandas_frame(columns).astype(object)


def polars_frame(columns):
    return pytest.importorskip("polars").DataFrame(columns)


def arrow_table(columns):
    return pytest.importorskip("pyarrow").table(columns)


def arrow_batch(columns):
    return arrow_table(columns).to_batches()[0]


FRAMES = [pandas_frame, nullable_frame, frame_of_objects, polars_frame, arrow_table, arrow_batch]


@pytest.fixture(params=FRAMES, ids=lambda make: make.__name__)
def make(request):
    return request.param


def test_frames_are_arrays_row_by_row(make):
    frame = make(COLUMNS)
    assert is_frame(frame)
    assert not is_column(frame)
    assert [name for name, _ in columns_of(frame)] == ["a", "b", "c"]
    np.testing.assert_array_equal(as_array(frame), ARRAY)
    for names in (["b"], ["c"]):
        alike = as_array(make({name: COLUMNS[name] for name in names} | {"z": COLUMNS[names[0]]}))
        assert alike.flags.c_contiguous
        np.testing.assert_array_equal(alike[:, 0], COLUMNS[names[0]])


def test_columns_are_arrays(make):
    for name, column in columns_of(make(COLUMNS)):
        assert is_column(column)
        assert not is_frame(column)
        np.testing.assert_array_equal(as_array(column), COLUMNS[name])


def test_rows_are_told_by_their_place(make):
    frame = make(COLUMNS)
    if hasattr(frame, "iloc"):
        frame.index = [2, 0, 1]
    for rows in (np.array([2, 0]), slice(1, 3)):
        np.testing.assert_array_equal(as_array(rows_of(frame, rows)), ARRAY[rows])
        np.testing.assert_array_equal(as_array(rows_of(columns_of(frame)[1][1], rows)), ARRAY[rows, 1])
    assert type(rows_of(frame, slice(1))) is type(frame)


@pytest.mark.parametrize("values", [[1, None, 3], [1.5, None, 2.5], [True, None, False], [None, None, None]])
def test_a_missing_value_is_told_by_column_and_row(make, values):
    frame = make({"a": [1, 2, 3], "b": values})
    row = 0 if values[0] is None else 1
    with pytest.raises(ValueError, match=rf"The column `x\['b'\]` holds nan in row {row}, and \d of its 3 values are"):
        as_array(frame)


DAY = datetime.datetime(2026, 1, 2)
NO_NUMBERS = [
    (["x", "y", None], r"holds 'x' in row 0.*one column for each value.*for labels"),
    (["1", "2", "3"], r"holds '1' in row 0.*numbers written as text"),
    ([DAY] * 3, r"holds '2026-01-02T.*parts of the date, such as .*year"),
    ([DAY - DAY] * 3, r"turn it into numbers: `column\.(dt\.total_seconds\(\)|cast\(\"int64\"\))`"),
    ([[1, 2]] * 3, r"one column for each entry of the lists"),
]


@pytest.mark.parametrize(("values", "message"), NO_NUMBERS, ids=["words", "digits", "dates", "spans", "lists"])
@pytest.mark.parametrize("make", [pandas_frame, polars_frame, arrow_table])
def test_a_column_of_no_numbers_is_told_with_what_to_do(make, values, message):
    with pytest.raises(ValueError, match=rf"The column `x\['b'\]` does not hold numbers: its type is .*{message}"):
        as_array(make({"a": [1, 2, 3], "b": values}))


def test_categories_are_told_of_their_codes():
    pandas = pytest.importorskip("pandas")
    words = pandas.Series(["b", "a"], dtype="category")
    for values, codes in ((words, r"`column\.cat\.codes`"), (words.array, r"`column\.codes`")):
        with pytest.raises(ValueError, match=rf"The column `y` does not hold numbers: its type is category.*{codes}"):
            as_array(values, "y")
    np.testing.assert_array_equal(as_array(pandas.Series([2, 1], dtype="category")), [2, 1])
    polars = pytest.importorskip("polars")
    with pytest.raises(ValueError, match=r"type is Categorical.*to_physical"):
        as_array(polars.Series(["b", "a"], dtype=polars.Categorical))


def test_mixed_columns():
    pandas = pytest.importorskip("pandas")
    numbers = pandas.DataFrame({"a": pandas.Series([True, 2, 0.5], dtype=object)})
    np.testing.assert_array_equal(as_array(numbers), [[1.0], [2.0], [0.5]])
    mixed = pandas.DataFrame({"a": [1, 2.5, "n/a", None, "?"]}, dtype=object)
    with pytest.raises(ValueError, match=r"`x\['a'\]` does not hold numbers alone: 2 of its 5 .* 'n/a' in row 2"):
        as_array(mixed)


def test_two_columns_of_one_name():
    pandas = pytest.importorskip("pandas")
    np.testing.assert_array_equal(as_array(pandas.DataFrame([[1, 2.5]], columns=["a", "a"])), [[1.0, 2.5]])
    with pytest.raises(ValueError, match=r"The column `x\['a'\]` holds nan in row 0, and 1 of its 1 values"):
        as_array(pandas.DataFrame([[1.0, np.nan]], columns=["a", "a"]))


def test_rows_that_nobody_has_computed():
    polars = pytest.importorskip("polars")
    with pytest.raises(ValueError, match=r"`x` is of type LazyFrame, .*pass `x\.collect\(\)`"):
        as_array(polars.LazyFrame(COLUMNS))
    dataset = pytest.importorskip("pyarrow.dataset")
    with pytest.raises(ValueError, match=r"`x` is of type InMemoryDataset, .*pass `x\.to_table\(\)`"):
        as_array(dataset.dataset(arrow_table(COLUMNS)))


@pytest.mark.parametrize("value", [ARRAY, [1, 2], {"a": 1}, None, "text", 3.0, np.ndarray])
def test_what_is_no_table_is_left_alone(value):
    assert not is_table(value)
    assert columns_of(value) == []
    assert as_array(value) is value


def test_columns_called_as_what_others_can_do():
    frame = pandas_frame({name: [1.0, 2.0] for name in ("collect", "get_columns", "column_names", "tocsr", "to_table")})
    np.testing.assert_array_equal(as_array(frame), [[1.0] * 5, [2.0] * 5])
