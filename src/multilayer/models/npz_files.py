"""Models in this library's own files: `.npz`, and `.weights.npz`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from multilayer import saving
from multilayer.models import checkpoints
from multilayer.models.compiling import describe
from multilayer.models.contents import Content, Pairs, nothing_to_resume, size_of

if TYPE_CHECKING:
    from multilayer.models.base import Model


def save(path: str | os.PathLike[str], model: Model) -> None:
    """Writes a built model to a '.npz' file."""
    config = {
        "class_name": type(model).__name__,
        "config": model.get_config(),
        "compile": describe(model._compile_arguments, stacklevel=4) if model.compiled else None,
    }
    saving.write(path, config, {f"weights/{i}": v.value for i, v in enumerate(model.weights)})


save_weights, opened_weights = checkpoints.write, checkpoints.opened


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Content]:
    """A model in a '.npz' file."""
    with saving.opened(path) as (description, stored):
        yield Content(description, size_of(stored.values()), lambda model: _weights(model, stored), nothing_to_resume)


def _weights(model: Model, stored: dict[str, saving.Stored]) -> Pairs:
    if len(stored) != len(model.weights):
        raise ValueError(f"it holds {len(stored)} arrays, and its model has {len(model.weights)} weights.")
    return [(v, stored[f"weights/{i}"]) for i, v in enumerate(model.weights)]
