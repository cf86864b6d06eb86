"""A network as a list of plain steps with numbers, from which it is written in other languages: what there is of it.

What a model has for training is gone here: layers that act in training alone, the models within a model, wrappers and
aliases. What is left are steps of a few kinds between numbered values, for one sample, with all sizes known.

The kinds of steps, each with its [options] and (arrays):

- dense: x W + b along the last axis, then the activation (kernel (inputs, units), bias)
- einsum: the sum of products that the equation says, of two inputs, or of one and the kernel, then the activation
  [equation] (kernel, bias)
- activation: the activation alone
- prelu: x above 0, alpha x below (alpha)
- round: the nearest of 256 numbers, scale (clip(round(x / scale) + zero, -128, 127) - zero), halves to the even one
  [scale, zero]
- scale: x factor + offset (factor, offset)
- standardize: (x - mean) / deviation (mean, deviation)
- normalize: (x - m) / sqrt(v + epsilon), with mean m and variance v over the axes, times gamma plus beta; m is 0 where
  it is not centered [axes, epsilon, centered] (gamma, beta)
- unit: x divided by its length over the axes, that is times a factor of at most `most` [axes, most]
- merge: the inputs number by number: add, subtract, multiply, divide, maximum, minimum, average [function]
- concatenate: the inputs side by side [axis]
- reduce: one number of those along the axes: mean, sum, max, min [function, axes]
- embedding: the table's row of each whole number (table)
- lookup: the place of each whole number k among the keys; for others it is unknown + k mod spread, or an error where
  unknown is None [unknown, spread] (keys, places)
- discretize: how many of the boundaries are at most x (boundaries)
- encode: places as rows of zeros and ones, one_hot or multi_hot, or as counts, times the weights; a place outside the
  row is left out, or an error where it is strict [mode, depth, strict] (weights)
- masking: 0 where all of the last axis is `value` [value]
- transpose: the axes in another order [order]
- repeat: x so many times along a new first axis [times]
- reshape: x as it is, in another shape
- cast: whole numbers as float32

Arrays that go with each number of x, such as factor, gamma and an einsum's bias, have shapes that NumPy broadcasts to
that of x. All shapes and axes are those of one sample: the batch is none of the axes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from multilayer.functional import Array


class Function(NamedTuple):
    """An activation: the name of a function in `multilayer.activations`, or 'clipped_relu', and its options.

    `axes` are the axes that it goes along, where it is no function of each number by itself.
    """

    name: str = "linear"
    options: Mapping[str, float | bool | None] = {}
    axes: tuple[int, ...] = ()


LINEAR = Function()


class Value(NamedTuple):
    """What goes between steps, for one sample.

    Attributes:
        shape: Its sides, all known, without the batch.
        dtype: 'float32', or what the model's input is: 'uint8', 'int32' and others.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class Step:
    """One computation.

    Attributes:
        kind: What is computed, one of those in the table above.
        name: The layer's name, which may be any text.
        inputs: The numbers of the values that it takes.
        output: The number of the value that it gives.
        arrays: Its weights and other constants, float32, but for an embedding's and a lookup's keys, int64.
        options: What else it needs to know.
        activation: What is done last, for 'dense', 'einsum' and 'activation'.
        parts: The first sides of input and output, along which it is done again and again, to each part by itself: the
            steps of a `TimeDistributed`. Axes and shapes of arrays are those of one part. () where there is one.
        layer: The layer it comes from; None for what has none.
    """

    kind: str
    name: str
    inputs: tuple[int, ...]
    output: int
    arrays: Mapping[str, Array] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    activation: Function = LINEAR
    parts: tuple[int, ...] = ()
    layer: Any = None


