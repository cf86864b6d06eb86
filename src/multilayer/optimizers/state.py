"""What an optimizer has gathered on its way, as plain data and arrays for a file, and from there back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from multilayer._checks.states import is_own, require_array_like
from multilayer._core.arena import Variable
from multilayer.functional import Array
from multilayer.optimizers.base import Optimizer

PREFIX = "optimizer/"
# Running vectors whose root is taken: a number below zero would make NaN of a weight.
_NEVER_NEGATIVE = {
    "velocity",
    "velocity_hat",
    "accumulator",
    "accumulated_grad",
    "accumulated_delta_var",
    "norm",
    "r",
    "c",
}


def describe(
    optimizer: Optimizer | None, weights: Sequence[Variable]
) -> tuple[dict[str, Any] | None, dict[str, Array]]:
    """The state of an optimizer: numbers for a config, and the slots as arrays called 'optimizer/<slot>'.

    Args:
        optimizer: The optimizer, or None.
        weights: The weights of the model, among which are those that it trains.

    Returns:
        The numbers, None where it has taken no step, and the arrays, which are its own and no copies.

    Raises:
        ValueError: It trains what is not among the weights.
    """
    if optimizer is None or not optimizer.built:
        return None, {}
    place = {variable: index for index, variable in enumerate(weights)}
    strangers = [variable.path for variable in optimizer.trained if variable not in place]
    if strangers:
        raise ValueError(
            f"The optimizer '{optimizer.name}' trains {strangers[:5]}, which no file of the model holds: they are no "
            "weights of it. Make them, or their layers, attributes of the model."
        )
    numbers = {
        "class_name": type(optimizer).__name__,
        "numbers": {name: getattr(optimizer, name) for name in optimizer.numbers},
        # None for a schedule, which follows from the number of steps.
        "learning_rate": optimizer._learning_rate if isinstance(optimizer._learning_rate, float) else None,
        "trained": [place[variable] for variable in optimizer.trained],
    }
    return numbers, {PREFIX + slot: vector for slot, vector in optimizer.memory().items()}


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


def check_names(optimizer: Optimizer, described: Mapping[str, Any]) -> None:
    """Raises ValueError where a state, as `check` has let it through, is of another kind of optimizer."""
    if described["class_name"] != type(optimizer).__name__:
        raise ValueError(f"the state is that of {described['class_name']}, the optimizer {type(optimizer).__name__}.")
    if set(described["numbers"]) != set(optimizer.numbers):
        raise ValueError(f"the state has the numbers {sorted(described['numbers'])}, not {sorted(optimizer.numbers)}.")
    for name, value in described["numbers"].items():
        if isinstance(getattr(optimizer, name), int) and type(value) is not int:
            raise ValueError(f"the optimizer's number {name!r} in it is {value}, and must be whole.")


def check_fits(
    optimizer: Optimizer, described: Mapping[str, Any], arrays: Mapping[str, Any], weights: Sequence[Variable]
) -> None:
    """Raises ValueError where `restore` would refuse a state, or an optimizer could not go on from it.

    Args:
        optimizer: One of the same class and arguments, which follows the weights that it is to train, or none yet.
        described: The numbers, as `check` has let them through.
        arrays: The slots.
        weights: The weights of the model.
    """
    check_names(optimizer, described)
    trained = [weights[index] for index in described["trained"]]
    if trained != (optimizer.trained or trained) or len(set(trained)) < len(trained):
        raise ValueError("its optimizer trained other weights.")
    state = optimizer.built_for(trained).memory()  # what the slots will be, nobody but the optimizer knows
    if set(arrays) != {PREFIX + slot for slot in state}:
        raise ValueError(f"the optimizer's running vectors are {', '.join(state)}; it has {', '.join(arrays)[:200]}.")
    for slot, vector in state.items():
        found = arrays[PREFIX + slot]
        require_array_like(found, vector, f"the optimizer's {slot!r}")
        if is_own(type(optimizer)) and slot in _NEVER_NEGATIVE and (found < 0).any():
            raise ValueError(f"the optimizer's {slot!r} in it is a mean or sum of squares, and below zero.")


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
    check_names(optimizer, described)
    trained = [weights[index] for index in described["trained"]]
    untouched = not optimizer.built
    optimizer.follow(trained)
    if untouched:
        optimizer.build(trained)
    slots = {name.removeprefix(PREFIX): array for name, array in arrays.items() if name.startswith(PREFIX)}
    memory = optimizer.memory()
    shapes = {slot: vector.shape for slot, vector in memory.items()}
    found = {slot: vector.shape for slot, vector in slots.items()}
    if shapes != found:
        if untouched:
            optimizer.unbuild()
        raise ValueError(f"the optimizer's running vectors are {shapes}, the state has {found}.")
    for slot, vector in slots.items():
        np.copyto(memory[slot], vector)
    for name, value in described["numbers"].items():
        setattr(optimizer, name, value)
    if described["learning_rate"] is not None:
        optimizer.learning_rate = described["learning_rate"]
