"""What is made of a lesson's page: the notebook that the site runs, and the one that readers download.

The page itself is plain Markdown, see `lessons.py`. Its formulas stand as code hosts read them without mistaking
anything in them for Markdown, between $` and `$ or fenced as `math`; both kinds of notebook have them in dollars.
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import lessons

# The kernel is the one that runs lessons, see `extensions/kernel_profile.py`.
_HEAD = "---\nfile_format: mystnb\nkernelspec: {display_name: Python 3, language: python, name: python3}\n---\n\n"
_CONTENTS = re.compile(r"(?:^\d+\. \[[^\]]*\]\(\d[\w-]*\.md\)\n)+", re.M)
_LINK = re.compile(r"(?<!!)\[(?P<words>[^\]]*)\]\((?P<target>[^)]*)\)")

INSTALL = {
    "en": "# The lesson needs this and nothing else. It is installed where it is not there yet.\n",
    "ko": "# 이 장에 필요한 것은 이 라이브러리뿐입니다. 없으면 설치합니다.\n",
}
_INSTALL = """\
from importlib.util import find_spec

if find_spec("multilayer") is None:
    %pip install multilayer
"""


def _in_dollars(prose: str) -> str:
    prose = re.sub(r"\$`([^`]+)`\$", r"$\1$", prose)
    return re.sub(r"^```math\n(.*?)^```$", r"$$\n\1$$", prose, flags=re.M | re.S)


# For the site


def for_site(text: str) -> str:
    """A lesson as MyST-NB reads it. Pictures are left out, as the cells draw anew; the words go with what is drawn."""
    return _HEAD + "".join(
        _in_dollars(piece) if isinstance(piece, str) else _myst(piece) for piece in lessons.pieces(text)
    )


def _myst(cell: lessons.Cell) -> str:
    options: dict[str, Any] = {} if cell.checked else {"tags": ["not-checked"]}
    if cell.pictures:
        options["mystnb"] = {"image": {"alt": " ".join(words for words, _ in cell.pictures)}}
    head = f"---\n{json.dumps(options, ensure_ascii=False)}\n---\n" if options else ""
    return f"```{{code-cell}} python\n{head}{cell.code}```\n"


def contents_for_site(text: str) -> str:
    """The page before the lessons, whose list of them becomes the site's table of contents."""

    def tree(listed: re.Match[str]) -> str:
        pages = re.findall(r"\((.*)\.md\)$", listed[0], re.M)
        return "\n".join(["```{toctree}", ":maxdepth: 1", "", *pages, "```", ""])

    return _CONTENTS.sub(tree, text)


# For readers


def _linked(link: re.Match[str]) -> str:
    """To another lesson: its notebook. To other pages, of which a notebook knows no address: the words alone."""
    if link["target"].startswith("http"):
        return link[0]
    lesson = re.fullmatch(r"(\d[\w-]*)\.md", link["target"])
    return f"[{link['words']}]({lesson[1]}.ipynb)" if lesson else link["words"]


def _markdown(prose: str) -> str:
    return _LINK.sub(_linked, _in_dollars(re.sub(r"^<!-- not-run -->\n", "", prose, flags=re.M))).strip()


def notebook(language: str, name: str) -> dict[str, Any]:
    """A lesson as a notebook that has not run, with a cell before it that installs what it needs."""
    cells: list[dict[str, Any]] = []

    def add(kind: str, source: str, **more: Any) -> None:
        identity = {"cell_type": kind, "id": f"cell-{len(cells):02}", "metadata": {}}
        cells.append({**identity, "source": source.rstrip("\n").splitlines(keepends=True), **more})

    nothing_yet: dict[str, Any] = {"execution_count": None, "outputs": []}
    add("code", INSTALL[language] + _INSTALL, **nothing_yet)
    for piece in lessons.pieces(lessons.page(language, name)):
        if isinstance(piece, lessons.Cell):
            add("code", piece.code, **nothing_yet)
        elif prose := _markdown(piece):
            add("markdown", prose)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def write(language: str, folder: Path) -> list[Path]:
    """Writes all lessons of a language as notebooks into a folder, and lessons.zip, which holds them all."""
    written = []
    with zipfile.ZipFile(folder / "lessons.zip", "w", zipfile.ZIP_DEFLATED) as together:
        for name in lessons.names(language):
            path = folder / f"{name}.ipynb"
            text = json.dumps(notebook(language, name), ensure_ascii=False, indent=1) + "\n"
            path.write_text(text, encoding="utf-8")
            together.writestr(zipfile.ZipInfo(path.name), text, zipfile.ZIP_DEFLATED)  # of no date: the same every time
            written.append(path)
    return written