@dataclass(frozen=True)
class Plan:
    """A network for one sample.

    Attributes:
        name: The model's.
        values: What goes between steps, by number.
        inputs: The numbers of the values that come in.
        outputs: The numbers of those that come out.
        steps: In an order in which they can be computed.
        input_names: What the inputs are called in the model.
        output_names: What the outputs are called there.
    """

    name: str
    values: tuple[Value, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    steps: tuple[Step, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]

    def shapes(self, step: Step) -> tuple[list[tuple[int, ...]], tuple[int, ...]]:
        """The shapes of a step's inputs and of its output, of one of its parts."""
        inputs = [self.values[one].shape[len(step.parts) :] for one in step.inputs]
        return inputs, self.values[step.output].shape[len(step.parts) :]

    def multiplications(self) -> int:
        """How many products one sample takes, additions in sums among them; roots and exponentials not counted."""
        return sum(_multiplications(self, step) for step in self.steps)


_LARGEST = float(np.finfo(np.float32).max)
# The kinds that take whole numbers as they come; all others are given float32.
_OF_ANY_TYPE = ("cast", "discretize", "embedding", "encode", "lookup", "reshape", "scale", "standardize")


class Builder:
    """A plan that is being made: values and steps so far."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.steps: list[Step] = []
        self.layer: Any = None  # the one that is being written

    def value(self, shape: Iterable[int], dtype: str = "float32") -> int:
        """A new value's number."""
        self.values.append(Value(tuple(int(side) for side in shape), dtype))
        return len(self.values) - 1

    def shape(self, value: int) -> tuple[int, ...]:
        return self.values[value].shape

    def add(
        self,
        kind: str,
        inputs: int | Sequence[int],
        shape: Iterable[int],
        arrays: Mapping[str, Any] | None = None,
        activation: Function = LINEAR,
        dtype: str = "float32",
        **options: Any,
    ) -> int:
        """Adds a step of the layer; gives the number of its output. Arrays that are None are left out."""
        taken = (inputs,) if isinstance(inputs, int) else tuple(inputs)
        if kind not in _OF_ANY_TYPE:
            taken = tuple(map(self.real, taken))
        output = self.value(shape, dtype)
        kept = {name: _constant(self.layer, name, one) for name, one in (arrays or {}).items() if one is not None}
        for option, number in {**options, **activation.options}.items():
            _check_number(self.layer, option, number)
        name = kind if self.layer is None else self.layer.name
        self.steps.append(Step(kind, name, taken, output, kept, options, activation, layer=self.layer))
        return output

    def real(self, x: int) -> int:
        """The value as float32."""
        return x if self.values[x].dtype == "float32" else self.add("cast", x, self.shape(x))

    def reshape(self, x: int, shape: Iterable[int]) -> int:
        """The same numbers in another shape."""
        shape = tuple(shape)
        return x if self.shape(x) == shape else self.add("reshape", x, shape, dtype=self.values[x].dtype)

    def add_in_parts(self, inner: Builder, x: int, of_part: int) -> int:
        """Adds the steps of another builder, whose value 0 is one part of x; gives the value of its `of_part`."""
        times = self.shape(x)[0]
        numbers = [x, *(self.value((times, *one.shape), one.dtype) for one in inner.values[1:])]
        for step in inner.steps:
            inputs = tuple(numbers[one] for one in step.inputs)
            self.steps.append(replace(step, inputs=inputs, output=numbers[step.output], parts=(times, *step.parts)))
        return numbers[of_part]


def _constant(layer: Any, name: str, array: Any) -> Array:
    found = np.asarray(getattr(array, "value", array))
    if found.dtype.kind != "f":
        return np.asarray(found, np.int64, order="C")
    with np.errstate(over="ignore"):
        found = np.asarray(found, np.float32, order="C")
    if not np.isfinite(found).all():
        raise ValueError(
            f"Layer '{layer.name}' has numbers in its {name} that are NaN, infinite, or too large for float32: such a "
            "network predicts nothing, and is not exported."
        )
    return found


def _check_number(layer: Any, name: str, number: Any) -> None:
    """Options are written as they are, and neither C nor Python has a literal of what is no number."""
    if isinstance(number, float) and not abs(number) <= _LARGEST:
        raise ValueError(
            f"Layer '{layer.name}' has {name}={number}, and is not exported: expected a number that float32 can hold."
        )


def _multiplications(plan: Plan, step: Step) -> int:
    size, kernel = plan.values[step.output].size, step.arrays.get("kernel")
    if step.kind == "dense" and kernel is not None:
        return size * int(kernel.shape[0])
    if step.kind == "einsum":
        shapes = [*plan.shapes(step)[0], *([] if kernel is None else [kernel.shape])]
        letters = step.options["equation"].split("->")[0].split(",")
        sides = {
            one: side
            for word, shape in zip(letters, shapes, strict=True)
            for one, side in zip(word, shape, strict=True)
        }
        return int(math.prod(sides.values())) * math.prod(step.parts)
    if step.kind in ("scale", "standardize", "prelu"):
        return size
    if step.kind in ("normalize", "unit"):
        return size * (1 + (step.kind == "unit" or 1 + len(step.arrays)))
    if step.kind == "merge" and step.options["function"] in ("multiply", "divide"):
        return size * (len(step.inputs) - 1)
    return 0
