"""Functions that a model was drawn up with, such as `x + y` and `np.mean(x, axis=1)`, as steps of a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from multilayer._core.arena import Variable
from multilayer.export.steps import Builder, Function
from multilayer.functional import Array
from multilayer.layers.operation import FunctionOperation
from multilayer.layers.recorded import filled
from multilayer.saving.formats.onnx.operations import arguments_of


class Tensor(NamedTuple):
    """An argument that is a value of the plan, not a number."""

    value: int


# Adds the steps of an operation by its arguments under Keras' names; `to` is the shape of what comes of it.
Writer: TypeAlias = Callable[..., int]


def added(build: Builder, layer: FunctionOperation, xs: Sequence[int]) -> int:
    """Adds the steps of an operation; raises ValueError where it has none with these arguments."""
    given, node = arguments_of(layer), layer.nodes[0]
    batch, *sides = node.outputs[0].shape or (1,)
    apart = batch == node.inputs[0].shape[0] and None not in sides
    real = all(one.dtype.startswith("float") for one in node.inputs)  # whole numbers wrap around in NumPy
    if given is None or layer.kind not in _WRITERS or len(node.outputs) > 1 or not (apart and real):
        raise _refused(layer)
    arguments = {name: filled(one, [Tensor(x) for x in xs]) for name, one in given.items()}
    try:
        return _WRITERS[layer.kind](build, **arguments, to=tuple(sides))
    except (_OutOfReachError, TypeError) as error:
        raise _refused(layer) from error


class _OutOfReachError(Exception):
    """The operation mixes samples, computes with whole numbers, or has arguments that it is not written with."""


def _refused(layer: FunctionOperation) -> ValueError:
    return ValueError(
        f"The operation '{layer.name}' ({layer.kind}) is not exported in this format with these arguments. What is, "
        f"where each sample stays by itself: activations, {', '.join(sorted(_WRITERS))}. Use layers where the model is "
        "to be exported, such as `Dense` or `Add`."
    )


def _require(condition: bool) -> None:
    if not condition:
        raise _OutOfReachError


def _constant(x: Any, shape: Sequence[int]) -> Array:
    """A number or array that NumPy broadcasts to a batch of this shape, for one sample, not larger than that."""
    array = np.asarray(x.value if isinstance(x, Variable) else x, np.float64)
    if array.ndim > len(shape):
        _require(array.ndim == len(shape) + 1 and array.shape[0] == 1)
        array = array[0]
    # An array of as many axes as a sample has is aligned from the last one on, which is the same without the batch.
    _require(np.broadcast_shapes(array.shape, tuple(shape)) == tuple(shape))
    return array


def _scale(build: Builder, x: Tensor, factor: Any = 1.0, offset: Any = 0.0) -> int:
    shape = build.shape(x.value)
    return build.add("scale", x.value, shape, {"factor": np.asarray(factor), "offset": np.asarray(offset)})


def _binary(function: str, of_constant: Callable[[Builder, Tensor, Any, bool], int]) -> Writer:
    """An operation of two tensors, or of one and a constant: then whether the constant comes first is told, too."""

    def write(build: Builder, x1: Any, x2: Any, to: tuple[int, ...]) -> int:
        if isinstance(x1, Tensor) and isinstance(x2, Tensor):
            _require(len(build.shape(x1.value)) == len(build.shape(x2.value)))
            return build.add("merge", [x1.value, x2.value], to, function=function)
        first = not isinstance(x1, Tensor)
        x, constant = (x2, x1) if first else (x1, x2)
        _require(not isinstance(constant, (list, tuple)))
        return of_constant(build, x, _constant(constant, build.shape(x.value)), first)

    return write


def _add(build: Builder, x: Tensor, constant: Array, first: bool) -> int:  # noqa: ARG001
    return _scale(build, x, offset=constant)


def _subtract(build: Builder, x: Tensor, constant: Array, first: bool) -> int:
    return _scale(build, x, -1.0, constant) if first else _scale(build, x, offset=-constant)


def _multiply(build: Builder, x: Tensor, constant: Array, first: bool) -> int:  # noqa: ARG001
    return _scale(build, x, constant)


def _divide(build: Builder, x: Tensor, constant: Array, first: bool) -> int:
    _require(not first)
    arrays = {"mean": np.zeros(()), "deviation": constant}
    return build.add("standardize", x.value, build.shape(x.value), arrays)


def _largest(build: Builder, x: Tensor, constant: Array, first: bool) -> int:  # noqa: ARG001
    """What is above a number stays, all else is that number."""
    _require(constant.size == 1)
    number = float(constant.reshape(-1)[0])
    function = Function("threshold", {"threshold": number, "default_value": number})
    return build.add("activation", x.value, build.shape(x.value), activation=function)


def _smallest(build: Builder, x: Tensor, constant: Array, first: bool) -> int:
    turned = _largest(build, Tensor(_scale(build, x, -1.0)), -constant, first)
    return _scale(build, Tensor(turned), -1.0)


def _elementwise(name: str) -> Writer:
    def write(build: Builder, x: Tensor, to: tuple[int, ...]) -> int:
        return build.add("activation", x.value, to, activation=Function(name))

    return write


def _negative(build: Builder, x: Tensor, to: tuple[int, ...]) -> int:  # noqa: ARG001
    return _scale(build, x, -1.0)


def _square(build: Builder, x: Tensor, to: tuple[int, ...]) -> int:
    return build.add("merge", [x.value, x.value], to, function="multiply")


def _absolute(build: Builder, x: Tensor, to: tuple[int, ...]) -> int:
    return build.add("merge", [x.value, _scale(build, x, -1.0)], to, function="maximum")


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Axes of a batch as those of a sample; with None, all, the batch among them."""
    _require(axis is not None)
    axes = [axis] if isinstance(axis, (int, np.integer)) else list(axis)
    found = sorted(int(one) % (ndim + 1) for one in axes)
    _require(0 not in found)
    return tuple(one - 1 for one in found)


def _reduction(function: str) -> Writer:
    def write(build: Builder, x: Tensor, to: tuple[int, ...], axis: Any = None, **more: Any) -> int:
        _require(all(one is None for name, one in more.items() if name != "keepdims"))  # which `to` says
        axes = _axes(axis, len(build.shape(x.value)))
        return build.add("reduce", x.value, to, function=function, axes=axes)

    return write


def _reshape(build: Builder, x: Tensor, to: tuple[int, ...], **_: Any) -> int:
    # The numbers of a sample stay together only where the sides behind the batch have as many as before.
    _require(int(np.prod(build.shape(x.value))) == int(np.prod(to)))
    return build.reshape(x.value, to)


def _moved(move: Callable[..., Array]) -> Writer:
    """Another order of axes, as it changes that of an array's sides."""

    def write(build: Builder, x: Tensor, to: tuple[int, ...], **given: Any) -> int:
        sides = tuple(range(1, len(build.shape(x.value)) + 2))  # each axis is told by its length
        numbered = np.broadcast_to(False, sides)  # which takes no memory, whatever the sides
        order = [side - 1 for side in move(numbered, **given).shape]
        _require(order[0] == 0)
        return build.add("transpose", x.value, to, order=tuple(axis - 1 for axis in order[1:]))

    return write


def _concatenate(build: Builder, xs: Sequence[Any], to: tuple[int, ...], axis: int = 0) -> int:
    _require(all(isinstance(one, Tensor) for one in xs))
    return build.add("concatenate", [one.value for one in xs], to, axis=_axes(axis, len(to))[0])


def _matmul(build: Builder, x1: Any, x2: Any, to: tuple[int, ...]) -> int:
    _require(isinstance(x1, Tensor))
    shape = build.shape(x1.value)
    if isinstance(x2, Tensor):
        _require(len(shape) == len(build.shape(x2.value)) == 2)
        return build.add("einsum", [x1.value, x2.value], to, equation="ab,bc->ac")
    kernel = np.asarray(x2.value if isinstance(x2, Variable) else x2)
    _require(kernel.ndim == 2)
    return build.add("dense", x1.value, to, {"kernel": kernel})


_WRITERS: Mapping[str, Writer] = {
    "Absolute": _absolute,
    "Add": _binary("add", _add),
    "Concatenate": _concatenate,
    "Divide": _binary("divide", _divide),
    "Exp": _elementwise("exponential"),
    "ExpandDims": _reshape,
    "Matmul": _matmul,
    "Max": _reduction("max"),
    "Maximum": _binary("maximum", _largest),
    "Mean": _reduction("mean"),
    "Min": _reduction("min"),
    "Minimum": _binary("minimum", _smallest),
    "Moveaxis": _moved(np.moveaxis),
    "Multiply": _binary("multiply", _multiply),
    "Negative": _negative,
    "Ravel": _reshape,
    "Reshape": _reshape,
    "Square": _square,
    "Squeeze": _reshape,
    "Subtract": _binary("subtract", _subtract),
    "Sum": _reduction("sum"),
    "Swapaxes": _moved(np.swapaxes),
    "Tanh": _elementwise("tanh"),
    "Transpose": _moved(lambda x, axes: np.transpose(x, axes)),
    "TrueDivide": _binary("divide", _divide),
}
