"""`multilayer inspect`: what it shows of a file of each format, and what a file can do to whoever looks at it."""

import json
import pickle
import sys
import zipfile

import numpy as np
import pytest

import multilayer as keras
from helpers import commands
from multilayer import layers, saving
from multilayer._containers import npz
from multilayer.saving.inspection import contents

TERMINAL = "\x1b]0;owned\x07\x1b[2J\u202e\r"  # sets a title, clears the screen, turns the text round


INNER = ["inner/input_layer", "inner/same"]


def inspect(*arguments, code=0):
    stdout, stderr = commands.call("inspect", *arguments, code=code, env={"COLUMNS": "150"})
    return str(stdout if code == 0 else stderr)


def described(path, *options):
    return json.loads(inspect(path, "--json", *options))


@pytest.fixture(scope="module")
def model():
    inner = keras.Sequential(
        [keras.Input((4,), name="input_layer"), layers.Dense(4, "tanh", name="same")], name="inner"
    )
    model = keras.Sequential(
        [keras.Input((3,), name="in"), layers.Dense(4, "relu", name="same"), inner, layers.Dense(1, name="out")],
        name="net",
    )
    model.compile(keras.optimizers.Adam(0.25), "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    return model


def test_a_model_is_shown_with_its_layers_arrays_and_optimizer(model, tmp_path):
    model.save(tmp_path / "m.npz")
    shown = inspect(tmp_path / "m.npz")
    for text in (
        "model of multilayer (npz)",
        "net",
        "Adam learning_rate=0.25",
        "inner/same",
        "units=4, activation=tanh",
    ):
        assert text in shown
    found = described(tmp_path / "m.npz")
    assert found["parameters"] == model.count_params()
    assert [(one["name"], one["class"]) for one in found["layers"][:2]] == [("in", "InputLayer"), ("same", "Dense")]
    assert found["layers"][1]["settings"] == {"units": 4, "activation": "relu", "use_bias": True}
    assert found["arrays"][0] == {"name": "weights/0", "shape": [3, 4], "dtype": "float32", "bytes": 48}


def test_weights_are_shown_with_the_state_of_their_optimizer_which_is_no_parameter(model, tmp_path):
    model.save_weights(tmp_path / "m.weights.npz")
    found = described(tmp_path / "m.weights.npz")
    assert (found["format"], found["layers"]) == ("weights of multilayer (npz)", [])
    assert {"optimizer/momentum", "optimizer/velocity"} < {one["name"] for one in found["arrays"]}
    assert found["parameters"] == model.count_params()
    assert found["optimizer"]["numbers"]["_batches"] == 1


def test_keras_files_are_shown_as_their_own_program_describes_them(model, tmp_path):
    model.save(tmp_path / "m.keras")
    found = described(tmp_path / "m.keras")
    assert found["format"] == "model of Keras 3 (.keras)"
    assert found["metadata"]["written_by"] == f"multilayer {keras.__version__}"
    assert found["metadata"]["name"] == "net"
    assert [one["name"] for one in found["layers"]] == ["in", "same", "inner", *INNER, "out"]
    assert found["optimizer"]["class_name"] == "Adam"
    assert found["parameters"] == model.count_params()
    model.save_weights(tmp_path / "m.weights.h5")
    alone = described(tmp_path / "m.weights.h5", "--finite")
    assert alone["format"] == "weights of Keras (HDF5)"
    assert [one["name"] for one in alone["arrays"]] == [one["name"] for one in found["arrays"]]
    assert all(one["finite"] for one in alone["arrays"])
    assert inspect(tmp_path / "m.keras").index("vars/2 ") < inspect(tmp_path / "m.keras").index("vars/10 ")


def test_safetensors_are_shown_with_their_metadata(model, tmp_path):
    pytest.importorskip("safetensors")
    model.save_weights(tmp_path / "m.safetensors")
    found = described(tmp_path / "m.safetensors")
    assert found["metadata"] == {"format": "multilayer", "version": keras.__version__, "model": "net"}
    assert found["parameters"] == model.count_params()
    assert {one["name"] for one in found["arrays"]} >= {"same/kernel", "same/kernel_2", "out/bias"}


def test_an_onnx_file_is_shown_with_its_operators(model, tmp_path):
    pytest.importorskip("onnx")
    model.export(tmp_path / "m.onnx")
    found = described(tmp_path / "m.onnx", "--finite")
    assert found["metadata"] == {
        "written by": f"multilayer {keras.__version__}",
        "IR version": 8,
        "operators": "ai.onnx 18",
        "name": "net",
        "inputs": ["in (batch, 3)"],
        "outputs": ["out (batch, 1)"],
    }
    assert [one["class"] for one in found["layers"]][:3] == ["MatMul", "Add", "Relu"]
    assert found["parameters"] == model.count_params()
    assert all(one["finite"] for one in found["arrays"])


def test_an_onnx_file_is_read_as_its_own_library_reads_it(tmp_path):
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    arrays = {
        kind: np.arange(-2, 4).reshape(2, 3).astype(kind) for kind in ("f4", "f8", "f2", "i8", "i4", "i1", "u1", "?")
    }
    raw = [onnx.numpy_helper.from_array(array, f"raw {kind}") for kind, array in arrays.items()]
    listed = [
        helper.make_tensor(f"listed {kind}", helper.np_dtype_to_tensor_dtype(array.dtype), array.shape, array.flatten())
        for kind, array in arrays.items()
        if kind in ("f4", "f8", "i8", "i4")
    ]
    single = helper.make_tensor("scalar", onnx.TensorProto.FLOAT, [], [2.5])
    graph = helper.make_graph(
        [helper.make_node("Own", ["a"], ["b"], domain="there", name="n")], "g", [], [], [*raw, *listed, single]
    )
    onnx.save(helper.make_model(graph, producer_name="someone"), tmp_path / "m.onnx")
    with contents(tmp_path / "m.onnx") as found:
        assert [(one.name, one.kind) for one in found.entries] == [("n", "there.Own")]
        for tensor in graph.initializer:
            expected, one = onnx.numpy_helper.to_array(tensor), found.arrays[tensor.name]
            assert (one.shape, one.dtype) == (expected.shape, expected.dtype)
            np.testing.assert_array_equal(one.read(), expected)


def test_weights_that_an_onnx_file_has_elsewhere_are_not_opened(tmp_path):
    onnx = pytest.importorskip("onnx")
    tensor = onnx.numpy_helper.from_array(np.zeros((2, 2), "f4"), "w")
    onnx.external_data_helper.set_external_data(tensor, "../../etc/passwd")
    tensor.ClearField("raw_data")
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["w"], ["y"])], "g", [], [], [tensor])
    (tmp_path / "m.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
    assert described(tmp_path / "m.onnx")["arrays"] == [{"name": "w", "shape": [2, 2], "dtype": "float32", "bytes": 16}]
    assert "'w' lies in another file, which is not opened" in inspect(tmp_path / "m.onnx", "--finite", code=1)


def test_plain_arrays_are_shown_and_whether_they_are_finite_when_asked(tmp_path):
    np.savez(tmp_path / "arrays.npz", good=np.ones(3), bad=np.array([1.0, np.inf]), whole=np.arange(2))
    found = described(tmp_path / "arrays.npz", "--finite")
    assert (found["format"], found["parameters"]) == ("NumPy arrays", 5)
    assert {one["name"]: one["finite"] for one in found["arrays"]} == {"good": True, "bad": False, "whole": True}
    assert "finite" not in described(tmp_path / "arrays.npz")["arrays"][0]
    assert "no" in inspect(tmp_path / "arrays.npz", "--finite")


# --- What strangers send ---


def test_what_a_terminal_would_take_for_a_command_is_escaped(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.layers[0].name, model.name = f"d{TERMINAL}[red]", f"m{TERMINAL}"  # which no layer is made with
    model.save(tmp_path / "m.npz")
    np.savez(tmp_path / "arrays.npz", **{f"a{TERMINAL}": np.ones(1)})
    for name, shown_as in (("m.npz", r"d\x1b]0;owned\x07\x1b[2J\u202e\r[red]"), ("arrays.npz", r"a\x1b]0;owned\x07")):
        for options in ((), ("--json",)):
            shown = inspect(tmp_path / name, *options)
            assert all(one.isprintable() or one == "\n" for one in shown)
        assert shown_as in inspect(tmp_path / name)
    (tmp_path / "arrays.npz").write_bytes((tmp_path / "arrays.npz").read_bytes()[:-30])
    assert all(one.isprintable() or one == "\n" for one in inspect(tmp_path / "arrays.npz", code=1))


def test_long_texts_are_cut(tmp_path):
    keras.Sequential([keras.Input((2,)), layers.Dense(1)], name="n" * 9999).save(tmp_path / "m.npz")
    shown = inspect(tmp_path / "m.npz")
    assert "n" * 100 in shown.replace("\n", "").replace(" ", "")
    assert shown.count("n") < 400


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.onnx", b"", "is refused: it is empty"),
        ("text.txt", b"hello, world", "as no model file does that is known here"),
        ("m.pt", pickle.dumps([1] * 10), "is a pickle, which can run anything.*safetensors.torch.save_file"),
        ("m.npz", b"PK\x03\x04" + bytes(50), "no complete zip archive"),
        ("m.onnx", b"\x08\x08\x3a\xff\xff\xff\x7f", "no ONNX file, or is cut off"),
        ("m.onnx", b"\x08\x08", "has no version, or no graph"),
        ("m.onnx", b"\x08\x08\x3a\x80\xea\x30" + b"\x0a\x00" * 400_000, "parts, and no model has"),
        ("m.onnx", b"\xff" * 100, "no ONNX file"),
        ("m.safetensors", (2).to_bytes(8, "little") + b"{]", "no JSON"),
    ],
)
def test_what_is_no_model_is_refused_in_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    shown = inspect(tmp_path / name, code=1)
    assert shown.startswith("Error: ")
    assert len(shown.splitlines()) == 1
    with pytest.raises(saving.ModelFileError, match=message), contents(tmp_path / name):
        pass


