"""A figure that notebooks show by themselves; apart from `style`, so that matplotlib is loaded where it draws."""

from __future__ import annotations

import io
import warnings
from typing import Any

from matplotlib.figure import Figure

from multilayer.plotting import fonts

_PIXELS_AN_INCH = 96  # of a page; the picture itself has more, for screens that show more


class NotebookFigure(Figure):
    """A figure that a notebook shows where a cell ends with it, with or without pyplot's backend."""

    def draw(self, renderer: Any) -> None:
        """Draws the figure, Korean letters by a font that has them."""
        fonts.give(self)
        with warnings.catch_warnings():
            if not fonts.installed():
                warnings.filterwarnings("ignore", "Glyph .* missing")  # said once, and not for each letter
            super().draw(renderer)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """The picture, and the size at which a page shows it."""
        file = io.BytesIO()
        self.savefig(file, format="png")
        width, height = (round(side * _PIXELS_AN_INCH) for side in self.get_size_inches())
        return file.getvalue(), {"width": width, "height": height}
