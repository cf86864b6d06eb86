"""Hostile graphs: operations, constants and layers in a drawn network that ask for code, memory, time, or nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hostile.whole import kind, repacked

X = {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}}
MANY, LIST = 10**9, 5_000


def _operation(class_name: str, *args: Any, module: str = "numpy", name: str = "step", **config: Any) -> dict[str, Any]:
    return _layer(class_name, *args, module=f"keras.src.ops.{module}", name=name, **config)


def _layer(
    class_name: str, *args: Any, module: str = "keras.layers", name: str = "step", **config: Any
) -> dict[str, Any]:
    nodes = [{"args": list(args), "kwargs": {}}]
    described = {"module": module, "class_name": class_name, "config": {"name": name, **config}, "name": name}
    return {**described, "registered_name": None, "inbound_nodes": nodes}


def _network(*steps: dict[str, Any], sides: tuple[int, ...] = (4,)) -> str:
    config = {"name": "x", "batch_shape": [None, *sides], "dtype": "float32"}
    entry = {"class_name": "InputLayer", "config": config, "name": "x", "inbound_nodes": []}
    whole = {"name": "m", "layers": [entry, *steps], "input_layers": ["x", 0, 0]}
    whole["output_layers"] = [steps[-1]["name"], 0, 0]
    return json.dumps({"class_name": "Functional", "config": whole})


def _written(folder: Path, whole: dict[str, Path], networks: dict[str, str]) -> Iterator[Path]:
    for name, text in networks.items():
        yield repacked(whole["model.keras"], folder / f"{name}.keras", **{"config.json": text})


def _array(value: Any, dtype: str) -> dict[str, Any]:
    return {"class_name": "__numpy__", "config": {"value": value, "dtype": dtype}}


@kind
def operations_of_other_names(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Functions of Python, NumPy and this library that are none of Keras' operations, or hide in one's config."""
    names = ("system", "eval", "Fromfile", "Save", "Memmap", "Load", "LoadModel", "Frompyfunc", "FunctionOperation")
    networks = {name: _network(_operation(name, X, "touch /tmp/multilayer-was-run")) for name in names}
    networks["function"] = _network(_operation("Add", X, X, function="os.system"))
    networks["out"] = _network(_operation("Mean", X, out="/tmp/multilayer-was-run"))
    networks["module"] = _network(_layer("system", X, module="os"))
    networks["operation"] = _network(_layer("FunctionOperation", X, function="system", module="multilayer.layers"))
    yield from _written(folder, whole, networks)


