"""NumPy's archives: plain arrays as weights, and what is said to archives that were tampered with."""

import json
import struct
import warnings
import zipfile

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers, saving
from multilayer._containers import npz
from multilayer.models import load_model

X = np.random.default_rng(0).normal(size=(8, 3)).astype("f4")


def network():
    return keras.Sequential([keras.Input((3,)), layers.Dense(2, "relu", name="hidden"), layers.Dense(1, name="out")])


def trained():
    model = network()
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], verbose=0)
    return model


# --- Plain arrays ---


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_by_the_weights_paths_are_weights(tmp_path, save):
    model, other = trained(), network()
    save(tmp_path / "arrays.npz", **{v.path: v.value for v in reversed(model.weights)})
    other.load_weights(tmp_path / "arrays.npz")
    for weight, again in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, again)


def test_arrays_without_names_are_weights_in_their_order(tmp_path):
    model, other = trained(), network()
    np.savez(tmp_path / "arrays.npz", *model.get_weights())
    other.load_weights(tmp_path / "arrays.npz")
    for weight, again in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, again)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "Missing: 'hidden/bias', 'hidden/kernel', .* Unknown: none"),
        ({"x_train": X}, "Unknown: 'x_train'"),
        ({"hidden/kernel": np.zeros((2, 3))}, "its weight hidden/kernel has shape"),
        ({"hidden/kernel": np.zeros((3, 2), "i4")}, "weight hidden/kernel is of type int32"),
        ({"hidden/kernel": np.full((3, 2), np.nan)}, "weight hidden/kernel holds nan .*allow_nonfinite"),
        ({"hidden/kernel": np.array([[{}] * 2] * 3)}, "not that of an array of numbers"),
        ({"hidden/kernel": np.zeros((3, 2), "c8")}, "not that of an array of numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_and_nothing_is_changed(tmp_path, arrays, message):
    model = trained()
    before = model.get_weights()
    others = {v.path: v.value * 2 for v in model.weights} if set(arrays) == {"hidden/kernel"} else {}
    np.savez(tmp_path / "arrays.npz", **(others | arrays))
    with pytest.raises(saving.ModelFileError, match=message):
        model.load_weights(tmp_path / "arrays.npz")
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)


# --- Weights and an optimizer's state ---

NUMBERS = {"class_name": "Adam", "numbers": {"_batches": 1}, "learning_rate": 0.001, "trained": [0, 1, 2, 3]}


@pytest.mark.parametrize(
    "changes",
    [
        5,
        [],
        {"class_name": None},
        {"numbers": None},
        {"numbers": {"_batches": "1"}},
        {"numbers": {"_batches": True}},
        {"numbers": {"_batches": None}},
        {"trained": None},
        {"trained": [0, 1, 2, 4]},
        {"trained": [0, -1]},
        {"trained": [0.0]},
        {"trained": "0123"},
        {"learning_rate": "fast"},
        {"learning_rate": float("nan")},
        {"learning_rate": float("inf")},
        {"learning_rate": -1.0},
        {"learning_rate": True},
        {"surprise": 1},
    ],
)
def test_a_state_that_no_optimizer_has_is_refused_and_nothing_is_changed(tmp_path, changes):
    model = trained()
    before, state = model.get_weights(), {name: slot.copy() for name, slot in model.optimizer.state.items()}
    described = NUMBERS | changes if isinstance(changes, dict) else changes
    arrays = {f"weights/{i}": 2 * weight for i, weight in enumerate(before)}
    npz.write(tmp_path / "m.weights.npz", {"kind": "weights", "optimizer": described}, arrays)
    with pytest.raises(saving.ModelFileError, match="its optimizer|an optimizer|the optimizer's"):
        model.load_weights(tmp_path / "m.weights.npz")
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)
    for name, slot in state.items():
        np.testing.assert_array_equal(model.optimizer.state[name], slot)


def test_a_state_sets_no_attribute_but_those_that_optimizers_write(tmp_path):
    model = trained()
    described = NUMBERS | {"numbers": {"_batches": 1, "beta_1": 7}}
    arrays = {f"weights/{i}": weight for i, weight in enumerate(model.get_weights())}
    npz.write(tmp_path / "m.weights.npz", {"kind": "weights", "optimizer": described}, arrays)
    with pytest.warns(UserWarning, match=r"left as it is.*numbers \['_batches', 'beta_1'\]"):
        model.load_weights(tmp_path / "m.weights.npz")
    assert model.optimizer.beta_1 == 0.9


