"""Functions that were called with a model's tensors, in the operators of ONNX, under Keras' names and arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from multilayer._core.arena import Variable
from multilayer.activations import Activation
from multilayer.layers.operation import FunctionOperation
from multilayer.layers.operations import function_of, named_arguments
from multilayer.layers.recorded import filled
from multilayer.layers.symbolic import Shape
from multilayer.saving.formats.onnx import activations
from multilayer.saving.formats.onnx.writer import Operand, Writer

# Takes the arguments by Keras' names, tensors by their names in the file; `shape` is that of the first tensor, `to`
# that of what comes of it.
Formula: TypeAlias = Callable[..., str]

_LAST = 2**63 - 1  # behind the end of every axis


def write(op: Writer, layer: FunctionOperation, xs: Sequence[str], shapes: Sequence[Shape]) -> str:
    """Writes a call of a function, whose inputs are of the layer's type or truth values."""
    activation = activation_of(layer)
    if activation is not None:
        return activations.write(op, activation, xs[0])
    given = {name: _operand(op, filled(one, xs)) for name, one in arguments_of(layer).items()}
    return _FORMULAS[layer.kind](op, **given, shape=shapes[0], to=layer.nodes[0].outputs[0].shape)


def require_written(layer: FunctionOperation) -> None:
    """Raises ValueError where a function that was called with a model's tensors has no operator of ONNX here."""
    node = layer.nodes[0]
    types = {layer.dtype, "bool"}
    known = layer.kind in _FORMULAS and arguments_of(layer) is not None
    of_types = all(tensor.dtype in types for tensor in (*node.inputs, *node.outputs)) and len(node.outputs) == 1
    if not (of_types and (known or activation_of(layer) is not None)):
        raise ValueError(
            f"The operation '{layer.name}' ({layer.kind}) is not written to ONNX with these arguments. What is, of "
            f"real numbers and of conditions: activations, {', '.join(sorted(_FORMULAS))}. Use layers where the model "
            "is to be exported."
        )


def activation_of(layer: FunctionOperation) -> Activation | None:
    """The activation that the function is, with its options; None where it is none."""
    kwargs = layer.nodes[0].form.kwargs
    if isinstance(layer.function, Activation):
        return layer.function.bound(**kwargs) if kwargs else layer.function
    operation, given = layer.operation, arguments_of(layer)
    known = None if given is None or operation is None else function_of(operation.name)
    if operation is None or not isinstance(known, Activation):
        return None
    return known.bound(**{name: given[name] for name in operation.options})


def arguments_of(layer: FunctionOperation) -> Any:
    """The arguments by Keras' names; None where the function takes more."""
    operation, form = layer.operation, layer.nodes[0].form
    if operation is None:
        return None
    given = named_arguments(operation, layer.function, form.args, form.kwargs)
    return None if given is None else {**operation.options, **given}


def _operand(op: Writer, one: Any) -> Any:
    """An argument as a writer takes it: floats in the type that is computed in, all else as it is."""
    if isinstance(one, (list, tuple)) and any(isinstance(inner, str) for inner in one):
        return [_operand(op, inner) for inner in one]
    if isinstance(one, float) or (isinstance(one, np.ndarray) and one.dtype.kind == "f"):
        return np.asarray(one, op.dtype)
    return one


def _number(op: Writer, x: Any) -> Operand:
    """An operand of arithmetic: Python's whole numbers are real ones here."""
    return x if isinstance(x, (str, Variable)) else np.asarray(x, op.dtype)


def _elementwise(kind: str) -> Formula:
    """One operator of one or two operands; both repeat shorter sides as NumPy does."""

    def written(op: Writer, *, shape: Any, to: Any, **given: Any) -> str:
        del shape, to
        return op(kind, *(_number(op, x) for x in given.values()))

    return written


def _logical(kind: str) -> Formula:
    def written(op: Writer, *, shape: Any, to: Any, **given: Any) -> str:
        del shape, to
        return op(kind, *(x if isinstance(x, str) else np.asarray(x, bool) for x in given.values()))

    return written


