"""What decides what a training comes to: the options of `train`, and their way into a run folder and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import multilayer as ml
from multilayer._language import tr
from multilayer.cli import digits

_MOST_LAYERS = 1000  # each takes a line of the summary, and a few milliseconds of every command that reads the model


class TrainOptions(NamedTuple):
    """The options of `train` that a run is repeated with, under their names on the command line.

    Args:
        data: The data set.
        samples: How many of its training digits are taken; None for all.
        hidden: Neurons of the hidden layers, such as '512,256'.
        activation: Their activation.
        optimizer: The optimizer.
        learning_rate: Size of a step; None for the optimizer's own.
        epochs: How often every digit is seen.
        batch_size: Digits in a step.
        seed: Where all random numbers come from.
    """

    data: str | None
    samples: int | None
    hidden: str
    activation: str
    optimizer: str
    learning_rate: float | None
    epochs: int
    batch_size: int
    seed: int | None

    @classmethod
    def read(cls, found: Any) -> TrainOptions:
        """The options that `_asdict` gave, checked as the command line checks them.

        Raises:
            ValueError: They are no options of this release; the message says which.
        """
        if not isinstance(found, Mapping) or set(found) != set(cls._fields):
            raise ValueError(tr("expected the options {fields}", fields=", ".join(cls._fields)))
        for name in cls._fields:
            _check(name, found[name])
        return cls(**found)


def _check(name: str, value: Any) -> None:
    try:
        _CHECKS[name](value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            tr("{name} is {known} ({error})", name=flag(name), known=repr(value)[:200], error=error)
        ) from error


def flag(name: str) -> str:
    """What an option is called on the command line."""
    return f"--{name.replace('_', '-')}"


def check_learning_rate(rate: float) -> None:
    """Raises ValueError where this cannot be the size of a step."""
    if not 0 < rate < math.inf:
        raise ValueError(tr("{rate} is no size for a step: expected a number greater than 0.", rate=rate))


def check_depth(count: int) -> None:
    """Raises ValueError where a network would have so many hidden layers that nothing comes of it but a full memory."""
    if count > _MOST_LAYERS:
        raise ValueError(
            tr("{count:,} hidden layers: expected at most {most_layers:,}.", count=count, most_layers=_MOST_LAYERS)
        )


def layer_sizes(text: str) -> list[int]:
    """'512,256' -> [512, 256]; raises ValueError where the text says something else."""
    sizes = text.split(",")
    check_depth(len(sizes))
    if not all(size.strip().isdecimal() and len(size) < 20 and 0 < int(size) < 2**63 for size in sizes):
        raise ValueError(
            tr(
                "{text!r} are no layer sizes: expected numbers of neurons, at least 1 each, such as 512,256.",
                text=text[:100],
            )
        )
    return [int(size) for size in sizes]


def _optional(check: Callable[[Any], object]) -> Callable[[Any], object]:
    return lambda value: None if value is None else check(value)


def _whole(least: int, most: int = 2**31 - 1) -> Callable[[Any], object]:
    def check(value: Any) -> None:
        if type(value) is not int or value < least:
            raise ValueError(tr("expected a whole number of at least {least}", least=least))
        if value > most:
            raise ValueError(tr("expected a whole number of at most {most:,}", most=most))

    return check


def _text(check: Callable[[str], object]) -> Callable[[Any], object]:
    def checked(value: Any) -> None:
        if not isinstance(value, str):
            raise TypeError(tr("expected text"))
        check(value)

    return checked


_CHECKS: dict[str, Callable[[Any], object]] = {
    "data": _text(digits.check_name),
    "samples": _optional(_whole(1, 10_000_000)),
    "hidden": _text(layer_sizes),
    "activation": _text(ml.activations.get),
    "optimizer": _text(ml.optimizers.get),
    "learning_rate": _optional(check_learning_rate),
    "epochs": _whole(1),
    "batch_size": _whole(1),
    "seed": _whole(0, 2**32 - 1),
}
