"""A trained table's network in ONNX, with what is done with the columns before it and with its output after it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from multilayer._system.atomic import replaced
from multilayer.functional import Array
from multilayer.models.base import Model
from multilayer.tabular.preprocessing import (
    FARTHEST,
    CategoryEncoding,
    DateEncoding,
    Encoding,
    NumberEncoding,
    Preprocessing,
)

_OPSETS = {"": 17, "ai.onnx.ml": 3}


def export(
    filepath: str | os.PathLike[str],
    model: Model,
    preprocessing: Preprocessing,
    scale: tuple[Array, Array] | None,
    facts: dict[str, Any],
) -> None:
    """Writes an ONNX file with an input (n, 1) for each column.

    Numbers are doubles, NaN where they are missing; categories are texts, '' where they are missing, and 'true' or
    'false' where they are truth values.

    Args:
        filepath: Where to.
        model: From numbers and codes to the output.
        preprocessing: What is done with the columns.
        scale: What the output is multiplied with, and what is added to it; None for probabilities.
        facts: What the file says of itself, such as the classes.

    Raises:
        ImportError: The onnx library is not there.
        ValueError: A column holds dates, whose parts ONNX has no operators for, or all are constant.
        OSError: The folder is missing or not writable.
    """
    try:
        import onnx
        from onnx import compose, helper
    except ImportError as error:
        raise ImportError("An ONNX file is written by the onnx library. Install it with `pip install onnx`.") from error
    dates = [one.name for one in preprocessing.encodings if isinstance(one, DateEncoding)]
    if dates:
        raise ValueError(
            f"ONNX has no operators for the parts of dates, and these columns hold some: {', '.join(dates)}. Leave "
            "them out, or write the network alone by `model_.export(file)`, whose inputs are what `preprocessing_` "
            "gives."
        )
    with tempfile.TemporaryDirectory() as folder:
        network_file = Path(folder) / "network.onnx"
        model.export(network_file)
        network = onnx.load(network_file)
    if not preprocessing.encodings:
        raise ValueError("Every column is constant: there is no input that an ONNX file could have.")
    before = _Before(helper, model.input_names)
    for encoding in preprocessing.encodings:
        before.write(encoding)
    network = compose.add_prefix(network, "network/")
    front = before.model(network)
    links = [(f"columns/{name}", f"network/{name}") for name in model.input_names]
    whole = compose.merge_models(front, network, io_map=links)
    _write_after(whole, helper, scale, model.output_names[0], preprocessing.names)
    for key, value in facts.items():
        entry = whole.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value)
    onnx.checker.check_model(whole, full_check=True)
    with replaced(filepath) as file:
        file.write(whole.SerializeToString(deterministic=True))


class _Before:
    """Nodes from columns to the network's inputs."""

    def __init__(self, helper: Any, wanted: Sequence[str]) -> None:
        self._helper, self._wanted = helper, wanted
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []
        self._parts: dict[str, list[str]] = {"numbers": [], "codes": []}

    def write(self, encoding: Encoding) -> None:
        """Adds a column."""
        if isinstance(encoding, CategoryEncoding):
            self._write_category(encoding)
        elif isinstance(encoding, NumberEncoding):
            self._write_number(encoding)

    def _write_number(self, encoding: NumberEncoding) -> None:
        x = self._input(encoding.name, "float64")
        missing = self._node("IsNaN", x)
        centred = self._node("Sub", x, self._constant(encoding.center))
        scaled = self._node("Mul", centred, self._constant(encoding.factor))
        low, high = self._constant(-FARTHEST), self._constant(FARTHEST)
        bounded = self._node("Min", self._node("Max", scaled, low), high)
        filled = self._node("Where", missing, self._constant(0.0), bounded)
        self._parts["numbers"].append(self._cast(filled, "float32"))
        if encoding.missing:
            code = self._node("Add", self._cast(missing, "float32"), self._constant(1.0, "float32"))
            self._parts["codes"].append(code)

    def _write_category(self, encoding: CategoryEncoding) -> None:
        codes = {"" if key is None else key: code for key, code in encoding.code_of.items()}
        x = self._input(encoding.name, None)
        attributes = {"keys_strings": list(codes), "values_int64s": list(codes.values()), "default_int64": 0}
        code = self._node("LabelEncoder", x, domain="ai.onnx.ml", **attributes)
        self._parts["codes"].append(self._cast(code, "float32"))

    def model(self, network: Any) -> Any:
        """The nodes as a model, its operators of the network's own version."""
        helper = self._helper
        outputs = []
        for name in self._wanted:
            whole, sides = f"columns/{name}", ["batch", len(self._parts[name])]
            self._nodes.append(helper.make_node("Concat", self._parts[name], [whole], axis=1))
            outputs.append(helper.make_tensor_value_info(whole, self._number("float32"), sides))
        graph = helper.make_graph(self._nodes, "columns", self._inputs, outputs, initializer=self._constants)
        opsets = {one.domain: one.version for one in network.opset_import}
        imports = [helper.make_opsetid("", opsets[""]), helper.make_opsetid("ai.onnx.ml", _OPSETS["ai.onnx.ml"])]
        return helper.make_model(graph, opset_imports=imports, ir_version=network.ir_version)

    def _number(self, dtype: str) -> int:
        return int(self._helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def _input(self, name: str, dtype: str | None) -> str:
        import onnx

        kind = onnx.TensorProto.STRING if dtype is None else self._number(dtype)
        self._inputs.append(self._helper.make_tensor_value_info(name, kind, ["batch", 1]))
        return name

    def _constant(self, value: float, dtype: str = "float64") -> str:
        from onnx import numpy_helper

        name = f"columns/constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def _node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"columns/{kind}_{len(self._nodes)}"
        self._nodes.append(self._helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def _cast(self, x: str, dtype: str) -> str:
        return self._node("Cast", x, to=self._number(dtype))


def _write_after(whole: Any, helper: Any, scale: tuple[Array, Array] | None, name: str, taken: Sequence[str]) -> None:
    """Gives the output its name: probabilities, or values in the units of the target, in double precision."""
    from onnx import TensorProto, numpy_helper

    graph, result = whole.graph, f"network/{name}"
    target = "probabilities" if scale is None else "values"
    while target in taken:  # a column is called so
        target = f"{target}_"
    if scale is None:
        graph.node.append(helper.make_node("Identity", [result], [target]))
    else:
        for key, value in zip(("deviation", "mean"), scale, strict=True):
            graph.initializer.append(numpy_helper.from_array(np.asarray(value, np.float64), f"target/{key}"))
        graph.node.append(helper.make_node("Cast", [result], ["target/double"], to=TensorProto.DOUBLE))
        graph.node.append(helper.make_node("Mul", ["target/double", "target/deviation"], ["target/scaled"]))
        last = "target/unsorted" if len(scale[0]) < graph.output[0].type.tensor_type.shape.dim[1].dim_value else target
        graph.node.append(helper.make_node("Add", ["target/scaled", "target/mean"], [last]))
        if last != target:  # quantiles of one target, in order
            count = graph.output[0].type.tensor_type.shape.dim[1].dim_value
            graph.initializer.append(numpy_helper.from_array(np.array([count], np.int64), "target/count"))
            sort = helper.make_node("TopK", [last, "target/count"], [target, "target/order"], axis=1, largest=0)
            graph.node.append(sort)
        graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    graph.output[0].name = target
