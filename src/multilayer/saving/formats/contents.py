"""What a file has of a model, whatever its format, and how weights are taken from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from multilayer._containers.errors import warn_of_file
from multilayer._containers.stored import Stored, finite
from multilayer._core.arena import Variable
from multilayer.functional import Array
from multilayer.models.base import Model
from multilayer.saving.formats.vocabularies import nothing_learned
from multilayer.saving.objects import serialize_keras_object

Pairs = Sequence[tuple[Variable, Stored]]


class Fit(NamedTuple):
    """How the layers of a model find their weights in a file.

    Attributes:
        by_name: By their names, wherever they stand; those whose names the file has not are left as they are.
        skip_mismatch: Whether what has another shape, or is missing, is left as it is, with a warning.
        skipped: Layers, and an optimizer, that are left as they are, whatever the file has.
    """

    by_name: bool = False
    skip_mismatch: bool = False
    skipped: frozenset[Any] = frozenset()


EXACT = Fit()


class Content(NamedTuple):
    """A model in an open file.

    Attributes:
        description: Its class, its config, and what it was compiled with: `class_name`, `config`, `compile`.
        size: The number of elements of all arrays of floats in the file.
        weights: Gives each weight of a model, made by the description, the array that the file has for it.
        resume: Gives a compiled model's optimizer the state that the file has of it.
        learned: Gives layers for words the vocabularies that the file has for them.
    """

    description: dict[str, Any]
    size: int
    weights: Callable[[Model], Pairs]
    resume: Callable[[Model, bool], None]
    learned: Callable[[Any, bool], None] = nothing_learned

    def restore(self, model: Model, allow_nonfinite: bool, resume: bool = True) -> None:
        """Sets a model's weights, and, where it is to resume, its optimizer's state, to those in the file: all or none.

        Raises:
            ValueError: They do not fit.
        """
        pairs = self.weights(model)
        found = values(pairs, allow_nonfinite)
        self.learned(model, allow_nonfinite)
        if resume:
            self.resume(model, allow_nonfinite)
        for (variable, _), value in zip(pairs, found, strict=True):
            variable.assign(value)


def own_compile_config(model: Model) -> Any:
    """What a model was compiled with, where its class says that itself, as plain data; else None."""
    if type(model).get_compile_config is Model.get_compile_config:
        return None
    return serialize_keras_object(model.get_compile_config())


def size_of(arrays: Iterable[Stored]) -> int:
    """How many elements a model may have that these arrays are the weights of: those of all that hold floats."""
    return sum(one.size for one in arrays if one.dtype.kind == "f")


def nothing_to_resume(model: Model, allow_nonfinite: bool) -> None:
    """What a file has of an optimizer that has no state of one."""


def require_once(names: Sequence[str], what: str) -> None:
    """Raises ValueError where a file has a name twice: one of the two would get the other's weights, without a word."""
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise ValueError(f"it names two of its {what} {twice[:100]!r}: nothing tells which is which.")


def check_shapes(pairs: Pairs) -> None:
    """Raises ValueError where an array is not of the shape of its weight."""
    for variable, stored in pairs:
        if stored.shape != variable.shape:
            raise ValueError(
                f"its weight {variable.path} has shape {variable.shape}, but the array for it {stored.shape}."
            )


def fitted(
    layers: Sequence[tuple[str, Sequence[Variable]]], in_file: Sequence[tuple[str, Sequence[Stored]]], fit: Fit
) -> Pairs:
    """Each weight of a model with its array, by the layers' places or names.

    Args:
        layers: The model's layers that have weights, by name.
        in_file: Those of the file.
        fit: How they find each other.

    Raises:
        ValueError: They do not fit.
    """
    if fit.by_name:
        named = dict(in_file)
        return [pair for name, own in layers if name in named for pair in of_layer(name, own, named[name], fit)]
    if len(in_file) != len(layers) and not fit.skip_mismatch:
        raise ValueError(f"it holds weights for {len(in_file)} layers, and the model has {len(layers)} with weights.")
    pairs: list[tuple[Variable, Stored]] = []
    for place, (name, own) in enumerate(layers):
        pairs += of_layer(name, own, in_file[place][1] if place < len(in_file) else [], fit)
    return pairs


def of_layer(name: str, variables: Sequence[Variable], arrays: Sequence[Stored], fit: Fit) -> Pairs:
    """Each weight of one layer with its array.

    Where mismatches are skipped, the layer is; where it was found by its name, the weight alone, as in Keras.

    Raises:
        ValueError: They do not fit.
    """
    try:
        if len(arrays) != len(variables):
            raise ValueError(
                f"it holds {len(arrays)} arrays for layer '{name}', and the layer has {len(variables)} weights."
            )
        pairs = list(zip(variables, arrays, strict=True))
        if fit.skip_mismatch and not fit.by_name:
            check_shapes(pairs)
    except ValueError as error:
        if not fit.skip_mismatch:
            raise
        _skipped(f"Layer '{name}'", error)
        return []
    return [pair for pair in pairs if not fit.skip_mismatch or _fits(pair)]


def _fits(pair: tuple[Variable, Stored]) -> bool:
    try:
        check_shapes([pair])
    except ValueError as error:
        _skipped(f"The weight {pair[0].path}", error)
        return False
    return True


def _skipped(what: str, error: ValueError) -> None:
    warn_of_file(f"{what} is left as it is: {error}", stacklevel=2)


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
