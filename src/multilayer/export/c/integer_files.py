"""The three files of C of a network in whole numbers: the network, its header, and the program that tests it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from multilayer._version import __version__
from multilayer.export.c.budget import Budget
from multilayer.export.c.integers import CODE, CODE_OF_STEP, IntegerSource
from multilayer.export.c.text import filled, real
from multilayer.export.integers import IntegerNetwork
from multilayer.export.names import comment
from multilayer.functional import Array

_PLAIN = """\
#define NET_READ8(table, place) ((table)[place])
#define NET_READ16(table, place) ((table)[place])
#define NET_READ32(table, place) ((table)[place])
"""
_FLASH = f"""\
#ifdef __AVR__
#include <avr/pgmspace.h>
#define NET_FLASH PROGMEM
#define NET_READ8(table, place) pgm_read_byte(&(table)[place])
#define NET_READ16(table, place) pgm_read_word(&(table)[place])
#define NET_READ32(table, place) pgm_read_dword(&(table)[place])
#else
#define NET_FLASH
{_PLAIN}#endif
"""


class IntegerFiles:
    """A network in whole numbers as C.

    Args:
        network: The network.
        prefix: What all names begin with.
        file: The name of the file with the code.
        progmem: Whether constants are read from the flash of an AVR.
    """

    def __init__(self, network: IntegerNetwork, prefix: str, file: str, progmem: bool) -> None:
        self.network, self.prefix, self.file = network, prefix, file
        self.source = source = IntegerSource(network, prefix, progmem)
        self.work = max(source.layout.work, 1)  # an array of C has one element at least
        steps = sum(step.kind != "reshape" for step in network.steps)
        self.budget = Budget(
            source.flash,
            sum(CODE[helper] for helper in source.helpers) + CODE_OF_STEP * steps,
            self.work,
            sum(network.values[one].size for one in network.inputs),
            sum(network.values[one].size for one in network.outputs),
            network.multiplications(),
        )

    def _named(self, text: str) -> str:
        """C that is written with `net_` and `NET_`, with the file's own names."""
        return re.sub(r"\bNET_", f"{self.prefix.upper()}_", re.sub(r"\bnet_", f"{self.prefix}_", text))

    def _title(self) -> str:
        said = f"{comment(self.network.name)}: a network in whole numbers as C, written by multilayer {__version__}."
        return "/* " + "\n * ".join([said, "", *str(self.budget).splitlines()]).replace("* \n", "*\n") + "\n */"

    def _declaration(self) -> str:
        inputs = [f"const int8_t *{one}" for one in self.source.inputs]
        outputs = [f"int8_t *{one}" for one in self.source.outputs]
        return f"void net_predict({', '.join([*inputs, *outputs, 'int8_t *work'])})"

    # --- The header ---

    def header(self) -> str:
        """net.h: how real numbers become whole ones and back, sizes, and the one function."""
        text = f"""\
{self._title()}
#ifndef NET_H
#define NET_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

/* Numbers go in and come out as int8. A real number x goes in as
 *     q = round(x * FACTOR + OFFSET), at least -128 and at most 127,
 * and a q that comes out stands for SCALE * (q - ZERO). Of several classes the likeliest has the largest q, so that
 * nothing need be computed back to choose one. */
{self._constants()}
/* Predicts one sample. All memory is the caller's, and its parts must not overlap; nothing is kept between calls, so
 * that several threads or interrupts may predict at once, each with memory of its own.
 *
{self._arguments()}
 *   work    working memory, NET_WORK_SIZE numbers, whatever they are */
{self._declaration()};

#ifdef __cplusplus
}}
#endif

#endif
"""
        return self._named(text)

    def _arguments(self) -> str:
        network, source = self.network, self.source
        named = [
            *zip(source.inputs, network.input_names, network.inputs, strict=True),
            *zip(source.outputs, network.output_names, network.outputs, strict=True),
        ]
        lines = []
        for argument, name, value in named:
            shape = ", ".join(map(str, network.values[value].shape))
            lines.append(f" *   {argument}  '{comment(name)}', of shape ({shape}), row by row")
        return "\n".join(lines)

    def _constants(self) -> str:
        network, source = self.network, self.source
        lines = []
        for name, number, entry in zip(source.inputs, network.inputs, network.entries, strict=True):
            size = network.values[number].size
            lines.append(f"#define NET_{name.upper()}_SIZE {size}")
            for what, values in (("FACTOR", entry.factor), ("OFFSET", entry.offset)):
                if entry.factor.size == entry.offset.size == 1:
                    lines.append(f"#define NET_{name.upper()}_{what} {real(values.item())}")
                else:  # as the initializer of an array of the caller's
                    each = np.broadcast_to(values, network.values[number].shape)
                    numbers = filled(real(one) for one in each.flat).replace("\n", " \\\n")
                    lines.append(f"#define NET_{name.upper()}_{what}S {{ \\\n{numbers} }}")
        for name, number in zip(source.outputs, network.outputs, strict=True):
            value = network.values[number]
            lines += [
                f"#define NET_{name.upper()}_SIZE {value.size}",
                f"#define NET_{name.upper()}_SCALE {real(value.scale)}",
                f"#define NET_{name.upper()}_ZERO ({value.zero})",
            ]
        return "\n".join([*lines, f"#define NET_WORK_SIZE {self.work}", ""])

    # --- The code ---

    def code(self) -> str:
        """net.c: constants, helpers, and the function that predicts."""
        source = self.source
        body = source.lines if source.layout.work else ["    (void)work;", *source.lines]
        head = [
            self._title(),
            f'#include "{self.file.removesuffix(".c")}.h"',
            "",
            "#include <stddef.h>",
            "",
            _FLASH if source.progmem else _PLAIN,
        ]
        parts = [f"{one}\n" for one in (*source.tables, *source.helpers.values())]
        return self._named("\n".join([*head, *parts, self._declaration(), "{", *body, "}", ""]))

    # --- The test ---

    def test(self, rows: Sequence[Array]) -> str:
        """net_test.c: what the network gives for rows of whole numbers, and a program that compares."""
        source = self.source
        mark = " NET_FLASH" if source.progmem else ""
        tables, loads, checks = [], [], []
        for name, values in zip((*source.inputs, *source.outputs), (*rows, *self.network.run(rows)), strict=True):
            numbers = filled(str(one) for one in values.flat)
            tables.append(f"static const int8_t given_{name}[{values.size}]{mark} = {{\n{numbers}\n}};\n")
            size = f"NET_{name.upper()}_SIZE"
            place = f"(int8_t)NET_READ8(given_{name}, row * {size} + i)"
            head = f"        for (unsigned i = 0; i < {size}; i++) {{"
            if name in source.inputs:
                loads += [head, f"            {name}[i] = {place};", "        }"]
            else:
                checks += [head, f"            wrong += {name}[i] != {place};", "        }"]
        buffers = [f"static int8_t {one}[NET_{one.upper()}_SIZE];" for one in (*source.inputs, *source.outputs, "work")]
        count = len(rows[0])
        numbers = f"{count * self.budget.outputs} numbers of {count} samples"
        lines = [
            self._title(),
            f'#include "{self.file.removesuffix(".c")}.h"',
            "",
            "#include <stdio.h>",
            "",
            _FLASH if source.progmem else _PLAIN,
            "/* Samples, and what the network gives for them. */",
            *tables,
            *buffers,
            "",
            "int main(void)",
            "{",
            "    unsigned wrong = 0;",
            f"    for (unsigned row = 0; row < {count}u; row++) {{",
            *loads,
            f"        net_predict({', '.join([*source.inputs, *source.outputs, 'work'])});",
            *checks,
            "    }",
            f'    printf("{numbers}, %u differ: %s\\n", wrong, wrong ? "FAILED" : "passed");',
            "    return wrong ? 1 : 0;",
            "}",
            "",
        ]
        return self._named("\n".join(lines))
