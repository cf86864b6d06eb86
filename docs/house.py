"""Reads from the code which wing of the library imports which, and draws it: docs/images/house.svg.

    python docs/house.py

draws it anew. Floors stand in the order of the contract in `.importlinter`. An arrow leads from a wing to one that it
imports, in whatever way, for type checking too; it is left out where other arrows lead there as well. The doors,
imports that go upward, are dashed. tests/docs/test_design.py holds the committed picture to the code, and
tests/library/test_house.py the code to the contract.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from functools import cache
from html import escape, unescape
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeAlias

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "src" / "multilayer"
CONTRACT = ROOT / ".importlinter"
PICTURE = ROOT / "docs" / "images" / "house.svg"

# --- What the code says ---


class Import(NamedTuple):
    """That a module imports another, and whether it does so within a function, when that is called."""

    importer: str
    imported: str
    in_function: bool


@cache
def modules() -> dict[str, Path]:
    """The file of each module, by the module's full name."""
    names = {path: ".".join(path.relative_to(HOUSE.parent).with_suffix("").parts) for path in HOUSE.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


def _imported_by(node: ast.AST, known: set[str]) -> Iterator[str]:
    """The modules that an import statement names; `from package import name` names a module where there is one."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "the house names its rooms in full"
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            name = inner if inner in known else node.module
            if name in known:
                yield name


def _found_in(tree: ast.AST, importer: str, known: set[str], in_function: bool = False) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        yield from (Import(importer, name, in_function) for name in _imported_by(node, known))
        yield from _found_in(node, importer, known, in_function or isinstance(node, (ast.FunctionDef, ast.Lambda)))


@cache
def imports() -> list[Import]:
    """All imports of the library's own modules, from the syntax trees."""
    known = set(modules())
    return [
        one
        for name, path in modules().items()
        for one in _found_in(ast.parse(path.read_text(encoding="utf-8")), name, known)
    ]


def wing(module: str) -> str:
    """The wing that a module lies in: `multilayer.saving` for `multilayer.saving.formats.npz`."""
    return ".".join(module.split(".")[:2])


def _contract(key: str) -> list[str]:
    contract = configparser.ConfigParser()
    contract.read(CONTRACT)
    return [line for line in contract["importlinter:contract:layers"][key].split("\n") if line]


def doors() -> set[tuple[str, str]]:
    """The imports that go upward, as the contract names them."""
    return {(importer, imported) for importer, _, imported in (line.split() for line in _contract("ignore_imports"))}


# --- What is drawn of it ---

Box: TypeAlias = tuple[str, ...]  # the wings that stand in one frame; mostly one

# Wings of one floor that are drawn as one, as arrows to each of them would say the same.
_FRAMES: list[Box] = [
    ("backend", "utils"),
    ("callbacks", "glass"),
    ("initializers", "regularizers", "constraints"),
    ("_checks", "_names"),
    ("functional", "config", "_version"),
]


class Plan(NamedTuple):
    """What the picture shows.

    Attributes:
        floors: The frames of each floor, from the top.
        lines: The lines of code of each wing.
        arrows: Which frame imports which, without what follows from other arrows.
        doors: Which frame imports one above it.
    """

    floors: list[list[Box]]
    lines: dict[str, int]
    arrows: set[tuple[Box, Box]]
    doors: set[tuple[Box, Box]]


def plan() -> Plan:
    """The plan of the house as the code is now; floors in brackets are kept for what is yet to be built."""
    framed = {name: frame for frame in _FRAMES for name in frame}
    names = [line.split(" | ") for line in _contract("layers")]
    floors = [list(dict.fromkeys(framed.get(name, (name,)) for name in floor)) for floor in names]
    box = {name: frame for floor in floors for frame in floor for name in frame}

    def between(edges: set[tuple[str, str]]) -> set[tuple[Box, Box]]:
        inner = {(wing(a)[11:], wing(b)[11:]) for a, b in edges if "multilayer" not in (a, b)}
        return {(box[a], box[b]) for a, b in inner if box[a] != box[b]}

    everything = {(one.importer, one.imported) for one in imports()}
    downward = between(everything - doors())
    return Plan(floors, {name: _lines(name) for name in box}, _reduced(downward), between(doors()))


def _lines(name: str) -> int:
    inside = HOUSE / name
    files = [path for path in inside.rglob("*") if path.suffix in (".py", ".c", ".h")] or [HOUSE / f"{name}.py"]
    return sum(path.read_text(encoding="utf-8").count("\n") for path in files)


def _reduced(edges: set[tuple[Box, Box]]) -> set[tuple[Box, Box]]:
    """Without the edges whose ends a way over others joins as well."""

    def reaches(start: Box, end: Box) -> bool:
        seen, ahead = set[Box](), [start]
        while ahead and end not in seen:  # what was seen is not followed again: a circle is another test's to tell of
            seen.add(box := ahead.pop())
            ahead += [b for a, b in edges if a == box and b not in seen]
        return end in seen

    return {(a, b) for a, b in edges if not any(x == a and y != b and reaches(y, b) for x, y in edges)}


# --- Where it stands: rooms in floors, and lanes through which arrows pass a floor ---

_ROOM, _GAP = 30, 26  # heights of a room and of what is free between floors
_BETWEEN, _BESIDE_LANE, _LANE, _PAD = 9.0, 6.0, 2.0, 5.0  # widths, also of what is free
_WIDE = 0.04  # a line of code

Node: TypeAlias = tuple[Box, int]  # a frame on its floor, or, on a floor above that, the lane that leads to it


def _room_width(name: str, lines: int) -> float:
    return max(8.0 * len(name) + 12, _WIDE * lines)


def _columns(box: Box) -> int:
    return 2 if len(box) > 3 else len(box)


def _size(box: Box, lines: dict[str, int]) -> tuple[float, float]:
    """Width and height of a frame."""
    columns = _columns(box)
    rows = [box[i : i + columns] for i in range(0, len(box), columns)]
    width = max(sum(_room_width(name, lines[name]) + _PAD for name in row) - _PAD for row in rows)
    frame = 2 * _PAD if len(box) > 1 else 0
    return width + frame, len(rows) * (_ROOM + _PAD) - _PAD + frame


class Layout:
    """Where everything stands: rows in an order with few crossings, each thing near what it is joined to."""

    def __init__(self, drawn: Plan) -> None:
        self.plan = drawn
        self.floor = {box: number for number, floor in enumerate(drawn.floors) for box in floor}
        self.rows: list[list[Node]] = [[(box, number) for box in floor] for number, floor in enumerate(drawn.floors)]
        self.ways: set[tuple[Node, Node]] = set()  # from floor to floor
        for start, end in sorted(drawn.arrows):
            way = [(start, self.floor[start]), *((end, i) for i in range(self.floor[start] + 1, self.floor[end] + 1))]
            for node in way[1:-1]:
                if node not in self.rows[node[1]]:
                    self.rows[node[1]].append(node)
            self.ways.update(pairwise(way))
        self.width = {node: self._width(node) for row in self.rows for node in row}
        self.beside: dict[Node, list[Node]] = {node: [] for node in self.width}
        for start, end in sorted(self.ways):
            self.beside[start].append(end)
            self.beside[end].append(start)
        self.x = self._placed()
        self._ordered()

    def is_lane(self, node: Node) -> bool:
        """Whether it is where an arrow passes a floor."""
        return self.floor[node[0]] != node[1]

    def _width(self, node: Node) -> float:
        return _LANE if self.is_lane(node) else _size(node[0], self.plan.lines)[0]

    def _placed(self) -> dict[Node, float]:
        """The middles of all, after some rounds of moving each to the mean of its neighbours; rooms, to the middle."""
        x = dict.fromkeys(self.width, 0.0)
        for _ in range(8):
            for row in (*self.rows, *reversed(self.rows)):
                wanted = [sum(x[other] for other in self.beside[node]) / max(len(self.beside[node]), 1) for node in row]
                pulled = [at if self.is_lane(node) else 0.35 * at for node, at in zip(row, wanted, strict=True)]
                x.update(zip(row, self._apart(row, pulled), strict=True))
        return x

    def _apart(self, row: list[Node], wanted: list[float]) -> list[float]:
        """The places nearest to those wanted in which nothing overlaps: what would is moved as one block."""
        offsets, at = [], 0.0
        for before, node in zip([None, *row], row, strict=False):
            if before is not None:
                free = _BESIDE_LANE if self.is_lane(before) or self.is_lane(node) else _BETWEEN
                at += (self.width[before] + self.width[node]) / 2 + free
            offsets.append(at)
        blocks: list[list[float]] = []
        for place, offset in zip(wanted, offsets, strict=True):
            blocks.append([place - offset])
            while len(blocks) > 1 and _mean(blocks[-2]) > _mean(blocks[-1]):
                blocks[-2:] = [blocks[-2] + blocks[-1]]
        starts = [_mean(block) for block in blocks for _ in block]
        return [start + offset for start, offset in zip(starts, offsets, strict=True)]

    def _cost(self) -> float:
        """Crossings first, then how far ways go sideways."""
        ways = [(self.x[a], self.x[b], a[1]) for a, b in self.ways]
        crossings = sum(
            one[2] == other[2] and (one[0] - other[0]) * (one[1] - other[1]) < 0
            for i, one in enumerate(ways)
            for other in ways[:i]
        )
        left, right = self.extent()
        return 60 * crossings + sum(abs(a - b) for a, b, _ in ways) + 3 * (right - left)

    def extent(self) -> tuple[float, float]:
        """The left and the right edge of everything."""
        edges = [(self.x[node] - width / 2, self.x[node] + width / 2) for node, width in self.width.items()]
        return min(left for left, _ in edges), max(right for _, right in edges)

    def _ordered(self) -> None:
        """Exchanges two of a row as long as that makes the picture better."""
        best, better = self._cost(), True
        while better:
            better = False
            for row in self.rows:
                for i in range(len(row)):
                    for j in range(i):
                        row[i], row[j] = row[j], row[i]
                        kept, self.x = self.x, self._placed()
                        cost = self._cost()
                        if cost < best - 1e-6:
                            best, better = cost, True
                        else:
                            self.x = kept
                            row[i], row[j] = row[j], row[i]


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)


