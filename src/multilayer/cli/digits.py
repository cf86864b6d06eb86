"""The digits that the command line trains and tests on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from multilayer import datasets
from multilayer._names import registry
from multilayer.cli.terminal import failing_on, note

if TYPE_CHECKING:
    from multilayer.models import Model

Array: TypeAlias = NDArray[Any]
Split: TypeAlias = tuple[Array, Array]

NAMES = ("mnist", "fashion_mnist", "synthetic_digits")
_TRAIN_TO_TEST = 6  # MNIST's own proportion: 60,000 to 10,000
_SYNTHETIC = 60_000  # training digits that are drawn unless another number is asked for


class Digits(NamedTuple):
    """A data set as images, uint8 of shape (n, 28, 28), and labels."""

    name: str
    train: Split
    test: Split

    def __str__(self) -> str:
        return f"{self.name}, {len(self.train[0]):,} digits to train on, {len(self.test[0]):,} to test with"


def check_name(name: str) -> None:
    """Raises ValueError, with the nearest known name, where there is no such data set."""
    if name not in NAMES:
        raise registry.unknown("data set", name, NAMES)


def load(name: str | None, samples: int | None = None) -> Digits:
    """Loads a data set, or ends the command with a message.

    Args:
        name: Its name; None is MNIST where it can be had and, said in one line, synthetic digits otherwise.
        samples: How many of the training digits to take, and a sixth as many test digits; None takes all.
    """
    with failing_on(OSError, ValueError, MemoryError):
        if name is not None:
            return _load(name, samples)
        try:
            return _load("mnist", samples)
        except datasets.DatasetUnavailableError:
            note("MNIST is neither here nor reachable; going on with synthetic digits (--data mnist tells why).")
        return _load("synthetic_digits", samples)


def side_of(model: Model) -> int:
    """The side, in pixels, of the square images that a network takes.

    Raises:
        ValueError: It takes something else.
    """
    size = math.prod(_sample_shape(model))
    side = math.isqrt(size)
    if size == 0 or side * side != size:
        raise ValueError(f"The model takes inputs of shape {model.input_shape[1:]}, which are no square images.")
    return side


def as_input(images: Array, model: Model) -> Array:
    """Images with grey values from 0 to 255 as a network's input: values from 0 to 1, in the shape that it takes.

    Raises:
        ValueError: It takes images of another size, or something else.
    """
    side = side_of(model)
    if images.shape[1:] != (side, side):
        raise ValueError(f"The model takes images of {side} x {side} pixels; these have {images.shape[1:]}.")
    return (images.astype(np.float32) / 255).reshape(len(images), *_sample_shape(model))


def _sample_shape(model: Model) -> tuple[int, ...]:
    """The shape of one input, with 0 for a side that is not fixed."""
    return tuple(side or 0 for side in model.input_shape[1:])


def _load(name: str, samples: int | None) -> Digits:
    if name == "synthetic_digits":
        return _draw(_SYNTHETIC if samples is None else samples)
    tests = None if samples is None else _tests(samples)
    (x, y), (x_test, y_test) = getattr(datasets, name).load_data()
    if samples is not None and samples > len(x):
        raise ValueError(f"{name} has {len(x)} training digits; --samples asks for {samples}.")
    return Digits(name, (x[:samples], y[:samples]), (x_test[:tests], y_test[:tests]))


def _draw(samples: int) -> Digits:
    tests = _tests(samples)
    print(f"Drawing {samples + tests:,} digits")  # a million take a minute
    return Digits("synthetic_digits", *datasets.synthetic_digits.load_data(samples, tests))


def _tests(samples: int) -> int:
    return max(1, samples // _TRAIN_TO_TEST)
