"""All hostile files: one kind a function, which says in its docstring what it tries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hostile import configs, containers, efforts
from hostile.whole import KINDS

__all__ = ["KINDS", "configs", "containers", "efforts", "make"]


def make(folder: Path, whole: dict[str, Path]) -> Iterator[tuple[str, Path]]:
    """All files of all kinds."""
    for name, maker in KINDS.items():
        place = folder / name
        place.mkdir()
        made = maker(place, whole)
        for path in [made] if isinstance(made, Path) else made:
            yield name, path