# --- How it looks ---

# What a page has beside this for its own themes (docs/static/site.css) goes over it.
_STYLE = """
svg.house { color: #1f2328; --shade: 42%; }
@media (prefers-color-scheme: dark) { svg.house { color: #e6edf3; --shade: 66%; } }
svg.house text { font: 14px ui-sans-serif, system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif;
  fill: currentColor; text-anchor: middle; }
svg.house .room { fill: hsl(var(--hue) 70% 50% / 0.2); stroke: hsl(var(--hue) 60% var(--shade)); }
svg.house .machinery { fill-opacity: 0.25; stroke-opacity: 0.45; }
svg.house .lines { fill: hsl(var(--hue) 60% var(--shade)); }
svg.house .frame { fill: none; stroke: currentColor; stroke-opacity: 0.3; }
svg.house .arrow { fill: none; stroke: hsl(var(--hue) 55% var(--shade)); stroke-width: 1.4; stroke-opacity: 0.85; }
svg.house .head { fill: hsl(var(--hue) 60% var(--shade)); }
svg.house .door { stroke: currentColor; stroke-dasharray: 3 3; }
svg.house .door-head { fill: currentColor; }
"""


def _hue(floor: int, floors: int) -> str:
    """From red under the roof to blue on the ground."""
    return f"--hue: {round(8 + 222 * floor / (floors - 1))}"


