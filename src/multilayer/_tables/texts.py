"""What text is: numbers, truth values, dates, or words.

A column's form is found out over the whole of it. The work is done on a column's text as one string, or on
its different values, so that a hundred thousand rows take a fraction of a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from multilayer._language import later, tr
from multilayer._tables.dates import as_dates
from multilayer._tables.forms import Place, check_finite, places
from multilayer.functional import Array

MARKERS = frozenset({
    "", "NA", "N/A", "n/a", "na", "<NA>", "#N/A", "NaN", "nan", "NAN", "NaT", "null", "NULL", "Null", "None", "none",
    "NONE", "?", "-",
})  # fmt: skip
"""What stands for a value that is missing."""

_TRUE, _FALSE = frozenset({"true", "yes"}), frozenset({"false", "no"})
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")  # 1,234.5
_COMMA = re.compile(r"[+-]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)?,\d+(?:[eE][+-]?\d+)?")  # 1234,5 and 1.234,5
_DOTTED = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3}){2,}")  # 1.234.567
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")  # 1.234, where a comma is known to stand for decimals
_CODE = re.compile(r"^[+-]?0\d+$", re.MULTILINE)  # 007 is a code, and loses its zeros as a number
_LONG = re.compile(r"^[+-]?\d{16,}$", re.MULTILINE)  # whole numbers of which float64 cannot tell all apart
_FEW_CODES = 20


class Typed(NamedTuple):
    """A column made of text.

    Args:
        column: In one of the four forms.
        note: What had to be found out about it, in a sentence, or an empty text.
        words: How false and true were written, where it is made of such words.
        written: How numbers or dates were written, where there is more than one way: "decimal comma" or "decimal
            point", "day first" or "month first"; with a question mark where it was guessed.
    """

    column: Array
    note: str = ""
    words: tuple[str, str] | None = None
    written: str = ""


def missing_as_none(column: Array, markers: Iterable[str] = MARKERS) -> Array:
    """A column of texts with None in place of those that stand for a missing value."""
    for marker in markers:
        column[column == marker] = None
    return column


def typed(
    texts: Sequence[str],
    name: str,
    place: Place,
    *,
    form: str | None = None,
    decimal_comma: bool = False,
) -> Typed:
    """Texts as a column of the form that they have, or of one that is wanted.

    Args:
        texts: A text for each row, a marker such as "" or "NA" for what is missing.
        name: The column's name, for messages.
        place: What a row is called in messages, from its index.
        form: "number", "boolean", "date" or "text", where it is known; otherwise it is found out. After a colon may
            follow how it is written, such as "date: day first" or "number: decimal comma".
        decimal_comma: Whether 1,234 more likely has a decimal comma than thousands.

    Raises:
        ValueError: It is numbers but for few texts, or not of the form that is wanted; the message names rows.
    """
    form, _, written = (form or "").partition(": ")
    if not form and _are_long("\n".join(texts)):
        return Typed(
            _words(texts),
            tr(
                "`{name}` holds whole numbers of so many digits that float64 cannot tell them apart: they are "
                "kept as text. Name its type, types={{{name!r}: 'number'}}, if their size is what matters.",
                name=name,
            ),
        )
    if form == "text":
        return Typed(_words(texts))
    if form in ("boolean", "date") and not {one.strip() for one in set(texts)} - MARKERS:
        return Typed(np.full(len(texts), "NaT", "datetime64[s]") if form == "date" else np.full(len(texts), np.nan))
    found = _found(texts, name, place, form or None, decimal_comma, written)
    if found is not None:
        return found
    texts = list(map(str.strip, texts))
    if form:
        raise _other_form(texts, name, place, form, decimal_comma, written)
    _refuse_few_texts(texts, name, place, decimal_comma)
    return Typed(_words(texts))


def _found(
    texts: Sequence[str], name: str, place: Place, form: str | None, decimal_comma: bool, written: str
) -> Typed | None:
    if form in (None, "number"):
        numbers = _as_numbers(texts, decimal_comma, form is None, written)
        if numbers is not None:
            check_finite(numbers.column, name, place)
            several = len(np.unique(numbers.column)) > 1  # a single one may be any number
            dates = _compact_dates(texts, numbers.column) if form is None and several else None
            if dates is not None:
                return Typed(dates, tr("`{name}` holds dates of eight digits, such as 20240131.", name=name))
            return numbers._replace(note=numbers.note and f"`{name}`: {numbers.note}.")
    if form in (None, "boolean"):
        booleans = _as_booleans(texts)
        if booleans is not None:
            return booleans
    if form in (None, "date"):
        found = as_dates(texts, MARKERS, written)
        if found is not None:
            return Typed(found.column, found.note and f"`{name}`: {found.note}", written=found.written)
    if form == "date":  # as where it was found out: a file that was trained on is read in the same way again
        numbers = _as_numbers(texts, decimal_comma, False, "")
        dates = None if numbers is None else _compact_dates(texts, numbers.column)
        return None if dates is None else Typed(dates)
    return None


def _are_long(joined: str) -> bool:
    """Whether all values are whole numbers, and some too large to be told apart as float64."""
    found = _LONG.findall(joined)
    if not any(int(float(one)) != int(one) for one in set(found) if len(one) < 400):
        return False
    return all(one.isdecimal() for one in {text.strip().lstrip("+-") for text in joined.split("\n")} - MARKERS)


def _words(texts: Sequence[str]) -> Array:
    column = np.empty(len(texts), object)
    # Equal words become one object: a column of a million rows and three words then holds three of them.
    words = {one: None if (text := one.strip()) in MARKERS else text for one in set(texts)}
    column[:] = [words[one] for one in texts]
    return column


def _as_numbers(texts: Sequence[str], decimal_comma: bool, keep_codes: bool, written: str) -> Typed | None:
    joined = "\n".join(texts)
    if keep_codes and "0" in joined and _CODE.search(joined):
        return None
    # float() takes 1_000 and digits of all scripts; files mean something else by them.
    if "_" not in joined and joined.isascii() and not (written == "decimal comma" and "." in joined):
        try:
            # The empty text is by far the most frequent of those that say that a value is missing.
            return Typed(np.fromiter((float(one) if one else np.nan for one in texts), np.float64, len(texts)))
        except ValueError:
            pass
    values: dict[str, float] = {}
    distinct = set(texts)
    style = _style(distinct, decimal_comma, written)
    if style is None:
        return None
    decimal, thousands = style
    for one in distinct:
        text = one.strip()
        if text in MARKERS:
            values[one] = np.nan
        else:
            values[one] = float(text.replace(thousands, "").replace(decimal, "."))
    told = style == (",", ".") or "," in joined
    note = tr("numbers are written as {style}", style=_example(style)) if told else ""
    sign = "decimal comma" if style == (",", ".") else "decimal point"
    # 1,234 can be read in both ways; 1,5 and 1,234.5 cannot.
    with_comma = [one.strip() for one in distinct if "," in one]
    guess = "?" if all(_GROUPED.fullmatch(one) and "." not in one for one in with_comma) else ""
    column = np.fromiter(map(values.__getitem__, texts), np.float64, len(texts))
    return Typed(column, note, written=f"{sign}{guess}" if told else "")


def _example(style: tuple[str, str]) -> str:
    return "1,234.5" if style == (".", ",") else "1.234,5"


def _style(distinct: set[str], decimal_comma: bool, written: str) -> tuple[str, str] | None:
    """The signs for decimals and for thousands that all numbers of a column can be read with, or None."""
    values = {one.strip() for one in distinct} - MARKERS
    if written == "decimal comma":
        fits = all(_COMMA.fullmatch(one) or _THOUSANDS.fullmatch(one) or one.lstrip("+-").isdigit() for one in values)
        return (",", ".") if fits else None
    rest = [one for one in values if not (_PLAIN.fullmatch(one) or _INFINITE.fullmatch(one))]
    if not rest:
        return ".", ","
    # With a decimal comma no other number may have a point, but between thousands.
    comma = all(_COMMA.fullmatch(one) or _DOTTED.fullmatch(one) for one in rest) and not any(
        "." in one and "," not in one and not _DOTTED.fullmatch(one) for one in values
    )
    grouped = all(map(_GROUPED.fullmatch, rest))
    if written == "decimal point":
        return (".", ",") if grouped else None
    if comma and (decimal_comma or not grouped):
        return ",", "."
    return (".", ",") if grouped else None


def _as_booleans(texts: Sequence[str]) -> Typed | None:
    distinct = set(texts)
    if len(distinct) > 2 * (len(_TRUE) + len(_FALSE)) + len(MARKERS):
        return None
    meanings: dict[str, Any] = {}
    words: dict[bool, str] = {}
    for one in sorted(distinct):
        text = one.strip()
        lower = text.lower()
        if text in MARKERS:
            meanings[one] = np.nan
        elif lower in _TRUE or lower in _FALSE:
            meanings[one] = lower in _TRUE
            words[lower in _TRUE] = text
        else:
            return None
    if not words:
        return None
    column = np.fromiter(map(meanings.__getitem__, texts), np.float64, len(texts))
    written = (words.get(False, "false"), words.get(True, "true"))
    return Typed(column if np.isnan(column).any() else column.astype(bool), words=written)


def _compact_dates(texts: Sequence[str], column: Array) -> Array | None:
    """Dates such as 20240131, where numbers can be nothing else: all of them are."""
    values = column[~np.isnan(column)]
    if not len(values) or values.min() < 1900_01_01 or values.max() > 2100_12_31 or (values % 1 != 0).any():
        return None
    split = [f"{one[:4]}-{one[4:6]}-{one[6:]}" if len(one := text.strip()) == 8 else one for text in texts]
    found = as_dates(split, MARKERS)
    return None if found is None else found.column


def _is_number(text: str, decimal_comma: bool) -> bool:
    return bool(
        _PLAIN.fullmatch(text)
        or _INFINITE.fullmatch(text)
        or (_COMMA.fullmatch(text) if decimal_comma else _GROUPED.fullmatch(text))
    )


def _refuse_few_texts(texts: Sequence[str], name: str, place: Place, decimal_comma: bool) -> None:
    distinct = set(texts) - MARKERS
    numbers = {one for one in distinct if _is_number(one, decimal_comma)}
    # A few different numbers beside a text, such as 0, 1, 2 and 3+, are names of groups.
    if len(numbers) <= _FEW_CODES or len(numbers) < 0.5 * len(distinct) or any(map(_CODE.fullmatch, numbers)):
        return
    others = [i for i, text in enumerate(texts) if text not in MARKERS and text not in numbers]
    if len(others) > 0.1 * sum(text not in MARKERS for text in texts):
        return
    raise _few_texts(name, texts, others, place, "numbers")


def _few_texts(name: str, texts: Sequence[str], others: list[int], place: Place, what: str) -> ValueError:
    examples = ", ".join(repr(one[:30]) for one in dict.fromkeys(texts[i] for i in others[:50]))
    return ValueError(
        tr(
            "The column `{name}` holds {what}, but for {count} of {all} values ({examples}), in {where}. "
            "Expected one kind of value in a column. Correct them, or leave the cells empty where the value is "
            "not known; or name its type, such as types={{{name!r}: 'text'}}, if it means names.",
            name=name,
            what=what,
            count=len(others),
            all=len(texts),
            examples=_shortened(examples),
            where=places(others, place),
        )
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:120]}…"


def _other_form(
    texts: Sequence[str], name: str, place: Place, form: str, decimal_comma: bool, written: str
) -> ValueError:
    if form == "number":
        others = [i for i, one in enumerate(texts) if one not in MARKERS and not _is_number(one, decimal_comma)]
    elif form == "boolean":
        others = [i for i, one in enumerate(texts) if one not in MARKERS and one.lower() not in _TRUE | _FALSE]
    else:
        others = [i for i, one in enumerate(texts) if one not in MARKERS and as_dates([one], MARKERS, written) is None]
    what = tr({"number": later("numbers"), "boolean": later("truth values"), "date": later("dates")}[form])
    return _few_texts(name, texts, others or [0], place, what)
