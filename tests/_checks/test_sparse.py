"""Sparse matrices, row by row, without scipy being needed."""

import numpy as np
import pytest

from multilayer._checks.sparse import SparseRows, can, is_sparse, sparse_of

ARRAY = np.array([[0.0, 2.0], [3.0, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "dok", "lil", "bsr", "dia"])
@pytest.mark.parametrize("kind", ["matrix", "array"])
def test_sparse_rows_are_those_of_the_array(form, kind):
    sparse = pytest.importorskip("scipy.sparse")
    given = getattr(sparse, f"coo_{kind}")(ARRAY).asformat(form)
    rows = SparseRows(given)
    assert is_sparse(given)
    assert sparse_of(given) is given
    assert (len(rows), rows.shape, rows.ndim, rows.dtype) == (3, (3, 2), 2, np.float64)
    np.testing.assert_array_equal(rows[1:], ARRAY[1:])
    np.testing.assert_array_equal(rows[np.array([2, 0])], ARRAY[[2, 0]])
    np.testing.assert_array_equal(np.asarray(rows.part(slice(0, 2))), ARRAY[:2])
    assert np.asarray(rows.astype("float32")).dtype == np.float32
    assert sorted(rows.entries[rows.entries != 0]) == [2.0, 3.0]
    places = [rows.place(entry) for entry, value in enumerate(rows.entries) if value]
    assert sorted(places) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("value", [ARRAY, [1, 2], {"a": 1}, None, "text", 3.0])
def test_what_is_none_is_left_alone(value):
    assert not is_sparse(value)
    assert sparse_of(value) is None


def test_frames_of_sparse_columns_are_sparse_matrices():
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("scipy")
    frame = pandas.DataFrame(ARRAY, columns=["a", "b"])
    assert sparse_of(frame) is None
    np.testing.assert_array_equal(sparse_of(frame.astype(pandas.SparseDtype(float, 0.0))).toarray(), ARRAY)
    words = pandas.get_dummies(pandas.Series(["x", "y", "x"]), sparse=True)
    np.testing.assert_array_equal(sparse_of(words).toarray(), [[1, 0], [0, 1], [1, 0]])
    ones = frame.astype(pandas.SparseDtype(float, 1.0))  # what is left out is 1
    assert sparse_of(ones) is None
    assert sparse_of(frame.astype({"a": pandas.SparseDtype(float, 0.0)})) is None


def test_what_an_object_can_do_is_what_its_class_can():
    assert can([1, 2], "append")
    assert not can([1, 2], "append", "tocsr")
    frame = pytest.importorskip("pandas").DataFrame({"tocsr": [1], "toarray": [2]})
    assert hasattr(frame, "tocsr")
    assert not is_sparse(frame)
