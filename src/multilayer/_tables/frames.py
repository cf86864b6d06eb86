"""The columns of whatever holds some: frames of three makers, dicts, rows, matrices.

Frames are known by what they can do, so that none of their makers has to be there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from multilayer._checks.sparse import is_sparse
from multilayer._language import tr
from multilayer._tables.forms import plain
from multilayer.functional import Array


def columns_of(x: Any) -> tuple[dict[str, Any], bool]:
    """Columns by name, and whether the names are the user's own.

    Raises:
        ValueError: It holds no columns, or several of one name.
    """
    if isinstance(x, Mapping) and not is_sparse(x):  # one of scipy's forms is a dict
        return _named(x.keys(), x.values()), True
    if hasattr(x, "iloc") and hasattr(x, "to_numpy"):
        if x.ndim == 1:
            return _named([x.name], [_of_pandas(x)]), True
        return _named(x.columns, _columns_of_pandas(x)), True
    if hasattr(x, "column_names") and hasattr(x, "itercolumns"):
        return _named(x.column_names, map(_of_arrow, x.itercolumns())), True
    if hasattr(x, "get_columns") or hasattr(x, "collect_schema"):
        frame = x.collect() if hasattr(x, "collect") else x  # polars' lazy frames
        return _named(frame.columns, map(_of_polars, frame.get_columns())), True
    if isinstance(x, np.ndarray) and x.dtype.names:
        return _named(x.dtype.names, (x[name] for name in x.dtype.names)), True
    if isinstance(x, Sequence) and len(x) and all(isinstance(one, Mapping) for one in x):
        return _of_rows(x), True
    return _of_matrix(x), False


def _named(names: Iterable[Any], columns: Iterable[Any]) -> dict[str, Any]:
    named = [str(name) for name in names]
    repeated = [name for name, count in Counter(named).items() if count > 1]
    if repeated:
        raise ValueError(
            tr(
                "Several columns are called `{repeated}`. Expected a name of its own for each column: rename them.",
                repeated=repeated[0],
            )
        )
    return dict(zip(named, columns, strict=True))


def _columns_of_pandas(frame: Any) -> Iterable[Any]:
    dtypes = set(frame.dtypes)
    if len(dtypes) == 1 and isinstance(dtype := dtypes.pop(), np.dtype) and dtype.kind in "biuf":
        return list(frame.to_numpy().T)  # a matrix, which is cut into columns in a tenth of the time
    return (_of_pandas(column) for _, column in frame.items())


def _of_pandas(column: Any) -> Any:
    dtype = column.dtype
    if hasattr(dtype, "categories"):
        values, codes = list(dtype.categories), np.asarray(column.cat.codes)
        return _of_categories(values, codes)
    if isinstance(dtype, np.dtype):
        return column.to_numpy()
    kind = getattr(dtype, "kind", "O")
    if kind in "iu" and str(dtype)[0].islower():  # NumPy's own, of which none is missing
        return column.to_numpy()
    if kind in "iu" and column.abs().max() > 2**53:  # which float64 would not tell apart
        values = column.to_numpy(dtype=object, na_value=None)
        return np.array([None if one is None else int(one) for one in values], object)
    if kind in "iuf":
        return column.to_numpy(dtype="float64", na_value=np.nan)
    if kind == "M":
        return column.to_numpy(dtype="datetime64[ns]")
    array = column.to_numpy(dtype=object, na_value=None)
    # Periods and spans between numbers have no form of their own: they are names of groups.
    return np.array([str(one) if hasattr(one, "closed") or hasattr(one, "freqstr") else one for one in array], object)


def _of_categories(values: Sequence[Any], codes: Array) -> Array:
    """Names for codes. Whoever makes categories of numbers says that they are names."""
    names = np.empty(len(values) + 1, object)
    names[:-1] = [plain(one) for one in values]
    return names[codes]  # the code -1 is a missing value, and the last name is None


def _of_polars(column: Any) -> Any:
    if str(column.dtype).startswith(("List", "Array", "Struct", "Object")):
        raise ValueError(
            tr(
                "The column `{name}` holds {dtype}. Expected one number, truth value, text or date for each row.",
                name=column.name,
                dtype=column.dtype,
            )
        )
    if str(column.dtype).startswith("Decimal"):
        column = column.cast(float)
    array = column.to_numpy()
    return array if array.dtype.kind != "O" else np.array(column.to_list(), object)


def _of_arrow(column: Any) -> Any:
    kind = str(column.type)
    if kind.startswith("dictionary"):
        column = column.cast(column.type.value_type)
        kind = "categories" if not str(column.type).endswith("string") else "string"
    array = np.asarray(column)
    if kind == "categories":
        return np.array([None if one is None or one != one else plain(one) for one in array], object)
    if kind == "null":
        return np.full(len(array), np.nan)
    return array


def _of_rows(rows: Sequence[Mapping[Any, Any]]) -> dict[str, Any]:
    names = dict.fromkeys(name for one in rows for name in one)
    return _named(names, ([one.get(name) for one in rows] for name in names))


def _of_matrix(x: Any) -> dict[str, Any]:
    if is_sparse(x):
        x = x.toarray()
    try:
        array = x if isinstance(x, np.ndarray) else np.asarray(x)
    except ValueError as error:  # rows of several lengths
        raise ValueError(
            tr("No table can be made of this {kind}: {error}", kind=type(x).__name__, error=error)
        ) from error
    if array.dtype.kind == "U" and not isinstance(x, np.ndarray):
        array = np.asarray(x, object)  # NumPy makes text of the numbers beside text
    if array.ndim != 2:
        raise ValueError(
            tr(
                "A table is expected, got a {kind} of the shape {shape}. Give a frame (pandas, polars, "
                "pyarrow), a dict of columns, a list of dicts, or an array of the shape (rows, columns).",
                kind=type(x).__name__,
                shape=array.shape,
            )
        )
    return {f"x{i}": array[:, i] for i in range(array.shape[1])}
