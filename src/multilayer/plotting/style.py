"""What all plots have in common: colours and markers, figures and axes to draw into, labels and grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from multilayer.plotting import fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

# Okabe and Ito's palette (2008), which colour-blind readers tell apart as well; neighbours differ in lightness, too.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
COLORS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
INK, PALE, GRID = "0.15", "0.7", "0.9"


def color(number: int) -> str:
    """The colour of the line of this number; they come again after the seventh."""
    return COLORS[number % len(COLORS)]


def marker(number: int) -> str:
    """The marker of the line of this number; markers and colours together tell 49 lines apart."""
    return MARKERS[(number + number // len(COLORS)) % len(MARKERS)]


def diverging() -> LinearSegmentedColormap:
    """Blue below zero, pale at zero, vermilion above."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("blue to vermilion", ["#003B5C", BLUE, "#F5F5F5", VERMILION, "#7A2E00"])


def shades(count: int) -> list[Any]:
    """A colour for each of some layers: dark for the first, light for the last, in order also without colour."""
    from matplotlib import colormaps

    return [colormaps["cividis"](0.05 + 0.8 * i / max(1, count - 1)) for i in range(count)]


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, `width` by `height` inches."""
    from multilayer.plotting.notebook_figure import NotebookFigure

    return NotebookFigure(figsize=(width, height), dpi=150, layout="constrained")


def new_axes(width: float, height: float) -> Axes:
    """Axes in a figure of their own, `width` by `height` inches."""
    return new_figure(width, height).add_subplot()


def figure_of(ax: Axes) -> Figure:
    """The figure that the axes lie in, also where they lie in a subfigure of it."""
    return ax.figure.figure


def finished(ax: Axes) -> Figure:
    """The figure that the axes lie in, as a function that has drawn returns it: Korean letters have a font."""
    from multilayer.plotting.notebook_figure import NotebookFigure

    figure = figure_of(ax)
    if not isinstance(figure, NotebookFigure):  # which sees to that itself whenever it is drawn
        fonts.give(figure)
    return figure


def label_axes(ax: Axes, xlabel: str, ylabel: str) -> None:
    """Labels the axes, and draws a quiet grid and no frame."""
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(color=GRID)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def whole_number_ticks(ax: Axes) -> None:
    """Marks whole numbers alone on the axis of epochs or steps."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
