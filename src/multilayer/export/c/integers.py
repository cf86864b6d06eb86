"""A network in whole numbers as C: int8 in and out, sums of 32 bits, no fractions and no library.

It computes what `IntegerNetwork.run` does, bit for bit. Two things are asked of the compiler that C leaves open and that
all we know of do: whole numbers are in two's complement, and >> of a negative one rounds down. `net_test.c` finds out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from multilayer._version import __version__
from multilayer.export.c.memory import Layout, layout_of
from multilayer.export.c.nests import braced, nest, strides_of
from multilayer.export.c.text import Names, comment, filled, identifier, real
from multilayer.export.integers import IntegerNetwork, IntegerStep, packed
from multilayer.functional import Array

# The helpers, as C with the names `net_...` that take the file's own prefix. NET_READ8, NET_READ16 and NET_READ32 are one number of
# a table of constants; a processor that keeps these apart from its memory, as AVR does, has instructions for it.

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
        f"                const uint8_t w_i = (uint8_t)(((unsigned)NET_READ8(w, i / {each}u) >> (i % {each}u * {bits}u)) & {mask}u);\n"
        f"                sum += x[i] * ((int8_t)(w_i ^ {sign}u) - {sign});"
    )
    return _DENSE.format(
        bits=bits,
        kind="uint8_t",
        stride=f"(inputs + {each - 1}u) / {each}u",
        product=product,
        each=f"{'two' if each == 2 else 'four'} weights a byte, the first in the lowest bits",
    )


# --- Steps ------------------------------------------------------------------------------------------------------------


class _Source:
    """The definitions and the statements of a C file while it is written."""

    def __init__(self, network: IntegerNetwork, layout: Layout, prefix: str, progmem: bool) -> None:
        self.network, self.layout, self.prefix, self.progmem = network, layout, prefix, progmem
        self.inputs = _parameters("input", network.input_names)
        self.outputs = _parameters("output", network.output_names)
        self.names = Names()
        self.tables: list[str] = []
        self.helpers: dict[str, str] = {}
        self.lines: list[str] = []

    def write(self, step: IntegerStep) -> None:
        """Adds what a step is."""
        self.part = f"{self.prefix}_{identifier(step.name, 'layer')}"
        x, y = (self.at(one) for one in (step.inputs[0], step.output))
        self.lines.append(f"    /* {comment(step.name)} */")
        _WRITERS[step.kind](self, step, x, y)

    def at(self, value: int) -> str:
        """Where a value lies, as an expression."""
        buffer, offset = self.layout.places[value]
        if buffer == "work":
            return f"work + {offset}" if offset else "work"
        return (self.inputs if buffer == "input" else self.outputs)[offset]

    def head(self) -> str:
        """The head of the function that predicts."""
        given = [f"const int8_t *{one}" for one in self.inputs]
        return f"void net_predict({', '.join([*given, *(f'int8_t *{one}' for one in self.outputs), 'int8_t *work'])})"

    def table(self, kind: str, name: str, values: Array) -> str:
        """Defines a table of constants, and gives its name."""
        found = self.names.unique(f"{self.part}_{name}")
        mark = " PROGMEM" if self.progmem else ""
        entries = filled("(-2147483647 - 1)" if one == -(2**31) else str(one) for one in values.reshape(-1).tolist())
        self.tables.append(f"static const {kind} {found}[{values.size}]{mark} = {{\n{entries}\n}};")
        return found

    def call(self, helper: str, source: str, *arguments: str) -> None:
        """Adds the call of a helper."""
        self.helpers[helper] = source
        self.lines.append(f"    net_{helper}({', '.join(arguments)});")


def _parameters(kind: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """What a function's arguments are called: `input`, or, of several, `input_` and the name of each."""
    if len(names) == 1:
        return (kind,)
    taken = Names()
    return tuple(taken.unique(f"{kind}_{identifier(name, kind)}") for name in names)


def _dense(to: _Source, step: IntegerStep, x: str, y: str) -> None:
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


def _table(to: _Source, step: IntegerStep, x: str, y: str) -> None:
    size = to.network.values[step.output].size
    to.call("table", _TABLE, x, str(size), to.table("int8_t", "table", step.arrays["table"]), y)


