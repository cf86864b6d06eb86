"""What an optimizer has gathered on its way, as plain data and arrays for a file, and from there back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from multilayer._core.arena import Variable
from multilayer.functional import Array
from multilayer.optimizers.base import Optimizer

PREFIX = "optimizer/"


def describe(
    optimizer: Optimizer | None, weights: Sequence[Variable]
) -> tuple[dict[str, Any] | None, dict[str, Array]]:
    """The state of an optimizer: numbers for a config, and the slots as arrays called 'optimizer/<slot>'.

    Args:
        optimizer: The optimizer, or None.
        weights: The weights of the model, among which are those that it trains.

    Returns:
        The numbers, None where it has taken no step, and the arrays, which are its own and no copies.
    """
    if optimizer is None or not optimizer.built:
        return None, {}
    place = {variable: index for index, variable in enumerate(weights)}
    numbers = {
        "class_name": type(optimizer).__name__,
        "numbers": {name: getattr(optimizer, name) for name in optimizer.numbers},
        # None for a schedule, which follows from the number of steps.
        "learning_rate": optimizer._learning_rate if isinstance(optimizer._learning_rate, float) else None,
        "trained": [place[variable] for variable in optimizer.trained],
    }
    return numbers, {PREFIX + slot: vector for slot, vector in optimizer.state.items()}


def check(described: Any, count: int) -> None:
    """Raises ValueError where this is nothing that `describe` can have said of the optimizer of a model.

    Args:
        described: What a file has.
        count: The number of the model's weights.
    """
    keys = {"class_name", "numbers", "learning_rate", "trained"}
    if not isinstance(described, dict) or set(described) != keys or not isinstance(described["class_name"], str):
        raise ValueError("what it says of an optimizer is no state of one.")
    numbers, trained = described["numbers"], described["trained"]
    if not isinstance(numbers, dict) or not all(type(value) in (int, float) for value in numbers.values()):
        raise ValueError("the optimizer's numbers in it are none.")
    if not all(0 <= value < 2**53 for value in numbers.values()):
        raise ValueError(f"the optimizer's numbers in it are {str(numbers)[:200]}.")
    if not isinstance(trained, list) or not all(type(i) is int and 0 <= i < count for i in trained):
        raise ValueError("its optimizer trained weights that are not there.")
    rate = described["learning_rate"]
    if rate is not None and not (type(rate) is float and 0 <= rate < math.inf):
        raise ValueError(f"its optimizer's learning rate is {str(rate)[:100]}.")


def restore(
    optimizer: Optimizer, described: Mapping[str, Any], arrays: Mapping[str, Array], weights: Sequence[Variable]
) -> None:
    """Gives an optimizer the state that `describe` described.

    Args:
        optimizer: One of the same class and arguments.
        described: The numbers.
        arrays: Arrays by name, among them the slots.
        weights: The weights of the model.

    Raises:
        ValueError: The state is that of another optimizer, or of one that trains other weights; nothing is changed.
    """
    if described["class_name"] != type(optimizer).__name__:
        raise ValueError(f"the state is that of {described['class_name']}, the optimizer {type(optimizer).__name__}.")
    if set(described["numbers"]) != set(optimizer.numbers):
        raise ValueError(f"the state has the numbers {sorted(described['numbers'])}, not {sorted(optimizer.numbers)}.")
    trained = [weights[index] for index in described["trained"]]
    untouched = not optimizer.built
    optimizer.follow(trained)
    if untouched:
        optimizer.build(np.concatenate([variable.value.ravel() for variable in trained]))
    slots = {name.removeprefix(PREFIX): array for name, array in arrays.items() if name.startswith(PREFIX)}
    shapes = {slot: vector.shape for slot, vector in optimizer.state.items()}
    found = {slot: vector.shape for slot, vector in slots.items()}
    if shapes != found:
        if untouched:
            optimizer.unbuild()
        raise ValueError(f"the optimizer's running vectors are {shapes}, the state has {found}.")
    for slot, vector in slots.items():
        np.copyto(optimizer.state[slot], vector)
    for name, value in described["numbers"].items():
        setattr(optimizer, name, value)
    if described["learning_rate"] is not None:
        optimizer.learning_rate = described["learning_rate"]
