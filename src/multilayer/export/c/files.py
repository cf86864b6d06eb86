"""The three files of C: the network, its header, and the program that tests it."""

from __future__ import annotations

import numpy as np

from multilayer._version import __version__
from multilayer.export.c.budget import Budget
from multilayer.export.c.examples import Examples
from multilayer.export.c.memory import Place, layout_of
from multilayer.export.c.source import C_TYPES, Source
from multilayer.export.c.steps import copied, goes_in_place, written
from multilayer.export.c.text import table
from multilayer.export.names import comment
from multilayer.export.plan import Plan

_FLASH = """\
#ifdef __AVR__
#include <avr/pgmspace.h>
#define NET_FLASH PROGMEM
#define NET_READ(place) pgm_read_float(place)
#define NET_READ_WHOLE(place) ((int32_t)pgm_read_dword(place))
#else
#define NET_FLASH
#define NET_READ(place) (*(place))
#define NET_READ_WHOLE(place) (*(place))
#endif
"""
# About what the parts take on a Cortex-M4 with -Os, rather more than less: the function itself, each helper, and each
# step in it, which is a call or loops of its own.
_CODE, _CODE_OF_HELPER = 40, 80
_CODE_OF_STEP = {
    "activation": 30,
    "dense": 30,
    "einsum": 140,
    "lookup": 120,
    "normalize": 190,
    "reshape": 0,
    "unit": 120,
}
_CODE_OF_LOOPS = 65


class Files:
    """A plan as C.

    Args:
        plan: The network.
        prefix: What all names begin with.
        file: The name of the file with the code.
        progmem: Whether constants are read from the flash of an AVR.
    """

    def __init__(self, plan: Plan, prefix: str, file: str, progmem: bool) -> None:
        self.plan, self.prefix, self.macro, self.file = plan, prefix, prefix.upper(), file
        layout = layout_of(plan, goes_in_place)
        self.source = source = Source(plan, layout, prefix, progmem)
        self.body = [line for step in plan.steps for line in written(source, step)]
        for output, value in layout.copies:
            self.body += copied(source, output, value)
        self.work = max(layout.work, 1)  # an array of C has one element at least
        code = _CODE + _CODE_OF_HELPER * len(source.helpers)
        self.budget = Budget(
            source.flash,
            code + sum(_CODE_OF_STEP.get(step.kind, _CODE_OF_LOOPS) for step in plan.steps),
            4 * self.work,
            sum(plan.values[one].size * np.dtype(plan.values[one].dtype).itemsize for one in plan.inputs),
            4 * sum(plan.values[one].size for one in plan.outputs),
            plan.multiplications(),
        )

    # --- The header ---

    def header(self) -> str:
        """net.h: sizes, and the one function."""
        include = "#include <stdint.h>\n\n" if any("int" in self._type(one) for one in self.plan.inputs) else ""
        return f"""\
{self._title()}
#ifndef {self.macro}_H
#define {self.macro}_H

{include}#ifdef __cplusplus
extern "C" {{
#endif

{self._sizes()}
/* Predicts one sample. All memory is the caller's, and its parts must not overlap; nothing is kept between calls, so
 * that several threads or interrupts may predict at once, each with memory of its own.
 *
{self._arguments()}
 *   work    working memory, {self.macro}_WORK_SIZE numbers, whatever they are
 *
 * Returns 0, or 1 where a whole number of the input is none that the network knows: then the output is unfinished. */
{self._declaration()};

#ifdef __cplusplus
}}
#endif

#endif
"""

    def _title(self) -> str:
        lines = [f"{comment(self.plan.name)}: a network as C, written by multilayer {comment(__version__)}.", ""]
        return "/* " + "\n * ".join([*lines, *str(self.budget).splitlines()]).replace("* \n", "*\n") + "\n */"

    def _named(self) -> list[tuple[str, str, int]]:
        """The arguments with their names in the model and their values."""
        plan, source = self.plan, self.source
        return [
            *zip(source.inputs, plan.input_names, plan.inputs, strict=True),
            *zip(source.outputs, plan.output_names, plan.outputs, strict=True),
        ]

    def size_name(self, argument: str) -> str:
        """The macro of an argument's size."""
        return f"{self.macro}_{argument.upper()}_SIZE"

    def _sizes(self) -> str:
        lines = [f"#define {self.size_name(one)} {self.plan.values[value].size}" for one, _, value in self._named()]
        return "\n".join([*lines, f"#define {self.macro}_WORK_SIZE {self.work}", ""])

    def _arguments(self) -> str:
        lines = []
        for argument, name, value in self._named():
            shape = self.plan.values[value].shape
            lines.append(f" *   {argument}  '{comment(name)}', of shape ({', '.join(map(str, shape))}), row by row")
        return "\n".join(lines)

    def _type(self, value: int) -> str:
        return C_TYPES[self.plan.values[value].dtype]

    def _declaration(self) -> str:
        source = self.source
        inputs = [f"const {self._type(one)} *{name}" for one, name in zip(self.plan.inputs, source.inputs, strict=True)]
        outputs = [f"float *{name}" for name in source.outputs]
        return f"int {self.prefix}_predict({', '.join([*inputs, *outputs, 'float *work'])})"

    # --- The code ---

    def code(self) -> str:
        """net.c: constants, helpers, and the function that predicts."""
        source = self.source
        parts = [*source.tables, *source.helpers.values()]
        math = any(f"{name}f(" in line for line in [*parts, *self.body] for name in ("exp", "log", "sqrt", "tanh"))
        used = {source.layout.places[value] for step in self.plan.steps for value in (*step.inputs, step.output)}
        used |= {source.layout.places[value] for _, value in source.layout.copies}
        unused = [name for i, name in enumerate(source.inputs) if Place("input", i) not in used]
        unused += [] if any(place.buffer == "work" for place in used) else ["work"]
        head = [
            self._title(),
            f'#include "{self.file.removesuffix(".c")}.h"',
            "",
            *(["#include <math.h>"] if math else []),
            "#include <stddef.h>",
            "#include <stdint.h>",
            "",
        ]
        if source.progmem:
            head.append(source.own(_FLASH))
        marks = [f"    (void){name};" for name in unused]
        body = [self._declaration(), "{", *marks, *self.body[not marks :], "", "    return 0;", "}", ""]
        return "\n".join(head) + "\n" + "".join(part + "\n\n" for part in parts) + "\n".join(body)

    # --- The test ---

    def test(self, examples: Examples) -> str:
        """net_test.c: predictions of the model, and a program that compares those of the file with them."""
        source, count = self.source, len(examples.outputs[0])
        flash = f"{self.macro}_FLASH" if source.progmem else ""
        tables, loads, checks = [], [], []
        for argument, value, values in zip(source.inputs, self.plan.inputs, examples.inputs, strict=True):
            kind, size = self._type(value), self.size_name(argument)
            numbers = values if values.dtype.kind == "f" else values.astype(np.int64)
            tables.append(table(kind, f"given_{argument}", numbers.reshape(-1), flash))
            loads.append(f"load({argument}, given_{argument} + i * {size}, sizeof {argument});")
        for argument, values in zip(source.outputs, examples.outputs, strict=True):
            size = self.size_name(argument)
            tables.append(table("float", f"expected_{argument}", values.reshape(-1), flash))
            checks.append(f"worst = compared({argument}, expected_{argument} + i * {size}, {size}, worst);")
        buffers = [f"static {kind} {argument}[{size}];" for kind, argument, size in self._buffers()]
        given = ", ".join([*source.inputs, *source.outputs, "work"])
        return source.own(_TEST).format(
            title=self._title(),
            header=f"{self.file.removesuffix('.c')}.h",
            flash=source.own(_TEST_FLASH if source.progmem else _TEST_PLAIN),
            tables="\n\n".join(tables),
            buffers="\n".join(buffers),
            count=count,
            loads="\n        ".join(loads),
            checks="\n        ".join(checks),
            predict=f"{self.prefix}_predict({given})",
        )

    def _buffers(self) -> list[tuple[str, str, str]]:
        inputs = [
            (self._type(value), name, self.size_name(name))
            for value, name in zip(self.plan.inputs, self.source.inputs, strict=True)
        ]
        outputs = [("float", name, self.size_name(name)) for name in self.source.outputs]
        return [*inputs, *outputs, ("float", "work", f"{self.macro}_WORK_SIZE")]


