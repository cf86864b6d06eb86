"""What people have besides NumPy's arrays: frames with columns, and matrices that are mostly zeros.

Both are known by what they can do, so that neither pandas nor scipy has to be there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from multilayer.functional import Array


def is_sparse(values: Any) -> bool:
    """Whether it is a sparse matrix of scipy's, of whatever form.

    Example:
        >>> is_sparse(np.eye(2))
        False
    """
    return hasattr(values, "tocsr") and hasattr(values, "toarray")


def dense(values: Any) -> Any:
    """The array that a sparse matrix stands for; anything else as it is."""
    return values.toarray() if is_sparse(values) else values


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

    def astype(self, dtype: DTypeLike, copy: bool = True) -> SparseRows:
        """The same rows in another type."""
        return SparseRows(self._rows.astype(dtype, copy=copy))

    def part(self, rows: slice) -> SparseRows:
        """Some of the rows, still sparse."""
        return SparseRows(self._rows[rows])


def is_frame(values: Any) -> bool:
    """Whether it is a frame or a series of pandas'."""
    return hasattr(values, "iloc") and hasattr(values, "to_numpy") and getattr(values, "ndim", 0) in (1, 2)


def frame_as_array(frame: Any, name: str) -> Array:
    """A frame's numbers; columns of truth values, and of types that may lack a value, become numbers, too.

    Args:
        frame: A frame or a series.
        name: What the user calls it, for the message.

    Raises:
        ValueError: A column does not hold numbers, or lacks some; the message names it.
    """
    if frame.ndim == 1:
        return _column(frame, name)
    array = np.asarray(frame)
    if array.dtype.kind in "iub":
        return array
    columns = [_column(frame.iloc[:, i], f"{name}[{label!r}]") for i, label in enumerate(frame.columns)]
    return array if array.dtype.kind == "f" else np.stack(columns, axis=1)


def _column(column: Any, name: str) -> Array:
    array = np.asarray(column)
    kind = getattr(column.dtype, "kind", "O")
    if array.dtype.kind == "O" and (kind in "iufb" or all(isinstance(one, (bool, np.bool_)) for one in array)):
        array = column.to_numpy(dtype="float64", na_value=np.nan) if kind in "iufb" else array.astype(bool)
    if array.dtype.kind not in "fiub":
        example = next((one for one in array if one is not None), None)
        raise ValueError(
            f"The column `{name}` does not hold numbers: its type is {column.dtype}, and it holds {str(example)[:50]!r}"
            ", for example. Leave the column out, or turn it into numbers: one column for each value, as "
            "`pandas.get_dummies(frame, dtype=float)` makes them, or, for labels, `pandas.factorize(column)[0]`."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        where = int(np.argmin(np.isfinite(array)))
        count = int((~np.isfinite(array)).sum())
        raise ValueError(
            f"The column `{name}` holds {array[where]} in row {where}, and {count} of its {len(array)} values are no "
            "finite numbers. Every value must be one: drop such rows, or fill them in with a value that means "
            "something, such as the median of the column's other values."
        )
    return array
