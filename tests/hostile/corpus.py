"""All hostile files: one kind a function, which says in its docstring what it tries."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpers.paths import TESTS
from hostile import configs, containers, efforts, operations
from hostile.whole import KINDS, write_all

__all__ = ["KINDS", "configs", "containers", "efforts", "judged", "make", "operations"]


def make(folder: Path, whole: dict[str, Path]) -> Iterator[tuple[str, Path]]:
    """All files of all kinds."""
    for name, maker in KINDS.items():
        place = folder / name
        place.mkdir()
        made = maker(place, whole)
        for path in [made] if isinstance(made, Path) else made:
            yield name, path


def judged(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """What each file of the corpus did in a process of its own (see `probe`), by kind."""
    for name in ("whole", "probe"):
        (folder / name).mkdir()
    made = list(make(folder, write_all(folder / "whole")))
    answers = subprocess.run(
        [sys.executable, "-m", "hostile.probe", folder / "probe"],
        input="".join(f"{path}\n" for _, path in made),
        env={"PYTHONPATH": str(TESTS), "PATH": "", "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert answers.returncode == 0, answers.stderr
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for (kind, path), line in zip(made, answers.stdout.splitlines(), strict=True):
        verdict = json.loads(line)
        assert verdict["path"] == str(path)
        found[kind].append(verdict)
    return found
