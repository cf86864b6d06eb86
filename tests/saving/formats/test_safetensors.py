"""Safetensors files: weights under their names there and back, and what is said to a file that is none."""

import errno
import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import multilayer as keras
from multilayer import layers, saving
from multilayer._containers import safetensors

library = pytest.importorskip("safetensors.numpy")


def network(dtype="float32", **names):
    model = keras.Sequential(
        [
            keras.Input((4,), dtype=dtype),
            layers.Dense(3, "relu", dtype=dtype, **names),
            layers.BatchNormalization(dtype=dtype),
            layers.Dense(2, dtype=dtype),
        ]
    )
    for v in model.weights:
        v.assign(np.random.default_rng(v.value.size).uniform(0.5, 1.5, v.shape))
    return model


def described(kind="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": kind, "shape": list(shape), "data_offsets": list(offsets)}


def forge(path, header, data=b"", length=None):
    """A file with whatever header in front of the data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def read(path):
    with safetensors.opened(path) as (metadata, stored):
        return metadata, {name: one.read() for name, one in stored.items()}


# --- The way there and back ---


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_come_back_to_the_last_bit_and_under_their_names(tmp_path, dtype):
    model, other = network(dtype, name="hidden"), network(dtype, name="hidden")
    other.set_weights([np.zeros_like(weight) for weight in other.get_weights()])
    model.save_weights(tmp_path / "m.safetensors")
    other.load_weights(tmp_path / "m.safetensors")
    for weight, again in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, again)
    metadata, arrays = read(tmp_path / "m.safetensors")
    assert {"hidden/kernel", "hidden/bias"} < set(arrays)
    assert (metadata["format"], metadata["version"]) == ("multilayer", keras.__version__)
    assert json.loads(metadata["names"]) == [v.path for v in model.weights]


def test_the_library_reads_what_we_write_and_we_what_it_writes(tmp_path):
    model = network()
    model.save_weights(tmp_path / "m.safetensors")
    theirs = library.load_file(tmp_path / "m.safetensors")
    assert {name: array.tolist() for name, array in theirs.items()} == {v.path: v.value.tolist() for v in model.weights}
    kinds = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"]
    arrays = {kind: np.arange(6).reshape(2, 3).astype(kind) for kind in kinds} | {"": np.zeros((3, 0), "f4")}
    library.save_file(arrays, tmp_path / "theirs.safetensors", {"any": "text"})
    metadata, ours = read(tmp_path / "theirs.safetensors")
    assert metadata == {"any": "text"}
    assert set(ours) == set(arrays)
    for name, array in ours.items():
        assert array.dtype == arrays[name].dtype
        np.testing.assert_array_equal(array, arrays[name])


def test_weights_that_do_not_lie_in_one_piece_are_written_as_they_are(tmp_path):
    array = np.arange(6.0).reshape(2, 3).T
    safetensors.write(tmp_path / "m.safetensors", {"a": array, "b": array[::2]}, {})
    _, arrays = read(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(arrays["a"], array)
    np.testing.assert_array_equal(arrays["b"], array[::2])


def test_layers_without_names_of_their_own_match_whatever_was_made_before(tmp_path):
    network().save_weights(tmp_path / "m.safetensors")
    layers.Dense(1)  # takes a number
    model = network()
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    model.load_weights(tmp_path / "m.safetensors")
    for weight, again in zip(network().get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, again)


def test_models_in_a_model_may_have_layers_of_one_name(tmp_path):
    def nested():
        inner = [keras.Sequential([keras.Input((2,)), layers.Dense(2, name="same")]) for _ in range(2)]
        return keras.Sequential([keras.Input((2,)), *inner])

    model, other = nested(), nested()
    model.save_weights(tmp_path / "m.safetensors")
    other.load_weights(tmp_path / "m.safetensors")
    for weight, again in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, again)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=20).filter(lambda name: name != "__metadata__"),
        st.lists(st.floats(width=32, allow_nan=False), max_size=5),
        min_size=1,
        max_size=5,
    )
)
def test_arrays_of_any_name_and_length_come_back(tmp_path_factory, lists):
    path = tmp_path_factory.mktemp("safe") / "m.safetensors"
    arrays = {name: np.asarray(values, "f4") for name, values in lists.items()}
    safetensors.write(path, arrays, {})
    _, again = read(path)
    assert {name: array.tolist() for name, array in again.items()} == {n: a.tolist() for n, a in arrays.items()}


# --- Other types of numbers ---


@pytest.mark.parametrize("kind", ["f2", "f8"])
def test_other_lengths_of_numbers_are_converted(tmp_path, kind):
    model = network(name="d")
    arrays = {v.path: v.value.astype(kind) for v in model.weights}
    library.save_file(arrays, tmp_path / "m.safetensors")
    model.load_weights(tmp_path / "m.safetensors")
    for v in model.weights:
        np.testing.assert_array_equal(v.value, arrays[v.path].astype("f4"))


def test_the_upper_half_of_a_float32_is_read_as_one(tmp_path):
    data = np.array([0x3F80, 0xC000, 0x3DCD], "<u2").tobytes()
    path = forge(tmp_path / "m.safetensors", {"a": described("BF16", (3,), (0, 6))}, data)
    np.testing.assert_array_equal(read(path)[1]["a"], np.array([1, -2, 0.10009765625], "f4"))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((4, 3), 1e300), "too large for the model's type, float32"),
        (np.ones((4, 3), "i1"), "its weight d/kernel is of type int8, and weights are floats"),
        (np.ones((4, 3), bool), "is of type bool"),
        (np.full((4, 3), np.nan, "f4"), "holds nan at .*allow_nonfinite=True"),
        (np.full((4, 3), -np.inf, "f8"), "holds -inf at"),
        (np.ones((3, 4), "f4"), r"its weight d/kernel has shape \(4, 3\), but the array for it \(3, 4\)"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_nothing_is_changed(tmp_path, array, message):
    model = network(name="d")
    before = model.get_weights()
    arrays = {v.path: v.value * 2 for v in model.weights} | {"d/kernel": array}
    library.save_file(arrays, tmp_path / "m.safetensors")
    with pytest.raises(saving.ModelFileError, match=message):
        model.load_weights(tmp_path / "m.safetensors")
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)


def test_weights_that_are_not_finite_are_read_when_asked_for(tmp_path):
    model = network(name="d")
    model.layers[0].kernel.value[0, 0] = np.nan
    model.save_weights(tmp_path / "m.safetensors")
    model.layers[0].kernel.value[0, 0] = 0.0
    model.load_weights(tmp_path / "m.safetensors", allow_nonfinite=True)
    assert np.isnan(model.layers[0].kernel.value[0, 0])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: network(name="x"), "Missing: 'x/bias', 'x/kernel'. Unknown: 'd/bias', 'd/kernel'"),
        (
            lambda: keras.Sequential([keras.Input((4,)), layers.Dense(3, name="d")]),
            "Missing: none. Unknown: 'batch_n.* 1 more",
        ),
    ],
)
def test_names_that_do_not_match_are_named(tmp_path, other, message):
    network(name="d").save_weights(tmp_path / "m.safetensors")
    with pytest.raises(saving.ModelFileError, match=message):
        other().load_weights(tmp_path / "m.safetensors")


# --- Files that are none ---

FAR = 2**63
BAD = {
    "empty": (b"", None, b""),
    "no header": (b"{}", 3, b""),
    "header past the end": (b"{}", FAR, b""),
    "header of 9 MiB": (b"{" + b" " * (9 << 20) + b"}", None, b""),
    "no JSON": (b"{]", None, b""),
    "no text": (b"\xff\xfe", None, b""),
    "arrays without number": ({f"a{i}": described("U8", (0,), (0, 0)) for i in range(20_001)}, None, b""),
    "a list": (b"[]", None, b""),
    "nested": (b"[" * 100_000 + b"]" * 100_000, None, b""),
    "a name twice": (b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":1}', None, b""),
    "not described": ({"a": 5}, None, b""),
    "half described": ({"a": {"dtype": "F32", "shape": [2]}}, None, b""),
    "more described": ({"a": described() | {"file": "/etc/passwd"}}, None, bytes(8)),
    "unknown type": ({"a": described("F8_E4M3", (8,))}, None, bytes(8)),
    "a type of objects": ({"a": described("O")}, None, bytes(8)),
    "a type that is no text": ({"a": described(["F32"])}, None, bytes(8)),
    "complex": ({"a": described("C64", (1,))}, None, bytes(8)),
    "no shape": ({"a": described() | {"shape": 2}}, None, bytes(8)),
    "fractions as lengths": ({"a": described(shape=(2.0,))}, None, bytes(8)),
    "truth as a length": ({"a": described("U8", (True,), (0, 1))}, None, bytes(1)),
    "a negative length": ({"a": described(shape=(-2,))}, None, bytes(8)),
    "a shape of 2^50": ({"a": described(shape=(2**50,))}, None, bytes(8)),
    "a shape that overflows": ({"a": described(shape=(2**62, 4))}, None, bytes(8)),
    "a shape of 40 axes": ({"a": described(shape=(1,) * 39 + (2,))}, None, bytes(8)),
    "a smaller shape": ({"a": described(shape=(1,))}, None, bytes(8)),
    "no offsets": ({"a": described(offsets=())}, None, bytes(8)),
    "offsets of text": ({"a": described(offsets=("0", "8"))}, None, bytes(8)),
    "offsets that are truth": ({"a": described("U8", (1,), (False, True))}, None, bytes(1)),
    "offsets backwards": ({"a": described(offsets=(8, 0))}, None, bytes(8)),
    "offsets before the start": ({"a": described(offsets=(-8, 0))}, None, bytes(8)),
    "offsets past the end": ({"a": described(offsets=(0, 8))}, None, bytes(7)),
    "offsets far away": ({"a": described(offsets=(FAR, FAR + 8))}, None, bytes(8)),
    "an overlap": ({"a": described(), "b": described(offsets=(4, 12))}, None, bytes(12)),
    "the same bytes twice": ({"a": described(), "b": described()}, None, bytes(8)),
    "a hole": ({"a": described(), "b": described(offsets=(12, 20))}, None, bytes(20)),
    "a hole in front": ({"a": described(offsets=(4, 12))}, None, bytes(12)),
    "bytes behind": ({"a": described()}, None, bytes(9)),
    "metadata of numbers": ({"__metadata__": {"a": 1}}, None, b""),
    "metadata that is none": ({"__metadata__": []}, None, b""),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_none_is_refused_by_name(tmp_path, kind):
    header, length, data = BAD[kind]
    path = forge(tmp_path / "bad.safetensors", header, data, length)
    with pytest.raises(saving.ModelFileError, match="bad.safetensors' is refused: "):
        network().load_weights(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04." * 9, b"\x89HDF\r\n\x1a\n" + bytes(99)])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(saving.ModelFileError):
        network().load_weights(tmp_path / "m.safetensors")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file at .*m.safetensors"):
        network().load_weights(tmp_path / "m.safetensors")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("safe") / "whole.safetensors"
    network(name="d").save_weights(path)
    return path


def test_three_thousand_mutations_are_read_or_refused(whole):
    """Of each, the arrays that come out have just the bytes that the file has for them."""
    rng = np.random.default_rng(3)
    content, path = whole.read_bytes(), whole.with_name("mutated.safetensors")
    header = 8 + int.from_bytes(content[:8], "little")
    refused = 0
    for _ in range(3000):
        mutated = bytearray(content)
        for _ in range(rng.integers(1, 4)):
            place = rng.integers(header)
            if rng.random() < 0.3:
                del mutated[place : place + rng.integers(1, 9)]
            else:
                mutated[place] = (
                    rng.choice(bytearray(b'0123456789{}[]":,\x00\xffF')) if place > 8 else rng.integers(256)
                )
        path.write_bytes(mutated)
        try:
            _, arrays = read(path)
        except saving.ModelFileError:
            refused += 1
        else:
            assert sum(array.nbytes for array in arrays.values()) <= 2 * len(content)  # BF16 becomes twice as long
    assert refused > 2000


@pytest.mark.parametrize("tenths", range(10))
def test_a_file_that_was_cut_off_is_refused(whole, tmp_path, tenths):
    content, path = whole.read_bytes(), tmp_path / "cut.safetensors"
    for kept in (len(content) * tenths // 10, len(content) - 1 - tenths):
        path.write_bytes(content[:kept])
        with pytest.raises(saving.ModelFileError):
            read(path)


# --- Writing ---


def test_a_disk_error_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m.safetensors"
    network().save_weights(path)
    before = path.read_bytes()

    def failing(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="what was there is as it was"):
        network().save_weights(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_exists_is_kept_when_asked_to(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        network().save_weights(path, overwrite=False)
    assert path.read_bytes() == b"old"


def test_it_holds_no_model(tmp_path):
    with pytest.raises(ValueError, match="can hold weights, but no model: use `save_weights`"):
        network().save(tmp_path / "m.safetensors")


def test_a_model_without_weights_has_nothing_to_write(tmp_path):
    with pytest.raises(ValueError, match="no weights to write"):
        keras.Sequential([keras.Input((2,)), layers.Flatten()]).save_weights(tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []
