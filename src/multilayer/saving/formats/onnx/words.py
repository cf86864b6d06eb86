"""Layers for words and amounts in the operators of ONNX: tables, for which it has a set of operators beside its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer import layers
from multilayer.layers import Layer
from multilayer.layers.index_lookup import IndexLookup
from multilayer.layers.symbolic import Shape
from multilayer.saving.formats.onnx.writer import Writer

DOMAIN, OPSET = "ai.onnx.ml", 2
KNOWN: frozenset[type[Layer]] = frozenset((layers.StringLookup, layers.IntegerLookup, layers.Discretization))
_BEYOND = {
    layers.Hashing: "hashes, which ONNX has no operator for. `StringLookup` with the words that there are has one",
    layers.HashedCrossing: "hashes, which ONNX has no operator for",
    layers.TextVectorization: "the splitting of texts, which ONNX has no operator for. Split them before the model, "
    "and look the words up by `StringLookup`",
}


def require_written(layer: Layer) -> None:
    """Raises ValueError where a layer for words has no form in ONNX."""
    if type(layer) in _BEYOND:
        raise ValueError(f"Layer '{layer.name}' is a {type(layer).__name__}: it needs {_BEYOND[type(layer)]}.")
    if isinstance(layer, IndexLookup) and layer.num_oov_indices != 1 and not layer.invert:
        raise ValueError(
            f"Layer '{layer.name}' has `num_oov_indices={layer.num_oov_indices}`, and a table of ONNX gives all that "
            "it does not know the same number: only `num_oov_indices=1` is exported."
        )
    if isinstance(layer, layers.Discretization) and layer.bin_boundaries is None:
        raise ValueError(f"Layer '{layer.name}' has no boundaries yet: call its `adapt` before.")


def write(op: Writer, layer: Any, x: str, dtype: str, shape: Shape) -> str:
    """Writes a call of such a layer, whose input is of this type."""
    if isinstance(layer, layers.Discretization):
        return _discretized(op, layer, x if dtype == op.dtype else op.cast(x, op.dtype), shape)
    if layer.input_dtype == "int64" and dtype != "int64":
        x = op.cast(x, "int64")
    return _looked_up(op, layer, x, shape)


def _looked_up(op: Writer, layer: IndexLookup, x: str, shape: Shape) -> str:
    tokens = layer.get_vocabulary()
    of = "strings" if isinstance(layer, layers.StringLookup) else "int64s"
    if layer.invert:
        keys = range(len(tokens))
        table = {"keys_int64s": list(keys), f"values_{of}": tokens, f"default_{of[:-1]}": layer.oov_token}
        return op("LabelEncoder", x, domain=DOMAIN, **table)
    depth = layer.compute_output_shape((None, 2))[-1]
    # What a row leaves out has the number after its last place, for which no 1 is written.
    numbers = layer.table(depth if layer.output_mode != "int" else None)
    table = {f"keys_{of}": list(numbers), "values_int64s": list(numbers.values()), "default_int64": layer.unknown_place}
    found = op("LabelEncoder", x, domain=DOMAIN, **table)
    return found if layer.output_mode == "int" else _rows(op, layer, found, depth, shape)


def _discretized(op: Writer, layer: layers.Discretization, x: str, shape: Shape) -> str:
    bounds = np.asarray(layer.bin_boundaries, op.dtype)
    reached = op("Not", op("Less", op("Unsqueeze", x, [-1]), bounds))
    bins = op("ReduceSum", op.cast(reached, "int64"), [-1], keepdims=0)
    if layer.output_mode == "int":
        return op.cast(bins, "int32")
    return _rows(op, layer, bins, len(bounds) + 1, shape)


def _rows(op: Writer, layer: Any, numbers: str, depth: int | None, shape: Shape) -> str:
    """Rows of zeros and ones, or of counts, of whole numbers."""
    if layer.output_mode == "one_hot" and len(shape) > 1 and shape[-1] == 1:
        numbers = op("Squeeze", numbers, [-1])
    rows = op("OneHot", numbers, np.asarray(depth, np.int64), np.asarray([0, 1], np.float32), axis=-1)
    if layer.output_mode != "one_hot":
        rows = op("ReduceMax" if layer.output_mode == "multi_hot" else "ReduceSum", rows, [-2], keepdims=0)
    rows = op.cast(rows, op.dtype)
    return op("Mul", rows, layer.idf_weights) if layer.output_mode == "tf_idf" else rows
