"""What a model computes when it predicts, for other programs: the one table from a file's ending to its writer.

Each format's `export(model, path, **options)` is imported when it is asked for. Beside the model and the path it takes
its options by keyword, which is how they are known here; what it returns, if anything, is printed.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from multilayer._checks.arguments import file_name
from multilayer.export.integers import IntegerNetwork as IntegerNetwork
from multilayer.export.quantizing import quantize as quantize


def _onnx() -> Callable[..., Any]:
    from multilayer.saving.formats import onnx

    return onnx.export


def _c() -> Callable[..., Any]:
    from multilayer.export import c

    return c.export


def _numpy() -> Callable[..., Any]:
    from multilayer.export import program

    return program.export


def _page() -> Callable[..., Any]:
    from multilayer.export import page

    return page.export


class Format(NamedTuple):
    """A kind of file that a model is exported to.

    Attributes:
        name: What `format` calls it.
        ending: How its files' names end.
        title: What it is called in sentences.
        writer: Gives the function that writes it.
    """

    name: str
    ending: str
    title: str
    writer: Callable[[], Callable[..., Any]]


FORMATS: tuple[Format, ...] = (
    Format("onnx", ".onnx", "an ONNX file", _onnx),
    Format("c", ".c", "a file of C", _c),
    Format("numpy", ".py", "a Python file", _numpy),
    Format("html", ".html", "a page", _page),
)


def export(
    model: Any,
    filepath: str | os.PathLike[str],
    format: str | None = None,
    verbose: bool | None = None,
    **options: Any,
) -> Any:
    """Writes what a built model computes to a file, in the format that its ending says.

    Gives what the writer has to say of the file, of C its budget; None where there is nothing.

    Args:
        model: The model.
        filepath: The file.
        format: The format's name, which must be that of the ending; None for just that.
        verbose: False for no word; True for a line that says where the file is beside what the writer has to say.
        **options: The format's own.

    Raises:
        ValueError: The ending or the format is not known, they are not of one format, the format has no such option,
            or the model is not built or holds what the format has no form for.
        OSError: The folder is missing or not writable, or the disk is full.
    """
    chosen = format_of(filepath, format)
    write = chosen.writer()
    _check_options(chosen, write, options)
    model.require_built("export")
    said = write(model, filepath, **options)
    if verbose:
        print(f"Saved artifact at '{os.fspath(filepath)}'.")
    if said is not None and verbose is not False:
        print(said)
    return said


def format_of(filepath: str | os.PathLike[str], format: str | None = None) -> Format:
    """The format of a file with this name.

    Raises:
        ValueError: No format has this ending, or `format` is another one's name, or none's.
    """
    path = file_name("filepath", filepath)
    named = next((one for one in FORMATS if one.name == format), None)
    if format is not None and named is None:
        names = ", ".join(repr(one.name) for one in FORMATS)
        raise ValueError(
            f"There is no format {format!r} to export to: `format` is one of {names}, or None for what the file's "
            "ending says. Other formats, TensorFlow's among them, are made from ONNX by tools of their own."
        )
    found = next((one for one in FORMATS if path.endswith(one.ending)), None)
    if found is None or named not in (None, found):
        wanted = [named] if named else FORMATS
        endings = ", ".join(f"'{one.ending}' for {one.title}" for one in wanted)
        raise ValueError(f"The file's name says what is written: it ends in {endings}. Received: {path!r}.")
    return found


def _check_options(chosen: Format, write: Callable[..., Any], given: dict[str, Any]) -> None:
    known = list(inspect.signature(write).parameters)[2:]
    for name in given:
        if name not in known:
            takes = f"it takes {', '.join(f'`{one}`' for one in known)}" if known else "it takes none"
            raise ValueError(f"`export` to {chosen.title} has no option `{name}`: {takes}.")
