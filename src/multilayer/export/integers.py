"""A network in whole numbers, and its emulation: what the exported C computes, bit for bit, in NumPy.

A value is an array of int8, each number q of which stands for x = scale (q - zero). The steps, with [options] and
(arrays), all shapes those of one sample:

- dense: sums of 32 bits along the last axis, then requantized (levels (d, h) int8, bias int32 (h,), multiplier int32
  (h,), shift uint8 (h,)) [bits, low, high, zero]
- table: an activation, the output for each of the 256 possible inputs (table int8)
- softmax: along the last axis (exponentials uint16)
- sum: the inputs number by number, each times a factor, or one with a factor and an offset for each feature (factors
  int32 (inputs, 1 or n), offset int32 (1 or n,)) [shift]
- concatenate: the inputs side by side, each brought to the scale of the output (factors, offsets int32) [shift, axis]
- transpose: the axes in another order [order]
- reshape: the same numbers in another shape

Requantizing is Jacob et al.'s: a real factor M = scale_x scale_w / scale_y is kept as a whole number m of 31 bits and a
shift s, M = m 2^-s, and

    y = clip(((sum m + 2^(s-1)) >> s) + zero, low, high)

where the product has 64 bits, and >> rounds down, so that halves are rounded up. (They round twice, by an instruction
of ARM's NEON; once is as quick elsewhere, and nearer.)

Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
2018, arXiv:1712.05877.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from multilayer._checks.tables import as_array
from multilayer.functional import Array

LOWEST, HIGHEST = -128, 127  # of int8


class IntegerValue(NamedTuple):
    """What goes between steps, for one sample: whole numbers q, for x = scale (q - zero)."""

    shape: tuple[int, ...]
    scale: float
    zero: int

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class IntegerStep:
    """One computation: its kind in the table above, the layer's name, the values that it takes and gives."""

    kind: str
    name: str
    inputs: tuple[int, ...]
    output: int
    arrays: Mapping[str, Array] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


class Entry(NamedTuple):
    """How the caller's numbers become whole ones: q = clip(round(x factor + offset), -128, 127)."""

    factor: Array
    offset: Array


