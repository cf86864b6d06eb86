"""The digits that a network is trained on while people watch: MNIST where it lies here, else digits that are drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from multilayer.datasets import mnist, synthetic_digits
from multilayer.functional import Array

Split: TypeAlias = tuple[Array, Array]
Report: TypeAlias = Callable[[float], None]

_TRAIN, _TEST = 60_000, 10_000  # as many as MNIST has
_PART = 5_000  # digits that are drawn at once: half a second's work, after which it is said how far it is


class Digits(NamedTuple):
    """A data set as a network takes it: pixels from 0 to 1, float32 of shape (n, 784), and labels."""

    name: str
    train: Split
    test: Split


def load_digits(report: Report) -> Digits:
    """MNIST where it lies on this machine, which is not asked of the network, else digits that the library draws.

    Args:
        report: Called with the share that is done, from 0 to 1. It may raise an error to break off.

    Raises:
        DatasetCorruptError: A file of MNIST is there, but broken.
    """
    found = mnist.find_data()
    if found is not None:
        train, test = found
        return Digits("mnist", _as_input(*train), _as_input(*test))
    parts = [_PART] * ((_TRAIN + _TEST) // _PART)
    drawn = []
    for number, size in enumerate(parts):
        report(number / len(parts))
        drawn.append(synthetic_digits.generate(size, seed=number, varied=True))
    images, labels = (np.concatenate(arrays) for arrays in zip(*drawn, strict=True))
    return Digits(
        "synthetic_digits", _as_input(images[:_TRAIN], labels[:_TRAIN]), _as_input(images[_TRAIN:], labels[_TRAIN:])
    )


def _as_input(images: Array, labels: Array) -> Split:
    return images.reshape(len(images), -1).astype(np.float32) / 255, labels
