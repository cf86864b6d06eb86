"""Each layer in the operators of ONNX, as it predicts: what acts in training alone is not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from multilayer import layers
from multilayer.config import epsilon
from multilayer.functional import quantization
from multilayer.layers import Layer
from multilayer.layers.contraction import letters_for
from multilayer.layers.operation import FunctionOperation
from multilayer.layers.symbolic import Shape
from multilayer.saving.formats.onnx import activations, operations
from multilayer.saving.formats.onnx.writer import Operand, Writer

# These write a layer and give the name of its output: of one input, by its name, where the shape makes no difference;
# or of any inputs, by their names and shapes.
OneInputFormula: TypeAlias = Callable[[Writer, Any, str], str]
Formula: TypeAlias = Callable[[Writer, Any, Sequence[str], Sequence[Shape]], str]


def write(op: Writer, layer: Layer, xs: Sequence[str], shapes: Sequence[Shape]) -> str:
    """Writes a call of a layer, whose inputs are of the layer's type."""
    kind = type(layer)
    if isinstance(layer, FunctionOperation):
        return operations.write(op, layer, xs, shapes)
    if writes_itself(layer):
        return str(layer.write_onnx(op, xs, shapes))  # type: ignore[attr-defined]
    if kind in _IDENTITIES:
        return xs[0]
    if kind in _MERGES:
        return _merged(op, _MERGES[kind], xs, shapes)
    if kind in _OF_ONE_INPUT:
        return _OF_ONE_INPUT[kind](op, layer, xs[0])
    return _OF_SHAPES[kind](op, layer, xs, shapes)


def writes_itself(layer: Layer) -> bool:
    """Whether a layer of a wing above says how it is written: it has a method `write_onnx(op, xs, shapes)`."""
    return hasattr(layer, "write_onnx")


def _dense(op: Writer, layer: layers.Dense, x: str) -> str:
    a = op("MatMul", x, layer.kernel)
    if layer.bias is not None:
        a = op("Add", a, layer.bias)
    return activations.write(op, layer.activation, a)


def _quantization_aware(op: Writer, layer: layers.QuantizationAware, x: str) -> str:
    """With the input and the kernel as the few bits have them: a kernel that is rounded once for all."""
    dense = layer.layer
    if layer.measured:
        scale, zero = layer.scale_and_zero()
        x = op("Clip", op("Round", op("Div", x, scale)), -128.0 - zero, 127.0 - zero)
        x = op("Mul", x, scale)
    a = op("MatMul", x, quantization.fake_quantize(dense.kernel.value, layer.step.value, layer.bits))
    if dense.bias is not None:
        a = op("Add", a, dense.bias)
    return activations.write(op, dense.activation, a)


def _einsum_dense(op: Writer, layer: layers.EinsumDense, xs: Sequence[str], shapes: Sequence[Shape]) -> str:
    letters = letters_for(layer.equation, len(shapes[0]))
    a = op("Einsum", xs[0], layer.kernel, equation=f"{letters.x},{letters.kernel}->{letters.y}")
    if layer.bias is not None:
        a = op("Add", a, layer.bias)
    return activations.write(op, layer.activation, a)


def _activation(op: Writer, layer: Any, x: str) -> str:
    return activations.write(op, layer.activation, x)


def _prelu(op: Writer, layer: layers.PReLU, x: str) -> str:
    return op("PRelu", x, layer.alpha)


def _reshape(op: Writer, layer: Layer, xs: Sequence[str], shapes: Sequence[Shape]) -> str:
    sides = layer.compute_output_shape(shapes[0])[1:]
    if sides.count(None) > 1:
        sides = getattr(layer, "target_shape", sides)
    return op("Reshape", xs[0], [0, *(-1 if side is None else side for side in sides)])  # 0 is the batch as it comes


def _rescaling(op: Writer, layer: layers.Rescaling, x: str) -> str:
    scaled = op("Mul", x, np.asarray(layer.scale, op.dtype))
    return op("Add", scaled, np.asarray(layer.offset, op.dtype))


