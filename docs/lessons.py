"""What lessons gave when they were last looked at, and whether they still give it.

A lesson is a page of plain Markdown (docs/tutorial/en/NN-name.md, and the same in ko/ in Korean), which reads well
wherever Markdown is shown: what is fenced as `python` is a cell, and below it stand pictures of what it draws. Building
the site runs the cells and leaves a notebook with what each printed and drew: of a figure the data of its artists, by
`extensions/figure_data.py`. This module compares that with docs/tutorial/recorded/. Words have to be the same; numbers
agree where another processor or BLAS would change no more. A comment above a fence says what is not usual:

    <!-- not-checked -->   it shows times, rounding errors or what the machine is; held is only that it prints or draws
    <!-- not-run -->       it is to be read; no cell

Both languages of a lesson have the same code, but for comments and Korean strings.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TUTORIAL = Path(__file__).parent / "tutorial"
RECORDED = TUTORIAL / "recorded"
LANGUAGES = ("en", "ko")

# Two runs may differ by this share of a number, or of the range of what is drawn; measured between kernels, see below.
SHARE = 1e-3
NOTHING = 1e-9  # and by this much whatever the number: what is zero but for rounding

FIGURE = "application/vnd.multilayer.figure+json"
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|(?:inf|nan)\b)")
_CELL = re.compile(
    r"(?:^<!-- (?P<tag>[a-z-]+) -->\n)?"  # what is not usual about it
    r"^```python\n(?P<code>.*?)^```\n"
    r"(?P<pictures>(?:\n!\[[^\]]*\]\([^)]*\)\n)*)",  # what it draws, for pages that nothing runs
    re.M | re.S,
)
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]*)\)")
_HANGUL = re.compile("[가-힣]")


def names(language: str) -> list[str]:
    """The lessons that there are in a language, in order: `07-backpropagation`."""
    return sorted(path.stem for path in (TUTORIAL / language).glob("[0-9]*.md"))


@dataclass(frozen=True)
class Cell:
    """A cell: its code, whether what it gives is compared, and of each picture below it the words and the file."""

    code: str
    checked: bool
    pictures: list[tuple[str, str]]


def pieces(text: str) -> list[str | Cell]:
    """A lesson's page from top to bottom: prose and cells."""
    found: list[str | Cell] = []
    end = 0
    for match in _CELL.finditer(text):
        if match["tag"] != "not-run":
            found += [text[end : match.start()]]
            found += [Cell(match["code"], match["tag"] != "not-checked", _PICTURE.findall(match["pictures"]))]
            end = match.end()
    return [*found, text[end:]]


def page(language: str, name: str) -> str:
    """A lesson as it is written."""
    return (TUTORIAL / language / f"{name}.md").read_text(encoding="utf-8")


def cells(language: str, name: str) -> list[Cell]:
    """The cells of a lesson."""
    return [piece for piece in pieces(page(language, name)) if isinstance(piece, Cell)]


# The same code in both languages


def _skeleton(code: str) -> tuple[str, list[str]]:
    """The code without its strings and comments, and the strings."""
    tree = ast.parse(code)
    strings: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings.append(node.value)
            node.value = ""
    return ast.unparse(tree), strings


def parted(english: str, korean: str) -> str | None:
    """Where the code of a cell is not the same in both languages, or None."""
    (mine, said), (theirs, said_in_korean) = _skeleton(english), _skeleton(korean)
    for line, other in zip(mine.splitlines(), theirs.splitlines(), strict=False):
        if line != other:
            return f"{line!r} in English, {other!r} in Korean"
    if mine != theirs or len(said) != len(said_in_korean):
        return f"one has more lines or strings: {english!r} in English, {korean!r} in Korean"
    for text, other in zip(said, said_in_korean, strict=True):
        if text != other and not _HANGUL.search(other):
            return f"the string {text!r} in English, {other!r} in Korean"
    return None


# What a run gave


