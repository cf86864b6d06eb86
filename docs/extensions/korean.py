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
    language_name = "English and Korean"

    def split(self, input: str) -> list[str]:
        """The words of a text, and the beginnings of the Korean ones."""
        beginnings = [word[:end] for word in _HANGUL.findall(input) for end in range(1, len(word))]
        return super().split(input) + beginnings


def _language(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    context["language"] = "ko" if "ko" in pagename.split("/")[:-1] else "en"


def setup(app: Sphinx) -> dict[str, Any]:
    """Enters the search language `en+ko`."""
    search.languages["en+ko"] = EnglishAndKorean
    app.connect("html-page-context", _language)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
