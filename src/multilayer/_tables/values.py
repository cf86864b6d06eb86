"""How values of whatever type become a column of one of the four forms."""

from __future__ import annotations

import datetime
import numbers
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from multilayer._language import tr
from multilayer._tables.dates import iso_dates
from multilayer._tables.forms import check_finite, plain, row
from multilayer._tables.texts import missing_as_none, typed
from multilayer.functional import Array


def as_column(values: Any, name: str) -> Array:
    """Values of whatever type as a column of one of the four forms.

    Args:
        values: A 1-D array, or what NumPy makes one of.
        name: The column's name, for messages.

    Raises:
        ValueError: They are no such thing; the message names the column, and rows where it can.

    Example:
        >>> as_column([1, True, None], "a").tolist()
        [1.0, 1.0, nan]
        >>> as_column(["x", None], "b").tolist()
        ['x', None]
    """
    array = _one_dimensional(values, name)
    kind = array.dtype.kind
    if kind in "iu" and len(array) and max(abs(int(array.min())), abs(int(array.max()))) > _LARGEST:
        return _objects([str(one) for one in array.tolist()])
    if kind in "fiu":
        return check_finite(array.astype(np.float64), name)
    if kind == "b":
        return array
    if kind == "M":
        return array.astype("datetime64[s]")
    if kind == "m":
        # A span of time is a number; in seconds, whatever unit it came in.
        return array / np.timedelta64(1, "s")
    if kind == "U":
        return _texts_or_dates(array.astype(object))
    if kind == "S":
        return _from_objects(array.astype(object), name)
    if kind == "O":
        return _from_objects(array, name)
    raise ValueError(
        tr(
            "The column `{name}` holds {dtype}. Expected numbers, truth values, text or dates.",
            name=name,
            dtype=array.dtype,
        )
    )


# Whole numbers beyond it are names, such as identifiers of accounts: as float64 several would become one.
_LARGEST = 2**53


def _one_dimensional(values: Any, name: str) -> Array:
    if not isinstance(values, np.ndarray):
        values = list(values)
        if any(isinstance(one, (list, tuple, dict, set)) for one in values):
            raise ValueError(
                tr(
                    "The column `{name}` holds lists or dicts. Expected one number, truth value, text or date "
                    "for each row.",
                    name=name,
                )
            )
        # Only all of one kind may become an array directly: NumPy would make text of numbers beside text.
        kinds = {type(one) for one in values}
        values = np.array(values) if len(kinds) == 1 and kinds <= {int, float, bool} else _objects(values)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(
            tr(
                "The column `{name}` has the shape {shape}. Expected one value for each row.",
                name=name,
                shape=values.shape,
            )
        )
    array: Array = values
    return array


def _objects(values: Sequence[Any]) -> Array:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _is_missing(value: Any) -> bool:
    # pandas' NA refuses to be compared, and is known by its type; NaN and NaT differ from themselves.
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def _from_objects(array: Array, name: str) -> Array:
    kinds = set(map(type, array))
    absent = np.fromiter(map(_is_missing, array), bool, len(array)) if kinds - {str} else np.zeros(len(array), bool)
    present = array[~absent]
    kinds = set(map(type, present))
    result = np.empty(len(array), object)
    if all(issubclass(kind, (str, bytes)) for kind in kinds):
        result[~absent] = [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in present]
        return _texts_or_dates(result) if kinds else np.full(len(array), np.nan)
    if all(issubclass(kind, (bool, np.bool_)) for kind in kinds) and not absent.any():
        return array.astype(bool)
    if all(issubclass(kind, (numbers.Number, Decimal, np.number, np.bool_)) for kind in kinds):
        floats = np.full(len(array), np.nan)
        if kinds <= {int} and max((abs(one) for one in present), default=0) > _LARGEST:
            result[~absent] = [str(one) for one in present]
            return result
        try:
            floats[~absent] = present.astype(np.float64)
        except (TypeError, OverflowError) as error:
            raise ValueError(
                tr("The column `{name}` holds numbers that are no real ones ({error}).", name=name, error=error)
            ) from error
        return check_finite(floats, name)
    if all(issubclass(kind, (datetime.date, np.datetime64)) for kind in kinds):
        dates = np.full(len(array), "NaT", "datetime64[s]")
        dates[~absent] = [_date(one) for one in present]
        return dates
    if all(issubclass(kind, (str, numbers.Number, Decimal, np.number, np.bool_)) for kind in kinds):
        result[~absent] = [plain(one) for one in present]
        return typed(["" if one is None else one for one in result], name, row).column
    strange = sorted({kind.__name__ for kind in kinds})
    raise ValueError(
        tr(
            "The column `{name}` holds values of the types {strange}. Expected numbers, truth values, text or "
            "dates, one kind in a column.",
            name=name,
            strange=", ".join(strange),
        )
    )


def _texts_or_dates(column: Array) -> Array:
    texts = missing_as_none(column, markers=("",))
    dates = iso_dates(texts)
    return texts if dates is None else dates


def _date(value: Any) -> np.datetime64:
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    date: np.datetime64 = np.datetime64(value, "s")
    return date
