"""Figures of lessons: at the size that their letters are made for, described in words, and on phones narrow."""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import struct
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

import figure_data
import narrow_figure

_PHONE = "(max-width: 40em)"
_PIXELS_AN_INCH = 96  # of a page, on which ten points are then as high as its small print
_DOTS_AN_INCH = 144  # of a figure's file, see kernel_profile.py
_NARROW = 520  # pixels; what is no wider stays readable when it is made to fit a phone
_SMALLEST = 0.65  # of its size: what is wider and of one piece scrolls before its letters become smaller


class figure_forms(nodes.Element):  # noqa: N801 - nodes are named like tags
    """The images of a figure: the wide one, and the narrow one where there is one."""


def _shown(notebook: Path) -> Iterator[dict[str, Any]]:
    """The pictures among what the cells of a notebook gave, with what came beside them."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                yield output["data"]


def _words(data: dict[str, Any]) -> str:
    """What stands written at a figure, for those who do not see it."""
    found = [data["title"]]
    for axes in data["axes"]:
        found += [axes["title"], axes["x"][0], axes["y"][0], *axes["legend"]]
    return ", ".join(dict.fromkeys(" ".join(text.split()) for text in found if text.strip()))


def _image(uri: str, png: bytes, dots: int) -> nodes.image:
    """An image of a file, at a page's size."""
    size = struct.unpack(">II", png[16:24])  # where every PNG file says it
    width, height = (round(side * _PIXELS_AN_INCH / dots) for side in size)
    unlinked = ["no-scaled-link"]  # Sphinx would have those whose size is given lead to their files
    return nodes.image(uri=uri, width=str(width), height=str(height), classes=unlinked)


def _put_in(app: Sphinx, doctree: nodes.document) -> None:
    """Replaces the images that a page's cells gave; their names are made from what they hold."""
    docname, folder = app.env.docname, Path(app.env.mystnb_config.output_folder)  # type: ignore[attr-defined]
    notebook = folder / f"{docname}.ipynb"
    if not notebook.is_file():
        return
    shown = {hashlib.sha256(base64.b64decode(data["image/png"])).hexdigest(): data for data in _shown(notebook)}
    fallback = "그림" if "ko" in docname.split("/") else "figure"
    for image in list(doctree.findall(nodes.image)):
        data = shown.get(Path(image["uri"]).stem, {})
        figure = data.get(figure_data.MIME_TYPE)
        if figure is None or "frames" in figure:  # no figure, or an animation, of which this is what stands still
            continue
        wide = _image(image["uri"], base64.b64decode(data["image/png"]), _DOTS_AN_INCH)
        wide["alt"] = image.get("alt") or _words(figure) or fallback
        wide.attributes.update({side: image[side] for side in ("width", "height") if side in image})
        forms = figure_forms("", wide)
        if narrow := data.get(narrow_figure.MIME_TYPE):
            png = base64.b64decode(narrow)
            name = f"{hashlib.sha256(png).hexdigest()}.png"
            (folder / name).write_bytes(png)
            forms += _image(image["uri"].replace(Path(image["uri"]).name, name), png, narrow_figure.DOTS_AN_INCH)
        image.replace_self(forms)


def _visit(translator: HTML5Translator, node: figure_forms) -> None:
    builder = translator.builder
    tags = []
    for image in node:
        path = posixpath.join(builder.imgpath, quote(builder.images[image["uri"]]))
        size = f'width="{image["width"]}" height="{image["height"]}"'
        if image is not node[0]:
            tags.insert(0, f'<source media="{_PHONE}" srcset="{path}" {size}>')
            continue
        if len(node) == 1 and int(image["width"]) > _NARROW:
            size += f' style="min-width: {round(_SMALLEST * int(image["width"]))}px"'
        tags.append(f'<img src="{path}" alt="{escape(image["alt"])}" {size}>')
    translator.body.append(f"<picture>{''.join(tags)}</picture>")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Listens to pages that have been read, before Sphinx looks for the files of their images."""
    app.add_node(figure_forms, html=(_visit, None))
    app.connect("doctree-read", _put_in, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
