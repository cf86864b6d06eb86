"""The pictures below the cells of a lesson's page, for whoever reads it where nothing runs: on a code host, say.

They are small copies in docs/tutorial/pictures of what the English lesson draws; Korean pages show the same ones.
`docs/build.py --record` makes them, and every build compares them with what it has drawn.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lessons
import numpy as np
from PIL import Image

FOLDER = lessons.TUTORIAL / "pictures"
SHRINK = 0.625  # from 144 dots an inch to 90
COLOURS = 64
MOST = 2_000_000  # bytes of all of them

_MIME = "image/png"
# Other versions of Matplotlib and FreeType set letters a pixel further: what is compared is this much coarser, and
# parts from what is drawn by up to this share of white. Two different figures part by several times as much.
_COARSE = (48, 32)
_SHARE = 0.02


def small(png: bytes) -> Image.Image:
    """A figure as its picture shows it."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    size = (round(image.width * SHRINK), round(image.height * SHRINK))
    return image.resize(size, Image.Resampling.LANCZOS).quantize(COLOURS, dither=Image.Dither.NONE)


def alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures show the same."""
    if any(abs(a - b) > 0.05 * max(a, b) for a, b in zip(one.size, other.size, strict=True)):
        return False
    a, b = (
        np.asarray(image.convert("RGB").resize(_COARSE, Image.Resampling.BOX), float) / 255 for image in (one, other)
    )
    return float(np.abs(a - b).max(axis=2).mean()) < _SHARE


def _drawn(ran: Path, name: str) -> Iterator[tuple[lessons.Cell, list[bytes]]]:
    """The cells of a lesson, and what each has drawn."""
    notebook: dict[str, Any] = json.loads((ran / "en" / f"{name}.ipynb").read_text(encoding="utf-8"))
    ran_cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell, given in zip(lessons.cells("en", name), ran_cells, strict=True):
        shown = [output.get("data", {}) for output in given["outputs"]]
        yield cell, [base64.b64decode("".join(data[_MIME])) for data in shown if _MIME in data]


def _shown(cell: lessons.Cell) -> list[Path]:
    """The pictures of figures below a cell; one from elsewhere shows something else, a page that it writes, say."""
    return [FOLDER / path.rpartition("/")[2] for _, path in cell.pictures if path.startswith("../pictures/")]


def record(ran: Path) -> list[Path]:
    """Makes the pictures anew that do not show what has been drawn, and removes those that no page shows."""
    FOLDER.mkdir(exist_ok=True)
    written, all_shown = [], set()
    for name in lessons.names("en"):
        for cell, drawn in _drawn(ran, name):
            for path, png in zip(_shown(cell), drawn, strict=False):  # `check` complains of one too many
                all_shown.add(path)
                if not path.exists() or not alike(small(png), Image.open(path)):
                    small(png).save(path, optimize=True)
                    written.append(path)
    for path in set(FOLDER.glob("*")) - all_shown:
        path.unlink()
    return written


def check(ran: Path) -> list[str]:
    """What is not well with the pictures, one sentence each."""
    found, all_shown = [], set()
    for name in lessons.names("en"):
        for index, (cell, drawn) in enumerate(_drawn(ran, name), start=1):
            where, shown = f"en/{name}, code cell {index}", _shown(cell)
            all_shown.update(shown)
            if len(shown) != len(drawn):
                found.append(
                    f"{where}: draws {len(drawn)} figures, and {len(shown)} pictures stand below it: "
                    f"write ![what it shows](../pictures/{name[:2]}-….png) there, in both languages"
                )
                continue
            for path, png in zip(shown, drawn, strict=True):
                if not path.exists():
                    found.append(f"{where}: there is no {path.name}")
                elif cell.checked and not alike(small(png), Image.open(path)):
                    found.append(f"{where}: {path.name} shows something else than is drawn")
    found += [f"{path.name}: no lesson shows it" for path in sorted(set(FOLDER.glob("*")) - all_shown)]
    size = sum(path.stat().st_size for path in FOLDER.glob("*"))
    if size > MOST:
        found.append(f"the pictures take {size:,} bytes, more than {MOST:,}")
    return found
