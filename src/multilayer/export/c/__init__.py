"""Models as one file of C99, for programs and microcontrollers, with its header and a program that tests it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from multilayer._system.atomic import replaced
from multilayer.export.c import files
from multilayer.export.c.budget import Budget
from multilayer.export.c.examples import examples_for
from multilayer.export.c.integer_files import IntegerFiles
from multilayer.export.c.text import prefix_of
from multilayer.export.plan import plan_of
from multilayer.export.quantizing import quantize, rows_of
from multilayer.functional import Array


def export(
    model: Any,
    path: str | os.PathLike[str],
    *,
    dtype: str = "float32",
    calibration: Any = None,
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
        dtype: "float32", or "int8" for whole numbers: a byte a number, sums of 32 bits, and no fractions. Weights have
            8 bits, or the 4 or 2 that a `QuantizationAware` layer was trained for.
        calibration: With "int8", rows of the input as it will be, by which the ranges of all values are found.
        name: What all names in the files begin with; by default that of the file.
        examples: Inputs whose predictions the test compares, as `predict` takes them; by default four random ones, and
            with "int8" four of the rows for calibration.
        progmem: Whether constants stay in the flash of an AVR, where they are read by instructions of their own; on
            other processors it changes nothing.
        flash: The most bytes of flash that it may take.
        ram: The most bytes of RAM that its buffers may take.

    Raises:
        ValueError: The model has no form in C, takes more than it may, or an option does not fit.
        OSError: The folder is missing or not writable, or the disk is full.
    """
    if dtype not in ("float32", "int8"):
        raise ValueError(f'`dtype` of a C file is "float32" or "int8". Received: dtype={dtype!r}')
    if dtype == "float32" and calibration is not None:
        raise ValueError('`calibration` is for `dtype="int8"`, and a file in float32 needs none. Leave it out.')
    prefix = prefix_of(path, name)
    text: files.Files | IntegerFiles
    if dtype == "int8":
        text = IntegerFiles(quantize(model, calibration), prefix, Path(path).name, bool(progmem))
    else:
        text = files.Files(plan_of(model), prefix, Path(path).name, bool(progmem))
    text.budget.require(flash, ram)
    if isinstance(text, IntegerFiles):
        test = text.test(text.network.quantized(_rows(model, calibration, examples)))
    else:
        test = text.test(examples_for(model, text.plan, examples))
    target = Path(path)
    for file, content in (
        (target.with_suffix(".h"), text.header()),
        (target.with_name(f"{target.stem}_test.c"), test),
        (target, text.code()),
    ):
        with replaced(file) as opened:
            opened.write(content.encode())
    return text.budget


def _rows(model: Any, calibration: Any, examples: Any) -> list[Array]:
    """The samples that whole numbers are tested with."""
    if examples is not None:
        return rows_of(plan_of(model), "examples", examples)
    return [one[:4] for one in rows_of(plan_of(model), "calibration", calibration)]


__all__ = ["Budget", "export"]
