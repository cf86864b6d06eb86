"""The steps of a network in whole numbers as C: sums of 32 bits, no fractions and no library.

They compute what `IntegerNetwork.run` does, bit for bit. Two things are asked of the compiler that C leaves open, and
that all we know of do: whole numbers are in two's complement, and >> of a negative one rounds down. `net_test.c` finds
out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

from multilayer.export.c.memory import layout_of
from multilayer.export.c.nests import braced, element, nest, strides_of
from multilayer.export.c.source import check_for_avr, parameters
from multilayer.export.c.text import filled
from multilayer.export.integers import IntegerNetwork, IntegerStep, packed
from multilayer.export.names import Names, comment, identifier
from multilayer.functional import Array

# The helpers, as C with the names `net_...` that take the file's own prefix. NET_READ8, NET_READ16 and NET_READ32 are
# one number of a table of constants; a processor that keeps these apart from its memory, as AVR does, has instructions
# for it.

_REQUANTIZED = """\
/* A sum times a real factor, kept as multiplier / 2^shift, halves rounded up (Jacob et al., arXiv:1712.05877). */
static int8_t net_requantized(int32_t sum, int32_t multiplier, uint8_t shift, int8_t zero, int8_t low, int8_t high)
{
    const int64_t twice = ((int64_t)sum * multiplier) >> (shift - 1);
    const int64_t y = ((twice + 1) >> 1) + zero;
    return y < low ? low : y > high ? high : (int8_t)y;
}"""

_DENSE = """\
/* x W + b for every row of x: the columns of W one behind the other, {each}. */
static void net_dense{bits}(const int8_t *x, size_t rows, size_t inputs, size_t units, const {kind} *weights,
                       const int32_t *bias, const int32_t *multiplier, const uint8_t *shift, int8_t zero, int8_t low,
                       int8_t high, int8_t *y)
{{
    for (size_t row = 0; row < rows; row++, x += inputs) {{
        const {kind} *w = weights;
        for (size_t unit = 0; unit < units; unit++, w += {stride}) {{
            int32_t sum = (int32_t)NET_READ32(bias, unit);
            for (size_t i = 0; i < inputs; i++) {{
{product}
            }}
            *y++ = net_requantized(sum, (int32_t)NET_READ32(multiplier, unit), NET_READ8(shift, unit), zero, low, high);
        }}
    }}
}}"""

_CLIPPED = """\
static int8_t net_clipped(int32_t v)
{
    return v < -128 ? (int8_t)-128 : v > 127 ? (int8_t)127 : (int8_t)v;
}"""

_TABLE = """\
/* An activation, by the output for each input; x and y may be the same. */
static void net_table(const int8_t *x, size_t size, const int8_t *table, int8_t *y)
{
    for (size_t i = 0; i < size; i++) {
        y[i] = (int8_t)NET_READ8(table, x[i] + 128);
    }
}"""

_SOFTMAX = """\
/* Powers come from a table, of the distance to the largest number; x and y may be the same. */
static void net_softmax(const int8_t *x, size_t rows, size_t size, const uint16_t *powers, int8_t *y)
{
    for (size_t row = 0; row < rows; row++, x += size, y += size) {
        int8_t most = x[0];
        uint32_t sum = 0;
        for (size_t i = 1; i < size; i++) {
            most = x[i] > most ? x[i] : most;
        }
        for (size_t i = 0; i < size; i++) {
            sum += NET_READ16(powers, most - x[i]);
        }
        for (size_t i = 0; i < size; i++) {
            const uint32_t share = ((uint32_t)NET_READ16(powers, most - x[i]) * 256u + sum / 2u) / sum;
            y[i] = share > 255u ? (int8_t)127 : (int8_t)((int32_t)share - 128);
        }
    }
}"""


def _dense_helper(bits: int) -> str:
    """The helper for weights of so many bits."""
    if bits == 8:
        product = "                sum += x[i] * (int8_t)NET_READ8(w, i);"
        return _DENSE.format(bits=8, kind="int8_t", stride="inputs", product=product, each="a weight a byte")
    each, mask, sign = 8 // bits, 2**bits - 1, 2 ** (bits - 1)
    product = (
        f"                const unsigned several = NET_READ8(w, i / {each}u);\n"
        f"                const unsigned one = several >> (i % {each}u * {bits}u) & {mask}u;\n"
        f"                sum += x[i] * ((int)(one ^ {sign}u) - {sign});"
    )
    return _DENSE.format(
        bits=bits,
        kind="uint8_t",
        stride=f"(inputs + {each - 1}u) / {each}u",
        product=product,
        each=f"{'two' if each == 2 else 'four'} weights a byte, the first in the lowest bits",
    )


# About how many bytes of code each takes on a Cortex-M0 with -Os, the compiler's helpers for 64 bits and for quotients
# with those that call them; and so many each step.
CODE: Mapping[str, int] = {
    "clipped": 24,
    "dense2": 112,
    "dense4": 128,
    "dense8": 102,
    "requantized": 202,
    "softmax": 394,
    "table": 24,
}
CODE_OF_STEP = 50


# --- Steps ------------------------------------------------------------------------------------------------------------


class IntegerSource:
    """The definitions and the statements of a C file while it is written.

    Args:
        network: The network.
        prefix: What the names of tables begin with.
        progmem: Whether constants are read from the flash of an AVR.
    """

    def __init__(self, network: IntegerNetwork, prefix: str, progmem: bool) -> None:
        self.network, self.prefix, self.progmem = network, prefix, progmem
        self.layout = layout_of(cast(Any, network), _goes_in_place)
        self.inputs = parameters("input", network.input_names)
        self.outputs = parameters("output", network.output_names)
        self.names = Names()
        self.tables: list[str] = []
        self.helpers: dict[str, str] = {}
        self.flash = 0  # bytes of the tables
        self.lines: list[str] = []
        self._tables_by_content: dict[Any, str] = {}
        for step in network.steps:
            self._write(step)
        for output, value in self.layout.copies:
            head = f"for (size_t i = 0; i < {network.values[value].size}u; i++) {{"
            self.lines += braced([head], [f"{self.outputs[output]}[i] = {element(self.at(value), 'i')};"], 1)

    def _write(self, step: IntegerStep) -> None:
        if step.kind == "reshape":
            return  # it lies where it lay
        self.step = step
        x, y = (self.at(one) for one in (step.inputs[0], step.output))
        self.lines.append(f"    /* {comment(step.name)}: {step.kind} */")
        _WRITERS[step.kind](self, step, x, y)

    def at(self, value: int) -> str:
        """Where a value lies, as an expression."""
        buffer, offset = self.layout.places[value]
        if buffer == "work":
            return f"work + {offset}" if offset else "work"
        return (self.inputs if buffer == "input" else self.outputs)[offset]

    def table(self, kind: str, name: str, values: Array) -> str:
        """The name of a table with these numbers; equal ones are one, as of a layer that is called twice."""
        key = (kind, values.tobytes())
        if key not in self._tables_by_content:
            found = self.names.unique(f"{self.prefix}_{identifier(self.step.name, 'layer')}_{name}")
            if self.progmem:
                check_for_avr(self.step.name, name, kind, values.nbytes)
            mark = " NET_FLASH" if self.progmem else ""
            entries = filled("(-2147483647 - 1)" if one == -(2**31) else str(one) for one in values.flat)
            self.tables.append(f"static const {kind} {found}[{values.size}]{mark} = {{\n{entries}\n}};")
            self.flash += values.nbytes
            self._tables_by_content[key] = found
        return self._tables_by_content[key]

    def call(self, helper: str, source: str, *arguments: str) -> None:
        """Adds the call of a helper."""
        self.helpers[helper] = source
        self.lines.append(f"    net_{helper}({', '.join(arguments)});")


def _dense(to: IntegerSource, step: IntegerStep, x: str, y: str) -> None:
    arrays, options = step.arrays, step.options
    inputs, units = arrays["levels"].shape
    rows, bits = to.network.values[step.output].size // units, options["bits"]
    if bits == 8:
        weights = to.table("int8_t", "weights", arrays["levels"].T)
    else:
        weights = to.table("uint8_t", "weights", packed(arrays["levels"], bits))
    bias = to.table("int32_t", "bias", arrays["bias"])
    multiplier = to.table("int32_t", "multiplier", arrays["multiplier"])
    shift = to.table("uint8_t", "shift", arrays["shift"])
    limits = [str(options[name]) for name in ("zero", "low", "high")]
    to.helpers["requantized"] = _REQUANTIZED
    to.call(
        f"dense{bits}", _dense_helper(bits), x, f"{rows}", f"{inputs}", f"{units}", weights, bias, multiplier, shift,
        *limits, y,
    )  # fmt: skip


def _table(to: IntegerSource, step: IntegerStep, x: str, y: str) -> None:
    size = to.network.values[step.output].size
    to.call("table", _TABLE, x, str(size), to.table("int8_t", "table", step.arrays["table"]), y)


def _softmax(to: IntegerSource, step: IntegerStep, x: str, y: str) -> None:
    value = to.network.values[step.output]
    powers = to.table("uint16_t", "powers", step.arrays["exponentials"])
    to.call("softmax", _SOFTMAX, x, str(value.size // value.shape[-1]), str(value.shape[-1]), powers, y)


def _sum(to: IntegerSource, step: IntegerStep, x: str, y: str) -> None:  # noqa: ARG001 - as all writers
    to.helpers["clipped"] = _CLIPPED
    size = to.network.values[step.output].size

    def constant(name: str, values: Array) -> str:
        if values.size == 1:
            return _long(values.item())
        return f"(int32_t)NET_READ32({to.table('int32_t', name, values)}, i)"

    terms = [
        f"{element(to.at(one), 'i')} * {constant('factors', factor)}"
        for one, factor in zip(step.inputs, step.arrays["factors"], strict=True)
    ]
    total = " + ".join([*terms, constant("offset", step.arrays["offset"])])
    to.lines += braced(
        [f"for (size_t i = 0; i < {size}u; i++) {{"],
        [f"{element(y, 'i')} = net_clipped(({total}) >> {step.options['shift']});"],
        1,
    )


def _long(x: int) -> str:
    """A constant that int need not hold where it has 16 bits."""
    return f"INT32_C({x})"


def _concatenate(to: IntegerSource, step: IntegerStep, x: str, y: str) -> None:  # noqa: ARG001 - as all writers
    to.helpers["clipped"] = _CLIPPED
    shape, axis = to.network.values[step.output].shape, step.options["axis"]
    outer, row, begin = math.prod(shape[:axis]), math.prod(shape[axis:]), 0
    for one, factor, offset in zip(step.inputs, step.arrays["factors"], step.arrays["offsets"], strict=True):
        part = math.prod(to.network.values[one].shape[axis:])
        into = f"{row}u * i + j + {begin}u" if begin else f"{row}u * i + j"
        value = f"{element(to.at(one), f'{part}u * i + j')} * {_long(int(factor))} + {_long(int(offset))}"
        to.lines += braced(
            [f"for (size_t i = 0; i < {outer}u; i++) {{", f"for (size_t j = 0; j < {part}u; j++) {{"],
            [f"{element(y, into)} = net_clipped(({value}) >> {step.options['shift']});"],
            1,
        )
        begin += part


def _transpose(to: IntegerSource, step: IntegerStep, x: str, y: str) -> None:
    order = step.options["order"]
    given, shape = to.network.values[step.inputs[0]].shape, to.network.values[step.output].shape
    strides = strides_of(given)
    loops = nest(shape, [[strides[axis] for axis in order], strides_of(shape)])
    to.lines += braced(loops.heads, [f"{element(y, loops.places[1])} = {element(x, loops.places[0])};"], 1)


_WRITERS: Mapping[str, Callable[[IntegerSource, IntegerStep, str, str], None]] = {
    "concatenate": _concatenate,
    "dense": _dense,
    "softmax": _softmax,
    "sum": _sum,
    "table": _table,
    "transpose": _transpose,
}


def _goes_in_place(network: Any, step: Any) -> bool:  # noqa: ARG001 - as in float32
    return step.kind in ("softmax", "table") or (step.kind == "sum" and len(step.inputs) == 1)