def test_running_vectors_larger_than_any_optimizer_keeps_are_not_read(tmp_path):
    model = trained()
    arrays = {f"weights/{i}": weight for i, weight in enumerate(model.get_weights())}
    npz.write(
        tmp_path / "m.weights.npz",
        {"kind": "weights", "optimizer": NUMBERS},
        arrays | {"optimizer/momentum": np.zeros(10_000, "f4")},
    )
    with pytest.raises(saving.ModelFileError, match="no optimizer of this model has"):
        model.load_weights(tmp_path / "m.weights.npz")


def test_running_vectors_that_are_not_finite_are_refused_before_the_weights_are_set(tmp_path):
    model = trained()
    model.optimizer.state["momentum"][0] = np.nan
    model.save_weights(tmp_path / "m.weights.npz")
    other = trained()
    before = other.get_weights()
    with pytest.raises(saving.ModelFileError, match="'optimizer/momentum' holds nan"):
        other.load_weights(tmp_path / "m.weights.npz")
    for weight, kept in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)


@pytest.mark.parametrize("index", [["0", "2"], ["0", "1", "2", "3", "4"], ["0", "1", "2", "x"], ["00", "1", "2", "3"]])
def test_weights_that_are_missing_or_too_many_are_refused(tmp_path, index):
    model = trained()
    arrays = {f"weights/{i}": np.zeros(1) for i in index}
    npz.write(tmp_path / "m.weights.npz", {"kind": "weights", "optimizer": None}, arrays)
    with pytest.raises(saving.ModelFileError, match=f"holds {len(index)} weights|not those of the model's 4 weights"):
        model.load_weights(tmp_path / "m.weights.npz")


# --- Tampering ---


def archive(path, *members, compression=zipfile.ZIP_STORED):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there twice
        with zipfile.ZipFile(path, "w", compression) as file:
            for name, content in members:
                file.writestr(name, content)
    return path


def array(header, data=b"", version=b"\x01\x00"):
    text = header.encode() if isinstance(header, str) else header
    return b"\x93NUMPY" + version + struct.pack("<H" if version[:1] == b"\x01" else "<I", len(text)) + text + data


def header(descr="'<f4'", fortran="False", shape="(2,)"):
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}    \n"


BAD = {
    "no header": b"",
    "another version": array(header(), bytes(8), b"\x03\x00"),
    "a header that calls": array(header(shape="(__import__('os').getpid(),)"), bytes(8)),
    "a header that is huge": array("{" + " " * 60_000, bytes(8)),
    "a header longer than the file": array(header(), bytes(8))[:9] + b"\xff" + array(header(), bytes(8))[10:],
    "a header of 4 GiB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + header().encode(),
    "objects": array(header("'|O'"), bytes(16)),
    "records": array(header("[('a', '<f4')]"), bytes(8)),
    "text": array(header("'<U2'"), bytes(16)),
    "dates": array(header("'<M8'"), bytes(16)),
    "no such float": array(header("'<f3'"), bytes(6)),
    "a shape of 2^50": array(header(shape=f"({2**50},)"), bytes(8)),
    "a shape just under 4 GiB": array(header(shape=f"({2**30 - 1},)"), bytes(8)),
    "a shape that overflows": array(header(shape=f"({2**62}, 4)"), bytes(8)),
    "a shape of 10,000 digits": array(header(shape="(" + "9" * 9_000 + ",)"), bytes(8)),
    "a negative shape": array(header(shape="(-2,)"), bytes(8)),
    "too few bytes": array(header(), bytes(7)),
    "too many bytes": array(header(), bytes(9)),
}


@pytest.mark.parametrize("kind", BAD)
def test_an_array_that_is_none_is_refused(tmp_path, kind):
    path = archive(tmp_path / "bad.npz", ("hidden/kernel.npy", BAD[kind]))
    with pytest.raises(saving.ModelFileError, match="bad.npz' is refused"):
        network().load_weights(path)


