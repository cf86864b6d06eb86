"""Sparse matrices and frames as arrays, without scipy or pandas being needed."""

import numpy as np
import pytest

from multilayer._checks.tables import SparseRows, dense, frame_as_array, is_frame, is_sparse

ARRAY = np.array([[0.0, 2.0], [3.0, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "dok", "lil", "bsr", "dia"])
@pytest.mark.parametrize("kind", ["matrix", "array"])
def test_sparse_rows_are_those_of_the_array(form, kind):
    sparse = pytest.importorskip("scipy.sparse")
    given = getattr(sparse, f"coo_{kind}")(ARRAY).asformat(form)
    rows = SparseRows(given)
    assert is_sparse(given)
    assert (len(rows), rows.shape, rows.ndim, rows.dtype) == (3, (3, 2), 2, np.float64)
    np.testing.assert_array_equal(rows[1:], ARRAY[1:])
    np.testing.assert_array_equal(rows[np.array([2, 0])], ARRAY[[2, 0]])
    np.testing.assert_array_equal(np.asarray(rows.part(slice(0, 2))), ARRAY[:2])
    assert np.asarray(rows.astype("float32")).dtype == np.float32
    assert sorted(rows.entries[rows.entries != 0]) == [2.0, 3.0]
    np.testing.assert_array_equal(dense(given), ARRAY)


@pytest.mark.parametrize("value", [ARRAY, [1, 2], {"a": 1}, None, "text", 3.0])
def test_what_is_neither_is_left_alone(value):
    assert not is_sparse(value)
    assert not is_frame(value)
    assert dense(value) is value


def test_frames_and_series():
    pandas = pytest.importorskip("pandas")
    whole = pandas.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert is_frame(whole)
    np.testing.assert_array_equal(frame_as_array(whole, "x"), [[1, 3], [2, 4]])
    mixed = whole.assign(c=[True, False], d=pandas.array([1, 2], "Int64"), e=pandas.array([0.5, 1.5], "Float64"))
    np.testing.assert_array_equal(frame_as_array(mixed, "x"), [[1, 3, 1, 1, 0.5], [2, 4, 0, 2, 1.5]])
    np.testing.assert_array_equal(frame_as_array(pandas.Series([True, False], dtype="boolean"), "y"), [1.0, 0.0])
    twice = pandas.DataFrame([[1.0, np.nan]], columns=["a", "a"])
    with pytest.raises(ValueError, match=r"The column `x\['a'\]` holds nan in row 0, and 1 of its 1 values"):
        frame_as_array(twice, "x")
    with pytest.raises(ValueError, match="The column `y` does not hold numbers.*'b'"):
        frame_as_array(pandas.Series(["b", "c"]), "y")
