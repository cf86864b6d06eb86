"""Loads a file that is kept as it is published: looks where it may lie on this machine, and downloads it otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from multilayer._language import tr
from multilayer.datasets import arrays, download
from multilayer.datasets.description import Dataset, WholeFile
from multilayer.datasets.errors import DatasetUnavailableError
from multilayer.datasets.places import cache_of, corrupt, places_of


class Found(NamedTuple):
    """The bytes of a file, which are the published ones, and where they were read."""

    path: Path
    data: bytes


def load(dataset: Dataset[WholeFile], path: str) -> Found:
    """The bytes of a data set's one file.

    Wherever it lies, its digest is compared: what is read as a pickle must be the very file that was published.

    Args:
        dataset: What to load.
        path: The name under which to look for it; where that is absolute, it is looked at alone before the download.

    Raises:
        DatasetCorruptError: A file of this name is there, and is another.
        DatasetUnavailableError: It is nowhere, and cannot be downloaded.
    """
    (file,) = dataset.files
    places = [folder / path for folder in places_of(dataset)]
    for place in places:
        if place.is_file():
            return _read(file, place)
    cache = cache_of(dataset)
    try:
        download.fetch(dataset, cache)
    except OSError as error:
        raise DatasetUnavailableError(_advice(dataset, places, error)) from error
    return _read(file, cache / file.name)


def load_arrays(dataset: Dataset[WholeFile], path: str, names: tuple[str, ...]) -> list[arrays.Array]:
    """The arrays of these names in a data set's `.npz` file; see `load` and `arrays.read`."""
    found = load(dataset, path)
    try:
        return arrays.read(found.data, names)
    except ValueError as error:
        raise corrupt(found.path, str(error)) from error


def load_index(dataset: Dataset[WholeFile], path: str) -> dict[str, int]:
    """The words in a data set's JSON file, with their numbers; see `load`."""
    found = load(dataset, path)
    try:
        index = json.loads(found.data)
    except (ValueError, RecursionError) as error:
        raise corrupt(found.path, f"expected JSON; {error}") from error
    if not isinstance(index, dict) or not all(type(number) is int for number in index.values()):
        raise corrupt(found.path, "expected a dict of words with their numbers")
    return index


def split(x: arrays.Array, y: arrays.Array, test_split: float, seed: int | None) -> arrays.Splits:
    """Samples in a new order, the last part of which is there to test on: as in Keras, of the same seed the same."""
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)  # Keras' order, from a stream that is frozen
    kept = int(len(x) * (1 - test_split))
    train, test = order[:kept], order[kept:]
    return (x[train], y[train]), (x[test], y[test])


def _read(file: WholeFile, path: Path) -> Found:
    with path.open("rb") as stream:
        try:
            return Found(path, file.verified(stream))
        except ValueError as error:
            raise corrupt(path, str(error)) from error


def _advice(dataset: Dataset[WholeFile], places: list[Path], error: OSError) -> str:
    (file,) = dataset.files
    looked = "".join(f"\n  {path}" for path in dict.fromkeys(places))
    return tr(
        "{name} is not on this machine and cannot be downloaded: {error}.\nIt was looked for at{looked}\n"
        "Put it there, or set MULTILAYER_DATASETS to a folder whose subfolder {dataset} holds it. Behind a "
        "proxy, set HTTPS_PROXY. It is published at {mirrors}",
        name=file.name,
        error=error,
        looked=looked,
        dataset=dataset.name,
        mirrors=" ".join(mirror + file.address for mirror in dataset.mirrors),
    )
