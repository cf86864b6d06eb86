"""Files in Keras' form that no model can be made of: each is refused by name, and nothing of it is run or opened."""

from __future__ import annotations

import copy
import io
import json
import random
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import multilayer as ml
from helpers.paths import FILES
from multilayer import layers
from multilayer.models import load_model
from multilayer.saving import ModelFileError


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The config of a small model, and the bytes of its weights, as its file has them."""
    model = ml.Sequential([ml.Input((3,), name="input"), layers.Dense(2, "relu", name="first"), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    path = tmp_path_factory.mktemp("whole") / "model.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json")), archive.read("model.weights.h5")


def forged(path, config, weights, **members):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", config if isinstance(config, (str, bytes)) else json.dumps(config))
        archive.writestr("model.weights.h5", weights)
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def refused(path, message, **arguments):
    """Checks that a file is refused with this message, and that nothing but the file is opened, imported or run."""
    seen = []

    def watch(event, args):
        if watching and (event in ("exec", "import", "socket.connect", "subprocess.Popen", "os.system", "compile")):
            seen.append((event, args[:1]))
        if watching and event == "open" and Path(str(args[0])) != path:
            seen.append((event, args[0]))

    watching = False
    sys.addaudithook(watch)
    load_model(FILES / "sgd.keras")  # whatever is imported at the first use has been
    watching = True
    try:
        with pytest.raises(ModelFileError, match=message) as error:
            load_model(path, **arguments)
    finally:
        watching = False
    assert path.name in str(error.value)
    assert [event for event in seen if event[0] != "import" or "multilayer" not in str(event[1])] == []


def layer(class_name, module="keras.layers", **config):
    return {"module": module, "class_name": class_name, "config": {"name": "bad", **config}, "registered_name": None}


CODE = {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}}
LAYERS = {
    "Conv2D": (layer("Conv2D", filters=3, kernel_size=3), "layer 'Conv2D' is out of scope.*Use instead: `Flatten`"),
    "a Lambda": (layer("Lambda", function=CODE), "Its function is a Python lambda: code in files is never run"),
    "a table in a file": (
        layer("StringLookup", vocabulary="/etc/passwd"),
        "a vocabulary file outside of the model archive",
    ),
    "a command": (layer("system", module="os", command="touch /tmp/x"), "Unknown layer: 'system'"),
    "a helper of ours": (layer("load_model", module="multilayer.models", filepath="x"), "Unknown layer: 'load_model'"),
    "a builtin": (layer("eval", module="builtins", source="1"), "Unknown layer: 'eval'"),
    "code as an activation": (layer("Dense", units=2, activation=CODE), "Could not interpret activation"),
    "code as an initializer": (layer("Dense", units=2, kernel_initializer=CODE), "code in files is never run"),
    "a path as an activation": (layer("Dense", units=2, activation="os.system"), "Unknown activation: 'os.system'"),
    "quantized numbers": (layer("Dense", units=2, quantization_config={"x": 1}), "the argument quantization_config="),
    "mixed precision": (
        layer("Dense", units=2, dtype={"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}),
        "mixed_float16.*weights here are float32 or float64",
    ),
    "an unknown argument": (layer("Dense", units=2, path="/etc/passwd"), "'bad' has the argument path=/etc/passwd"),
    "3e9 units": (layer("Dense", units=3_000_000_000), r"'bad/kernel' of shape \(2, 3000000000\)"),
    "a layer of one's own": (layer("Mine", module="my.package"), "A class of your own is entered by"),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_that_is_not_built_here_is_refused_by_name(tmp_path, parts, kind):
    bad, message = LAYERS[kind]
    config, weights = json.loads(json.dumps(parts[0])), parts[1]
    config["config"]["layers"].insert(2, bad)
    refused(forged(tmp_path / "forged.keras", config, weights), message)


CONFIGS = {
    "nested deep": ('{"a":' * 200_000 + "1" + "}" * 200_000, "nested|values"),
    "no JSON": ("{", "'config.json' is no JSON"),
    "no model": ("[1]", "describes no model"),
    "a number twice": ('{"class_name": "Sequential", "class_name": "Model"}', "twice in one place"),
    "a class of its own": (
        {"class_name": "MyModel", "config": {}},
        "its class is 'MyModel'.*A class of your own is entered by",
    ),
    "os.system": ({"module": "os", "class_name": "system", "config": {"command": "ls"}}, "its class is 'system'"),
    "too large": (b'{"a": "' + b"x" * 9_000_000 + b'"}', "at most|unpacks"),
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_config_that_describes_no_model_is_refused(tmp_path, parts, kind):
    config, message = CONFIGS[kind]
    refused(forged(tmp_path / "forged.keras", config, parts[1]), message)


COMPILED = {
    "an optimizer": (
        {"optimizer": layer("MultiOptimizer", module="keras.optimizers")},
        "'MultiOptimizer' is out of scope",
    ),
    "a function": (
        {"metrics": [{"class_name": "function", "config": "os.system"}]},
        "Could not locate function 'os.system', a metric",
    ),
    "thresholds": ({"metrics": [layer("AUC", num_thresholds=10**9)]}, "1,000,000,000 elements"),
    "code": ({"loss": CODE}, "it cannot be compiled as it was: .*Pass `compile=False`"),
    "a surprise": ({"surprise": 1}, "surprise"),
}


@pytest.mark.parametrize("kind", COMPILED)
def test_a_description_of_compiling_that_is_not_built_here_is_refused(tmp_path, parts, kind):
    changes, message = COMPILED[kind]
    config = json.loads(json.dumps(parts[0]))
    config["compile_config"] |= changes
    path = forged(tmp_path / "forged.keras", config, parts[1])
    refused(path, message)
    assert not load_model(path, compile=False).compiled


def test_a_metric_of_keras_2_has_no_name_that_a_terminal_takes_for_a_command(tmp_path, parts):
    config = json.loads(json.dumps(parts[0]))
    described = {"class_name": "MeanMetricWrapper", "config": {"name": "\x1b[2J", "fn": "mae"}}
    config["compile_config"]["metrics"] = [described]
    refused(forged(tmp_path / "forged.keras", config, parts[1]), "`name` must be of letters that can be printed")


def with_weights(weights, change):
    """The bytes of weights with a change made to them."""
    memory = io.BytesIO(weights)
    with h5py.File(memory, "a") as file:
        change(file)
    return memory.getvalue()


def put(array):
    def change(file):
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = array

    return change


def outside(file):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/")


def dropped(file):
    del file["layers/dense"]


def one_more(file):
    file["layers/dense/vars/2"] = np.zeros(3, "float32")


WEIGHTS = {
    "NaN": (put(np.full((3, 2), np.nan, "float32")), r"first/kernel holds nan at \(0, 0\).*allow_nonfinite=True"),
    "too large for float32": (put(np.full((3, 2), 1e300)), r"first/kernel holds 1e\+300, which is too large"),
    "complex numbers": (put(np.zeros((3, 2), complex)), "does not hold real numbers"),
    "whole numbers": (put(np.zeros((3, 2), "int32")), "first/kernel is of type int32"),
    "another shape": (
        put(np.zeros((2, 3), "float32")),
        r"has shape \(3, 2\), but the array for it \(2, 3\)",
    ),
    "a link to a file": (outside, "'0' in 'layers/dense/vars' in it is a link that leads elsewhere"),
    "a layer less": (dropped, "it holds 0 arrays for layer 'first', and the layer has 2 weights"),
    "an array more": (one_more, "it holds 3 arrays for layer 'first'"),
}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_weights_that_are_none_are_refused_and_change_nothing(tmp_path, parts, kind):
    change, message = WEIGHTS[kind]
    weights = with_weights(parts[1], change)
    refused(forged(tmp_path / "forged.keras", parts[0], weights), message)
    (tmp_path / "forged.weights.h5").write_bytes(weights)
    model = ml.Sequential([ml.Input((3,)), layers.Dense(2, name="first"), layers.Dense(1)])
    before = model.get_weights()
    with pytest.raises(ModelFileError, match=message):
        model.load_weights(tmp_path / "forged.weights.h5")
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_two_layers_of_one_name_in_a_file_are_not_taken_for_each_other(tmp_path, parts):
    """The last of two groups of one name was taken, and a layer that is listed twice was two layers' weights."""

    def again(file):
        file.copy("layers/dense", file, "layers/zzz")

    refused(forged(tmp_path / "forged.keras", parts[0], with_weights(parts[1], again)), "two of its layers 'first'")
    for names, weights, message in (
        (["a", "a"], ["kernel", "bias"], "two of its layers 'a'"),
        (["a", "b"], ["kernel", "kernel"], "two of its weights of 'a' 'kernel'"),
    ):
        with h5py.File(tmp_path / "forged.h5", "w") as file:
            file.attrs["model_config"] = json.dumps(parts[0])
            group = file.create_group("model_weights")
            group.attrs["layer_names"] = names
            for name in set(names):
                group.create_group(name).attrs["weight_names"] = weights
                group[f"{name}/kernel"], group[f"{name}/bias"] = np.zeros((3, 2), "f4"), np.zeros(2, "f4")
        refused(tmp_path / "forged.h5", message)


