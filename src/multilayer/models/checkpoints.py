"""A model's weights and its optimizer's state, to a file of this library and back."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from multilayer import saving
from multilayer.functional import Array
from multilayer.models import named_weights
from multilayer.models.contents import Content, Pairs, nothing_to_resume, size_of
from multilayer.optimizers import state
from multilayer.saving import npz

if TYPE_CHECKING:
    from multilayer.models.base import Model

_KIND = "weights"
_MOST_SLOTS = 64  # vectors that an optimizer keeps, each as long as the weights together; Adam has two, LBFGS twenty


def write(path: str | os.PathLike[str], model: Model) -> None:
    """Writes the weights of a built model, and the state of its optimizer where it has one."""
    numbers, slots = state.describe(model.optimizer, model.weights)
    weights = {f"weights/{i}": v.value for i, v in enumerate(model.weights)}
    saving.write(path, {"kind": _KIND, "optimizer": numbers}, {**weights, **slots})


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Content]:
    """The weights in a file that `write` wrote, or in any other NumPy archive of arrays.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or no file of weights.
    """
    with npz.arrays_in(path) as arrays:
        if npz.CONFIG not in arrays:
            yield named_weights.content(arrays)
            return
    with saving.opened(path) as (described, stored):
        if described.get("kind") != _KIND:
            raise ValueError(
                "it is no file of weights: `Model.save_weights` writes one. A whole model is loaded by `load_model`."
            )
        numbers = described.get("optimizer")
        yield Content(
            {},
            size_of(stored.values()),
            lambda model: _weights(model, stored),
            nothing_to_resume if numbers is None else lambda model, allow: _resume(model, numbers, stored, allow),
        )


def _weights(model: Model, stored: Mapping[str, saving.Stored]) -> Pairs:
    found = [name for name in stored if not name.startswith(state.PREFIX)]
    wanted = [f"weights/{i}" for i in range(len(model.weights))]
    if set(found) != set(wanted):
        raise ValueError(f"it holds {len(found)} weights, and the model has {len(wanted)}.")
    return [(v, stored[name]) for v, name in zip(model.weights, wanted, strict=True)]


def _resume(model: Model, numbers: dict[str, Any], stored: Mapping[str, saving.Stored], allow_nonfinite: bool) -> None:
    """Gives the model's optimizer the state in a file.

    Raises:
        ValueError: It is no optimizer's; nothing is changed.
    """
    if model.optimizer is None:
        return
    state.check(numbers, len(model.weights))
    slots = {name: one for name, one in stored.items() if name.startswith(state.PREFIX)}
    most = _MOST_SLOTS * (1 + sum(v.value.size for v in model.weights))
    if sum(one.size for one in slots.values()) > most:
        raise ValueError(f"its optimizer's state has more than {most:,} numbers, and no optimizer of this model has.")
    arrays: dict[str, Array] = {name: one.read() for name, one in slots.items()}
    if not allow_nonfinite:
        arrays = {name: saving.finite(array, repr(name)) for name, array in arrays.items()}
    try:
        state.restore(model.optimizer, numbers, arrays, model.weights)
    except ValueError as error:
        warnings.warn(
            f"The optimizer '{model.optimizer.name}' is left as it is, and the weights alone are loaded: {error}",
            stacklevel=3,
        )
