"""Models as ONNX files, which onnxruntime and other programs run without this library or Python."""

from __future__ import annotations

import os
from typing import Any

from multilayer._checks.texts import as_array_type
from multilayer._system.atomic import replaced
from multilayer._training.graph import Call
from multilayer._training.masks import MaskOf
from multilayer._version import __version__
from multilayer.layers import Layer, Wrapper
from multilayer.layers.operation import FunctionOperation
from multilayer.layers.symbolic import Shape
from multilayer.models.base import Model
from multilayer.saving.formats.onnx import layers, operations, words
from multilayer.saving.formats.onnx.writer import Writer

OPSET = 18  # the first in which all operators here are what they are used as; onnxruntime reads it from 1.14 on
_MOST_BYTES = 2**31 - 2**20  # protocol buffers end at 2 GiB


def export(model: Model, path: str | os.PathLike[str]) -> None:
    """Writes a built model to an ONNX file: what it computes when it predicts, for batches of any size.

    Raises:
        ImportError: The onnx library is not installed.
        ValueError: The model holds what has no form in ONNX, or is larger than an ONNX file can be.
        OSError: The folder is missing or not writable, or the disk is full; what was there is as it was.
    """
    _check(model)
    try:
        import onnx
    except ImportError as error:
        raise ImportError("An ONNX file is written by the onnx library. Install it with `pip install onnx`.") from error
    proto = _proto(model)
    onnx.checker.check_model(proto, full_check=True)
    with replaced(path) as file:
        file.write(proto.SerializeToString(deterministic=True))


def _check(model: Model) -> None:
    for call in model.flat_graph().calls:
        layer = call.layer
        if isinstance(layer, FunctionOperation):
            operations.require_written(layer)
            continue
        if isinstance(layer, MaskOf):
            raise ValueError(
                f"The model's '{layer.name}' has padding left out of a mean, which is not written to ONNX. Leave the "
                "mask out (`mask_zero`, `Masking`) for a model to export."
            )
        if isinstance(layer, Wrapper):
            _check_class(layer.layer)
        _check_class(layer)
        if call.training and layer.acts_in_training:
            raise ValueError(
                f"Layer '{layer.name}' was called with `training=True`, and acts at random or by its batch in every "
                "prediction, which ONNX cannot express. Call it without `training` for a model to export."
            )
    nbytes = sum(v.value.nbytes for v in model.weights)
    if nbytes > _MOST_BYTES:
        raise ValueError(f"The model's weights have {nbytes:,} bytes, and an ONNX file holds {_MOST_BYTES:,} at most.")


def _check_class(layer: Layer) -> None:
    words.require_written(layer)
    if type(layer) not in layers.KNOWN | words.KNOWN and not layers.writes_itself(layer):
        raise ValueError(
            f"Layer '{layer.name}' is a {type(layer).__name__}, a class of your own, which ONNX has no operators "
            "for. Use the library's layers where the model is to be exported."
        )


def _proto(model: Model) -> Any:
    from onnx import helper

    graph = model.flat_graph()
    op = Writer()
    inputs = [op.unique(name) for name in model.input_names]
    types = dict(zip(graph.inputs, model.input_dtypes, strict=True))
    shapes: dict[int, Shape] = dict(zip(graph.inputs, (tensor.shape for tensor in model.inputs), strict=True))
    names = dict(zip(graph.inputs, inputs, strict=True))
    for call in graph.calls:
        (target,) = call.outputs
        given = [shapes[tensor] for tensor in call.inputs]
        shapes[target] = call.layer.compute_output_shape(call.taking(shapes))  # type: ignore[arg-type]
        names[target], types[target] = _written(op, call, names, types, given)
    outputs = op.name_outputs([names[tensor] for tensor in graph.outputs], model.output_names)
    came, comes = (
        [
            helper.make_tensor_value_info(name, op.type_number(types[tensor]), _sides(name, shapes[tensor]))
            for name, tensor in zip(those, tensors, strict=True)
        ]
        for those, tensors in ((inputs, graph.inputs), (outputs, graph.outputs))
    )
    opsets = [helper.make_opsetid("", OPSET)]
    if any(node.domain == words.DOMAIN for node in op.nodes):
        opsets.append(helper.make_opsetid(words.DOMAIN, words.OPSET))
    return helper.make_model(
        helper.make_graph(op.nodes, model.name, came, comes, initializer=op.constants),
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="multilayer",
        producer_version=__version__,
    )


def _written(
    op: Writer, call: Call, names: dict[int, str], types: dict[int, str], shapes: list[Shape]
) -> tuple[str, str]:
    """Writes a call; gives the name and the type of what comes of it."""
    layer = call.layer
    op.layer, op.dtype = layer.name, layer.dtype
    xs, of = [names[tensor] for tensor in call.inputs], [types[tensor] for tensor in call.inputs]
    if isinstance(layer, FunctionOperation):  # its operands are of its type, or conditions
        return layers.write(op, layer, xs, shapes), layer.nodes[0].outputs[0].dtype
    if type(layer) in words.KNOWN:
        of_numbers = words.write(op, layer, xs[0], of[0], shapes[0])
        return of_numbers, as_array_type(layer.output_dtype or op.dtype)
    if type(layer) in layers.KEEPS_TYPE:
        return layers.write(op, layer, xs, shapes), of[0]
    if type(layer) not in layers.OF_WHOLE_NUMBERS:
        xs = [x if dtype == op.dtype else op.cast(x, op.dtype) for x, dtype in zip(xs, of, strict=True)]
    return layers.write(op, layer, xs, shapes), op.dtype


def _sides(name: str, shape: Shape) -> list[int | str]:
    """The lengths of the axes, those that are left open by name: that of the batch is the same everywhere."""
    first, *others = shape
    sides = [f"{name}_{axis}" if side is None else side for axis, side in enumerate(others, start=1)]
    return ["batch" if first is None else first, *sides]
