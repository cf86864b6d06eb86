"""Each layer in the operators of ONNX, as it predicts: what acts in training alone is not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from multilayer import layers
from multilayer.layers import Layer
from multilayer.layers.symbolic import Shape
from multilayer.saving.formats.onnx import activations
from multilayer.saving.formats.onnx.writer import Operand, Writer

# Writes a layer whose inputs have these names and these shapes, and gives the name of its output.
Formula: TypeAlias = Callable[[Writer, Any, Sequence[str], Sequence[Shape]], str]


def write(op: Writer, layer: Layer, xs: Sequence[str], shapes: Sequence[Shape]) -> str:
    """Writes a call of a layer, whose inputs are of the layer's type."""
    return FORMULAS[type(layer)](op, layer, xs, shapes)


def _passed_on(op: Writer, layer: Layer, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG001
    return xs[0]


def _dense(op: Writer, layer: layers.Dense, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG001
    a = op("MatMul", xs[0], layer.kernel)
    if layer.bias is not None:
        a = op("Add", a, layer.bias)
    return activations.write(op, layer.activation, a)


def _activation(op: Writer, layer: Any, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG001
    return activations.write(op, layer.activation, xs[0])


def _prelu(op: Writer, layer: layers.PReLU, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG001
    return op("PRelu", xs[0], layer.alpha)


def _reshape(op: Writer, layer: Layer, xs: Sequence[str], shapes: Sequence[Shape]) -> str:
    sides = layer.compute_output_shape(shapes[0])[1:]
    if sides.count(None) > 1:
        sides = getattr(layer, "target_shape", sides)
    return op("Reshape", xs[0], [0, *(-1 if side is None else side for side in sides)])  # 0 is the batch as it comes


def _rescaling(op: Writer, layer: layers.Rescaling, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG001
    scaled = op("Mul", xs[0], np.asarray(layer.scale, op.dtype))
    return op("Add", scaled, np.asarray(layer.offset, op.dtype))


def _normalization(op: Writer, layer: layers.Normalization, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG001
    mean, deviation = layer.mean_and_deviation(np.dtype(op.dtype))
    if layer.invert:
        return op("Add", op("Mul", xs[0], deviation), mean)
    return op("Div", op("Sub", xs[0], mean), deviation)


def _category_encoding(op: Writer, layer: layers.CategoryEncoding, xs: Sequence[str], shapes: Sequence[Shape]) -> str:
    depth, off_on = np.asarray(layer.num_tokens, np.int64), np.asarray([0, 1], np.float32)
    tokens = op.cast(xs[0], "int64")
    if layer.output_mode == "one_hot":
        if shapes[0][-1] == 1:
            tokens = op("Squeeze", tokens, [-1])
        return op.cast(op("OneHot", tokens, depth, off_on, axis=-1), op.dtype)
    rows = op("OneHot", tokens, depth, off_on, axis=-1)
    counted = op("ReduceSum" if layer.output_mode == "count" else "ReduceMax", rows, [-2], keepdims=0)
    return op.cast(counted, op.dtype)


def _embedding(op: Writer, layer: layers.Embedding, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG001
    return op("Gather", layer.embeddings, op.cast(xs[0], "int64"), axis=0)


# --- Normalization ----------------------------------------------------------------------------------------------------


def _batch_normalization(
    op: Writer, layer: layers.BatchNormalization, xs: Sequence[str], shapes: Sequence[Shape]
) -> str:
    """By the running means: a factor and an offset for each feature."""
    factor = 1.0 / np.sqrt(layer.moving_variance.value + layer.epsilon)
    if layer.gamma is not None:
        factor = factor * layer.gamma.value
    offset = -layer.moving_mean.value * factor
    if layer.beta is not None:
        offset = offset + layer.beta.value
    shape = [side if axis in layer.axes else 1 for axis, side in enumerate(shapes[0])]
    return op("Add", op("Mul", xs[0], factor.reshape(shape)), offset.reshape(shape))


def _layer_normalization(
    op: Writer, layer: layers.LayerNormalization, xs: Sequence[str], shapes: Sequence[Shape]
) -> str:
    axes = list(layer.axes)
    shape = [side if axis in axes else 1 for axis, side in enumerate(shapes[0])]
    x = op("Sub", xs[0], op("ReduceMean", xs[0], axes, keepdims=1)) if layer.centered else xs[0]
    mean_square = op("ReduceMean", op("Mul", x, x), axes, keepdims=1)
    y = op("Div", x, op("Sqrt", op("Add", mean_square, layer.epsilon)))
    if layer.gamma is not None:
        y = op("Mul", y, layer.gamma.value.reshape(shape))
    return y if layer.beta is None else op("Add", y, layer.beta.value.reshape(shape))


def _unit_normalization(op: Writer, layer: layers.UnitNormalization, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG001
    axes = layer.axis if isinstance(layer.axis, list) else [layer.axis]
    length = op("Sqrt", op("ReduceSum", op("Mul", xs[0], xs[0]), axes, keepdims=1))
    return op("Mul", xs[0], op("Min", op("Reciprocal", length), 1e12))


# --- Several inputs ---------------------------------------------------------------------------------------------------


def _merge(kind: str, mean: bool = False) -> Formula:
    """Number by number, after inputs of fewer axes got axes of length 1 behind the batch."""

    def formula(op: Writer, layer: Layer, xs: Sequence[str], shapes: Sequence[Shape]) -> str:  # noqa: ARG001
        ndim = max(map(len, shapes))
        aligned: list[Operand] = [
            x if len(shape) == ndim else op("Unsqueeze", x, list(range(1, 1 + ndim - len(shape))))
            for x, shape in zip(xs, shapes, strict=True)
        ]
        y = aligned[0]
        for x in aligned[1:]:
            y = op(kind, y, x)
        return op("Mul", y, 1.0 / len(xs)) if mean else str(y)

    return formula


def _concatenate(op: Writer, layer: layers.Concatenate, xs: Sequence[str], shapes: Sequence[Shape]) -> str:
    return op("Concat", *xs, axis=layer.axis % len(shapes[0]))


FORMULAS: dict[type[Layer], Formula] = {
    layers.Activation: _activation,
    layers.ActivityRegularization: _passed_on,
    layers.Add: _merge("Add"),
    layers.AlphaDropout: _passed_on,
    layers.Average: _merge("Add", mean=True),
    layers.BatchNormalization: _batch_normalization,
    layers.CategoryEncoding: _category_encoding,
    layers.Concatenate: _concatenate,
    layers.Dense: _dense,
    layers.Dropout: _passed_on,
    layers.ELU: _activation,
    layers.Embedding: _embedding,
    layers.Flatten: _reshape,
    layers.GaussianDropout: _passed_on,
    layers.GaussianNoise: _passed_on,
    layers.Identity: _passed_on,
    layers.LayerNormalization: _layer_normalization,
    layers.LeakyReLU: _activation,
    layers.Maximum: _merge("Max"),
    layers.Minimum: _merge("Min"),
    layers.Multiply: _merge("Mul"),
    layers.Normalization: _normalization,
    layers.PReLU: _prelu,
    layers.RMSNormalization: _layer_normalization,
    layers.ReLU: _activation,
    layers.Rescaling: _rescaling,
    layers.Reshape: _reshape,
    layers.Softmax: _activation,
    layers.Subtract: _merge("Sub"),
    layers.UnitNormalization: _unit_normalization,
}
# These hand on what they are given as it is, of whatever type; and these turn it into whole numbers, without rounding.
KEEPS_TYPE = {layer for layer, formula in FORMULAS.items() if formula in (_passed_on, _reshape)}
OF_WHOLE_NUMBERS = {layers.CategoryEncoding, layers.Embedding}