_TEST_PLAIN = """\
#define NET_READ(place) (*(place))
#define NET_LOAD memcpy
"""
_TEST_FLASH = """\
#ifdef __AVR__
#include <avr/pgmspace.h>
#define NET_FLASH PROGMEM
#define NET_READ(place) pgm_read_float(place)
#define NET_LOAD memcpy_P
#else
#define NET_FLASH
#define NET_READ(place) (*(place))
#define NET_LOAD memcpy
#endif
"""
_TEST = """\
{title}
#include "{header}"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

{flash}
/* Samples, and what the model predicts of them. */
{tables}

{buffers}

static void load(void *to, const void *from, size_t size)
{{
    NET_LOAD(to, from, size);
}}

/* The largest difference so far, in shares of 1 or of the largest number, if that is larger. */
static float compared(const float *found, const float *expected, size_t size, float worst)
{{
    float scale = 1.0f;
    for (size_t i = 0; i < size; i++) {{
        const float e = NET_READ(expected + i);
        scale = e > scale ? e : -e > scale ? -e : scale;
    }}
    for (size_t i = 0; i < size; i++) {{
        const float difference = (found[i] - NET_READ(expected + i)) / scale;
        const float size_of_it = difference < 0.0f ? -difference : difference;
        worst = size_of_it <= worst ? worst : size_of_it; /* NaN is worse than any number */
    }}
    return worst;
}}

int main(void)
{{
    float worst = 0.0f;
    for (size_t i = 0; i < {count}u; i++) {{
        {loads}
        if ({predict} != 0) {{
            printf("sample %u: a whole number that the network does not know\\n", (unsigned)i);
            return 1;
        }}
        {checks}
    }}
    printf("%u samples, largest difference %g: %s\\n", {count}u, (double)worst, worst <= 1e-6f ? "passed" : "FAILED");
    return worst <= 1e-6f ? 0 : 1;
}}
"""
