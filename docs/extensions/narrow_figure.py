"""A figure as a phone shows it: no wider than a hand, its panels in as many columns as fit, its letters as large."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MIME_TYPE = "application/vnd.multilayer.narrow-figure"
WIDTH = 4.2  # inches: on the narrowest phones a letter of 10 points is then as high as small print
DOTS_AN_INCH = 216  # phones have two or three dots to a pixel


def narrowed(figure: Figure) -> str | None:
    """The narrow form as a PNG file in base64; None where there is none: the figure is narrow, or of one piece."""
    panels = _panels(figure)
    if not panels:
        return None
    file = io.BytesIO()
    with _rearranged(figure, panels):
        figure.savefig(file, format="png", dpi=DOTS_AN_INCH, bbox_inches="tight")
    return base64.b64encode(file.getvalue()).decode()


def _panels(figure: Figure) -> list[Axes]:
    """The axes that can be set anew, in the order that they are read; empty where that would not help."""
    panels = [axes for axes in figure.axes if not hasattr(axes, "_colorbar")]
    if figure.get_figwidth() <= WIDTH or figure.legends or any(axes.get_subplotspec() is None for axes in panels):
        return []
    grids = {axes.get_subplotspec().get_gridspec().get_geometry() for axes in panels}
    if len(grids) != 1 or any(len(axes.get_subplotspec().colspan) > 1 for axes in panels):
        return []
    (_, columns), *_ = grids
    if columns == 1 and any(axes.get_aspect() != "auto" for axes in panels):
        return []  # rows of pictures, which would only become smaller
    return sorted(panels, key=lambda axes: axes.get_subplotspec().num1)


@contextmanager
def _rearranged(figure: Figure, panels: list[Axes]) -> Iterator[None]:
    """The panels in a grid of fewer columns, each as high as it was, with the numbers that neighbours had for them."""
    from matplotlib.gridspec import GridSpec

    size, specs = figure.get_size_inches(), [axes.get_subplotspec() for axes in panels]
    rows, columns = specs[0].get_gridspec().get_geometry()
    fitting = min(columns, max(1, round(WIDTH / (size[0] / columns))))
    fitting -= columns % fitting == 1  # no panel alone in the last row: three stand one under the other
    grid = GridSpec(-(-len(panels) // fitting), fitting, figure=figure)
    labelled = [axes.yaxis.get_tick_params().get("labelleft", True) for axes in panels]
    try:
        figure.set_size_inches(WIDTH, size[1] / rows * grid.nrows)
        for number, axes in enumerate(panels):
            axes.set_subplotspec(grid[number])
            if number % fitting == 0 and specs[number].colspan.start:
                axes.tick_params(labelleft=True)
        yield
    finally:
        figure.set_size_inches(size)
        for axes, spec, had in zip(panels, specs, labelled, strict=True):
            axes.set_subplotspec(spec)
            axes.tick_params(labelleft=had)
