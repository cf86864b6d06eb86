"""Loaded into a lesson's kernel: a figure that is shown also gives its data, and a form for phones.

They travel in the cell's output, under MIME types of their own beside the picture. `lessons.py` compares the data, and
`figures.py` puts the narrow form into the page. What a cell prints arrives in one piece, whenever it was printed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from IPython.core.formatters import BaseFormatter
from traitlets import ObjectName, Unicode

import figure_data
import narrow_figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell
    from matplotlib.figure import Figure


class OfFigures(BaseFormatter):
    """Gives something of what is shown, where it is a figure.

    `for_type` would not do: a backend that is chosen later takes all formatters of figures out of their tables.
    """

    given: Callable[[Figure], Any]

    def lookup(self, obj: object) -> Any:
        """What gives it of this object; a KeyError says that nothing does."""
        figures = sys.modules.get("matplotlib.figure")
        if figures and isinstance(obj, figures.Figure):
            return self.given
        return super().lookup(obj)


class FigureData(OfFigures):
    """The data of what is drawn."""

    format_type = Unicode(figure_data.MIME_TYPE)
    print_method = ObjectName("_repr_figure_data_")
    _return_type = dict
    given = staticmethod(figure_data.described)


class NarrowFigure(OfFigures):
    """The form for phones."""

    format_type = Unicode(narrow_figure.MIME_TYPE)
    print_method = ObjectName("_repr_narrow_figure_")
    given = staticmethod(narrow_figure.narrowed)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Adds the formatters to the kernel's, and has it send what was printed when a cell ends or shows something."""
    for formatter in (FigureData, NarrowFigure):
        made = formatter(parent=shell.display_formatter)
        shell.display_formatter.formatters[made.format_type] = made
    for stream in (sys.stdout, sys.stderr):
        stream.flush_interval = 3600  # seconds
