"""The shapes of the digits that are drawn: control points of strokes, and the splines that run through them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

_POINTS = 90  # points that a glyph's curves are drawn with

# Each digit's ways of being written. A way is one or more strokes, with | between them; a stroke is a row of points x,y
# in hundredths of the glyph's width and height, y downwards. The pen runs smoothly from point to point, and turns
# sharply at a point that is given twice.
GLYPHS: dict[int, tuple[str, ...]] = {
    0: (
        "55,0 20,12 5,50 20,88 50,100 80,88 95,50 80,12 50,0",
        "70,8 40,2 12,30 8,70 35,100 75,85 92,45 75,8 50,3",
    ),
    1: (
        "50,0 50,50 50,100",
        "62,0 50,50 38,100",
        "30,20 42,12 55,0 55,0 54,50 53,100",
        "30,20 55,0 55,0 54,50 53,100 | 30,100 55,100 80,99",
    ),
    2: (
        "10,22 30,3 65,2 85,22 75,50 40,78 8,100 8,100 50,97 95,98",
        "12,20 40,0 78,12 78,42 50,75 20,95 8,88 20,76 45,88 70,98 98,88",
        "10,15 45,0 80,15 72,50 35,85 10,98 10,98 40,88 65,97 95,95",
        "25,20 50,2 78,8 72,35 35,75 2,95 2,95 15,82 40,88 70,97 100,90",
        "15,10 50,8 85,8 85,8 50,50 10,92 10,92 50,95 95,95",
        "30,30 42,8 72,2 88,20 72,50 40,82 12,98 0,85 18,72 42,84 60,100 85,95",
    ),
    3: (
        "12,12 45,0 80,13 75,36 40,47 40,47 80,58 88,80 50,100 8,88",
        "10,5 50,2 85,8 70,28 45,42 45,42 82,55 85,85 45,100 10,92",
        "15,10 50,0 82,15 70,38 48,46 72,52 90,75 60,98 25,98 8,86",
        "30,10 65,0 90,12 75,35 50,45 50,45 72,55 68,82 35,100 2,90",
        "15,5 50,4 85,4 85,4 60,25 42,42 42,42 75,50 85,75 50,98 10,90",
        "25,20 45,2 75,5 78,25 45,45 45,45 90,52 90,88 40,100 5,85",
    ),
    4: (
        "15,5 10,35 15,55 50,58 88,50 | 82,0 78,50 72,100",
        "62,0 35,32 5,64 5,64 50,64 95,62 | 66,0 66,50 66,100",
        "20,10 8,42 30,60 70,50 85,10 85,10 80,50 75,100",
        "25,8 12,50 12,50 50,50 95,44 | 68,12 60,55 55,100",
        "35,15 20,40 15,55 15,55 45,52 80,48 | 95,0 70,45 50,100",
    ),
    5: (
        "85,0 50,2 22,2 22,2 18,25 14,44 14,44 50,38 85,55 80,85 45,100 6,90",
        "25,5 22,25 20,45 20,45 55,40 82,60 75,88 40,100 5,90 | 25,5 60,4 95,0",
        "95,2 60,0 35,5 25,25 30,42 60,52 75,72 60,93 30,100 5,90",
        "30,12 25,35 20,50 20,50 45,42 65,55 62,80 35,100 0,95 | 30,12 65,6 100,0",
        "75,0 45,4 30,8 30,8 25,30 30,42 55,48 72,62 68,85 40,100 12,92 5,75",
        "85,5 55,8 20,10 20,10 25,30 30,45 30,45 60,45 85,65 70,92 30,100 10,95",
    ),
    6: (
        "72,0 35,22 12,60 20,90 50,100 82,85 80,62 50,55 22,68 15,80",
        "50,0 25,30 10,70 30,98 65,97 85,75 65,55 35,62 20,85",
        "85,5 50,15 20,45 12,80 35,100 70,92 80,70 55,58 20,72",
        "60,0 40,25 28,55 25,85 42,100 65,88 68,68 48,60 28,78",
    ),
    7: (
        "8,6 50,4 90,3 90,3 65,45 42,100",
        "10,20 12,6 12,6 50,8 90,3 90,3 68,50 55,100",
        "8,6 50,5 88,3 88,3 62,50 40,100 | 30,52 60,50 88,48",
        "10,12 40,2 80,8 85,20 68,55 55,100",
        "12,25 10,8 10,8 40,15 70,8 88,0 88,0 60,40 30,70 15,100",
        "10,15 35,2 60,12 85,5 85,5 65,50 50,100 | 35,55 60,52 90,45",
        "5,15 10,2 10,2 50,2 80,5 90,20 88,60 85,100",
    ),
    8: (
        "78,15 50,0 20,15 30,38 68,58 82,82 50,100 18,82 32,58 70,38 80,15 60,2",
        "50,46 20,25 45,0 80,20 50,46 15,75 45,100 85,78 50,46",
        "90,5 55,0 22,18 35,42 70,62 70,92 38,100 15,85 35,60 70,35 90,8",
        "85,12 60,0 35,10 38,32 58,50 65,75 45,98 20,90 22,70 50,48 80,28 85,12",
        "55,0 30,10 30,32 55,42 78,30 75,8 55,0 | 52,42 18,58 15,85 50,100 82,85 80,58 52,42",
        "75,5 45,5 30,25 50,45 68,65 62,90 40,100 25,82 42,60 70,35 88,15",
    ),
    9: (
        "82,20 50,0 18,20 25,45 60,45 82,20 82,20 78,60 68,100",
        "80,12 45,2 15,28 35,50 70,38 80,12 80,12 72,55 40,100",
        "85,15 50,0 15,22 30,48 65,42 85,15 88,60 65,95 20,95",
        "75,5 35,8 15,32 40,48 75,30 82,5 80,50 78,100",
        "75,12 50,2 28,18 30,40 55,38 75,12 75,12 60,55 42,100",
        "80,25 65,5 35,5 20,30 40,50 70,45 80,25 80,25 80,65 80,100",
        "72,30 78,8 50,0 25,20 35,42 65,35 72,30 65,60 50,85 20,100",
    ),
}


def parse_glyph(text: str) -> tuple[Array, Array, Array]:
    """A way of writing a digit as numbers.

    A Catmull-Rom spline is linear in its control points, so that all copies of a glyph are one matrix product away.

    Returns:
        Control points (c, 2); the matrix (p, c); and, for each of the p - 1 steps from point to point, whether it lies
        on a curve (1) or leads from one curve to the next (0).

    Source: Catmull and Rom, "A Class of Local Interpolating Splines", 1974.
    """
    strokes = [[_point(pair) for pair in stroke.split()] for stroke in text.split("|")]
    place = {point: i for i, point in enumerate(dict.fromkeys(point for stroke in strokes for point in stroke))}
    control = np.array(list(place))
    curves = [[place[point] for point in curve] for stroke in strokes for curve in _split_at_corners(stroke)]
    length = sum(_lengths(control[curve]).sum() for curve in curves)
    rows, drawn = [], []
    for curve in curves:
        for i, chord in enumerate(_lengths(control[curve])):
            count = max(2, round(_POINTS * chord / length))
            for t in (np.arange(count) + 0.5) / count:
                rows.append(_spline_weights(curve, i, t, len(control)))
                drawn.append(1.0)
        drawn[-1] = 0.0
    return control, np.array(rows), np.array(drawn[:-1])


def _point(text: str) -> tuple[float, float]:
    x, y = text.split(",")
    return float(x) / 100, float(y) / 100


def _split_at_corners(stroke: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """The smooth curves of a stroke: it breaks where a point is given twice."""
    curves = [[stroke[0]]]
    for before, point in pairwise(stroke):
        if point == before:
            curves.append([point])
        else:
            curves[-1].append(point)
    return curves


def _lengths(points: Array) -> Array:
    lengths: Array = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return lengths


def _spline_weights(curve: list[int], i: int, t: float, size: int) -> Array:
    """The weight of each control point in the point at t in [0, 1] between the curve's points i and i + 1."""
    before, start, stop, after = 0.5 * np.array(
        [-(t**3) + 2 * t**2 - t, 3 * t**3 - 5 * t**2 + 2, -3 * t**3 + 4 * t**2 + t, t**3 - t**2]
    )
    weights = np.zeros(size)
    weights[curve[i]] += start
    weights[curve[i + 1]] += stop
    # Beyond the ends the curve is continued by reflection: p_-1 = 2 p_0 - p_1.
    if i > 0:
        weights[curve[i - 1]] += before
    else:
        weights[curve[i]] += 2 * before
        weights[curve[i + 1]] -= before
    if i + 2 < len(curve):
        weights[curve[i + 2]] += after
    else:
        weights[curve[i + 1]] += 2 * after
        weights[curve[i]] -= after
    return weights
