"""A trained table's network with all that belongs to it, in one file that is safe to open."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from multilayer._containers import npz
from multilayer._containers.errors import refusing
from multilayer._language import tr
from multilayer.models.base import Model
from multilayer.saving.formats.npz import contents
from multilayer.saving.loading import load_model

_TABLE = "table"  # where the file's config has what is not the network's


def write(filepath: str | os.PathLike[str], model: Model, state: Mapping[str, Any]) -> None:
    """Writes a network's '.npz' file, with one entry more in its config: what was done with the table before it."""
    config, arrays = contents(model)
    npz.write(filepath, {**config, _TABLE: state}, arrays)


def read(filepath: str | os.PathLike[str]) -> tuple[Model, dict[str, Any]]:
    """The network and the state in a file that `write` wrote.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or a model's file without a table.
    """
    model = load_model(filepath, compile=False)
    with npz.opened(filepath) as (config, _), refusing(filepath):
        state = config.get(_TABLE)
        if not isinstance(state, dict):
            raise ValueError(
                tr(
                    "it holds a model, and not what was done with a table before it: "
                    "`multilayer.models.load_model` reads it."
                )
            )
    return model, state
