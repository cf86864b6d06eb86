"""What `multilayer compare` compares: a network for every combination of settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from multilayer import activations, initializers, layers, optimizers
from multilayer._language import tr
from multilayer.callbacks import LayerHistory
from multilayer.cli.train_options import check_depth
from multilayer.models import Sequential

_EVERY = 10  # steps from record to record of the gradients


@dataclass
class Trial:
    """One combination of hyperparameters, and what came of it.

    Attributes:
        settings: The value of each hyperparameter, by its option's name.
        name: What tells it from the others.
        history: Loss and metrics, a list of one value an epoch.
        record: The gradients of its layers.
        status: 'ok', or what went wrong.
        seconds: How long it trained.
        dead_units: The share of dead units at the end, a mean over the layers that can have any.
    """

    settings: dict[str, Any]
    name: str
    history: dict[str, list[float]] = field(default_factory=dict)
    record: LayerHistory = field(default_factory=lambda: LayerHistory(every=_EVERY))
    status: str = "not run"
    seconds: float = math.nan
    dead_units: float = math.nan

    def last(self, metric: str) -> float:
        """A metric's value in the last epoch; NaN where there was none."""
        return self.history[metric][-1] if self.history.get(metric) else math.nan

    def gradient(self, layer: int) -> float:
        """The size of a layer's gradient in the first step, by the layer's number."""
        sizes = list(self.record.gradients.values())
        return sizes[layer][0] if sizes else math.nan


def grid(options: Mapping[str, Sequence[Any]]) -> list[Trial]:
    """A trial for every combination of values, named after what differs between them.

    Example:
        >>> [trial.name for trial in grid({"activation": ["tanh", "relu"], "layers": [8], "width": [50, 100]})]
        ['tanh, width 50', 'tanh, width 100', 'relu, width 50', 'relu, width 100']
    """
    differing = [option for option, values in options.items() if len(values) > 1] or ["activation"]
    trials = []
    for values in product(*options.values()):
        settings = dict(zip(options, values, strict=True))
        trials.append(Trial(settings, ", ".join(_named(option, settings[option]) for option in differing)))
    return trials


def _named(option: str, value: Any) -> str:
    if option in ("activation", "initializer", "optimizer"):
        return str(value)
    if option == "layers":
        return "1 layer" if value == 1 else f"{value} layers"
    return f"{option.replace('_', ' ')} {value:g}"


def network(settings: Mapping[str, Any]) -> Sequential:
    """784 pixels, hidden layers, a probability for each of ten digits."""
    rule = optimizers.get(settings["optimizer"])
    if settings["learning_rate"] is not None:
        rule.learning_rate = settings["learning_rate"]
    hidden: list[Any] = []
    for _ in range(settings["layers"]):
        hidden.append(
            layers.Dense(settings["width"], settings["activation"], kernel_initializer=settings["initializer"])
        )
        if settings["dropout"]:
            hidden.append(layers.Dropout(settings["dropout"]))
    end = layers.Dense(10, "softmax", kernel_initializer=settings["initializer"])
    model = Sequential([layers.Input((784,)), *hidden, end])
    model.compile(rule, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# --- Values of the options ---


def activation(text: str) -> str:
    """The name of an activation; raises ValueError where there is none of this name."""
    activations.get(text)
    return text


def initializer(text: str) -> str:
    """The name of an initializer; raises ValueError where there is none of this name."""
    initializers.get(text)
    return text


def optimizer(text: str) -> str:
    """The name of an optimizer that takes steps; raises ValueError where there is none of this name."""
    if optimizers.get(text).full_batch:
        raise ValueError(tr("{text!r} takes no steps on batches, which a comparison is made of.", text=text))
    return text


def positive_integer(text: str) -> int:
    """A whole number of at least 1."""
    return _whole(text, 1)


def layer_count(text: str) -> int:
    """A number of hidden layers, which may be 0."""
    count = _whole(text, 0)
    check_depth(count)
    return count


def learning_rate(text: str) -> float:
    """A learning rate, which is above 0."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise ValueError(tr("{text!r} is no size for a step: expected a number greater than 0.", text=text))
    return value


def dropout_rate(text: str) -> float:
    """The share of a layer's outputs to drop."""
    value = _number(text)
    if not 0 <= value < 1:
        raise ValueError(
            tr("{text!r} is no share to drop: expected a number of at least 0 and less than 1.", text=text)
        )
    return value


def _whole(text: str, least: int) -> int:
    if not text.isdecimal() or int(text[:20]) < least:
        raise ValueError(tr("{text!r}: expected a whole number of at least {least}.", text=text[:100], least=least))
    if len(text) >= 20:  # more than NumPy counts to; Python itself reads no more than 4,300 digits
        raise ValueError(tr("{text!r} is beyond what can be counted.", text=text[:100]))
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(tr("{text!r} is no number.", text=text)) from None