def _softmax(to: _Source, step: IntegerStep, x: str, y: str) -> None:
    value = to.network.values[step.output]
    powers = to.table("uint16_t", "powers", step.arrays["exponentials"])
    to.call("softmax", _SOFTMAX, x, str(value.size // value.shape[-1]), str(value.shape[-1]), powers, y)


def _sum(to: _Source, step: IntegerStep, x: str, y: str) -> None:  # noqa: ARG001 - as all writers
    to.helpers["clipped"] = _CLIPPED
    size = to.network.values[step.output].size

    def constant(name: str, values: Array) -> str:
        if values.size == 1:
            return _long(values.item())
        return f"(int32_t)NET_READ32({to.table('int32_t', name, values)}, i)"

    terms = [
        f"{_element(to.at(one), 'i')} * {constant('factors', factor)}"
        for one, factor in zip(step.inputs, step.arrays["factors"], strict=True)
    ]
    total = " + ".join([*terms, constant("offset", step.arrays["offset"])])
    to.lines += braced(
        [f"for (size_t i = 0; i < {size}u; i++) {{"],
        [f"{_element(y, 'i')} = net_clipped(({total}) >> {step.options['shift']});"],
        1,
    )


def _long(x: int) -> str:
    """A constant that int need not hold where it has 16 bits."""
    return f"INT32_C({x})"


def _element(base: str, place: str) -> str:
    return f"({base})[{place}]" if " " in base else f"{base}[{place}]"


def _concatenate(to: _Source, step: IntegerStep, x: str, y: str) -> None:  # noqa: ARG001 - as all writers
    to.helpers["clipped"] = _CLIPPED
    shape, axis = to.network.values[step.output].shape, step.options["axis"]
    outer, row, begin = math.prod(shape[:axis]), math.prod(shape[axis:]), 0
    for one, factor, offset in zip(step.inputs, step.arrays["factors"], step.arrays["offsets"], strict=True):
        part = math.prod(to.network.values[one].shape[axis:])
        into = f"{row}u * i + j + {begin}u" if begin else f"{row}u * i + j"
        value = f"{_element(to.at(one), f'{part}u * i + j')} * {_long(int(factor))} + {_long(int(offset))}"
        to.lines += braced(
            [f"for (size_t i = 0; i < {outer}u; i++) {{", f"for (size_t j = 0; j < {part}u; j++) {{"],
            [f"{_element(y, into)} = net_clipped(({value}) >> {step.options['shift']});"],
            1,
        )
        begin += part


def _transpose(to: _Source, step: IntegerStep, x: str, y: str) -> None:
    order = step.options["order"]
    given, shape = to.network.values[step.inputs[0]].shape, to.network.values[step.output].shape
    strides = strides_of(given)
    loops = nest(shape, [[strides[axis] for axis in order], strides_of(shape)])
    to.lines += braced(loops.heads, [f"{_element(y, loops.places[1])} = {_element(x, loops.places[0])};"], 1)


def _reshape(to: _Source, step: IntegerStep, x: str, y: str) -> None:
    del to.lines[-1]  # it lies where it lay


_WRITERS: Mapping[str, Callable[[_Source, IntegerStep, str, str], None]] = {
    "concatenate": _concatenate,
    "dense": _dense,
    "reshape": _reshape,
    "softmax": _softmax,
    "sum": _sum,
    "table": _table,
    "transpose": _transpose,
}


def _in_place(network: Any, step: Any) -> bool:
    return step.kind in ("softmax", "table") or (step.kind == "sum" and len(step.inputs) == 1)


# --- The files --------------------------------------------------------------------------------------------------------


class Sources(NamedTuple):
    """A network in whole numbers as C.

    Attributes:
        source: The text of the C file.
        header: The text of its header.
        test: The text of a program that gives 0 where the network computes what is expected.
        flash: The bytes of all constants.
        ram: The bytes of the working memory.
    """

    source: str
    header: str
    test: str
    flash: int
    ram: int


def sources(network: IntegerNetwork, prefix: str, rows: Sequence[Array], progmem: bool = False) -> Sources:
    """The C files of a network.

    Args:
        network: The network.
        prefix: What all names in the files begin with, and their own names.
        rows: For each input, rows of whole numbers that the test is made of.
        progmem: Whether constants are read by AVR's instructions for its flash.
    """
    layout = layout_of(cast(Any, network), _in_place)
    to = _Source(network, layout, prefix, progmem)
    for step in network.steps:
        to.write(step)
    for output, value in layout.copies:
        head = f"for (size_t i = 0; i < {network.values[value].size}u; i++) {{"
        to.lines += braced([head], [f"{to.outputs[output]}[i] = {_element(to.at(value), 'i')};"], 1)
    if not layout.work:
        to.lines.insert(0, "    (void)work;")
    source = "\n".join(
        [
            f"/* {_title(network)} */",
            f'#include "{prefix}.h"',
            "",
            "#include <stddef.h>",
            *(["#include <avr/pgmspace.h>"] if progmem else []),
            "",
            *_reading(progmem),
            "",
            *(f"{one}\n" for one in (*to.tables, *to.helpers.values())),
            to.head(),
            "{",
            *to.lines,
            "}",
            "",
        ]
    )
    return Sources(
        _named(source, prefix),
        _named(_header(to), prefix),
        _named(_test(to, rows), prefix),
        network.weight_bytes(),
        layout.work,
    )


def _named(text: str, prefix: str) -> str:
    """C that is written with `net_` and `NET_`, with the file's own names."""
    return re.sub(r"\bNET_", f"{prefix.upper()}_", re.sub(r"\bnet_", f"{prefix}_", text))


def _title(network: IntegerNetwork) -> str:
    return f"{comment(network.name)}, in whole numbers. Written by multilayer {__version__}."


def _reading(progmem: bool) -> list[str]:
    if not progmem:
        return [f"#define NET_READ{bits}(table, place) ((table)[place])" for bits in (8, 16, 32)]
    kinds = {8: "byte", 16: "word", 32: "dword"}
    return [f"#define NET_READ{bits}(table, place) pgm_read_{kind}(&(table)[place])" for bits, kind in kinds.items()]


def _header(to: _Source) -> str:
    network = to.network
    lines = [
        f"/* {_title(network)}",
        "",
        "   Numbers go in and come out as int8. A real number x of the input goes in as",
        "       q = round(x * FACTOR + OFFSET), at least -128 and at most 127,",
        "   and a q of the output stands for SCALE * (q - ZERO). The largest output is the largest q: to choose among",
        "   classes nothing has to be computed back. The buffers are the caller's, so that several may predict at once. */",
        "#ifndef NET_H",
        "#define NET_H",
        "",
        "#include <stdint.h>",
        "",
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
    ]
    for name, number, entry in zip(to.inputs, network.inputs, network.entries, strict=True):
        macro = f"NET_{name.upper()}"
        lines.append(f"#define {macro}_SIZE {network.values[number].size}")
        if entry.factor.size == entry.offset.size == 1:
            lines.append(f"#define {macro}_FACTOR {real(entry.factor.item())}")
            lines.append(f"#define {macro}_OFFSET {real(entry.offset.item())}")
        else:
            of_features = np.broadcast_arrays(entry.factor, entry.offset)
            for what, values in zip(("FACTORS", "OFFSETS"), of_features, strict=True):
                lines.append(f"#define {macro}_{what} {{ \\\n{_continued(values)} }}")
    for name, number in zip(to.outputs, network.outputs, strict=True):
        macro, value = f"NET_{name.upper()}", network.values[number]
        lines += [
            f"#define {macro}_SIZE {value.size}",
            f"#define {macro}_SCALE {real(value.scale)}",
            f"#define {macro}_ZERO ({value.zero})",
        ]
    lines += [
        f"#define NET_WORK_SIZE {max(to.layout.work, 1)}",
        "",
        "/* Predicts for one sample; `work` is memory for NET_WORK_SIZE numbers, whatever is in it. */",
        f"{to.head()};",
        "",
        "#ifdef __cplusplus",
        "}",
        "#endif",
        "",
        "#endif",
        "",
    ]
    return "\n".join(lines)


def _continued(values: Array) -> str:
    """Numbers in a macro of several lines."""
    return filled(real(one) for one in values.flat).replace("\n", " \\\n")


def _test(to: _Source, rows: Sequence[Array]) -> str:
    network, count = to.network, len(rows[0])
    expected = network.run(rows)
    lines = [
        f"/* {_title(network)} This program gives 0 where the network computes what it should. */",
        f'#include "{to.prefix}.h"',
        "",
        "#include <stdio.h>",
        "",
    ]
    for name, values in zip((*to.inputs, *to.outputs), (*rows, *expected), strict=True):
        lines.append(f"static const int8_t test_{name}[{values.size}] = {{\n{filled(map(str, values.flat))}\n}};\n")
    names = [f"test_{name} + row * NET_{name.upper()}_SIZE" for name in to.inputs]
    lines += ["int main(void)", "{", "    static int8_t work[NET_WORK_SIZE];", "    unsigned wrong = 0;"]
    lines += [f"    static int8_t {name}[NET_{name.upper()}_SIZE];" for name in to.outputs]
    lines += [f"    for (unsigned row = 0; row < {count}u; row++) {{"]
    lines += [f"        net_predict({', '.join([*names, *to.outputs, 'work'])});"]
    for name in to.outputs:
        size = f"NET_{name.upper()}_SIZE"
        lines += braced(
            [f"for (unsigned i = 0; i < {size}; i++) {{"],
            [f"wrong += {name}[i] != test_{name}[row * {size} + i];"],
            2,
        )
    lines += [
        "    }",
        f'    printf("%u of {count * sum(network.values[one].size for one in network.outputs)} numbers differ\\n", wrong);',
        "    return wrong != 0;",
        "}",
        "",
    ]
    return "\n".join(lines)
