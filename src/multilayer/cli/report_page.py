"""A page of HTML that needs nothing besides itself: tables, bars and small charts, in light and dark."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape

from multilayer._language import language

# Blue and vermilion of Okabe and Ito's palette (2008), lighter on a dark page.
_STYLE = """
:root{color-scheme:light dark;--ink:#1c1e21;--paper:#fff;--pale:#5c636b;--line:#d5d9de;--wash:#f4f6f8;
--blue:#0072b2;--warm:#d55e00}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8ea;--paper:#15181b;--pale:#a3abb3;--line:#3a4046;--wash:#1e2226;
--blue:#56b4e9;--warm:#ff9a52}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans","Noto Sans KR","Apple SD Gothic Neo","Malgun Gothic",sans-serif;overflow-wrap:anywhere}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.7rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.2rem;margin:2.4rem 0 .6rem;padding-top:.8rem;border-top:1px solid var(--line)}
p{margin:.5rem 0;max-width:44rem}
.lead{font-size:1.06rem}
.quiet{color:var(--pale)}
.scroll{overflow-x:auto;margin:.8rem 0}
.scroll:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
table{border-collapse:collapse;font-size:.94rem;font-variant-numeric:tabular-nums}
.caption{color:var(--pale);font-size:.94rem;margin:.8rem 0 -.3rem}
code{font-size:.92em}
th,td{padding:.35rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;
overflow-wrap:break-word;word-break:normal}
thead th{border-bottom:2px solid var(--line);vertical-align:bottom}
th{font-weight:600}
tbody th{font-weight:500}
.n{text-align:right;white-space:nowrap}
.wide td:last-child{min-width:14rem}
.best{font-weight:700;color:var(--blue)}
.off{color:var(--pale)}
.cell{text-align:right;min-width:3.2rem}
.bar{display:block;height:.7rem;min-width:1px;background:var(--blue);border-radius:2px}
.bars td:last-child{width:40%;min-width:4rem;vertical-align:middle}
@media (max-width:30rem){main{padding:1rem .8rem 3rem}table{font-size:.86rem}th,td{padding:.3rem .4rem}
.wide td:last-child{min-width:9rem}}
figure{margin:.8rem 0}
figcaption{color:var(--pale);font-size:.94rem;max-width:44rem}
svg{display:block;width:100%;max-width:30rem;height:auto;font:12px system-ui,sans-serif}
svg text{fill:var(--ink)}
pre{background:var(--wash);border:1px solid var(--line);border-radius:6px;padding:.7rem .9rem;overflow-x:auto;
font-size:.9rem;line-height:1.5}
ul{padding-left:1.2rem;max-width:44rem}
"""


def page(title: str, parts: Sequence[str]) -> str:
    """A whole page of parts that are HTML already."""
    return (
        f'<!doctype html>\n<html lang="{language()}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def title(text: str) -> str:
    """The heading of the page."""
    return f"<h1>{escape(text)}</h1>"


def heading(text: str) -> str:
    """A heading of a section."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f"<p{_class(kind)}>{_inline(text)}</p>"


def code(text: str) -> str:
    """Lines to copy."""
    return f'<pre tabindex="0"><code>{escape(text)}</code></pre>'


def items(texts: Sequence[str]) -> str:
    """A list of plain texts."""
    return f"<ul>{''.join(f'<li>{_inline(text)}</li>' for text in texts)}</ul>"


def _inline(text: str) -> str:
    """Plain text in which `names` are set as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def cell(text: str, kind: str = "", style: str = "") -> str:
    """A cell of plain text."""
    return f"<td{_class(kind)}{_style(style)}>{escape(text)}</td>"


def bar(share: float) -> str:
    """A cell with a bar; what it says stands as a number beside it."""
    return f'<td><span class="bar" style="width:{100 * min(max(share, 0), 1):.1f}%"></span></td>'


def table(caption: str, headings: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """A table that scrolls by itself where the page is too narrow.

    Args:
        caption: What it shows.
        headings: Each column's heading, and its kind ("n" for numbers).
        rows: Of each row the first cell's text, which names the row, and the others as HTML.
        kind: The table's own kind.
    """
    head = "".join(f'<th scope="col"{_class(k)}>{escape(text)}</th>' for text, k in headings)
    body = "".join(f'<tr><th scope="row">{escape(first)}</th>{"".join(others)}</tr>' for first, *others in rows)
    # The caption stands above what scrolls: within the table it would be as narrow as that, or cut off.
    name = re.sub(r"\W+", "-", caption.lower())[:40]
    return (
        f'<p class="caption" id="{name}">{escape(caption)}</p><div class="scroll" role="region" tabindex="0" '
        f'aria-labelledby="{name}"><table{_class(kind)} aria-labelledby="{name}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _style(style: str) -> str:
    return f' style="{style}"' if style else ""


# --- Charts ---

_SIDE, _LEFT, _BOTTOM, _TOP = 400, 58, 44, 10


class Chart:
    """A square chart with an axis in each direction.

    Args:
        xs: The least and the greatest number on the axis to the right.
        ys: The same of the axis upward.
        labels: What the two axes show.
    """

    def __init__(self, xs: tuple[float, float], ys: tuple[float, float], labels: tuple[str, str]) -> None:
        self._xs, self._ys = _wide(*xs), _wide(*ys)
        self._parts = [self._axes(*labels)]

    def _x(self, x: float) -> float:
        low, high = self._xs
        return _LEFT + (x - low) / (high - low) * (_SIDE - _LEFT - 10)

    def _y(self, y: float) -> float:
        low, high = self._ys
        return _SIDE - _BOTTOM - (y - low) / (high - low) * (_SIDE - _BOTTOM - _TOP)

    def _axes(self, x_label: str, y_label: str) -> str:
        parts = []
        for x in ticks(*self._xs):
            at = self._x(x)
            parts.append(_line(at, _TOP, at, _SIDE - _BOTTOM, "var(--line)"))
            parts.append(f'<text x="{at:.1f}" y="{_SIDE - _BOTTOM + 16}" text-anchor="middle">{_short(x)}</text>')
        for y in ticks(*self._ys):
            at = self._y(y)
            parts.append(_line(_LEFT, at, _SIDE - 10, at, "var(--line)"))
            parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{_short(y)}</text>')
        middle = (_SIDE - _BOTTOM) / 2
        parts.append(f'<text x="{(_SIDE + _LEFT) / 2}" y="{_SIDE - 8}" text-anchor="middle">{escape(x_label)}</text>')
        parts.append(
            f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">'
            f"{escape(y_label)}</text>"
        )
        return "".join(parts)

    def diagonal(self) -> None:
        """Draws where both numbers are the same."""
        low, high = max(self._xs[0], self._ys[0]), min(self._xs[1], self._ys[1])
        if low < high:
            self._parts.append(
                _line(self._x(low), self._y(low), self._x(high), self._y(high), "var(--pale)", 'stroke-dasharray="5 4"')
            )

    def line(self, points: Sequence[tuple[float, float]]) -> None:
        """Draws a line through points."""
        path = " ".join(f"{self._x(x):.1f},{self._y(y):.1f}" for x, y in points)
        self._parts.append(f'<polyline points="{path}" fill="none" stroke="var(--blue)" stroke-width="2"/>')

    def points(self, points: Sequence[tuple[float, float]], radii: Sequence[float] | float, opacity: float) -> None:
        """Draws points of some size."""
        sizes = [radii] * len(points) if isinstance(radii, (int, float)) else radii
        circles = "".join(
            f'<circle cx="{self._x(x):.1f}" cy="{self._y(y):.1f}" r="{r:.1f}"/>'
            for (x, y), r in zip(points, sizes, strict=True)
        )
        self._parts.append(f'<g fill="var(--blue)" fill-opacity="{opacity}">{circles}</g>')

    def html(self, says: str, caption: str) -> str:
        """The chart as a figure; `says` is what somebody who does not see it is told."""
        return (
            f'<figure><svg viewBox="0 0 {_SIDE} {_SIDE}" role="img" aria-label="{escape(says)}">{"".join(self._parts)}'
            f"</svg><figcaption>{escape(caption)}</figcaption></figure>"
        )


def _line(x1: float, y1: float, x2: float, y2: float, color: str, more: str = "") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" {more}/>'


def _wide(low: float, high: float) -> tuple[float, float]:
    """Ends of an axis with some width, also where all numbers are the same."""
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def ticks(low: float, high: float) -> list[float]:
    """A few round numbers from low to high.

    Example:
        >>> ticks(0, 1), ticks(-30, 170)
        ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 50.0, 100.0, 150.0])
    """
    size = 10 ** math.floor(math.log10((high - low) / 4))
    step = min((one * size for one in (1, 2, 5, 10)), key=lambda one: abs((high - low) / one - 5))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(float(i * step), 12) for i in range(first, last + 1)]


def _short(value: float) -> str:
    """A number on an axis, thousands and millions by a letter."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 10 * size or (abs(value) >= size and size > 1e3):
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def shade(share: float, warm: bool) -> str:
    """The style of a cell that is the darker the larger a share is."""
    color = "--warm" if warm else "--blue"
    return f"background:color-mix(in srgb,var({color}) {round(45 * min(max(share, 0), 1))}%,transparent)"
