"""What files may be called: checked before anything is written, and before a training that will write it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TypeVar

from multilayer._checks.arguments import file_name

T = TypeVar("T")

# What is written, and what is read beside it.
MODELS, WEIGHTS = (".keras", ".npz"), (".weights.h5", ".weights.npz", ".safetensors")
LEGACY = (".h5", ".hdf5")
PICKLES = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt", ".joblib")


def check_model_name(path: str | os.PathLike[str]) -> None:
    """Raises ValueError where no model can be saved under this name."""
    name = file_name("filepath", path)
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a `Path` would rewrite it in messages
    if suffix in LEGACY and not name.endswith(WEIGHTS):
        raise ValueError(
            f"{suffix!r} is the form in which Keras 2 saved models: it is read here, and not written. Use "
            f"{stem + '.keras'!r}, which Keras 3 reads as well."
        )
    if name.endswith(".safetensors"):
        raise ValueError(f"{name!r} can hold weights, but no model: use `save_weights` and `load_weights`.")
    _refuse_pickle(path)
    if not name.endswith(MODELS) or name.endswith(WEIGHTS):
        raise ValueError(
            f"Invalid filepath extension for saving. A model file's name must end in {_either(MODELS)}. Received: "
            f"{name!r}"
        )


def check_weights_name(path: str | os.PathLike[str]) -> None:
    """Raises ValueError where no weights can be saved under this name."""
    path = file_name("filepath", path)
    _refuse_pickle(path)
    if not os.fspath(path).endswith(WEIGHTS):
        raise ValueError(f"The filename must end in {_either(WEIGHTS, '`')}. Received: filepath={os.fspath(path)}")


def by_suffix(table: Mapping[str, T], path: str | os.PathLike[str], what: str) -> T:
    """What a table has for the ending of a file's name.

    Raises:
        ValueError: It has nothing for it.
    """
    for suffix, found in table.items():
        if os.fspath(path).endswith(suffix):
            return found
    _refuse_pickle(path)
    raise ValueError(f"The name of a file of {what} ends in {_either(table)}. Received: {os.fspath(path)!r}")


def _refuse_pickle(path: str | os.PathLike[str]) -> None:
    if file_name("filepath", path).lower().endswith(PICKLES):
        raise ValueError(
            f"File format not supported: {os.fspath(path)!r} is named like a pickle, which can run anything when it is "
            "read: none is here. Where PyTorch made it, write "
            "`safetensors.torch.save_file(module.state_dict(), 'module.safetensors')` in a "
            "program that has both, and read that file with `saving.load_pytorch(model, 'module.safetensors')`."
        )


def _either(suffixes: Iterable[str], quote: str = "'") -> str:
    *others, last = (f"{quote}{suffix}{quote}" for suffix in suffixes)
    return f"{', '.join(others)} or {last}" if others else last


def check_free(path: str | os.PathLike[str], overwrite: bool) -> None:
    """Raises FileExistsError where the file exists and is not to be replaced."""
    if not overwrite and os.path.exists(path):  # noqa: PTH110 - `Path.exists` may raise
        raise FileExistsError(f"{os.fspath(path)!r} exists. Pass `overwrite=True` to replace it.")
