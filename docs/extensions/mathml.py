"""Formulas as MathML, which browsers draw by themselves, in a font that lies beside the pages: nothing is fetched."""

from __future__ import annotations

import re
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)


# What the library reads under another name, and what it leaves in a formula that it has not understood.
_OTHER_NAMES = {"{aligned}": "{align*}"}
_NOT_READ = re.compile(r"<mi>(&|\\\w*)</mi>")


def mathml(latex: str, display: str) -> str:
    """The formula as MathML. A ValueError says what of it is not understood."""
    for name, other in _OTHER_NAMES.items():
        latex = latex.replace(name, other)
    made = convert(latex, display=display)
    if unread := _NOT_READ.search(made):
        raise ValueError(f"latex2mathml cannot read {unread[1]!r} there")
    return made


def _drawn(node: nodes.Element, display: str) -> str:
    try:
        return mathml(node.astext(), display)
    except Exception as error:  # of whatever kind: the library has no common one for what it cannot read
        logger.warning("this formula cannot be drawn: %s (%r)", node.astext(), error, location=node)
        return ""


def _inline(translator: HTML5Translator, node: nodes.Element) -> None:
    translator.body.append(_drawn(node, "inline"))
    raise nodes.SkipNode


def _block(translator: HTML5Translator, node: nodes.Element) -> None:
    translator.body.append(f'<div class="math">{_drawn(node, "block")}</div>\n')
    raise nodes.SkipNode


def _bring_font(app: Sphinx, exception: Exception | None) -> None:
    """Without a font made for mathematics, braces and roots do not grow with what they hold."""
    if exception is None and app.builder.format == "html":
        font = resources.files("ziamath") / "fonts" / "STIXTwoMath-Regular.ttf"
        with resources.as_file(font) as path:
            shutil.copy(path, Path(app.outdir, "_static"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Enters the renderer that `html_math_renderer = "mathml"` names."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("build-finished", _bring_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
