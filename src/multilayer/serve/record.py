"""What a run that is watched has come to, and those who listen to it.

Nothing waits for a listener. Whoever trains appends to a record; a listener has a place in it, comes when he likes, and
takes what was added since: many steps at once where he is slow, none left out. So any number may listen, each costs a
few numbers of memory, and a slow one costs the training nothing. Of weights, which are large, only the newest are kept.
"""

from __future__ import annotations

import base64
import json
import threading
from array import array
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from multilayer.functional import Array

_MOST_STEPS = 2_000  # in one event: some 30 KB


class Event:
    """Something to be told.

    Args:
        name: What it is.
        data: Plain data.
    """

    def __init__(self, name: str, data: dict[str, Any]) -> None:
        self.name, self.data = name, data

    @cached_property
    def text(self) -> str:
        """It as a server-sent event; made once, however many it is sent to."""
        return f"event: {self.name}\ndata: {json.dumps(self.data, separators=(',', ':'))}\n\n"


class Snapshot:
    """A network's weights after some step.

    Args:
        run: Which run it is of.
        step: How many steps were taken.
        weights: Copies of its arrays, in the order of `model.weights`.
    """

    def __init__(self, run: int, step: int, weights: Sequence[Array]) -> None:
        self.run, self.step, self._weights = run, step, weights

    @cached_property
    def event(self) -> Event:
        """What is told of it, in half the size of float32; made once, whoever asks, and not by who trains."""
        weights = [_in_16_bits(one) for one in self._weights]
        return Event("weights", {"run": self.run, "step": self.step, "weights": weights})


def _in_16_bits(values: Array) -> dict[str, Any]:
    """An array as whole numbers q of 16 bits: low + (high - low) q / 65535, off by (high - low) / 131070 at most."""
    low, high = float(values.min()), float(values.max())
    width = high - low or 1.0
    data = np.rint((values.astype(np.float64) - low) * (65535 / width)).astype("<u2")
    return {
        "shape": list(values.shape),
        "low": low,
        "high": low + width,
        "data": base64.b64encode(data.tobytes()).decode(),
    }


class Record:
    """A run's curves, and the newest weights.

    Args:
        run: Its number, from 0.
    """

    def __init__(self, run: int) -> None:
        self.run = run
        self.snapshot: Snapshot | None = None
        self._lock = threading.Lock()
        self._loss, self._accuracy = array("f"), array("f")
        self._epochs: list[dict[str, Any]] = []

    def __len__(self) -> int:
        """The number of steps."""
        return len(self._loss)

    def add_step(self, loss: float, accuracy: float) -> None:
        """Notes a step: the loss and the accuracy of its batch."""
        with self._lock:
            self._loss.append(loss)
            self._accuracy.append(accuracy)

    def add_epoch(self, figures: dict[str, float]) -> None:
        """Notes the figures of an epoch, its means and those of validation."""
        with self._lock:
            self._epochs.append({"epoch": len(self._epochs) + 1, "step": len(self._loss), **figures})

    def since(self, steps: int, epochs: int) -> tuple[list[float], list[float], list[dict[str, Any]]]:
        """Loss and accuracy of some steps after so many, and the epochs after so many."""
        with self._lock:
            there = slice(steps, steps + _MOST_STEPS)
            return _rounded(self._loss[there]), _rounded(self._accuracy[there]), self._epochs[epochs:]


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 5) for value in values]