@dataclass(frozen=True, repr=False)
class IntegerNetwork:
    """A network in whole numbers. Called with real numbers it gives real ones, by what the C computes.

    Attributes:
        name: The model's.
        values: What goes between steps, by number.
        inputs: The numbers of the values that come in.
        outputs: The numbers of those that come out.
        steps: In an order in which they can be computed.
        entries: How each input's real numbers become whole ones.
        input_names: What the inputs are called in the model.
        output_names: What the outputs are called there.

    Example:
        >>> from multilayer import Input, Sequential, layers
        >>> from multilayer.export import quantize
        >>> model = Sequential([Input((4,)), layers.Dense(3, kernel_initializer="ones")])
        >>> network = quantize(model, calibration=[[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
        >>> network([[0.0, 0.0, 1.0, 1.0]]).round(1)
        array([[2., 2., 2.]])
    """

    name: str
    values: tuple[IntegerValue, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    steps: tuple[IntegerStep, ...]
    entries: tuple[Entry, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]

    def __call__(self, x: Any) -> Any:
        """What the network predicts for rows of real numbers: an array, or a list of such where there are several."""
        given = list(x) if len(self.inputs) > 1 else [x]
        outputs = [
            self.values[number].scale * (q - float(self.values[number].zero))
            for number, q in zip(self.outputs, self.run(self.quantized(given)), strict=True)
        ]
        return outputs if len(outputs) > 1 else outputs[0]

    def quantized(self, xs: Sequence[Any]) -> list[Array]:
        """The whole numbers that the caller gives for real ones, one array of rows for each input.

        Raises:
            ValueError: There are not as many arrays as inputs, or one has another shape, or NaN in it.
        """
        if len(xs) != len(self.inputs):
            raise ValueError(f"The network has {len(self.inputs)} inputs. Received: {len(xs)} arrays")
        return [self._entered(*one) for one in zip(xs, self.input_names, self.inputs, self.entries, strict=True)]

    def _entered(self, given: Any, name: str, number: int, entry: Entry) -> Array:
        x, shape = np.asarray(as_array(given)), self.values[number].shape
        if x.ndim != len(shape) + 1 or x.shape[1:] != shape or np.isnan(x).any():
            expected = ", ".join(map(str, ("n", *shape)))
            raise ValueError(
                f"The input '{name}' must be rows of numbers, of shape ({expected}), without NaN. Received: {x.shape}"
            )
        return np.asarray(np.clip(np.rint(x * entry.factor + entry.offset), LOWEST, HIGHEST), np.int8)

    def run(self, qs: Sequence[Array]) -> list[Array]:
        """What the C writes for these whole numbers, bit for bit: int8 in, int8 out."""
        values = dict(zip(self.inputs, qs, strict=True))
        for step in self.steps:
            y = _KINDS[step.kind](step, [values[one] for one in step.inputs])
            values[step.output] = y.reshape(-1, *self.values[step.output].shape).astype(np.int8)
        return [values[one] for one in self.outputs]

    def __repr__(self) -> str:
        return f"<IntegerNetwork name={self.name}, {self.weight_bytes():,} bytes of constants>"

    def weight_bytes(self) -> int:
        """So many bytes have the weights and all other constants in the C file."""
        # What is the same in several steps, as of a layer that is called twice, is there once.
        sizes = {
            (name, array.tobytes()): packed_bytes(step, name)
            for step in self.steps
            for name, array in step.arrays.items()
        }
        return sum(sizes.values())

    def multiplications(self) -> int:
        """How many products of weights and inputs one sample takes."""
        return sum(
            self.values[step.output].size * len(step.arrays["levels"]) for step in self.steps if step.kind == "dense"
        )


def packed_bytes(step: IntegerStep, name: str) -> int:
    """The bytes of an array in flash: weights of 4 and 2 bits are packed, each column by itself."""
    array = step.arrays[name]
    if name != "levels":
        return int(array.nbytes)
    rows, columns = array.shape
    return int(columns * -(-rows * int(step.options["bits"]) // 8))


def packed(levels: Array, bits: int) -> Array:
    """Weights as bytes, column after column.

    The first of those that share a byte has its lowest bits, in two's complement; the last byte of a column is filled
    with zeros.

    Example:
        >>> packed(np.array([[1], [-1], [7]], np.int8), 4).tolist()
        [[241, 7]]
    """
    each = 8 // bits
    columns = np.ascontiguousarray(levels.T)
    columns = np.pad(columns, ((0, 0), (0, -columns.shape[1] % each))).astype(np.uint8) & (2**bits - 1)
    parts = columns.reshape(len(columns), -1, each).astype(np.uint32) << (bits * np.arange(each, dtype=np.uint32))
    return np.asarray(parts.sum(axis=-1), np.uint8)


def fixed_point(factor: Array) -> tuple[Array, Array]:
    """Real factors M > 0 as whole numbers m and shifts s, M = m 2^-s, with m from 2^30 to 2^31 - 1.

    Raises:
        ValueError: A factor is 2^30 or more.

    Example:
        >>> [one.tolist() for one in fixed_point(np.array([0.5, 0.75]))]
        [[1073741824, 1610612736], [31, 31]]
    """
    fraction, exponent = np.frexp(factor)
    m, s = np.rint(fraction * 2.0**31), 31 - exponent
    m, s = np.where(m == 2.0**31, 2.0**30, m), np.where(m == 2.0**31, s - 1, s)
    beyond = np.maximum(s - 62, 0)  # so small a factor has fewer bits
    m, s = np.rint(m / 2.0**beyond), s - beyond
    if np.any(s < 1):
        raise ValueError("a factor of 2^30 and more has no fixed-point form.")
    return m.astype(np.int32), s.astype(np.uint8)


def requantized(sums: Array, step: IntegerStep) -> Array:
    """Sums of 32 bits as int8: clip(((sum m + 2^(s-1)) >> s) + zero, low, high)."""
    s = step.arrays["shift"].astype(np.int64)
    y = (sums.astype(np.int64) * step.arrays["multiplier"] + (np.int64(1) << (s - 1))) >> s
    return np.asarray(np.clip(y + step.options["zero"], step.options["low"], step.options["high"]))


def _dense(step: IntegerStep, xs: Sequence[Array]) -> Array:
    # Sums that fit into 32 bits are exact in float64, for which NumPy has a quick product.
    products = xs[0].astype(np.float64) @ step.arrays["levels"].astype(np.float64)
    return requantized(products.astype(np.int64) + step.arrays["bias"], step)


def _table(step: IntegerStep, xs: Sequence[Array]) -> Array:
    return np.asarray(step.arrays["table"][xs[0].astype(np.intp) - LOWEST])


def _softmax(step: IntegerStep, xs: Sequence[Array]) -> Array:
    """The shares of e = exp(x - max x), which has 16 bits: y = round(256 e / sum of e) - 128."""
    x = xs[0].astype(np.intp)
    e = step.arrays["exponentials"][x.max(axis=-1, keepdims=True) - x].astype(np.int64)
    total = e.sum(axis=-1, keepdims=True)
    return np.asarray(np.minimum((e * 256 + total // 2) // total + LOWEST, HIGHEST))


def _sum(step: IntegerStep, xs: Sequence[Array]) -> Array:
    total = step.arrays["offset"].astype(np.int64) + sum(
        x.reshape(len(x), -1).astype(np.int64) * factor for x, factor in zip(xs, step.arrays["factors"], strict=True)
    )
    return np.asarray(np.clip(total >> step.options["shift"], LOWEST, HIGHEST))


def _concatenate(step: IntegerStep, xs: Sequence[Array]) -> Array:
    parts = [
        np.clip((x.astype(np.int64) * int(factor) + int(offset)) >> step.options["shift"], LOWEST, HIGHEST)
        for x, factor, offset in zip(xs, step.arrays["factors"], step.arrays["offsets"], strict=True)
    ]
    return np.concatenate(parts, axis=1 + step.options["axis"])


_KINDS: Mapping[str, Callable[[IntegerStep, Sequence[Array]], Any]] = {
    "concatenate": _concatenate,
    "dense": _dense,
    "reshape": lambda step, xs: xs[0],  # noqa: ARG005 - as every value, it gets its shape at the end
    "softmax": _softmax,
    "sum": _sum,
    "table": _table,
    "transpose": lambda step, xs: xs[0].transpose(0, *(axis + 1 for axis in step.options["order"])),
}
