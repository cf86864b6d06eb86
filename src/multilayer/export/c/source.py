"""What a C file is being made of: its tables of constants, the helpers that it calls, and where values lie."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from multilayer.export.c import functions
from multilayer.export.c.memory import Layout
from multilayer.export.c.text import real, table
from multilayer.export.names import Names, identifier
from multilayer.export.plan import Function, Plan, Step
from multilayer.functional import Array

_MOST_OF_AVR = 2**15 - 1
C_TYPES = {
    "float32": "float",
    "bool": "uint8_t",
    **{name: f"{name}_t" for name in ("uint8", "int8", "uint16", "int16", "int32", "uint32", "int64")},
}


class Source:
    """The parts of a C file.

    Args:
        plan: The network.
        layout: Where its values lie.
        prefix: What all names begin with.
        progmem: Whether constants are read by AVR's instructions for its flash.
    """

    def __init__(self, plan: Plan, layout: Layout, prefix: str, progmem: bool) -> None:
        self.plan, self.layout, self.prefix, self.progmem = plan, layout, prefix, progmem
        self.tables: list[str] = []
        self.helpers: dict[str, str] = {}
        self.flash = 0  # bytes of the tables
        self.names = Names()
        self.inputs = parameters("input", plan.input_names)
        self.outputs = parameters("output", plan.output_names)
        self._tables_by_content: dict[Any, str] = {}

    @property
    def macro(self) -> str:
        """The prefix of macros."""
        return self.prefix.upper()

    def own(self, text: str) -> str:
        """C that is written with `net_`, `NET_` and `READ(table, place)`, with the file's own names."""
        text = re.sub(r"READ\((\w+), ([^()]*)\)", lambda found: self.read(found[1], found[2]), text)
        return re.sub(r"\bNET_", f"{self.macro}_", re.sub(r"\bnet_", f"{self.prefix}_", text))

    def read(self, name: str, place: str) -> str:
        """One number of a table."""
        return f"{self.macro}_READ({name} + {place})" if self.progmem else f"{name}[{place}]"

    def read_whole(self, name: str, place: str) -> str:
        """One number of a table of whole numbers."""
        return f"{self.macro}_READ_WHOLE({name} + {place})" if self.progmem else f"{name}[{place}]"

    def table(self, step: Step, name: str, values: Array) -> str:
        """The name of a table with these numbers; a layer that is called twice has it once."""
        key = (step.name, name, values.dtype.str, values.tobytes())
        if key not in self._tables_by_content:
            found = self.names.unique(f"{self.prefix}_{identifier(step.name, 'layer')}_{name}")
            kind = "float" if values.dtype.kind == "f" else "int32_t" if _are_short(values) else "int64_t"
            if self.progmem:
                check_for_avr(step.name, name, kind, 4 * values.size)
            self.tables.append(table(kind, found, values, f"{self.macro}_FLASH" if self.progmem else ""))
            self.flash += values.size * (8 if kind == "int64_t" else 4)
            self._tables_by_content[key] = found
        return self._tables_by_content[key]

    def constant(self, step: Step, name: str, place: str) -> str:
        """A number of a step's array: where all are the same, itself."""
        values = step.arrays[name]
        first = values.flat[0]
        return real(first) if (values == first).all() else self.read(self.table(step, name, values), place)

    def helper(self, name: str) -> str:
        """The name of a helper, which goes into the file, and before it those that it calls."""
        if name not in self.helpers:
            one = functions.ELEMENTWISE.get(name)
            for other in one.needs if one else ():
                self.helper(other)
            if one:
                text = functions.elementwise(name)
            else:
                text = functions.along(name) if name in functions.ALONG else functions.HELPERS[name]
            self.helpers[name] = self.own(text)
            self.flash += functions.CONSTANTS.get(name, 0)
        return f"{self.prefix}_{name}"

    def at(self, value: int) -> str:
        """The pointer to a value."""
        buffer, offset = self.layout.places[value]
        if buffer == "work":
            return f"work + {offset}u" if offset else "work"
        return (self.inputs if buffer == "input" else self.outputs)[offset]

    def type_of(self, value: int) -> str:
        return C_TYPES[self.plan.values[value].dtype]

    def activated(self, function: Function, shape: tuple[int, ...], x: str, y: str) -> list[str]:
        """The call of an activation; none where there is nothing to do."""
        if function.name == "linear":
            return []
        if function.axes:
            first, last = function.axes[0], function.axes[-1]
            outer, size, inner = (
                int(np.prod(part)) for part in (shape[:first], shape[first : last + 1], shape[last + 1 :])
            )
            return [f"{self.helper(function.name)}({x}, {outer}u, {size}u, {inner}u, {y});"]
        name, options = _variant(function)
        given = "".join(f", {real(one)}" for one in options)
        return [f"{self.helper(name)}({x}, {int(np.prod(shape))}u{given}, {y});"]


def _variant(function: Function) -> tuple[str, list[Any]]:
    """The helper that an activation with these options is, and what is given to it."""
    name, options = function.name, function.options
    if name == "gelu":
        return ("gelu_by_tanh" if options["approximate"] else "gelu"), []
    if name != "clipped_relu":
        return name, list(options.values())
    slope, threshold, most = options["negative_slope"], options["threshold"], options["max_value"]
    if most is not None:
        return "relu_between", [slope, threshold, most]
    return "relu_from", [slope, threshold]


def parameters(kind: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """What a function's arguments are called: `input`, or, of several, `input_` and the name of each."""
    if len(names) == 1:
        return (kind,)
    taken = Names()
    return tuple(taken.unique(f"{kind}_{identifier(name, kind)}") for name in names)


def check_for_avr(layer: str, name: str, kind: str, size: int) -> None:
    """Raises ValueError where an AVR has no way to read a table from its flash."""
    if kind == "int64_t":
        raise ValueError(
            f"Layer '{layer}' has whole numbers of more than 32 bits, which AVR's flash is not read for. Export "
            "without `progmem`."
        )
    if size > _MOST_OF_AVR:
        raise ValueError(
            f"Layer '{layer}' has {size:,} bytes of {name}, and an array of AVR's compiler has {_MOST_OF_AVR:,} at "
            "most. Make it smaller, or export without `progmem`."
        )


def _are_short(values: Array) -> bool:
    """Whether whole numbers have 32 bits at most."""
    return bool((values == values.astype(np.int32)).all())