def svg(drawn: Plan) -> str:
    """The picture."""
    layout = Layout(drawn)
    heights = [max(_size(box, drawn.lines)[1] for box in floor) for floor in drawn.floors]
    tops = [_GAP / 2 + sum(heights[:i]) + i * _GAP for i in range(len(heights))]
    left, right = layout.extent()
    body = [*_arrows(layout, tops, heights), *_doors(layout, tops, heights)]
    for floor, boxes in enumerate(drawn.floors):
        for box in boxes:
            body += _box(
                box, drawn.lines, layout.x[box, floor], tops[floor] + heights[floor] / 2, _hue(floor, len(tops))
            )
    view = f"{left - 4:.0f} 0 {right - left + 8:.0f} {tops[-1] + heights[-1] + _GAP / 2:.0f}"
    name = 'role="img" aria-label="The wings of the library, and which imports which"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="house" viewBox="{view}" {name}>'
    words = f"<desc>{escape(chr(10).join(described(drawn)))}</desc>"
    return "\n".join([head, words, f"<style>{_STYLE}</style>", *body, "</svg>", ""])


def _box(box: Box, lines: dict[str, int], x: float, y: float, hue: str) -> Iterator[str]:
    """A frame and the rooms in it, each with a bar as long as its code."""
    width, height = _size(box, lines)
    left, top = x - width / 2, y - height / 2
    yield f'<g style="{hue}">'
    inset = 0
    if len(box) > 1:
        inset = _PAD
        yield f'<rect class="frame" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="7"/>'
    columns = _columns(box)
    for row in range(0, len(box), columns):
        names = box[row : row + columns]
        widths = [_room_width(name, lines[name]) for name in names]
        stretched = (width - 2 * inset - (len(names) - 1) * _PAD) / sum(widths)  # rows of one frame are equally long
        at, room_top = left + inset, top + inset + row // columns * (_ROOM + _PAD)
        for name, room in zip(names, widths, strict=True):
            wide = room * stretched
            kind = "room machinery" if name.startswith("_") else "room"
            yield f"<g><title>{escape(name)}: {lines[name]} lines</title>"
            yield f'<rect class="{kind}" x="{at:.1f}" y="{room_top:.1f}" width="{wide:.1f}" height="{_ROOM}" rx="4"/>'
            bar = min(_WIDE * lines[name], wide)
            foot = room_top + _ROOM - 3
            yield f'<rect class="lines" x="{at:.1f}" y="{foot:.1f}" width="{bar:.1f}" height="3" rx="1.5"/>'
            yield f'<text x="{at + wide / 2:.1f}" y="{room_top + _ROOM / 2 + 3.5:.1f}">{escape(name)}</text></g>'
            at += wide + _PAD
    yield "</g>"