def _reduction(kind: str) -> Formula:
    def written(op: Writer, x: str, axis: Any = None, keepdims: bool = False, **_: Any) -> str:
        return op(kind, x, *_axes(axis), keepdims=int(keepdims))

    return written


def _axes(axis: Any) -> list[list[int]]:
    """The axes as an operand; none for all."""
    return [] if axis is None else [list(axis) if isinstance(axis, (list, tuple)) else [axis]]


def _variance(op: Writer, x: str, axis: Any, keepdims: bool, **_: Any) -> str:
    deviation = op("Sub", x, op("ReduceMean", x, *_axes(axis), keepdims=1))
    return op("ReduceMean", op("Mul", deviation, deviation), *_axes(axis), keepdims=int(keepdims))


def _clip(op: Writer, x: str, x_min: Any, x_max: Any, **_: Any) -> str:
    """Two operators, whose bounds may be arrays."""
    y = x if x_min is None else op("Max", x, _number(op, x_min))
    return y if x_max is None else op("Min", y, _number(op, x_max))


def _where(op: Writer, condition: Any, x1: Any, x2: Any, **_: Any) -> str:
    condition = condition if isinstance(condition, str) else np.asarray(condition, bool)
    return op("Where", condition, _number(op, x1), _number(op, x2))


def _concatenate(op: Writer, xs: Sequence[Any], axis: int, **_: Any) -> str:
    return op("Concat", *(_number(op, x) for x in xs), axis=axis)


def _stack(op: Writer, x: Sequence[Any], axis: int, **_: Any) -> str:
    return op("Concat", *(op("Unsqueeze", _number(op, one), [axis]) for one in x), axis=axis)


def _reshape(op: Writer, x: str, to: Shape, **_: Any) -> str:
    if to.count(None) > 1:
        raise ValueError(f"'{op.layer}' gives {to}: for ONNX, every side but one must be known.")
    return op("Reshape", x, [-1 if side is None else side for side in to])


def _squeeze(op: Writer, x: str, axis: Any, shape: Shape, **_: Any) -> str:
    return op("Squeeze", x, *_axes([i for i, side in enumerate(shape) if side == 1] if axis is None else axis))


def _transpose(op: Writer, x: str, axes: Any, shape: Shape, **_: Any) -> str:
    order = range(len(shape))[::-1] if axes is None else axes
    return op("Transpose", x, perm=[i % len(shape) for i in order])


def _moved(move: Callable[..., Any]) -> Formula:
    """What changes the order of axes, as it changes that of an array's sides."""

    def written(op: Writer, x: str, shape: Shape, to: Shape, **given: Any) -> str:
        del to
        numbered = np.empty(tuple(range(1, len(shape) + 1)), bool)  # each side is told by its length
        return op("Transpose", x, perm=[side - 1 for side in move(numbered, **given).shape])

    return written


def _get_item(op: Writer, x: str, key: Any, shape: Shape, **_: Any) -> str:
    """Ranges first, then single places, from the last axis on, then new axes."""
    parts = list(key) if isinstance(key, tuple) else [key]
    named = sum(one is not None and one is not Ellipsis for one in parts)
    if Ellipsis not in [one if one is Ellipsis else None for one in parts]:
        parts.append(Ellipsis)
    place = next(i for i, one in enumerate(parts) if one is Ellipsis)
    parts[place : place + 1] = [slice(None)] * (len(shape) - named)
    taken = [one for one in parts if one is not None]
    if not all(isinstance(one, (int, np.integer, slice)) for one in taken):
        raise ValueError(f"'{op.layer}' takes places by an array, which is not written to ONNX. Use slices, or `take`.")
    ranges = {axis: one for axis, one in enumerate(taken) if isinstance(one, slice) and one != slice(None)}
    if ranges:
        starts, stops, steps = (list(ends) for ends in zip(*map(_ends, ranges.values()), strict=True))
        x = op("Slice", x, starts, stops, list(ranges), steps)
    for axis, one in reversed(list(enumerate(taken))):
        if not isinstance(one, slice):
            x = op("Gather", x, np.asarray(one, np.int64), axis=axis)
    kept = [one for one in parts if one is None or isinstance(one, slice)]
    new = [i for i, one in enumerate(kept) if one is None]
    return op("Unsqueeze", x, new) if new else x


