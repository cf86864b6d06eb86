"""Says what the build is doing while it does it, in plain lines, and deals the pages out so that no core waits long."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.parallel import make_chunks

from lesson_pages import LESSON

_SLOWEST = 8  # pages in the summary

_began = time.perf_counter()


def say(words: str) -> None:
    """One line, with the time since the build began; at once, also where the output is a file or a pipe."""
    seconds = int(time.perf_counter() - _began)
    print(f"[{seconds // 60}:{seconds % 60:02d}] {words}", flush=True)


def _runs(env: BuildEnvironment, page: str) -> bool:
    """Whether a page has code that runs when it is read: a lesson, or the gallery."""
    return bool(LESSON.fullmatch(page)) or "```{code-cell}" in env.doc2path(page).read_text(encoding="utf-8")


def _begin_reading(app: Sphinx, env: BuildEnvironment, pages: list[str]) -> None:
    """Deals pages that run out evenly to the pieces of the list that processes read, as they stand side by side in it.

    Such a page takes as long as a dozen others, and a lesson as long in one language as in the other.
    """
    env.page_seconds = {}  # type: ignore[attr-defined]
    running = [page for page in pages if _runs(env, page)]
    say(f"Reading {len(pages)} pages, {app.parallel} at once; {len(running)} of them run: lessons and figures.")
    sizes = [len(piece) for piece in make_chunks(pages, app.parallel)]
    pieces: list[list[str]] = [[] for _ in sizes]
    number = 0
    running.sort(key=lambda page: (page.split("/")[-1], page))  # both languages of a lesson side by side
    for page in [*running, *(page for page in pages if page not in running)]:
        while len(pieces[number % len(sizes)]) == sizes[number % len(sizes)]:
            number += 1
        pieces[number % len(sizes)].append(page)
        number += 1
    pages[:] = [page for piece in pieces for page in piece]


def _begin_page(app: Sphinx, page: str, source: list[str]) -> None:
    env: Any = app.env
    env.page_began = time.perf_counter()
    if _runs(env, page):
        say(f"  {page}: running …")


def _end_page(app: Sphinx, doctree: object) -> None:
    env: Any = app.env
    page = env.current_document.docname
    env.page_seconds[page] = seconds = time.perf_counter() - env.page_began
    say(f"  {page}: {'ran' if _runs(env, page) else 'read'} in {seconds:.1f} s")


def _gather(app: Sphinx, env: Any, pages: Iterable[str], other: Any) -> None:
    """Takes over what another process has measured."""
    env.page_seconds.update({page: other.page_seconds[page] for page in pages})


def _end_reading(app: Sphinx, env: Any) -> None:
    slowest = sorted(env.page_seconds.items(), key=lambda item: -item[1])[:_SLOWEST]
    say(f"All pages read, in {sum(env.page_seconds.values()):.0f} s of all processes. The slowest:")
    for page, seconds in slowest:
        say(f"  {seconds:6.1f} s  {page}")


def _begin_writing(app: Sphinx, builder: Any) -> None:
    say("Writing the pages.")


def _page_written(app: Sphinx, page: str, template: str, context: object, doctree: object) -> None:
    if page in app.env.all_docs or page in ("search", "genindex", "py-modindex"):
        say(f"  {page}")


def _end(app: Sphinx, error: Exception | None) -> None:
    say("The site is written." if error is None else "The build has failed.")


def setup(app: Sphinx) -> dict[str, Any]:
    """Listens to the stages of the build."""
    app.connect("env-before-read-docs", _begin_reading)
    app.connect("source-read", _begin_page)
    app.connect("doctree-read", _end_page, priority=900)
    app.connect("env-merge-info", _gather)
    app.connect("env-updated", _end_reading, priority=900)
    app.connect("write-started", _begin_writing)
    app.connect("html-page-context", _page_written)
    app.connect("build-finished", _end)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
