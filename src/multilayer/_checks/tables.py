"""What people have besides NumPy's arrays: frames with columns, and columns by themselves.

A frame is read column by column, whoever made it: only what tells a frame and gives its columns differs, and NumPy
makes an array of any column. So neither pandas nor polars nor pyarrow has to be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Number
from typing import Any

import numpy as np

from multilayer._checks.sparse import can, is_sparse
from multilayer._language import tr
from multilayer.functional import Array

# What gives names and columns, by an attribute that frames of this library have and others have not. By place, not by
# name: a name may be there twice.
_COLUMNS: dict[str, Callable[[Any], Iterable[tuple[Any, Any]]]] = {
    "iloc": lambda frame: frame.items(),  # pandas
    "get_columns": lambda frame: ((column.name, column) for column in frame.get_columns()),  # polars
    "column_names": lambda frame: zip(frame.column_names, frame.columns, strict=True),  # pyarrow
}
# What computes or reads the rows that polars' lazy frames and pyarrow's datasets stand for.
_MAKES_ROWS = ("collect", "to_table")
_MISSING = ("<NA>", "NaT", "nan")  # how what is missing is written, where it is no number


def is_frame(values: Any) -> bool:
    """Whether it is a frame of pandas', polars' or pyarrow's.

    Example:
        >>> is_frame(np.eye(2))
        False
    """
    return _mark_of(values) is not None


def _mark_of(values: Any) -> str | None:
    if isinstance(values, np.ndarray) or not can(values, "__array__"):
        return None
    return next((mark for mark in _COLUMNS if can(values, mark) and len(values.shape) == 2), None)


def is_column(values: Any) -> bool:
    """Whether it is a single column: a series, an index, or an array of another library's that may lack values."""
    given = not isinstance(values, np.ndarray) and can(values, "__array__", "to_numpy")
    return given and len(getattr(values, "shape", (0,))) == 1


def is_table(values: Any) -> bool:
    """Whether it is a frame or a column of one."""
    return is_frame(values) or is_column(values)


def columns_of(frame: Any) -> list[tuple[Any, Any]]:
    """The names and the columns of a frame, in their order."""
    mark = _mark_of(frame)
    return [] if mark is None else list(_COLUMNS[mark](frame))


def rows_of(values: Any, rows: Array | slice) -> Any:
    """Some rows of a frame, a column, a sparse matrix or an array, in the form in which they came."""
    if is_sparse(values):
        return values.tocsr()[rows]
    if can(values, "iloc"):  # by place: what stands in brackets is a label
        return values.iloc[rows]
    if not isinstance(values, np.ndarray) and can(values, "take"):  # in brackets, pyarrow takes no array
        return values.take(np.arange(len(values))[rows])
    return values[rows]


def as_array(values: Any, name: str = "x") -> Any:
    """The numbers of a frame, a column or a sparse matrix as an array; anything else as it is.

    Truth values, whatever lacks a value elsewhere, and numbers as Python objects become numbers, too.

    Args:
        values: What was given.
        name: What the user calls it, for the message.

    Raises:
        ValueError: A column does not hold numbers, or lacks some; the message names it. Or the rows are still to be
            computed.

    Example:
        >>> as_array([1, 2])
        [1, 2]
    """
    if isinstance(values, np.ndarray):
        return values
    if is_sparse(values):
        return values.toarray()
    if is_column(values):
        return _numbers(values, name)
    if not is_frame(values):
        require_rows(values, name)
        return values
    if (
        can(values, "dtypes") and len(set(values.dtypes)) == 1
    ):  # as a rule all is well, and told by one look at all of it
        whole = np.asarray(values)
        if whole.dtype.kind in "iub" or (whole.dtype.kind == "f" and np.isfinite(whole).all()):
            return np.ascontiguousarray(whole)  # row by row, as batches are gathered; frames lie column by column
    arrays = [_numbers(column, f"{name}[{label!r}]", alone=False) for label, column in columns_of(values)]
    # One after the other into place: an array of a frame of several types would be one of Python objects.
    whole = np.empty((len(values), len(arrays)), np.result_type(*arrays) if arrays else float)
    for i, array in enumerate(arrays):
        whole[:, i] = array
    return whole


def require_rows(values: Any, name: str) -> None:
    """Raises ValueError where values are rows that are still to be computed or read."""
    method = next((one for one in _MAKES_ROWS if can(values, one)), None)
    if method is None or can(values, "__array__"):
        return
    raise ValueError(
        tr(
            "`{name}` is of type {kind}, whose rows are still to be computed or read: pass "
            "`{name}.{method}()`, or, where they do not fit into memory, a generator of batches.",
            name=name,
            kind=type(values).__name__,
            method=method,
        )
    )