def _ends(one: slice) -> tuple[int, int, int]:
    step = 1 if one.step is None else one.step
    first, last = (0, _LAST) if step > 0 else (_LAST, -_LAST)
    return first if one.start is None else one.start, last if one.stop is None else one.stop, step


def _take(op: Writer, x: str, indices: Any, axis: int | None, **_: Any) -> str:
    if isinstance(indices, str):
        raise ValueError(f"'{op.layer}' takes places by a tensor, which is not written to ONNX.")
    flat = op("Reshape", x, [-1]) if axis is None else x
    return op("Gather", flat, np.asarray(indices, np.int64), axis=axis or 0)


def _cast(op: Writer, x: str, dtype: Any, **_: Any) -> str:
    return op.cast(x, np.dtype(dtype).name)


def _einsum(op: Writer, subscripts: str, **given: Any) -> str:
    return op("Einsum", *(_number(op, one) for one in given["*operands"]), equation=subscripts)


_FORMULAS: Mapping[str, Formula] = {
    **{
        kind: _elementwise(kind)
        for kind in ("Add", "Ceil", "Cos", "Cosh", "Exp", "Floor", "Greater", "Less", "Log", "Reciprocal", "Sign")
    },
    **{kind: _elementwise(kind) for kind in ("Equal", "Sin", "Sinh", "Sqrt", "Tan", "Tanh")},
    "Absolute": _elementwise("Abs"),
    "Arctan": _elementwise("Atan"),
    "Cast": _cast,
    "Clip": _clip,
    "Concatenate": _concatenate,
    "Divide": _elementwise("Div"),
    "Einsum": _einsum,
    "ExpandDims": lambda op, x, axis, **_: op("Unsqueeze", x, *_axes(axis)),
    "Expm1": lambda op, x, **_: op("Sub", op("Exp", x), 1.0),
    "GetItem": _get_item,
    "GreaterEqual": _elementwise("GreaterOrEqual"),
    "LessEqual": _elementwise("LessOrEqual"),
    "Log1p": lambda op, x, **_: op("Log", op("Add", x, 1.0)),
    "LogicalAnd": _logical("And"),
    "LogicalNot": _logical("Not"),
    "LogicalOr": _logical("Or"),
    "LogicalXor": _logical("Xor"),
    "Logsumexp": _reduction("ReduceLogSumExp"),
    "Matmul": _elementwise("MatMul"),
    "Max": _reduction("ReduceMax"),
    "Maximum": _elementwise("Max"),
    "Mean": _reduction("ReduceMean"),
    "Min": _reduction("ReduceMin"),
    "Minimum": _elementwise("Min"),
    "Moveaxis": _moved(np.moveaxis),
    "Multiply": _elementwise("Mul"),
    "Negative": _elementwise("Neg"),
    "NotEqual": lambda op, x1, x2, **_: op("Not", op("Equal", _number(op, x1), _number(op, x2))),
    "Power": _elementwise("Pow"),
    "Prod": _reduction("ReduceProd"),
    "Ravel": _reshape,
    "Reshape": _reshape,
    "Rsqrt": lambda op, x, **_: op("Reciprocal", op("Sqrt", x)),
    "Square": lambda op, x, **_: op("Mul", x, x),
    "Squeeze": _squeeze,
    "Stack": _stack,
    "Std": lambda op, **given: op("Sqrt", _variance(op, **given)),
    "StopGradient": lambda op, variable, **_: op("Identity", variable),
    "Subtract": _elementwise("Sub"),
    "Sum": _reduction("ReduceSum"),
    "Swapaxes": _moved(np.swapaxes),
    "Take": _take,
    "Transpose": _transpose,
    "TrueDivide": _elementwise("Div"),
    "Var": _variance,
    "Where": _where,
}