def test_weights_that_are_not_numbers_are_read_where_that_is_asked(tmp_path, parts):
    weights = with_weights(parts[1], put(np.full((3, 2), np.nan, "float32")))
    model = load_model(forged(tmp_path / "forged.keras", parts[0], weights), allow_nonfinite=True)
    assert np.isnan(model.get_weights()[0]).all()


def test_other_things_in_an_archive_are_never_unpacked(tmp_path, parts):
    path = forged(tmp_path / "forged.keras", *parts, **{"assets/layers/vocabulary.txt": "x", "__main__.py": "1/0"})
    assert load_model(path).built
    refused(forged(tmp_path / "out.keras", *parts, **{"../../out": "x"}), "leads out of it")


def test_weights_that_are_a_bomb_are_refused(tmp_path, parts):
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps(parts[0]))
        archive.writestr("model.weights.h5", bytes(50_000_000))
    refused(tmp_path / "bomb.keras", "unpacks from .* bytes to 50,000,000")


def cycle(config):
    config["layers"][1]["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["b", 0, 0]


def nowhere(config):
    config["layers"][1]["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["c", 0, 0]


def operation(config):
    config["layers"][1] |= {"module": "keras.src.ops.numpy", "class_name": "FFT"}


def masked(config):
    node = config["layers"][1]["inbound_nodes"][0]
    node["kwargs"] = {"mask": node["args"][0]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (cycle, "wait for each other"),
        (nowhere, "'a' is connected to 'c', which is not in the network"),
        (operation, "Unknown operation: .FFT.*Known: Absolute"),
        (masked, "neither masks nor other arguments"),
    ],
)
def test_a_network_that_is_none_is_refused(tmp_path, parts, change, message):
    x = ml.Input((3,))
    model = ml.Model(x, layers.Dense(1, name="b")(layers.Dense(1, name="a")(x)))
    config = json.loads(model.to_json())
    change(config["config"])
    refused(forged(tmp_path / "forged.keras", config, parts[1]), message)


@pytest.mark.parametrize("name", ["sgd.keras", "adam.h5"])
def test_a_file_is_loaded_or_refused_whatever_bits_are_flipped(tmp_path, name):
    content = (FILES / name).read_bytes()
    path, draw = tmp_path / name, random.Random(2)
    outcomes = set()
    for _ in range(150):
        broken = bytearray(content)
        for _ in range(draw.choice([1, 1, 4])):
            place = draw.randrange(len(broken))
            broken[place] = draw.choice([broken[place] ^ 1 << draw.randrange(8), 0, 255])
        path.write_bytes(broken[: draw.choice([len(broken), len(broken), draw.randrange(len(broken))])])
        try:
            load_model(path)
            outcomes.add("loaded")
        except ModelFileError:
            outcomes.add("refused")
    assert "refused" in outcomes
    assert "loaded" in outcomes or name.endswith(".keras")  # whose checksums tell


VALUES = [None, True, -1, 3, 10**9, 10**30, 1e308, "", "relu", "os.system", "Lambda", [], [None], {}, [["a", 0, 0]]]


def places(value, path=()):
    """The ways to all that is in a description."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*path, key)
        yield from places(one, (*path, key))


@pytest.mark.parametrize("name", ["several.keras", "every_argument.keras"])
@pytest.mark.filterwarnings("ignore")  # what of an optimizer does not fit is left out with a warning
def test_a_file_is_loaded_or_refused_whatever_its_description_says(tmp_path, name):
    with zipfile.ZipFile(FILES / name) as archive:
        config, weights = json.loads(archive.read("config.json")), archive.read("model.weights.h5")
    draw, ways = random.Random(3), list(places(config))
    outcomes = set()
    for _ in range(150):
        changed = copy.deepcopy(config)
        *above, last = draw.choice(ways)
        inner = changed
        for key in above:
            inner = inner[key]
        if draw.random() < 0.2:
            del inner[last]
        else:
            inner[last] = draw.choice(VALUES)
        try:
            load_model(forged(tmp_path / "forged.keras", changed, weights))
            outcomes.add("loaded")
        except ModelFileError:
            outcomes.add("refused")
    assert outcomes == {"loaded", "refused"}
