"""Models as one file of C99, for programs and microcontrollers, with its header and a program that tests it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from multilayer._system.atomic import replaced
from multilayer.export.c import files
from multilayer.export.c.budget import Budget
from multilayer.export.c.examples import Examples, examples_for
from multilayer.export.c.text import prefix_of
from multilayer.export.plan import plan_of


def export(
    model: Any,
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    examples: Any = None,
    progmem: bool = False,
    flash: int | None = None,
    ram: int | None = None,
) -> Budget:
    """Writes a built model to net.c, net.h and net_test.c, where the path is net.c; gives its budget.

    Args:
        model: The model.
        path: Where to; the other two files are written beside it.
        name: What all names in the files begin with; by default that of the file.
        examples: Inputs whose predictions the test compares, as `predict` takes them; by default four random ones.
        progmem: Whether constants stay in the flash of an AVR, where they are read by instructions of their own; on
            other processors it changes nothing.
        flash: The most bytes of flash that it may take.
        ram: The most bytes of RAM that its buffers may take.

    Raises:
        ValueError: The model has no form in C, takes more than it may, or an option does not fit.
        OSError: The folder is missing or not writable, or the disk is full.
    """
    prefix = prefix_of(path, name)
    plan = plan_of(model)
    text = files.Files(plan, prefix, Path(path).name, bool(progmem))
    text.budget.require(flash, ram)
    found: Examples = examples_for(model, plan, examples)
    target = Path(path)
    for file, content in (
        (target.with_suffix(".h"), text.header()),
        (target.with_name(f"{target.stem}_test.c"), text.test(found)),
        (target, text.code()),
    ):
        with replaced(file) as opened:
            opened.write(content.encode("ascii"))
    return text.budget


__all__ = ["Budget", "export"]
