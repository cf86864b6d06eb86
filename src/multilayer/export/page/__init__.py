"""A network as a page: one file of HTML in which one draws a digit and watches the network think.

`describe` says as plain data what a model is, `assemble` puts that and the page's modules of JavaScript into one file,
and `export` writes it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from multilayer._system.atomic import replaced
from multilayer.export.page.assembling import assemble
from multilayer.export.page.describing import describe

if TYPE_CHECKING:
    from multilayer.models import Model

__all__ = ["assemble", "describe", "export"]


def export(
    model: Model,
    path: str | os.PathLike[str],
    labels: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    title: str | None = None,
) -> None:
    """Writes a model as a page, which a browser opens from the file, without a server or a network.

    Args:
        model: A built model with one input and one output.
        path: The file, whose name ends in '.html'.
        labels: What its outputs are called, two for a single probability; by default they are numbered from 0.
        columns: What its inputs are called, where they are no picture.
        title: The page's heading; by default it says what the page is.

    Raises:
        ValueError: The page has no form for the model's input, output or one of its layers, which the message names.
        OSError: The folder is missing or not writable, or the disk is full; what was there is as it was.
    """
    page = assemble(describe(model, labels, columns, title), title=title or "multilayer")
    with replaced(path) as file:
        file.write(page.encode())
