"""Lessons on the site: read from their plain Markdown, linked where it names functions, and as notebooks to take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import lessons
import nbformat
import notebooks
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

LESSON = re.compile(r"tutorial/(?P<language>\w+)/(?P<name>\d[\w-]*)")
_CONTENTS = re.compile(r"tutorial/(?P<language>\w+)/index")
_NAME = re.compile(r"multilayer(\.\w+)+")


def _read(app: Sphinx, page: str, source: list[str]) -> None:
    if LESSON.fullmatch(page):
        source[0] = notebooks.for_site(source[0])
    elif _CONTENTS.fullmatch(page):
        source[0] = notebooks.contents_for_site(source[0])


def _link(app: Sphinx, doctree: nodes.document) -> None:
    """A full name in code leads to its entry in the reference, where it has one."""
    page = app.env.current_document.docname
    if not page.startswith("tutorial/"):
        return
    for code in list(doctree.findall(nodes.literal)):
        if _NAME.fullmatch(code.astext()):
            link = pending_xref("", refdomain="py", reftype="obj", reftarget=code.astext(), refdoc=page, perhaps=True)
            code.replace_self(link)
            link += code


def _offer(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Tells the templates what can be downloaded at the top of a page."""
    if lesson := LESSON.fullmatch(page):
        context["notebook"] = f"{lesson['name']}.ipynb"
    elif _CONTENTS.fullmatch(page):
        context["notebook"] = "lessons.zip"


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        for language in lessons.LANGUAGES:
            for path in notebooks.write(language, Path(app.outdir, "tutorial", language)):
                nbformat.validate(nbformat.read(path, as_version=4))


def setup(app: Sphinx) -> dict[str, Any]:
    """Listens to pages before they are read and when they have been, and to the end of the build."""
    app.connect("source-read", _read, priority=400)
    app.connect("doctree-read", _link)
    app.connect("html-page-context", _offer)
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
