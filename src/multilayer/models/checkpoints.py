"""A model's weights and its optimizer's state, to a file and back."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

from multilayer import saving
from multilayer.models import named_weights
from multilayer.optimizers import state
from multilayer.saving import npz

if TYPE_CHECKING:
    from multilayer.models.base import Model

_KIND = "weights"


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
        ValueError: It is damaged, no file of weights, or its weights do not fit; then nothing is set.
    """
    if os.fspath(path).endswith(saving.SAFETENSORS):
        named_weights.read(path, model, allow_nonfinite)
        return
    with npz.arrays_in(path) as stored:
        if npz.CONFIG not in stored:
            named_weights.assign(model, stored, allow_nonfinite)
            return
    described, arrays = saving.read(path, allow_nonfinite)
    if described.get("kind") != _KIND:
        raise ValueError(
            f"{os.fspath(path)!r} is no file of weights: `Model.save_weights` writes one. A whole model is loaded by "
            "`load_model`."
        )
    weights = [arrays[f"weights/{i}"] for i in range(sum(name.startswith("weights/") for name in arrays))]
    try:
        model.set_weights(weights)
    except ValueError as error:
        raise ValueError(f"The weights in {os.fspath(path)!r} do not fit: {error}") from error
    if model.optimizer is None or described["optimizer"] is None:
        return
    try:
        state.restore(model.optimizer, described["optimizer"], arrays, model.weights)
    except ValueError as error:
        warnings.warn(
            f"The optimizer '{model.optimizer.name}' is left as it is, and the weights alone are loaded: {error}",
            stacklevel=3,
        )
