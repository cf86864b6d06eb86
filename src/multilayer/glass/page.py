"""Tables for notebooks: self-contained HTML that reads in light and dark, with small pictures of matrices."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from multilayer.functional import Array

# Blue and vermilion of Okabe and Ito's palette (2008) on both sides of a pale grey; zero is pale.
_NEGATIVE, _ZERO, _POSITIVE = (np.array(rgb, float) for rgb in ((0, 114, 178), (245, 245, 245), (213, 94, 0)))
_MOST_ROWS, _MOST_COLUMNS = 24, 64  # of a picture; larger matrices are shown by the means of blocks
_PIXEL_HEIGHT, _WIDEST = 48, 192

# Colours are mixed from the page's own, so that they fit a light page and a dark one.
_STYLE = """
.multilayer{overflow-x:auto;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px;color:inherit}
.multilayer table{border-collapse:collapse;font:inherit;color:inherit;background:none}
.multilayer caption{text-align:left;font-weight:bold;padding:4px 8px;color:inherit}
.multilayer th,.multilayer td{padding:2px 8px;vertical-align:middle;border:none;
border-top:1px solid rgba(128,128,128,.25);background:none;color:inherit;white-space:nowrap}
.multilayer div{padding:1px 8px}
.multilayer .part{font-weight:bold;border-top:2px solid rgba(128,128,128,.6);opacity:.8}
.multilayer img{image-rendering:pixelated;border:1px solid rgba(128,128,128,.4)}
"""
# These stand at the elements themselves, where no rule of the page around them is stronger: notebooks align cells to
# the right and centre tables, and themes give an image the width of its cell, which without the image has none.
_LEFT, _RIGHT, _TABLE = "text-align:left", "text-align:right", "margin:0;table-layout:auto"
_IMAGE = "display:block;margin:0;max-width:none;width:{}px;height:{}px"


def table(caption: str, header: str, rows: Iterable[str], foot: str = "") -> str:
    """A table of rows that are HTML already, in a page's own colours."""
    return (
        f'<div class="multilayer" tabindex="0"><style>{_STYLE}</style>'  # the keyboard reaches it, as it scrolls
        f'<table style="{_TABLE}"><caption>{escape(caption)}</caption>'
        f"<thead>{header}</thead><tbody>{''.join(rows)}</tbody></table>{foot}</div>"
    )


def lines(texts: Iterable[str]) -> str:
    """Lines of text below a table."""
    return "".join(f"<div>{escape(text)}</div>" for text in texts)


def row(texts: Sequence[str], numbers: Sequence[str] = (), picture: str = "", kind: str = "td") -> str:
    """A row of texts, a picture, and numbers; of kind 'th' it is the header."""
    cells = [f'<{kind} style="{_LEFT}">{content}</{kind}>' for content in (*map(escape, texts), picture)]
    cells += [f'<{kind} style="{_RIGHT}">{escape(text)}</{kind}>' for text in numbers]
    return f"<tr>{''.join(cells)}</tr>"


def heading(text: str, columns: int) -> str:
    """A row that says what the rows below it are."""
    return f'<tr><td class="part" style="{_LEFT}" colspan="{columns}">{escape(text)}</td></tr>'


def picture(value: Array) -> str:
    """An array as a heat map: blue below zero, vermilion above, the darkest its largest size; empty for a number."""
    if value.ndim == 0 or not value.size:
        return ""
    matrix = _blocks(value.reshape(-1, value.shape[-1]) if value.ndim > 1 else value[None, :])
    pixels = _colours(matrix)
    height, width = matrix.shape
    side = max(1.0, min(_PIXEL_HEIGHT / height, _WIDEST / width, 12.0))
    size = round(width * side), round(max(height * side, 6))
    return (
        f'<img alt="" width="{size[0]}" height="{size[1]}" style="{_IMAGE.format(*size)}" '
        f'src="data:image/png;base64,{base64.b64encode(_png(pixels)).decode()}">'
    )


def _blocks(matrix: Array) -> Array:
    """A matrix of so many rows and columns at most: blocks of a larger one by their means."""
    matrix = matrix.astype(np.float64)
    for axis, most in ((0, _MOST_ROWS), (1, _MOST_COLUMNS)):
        if matrix.shape[axis] > most:
            edges = np.linspace(0, matrix.shape[axis], most, endpoint=False).astype(int)
            sizes = np.diff([*edges, matrix.shape[axis]])
            shape = [1, 1]
            shape[axis] = -1
            with np.errstate(all="ignore"):
                matrix = np.add.reduceat(matrix, edges, axis=axis) / sizes.reshape(shape)
    return matrix


def _colours(matrix: Array) -> Array:
    """Rows of RGB: a number's colour says its sign and its share of the largest size; what is not finite is black."""
    finite = np.isfinite(matrix)
    shown = np.where(finite, matrix, 0.0)
    largest = float(np.abs(shown).max()) or 1.0
    share = (shown / largest)[..., None]
    colours: Array = np.where(
        share < 0, _ZERO + (_NEGATIVE - _ZERO) * np.abs(share), _ZERO + (_POSITIVE - _ZERO) * np.abs(share)
    )
    colours[~finite] = 0.0
    return colours.round().astype(np.uint8)  # type: ignore[no-any-return]


def _png(pixels: Array) -> bytes:
    """Rows of RGB, shape (height, width, 3), as a PNG file (its specification, sections 5 and 11)."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + line.tobytes() for line in pixels)  # 0: no filter
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, colour type 2: RGB
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    packed = [struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)
