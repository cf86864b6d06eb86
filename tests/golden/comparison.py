"""What differs between what Keras did and what we do; tested in `test_golden.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

# Losses and metrics of every epoch. An accuracy of so few samples cannot differ by so little: it is the same or wrong.
FIGURES = {"rtol": 2e-4, "atol": 1e-6}
# Weights and predictions, by the distance of whole arrays: single entries may have passed close to zero. The floor, for
# arrays that are all but zero themselves, is what float32 leaves of sums of numbers around 1. What is promised is 2e-3;
# what is measured is 1e-5 at most, whatever matrix product the processor picks.
ARRAYS = {"rtol": 2e-4, "atol": 1e-6}


def differences(recorded: Any, found: Any, where: str = "") -> Iterator[str]:
    """Yields a line for everything in which the two differ: where, in which epoch, what Keras has and what we have."""
    if isinstance(recorded, dict):
        if list(recorded) != list(found):
            yield f"{where}: Keras has {list(recorded)}, found {list(found)}"
        for key in recorded:
            if key in found:
                yield from differences(recorded[key], found[key], f"{where} / {key}")
    elif isinstance(found, np.ndarray):
        yield from _between_arrays(np.array(recorded), found, where)
    elif isinstance(recorded, list):
        if not isinstance(found, list) or len(recorded) != len(found):
            yield f"{where}: Keras has {recorded}, found {found}"
        else:
            for index, (theirs, ours) in enumerate(zip(recorded, found, strict=True)):
                place = f", epoch {index + 1}" if "/ history /" in where else f" [{index}]"
                yield from differences(theirs, ours, where + place)
    elif isinstance(recorded, float) and isinstance(found, float):
        if not np.isclose(found, recorded, **FIGURES):
            yield f"{where}: Keras has {recorded}, found {found}"
    elif recorded != found:
        yield f"{where}: Keras has {recorded!r}, found {found!r}"


def _between_arrays(recorded: np.ndarray, found: np.ndarray, where: str) -> Iterator[str]:
    if recorded.shape != found.shape:
        yield f"{where}: Keras has shape {recorded.shape}, found {found.shape}"
        return
    distance, size = np.linalg.norm(found - recorded), np.linalg.norm(recorded)
    if not distance <= ARRAYS["atol"] * np.sqrt(recorded.size) + ARRAYS["rtol"] * size:
        yield f"{where}: differs from Keras by {distance:.3g}, being of size {size:.3g}"
