"""Pages in two languages: a search that finds Korean words, and each page in the language that it says it is in."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx import search
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

_HANGUL = re.compile(r"[가-힣]+")


class EnglishAndKorean(SearchEnglish):
    """English by its stems; Korean by every beginning of a word, as particles stand at its end (행렬은, 행렬의)."""

    lang = "en+ko"
    language_name = "English"  # by it the search in the browser finds its stemmer

    def split(self, input: str) -> list[str]:
        """The words of a text, and the beginnings of the Korean ones."""
        beginnings = [word[:end] for word in _HANGUL.findall(input) for end in range(1, len(word))]
        return super().split(input) + beginnings


def _counterpart(pagename: str) -> str:
    """The same page in the other language: `installation` and `ko/installation`, `…/en/01-…` and `…/ko/01-…`."""
    folders = pagename.split("/")
    if "en" in folders:
        return "/".join("ko" if folder == "en" else folder for folder in folders)
    if folders[0] == "ko":
        return "/".join(folders[1:])
    if "ko" in folders:
        return "/".join("en" if folder == "ko" else folder for folder in folders)
    return f"ko/{pagename}"


def _languages(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    """Tells the templates a page's language, and the same page in the other."""
    context["language"] = "ko" if "ko" in pagename.split("/") else "en"
    other = _counterpart(pagename)
    if other in app.env.all_docs:
        context["other_language"] = other


def setup(app: Sphinx) -> dict[str, Any]:
    """Enters the search language `en+ko`."""
    search.languages["en+ko"] = EnglishAndKorean
    app.connect("html-page-context", _languages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
