"""Data sets of one file: the file is the published one, wherever it lies, or it is not read."""

import dataclasses
import hashlib
import io
import json

import numpy as np
import pytest

from multilayer.datasets import (
    DatasetCorruptError,
    DatasetUnavailableError,
    arrays,
    boston_housing,
    california_housing,
    imdb,
    reuters,
    whole,
)
from multilayer.datasets.description import Dataset, WholeFile


def packed(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def lists(*rows):
    found = np.empty(len(rows), dtype=object)
    found[:] = [list(row) for row in rows]
    return found


HOUSES = packed(x=np.arange(20.0).reshape(10, 2), y=np.arange(10.0))
REVIEWS = packed(x_train=lists([1, 5], [2], [4]), y_train=np.arange(3), x_test=lists([3]), y_test=np.ones(1, int))
WORDS = json.dumps({"the": 1, "film": 2}).encode()


def description(content, *mirrors):
    return Dataset("tiny", (WholeFile("tiny.npz", 5000, hashlib.sha256(content).hexdigest()),), mirrors)


@pytest.fixture
def folders(places):
    """The folders in which the file is looked for, in this order; Keras has no folder for one file."""
    return {"chosen": places.chosen, "cache": places.cache, "keras": places.keras.parent}


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_what_is_downloaded_is_read_from_the_cache_ever_after(folders, serve):
    mirror = serve({"/tiny.npz": HOUSES})
    for _ in range(2):
        assert whole.load(description(HOUSES, mirror.url), "tiny.npz") == (folders["cache"] / "tiny.npz", HOUSES)
    assert mirror.gets == ["/tiny.npz"]


@pytest.mark.parametrize("place", ["chosen", "cache", "keras"])
def test_it_is_read_in_every_place(folders, place):
    write(folders[place] / "tiny.npz", HOUSES)
    assert whole.load(description(HOUSES), "tiny.npz") == (folders[place] / "tiny.npz", HOUSES)


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_another_file_of_the_name_is_not_read_wherever_it_lies(folders, kind):
    digest = hashlib.new(kind, HOUSES).hexdigest()
    dataset = Dataset("tiny", (WholeFile("tiny.npz", 5000, digest),), ())
    for folder in folders.values():
        write(folder / "tiny.npz", HOUSES[:-1] + b"\1")
        with pytest.raises(DatasetCorruptError, match=f"tiny.npz is damaged: expected bytes of .* {digest}, found"):
            whole.load(dataset, "tiny.npz")
        (folder / "tiny.npz").unlink()


def test_an_absolute_path_is_looked_at_first(folders, tmp_path):
    write(folders["chosen"] / "tiny.npz", b"another")
    write(tmp_path / "mine.npz", HOUSES)
    assert whole.load(description(HOUSES), str(tmp_path / "mine.npz")).data == HOUSES


@pytest.mark.parametrize(
    ("content", "message"),
    [(HOUSES[:-1], "expected bytes of SHA-256 .* found"), (bytes(6000), "expected at most 5,000 bytes, found more")],
    ids=["other bytes", "too many"],
)
def test_wrong_bytes_from_the_mirror_leave_nothing_behind(folders, serve, content, message):
    with pytest.raises(DatasetUnavailableError, match=f"cannot be downloaded: .*tiny.npz: {message}"):
        whole.load(description(HOUSES, serve({"/tiny.npz": content}).url), "tiny.npz")
    assert list(folders["cache"].iterdir()) == []


def test_a_file_that_is_nowhere_says_where_it_was_looked_for_and_what_to_do(folders):
    with pytest.raises(DatasetUnavailableError) as caught:
        whole.load(description(HOUSES, "http://example.org/"), "tiny.npz")
    for word in (
        *("tiny.npz is not on this machine and cannot be downloaded", "is no https address", "MULTILAYER_DATASETS"),
        *map(str, folders.values()),
        *("subfolder tiny", "HTTPS_PROXY", "published at http://example.org/tiny.npz"),
    ):
        assert word in str(caught.value)


def serve_as(monkeypatch, serve, module, name, content):
    """Has a module's file come from a server on this machine, small as it is."""
    dataset = getattr(module, name)
    (file,) = dataset.files
    mirror = serve({f"/{file.name}": content})
    file = dataclasses.replace(file, digest=hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(module, name, dataclasses.replace(dataset, files=(file,), mirrors=(mirror.url,)))
    return mirror


def test_houses_from_a_server(places, serve, monkeypatch):
    mirror = serve_as(monkeypatch, serve, boston_housing, "_BOSTON", HOUSES)
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data(test_split=0.3)
    assert (x_train.shape, x_test.shape) == ((7, 2), (3, 2))
    np.testing.assert_array_equal(x_train[:, 0], 2 * y_train)
    assert sorted([*y_train, *y_test]) == list(range(10))
    assert mirror.gets == ["/boston_housing.npz"]


def test_reviews_from_a_server(places, serve, monkeypatch):
    serve_as(monkeypatch, serve, imdb, "_IMDB", REVIEWS)
    (x_train, y_train), (x_test, _) = imdb.load_data(num_words=8)
    texts = dict(zip(y_train.tolist(), x_train, strict=True))
    assert texts == {0: [1, 4, 2], 1: [1, 5], 2: [1, 7]}  # 5 + 3 is beyond the last of eight words
    assert x_test.tolist() == [[1, 6]]
    with pytest.raises(ValueError, match="no sequence was kept. Increase maxlen: the shortest has 2 words"):
        imdb.load_data(maxlen=2)


def test_words_from_a_server(places, serve, monkeypatch):
    serve_as(monkeypatch, serve, reuters, "_INDEX", WORDS)
    assert reuters.get_word_index() == {"the": 1, "film": 2}


def test_a_pickle_with_a_right_digest_that_names_functions_is_not_run(places, serve, monkeypatch):
    hostile = np.empty(1, dtype=object)
    hostile[:] = [print]
    serve_as(monkeypatch, serve, reuters, "_REUTERS", packed(x=hostile, y=np.zeros(1)))
    with pytest.raises(DatasetCorruptError, match="reuters.npz is damaged: .*names builtins.print"):
        reuters.load_data()


def test_a_pickle_with_a_wrong_digest_is_not_even_opened(folders, monkeypatch, tmp_path):
    monkeypatch.setattr(arrays, "read", None)
    path = tmp_path / "imdb.npz"
    path.write_bytes(REVIEWS)
    with pytest.raises(DatasetCorruptError, match="expected bytes of SHA-256 69664113be75"):
        imdb.load_data(str(path))


@pytest.mark.parametrize("content", [b"[1]", b'{"the": "1"}', b"{", b"[" * 100_000])
def test_a_list_of_words_that_is_none_is_refused(places, serve, monkeypatch, content):
    serve_as(monkeypatch, serve, imdb, "_INDEX", content)
    with pytest.raises(DatasetCorruptError, match="imdb_word_index.json is damaged: expected"):
        imdb.get_word_index()


@pytest.mark.parametrize(
    ("load", "arguments", "message"),
    [
        (boston_housing.load_data, {"test_split": 1}, "`test_split` must be a finite number of at least 0 and less"),
        (california_housing.load_data, {"test_split": -0.1}, "`test_split` must be a finite number"),
        (california_housing.load_data, {"version": "medium"}, "`version` must be one of 'small', 'large'"),
        (reuters.load_data, {"test_split": 2}, "`test_split` must be a finite number"),
        (reuters.load_data, {"num_words": 0.5}, "`num_words` must be a whole number"),
        (imdb.load_data, {"skip_top": None}, "`skip_top` must be a whole number"),
        (imdb.load_data, {"start_char": "<s>"}, "`start_char` must be a whole number"),
    ],
)
def test_arguments_are_refused_before_anything_is_downloaded(places, load, arguments, message):
    with pytest.raises(ValueError, match=message):
        load(**arguments)


@pytest.mark.parametrize(
    "dataset",
    [boston_housing._BOSTON, california_housing._CALIFORNIA, imdb._IMDB, imdb._INDEX, reuters._REUTERS, reuters._INDEX],
)
def test_the_mirror_is_that_of_keras(dataset):
    assert dataset.mirrors == ("https://storage.googleapis.com/tensorflow/tf-keras-datasets/",)
    assert len(dataset.files[0].digest) in (32, 64)