def _normalization(op: Writer, layer: layers.Normalization, x: str) -> str:
    mean, deviation = layer.mean_and_deviation(np.dtype(op.dtype))
    if layer.invert:
        return op("Add", op("Mul", x, deviation), mean)
    return op("Div", op("Sub", x, mean), deviation)


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


def _embedding(op: Writer, layer: layers.Embedding, x: str) -> str:
    return op("Gather", layer.embeddings, op.cast(x, "int64"), axis=0)


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


def _unit_normalization(op: Writer, layer: layers.UnitNormalization, x: str) -> str:
    axes = layer.axis if isinstance(layer.axis, list) else [layer.axis]
    length = op("Sqrt", op("ReduceSum", op("Mul", x, x), axes, keepdims=1))
    return op("Mul", x, op("Min", op("Reciprocal", length), 1e12))


def _group_normalization(
    op: Writer, layer: layers.GroupNormalization, xs: Sequence[str], shapes: Sequence[Shape]
) -> str:
    axis, sides = layer.axes[0], [-1 if side is None else side for side in shapes[0][1:]]
    in_groups = [*sides[: axis - 1], layer.groups, sides[axis - 1] // layer.groups, *sides[axis:]]
    others = [i for i in range(1, len(in_groups) + 1) if i != axis]
    x = op("Reshape", xs[0], [0, *in_groups])
    x = op("Sub", x, op("ReduceMean", x, others, keepdims=1))
    mean_square = op("ReduceMean", op("Mul", x, x), others, keepdims=1)
    y = op("Reshape", op("Div", x, op("Sqrt", op("Add", mean_square, layer.epsilon))), [0, *sides])
    by_feature = [-1 if i == axis else 1 for i in range(len(shapes[0]))]
    if layer.gamma is not None:
        y = op("Mul", y, layer.gamma.value.reshape(by_feature))
    return y if layer.beta is None else op("Add", y, layer.beta.value.reshape(by_feature))


# --- Sequences --------------------------------------------------------------------------------------------------------


def _average_pooling(op: Writer, layer: layers.GlobalAveragePooling1D, x: str) -> str:
    return op("ReduceMean", x, [layer.steps_axis], keepdims=int(layer.keepdims))


def _max_pooling(op: Writer, layer: layers.GlobalMaxPooling1D, x: str) -> str:
    return op("ReduceMax", x, [layer.steps_axis], keepdims=int(layer.keepdims))


def _permute(op: Writer, layer: layers.Permute, x: str) -> str:
    return op("Transpose", x, perm=[0, *layer.dims])


def _repeat_vector(op: Writer, layer: layers.RepeatVector, x: str) -> str:
    return op("Tile", op("Unsqueeze", x, [1]), [1, layer.n, 1])


def _masking(op: Writer, layer: layers.Masking, x: str) -> str:
    counts = op.cast(op("Not", op("Equal", x, float(layer.mask_value))), op.dtype)
    return op("Mul", x, op("ReduceMax", counts, [-1], keepdims=1))


def _spectral_normalization(
    op: Writer, layer: layers.SpectralNormalization, xs: Sequence[str], shapes: Sequence[Shape]
) -> str:
    return write(op, layer.layer, xs, shapes)


def _time_distributed(op: Writer, layer: layers.TimeDistributed, xs: Sequence[str], shapes: Sequence[Shape]) -> str:
    _, steps, *sides = shapes[0]
    of_steps = layer.layer.compute_output_shape((None, *sides))[1:]
    if None in (steps, *sides, *of_steps):
        raise ValueError(
            f"Layer '{layer.name}' is a TimeDistributed of {shapes[0]}: for ONNX, every side but the batch must be "
            "known."
        )
    x = op("Reshape", xs[0], [-1, *(side for side in sides if side is not None)])
    y = write(op, layer.layer, [x], [(None, *sides)])
    return op("Reshape", y, [-1, *(side for side in (steps, *of_steps) if side is not None)])


# --- Several inputs ---------------------------------------------------------------------------------------------------


def _merged(op: Writer, kind: str, xs: Sequence[str], shapes: Sequence[Shape]) -> str:
    """Number by number, after inputs of fewer axes got axes of length 1 behind the batch."""
    ndim = max(map(len, shapes))
    aligned: list[Operand] = [
        x if len(shape) == ndim else op("Unsqueeze", x, list(range(1, 1 + ndim - len(shape))))
        for x, shape in zip(xs, shapes, strict=True)
    ]
    y = aligned[0]
    for x in aligned[1:]:
        y = op(kind, y, x)
    return str(y)


def _average(op: Writer, _: layers.Average, xs: Sequence[str], shapes: Sequence[Shape]) -> str:
    return op("Mul", _merged(op, "Add", xs, shapes), 1.0 / len(xs))


def _concatenate(op: Writer, layer: layers.Concatenate, xs: Sequence[str], shapes: Sequence[Shape]) -> str:
    return op("Concat", *xs, axis=layer.axis % len(shapes[0]))


def _dot(op: Writer, layer: layers.Dot, xs: Sequence[str], shapes: Sequence[Shape]) -> str:
    matrices = []
    for x, shape, axis in zip(xs, shapes, layer.axes_of(shapes), strict=True):
        if layer.normalize:
            length = op("Sqrt", op("ReduceSum", op("Mul", x, x), [axis], keepdims=1))
            x = op("Mul", x, op("Min", op("Reciprocal", length), 1.0 / epsilon()))
        rest = [i for i in range(1, len(shape)) if i != axis]
        turned = op("Transpose", x, perm=[0, *rest, axis])
        size = shape[axis]
        if size is None:
            raise ValueError(f"Layer '{layer.name}' is a Dot of {shapes}: for ONNX, axis {axis} must be known.")
        matrices.append(op("Reshape", turned, [0, -1 if rest else 1, size]))
    y = op("MatMul", matrices[0], op("Transpose", matrices[1], perm=[0, 2, 1]))
    sides = layer.compute_output_shape(list(shapes))[1:]
    return op("Reshape", y, [0, *(-1 if side is None else side for side in sides)])


_IDENTITIES = {
    layers.ActivityRegularization,
    layers.AlphaDropout,
    layers.Dropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.Identity,
}
_MERGES: dict[type[Layer], str] = {
    layers.Add: "Add",
    layers.Maximum: "Max",
    layers.Minimum: "Min",
    layers.Multiply: "Mul",
    layers.Subtract: "Sub",
}
_OF_ONE_INPUT: dict[type[Layer], OneInputFormula] = {
    layers.Activation: _activation,
    layers.Dense: _dense,
    layers.ELU: _activation,
    layers.Embedding: _embedding,
    layers.GlobalAveragePooling1D: _average_pooling,
    layers.GlobalMaxPooling1D: _max_pooling,
    layers.LeakyReLU: _activation,
    layers.Masking: _masking,
    layers.Normalization: _normalization,
    layers.PReLU: _prelu,
    layers.Permute: _permute,
    layers.ReLU: _activation,
    layers.QuantizationAware: _quantization_aware,
    layers.RepeatVector: _repeat_vector,
    layers.Rescaling: _rescaling,
    layers.Softmax: _activation,
    layers.UnitNormalization: _unit_normalization,
}
_OF_SHAPES: dict[type[Layer], Formula] = {
    layers.Average: _average,
    layers.BatchNormalization: _batch_normalization,
    layers.CategoryEncoding: _category_encoding,
    layers.Concatenate: _concatenate,
    layers.Dot: _dot,
    layers.EinsumDense: _einsum_dense,
    layers.Flatten: _reshape,
    layers.GroupNormalization: _group_normalization,
    layers.LayerNormalization: _layer_normalization,
    layers.RMSNormalization: _layer_normalization,
    layers.Reshape: _reshape,
    layers.SpectralNormalization: _spectral_normalization,
    layers.TimeDistributed: _time_distributed,
}
KNOWN: frozenset[type[Layer]] = frozenset((*_IDENTITIES, *_MERGES, *_OF_ONE_INPUT, *_OF_SHAPES))
# These hand on what they are given as it is, of whatever type; and these turn it into whole numbers, without rounding.
KEEPS_TYPE: frozenset[type[Layer]] = frozenset((*_IDENTITIES, layers.Flatten, layers.Reshape))
OF_WHOLE_NUMBERS = {layers.CategoryEncoding, layers.Embedding}
