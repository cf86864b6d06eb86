"""Where data sets lie on a machine: folders of the user's own, the library's cache, and that of Keras."""

from __future__ import annotations

import os
from pathlib import Path

from multilayer._language import tr
from multilayer.datasets.description import Dataset, PublishedFile
from multilayer.datasets.errors import DatasetCorruptError


def places_of(dataset: Dataset[PublishedFile]) -> list[Path]:
    """The folders to look in, in this order."""
    given = os.environ.get("MULTILAYER_DATASETS")
    names = dict.fromkeys(name for name in (dataset.name, dataset.torch_folder) if name)
    chosen = [_path(given) / name for name in names] if given else []
    return [*chosen, cache_of(dataset), _home("KERAS_HOME", "~/.keras") / "datasets" / dataset.keras_folder]


def cache_of(dataset: Dataset[PublishedFile]) -> Path:
    """The folder that a data set is downloaded into."""
    return home() / "datasets" / dataset.name


def home() -> Path:
    """The folder of all that is downloaded: `$MULTILAYER_HOME`, or `~/.multilayer`."""
    return _home("MULTILAYER_HOME", "~/.multilayer")


def corrupt(path: Path, reason: str) -> DatasetCorruptError:
    """The error that says of a file that it is not what it should be."""
    return DatasetCorruptError(
        tr("{path} is damaged: {reason}. Delete it and run again, to have it fetched anew.", path=path, reason=reason)
    )


def _home(variable: str, default: str) -> Path:
    return _path(os.environ.get(variable) or default)


def _path(given: str) -> Path:
    """A folder, `~` replaced; that of a user whom the system does not know stays, and is not there."""
    try:
        return Path(given).expanduser()
    except RuntimeError:
        return Path(given)
