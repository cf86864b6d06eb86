"""What is drawn in a figure, as data that can be compared: numbers and words instead of pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from multilayer.plotting import Animation

MIME_TYPE = "application/vnd.multilayer.figure+json"
_MOST = 40  # numbers kept of an array; its size, mean and range stand for the others


def _array(values: Any) -> dict[str, Any]:
    array = np.ma.filled(np.ma.asarray(values, dtype=float), math.nan)
    shown = array.ravel()[np.linspace(0, array.size - 1, min(array.size, _MOST)).astype(int)] if array.size else array
    known = array[np.isfinite(array)]
    summary = [known.min(), known.mean(), known.max()] if known.size > _MOST else []
    numbers = [float(f"{value:.6g}") if math.isfinite(value) else str(value) for value in [*shown.ravel(), *summary]]
    return {"shape": list(array.shape), "numbers": numbers}


def _artist(artist: Artist) -> dict[str, Any] | None:
    """What one artist draws, or None where it draws no data (a spine, a background)."""
    from matplotlib.collections import Collection
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.spines import Spine
    from matplotlib.text import Text

    kind = type(artist).__name__
    if isinstance(artist, Line2D):
        points = artist.axes.transScale.transform(artist.get_xydata())  # as drawn: logarithms on a logarithmic axis
        return {"kind": kind, "label": artist.get_label(), "points": _array(points)}
    if isinstance(artist, AxesImage):
        return {"kind": kind, "values": _array(artist.get_array()), "extent": _array(artist.get_extent())}
    if isinstance(artist, Collection):
        paths = [path.vertices for path in artist.get_paths()]
        data = {"kind": kind, "label": artist.get_label(), "paths": len(paths), "offsets": _array(artist.get_offsets())}
        data["vertices"] = _array(np.concatenate(paths) if paths else [])
        if artist.get_array() is not None:
            data["values"] = _array(artist.get_array())
        return data
    if isinstance(artist, Patch) and not isinstance(artist, Spine):
        box = artist.get_path().get_extents(artist.get_patch_transform())
        return {"kind": kind, "label": artist.get_label(), "box": _array(box.extents)}
    if isinstance(artist, Text) and artist.get_text():
        return {"kind": kind, "text": artist.get_text()}
    return None


def _axes(axes: Axes) -> dict[str, Any]:
    drawn = [_artist(child) for child in axes.get_children() if child is not axes.patch]
    legend = axes.get_legend()
    return {
        "title": axes.get_title(),
        "x": [axes.get_xlabel(), axes.get_xscale()],
        "y": [axes.get_ylabel(), axes.get_yscale()],
        "legend": [text.get_text() for text in legend.get_texts()] if legend else [],
        "artists": [data for data in drawn if data is not None],
    }


def described(figure: Figure) -> dict[str, Any]:
    """What a figure shows: its title, and of each axes the labels, scales, legend and the data of every artist."""
    return {"title": figure.get_suptitle(), "axes": [_axes(axes) for axes in figure.axes]}


def described_animation(animation: Animation) -> dict[str, Any]:
    """What an animation shows: how many frames, and what is in the first and in the last of them."""
    return {"frames": len(animation), "first": described(animation.frame(0)), "last": described(animation.frame(-1))}
