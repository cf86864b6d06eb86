"""Golden programs about data sets: what is made of a file that has the form of the published one, but is small."""

import contextlib
import dataclasses
import hashlib
import io
import json
import tempfile
from pathlib import Path

import numpy as np

from golden.table import variants

_STREAM = np.random.RandomState(1)
_HOUSES = {"x": _STREAM.uniform(0, 9, size=(23, 3)).round(2), "y": _STREAM.uniform(5, 50, size=23).round(1)}


def _texts(n):
    """Lists of words' ranks, some of one word."""
    found = np.empty(n, dtype=object)
    found[:] = [_STREAM.randint(1, 30, size=size).tolist() for size in _STREAM.randint(1, 9, size=n)]
    return found


_REVIEWS = {
    "x_train": _texts(12),
    "y_train": np.arange(12) % 2,
    "x_test": _texts(9),
    "y_test": np.arange(9) % 3 % 2,
}
_NEWSWIRES = {"x": _texts(17), "y": _STREAM.randint(0, 46, size=17)}


def _packed(arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@contextlib.contextmanager
def published(keras, dataset, content, ending="npz"):
    """A file in the place of the published one, for the time of a block; yields its name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"small.{ending}"
        path.write_bytes(content)
        module = getattr(keras.datasets, dataset)
        names = module.load_data.__globals__ if keras.__name__ != "multilayer" else vars(module)
        kept = dict(names)
        if keras.__name__ != "multilayer":
            names["get_file"] = lambda *_, **__: str(path)
        for name in ("_BOSTON", "_CALIFORNIA", "_IMDB", "_REUTERS", "_INDEX"):
            if name in names:
                (file,) = names[name].files
                small = dataclasses.replace(file, digest=hashlib.sha256(content).hexdigest())
                names[name] = dataclasses.replace(names[name], files=(small,), mirrors=())
        try:
            yield str(path)
        finally:
            names.update(kept)


def _described(splits):
    """The parts, lists as such: an array of lists of one length is a table in Keras."""
    (x_train, y_train), (x_test, y_test) = splits
    parts = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    return {name: [np.array(row).tolist() for row in part] for name, part in parts.items()}


@variants(
    by_default=lambda keras: {},
    other_seed=lambda keras: {"seed": 7, "test_split": 0.35},
    no_test=lambda keras: {"test_split": 0},
)
def dataset_boston_housing(keras, arguments):
    with published(keras, "boston_housing", _packed(_HOUSES)) as path:
        return _described(keras.datasets.boston_housing.load_data(path, **arguments))


@variants(
    by_default=lambda keras: {},
    small=lambda keras: {"version": "small", "seed": 3, "test_split": 0.3},
)
def dataset_california_housing(keras, arguments):
    many = {"x": np.arange(1300).reshape(650, 2), "y": np.arange(650)}
    with published(keras, "california_housing", _packed(many)) as path:
        return _described(keras.datasets.california_housing.load_data(path=path, **arguments))


_WORDS = {
    "by_default": lambda keras: {},
    "frequent": lambda keras: {"num_words": 20},
    "skipped": lambda keras: {"num_words": 25, "skip_top": 8, "seed": 5},
    "dropped": lambda keras: {"num_words": 25, "skip_top": 8, "oov_char": None},
    "short": lambda keras: {"maxlen": 6},
    "bare": lambda keras: {"start_char": None, "index_from": 0},
    "moved": lambda keras: {"start_char": None, "index_from": 10, "oov_char": 0, "num_words": 30},
    "start_left_out": lambda keras: {"skip_top": 4, "start_char": 1, "oov_char": 99},
}


@variants(**_WORDS)
def dataset_imdb(keras, arguments):
    with published(keras, "imdb", _packed(_REVIEWS)) as path:
        return _described(keras.datasets.imdb.load_data(path, **arguments))


@variants(**_WORDS, split=lambda keras: {"test_split": 0.5})
def dataset_reuters(keras, arguments):
    with published(keras, "reuters", _packed(_NEWSWIRES)) as path:
        return _described(keras.datasets.reuters.load_data(path, **arguments))


@variants(imdb=lambda keras: keras.datasets.imdb, reuters=lambda keras: keras.datasets.reuters)
def dataset_words(keras, module):
    name = module.__name__.rpartition(".")[2]
    with published(keras, name, json.dumps({"the": 1, "film": 2, "\x85": 3}).encode(), "json") as path:
        return {"index": module.get_word_index(path), "topics": list(keras.datasets.reuters.get_label_names())}


# --- Windows of a series ----------------------------------------------------------------------------------------------

_SERIES = _STREAM.normal(size=(40, 2)).astype("float32")
_NEXT = np.arange(40.0)


@variants(
    by_default=lambda keras: {"sequence_length": 3},
    batches=lambda keras: {"sequence_length": 4, "batch_size": 7},
    strides=lambda keras: {"sequence_length": 3, "sequence_stride": 2, "sampling_rate": 3, "batch_size": 4},
    within=lambda keras: {"sequence_length": 3, "start_index": 5, "end_index": 21, "batch_size": 5},
    no_targets=lambda keras: {"sequence_length": 2, "targets": None, "batch_size": 16},
    few_targets=lambda keras: {"sequence_length": 2, "targets": _NEXT[:9], "batch_size": 4},
    one_by_one=lambda keras: {"sequence_length": 30, "batch_size": None},
    shuffled=lambda keras: {"sequence_length": 3, "shuffle": True, "seed": 5, "batch_size": 2},
    shuffled_whole=lambda keras: {"sequence_length": 3, "shuffle": True, "seed": 0, "batch_size": 10},
    shuffled_one_by_one=lambda keras: {"sequence_length": 35, "shuffle": True, "seed": 3, "batch_size": None},
    shuffled_by_global_seed=lambda keras: {"sequence_length": 5, "shuffle": True, "batch_size": 3},
    lists=lambda keras: {"sequence_length": 2, "data": [0.5, 1.5, 2.5], "targets": [1, 2, 3]},
)
def timeseries(keras, arguments):
    """Three epochs each: shuffled, every one has an order of its own."""
    keras.utils.set_random_seed(11)
    arguments = {"data": _SERIES, "targets": _NEXT} | arguments
    dataset = keras.utils.timeseries_dataset_from_array(**arguments)
    epochs = [_listed(dataset) for _ in range(3)]
    first = next(iter(dataset.take(1)))
    parts = first if isinstance(first, tuple) else (first,)
    return {
        "batches": len(dataset),
        "types": [part.numpy().dtype.name for part in parts],
        "shapes": [list(part.shape) for part in parts],
        "epochs": epochs if arguments.get("shuffle") else epochs[:1],
        "again": epochs[0] == epochs[1],
    }


def _listed(dataset):
    batches = [batch if isinstance(batch, tuple) else (batch,) for batch in dataset]
    return [[part.numpy().tolist() for part in batch] for batch in batches]