def test_a_bomb_is_refused_unpacked(tmp_path):
    content = array(header("'|u1'", shape=f"({2**26},)"), bytes(2**26))
    path = archive(tmp_path / "bomb.npz", ("config.json.npy", content), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(saving.ModelFileError, match="unpacks from"):
        load_model(path)


@pytest.mark.parametrize("name", ["../x.npy", "/etc/x.npy", "a/../../x.npy", "..\\x.npy", "C:x.npy", "x.npy\0.npy"])
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    path = archive(tmp_path / "out.npz", (name.replace("\0", "_"), array(header(), bytes(8))))
    if "\0" in name:  # which Python does not write
        path.write_bytes(path.read_bytes().replace(b"x.npy_", b"x.npy\0"))
    with pytest.raises(saving.ModelFileError, match="out of it"):
        network().load_weights(path)


def test_a_name_twice_is_refused(tmp_path):
    one = ("a.npy", array(header(), bytes(8)))
    with pytest.raises(saving.ModelFileError, match=r"it has 'a\S*' twice\."):
        network().load_weights(archive(tmp_path / "twice.npz", one, one))


def test_what_is_no_array_is_named(tmp_path):
    path = archive(tmp_path / "m.npz", ("a.npy", array(header(), bytes(8))), ("a", array(header(), bytes(8))))
    with pytest.raises(saving.ModelFileError, match="no archive of arrays: it holds 'a'"):
        network().load_weights(path)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Archives of each kind, as bytes."""
    folder = tmp_path_factory.mktemp("archives")
    model = trained()
    model.save(folder / "model.npz")
    model.save_weights(folder / "state.weights.npz")
    np.savez_compressed(folder / "plain.npz", **{v.path: v.value for v in model.weights})
    return [path.read_bytes() for path in sorted(folder.iterdir())]


@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_mutations_are_read_or_refused(tmp_path, files, seed):
    """With weights that fit or unchanged ones: nothing between."""
    rng = np.random.default_rng(seed)
    path, refused = tmp_path / "mutated.npz", 0
    model = trained()
    uses = [load_model, model.load_weights, npz.read]
    for _ in range(1000):
        content = bytearray(files[rng.integers(len(files))])
        contents = content.index(b"PK\x01\x02")  # the table of contents, which half of the changes go to
        for _ in range(rng.integers(1, 4)):
            place = int(rng.integers(contents, len(content)) if rng.random() < 0.5 else rng.integers(len(content)))
            kind = rng.integers(4)
            if kind == 0:
                content[place] = rng.integers(256)
            elif kind == 1:
                del content[place : place + rng.integers(1, 20)]
            elif kind == 2:
                content[place:place] = rng.bytes(rng.integers(1, 9))
            else:
                content[place : place + 4] = struct.pack("<I", rng.choice([0, 1, 2**31 - 1, 2**32 - 1, 70_000]))
            content += bytes(max(0, contents + 1 - len(content)))
        path.write_bytes(content)
        before = model.get_weights()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the optimizer is another
            try:
                uses[rng.integers(len(uses))](path)
            except saving.ModelFileError:
                refused += 1
                for weight, kept in zip(model.get_weights(), before, strict=True):
                    np.testing.assert_array_equal(weight, kept)
    assert refused > 700


def test_configs_of_any_content_are_read_or_refused(tmp_path):
    rng = np.random.default_rng(1)
    path = tmp_path / "forged.npz"
    text = json.dumps({"kind": "weights", "optimizer": NUMBERS})
    arrays = {f"weights/{i}": weight for i, weight in enumerate(trained().get_weights())}
    model = trained()
    for _ in range(300):
        mutated = bytearray(text.encode())
        for _ in range(rng.integers(1, 4)):
            mutated[rng.integers(len(mutated))] = rng.choice(bytearray(b'0123456789{}[]":,etn\x00\xff'))
        content = b'{"format": "multilayer", "version": 1, "content": ' + mutated + b"}"
        np.savez(path, **{npz.CONFIG: np.frombuffer(content, np.uint8)}, **arrays)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the optimizer is another
            try:
                model.load_weights(path)
            except saving.ModelFileError:
                continue
        assert 0 <= float(model.optimizer.learning_rate) < np.inf
