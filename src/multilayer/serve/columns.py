"""The columns of a table's network as plain data, from which a page makes a form."""

from __future__ import annotations

import datetime
import re
from typing import Any

from multilayer._tables.forms import plain
from multilayer.tabular.preprocessing import CategoryEncoding, DateEncoding, Encoding, NumberEncoding

_WIDE = 2.0  # quartile distances on both sides of the median: where nothing else is known, most values lie there
_SHORTEST = 1.0  # of a range that is not known either
# What training rows had at the ends is noted in the sentence that says why a column is what it is, and nowhere else.
_NUMBERS = re.compile(r"numbers from (\S+) to ([^\s;]+)")
_DATES = re.compile(r"dates from (\d{4}-\d\d-\d\d) to (\d{4}-\d\d-\d\d)")


def describe_table(estimator: Any, target: str) -> dict[str, Any]:
    """What a row is made of, and what is said of it.

    Args:
        estimator: A trained `TabularClassifier` or `TabularRegressor`.
        target: What its target is called.

    Returns:
        `target`; `classes`, or None where it is a number; and `columns`, of each its `name`, its `kind` ('number',
        'date', 'category' or 'boolean'), a `typical` value, whether it may be `missing`, and its range, from `low` to
        `high`, or all of its `values`, the most frequent first.
    """
    preprocessing = estimator.preprocessing_
    reasons = {column.name: column.reason for column in estimator.columns_}
    classes = getattr(estimator, "classes_", None)
    return {
        "target": target,
        "classes": None if classes is None else [plain(one) for one in classes.tolist()],
        "columns": [
            {
                "name": one.name,
                "missing": bool(one.missing),
                **_described(one, reasons.get(one.name, ""), preprocessing.forms[one.name]),
            }
            for one in preprocessing.encodings
        ],
    }


def _described(encoding: Encoding, reason: str, form: str) -> dict[str, Any]:
    if isinstance(encoding, CategoryEncoding):
        return _category(encoding, form)
    return _date(encoding, reason) if isinstance(encoding, DateEncoding) else _number(encoding, reason)


def _category(encoding: CategoryEncoding, form: str) -> dict[str, Any]:
    values: list[Any] = [*encoding.categories, *encoding.rare]
    if encoding.boolean:  # a truth value, or a number that is 0 or 1
        values = [one == "true" if form == "boolean" else int(one == "true") for one in values]
    return {
        "kind": "boolean" if encoding.boolean else "category",
        "values": values,
        "typical": values[0] if values else None,
    }


def _number(encoding: NumberEncoding, reason: str) -> dict[str, Any]:
    center = encoding.center
    found = _NUMBERS.match(reason)
    low, high = (float(one.replace(",", "")) for one in found.groups()) if found else _around(encoding)
    # Whole numbers at both ends and in the middle are those of a count: half a person is no value to offer.
    whole = found is not None and all(one.is_integer() for one in (low, high, center)) and high - low > 1
    return {"kind": "number", "low": low, "high": high, "typical": center, "whole": whole}


def _date(encoding: DateEncoding, reason: str) -> dict[str, Any]:
    found = _DATES.match(reason)
    low, high = found.groups() if found else map(_as_date, _around(encoding))
    return {"kind": "date", "low": low, "high": high, "typical": _as_date(encoding.center)}


def _around(encoding: NumberEncoding | DateEncoding) -> tuple[float, float]:
    """Where most values of a column lie."""
    reach = _WIDE / encoding.factor if encoding.factor else _SHORTEST
    return encoding.center - reach, encoding.center + reach


def _as_date(days: float) -> str:
    """Days since 1970 as 'YYYY-MM-DD', within the years that have such a name."""
    first, last = datetime.date.min.toordinal(), datetime.date.max.toordinal()
    ordinal = datetime.date(1970, 1, 1).toordinal() + round(days)
    return datetime.date.fromordinal(min(max(ordinal, first), last)).isoformat()