@kind
def operations_that_make_much(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Gigabytes that come of an argument, or of operands that stand as lists of numbers."""
    ones = [1.0] * LIST
    networks = {
        "tile": _network(_operation("Tile", X, repeats=[MANY, 0])),
        "tile of a fraction": _network(_operation("Tile", X, repeats=1e9)),
        "repeat of a fraction": _network(_operation("Repeat", X, repeats=1e9)),
        "repeat of a text": _network(_operation("Repeat", X, repeats=str(MANY))),
        "classes of a fraction": _network(_operation("OneHot", X, module="nn", num_classes=1e9)),
        "classes": _network(_operation("OneHot", X, module="nn", num_classes=3_000_000)),
        "pad": _network(_operation("Pad", [[[[1]]]], X, pad_width=10_000), sides=()),
        "broadcast": _network(_operation("BroadcastTo", X, shape=[MANY, 4])),
        "add": _network(_operation("Add", X, ones), sides=(1_000_000, 1)),
        "outer": _network(_operation("Outer", X, ones), sides=(1_000_000,)),
        "einsum": _network(_operation("Einsum", X, ones, subscripts="ab,c->abc"), sides=(1_000_000,)),
        "matmul": _network(_operation("Matmul", X, [ones]), sides=(100_000, 1)),
        "take": _network(_operation("Take", X, [[0] * 1000] * 20, axis=1), sides=(3, 10_000)),
        "index": _network(_operation("GetItem", X, [[0] * LIST, [[0]] * LIST])),
        "arrays": _network(_operation("GetItem", X, [_array([0] * LIST, "int32"), _array([[0]] * LIST, "int32")])),
        "an input": _network(_operation("Exp", X), sides=(16_000_000,)),
        "one tensor often": _network(_operation("Stack", [X] * 900), sides=(10_000,)),
        "behind a layer": _network(_layer("RepeatVector", X, n=MANY, name="r"), _of_layer("Exp", "r")),
        "lambda": _network(_layer("Lambda", X, function=_named("relu")), sides=(2**40,)),
    }
    yield from _written(folder, whole, networks)


def _of_layer(class_name: str, source: str) -> dict[str, Any]:
    return _operation(class_name, {**X, "config": {"keras_history": [source, 0, 0]}})


def _named(function: str, module: str = "builtins") -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": function, "registered_name": "function"}


@kind
def operations_without_end(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Little memory, and loops that take for ever: parts, turns, axes, wrappers in wrappers."""
    axes = list(range(1, 23))
    inner: dict[str, Any] = {"class_name": "Dense", "config": {"units": 3}}
    for _ in range(25):
        inner = {"class_name": "TimeDistributed", "config": {"layer": inner}}
    networks = {
        "parts": _network(_operation("Split", X, indices_or_sections=10**6, axis=-1), sides=(10**6,)),
        "pieces": _network(_operation("Roll", X, shift=[1] * 22, axis=axes), sides=(2,) * 22),
        "turns": _network(_operation("Roll", X, shift=[1] * 20_000, axis=[1])),
        "axes": _network(_operation("ExpandDims", X, axis=list(range(20_000)))),
        "differences": _network(_operation("Diff", X, n=MANY)),
        "letters": _network(_operation("Einsum", X, X, X, X, subscripts="ab,cd,ef,gh->a"), sides=(4000,)),
        "wrappers": _network(_layer("TimeDistributed", X, layer=inner), sides=(2,) * 28),
    }
    yield from _written(folder, whole, networks)


@kind
def operations_in_circles(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Steps that wait for themselves, for each other, for a call or an output that there is not; without a tensor."""
    of = [{**X, "config": {"keras_history": [name, 0, 0]}} for name in ("step", "other")]
    networks = {
        "itself": _network(_operation("Add", of[0], of[0])),
        "each other": _network(_operation("Exp", of[0], name="other"), _operation("Add", of[1], X)),
        "nobody": _network(_operation("Exp", {**X, "config": {"keras_history": ["nobody", 0, 0]}})),
        "a later call": _network(_operation("Exp", {**X, "config": {"keras_history": ["x", 10**9, 0]}})),
        "no output": _network(_operation("Exp", {**X, "config": {"keras_history": ["x", 0, 10**9]}})),
        "no tensor": _network(_operation("Stack", json.loads("[" * 90 + "1" + "]" * 90))),
    }
    yield from _written(folder, whole, networks)


@kind
def constants_that_are_none(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Arrays of texts, objects, records, times and complex numbers that a step is called with."""
    kinds = ("object", "S1000000000", "V1000000000", "U9", "datetime64[s]", "complex128", "longdouble", "no type")
    networks = {str(i): _network(_operation("Add", X, _array([1] * 4, dtype))) for i, dtype in enumerate(kinds)}
    networks["ragged"] = _network(_operation("Add", X, _array([[1], [1, 2]], "float32")))
    networks["a file"] = _network(_operation("Add", X, _array("/etc/passwd", "float32")))
    networks["code"] = _network(_operation("Add", X, {"class_name": "__lambda__", "config": {"code": "4w=="}}))
    yield from _written(folder, whole, networks)


@kind
def lambdas_of_what_is_no_function(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """Lambda layers that name functions of the system, hold code as Keras 2 and 3 write it, or give no shape."""
    code = base64.b64encode(b"\xe3" + bytes(60)).decode()
    networks = {
        "system": _network(_layer("Lambda", X, function=_named("system", "os"))),
        "save": _network(_layer("Lambda", X, function=_named("save", "numpy"))),
        "load": _network(_layer("Lambda", X, function=_named("load_model", "multilayer.models"))),
        "class": _network(_layer("Lambda", X, function=_named("Dense", "keras.layers"))),
        "text": _network(_layer("Lambda", X, function="os.system")),
        "keras 3": _network(_layer("Lambda", X, function={"class_name": "__lambda__", "config": {"code": code}})),
        "keras 2": _network(_layer("Lambda", X, function=[code, None, None], function_type="lambda")),
        "arguments": _network(_layer("Lambda", X, function=_named("relu"), arguments={"out": "/tmp/x", "where": 1})),
        "a text as shape": _network(_layer("Lambda", X, function=_named("relu"), output_shape="x")),
        "a negative shape": _network(_layer("Lambda", X, function=_named("relu"), output_shape=[-3])),
        "a function as shape": _network(_layer("Lambda", X, function=_named("relu"), output_shape=_named("eval"))),
    }
    yield from _written(folder, whole, networks)


@kind
def layers_of_odd_arguments(folder: Path, whole: dict[str, Path]) -> Iterator[Path]:
    """The layers that came with the tape, with numbers and layers that they cannot have."""
    step = {"class_name": "Dense", "config": {"units": MANY}}
    cases: list[tuple[str, tuple[Any, ...], tuple[int, ...], dict[str, Any]]] = [
        ("RepeatVector", (X,), (4,), {"n": 10**30}),
        ("RepeatVector", (X,), (4,), {"n": 2.5}),
        ("Permute", (X,), (4,), {"dims": list(range(1, 20_000))}),
        ("Permute", (X,), (4,), {"dims": [[1]]}),
        ("Dot", ([X, X],), (4,), {"axes": [MANY, -MANY]}),
        ("Dot", ([X, X],), (4,), {"axes": [1] * 20_000}),
        ("GroupNormalization", (X,), (4,), {"groups": 10**30}),
        ("GroupNormalization", (X,), (MANY,), {"groups": -1}),
        ("TimeDistributed", (X,), (3, 4), {"layer": step}),
        ("TimeDistributed", (X,), (3, 4), {"layer": {"class_name": "os.system", "config": {}}}),
        ("SpectralNormalization", (X,), (4,), {"layer": step, "power_iterations": 10**18}),
        ("SpectralNormalization", (X,), (4,), {"layer": {"class_name": "Flatten", "config": {}}}),
        ("QuantizationAware", (X,), (4,), {"layer": step, "bits": 4}),
        ("QuantizationAware", (X,), (4,), {"layer": {"class_name": "Flatten", "config": {}}}),
        ("Masking", (X,), (3, 4), {"mask_value": "x"}),
        ("Masking", (X,), (3, 4), {"mask_value": 10**400}),
    ]
    networks = {
        f"{name}{i}": _network(_layer(name, *args, **config), sides=sides)
        for i, (name, args, sides, config) in enumerate(cases)
    }
    yield from _written(folder, whole, networks)