def test_an_archive_of_pickles_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps([]))
    assert "is a pickle" in inspect(tmp_path / "m.pt", code=1).replace("\n", " ")


@pytest.mark.parametrize("content", [[5], [{}], [{"config": 5}], [[{}]], "text", 5])
def test_layers_that_are_none_are_refused(tmp_path, content):
    np.savez(
        tmp_path / "m.npz",
        **{
            npz.CONFIG: np.frombuffer(
                json.dumps({"format": "multilayer", "version": 1, "content": {"config": {"layers": content}}}).encode(),
                np.uint8,
            )
        },
    )
    assert "is refused" in inspect(tmp_path / "m.npz", code=1)


def test_a_missing_file_is_named(tmp_path):
    assert "no file at" in inspect(tmp_path / "none.npz", code=1)


def test_looking_opens_nothing_else_and_runs_nothing(model, tmp_path):
    pytest.importorskip("safetensors")
    pytest.importorskip("onnx")
    model.save(tmp_path / "m.npz")
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    model.save_weights(tmp_path / "m.safetensors")
    model.export(tmp_path / "m.onnx")
    paths = sorted(tmp_path.iterdir())
    seen, watching = [], []

    def watch(event, arguments):
        if watching and event.partition(".")[0] in ("open", "exec", "compile", "import", "os", "subprocess", "socket"):
            seen.append((event, str(arguments[0]) if arguments else ""))

    sys.addaudithook(watch)
    for path in paths:
        inspect(path)  # what it imports is imported
        watching.append(path)
        with contents(path) as found:
            for one in found.arrays.values():
                one.read()
        watching.clear()
    assert {event for event, _ in seen} == {"open"}
    assert {name for _, name in seen} == set(map(str, paths))