def outcome(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Of each code cell that ran: how it begins, what it printed, and the data of its figures."""
    return [_given(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _given(cell: dict[str, Any]) -> dict[str, Any]:
    code = "".join(cell["source"])
    text, figures = [], []
    for output in cell["outputs"]:
        data = output.get("data", {})
        if FIGURE in data:
            figures.append(data[FIGURE])
        else:
            text.append("".join(output.get("text", data.get("text/plain", ""))))
    first = code.strip().split("\n")[0]
    if "not-checked" in cell["metadata"].get("tags", []):
        return {"code": first, "prints": bool("".join(text)), "draws": len(figures)}
    return {"code": first, "text": "".join(text), "figures": figures}


def _close(a: float, b: float, around: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b)) or abs(a - b) <= SHARE * max(abs(a), abs(b), around) + NOTHING


def _texts_part(mine: str, theirs: str) -> bool:
    if "".join(_NUMBER.sub("#", mine).split()) != "".join(_NUMBER.sub("#", theirs).split()):
        return True
    numbers = zip(_NUMBER.findall(mine), _NUMBER.findall(theirs), strict=True)
    return not all(_close(float(a), float(b), 0.0) for a, b in numbers)


def differences(mine: Any, theirs: Any, where: str = "") -> Iterator[str]:
    """Where `theirs`, what a run gave, is not `mine`, what is recorded: strings, numbers, lists and dicts of them."""
    if isinstance(mine, dict) and isinstance(theirs, dict) and mine.keys() == theirs.keys():
        if "numbers" in mine:
            yield from _arrays_part(mine, theirs, where)
            return
        for key in mine:
            yield from differences(mine[key], theirs[key], f"{where} {key}".strip())
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for index, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            yield from differences(a, b, f"{where} {index}")
    elif isinstance(mine, str) and isinstance(theirs, str):
        if _texts_part(mine, theirs):
            yield f"{where}: {theirs!r}, recorded as {mine!r}"
    elif mine != theirs:
        yield f"{where}: {theirs!r}, recorded as {mine!r}"


def _arrays_part(mine: dict[str, Any], theirs: dict[str, Any], where: str) -> Iterator[str]:
    if mine["shape"] != theirs["shape"]:
        yield f"{where}: of shape {theirs['shape']}, recorded as {mine['shape']}"
        return
    a, b = ([float(number) for number in array["numbers"]] for array in (mine, theirs))
    known = [number for number in a if math.isfinite(number)]
    around = max(known) - min(known) if known else 0.0
    for before, now in zip(a, b, strict=True):
        if not _close(before, now, around):
            yield f"{where}: {now:.6g}, recorded as {before:.6g}"
            return


# Recording and checking


def record(ran: Path) -> list[Path]:
    """Writes down what the lessons gave whose notebooks are in `ran`/en and `ran`/ko."""
    written = []
    for language in LANGUAGES:
        (RECORDED / language).mkdir(parents=True, exist_ok=True)
        for name in names(language):
            notebook = json.loads((ran / language / f"{name}.ipynb").read_text(encoding="utf-8"))
            path = RECORDED / language / f"{name}.json"
            lines = ",\n".join(json.dumps(cell, ensure_ascii=False, sort_keys=True) for cell in outcome(notebook))
            path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
            written.append(path)
        for path in set((RECORDED / language).glob("*.json")) - set(written):
            path.unlink()  # of a lesson that has another name now
    return written


def check(ran: Path) -> list[str]:
    """What a run of the lessons gave otherwise than recorded, one sentence each."""
    found = []
    for language in LANGUAGES:
        for name in names(language):
            notebook = json.loads((ran / language / f"{name}.ipynb").read_text(encoding="utf-8"))
            path = RECORDED / language / f"{name}.json"
            if not path.exists():
                found.append(f"{language}/{name}: nothing is recorded of this lesson")
                continue
            before, now = json.loads(path.read_text(encoding="utf-8")), outcome(notebook)
            if len(before) != len(now):
                found.append(f"{language}/{name}: {len(now)} code cells, recorded with {len(before)}")
                continue
            for index, (mine, theirs) in enumerate(zip(before, now, strict=True), start=1):
                cell = f"{language}/{name}, code cell {index} (`{theirs['code']}`)"
                found += [f"{cell}, {part}" for part in differences(mine, theirs)]
    return found
