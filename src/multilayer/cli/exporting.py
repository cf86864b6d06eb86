"""`multilayer export`: a network for programs that have no Python, or not this library."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any
from zipfile import BadZipFile

import numpy as np
import typer

import multilayer as ml
from multilayer import export as formats
from multilayer._language import tr
from multilayer._pictures import as_input
from multilayer.cli import digits, run_folder, table_use
from multilayer.cli.common_options import AsJson, ModelFile
from multilayer.cli.terminal import failing_on, say, say_json
from multilayer.functional import Array

_ROWS = 1000  # of a data set, for the ranges of values; more hardly widen them


def export(
    model_file: ModelFile,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to write: .onnx, .c, .py or .html, as its ending says.")
    ],
    dtype: Annotated[
        str | None,
        typer.Option(metavar="TYPE", help="C: float32, or int8 for whole numbers alone.", show_default="float32"),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="C with int8: a .npy file with rows of the input as it will be.",
            show_default="digits of those that the run was trained on",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="C: what all names begin with.", show_default="the file's name"),
    ] = None,
    progmem: Annotated[bool, typer.Option("--progmem", help="C: keep constants in the flash of an AVR.")] = False,
    flash: Annotated[
        int | None, typer.Option(metavar="BYTES", min=1, help="C: the most flash that the network may take.")
    ] = None,
    ram: Annotated[
        int | None, typer.Option(metavar="BYTES", min=1, help="C: the most RAM that its buffers may take.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a network for other programs: as ONNX, as C, as Python with NumPy alone, or as a page that thinks.

    The ending of the file says which. Of C the budget is printed; beyond `--flash` or `--ram` nothing is written.
    """
    given = {"dtype": dtype, "name": name, "progmem": progmem or None, "flash": flash, "ram": ram}
    options: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    with failing_on(OSError, ValueError, ImportError):
        of_table = table_use.model_in(model_file)
        if of_table is None:
            found = run_folder.model_in(model_file)
            model = ml.models.load_model(found)
            if calibration is not None or dtype == "int8":
                options["calibration"] = _rows(model, calibration, found.parent)
            said = formats.export(model, file, verbose=False, **options)
        else:
            said = table_use.export(of_table, file, **options)
    if as_json:
        more = {} if said is None else {"budget": said._asdict()}
        say_json({"model": str(model_file), "file": str(file), **more})
    else:
        say(tr("Written: {file}", file=file) + (f"\n{said}" if said is not None else ""))


def _rows(model: ml.Model, file: Path | None, folder: Path) -> Array:
    """Inputs by which the ranges of values are found: those of a file, or digits of what the run was trained on.

    Raises:
        OSError: The file cannot be read.
        ValueError: It holds no array of numbers, the run does not say what it was trained on, or the model takes
            something else.
    """
    if file is not None:
        return _array_in(file)
    trained_on = run_folder.read_trained_on(folder)
    if trained_on is None:
        raise ValueError(
            tr(
                "For int8, the ranges of values are measured: name a .npy file with rows of the input by "
                "`--calibration`: {folder} does not say what the network was trained on.",
                folder=folder,
            )
        )
    images = digits.load(*trained_on).train[0][:_ROWS]
    sides = tuple(side for side in model.input_shape[1:] if side is not None)
    if math.prod(sides) != images[0].size:
        raise ValueError(
            tr(
                "The model takes inputs of shape {sides}, and no such digits: name rows by `--calibration`.",
                sides=sides,
            )
        )
    return as_input(images, model)


def _array_in(file: Path) -> Array:
    """The array of a .npy file.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is another file, or holds no array of plain values.
    """
    try:
        with file.open("rb") as opened:
            rows = np.load(opened, allow_pickle=False)
    except (ValueError, EOFError, BadZipFile):  # NumPy advises to trust a pickle, and ends an empty file as a terminal
        rows = None
    if not isinstance(rows, np.ndarray):
        raise ValueError(
            tr(
                "`--calibration` is {file}, which holds no array of numbers. Expected a .npy file with rows of "
                "the network's input, as `numpy.save` writes it.",
                file=file,
            )
        )
    return rows
