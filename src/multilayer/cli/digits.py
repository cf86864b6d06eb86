"""The digits that the command line trains and tests on."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from numpy.typing import NDArray

from multilayer import datasets
from multilayer._language import tr
from multilayer._names import registry
from multilayer.cli.terminal import failing_on, note

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
        return tr(
            "{name}, {count:,} digits to train on, {tests:,} to test with",
            name=self.name,
            count=len(self.train[0]),
            tests=len(self.test[0]),
        )


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
            note(tr("MNIST is neither here nor reachable; going on with synthetic digits (--data mnist tells why)."))
        return _load("synthetic_digits", samples)


def _load(name: str, samples: int | None) -> Digits:
    if name == "synthetic_digits":
        return _draw(_SYNTHETIC if samples is None else samples)
    tests = None if samples is None else _tests(samples)
    (x, y), (x_test, y_test) = getattr(datasets, name).load_data()
    if samples is not None and samples > len(x):
        raise ValueError(
            tr(
                "{name} has {count} training digits; --samples asks for {samples}.",
                name=name,
                count=len(x),
                samples=samples,
            )
        )
    return Digits(name, (x[:samples], y[:samples]), (x_test[:tests], y_test[:tests]))


def _draw(samples: int) -> Digits:
    tests = _tests(samples)
    print(tr("Drawing {samples:,} digits", samples=samples + tests))  # a million take a minute
    return Digits("synthetic_digits", *datasets.synthetic_digits.load_data(samples, tests))


def _tests(samples: int) -> int:
    return max(1, samples // _TRAIN_TO_TEST)
