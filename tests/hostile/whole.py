"""The honest files that hostile ones are made from: one of each format, all of one small network."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import multilayer as ml
from helpers.paths import FILES

MODELS = ("model.keras", "model.npz")
READ_ALONE = {"model.h5": FILES / "adam.h5"}  # what Keras 2 wrote is not written here
WEIGHTS = ("model.weights.h5", "model.weights.npz", "model.safetensors")


def network() -> ml.Model:
    """784 is too many for a small file: 4-3-2, once around the block."""
    ml.utils.set_random_seed(0)
    model = ml.Sequential(
        [ml.Input((4,)), ml.layers.Dense(3, "tanh"), ml.layers.BatchNormalization(), ml.layers.Dense(2, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.eye(4), [0, 1, 0, 1], verbose=0)
    return model


def write_all(folder: Path) -> dict[str, Path]:
    """Every format once, by name."""
    model = network()
    paths = {name: folder / name for name in (*MODELS, *WEIGHTS)}
    for name, path in paths.items():
        (model.save if name in MODELS else model.save_weights)(path)
    for name, made in READ_ALONE.items():
        paths[name] = folder / name
        paths[name].write_bytes(made.read_bytes())
    return paths


def loading(path: Path) -> Callable[[], None]:
    """What reads a file as a user would: a model by `load_model`, weights into a network that has been there before.

    Where weights are refused, it looks whether that network is as it was.
    """
    if not path.name.endswith((".weights.h5", ".weights.npz", ".safetensors")):
        return lambda: ml.models.load_model(path) and None
    model = network()

    def load() -> None:
        before = model.get_weights()
        try:
            model.load_weights(path)
        except ml.saving.ModelFileError:
            assert all(map(np.array_equal, model.get_weights(), before)), "weights changed by a file that was refused"
            raise

    return load


def repacked(source: Path, target: Path, **changes: Any) -> Path:
    """A zip archive with some members replaced; None leaves one out. The names are those of the archive."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        contents = {info.filename: old.read(info) for info in old.infolist()} | changes
        for name, content in contents.items():
            if content is not None:
                new.writestr(name, content)
    return target


def with_config(source: Path, target: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A '.keras' archive whose config has been changed."""
    with zipfile.ZipFile(source) as archive:
        config = json.loads(archive.read("config.json"))
    change(config)
    return repacked(source, target, **{"config.json": json.dumps(config)})


# --- What hostile files are made by ---

Maker = Callable[[Path, dict[str, Path]], Path | Iterator[Path]]
KINDS: dict[str, Maker] = {}
DENSE = 1  # where in the network's config its first Dense layer stands


def kind(maker: Maker) -> Maker:
    """Enters a kind under its function's name."""
    KINDS[maker.__name__] = maker
    return maker


class Trap:
    """Leaves a mark where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/multilayer-was-run",)


def layer_becomes(source: Path, target: Path, **entry: Any) -> Path:
    """A '.keras' archive whose first Dense layer is described by something else."""

    def change(config: dict[str, Any]) -> None:
        layers = config["config"]["layers"]
        layers[DENSE] = {"module": "keras.layers", "registered_name": None, "config": {"name": "dense"}} | entry

    return with_config(source, target, change)


def argument_becomes(source: Path, target: Path, **arguments: Any) -> Path:
    """A '.keras' archive whose first Dense layer has other arguments."""
    return with_config(
        source, target, lambda config: config["config"]["layers"][DENSE]["config"].update(arguments) or config
    )


def with_weights(folder: Path, whole: dict[str, Path], change: Callable[[h5py.File], object]) -> Iterator[Path]:
    """The '.weights.h5' and the '.keras' file with other content in HDF5."""
    path = folder / "x.weights.h5"
    path.write_bytes(whole["model.weights.h5"].read_bytes())
    with h5py.File(path, "r+") as file:
        change(file)
    yield path
    yield repacked(whole["model.keras"], folder / "x.keras", **{"model.weights.h5": path.read_bytes()})


def replaced_dataset(file: h5py.File, make: Callable[[h5py.Group, str], object]) -> None:
    """Puts something else in the place of the first Dense layer's kernel."""
    group = file["layers/dense/vars"]
    del group["0"]
    make(group, "0")
