"""How a text file of a table is written: its encoding, and what stands between two values."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Sequence

SEPARATORS = (",", ";", "\t", "|")
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright strokes"}
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip

_FEWEST_HANJA = 6  # different ones, for a text of Hanja to be one


def find_encoding(data: bytes, whole: bool = True) -> str:
    """The encoding of a text: by its mark, as UTF-8 where that fits, else Korean or western.

    Args:
        data: The text, or its beginning.
        whole: Whether it is all of it; otherwise it may end within a character.

    Example:
        >>> find_encoding("이름,나이".encode("cp949")), find_encoding("naïve".encode("latin-1"))
        ('cp949', 'cp1252')
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
    # Latin letters in UTF-16 without a mark: every other byte is 0.
    zeros = data[:2000].count(0)
    if zeros > len(data[:2000]) / 4:
        return "utf-16-le" if data[1:2000:2].count(0) > zeros / 2 else "utf-16-be"
    if _decoded(data, "utf-8", whole) is not None:
        return "utf-8"
    if _is_korean(data, whole):
        return "cp949"
    return "cp1252" if _decoded(data, "cp1252", whole) is not None else "latin-1"


def _decoded(data: bytes, encoding: str, whole: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data, whole)
    except UnicodeDecodeError:
        return None


def _is_korean(data: bytes, whole: bool) -> bool:
    """Whether what is not ASCII is mostly Hangul, read as Korean, and of the syllables that Korean uses.

    In those, both bytes are none of ASCII's. Western text has such letters alone between others: it now and then makes
    one of cp949's other syllables, by accident, and nearly always something that is none.
    """
    text = _decoded(data, "cp949", whole)
    if text is None:
        return False
    other = [one for one in text if ord(one) > 127]
    hangul = ["가" <= one <= "힣" for one in other]
    hanja = [one for one in other if "\u4e00" <= one <= "\u9fff"]
    usual = [len(one.encode("euc_kr", "ignore")) == 2 for one in other]
    # Two western letters beside each other, such as üß, are one Hanja: there are few such pairs.
    korean = sum(hangul) + (len(hanja) if len(set(hanja)) >= _FEWEST_HANJA else 0)
    return korean >= 0.6 * len(other) and sum(usual) >= 0.9 * len(other)


def find_separator(lines: Sequence[str]) -> str:
    """What stands between two values: the sign by which most lines have as many as the first.

    Args:
        lines: The first lines of a file.

    Example:
        >>> find_separator(["a;b", "1,5;2,5"])
        ';'
    """
    scores = {}
    for sign in SEPARATORS:
        try:
            counts = [len(row) for row in csv.reader(lines, delimiter=sign) if row]
        except csv.Error:
            continue
        if counts and counts[0] > 1:
            scores[sign] = (sum(one == counts[0] for one in counts) / len(counts), counts[0])
    return max(scores, key=lambda sign: scores[sign]) if scores else ","
