"""Matrices that are mostly zeros, as scipy has them, and frames whose columns are such.

They are known by what they can do, so that scipy does not have to be there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from multilayer.functional import Array


def is_sparse(values: Any) -> bool:
    """Whether it is a sparse matrix or array of scipy's, of whatever form.

    Example:
        >>> is_sparse(np.eye(2))
        False
    """
    return can(values, "tocsr", "toarray")


def can(values: Any, *names: str) -> bool:
    """Whether objects of this class have attributes of these names.

    The object itself is not asked: a frame of pandas' has its columns as attributes, and takes long to say no.

    Example:
        >>> can([1, 2], "append"), can([1, 2], "append", "add")
        (True, False)
    """
    return all(hasattr(type(values), name) for name in names)


def sparse_of(values: Any) -> Any:
    """The sparse matrix that it is, or that a frame of pandas' with nothing but sparse columns is; None for others."""
    if is_sparse(values):
        return values
    types = values.dtypes if can(values, "iloc", "dtypes") and values.ndim == 2 else ()
    # What is left out of such a column need not be 0; `get_dummies(sparse=True)` leaves False out.
    zeros = len(types) > 0 and all(getattr(one, "fill_value", None) in (0, False) for one in types)
    return values.sparse.to_coo() if zeros else None


class SparseRows:
    """The rows of a sparse matrix, each made dense when it is wanted.

    Where only a batch at a time is computed with, a matrix of a million columns needs no more memory than a batch.

    Args:
        matrix: The matrix, of scipy's.
    """

    ndim = 2

    def __init__(self, matrix: Any) -> None:
        self._rows = matrix.tocsr()
        self.shape: tuple[int, ...] = tuple(self._rows.shape)
        self.dtype: np.dtype[Any] = self._rows.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Array:
        array: Array = self._rows[rows].toarray()
        return array

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.asarray(self._rows.toarray(), dtype)

    @property
    def entries(self) -> Array:
        """All numbers that are no zeros."""
        array: Array = self._rows.data
        return array

    def place(self, entry: int) -> tuple[int, int]:
        """The row and the column of one of the `entries`."""
        row = int(np.searchsorted(self._rows.indptr, entry, side="right")) - 1
        return row, int(self._rows.indices[entry])

    def astype(self, dtype: DTypeLike, copy: bool = True) -> SparseRows:
        """The same rows in another type."""
        return SparseRows(self._rows.astype(dtype, copy=copy))

    def part(self, rows: slice) -> SparseRows:
        """Some of the rows, still sparse."""
        return SparseRows(self._rows[rows])
