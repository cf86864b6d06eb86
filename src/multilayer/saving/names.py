"""What files may be called: checked before anything is written, and before a training that will write it."""

from __future__ import annotations

import os

WEIGHTS, SAFETENSORS = ".weights.npz", ".safetensors"
_PICKLES = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt", ".joblib")


def check_suffix(path: str | os.PathLike[str]) -> None:
    """Raises ValueError where the file's name says that it is one of Keras' own formats."""
    stem, suffix = os.path.splitext(os.fspath(path))  # noqa: PTH122 - pathlib would slow down every import
    if suffix in (".keras", ".h5", ".hdf5"):
        raise ValueError(
            f"There are no {suffix!r} files yet, only '.npz' ones. Use {stem + '.npz'!r}. To bring weights from Keras, "
            "use `model.set_weights(keras_model.get_weights())` in a program that has both."
        )
    if suffix.lower() in _PICKLES:
        raise ValueError(
            f"{os.fspath(path)!r} is named like a pickle, which can run anything when it is read; none is. Where "
            "PyTorch made it, write `safetensors.torch.save_file(module.state_dict(), 'module.safetensors')` in a "
            "program that has both, and read that file with `saving.load_pytorch(model, 'module.safetensors')`."
        )


def check_model_name(path: str | os.PathLike[str]) -> None:
    """Raises ValueError where no model can be saved under this name."""
    check_suffix(path)
    if os.fspath(path).endswith(SAFETENSORS):
        raise ValueError(f"{os.fspath(path)!r} can hold weights, but no model: use `save_weights` and `load_weights`.")
    if not os.fspath(path).endswith(".npz"):
        raise ValueError(f"A model file's name must end in '.npz'. Received: {os.fspath(path)!r}")


def check_weights_name(path: str | os.PathLike[str]) -> None:
    """Raises ValueError where no weights can be saved under this name."""
    check_suffix(path)
    if not os.fspath(path).endswith((WEIGHTS, SAFETENSORS)):
        raise ValueError(
            f"The filename must end in `{WEIGHTS}` or `{SAFETENSORS}`. Received: filepath={os.fspath(path)}"
        )


def check_weights_file(path: str | os.PathLike[str]) -> None:
    """Raises ValueError where no weights can be read from a file of this name."""
    check_suffix(path)
    if not os.fspath(path).endswith((".npz", SAFETENSORS)):
        raise ValueError(f"The filename must end in `.npz` or `{SAFETENSORS}`. Received: filepath={os.fspath(path)}")


def check_free(path: str | os.PathLike[str], overwrite: bool) -> None:
    """Raises FileExistsError where the file exists and is not to be replaced."""
    if not overwrite and os.path.exists(path):  # noqa: PTH110 - pathlib would slow down every import
        raise FileExistsError(f"{os.fspath(path)!r} exists. Pass `overwrite=True` to replace it.")
