"""Loaded into a lesson's kernel: a figure that is shown also gives what is drawn in it, as data, and a narrow form.

Both travel in the cell's output, under MIME types of their own beside the picture. `lessons.py` compares the data, and
`figures.py` puts the narrow form into the page. What a cell prints arrives in one piece, whenever it was printed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from IPython.core.formatters import BaseFormatter, JSONFormatter
from traitlets import ObjectName, Unicode

import figure_data
import narrow_figure

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class FigureData(JSONFormatter):
    """Gives the data of what is shown, where it is a figure, or several that follow one another.

    `for_type` would not do: a backend that is chosen later takes all formatters of figures out of their tables.
    """

    format_type = Unicode(figure_data.MIME_TYPE)
    print_method = ObjectName("_repr_figure_data_")

    def lookup(self, obj: object) -> Any:
        """What describes this object; a KeyError says that nothing does."""
        figures = sys.modules.get("matplotlib.figure")
        if figures and isinstance(obj, figures.Figure):
            return figure_data.described
        plotting = sys.modules.get("multilayer.plotting")
        if plotting and isinstance(obj, plotting.Animation):
            return figure_data.described_animation
        return super().lookup(obj)


class NarrowFigure(BaseFormatter):
    """Gives the form that phones show of a figure."""

    format_type = Unicode(narrow_figure.MIME_TYPE)
    print_method = ObjectName("_repr_narrow_figure_")

    def lookup(self, obj: object) -> Any:
        """As above."""
        figures = sys.modules.get("matplotlib.figure")
        if figures and isinstance(obj, figures.Figure):
            return narrow_figure.narrowed
        return super().lookup(obj)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Adds the formatters to the kernel's, and has it send what was printed when a cell ends or shows something."""
    shell.display_formatter.formatters[figure_data.MIME_TYPE] = FigureData(parent=shell.display_formatter)
    shell.display_formatter.formatters[narrow_figure.MIME_TYPE] = NarrowFigure(parent=shell.display_formatter)
    for stream in (sys.stdout, sys.stderr):
        stream.flush_interval = 3600  # seconds
