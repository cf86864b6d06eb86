"""A model's weights and its optimizer's state, to a file and back."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from multilayer import saving
from multilayer.functional import Array
from multilayer.models import named_weights
from multilayer.optimizers import state
from multilayer.saving import npz

if TYPE_CHECKING:
    from multilayer.models.base import Model

_KIND = "weights"
_MOST_SLOTS = 64  # vectors that an optimizer keeps, each as long as the weights together; Adam has two, LBFGS twenty


def write(path: str | os.PathLike[str], model: Model) -> None:
    """Writes the weights of a built model, and to an archive the state of its optimizer, where it has one."""
    if os.fspath(path).endswith(saving.SAFETENSORS):
        named_weights.write(path, model)
        return
    numbers, slots = state.describe(model.optimizer, model.weights)
    weights = {f"weights/{i}": v.value for i, v in enumerate(model.weights)}
    saving.write(path, {"kind": _KIND, "optimizer": numbers}, {**weights, **slots})


def read(path: str | os.PathLike[str], model: Model, allow_nonfinite: bool = False) -> None:
    """Sets weights and optimizer state of a model to what `write` wrote.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, no file of weights, or its weights do not fit; then nothing is set.
    """
    if os.fspath(path).endswith(saving.SAFETENSORS):
        named_weights.read(path, model, allow_nonfinite)
        return
    with npz.arrays_in(path) as stored:
        if npz.CONFIG not in stored:
            named_weights.assign(model, stored, allow_nonfinite)
            return
    with saving.opened(path) as (described, stored):
        if described.get("kind") != _KIND:
            raise ValueError(
                "it is no file of weights: `Model.save_weights` writes one. A whole model is loaded by `load_model`."
            )
        numbers, slots = _optimizer(described, stored, model, allow_nonfinite)
        found = {name: one for name, one in stored.items() if not name.startswith(state.PREFIX)}
        wanted = [f"weights/{i}" for i in range(len(model.weights))]
        if set(found) != set(wanted):
            raise ValueError(f"it holds {len(found)} weights, and the model has {len(wanted)}.")
        named_weights.set_all(model, [found[name] for name in wanted], [repr(name) for name in wanted], allow_nonfinite)
    if numbers is None or model.optimizer is None:
        return
    try:
        state.restore(model.optimizer, numbers, slots, model.weights)
    except ValueError as error:
        warnings.warn(
            f"The optimizer '{model.optimizer.name}' is left as it is, and the weights alone are loaded: {error}",
            stacklevel=3,
        )


def _optimizer(
    described: dict[str, Any], stored: Mapping[str, saving.Stored], model: Model, allow_nonfinite: bool
) -> tuple[dict[str, Any] | None, dict[str, Array]]:
    """What a file has of an optimizer, read before anything of the model is changed."""
    numbers = described.get("optimizer")
    if numbers is None or model.optimizer is None:
        return None, {}
    state.check(numbers, len(model.weights))
    slots = {name: one for name, one in stored.items() if name.startswith(state.PREFIX)}
    most = _MOST_SLOTS * (1 + sum(v.value.size for v in model.weights))
    if sum(one.size for one in slots.values()) > most:
        raise ValueError(f"its optimizer's state has more than {most:,} numbers, and no optimizer of this model has.")
    arrays = {name: one.read() for name, one in slots.items()}
    return numbers, arrays if allow_nonfinite else {name: saving.finite(a, repr(name)) for name, a in arrays.items()}