def _ends(layout: Layout, node: Node, tops: list[float], heights: list[float]) -> tuple[float, float]:
    """Where a frame, or a lane, begins and ends."""
    middle = tops[node[1]] + heights[node[1]] / 2
    half = heights[node[1]] / 2 if layout.is_lane(node) else _size(node[0], layout.plan.lines)[1] / 2
    return middle - half, middle + half


def _arrows(layout: Layout, tops: list[float], heights: list[float]) -> Iterator[str]:
    """Every arrow; those that share a lane are one line from there on."""
    ports = _ports(layout)
    for start, end in sorted(layout.ways, key=lambda way: (way[0][1], layout.x[way[0]], layout.x[way[1]])):
        (_, y), (y_end, _) = _ends(layout, start, tops, heights), _ends(layout, end, tops, heights)
        hue = _hue(layout.floor[end[0]], len(tops))
        x, x_end = ports[start, end], layout.x[end]
        arrives = not layout.is_lane(end)
        stop = y_end - 5 if arrives else y_end
        bend = (stop - y) * 0.55
        straight = f" V{_ends(layout, end, tops, heights)[1]:.1f}" if not arrives else ""
        curve = f"M{x:.1f} {y:.1f} C{x:.1f} {y + bend:.1f} {x_end:.1f} {stop - bend:.1f} {x_end:.1f} {stop:.1f}"
        yield f'<path class="arrow" style="{hue}" d="{curve}{straight}"/>'
        if arrives:
            yield f'<path class="head" style="{hue}" d="M{x_end:.1f} {y_end:.1f} l-3.5 -6.5 h7 z"/>'


def _ports(layout: Layout) -> dict[tuple[Node, Node], float]:
    """Where each way leaves the lower edge of its frame: side by side, in the order of where they lead."""
    ports: dict[tuple[Node, Node], float] = {}
    for node in layout.width:
        ends = sorted((end for start, end in layout.ways if start == node), key=layout.x.__getitem__)
        apart = min(13.0, layout.width[node] / (len(ends) + 1))
        for i, end in enumerate(ends):
            ports[node, end] = layout.x[node] + apart * (i - (len(ends) - 1) / 2)
    return ports


def _doors(layout: Layout, tops: list[float], heights: list[float]) -> Iterator[str]:
    for start, end in sorted(layout.plan.doors):
        below, above = (start, layout.floor[start]), (end, layout.floor[end])
        x, x_end = layout.x[below] + layout.width[below] / 2 - 12, layout.x[above] + layout.width[above] / 2 - 12
        y, y_end = _ends(layout, below, tops, heights)[0], _ends(layout, above, tops, heights)[1]
        stop, bend = y_end + 5, (y_end + 5 - y) * 0.55
        curve = f"M{x:.1f} {y:.1f} C{x:.1f} {y + bend:.1f} {x_end:.1f} {stop - bend:.1f} {x_end:.1f} {stop:.1f}"
        yield f'<path class="arrow door" d="{curve}"/>'
        yield f'<path class="door-head" d="M{x_end:.1f} {y_end:.1f} l-3.5 6.5 h7 z"/>'


def described(drawn: Plan) -> list[str]:
    """What the picture says, in words: who stands on which floor, how large, and who imports whom."""
    floors = [f"floor {number}: {name}" for number, floor in enumerate(drawn.floors) for box in floor for name in box]
    arrows = [f"{', '.join(a)} -> {', '.join(b)}" for a, b in sorted(drawn.arrows)]
    return [*floors, *arrows, *(f"{', '.join(a)} -> {', '.join(b)}, a door" for a, b in sorted(drawn.doors))]


def differences() -> list[str]:
    """Where the committed picture shows another house than the code is; in size, by more than a quarter."""
    drawn = plan()
    picture = PICTURE.read_text(encoding="utf-8") if PICTURE.exists() else ""
    shown = [unescape(line) for line in re.findall("<desc>(.*?)</desc>", picture, re.S) for line in line.split("\n")]
    now = described(drawn)
    sizes = {name: int(lines) for name, lines in re.findall(r"<title>(\w+): (\d+) lines</title>", picture)}
    return [
        *(f"it does not show: {line}" for line in now if line not in shown),
        *(f"it shows what is no more: {line}" for line in shown if line not in now),
        *(
            f"{name} has {lines} lines and is drawn with {sizes.get(name, 0)}"
            for name, lines in drawn.lines.items()
            if abs(lines - sizes.get(name, 0)) > max(0.25 * lines, 20)
        ),
    ]


def draw() -> Path:
    """Writes the picture."""
    PICTURE.write_text(svg(plan()), encoding="utf-8")
    return PICTURE


if __name__ == "__main__":
    print(f"{draw()}: drawn anew.")
