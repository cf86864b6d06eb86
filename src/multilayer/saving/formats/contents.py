"""What a file has of a model, whatever its format, and how weights are taken from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from multilayer._containers.stored import Stored, finite
from multilayer._core.arena import Variable
from multilayer.functional import Array
from multilayer.models.base import Model

Pairs = Sequence[tuple[Variable, Stored]]


class Content(NamedTuple):
    """A model in an open file.

    Attributes:
        description: Its class, its config, and what it was compiled with: `class_name`, `config`, `compile`.
        size: The number of elements of all arrays of floats in the file.
        weights: Gives each weight of a model, made by the description, the array that the file has for it.
        resume: Gives a compiled model's optimizer the state that the file has of it.
    """

    description: dict[str, Any]
    size: int
    weights: Callable[[Model], Pairs]
    resume: Callable[[Model, bool], None]

    def restore(self, model: Model, allow_nonfinite: bool) -> None:
        """Sets a model's weights, and its optimizer's state, to those in the file: all of them or none.

        Raises:
            ValueError: They do not fit.
        """
        pairs = self.weights(model)
        found = values(pairs, allow_nonfinite)
        self.resume(model, allow_nonfinite)
        for (variable, _), value in zip(pairs, found, strict=True):
            variable.assign(value)


def size_of(arrays: Iterable[Stored]) -> int:
    """How many elements a model may have that these arrays are the weights of: those of all that hold floats."""
    return sum(one.size for one in arrays if one.dtype.kind == "f")


def nothing_to_resume(model: Model, allow_nonfinite: bool) -> None:
    """What a file has of an optimizer that has no state of one."""


def check_shapes(pairs: Pairs) -> None:
    """Raises ValueError where an array is not of the shape of its weight."""
    for variable, stored in pairs:
        if stored.shape != variable.shape:
            raise ValueError(
                f"its weight {variable.path} has shape {variable.shape}, but the array for it {stored.shape}."
            )


def values(pairs: Pairs, allow_nonfinite: bool) -> list[Array]:
    """The weights' values, read only where all of them are of the right shape and type.

    Raises:
        ValueError: One is not, or is NaN or infinite where that is not allowed.
    """
    check_shapes(pairs)
    for variable, stored in pairs:
        if stored.dtype.kind != "f" and stored.shape:  # Keras counts in whole numbers, which are scalars
            raise ValueError(f"its weight {variable.path} is of type {stored.dtype}, and weights are floats.")
    return [
        number_array(stored, variable.dtype, f"its weight {variable.path}", allow_nonfinite)
        for variable, stored in pairs
    ]


def number_array(stored: Stored, dtype: str, what: str, allow_nonfinite: bool) -> Array:
    """The array as a type of floats, all of it finite where it must be.

    Raises:
        ValueError: It is not, or a number is too large for the type.
    """
    array = stored.read()
    with np.errstate(over="ignore"):
        result = array.astype(dtype, copy=False)
    lost = np.isinf(result) & np.isfinite(array)
    if lost.any():
        raise ValueError(f"{what} holds {array[lost][0]}, which is too large for the model's type, {dtype}.")
    return result if allow_nonfinite else finite(result, what)
