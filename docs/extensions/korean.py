"""Pages in two languages, in one build: each with navigation, words and search in the language that it is written in.

A page is Korean where a folder of its name is `ko`, and the search page `search.ko` is. The sidebar of a Korean page
has the trees of `index` whose captions are Korean, that of an English page the others: a page that is entered in one of
them needs nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from gettext import NullTranslations
from gettext import translation as catalogue
from pathlib import Path
from typing import Any

import sphinx
from docutils import nodes
from sphinx import addnodes, locale, search
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.search.en import SearchEnglish

from korean_words import WORDS

_HANGUL = re.compile(r"[가-힣]+")
_LATIN = re.compile(r"\w*[A-Za-z0-9](?=[가-힣])")
_HOME = {"en": "index", "ko": "ko/index"}
_SEARCH = {"en": "search", "ko": "search.ko"}
# What the theme has written into its templates without asking for a translation.
_FIXED = re.compile(r"""(?<=aria-label=")[^"]+|(?<=<title>)[^<]+|(?<=</a>)'s\b""")


class EnglishAndKorean(SearchEnglish):
    """English by its stems; Korean by every beginning of a word, as particles stand at its end (행렬은, GPU를)."""

    lang = "en+ko"
    language_name = "English"  # by it the search in the browser finds its stemmer

    def split(self, input: str) -> list[str]:
        """The words of a text, and the beginnings of those that are or end in Korean."""
        beginnings = [word[:end] for word in _HANGUL.findall(input) for end in range(1, len(word))]
        return super().split(input) + beginnings + _LATIN.findall(input)


class Words(NullTranslations):
    """What stands around the text of the page that is being written, in its language."""

    def __init__(self, builder: StandaloneHTMLBuilder) -> None:
        super().__init__()
        self._builder = builder
        self._sphinx = catalogue("sphinx", Path(sphinx.package_dir) / "locale", ["ko"])

    def gettext(self, message: str) -> str:
        """The message in Korean on a Korean page, else as it is."""
        if _language(self._builder.current_docname) == "en":
            return message
        for english, korean in WORDS.items():
            if found := re.fullmatch(english, message.strip()):
                return found.expand(korean)
        return self._sphinx.gettext(message)

    def in_page(self, html: str) -> str:
        """The same for what the theme's templates have fixed."""
        return _FIXED.sub(lambda found: self.gettext(found[0]), html)


def _language(pagename: str) -> str:
    return "ko" if "ko" in re.split("[/.]", pagename) else "en"


def _counterpart(pagename: str) -> str:
    """The same page in the other language: `installation` and `ko/installation`, `…/en/01-…` and `…/ko/01-…`."""
    if pagename in _SEARCH.values():
        return _SEARCH["en" if _language(pagename) == "ko" else "ko"]
    folders = pagename.split("/")
    if "en" in folders:
        return "/".join("ko" if folder == "en" else folder for folder in folders)
    if folders[0] == "ko":
        return "/".join(folders[1:])
    if "ko" in folders:
        return "/".join("en" if folder == "ko" else folder for folder in folders)
    return f"ko/{pagename}"


def _navigation(app: Sphinx, pagename: str, language: str, **options: Any) -> str:
    """The trees of the sidebar whose captions are in this language."""
    trees = [
        tree
        for tree in app.env.master_doctree.findall(addnodes.toctree)
        if bool(_HANGUL.search(tree["caption"] or "")) == (language == "ko")
    ]
    first, *others = (app.env.resolve_toctree(pagename, app.builder, tree, **options) for tree in trees)
    for tree in others:
        first.extend(tree.children)
    return str(app.builder.render_partial(first)["fragment"])


def _begin(app: Sphinx) -> None:
    """Has templates and writers ask for words by the page that they are at."""
    builder = app.builder
    if isinstance(builder, StandaloneHTMLBuilder):
        words = Words(builder)
        locale.translators["general", "sphinx"] = words
        builder.templates.environment.install_gettext_translations(words)  # type: ignore[union-attr]


def _in_language(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    """Gives the templates a page's language, its navigation and search, and the same page in the other language."""
    builder: Any = app.builder
    builder.current_docname = pagename  # which Sphinx notes of pages that have a source alone
    language = _language(pagename)
    pathto = context["pathto"]
    context["language"] = language
    context["master_doc"] = _HOME[language]
    context["toctree"] = lambda **options: _navigation(app, pagename, language, **options)
    context["pathto"] = lambda page, *more, **options: pathto(
        _SEARCH[language] if page == "search" else page, *more, **options
    )
    context["in_page_language"] = locale.translators["general", "sphinx"].in_page  # type: ignore[attr-defined]
    for neighbour, name in zip(("prev", "next"), builder.relations.get(pagename, [None] * 3)[1:], strict=True):
        if name is not None and _language(name) != language:
            context[neighbour] = None
    other = _counterpart(pagename)
    there = other in app.env.all_docs or other in _SEARCH.values()
    context["other_language"] = other if there else _HOME["en" if language == "ko" else "ko"]
    if pagename == _HOME["ko"]:
        context["docstitle"] = ""  # which would be all of this page's title
    if pagename in _SEARCH.values():
        app.add_js_file("search.js", loading_method="defer")


def _search_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    yield _SEARCH["ko"], {}, "search.html"


def setup(app: Sphinx) -> dict[str, Any]:
    """Enters the search language `en+ko` and what pages in two languages need."""
    search.languages["en+ko"] = EnglishAndKorean
    app.connect("builder-inited", _begin)
    app.connect("html-collect-pages", _search_page)
    app.connect("html-page-context", _in_language, priority=400)  # before the theme draws the sidebar
    return {"parallel_read_safe": True, "parallel_write_safe": True}
