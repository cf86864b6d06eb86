"""What each column of a table is, and why, in a sentence."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from multilayer._language import later, tr
from multilayer._tables.forms import missing, plain
from multilayer._tables.table import Table
from multilayer.functional import Array

_LIKE_IDS = re.compile(
    r"(?:^|[^a-z])(?:id|ids|uuid|guid|idx|index|key|no|nr|row)$|(?:[a-z])(?:Id|ID)$|번호$|아이디$|^unnamed"
)
_FEWEST = 20  # rows; of fewer it tells little that all of their values differ


class Column(NamedTuple):
    """What a column was taken for.

    Args:
        name: Its name.
        kind: "number", "category", "boolean", "date", "identifier", "constant" or "duplicate".
        reason: Why, in a sentence.
        warning: What to look at, in a sentence, or an empty text.
    """

    name: str
    kind: str
    reason: str
    warning: str = ""


def describe_columns(table: Table) -> list[Column]:
    """What each column is, and why.

    Identifiers, constants and copies of other columns tell nothing of a row that has not been seen: whoever trains
    leaves them out, and says so.

    Args:
        table: The table, without what is to be predicted.

    Example:
        >>> table = Table.of({"age": [31, None, 40], "city": ["Seoul", "Busan", "Seoul"], "unit": ["m", "m", "m"]})
        >>> for column in describe_columns(table):
        ...     print(f"{column.name}: {column.kind}, {column.reason}")
        age: number, numbers from 31 to 40; 1 missing
        city: category, text with 2 different values, most often 'Seoul'
        unit: constant, 'm' in every row
    """
    described = []
    alike: dict[int, list[str]] = {}  # the columns whose values hash to a number
    for name, column in table.columns.items():
        before = alike.setdefault(_hash(column), [])
        first = next((other for other in before if _equal(table[other], column)), None)
        if first is None:
            described.append(_described(name, column))
            before.append(name)
        else:
            described.append(
                Column(
                    name,
                    later("duplicate"),
                    tr("the same as `{first}` in every row", first=first),
                    _left_out(name, tr("a copy")),
                )
            )
    return described


def _hash(column: Array) -> int:
    return hash(tuple(column) if column.dtype.kind == "O" else column.tobytes())


def _equal(a: Array, b: Array) -> bool:
    return a.dtype == b.dtype and bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fM"))


def _described(name: str, column: Array) -> Column:
    absent = missing(column)
    present = column[~absent]
    values, counts = np.unique(present, return_counts=True)
    if len(values) == 0 or (len(values) == 1 and not absent.any()):
        reason = tr("{value} in every row", value=_shown(values[0])) if len(values) else tr("no value in any row")
        return Column(name, later("constant"), reason, _left_out(name, tr("constant")))
    if _is_identifier(name, column, absent, values):
        reason = (
            tr("a different value in every row")
            if len(values) == len(column)
            else tr("nearly every row has its own value")
        )
        return Column(name, later("identifier"), reason, _left_out(name, tr("an identifier")))
    few = tr("; {count:,} missing", count=absent.sum()) if absent.any() else ""
    warning = (
        tr("`{name}` is missing in {share:.0%} of the rows.", name=name, share=absent.mean())
        if absent.mean() > 0.5
        else ""
    )
    if column.dtype.kind == "b" or (column.dtype.kind == "f" and values.tolist() in ([0, 1], [0], [1])):
        return Column(
            name,
            later("boolean"),
            tr("two values, {share:.0%} of them true{few}", share=np.mean(present.astype(float)), few=few),
            warning,
        )
    if column.dtype.kind == "f":
        return Column(
            name,
            later("number"),
            tr(
                "numbers from {first} to {last}{few}",
                first=_shown(values[0]),
                last=_shown(values[-1]),
                few=few,
            ),
            warning,
        )
    if column.dtype.kind == "M":
        return Column(
            name,
            later("date"),
            tr(
                "dates from {first} to {last}{few}",
                first=str(values[0])[:10],
                last=str(values[-1])[:10],
                few=few,
            ),
            warning,
        )
    if not warning and len(values) > max(_FEWEST, 0.5 * len(present)):
        warning = tr(
            "`{name}` has {count:,} different values in {rows:,} rows: most are too rare to learn of.",
            name=name,
            count=len(values),
            rows=len(present),
        )
    often = _shown(values[np.argmax(counts)])
    return Column(
        name,
        later("category"),
        tr("text with {count:,} different values, most often {often}{few}", count=len(values), often=often, few=few),
        warning,
    )


def _is_identifier(name: str, column: Array, absent: Array, values: Array) -> bool:
    rows = len(column)
    if rows < _FEWEST or column.dtype.kind in "bM":
        return False
    named = bool(_LIKE_IDS.search(name) or _LIKE_IDS.search(name.lower()))
    if column.dtype.kind == "O":
        return bool(len(values) >= (0.9 if named else 0.95) * (rows - absent.sum()) and absent.mean() < 0.5)
    # Whole numbers that all differ may be what there is to learn from, such as the day: they have to be called so.
    return named and len(values) == rows and bool((values % 1 == 0).all())


def _left_out(name: str, what: str) -> str:
    return tr(
        "`{name}` is left out: it is {what}, and tells nothing of rows that have not been seen.", name=name, what=what
    )


def _shown(value: object) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= 30 else f"{value[:30]}…")
    if isinstance(value, (float, np.floating)) and not float(value).is_integer():
        return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"
    return plain(value)
