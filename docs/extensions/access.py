"""What those who hear a page, or go through it with the keyboard, need and the theme leaves out."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

_CAPTION = 'class="caption" role="heading"'


def _levels(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Headings of lists of pages say how deep they stand."""
    for part in ("body", "furo_navigation_tree"):
        if part in context:
            context[part] = context[part].replace(_CAPTION, f'{_CAPTION} aria-level="2"')


def setup(app: Sphinx) -> dict[str, Any]:
    """Listens to pages that are about to be written, after the theme has drawn their sidebar."""
    app.connect("html-page-context", _levels, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
