"""Hostile configs: code, names of code, paths, sizes and types where a network is described."""

from __future__ import annotations

import base64
import json
import marshal
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hostile.whole import (
    DENSE,
    Trap,
    argument_becomes,
    kind,
    layer_becomes,
    repacked,
    with_config,
)

# --- Code, and names of code ---


def _bytecode() -> dict[str, Any]:
    code = compile("__import__('os').system('touch /tmp/multilayer-was-run')", "<file>", "eval")
    function = base64.b64encode(marshal.dumps(code)).decode()
    return {"class_name": "__lambda__", "config": {"code": function, "defaults": None, "closure": None}}


@kind
def lambda_layer_with_bytecode(folder: Path, whole: dict[str, Path]) -> Path:
    """A Lambda layer whose function is marshalled code."""
    config = {"name": "dense", "function": _bytecode(), "arguments": {}}
    return layer_becomes(whole["model.keras"], folder / "x.keras", class_name="Lambda", config=config)


@kind
def lambda_as_an_argument(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Marshalled code in the place of an activation, an initializer, a regularizer."""
    for argument in ("activation", "kernel_initializer", "kernel_regularizer"):
        yield argument_becomes(whole["model.keras"], folder / f"{argument}.keras", **{argument: _bytecode()})


@kind
def lambda_in_a_loss(folder: Path, whole: dict[str, Path]) -> Path:
    """Marshalled code as the loss that the model is compiled with."""
    return with_config(
        whole["model.keras"], folder / "x.keras", lambda config: config["compile_config"].update(loss=_bytecode())
    )


@kind
def names_of_the_system(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A layer that is called os.system, subprocess.run, builtins.eval."""
    for module, name in (("os", "system"), ("subprocess", "run"), ("builtins", "eval"), ("posix", "system")):
        config = {"command": "touch /tmp/multilayer-was-run"}
        yield layer_becomes(
            whole["model.keras"], folder / f"{name}{len(module)}.keras", module=module, class_name=name, config=config
        )


@kind
def functions_of_the_system(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """An activation that is a function of os, of builtins, of pickle."""
    for module, name in (("os", "system"), ("builtins", "exec"), ("pickle", "loads")):
        function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
        yield argument_becomes(whole["model.keras"], folder / f"{name}.keras", activation=function)


@kind
def functions_where_functions_are_taken(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A regularizer, constraint, initializer, loss, metric, learning rate that is a function of Python's or NumPy's."""
    functions = (
        ("os", "system"),
        ("builtins", "print"),
        ("builtins", "open"),
        ("numpy", "save"),
        ("numpy", "fromfile"),
    )
    for module, name in functions:
        function = {"module": module, "class_name": "function", "config": name, "registered_name": "function"}
        for argument in ("kernel_regularizer", "kernel_constraint", "bias_initializer", "activity_regularizer"):
            yield argument_becomes(whole["model.keras"], folder / f"{name}-{argument}.keras", **{argument: function})
        for argument, value in (("loss", function), ("metrics", [function]), ("weighted_metrics", [[function]])):
            yield with_config(
                whole["model.keras"],
                folder / f"{name}-{argument}.keras",
                lambda config, argument=argument, value=value: config["compile_config"].update({argument: value}),
            )
        yield with_config(
            whole["model.keras"],
            folder / f"{name}-rate.keras",
            lambda config, function=function: config["compile_config"]["optimizer"]["config"].update(
                learning_rate=function
            ),
        )


@kind
def helpers_of_this_library(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A layer that is one of the library's own functions, which would read or write a file."""
    helpers = (
        ("multilayer.saving", "read", {"path": "/etc/passwd"}),
        ("multilayer._containers.npz", "write", {"path": "/tmp/x.npz", "config": {}, "arrays": {}}),
        ("multilayer.models", "load_model", {"filepath": "/etc/passwd"}),
        ("multilayer.datasets.files", "load", {"dataset": "mnist", "archive": "/etc/passwd"}),
        ("keras.utils", "get_file", {"fname": "x", "origin": "http://127.0.0.1:9/x"}),
        ("multilayer.callbacks", "CSVLogger", {"filename": "/tmp/multilayer-was-run"}),
    )
    for module, name, config in helpers:
        yield layer_becomes(
            whole["model.keras"], folder / f"{name}.keras", module=module, class_name=name, config=config
        )


@kind
def modules_to_import(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A class of a module that nobody has imported; and a known class in a module that is not its own."""
    for name, registered in (("Dense", "antigravity>Dense"), ("Flight", None), ("Flight", "antigravity>Flight")):
        yield layer_becomes(
            whole["model.keras"],
            folder / f"{name}{len(registered or '')}.keras",
            module="antigravity",
            class_name=name if registered != "antigravity>Dense" else "Dance",
            registered_name=registered,
        )


@kind
def safe_mode_switched_off(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A config that calls what switches Keras' safe mode off, and one that says so itself."""
    switch = {"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization"}
    yield argument_becomes(
        whole["model.keras"], folder / "a.keras", activation=switch | {"registered_name": "function"}
    )
    yield layer_becomes(
        whole["model.keras"],
        folder / "b.keras",
        module="keras.config",
        class_name="enable_unsafe_deserialization",
        config={},
    )
    config = {"name": "dense", "function": _bytecode(), "safe_mode": False}
    yield layer_becomes(whole["model.keras"], folder / "c.keras", class_name="Lambda", config=config)


@kind
def custom_objects_in_the_file(folder: Path, whole: dict[str, Path]) -> Path:
    """A config that brings its own dictionary of classes."""
    return with_config(
        whole["model.keras"],
        folder / "x.keras",
        lambda config: config.update(
            class_name="Mine", custom_objects={"Mine": {"module": "os", "class_name": "system"}}
        ),
    )


@kind
def pickles_renamed(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A pickle that runs a command, under the name of every format."""
    for name in whole:
        path = folder / name
        path.write_bytes(pickle.dumps(Trap()))
        yield path


@kind
def pickled_arrays(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Arrays of objects, which NumPy would unpickle."""
    for name in ("model.npz", "model.weights.npz"):
        with np.load(whole[name]) as archive:
            arrays = dict(archive)
        np.savez(folder / name, **(arrays | {"weights/0": np.array([Trap()], dtype=object)}))
        yield folder / name


@kind
def torch_files(folder: Path, whole: dict[str, Path]) -> Path:
    """An archive as torch.save writes it, a pickle among its members."""
    with zipfile.ZipFile(folder / "x.keras", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Trap()))
        archive.writestr("archive/version", "3\n")
    return folder / "x.keras"


# --- Paths and addresses ---


@kind
def vocabularies_from_paths(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Layers that read a file, or an address, which their config names."""
    for name, argument in (
        ("StringLookup", "vocabulary"),
        ("IntegerLookup", "vocabulary"),
        ("TextVectorization", "vocabulary"),
        ("TFSMLayer", "filepath"),
        ("TorchModuleWrapper", "module"),
    ):
        config = {"name": "dense", argument: "/etc/passwd"}
        yield layer_becomes(whole["model.keras"], folder / f"{name}.keras", class_name=name, config=config)


@kind
def arrays_from_paths(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A path or an address in the place of numbers: a constant, a mean."""
    for where in ("/etc/passwd", "http://127.0.0.1:9/x"):
        constant = {"module": "keras.initializers", "class_name": "Constant", "config": {"value": where}}
        constant["registered_name"] = None
        yield argument_becomes(whole["model.keras"], folder / f"a{len(where)}.keras", kernel_initializer=constant)
        config = {"name": "dense", "mean": where, "variance": where}
        yield layer_becomes(
            whole["model.keras"], folder / f"b{len(where)}.keras", class_name="Normalization", config=config
        )


@kind
def names_that_lead_elsewhere(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Members of an archive that would be unpacked outside of it, and one that is a link."""
    for i, name in enumerate(("../../evil.h5", "/etc/evil", "..\\evil", "C:/evil", "assets/../../evil")):
        yield repacked(whole["model.keras"], folder / f"{i}.keras", **{name: b"evil"})
    link = zipfile.ZipInfo("model.weights.h5")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(
        repacked(whole["model.keras"], folder / "link.keras", **{"model.weights.h5": None}), "a"
    ) as archive:
        archive.writestr(link, "/etc/passwd")
    yield folder / "link.keras"


@kind
def units_of_three_billion(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Layers larger than any memory, with the weights of a small one."""
    for units in (3_000_000_000, 2**62, 10**30):
        yield argument_becomes(whole["model.keras"], folder / f"{units}.keras", units=units)
    config = {"name": "dense", "input_dim": 2**40, "output_dim": 2**20}
    yield layer_becomes(whole["model.keras"], folder / "embedding.keras", class_name="Embedding", config=config)


@kind
def inputs_of_any_size(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """An input of 2**50 numbers, and weights for it nowhere."""
    for size in (2**50, -4, 10**30):
        yield with_config(
            whole["model.keras"],
            folder / f"{size}.keras",
            lambda config, size=size: config["config"]["layers"][0]["config"].update(batch_shape=[None, size]),
        )


@kind
def configs_without_end(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """JSON nested 200,000 deep, of millions of values, and of one long number."""
    texts = {
        "deep": "[" * 200_000,
        "deep_and_closed": "[" * 200_000 + "]" * 200_000,
        "deep_objects": '{"a":' * 200_000 + "1" + "}" * 200_000,
        "wide": "[" + "{}," * 3_000_000 + "{}]",
        "long_number": '{"units": ' + "9" * 5_000_000 + "}",
    }
    for name, text in texts.items():
        yield repacked(whole["model.keras"], folder / f"{name}.keras", **{"config.json": text})


@kind
def a_config_within_a_config(folder: Path, whole: dict[str, Path]) -> Path:
    """A model in a model in a model, ninety times."""

    def change(config: dict[str, Any]) -> None:
        for _ in range(90):
            inner = json.loads(json.dumps(config["config"]))
            config["config"]["layers"] = [
                {"module": "keras", "class_name": "Sequential", "config": inner, "registered_name": None}
            ]

    return with_config(whole["model.keras"], folder / "x.keras", change)


# --- Names and numbers in a config ---


@kind
def a_layer_called_by_a_path(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """A layer named ../../x: names must never become places. What is refused here is that its weights are missing."""
    for name in ("../../x", "/etc/passwd", "\x1b[31mred"):
        path = folder / f"{len(name)}.keras"

        def change(config: dict[str, Any], name: str = name) -> None:
            layers = config["config"]["layers"]
            layers[DENSE]["config"]["name"] = name
            layers.append(json.loads(json.dumps(layers[DENSE])))

        yield with_config(whole["model.keras"], path, change)


@kind
def names_twice(folder: Path, whole: dict[str, Path]) -> Path:
    """A config in which a key stands twice: which of them was checked?"""
    with zipfile.ZipFile(whole["model.keras"]) as archive:
        text = archive.read("config.json").decode()
    doubled = text.replace('"units": 3', '"units": 3, "units": 3000000000', 1)
    assert doubled != text
    return repacked(whole["model.keras"], folder / "x.keras", **{"config.json": doubled})


@kind
def arguments_of_other_types(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Arguments that are lists, texts, nothing, infinite."""
    arguments: list[tuple[str, Any]] = [
        ("units", "3"),
        ("units", [3]),
        ("units", None),
        ("units", float("nan")),
        ("units", -1),
        ("activation", ["relu"]),
        ("activation", 7),
        ("dtype", "object"),
        ("dtype", "complex64"),
        ("dtype", {"class_name": "DTypePolicy", "config": {"name": "S1000000000"}, "module": "keras"}),
        ("kernel_initializer", 3),
        ("kernel_regularizer", "os.system"),
        ("kernel_constraint", {"class_name": "Dense", "config": {}, "module": "keras.layers"}),
        ("name", {"a": 1}),
        ("surprise", 1),
    ]
    for i, (name, value) in enumerate(arguments):
        yield argument_becomes(whole["model.keras"], folder / f"{i}.keras", **{name: value})
