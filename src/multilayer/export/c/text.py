"""C as text: numbers, tables, and what all names of a file begin with."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from multilayer._version import __version__
from multilayer.export.names import comment, identifier
from multilayer.functional import Array

_WIDTH = 110


def prefix_of(path: str | os.PathLike[str], name: str | None) -> str:
    """What all names in a file begin with: the name given, or the file's own without what C has no letters for.

    Raises:
        ValueError: The name given is no identifier of C, or begins with an underscore, which C keeps for itself; or the
            file's name has letters that cannot stand in an `#include`.

    Example:
        >>> prefix_of("models/my-net.c", None)
        'my_net'
    """
    file = Path(path).name
    if not file.isprintable() or set(file) & set('"\\?*<>|'):
        raise ValueError(
            f"The file is included by its name, in which C allows no quotes, backslashes and their like. Received: "
            f"{file!r}"
        )
    if name is None:
        return identifier(Path(path).stem, "net")
    if not isinstance(name, str) or not re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,30}", name):
        raise ValueError(
            "`name` is what all names in the C file begin with: letters of ASCII, digits and underscores, a letter "
            f"first, 31 at most. Received: name={str(name)[:100]!r}"
        )
    return name


def real(x: float) -> str:
    """A float32 as C writes it, in the fewest digits that give it back.

    Example:
        >>> real(0.1), real(2), real(1e-9)
        ('0.1f', '2.0f', '1e-09f')
    """
    text = str(np.float32(x))
    return text + "f" if "." in text or "e" in text else text + ".0f"


def table(kind: str, name: str, values: Array, attribute: str = "") -> str:
    """The definition of a table of constants.

    Example:
        >>> print(table("float", "net_bias", np.float32([0.5, 1.0])))
        static const float net_bias[2] = {
            0.5f, 1.0f
        };
    """
    entries = (real(one) for one in values.flat) if values.dtype.kind == "f" else map(whole, values.flat)
    mark = f" {attribute}" if attribute else ""
    return f"static const {kind} {name}[{values.size}]{mark} = {{\n{filled(entries)}\n}};"


def whole(x: int) -> str:
    """A whole number as C writes it; the smallest of 64 bits has no literal of its own."""
    if -(2**31) < x < 2**31:
        return str(int(x))
    return f"(-{2**63 - 1}LL - 1)" if x == -(2**63) else f"{int(x)}LL"


def filled(entries: Iterable[str], indent: str = "    ") -> str:
    """Entries with commas between them, in lines of equal width."""
    lines: list[str] = []
    line = ""
    for entry in entries:
        if line and len(indent) + len(line) + len(entry) + 3 > _WIDTH:
            lines.append(indent + line)
            line = ""
        line += (" " if line else "") + entry + ","
    return "\n".join([*lines, indent + line[:-1]])


def title_of(name: str, what: str, budget: object) -> str:
    """The comment at the top of each file: the network's name, what it is, and what it takes."""
    lines = [f"{comment(name)}: {what}, written by multilayer {comment(__version__)}.", "", *str(budget).splitlines()]
    return "/* " + "\n * ".join(lines).replace("* \n", "*\n") + "\n */"


def arguments_of(named: Iterable[tuple[str, str, tuple[int, ...]]]) -> str:
    """The lines of a comment on a function's arguments: for each its name, that in the model, and its shape."""
    return "\n".join(
        f" *   {argument}  '{comment(name)}', of shape ({', '.join(map(str, shape))}), row by row"
        for argument, name, shape in named
    )
