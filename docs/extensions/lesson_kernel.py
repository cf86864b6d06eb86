"""Loaded into a lesson's kernel: a figure that is shown also gives what is drawn in it, as data.

The data travels in the cell's output, under a MIME type of its own beside the picture. `lessons.py` compares it. What a
cell prints arrives in one piece, whenever it was printed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from IPython.core.formatters import JSONFormatter
from traitlets import ObjectName, Unicode

import figure_data

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


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Adds the formatter to the kernel's, and has it send what was printed when a cell ends or shows something."""
    shell.display_formatter.formatters[figure_data.MIME_TYPE] = FigureData(parent=shell.display_formatter)
    for stream in (sys.stdout, sys.stderr):
        stream.flush_interval = 3600  # seconds