def test_a_thousand_mutations_of_an_onnx_file_are_shown_or_refused(model, tmp_path):
    pytest.importorskip("onnx")
    rng = np.random.default_rng(0)
    model.export(tmp_path / "m.onnx")
    whole, path, refused = (tmp_path / "m.onnx").read_bytes(), tmp_path / "mutated.onnx", 0
    for _ in range(1000):
        content = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            place = rng.integers(len(content))
            kind = rng.integers(3)
            if kind == 0:
                content[place] = rng.integers(256)
            elif kind == 1:
                del content[place : place + rng.integers(1, 9)]
            else:
                content[place:place] = rng.bytes(rng.integers(1, 9))
        path.write_bytes(content)
        try:
            with contents(path) as found:
                for one in found.arrays.values():
                    assert one.read().nbytes == one.nbytes
        except saving.ModelFileError:
            refused += 1
    assert refused > 400


def test_long_names_of_models_in_models_are_not_repeated_for_each_layer_within(tmp_path):
    """Two megabytes of a name before each of twenty thousand layers were forty gigabytes."""
    inner = {"name": "a" * 2_000_000, "layers": [{"class_name": "Dense", "config": {"name": "b"}}] * 2000}
    config = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Sequential", "config": inner}]}}
    npz.write(tmp_path / "long.npz", config, {})
    with contents(tmp_path / "long.npz") as found:
        assert len(found.entries) == 2001
        assert max(len(entry.name) for entry in found.entries) <= 501


@pytest.mark.parametrize(
    "optimizer",
    [
        None,
        5,
        "adam",
        [1, 2],
        {},
        {"class_name": {}, "config": [1]},
        {"class_name": TERMINAL, "config": {TERMINAL: 1}},
        {"class_name": "Adam", "config": {"learning_rate": {"class_name": TERMINAL}}},
        {"class_name": "Adam", "config": {"numbers": [1]}},
        {"class_name": "Adam", "config": {"learning_rate": float("inf")}},
    ],
)
def test_an_odd_optimizer_is_shown_as_far_as_it_goes(model, tmp_path, optimizer):
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as whole, zipfile.ZipFile(tmp_path / "odd.keras", "w") as odd:
        for name in whole.namelist():
            content = whole.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["compile_config"]["optimizer"] = optimizer
                content = json.dumps(config).encode()
            odd.writestr(name, content)
    for options in ([], ["--json"]):
        shown = inspect(tmp_path / "odd.keras", *options)
        assert "inner/same" in shown
        assert "\x1b" not in shown