def _numbers(column: Any, name: str, alone: bool = True) -> Array:
    """A column as an array of finite numbers; one that stands alone may have several in each row."""
    array = np.asarray(column)
    if array.dtype.kind == "O":
        array = _unboxed(array)
    if array.dtype.kind not in "fiub" or not (alone or array.ndim == 1):
        raise ValueError(_no_numbers(column, array, name))
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
        row = int(bad.argmax())
        raise ValueError(
            tr(
                "The column `{name}` holds {value} in row {row}, and {bad} of its {count} values are no finite "
                "numbers. Every value must be one: drop such rows, or fill them in with a value that means "
                "something, such as the median of the column's other values.",
                name=name,
                value=array[row],
                row=row,
                bad=bad.sum(),
                count=len(array),
            )
        )
    return array


def _unboxed(array: Array) -> Array:
    """Truth values or numbers, NaN for what is missing, where Python objects are such; else the objects."""
    if array.size and all(isinstance(one, (bool, np.bool_)) for one in array.flat):
        return array.astype(bool)
    found = [_number(one) for one in array.flat]
    return array if None in found else np.array(found, float).reshape(array.shape)


def _number(one: Any) -> float | None:
    if isinstance(one, (Number, np.bool_)) and not isinstance(one, complex):
        return float(one)  # type: ignore[arg-type] # a `Decimal` is a number that claims to be no real one
    missing = one is None or (not isinstance(one, (str, np.ndarray)) and str(one) in _MISSING)
    return np.nan if missing else None


def _no_numbers(column: Any, array: Array, name: str) -> str:
    """What hinders a column from being one of numbers, and how it becomes one."""
    bad = [row for row, one in enumerate(array) if _number(one) is None] if array.dtype.kind == "O" else []
    row = bad[0] if bad else 0
    example = array[row] if len(array) else None
    dtype = getattr(column, "dtype", None) or getattr(column, "type", array.dtype)
    missing = sum(one is None or str(one) in _MISSING for one in array) if bad else 0
    if bad and len(bad) + missing < len(array):
        return tr(
            "The column `{name}` does not hold numbers alone: {count} of its {all} values are none, "
            "the first of them {example!r} in row {row}. Leave such rows out, or have them filled in: "
            '`pandas.to_numeric(column, errors="coerce")` makes what is no number NaN, a missing value.',
            name=name,
            count=len(bad),
            all=len(array),
            example=str(example)[:50],
            row=row,
        )
    return tr(
        "The column `{name}` does not hold numbers: its type is {dtype}, and it holds {example!r} in row "
        "{row}, for example. Leave the column out, or turn it into numbers: {column}",
        name=name,
        dtype=dtype,
        example=str(example)[:50],
        row=row,
        column=_advice(column, array, example),
    )


def _advice(column: Any, array: Array, example: Any) -> str:
    """How a column becomes numbers, in the words of the library that made it."""
    polars, arrow = hasattr(column, "to_physical"), hasattr(column, "dictionary_encode")
    if array.dtype.kind == "m" or hasattr(example, "total_seconds"):
        seconds = 'column.cast("int64")' if arrow else "column.dt.total_seconds()"
        return f"`{seconds}`."
    if array.dtype.kind == "M" or hasattr(example, "year"):
        year = "column.dt.year()" if polars else "pyarrow.compute.year(column)" if arrow else "column.dt.year"
        return tr("parts of the date, such as `{year}`, or how much time lies between it and some day.", year=year)
    if isinstance(example, (list, np.ndarray)) or array.ndim > 1:
        return tr("one column for each entry of the lists that it holds.")
    if isinstance(example, str) and reads_as_number(example):
        cast = "column.cast(float)" if polars else 'column.cast("float64")' if arrow else "pandas.to_numeric(column)"
        return tr("`{cast}`, where all of it is numbers written as text.", cast=cast)
    dummies, codes = "pandas.get_dummies(frame, dtype=float)", "pandas.factorize(column)[0]"
    if polars:
        dummies, codes = "column.to_dummies()", "column.cast(polars.Categorical).to_physical()"
    elif arrow:
        dummies, codes = "pandas.get_dummies(table.to_pandas(), dtype=float)", "pandas.factorize(column)[0]"
    elif hasattr(column, "cat") or hasattr(column, "codes"):  # their order is that of the categories
        codes = "column.cat.codes" if hasattr(column, "cat") else "column.codes"
    return tr(
        "one column for each value, as `{dummies}` makes them, or, for labels, `{codes}`.", dummies=dummies, codes=codes
    )


def reads_as_number(text: str | bytes) -> bool:
    """Whether it is a number written as text."""
    try:
        float(text)
    except ValueError:
        return False
    return True
