"""Dates as people write them, found out over a whole column."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from multilayer._language import tr
from multilayer.functional import Array

_ISO_COLUMN = re.compile(r"(?:\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?\n)+")
_TIME = (
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)? ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?)?"
)
_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})(?:(?P<sign>[-/.]) ?(?P<month>\d{1,2})(?P=sign) ?(?P<day>\d{1,2})\.?"
    r"|년 ?(?P<month2>\d{1,2})월 ?(?P<day2>\d{1,2})일)" + _TIME
)
_YEAR_LAST = re.compile(r"(?P<first>\d{1,2})(?P<sign>[-/.])(?P<second_>\d{1,2})(?P=sign)(?P<year>\d{4})" + _TIME)
_NAMED = re.compile(
    r"(?:(?P<day>\d{1,2})[ -](?P<name>[A-Za-z]{3,9})\.?[ -]"
    r"|(?P<name2>[A-Za-z]{3,9})\.? (?P<day2>\d{1,2}),? )(?P<year>\d{4})" + _TIME
)
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


class Dates(NamedTuple):
    """Dates made of texts.

    Attributes:
        column: datetime64[s].
        note: What had to be guessed, in a sentence, or an empty text.
        written: "day first" or "month first", with a question mark where it was guessed; empty where nobody has to ask.
    """

    column: Array
    note: str = ""
    written: str = ""


def as_dates(texts: Sequence[str], markers: Container[str], written: str = "") -> Dates | None:
    """The dates that texts are, or None where they are something else.

    Args:
        texts: A text for each row.
        markers: What stands for a date that is missing.
        written: "day first" or "month first", where that is known, as of a file that was read before.
    """
    distinct = {one: one.strip() for one in set(texts)}
    values = [one for one in distinct.values() if one not in markers]
    # Most columns are no dates, which one value tells.
    if not values or _match(values[0]) is None:
        return None
    if _ISO_COLUMN.fullmatch("\n".join([*values, ""])):
        dates = _iso(texts, distinct, markers)
        return None if dates is None else Dates(dates)
    matches = {one: _match(one) for one in values}
    if None in matches.values():
        return None
    year_last = [match for match in matches.values() if match is not None and match.re is _YEAR_LAST]
    day_first, note = (written == "day first", "") if written else _order(year_last)
    try:
        moments = {one: _date(match, day_first) for one, match in matches.items() if match is not None}
    except (ValueError, OverflowError):  # such as February 30
        return None
    nat = np.datetime64("NaT", "s")
    column = np.array([moments.get(distinct[one], nat) for one in texts], "datetime64[s]")
    order = f"{'day' if day_first else 'month'} first{'?' if note else ''}" if year_last else ""
    return Dates(column, note, order)


def iso_dates(column: Array) -> Array | None:
    """The dates that the texts of a column are, all of them in ISO's form; None where one is something else.

    Frames often hold them as text, as pandas does of a file unless it is told which columns are dates.
    """
    present = [one for one in column.tolist() if one is not None]
    if not present or len(present[0]) < len("2024-01-31") or not _ISO_COLUMN.fullmatch("\n".join([*present, ""])):
        return None
    return _iso(["" if one is None else one for one in column.tolist()], {one: one for one in ["", *present]}, ("",))


def _match(text: str) -> re.Match[str] | None:
    return _YEAR_FIRST.fullmatch(text) or _YEAR_LAST.fullmatch(text) or _NAMED.fullmatch(text)


def _iso(texts: Sequence[str], distinct: dict[str, str], markers: Container[str]) -> Array | None:
    written = {one: "NaT" if text in markers else text for one, text in distinct.items()}
    try:
        # Microseconds first: NumPy refuses to read fractions as whole seconds.
        return np.array([written[one] for one in texts], "datetime64[us]").astype("datetime64[s]")
    except ValueError:
        return None


def _order(matches: list[re.Match[str]]) -> tuple[bool, str]:
    """Whether the day stands before the month, in dates such as 31/01/2024."""
    if any(int(match["first"]) > 12 for match in matches):
        return True, ""
    if not matches or any(int(match["second_"]) > 12 for match in matches):
        return False, ""
    # Nothing tells which is which: points and dashes are signs of those who write the day first.
    day_first = matches[0]["sign"] != "/"
    order = "day.month.year" if day_first else "month/day/year"
    return day_first, tr(
        "dates such as {matches} were read as {order}; write them as 2024-01-31 to be sure.",
        matches=matches[0][0][:10],
        order=order,
    )


def _date(match: re.Match[str], day_first: bool) -> np.datetime64:
    if match.re is _YEAR_FIRST:
        month, day = int(match["month"] or match["month2"]), int(match["day"] or match["day2"])
    elif match.re is _YEAR_LAST:
        first, second = int(match["first"]), int(match["second_"])
        month, day = (second, first) if day_first else (first, second)
    else:
        month, day = _month(match["name"] or match["name2"]), int(match["day"] or match["day2"])
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(tr("an hour of half a day"))
        hour = hour % 12 + 12 * (match["half"].lower() == "p")
    moment = datetime(int(match["year"]), month, day, hour, minute, second) - _offset(match["zone"])
    return np.datetime64(moment, "s")


def _month(name: str) -> int:
    for number, month in enumerate(_MONTHS, start=1):
        if month == name.lower() or month[:3] == name.lower():
            return number
    raise ValueError(tr("no month"))


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in ("Z", "UTC"):
        return timedelta(0)
    sign = -1 if zone[0] == "-" else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
