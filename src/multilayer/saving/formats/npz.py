"""Models, and weights with their optimizer's state, in this library's own files: `.npz` and `.weights.npz`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from multilayer._containers import npz
from multilayer._containers.errors import warn_of_file
from multilayer._containers.stored import Stored, finite
from multilayer.functional import Array
from multilayer.models.base import Model
from multilayer.models.compiling import describe
from multilayer.optimizers import state
from multilayer.saving.formats import safetensors
from multilayer.saving.formats.contents import Content, Pairs, nothing_to_resume, size_of

_WEIGHTS = "weights"  # the kind of file, as it says itself
_MOST_SLOTS = 64  # vectors that an optimizer keeps, each as long as the weights together; Adam has two, LBFGS twenty


def save(path: str | os.PathLike[str], model: Model) -> None:
    """Writes a built model to a '.npz' file."""
    config = {
        "class_name": type(model).__name__,
        "config": model.get_config(),
        "compile": describe(model._compile_arguments, stacklevel=4) if model.compiled else None,
    }
    npz.write(path, config, _arrays(model))


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Content]:
    """A model in a '.npz' file."""
    with npz.opened(path) as (description, stored):
        yield Content(description, size_of(stored.values()), lambda model: _pairs(model, stored), nothing_to_resume)


def save_weights(path: str | os.PathLike[str], model: Model) -> None:
    """Writes the weights of a built model, and the state of its optimizer where it has one."""
    numbers, slots = state.describe(model.optimizer, model.weights)
    npz.write(path, {"kind": _WEIGHTS, "optimizer": numbers}, {**_arrays(model), **slots})


@contextmanager
def opened_weights(path: str | os.PathLike[str]) -> Iterator[Content]:
    """The weights in a file that `save_weights` wrote, or in any other NumPy archive of arrays.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or no file of weights.
    """
    with npz.arrays_in(path) as arrays:
        if npz.CONFIG not in arrays:
            yield safetensors.content(arrays)
            return
    with npz.opened(path) as (described, stored):
        if described.get("kind") != _WEIGHTS:
            raise ValueError(
                "it is no file of weights: `Model.save_weights` writes one. A whole model is loaded by `load_model`."
            )
        numbers = described.get("optimizer")
        weights = {name: one for name, one in stored.items() if not name.startswith(state.PREFIX)}
        yield Content(
            {},
            size_of(stored.values()),
            lambda model: _pairs(model, weights),
            nothing_to_resume if numbers is None else lambda model, allow: _resume(model, numbers, stored, allow),
        )


def _arrays(model: Model) -> dict[str, Array]:
    return {f"weights/{i}": v.value for i, v in enumerate(model.weights)}


def _pairs(model: Model, stored: Mapping[str, Stored]) -> Pairs:
    wanted = [f"weights/{i}" for i in range(len(model.weights))]
    if set(stored) != set(wanted):
        raise ValueError(f"it holds {len(stored)} weights, and the model has {len(wanted)}.")
    return [(v, stored[name]) for v, name in zip(model.weights, wanted, strict=True)]


def _resume(model: Model, numbers: dict[str, Any], stored: Mapping[str, Stored], allow_nonfinite: bool) -> None:
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
        arrays = {name: finite(array, repr(name)) for name, array in arrays.items()}
    try:
        state.restore(model.optimizer, numbers, arrays, model.weights)
    except ValueError as error:
        warn_of_file(
            f"The optimizer '{model.optimizer.name}' is left as it is, and the weights alone are loaded: {error}",
            stacklevel=3,
        )
