"""Vocabularies in files: those of Keras, this library's own, and those of strangers."""

import json
import zipfile

import numpy as np
import pytest

import multilayer as keras
from helpers.paths import FILES
from multilayer import layers
from multilayer.saving import ModelFileError

COLOURS = np.array([["red"], ["nobody"], ["äpfel"], ["red"]])
X = {
    "colour": COLOURS,
    "code": np.array([[3], [9], [2**40], [-1]]),
    "amount": np.array([[1.0], [7.0], [3.0], [0.0]]),
}
TABLE = {"colour": ["red", "green", "red", "äpfel"], "amount": [0.0, 1.0, 2.0, 5.0], "code": [1, 2, 3, 1]}
EXPECTED = json.loads((FILES / "words.json").read_text(encoding="utf-8"))


def agree(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_a_model_of_keras_knows_its_words():
    agree(keras.models.load_model(FILES / "words.keras").predict(X, verbose=0), EXPECTED["model"])


def test_a_space_of_keras_knows_its_columns():
    np.testing.assert_allclose(keras.models.load_model(FILES / "space.keras")(TABLE), EXPECTED["space"], rtol=1e-6)


@pytest.mark.parametrize("ending", ["keras", "npz"])
def test_words_come_back_from_files(tmp_path, ending):
    model = keras.models.load_model(FILES / "words.keras")
    model.save(tmp_path / f"model.{ending}")
    again = keras.models.load_model(tmp_path / f"model.{ending}")
    agree(again.predict(X, verbose=0), EXPECTED["model"])
    assert [layer.get_config() for layer in again.layers] == [layer.get_config() for layer in model.layers]
    again.layers[-1 if ending == "none" else 3].adapt(["more"])  # what was learned can be learned anew


def test_the_archive_has_the_files_of_keras(tmp_path):
    keras.models.load_model(FILES / "words.keras").save(tmp_path / "model.keras")
    with zipfile.ZipFile(FILES / "words.keras") as theirs, zipfile.ZipFile(tmp_path / "model.keras") as ours:
        names = {name for name in theirs.namelist() if name.startswith("assets/")}
        assert {name for name in ours.namelist() if name.startswith("assets/")} == names
        for name in names:
            assert ours.read(name) == theirs.read(name)


def lookup_model(words=("a", "b"), **arguments):
    lookup = layers.StringLookup(name="words", **arguments)
    lookup.adapt(list(words))
    return keras.Sequential([keras.Input((1,), dtype="string"), lookup])


def test_a_word_may_hold_anything(tmp_path):
    odd = ["", "\n", "a\r\nb", "\u2028", "\udc80", "\r"]
    model = lookup_model(odd)
    with pytest.raises(ValueError, match="cannot hold a word with a line break"):
        model.save(tmp_path / "model.keras")
    model.save(tmp_path / "model.npz")
    again = keras.models.load_model(tmp_path / "model.npz")
    assert again.layers[0].get_vocabulary() == model.layers[0].get_vocabulary()


@pytest.mark.parametrize("words", [["", "a"], ["z", "z", ""], ["\u0085", "\x0b"]])
def test_words_that_look_like_ends_of_lines(tmp_path, words):
    model = lookup_model(words)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.layers[0].get_vocabulary() == model.layers[0].get_vocabulary()


def test_what_was_set_after_it_was_given_is_kept(tmp_path):
    lookup = layers.StringLookup(vocabulary=["a", "b"])
    lookup.set_vocabulary(["c"])
    model = keras.Sequential([keras.Input((1,), dtype="string"), lookup])
    for ending in ("keras", "npz"):
        model.save(tmp_path / f"model.{ending}")
        assert keras.models.load_model(tmp_path / f"model.{ending}").predict(["c"], verbose=0) == 1


VOCABULARY = "assets/layers/string_lookup/vocabulary.txt"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[UNK]\na\na", "repeated term"),
        (b"[UNK]\n\xff", "is no text in UTF-8"),
        (None, "holds no 'vocabulary.txt' for layer 'words'"),
        (b"[UNK]\n" + b"a" * 2**25, "decompression bomb"),
    ],
    ids=["twice", "no text", "missing", "bomb"],
)
def test_a_damaged_vocabulary_is_refused(tmp_path, content, message):
    lookup_model().save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as given, zipfile.ZipFile(tmp_path / "bad.keras", "w") as bad:
        for name in given.namelist():
            if name != VOCABULARY:
                bad.writestr(name, given.read(name))
        name = VOCABULARY if content is not None else "assets/other.txt"
        bad.writestr(name, content or b"", zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelFileError, match=message):
        keras.models.load_model(tmp_path / "bad.keras")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"words": None}, "holds no vocabulary for layer 'words'"),
        ({"ends": np.array([5, 3, 7])}, "do not end where it says"),
        ({"ends": np.array([5.0, 6.0, 7.0])}, "is no list of words"),
        ({"words": np.frombuffer(b"[UNK]aa", np.uint8)}, "repeated term"),
        ({"words": np.frombuffer(b"[UNK]a\xff", np.uint8)}, "decode"),
        ({"more": np.zeros(3)}, "has no layer for it"),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
)
def test_damaged_words_in_arrays_are_refused(tmp_path, changes, message):
    lookup_model().save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as given:
        arrays = dict(given)
    for name, array in changes.items():
        place = f"vocabularies/0/{name}"
        if array is None:
            arrays.pop(place)
        else:
            arrays[place] = array
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(ModelFileError, match=message):
        keras.models.load_model(tmp_path / "bad.npz")
