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
from multilayer.optimizers import Optimizer, state
from multilayer.saving.formats import safetensors, vocabularies
from multilayer.saving.formats.contents import (
    EXACT,
    Content,
    Fit,
    Pairs,
    fitted,
    nothing_to_resume,
    own_compile_config,
    size_of,
)

_WEIGHTS = "weights"  # the kind of file, as it says itself
_NAMES = "names"  # of the weights, in their order
_HELD = "further optimizers"
_FURTHER = "optimizers/"  # what names of their arrays begin with
_MOST_SLOTS = 64  # vectors that an optimizer keeps, each as long as the weights together; Adam has two, LBFGS twenty


def save(path: str | os.PathLike[str], model: Model) -> None:
    """Writes a built model to a '.npz' file."""
    npz.write(path, *contents(model))


def contents(model: Model) -> tuple[dict[str, Any], dict[str, Array]]:
    """The config and the arrays of a built model's file."""
    own = own_compile_config(model) if model.compiled else None
    config = {
        **model.description(),
        "compile": own or describe(model._compile_arguments, stacklevel=6) if model.compiled else None,
        _NAMES: safetensors.names(model.weights),
    }
    return config, {**_arrays(model), **vocabularies.arrays_of(model)}


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Content]:
    """A model in a '.npz' file."""
    with npz.opened(path) as (description, stored):
        weights = {name: one for name, one in stored.items() if not name.startswith(vocabularies.PREFIX)}
        words = {name: one for name, one in stored.items() if name not in weights}
        yield Content(
            description,
            size_of(stored.values()),
            lambda model: _pairs(model, weights, None, EXACT),
            nothing_to_resume,
            lambda model, allow: vocabularies.from_arrays(model, words, allow),
        )


def save_weights(path: str | os.PathLike[str], model: Model) -> None:
    """Writes the weights of a built model, and the state of its optimizer where it has one."""
    numbers, arrays = state.describe(model.optimizer, model.weights)
    further = []
    for i, optimizer in enumerate(_further(model)):
        described, slots = state.describe(optimizer, model.weights)
        further.append(described)
        arrays |= {f"{_FURTHER}{i}/{name}": slot for name, slot in slots.items()}
    config = {"kind": _WEIGHTS, "optimizer": numbers, _NAMES: safetensors.names(model.weights)}
    npz.write(path, config | ({_HELD: further} if further else {}), {**_arrays(model), **arrays})


def _further(model: Model) -> list[Optimizer]:
    """The optimizers that the model was not compiled with, and holds."""
    return [one for one in model.own_optimizers() if one is not model.optimizer]


@contextmanager
def opened_weights(path: str | os.PathLike[str], fit: Fit = EXACT) -> Iterator[Content]:
    """The weights in a file that `save_weights` wrote, or in any other NumPy archive of arrays.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or no file of weights.
    """
    with npz.arrays_in(path) as arrays:
        if npz.CONFIG not in arrays:
            yield safetensors.content(arrays, fit)
            return
    with npz.opened(path) as (described, stored):
        if described.get("kind") != _WEIGHTS and "class_name" not in described:
            raise ValueError("it is no file of weights: `Model.save_weights` writes one, and `Model.save` a model's.")
        numbers = described.get("optimizer")
        beside = (state.PREFIX, _FURTHER, vocabularies.PREFIX)
        weights = {name: one for name, one in stored.items() if not name.startswith(beside)}
        yield Content(
            {},
            size_of(stored.values()),
            lambda model: _pairs(model, weights, described.get(_NAMES), fit),
            lambda model, allow: _resume_all(model, numbers, described.get(_HELD, []), stored, allow),
        )


def _arrays(model: Model) -> dict[str, Array]:
    return {f"weights/{i}": v.value for i, v in enumerate(model.weights)}


def _pairs(model: Model, stored: Mapping[str, Stored], names: Any, fit: Fit) -> Pairs:
    """Each weight with its array, which go by their order; who they belong to matters for other models alone."""
    if fit != EXACT:
        own = safetensors.by_layer(zip(safetensors.names(model.weights), model.weights, strict=True))
        return fitted([(name, list(found.values())) for name, found in own.items()], _by_layer(stored, names), fit)
    wanted = [f"weights/{i}" for i in range(len(model.weights))]
    if set(stored) != set(wanted):
        raise ValueError(f"it holds {len(stored)} weights, and the model has {len(wanted)}.")
    return [(v, stored[name]) for v, name in zip(model.weights, wanted, strict=True)]


def _by_layer(stored: Mapping[str, Stored], names: Any) -> list[tuple[str, list[Stored]]]:
    in_order = [stored.get(f"weights/{i}") for i in range(len(stored))]
    arrays = [one for one in in_order if one is not None]
    if not isinstance(names, list) or not len(names) == len(arrays) == len(stored):
        raise ValueError(
            "it does not say what its layers are called, as files of earlier releases do not: neither `by_name` nor "
            "`skip_mismatch` can tell whose its weights are."
        )
    found = safetensors.by_layer(zip(map(str, names), arrays, strict=True))
    return [(name, list(own.values())) for name, own in found.items()]


def _resume_all(model: Model, numbers: Any, further: Any, stored: Mapping[str, Stored], allow_nonfinite: bool) -> None:
    """Gives the model's optimizers the states in a file.

    Raises:
        ValueError: One is no optimizer's; those before it have theirs.
    """
    if numbers is not None and model.optimizer is not None:
        _resume(model, model.optimizer, numbers, stored, allow_nonfinite)
    held = _further(model)
    if not isinstance(further, list) or len(further) > len(held) > 0:
        raise ValueError(f"it has the states of {str(further)[:100]}, and the model holds {len(held)} optimizers.")
    for i, (optimizer, described) in enumerate(zip(held, further, strict=False)):
        own = f"{_FURTHER}{i}/"
        slots = {name.removeprefix(own): one for name, one in stored.items() if name.startswith(own)}
        if described is not None:
            _resume(model, optimizer, described, slots, allow_nonfinite)


def _resume(
    model: Model, optimizer: Optimizer, numbers: dict[str, Any], stored: Mapping[str, Stored], allow_nonfinite: bool
) -> None:
    """Gives an optimizer of the model the state in a file.

    Raises:
        ValueError: It is no optimizer's; nothing is changed.
    """
    state.check(numbers, len(model.weights))
    slots = {name: one for name, one in stored.items() if name.startswith(state.PREFIX)}
    most = _MOST_SLOTS * (1 + sum(v.value.size for v in model.weights))
    if sum(one.size for one in slots.values()) > most:
        raise ValueError(f"its optimizer's state has more than {most:,} numbers, and no optimizer of this model has.")
    arrays: dict[str, Array] = {name: one.read() for name, one in slots.items()}
    if not allow_nonfinite:
        arrays = {name: finite(array, repr(name)) for name, array in arrays.items()}
    try:
        state.restore(optimizer, numbers, arrays, model.weights)
    except ValueError as error:
        warn_of_file(
            f"The optimizer '{optimizer.name}' is left as it is, and the weights alone are loaded: {error}",
            stacklevel=3,
        )
