"""The files in `recorded/`: what Keras did, as JSON that a person can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "recorded"
SCREEN_WIDTH = 100  # of the terminal on which summaries are printed


def names(folder: str) -> set[str]:
    """The names of all recordings in a folder."""
    return {path.stem for path in (FOLDER / folder).glob("*.json")}


def read(name: str) -> dict[str, Any]:
    """The recording of this name."""
    recording: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return recording


def write(name: str, found: dict[str, Any]) -> None:
    """Writes a recording: one line for each thing that is recorded."""
    path = FOLDER / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_lines(plain(found)) + "\n", encoding="utf-8")


def plain(value: Any) -> Any:
    """What a recording holds of this: arrays as nested lists, and all numbers of Python's own types."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(inner) for inner in value]
    if isinstance(value, np.floating | float):
        return float(str(np.float32(value)))  # all digits that a float32 has
    return value.item() if isinstance(value, np.generic) else value


def _lines(value: Any, indent: str = "") -> str:
    """JSON with dicts and lists of texts over several lines, and everything else in one."""
    inner = indent + " "
    if isinstance(value, dict) and value:
        parts = [f"{json.dumps(key)}: {_lines(one, inner)}" for key, one in value.items()]
        return "{\n" + ",\n".join(inner + part for part in parts) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(one, str | list) for one in value):
        return "[\n" + ",\n".join(inner + _lines(one, inner) for one in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)
