"""The pictures below the cells of a lesson's page, for whoever reads it where nothing runs: on a code host, say.

They are small copies in docs/tutorial/pictures of what the English lesson draws; Korean pages show the same ones.
`docs/build.py --record` makes them of the figures whose data it records, and each says of which: so a picture that has
fallen behind is found without drawing anything.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lessons
from PIL import Image, PngImagePlugin

MOST = 1_500_000  # bytes of all pictures

_SHRINK = 0.625  # from 144 dots an inch to 90
_COLOURS = 256
_MIME = "image/png"
_KEY = "Figure"  # in the picture's file, of which figure it is


def _folder() -> Path:
    return lessons.TUTORIAL / "pictures"


def _shown(cell: lessons.Cell) -> list[Path]:
    """The pictures of figures below a cell; one from elsewhere shows something else, a page that it writes, say."""
    return [_folder() / Path(path).name for _, path in cell.pictures if path.startswith("../pictures/")]


def _recorded(name: str) -> Iterator[tuple[lessons.Cell, list[str]]]:
    """The cells of a lesson, and a mark of each figure that is recorded of it: the same as long as the figure is."""
    recorded: list[dict[str, Any]] = json.loads((lessons.RECORDED / "en" / f"{name}.json").read_text(encoding="utf-8"))
    for cell, given in zip(lessons.cells("en", name), recorded, strict=True):
        figures = given["figures"] if cell.checked else [[cell.code, index] for index in range(given["draws"])]
        yield cell, [hashlib.sha256(json.dumps(figure, sort_keys=True).encode()).hexdigest() for figure in figures]


def _mark(path: Path) -> str | None:
    """Of which figure a picture is; None where there is no picture."""
    if not path.exists():
        return None
    with Image.open(path) as image:
        return image.info.get(_KEY)


def _save(path: Path, png: bytes, mark: str) -> None:
    figure = Image.open(io.BytesIO(png)).convert("RGB")
    size = (round(figure.width * _SHRINK), round(figure.height * _SHRINK))
    small = figure.resize(size, Image.Resampling.LANCZOS).quantize(_COLOURS, Image.Quantize.FASTOCTREE)
    about = PngImagePlugin.PngInfo()
    about.add_text(_KEY, mark)
    small.save(path, optimize=True, pnginfo=about)


def record(ran: Path) -> list[Path]:
    """Makes the pictures that are missing or of another figure than is recorded now, and removes those of no lesson."""
    _folder().mkdir(exist_ok=True)
    written, all_shown = [], set()
    for name in lessons.names("en"):
        notebook = json.loads((ran / "en" / f"{name}.ipynb").read_text(encoding="utf-8"))
        ran_cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        for (cell, marks), ran_cell in zip(_recorded(name), ran_cells, strict=True):
            shown = [output.get("data", {}) for output in ran_cell["outputs"]]
            drawn = ["".join(data[_MIME]) for data in shown if lessons.FIGURE in data]
            for path, mark, png in zip(_shown(cell), marks, drawn, strict=False):  # `check` says where one has no place
                all_shown.add(path)
                if _mark(path) != mark:
                    _save(path, base64.b64decode(png), mark)
                    written.append(path)
    for path in set(_folder().glob("*")) - all_shown:
        path.unlink()
    return written


def check() -> list[str]:
    """What is not well with the pictures, one sentence each."""
    found, all_shown = [], set()
    for name in lessons.names("en"):
        for index, (cell, marks) in enumerate(_recorded(name), start=1):
            where, shown = f"en/{name}, code cell {index}", _shown(cell)
            all_shown.update(shown)
            if len(shown) != len(marks):
                line = f"![what it shows](../pictures/{name[:2]}-….png)"
                found.append(f"{where}: {len(marks)} figures and {len(shown)} pictures; {line} below it shows one")
                continue
            stale = [path.name for path, mark in zip(shown, marks, strict=True) if _mark(path) != mark]
            found += [f"{where}: {picture} is not of the figure that is recorded" for picture in stale]
    found += [f"{path.name}: no lesson shows it" for path in sorted(set(_folder().glob("*")) - all_shown)]
    size = sum(path.stat().st_size for path in _folder().glob("*"))
    return [*found, f"the pictures take {size:,} bytes, more than {MOST:,}"] if size > MOST else found
