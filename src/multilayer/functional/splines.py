"""Functions of single columns, drawn as lines between knots, and their sum."""

from __future__ import annotations

import numpy as np

from multilayer.functional.affine import FORWARD
from multilayer.functional.arrays import Array


def linear_splines(
    x: Array,
    low: Array,
    factor: Array,
    counts: Array,
    values: Array,
    base: Array | None = None,
    activation: str = "linear",
    out: Array | None = None,
) -> Array:
    """An additive model, y = f(base + sum over the columns c of s_c(x_c)), each s_c a line from knot to knot.

    Within a bin from `low` on, x is so far on its way to the next knot,

        t = (x - low) factor,   factor = 1 / (width of the bin),

    and s goes in a line from one knot's value to the next. Below the first knot and above the last it is constant.

    Args:
        x: Inputs, shape (n, d).
        low: Where each bin begins, those of the first column, ascending, before those of the second, shape (t,).
        factor: 1 / the width of each bin, shape (t,).
        counts: How many bins each column has, whole numbers of shape (d,) and sum t.
        values: What s is at each knot, of which a column has one more than bins, shape (t + d, h).
        base: What the sum begins with, shape (n, h), or None for 0.
        activation: The name of f: 'linear', 'relu', 'sigmoid' or 'tanh'.
        out: Where to write the result, shape (n, h); it may be `base` itself.

    Returns:
        y, shape (n, h).

    Source: Hastie and Tibshirani, "Generalized Additive Models", 1986.

    Example:
        A roof, from 0 at 0 to 1 at 2 and back to 0 at 3:

        >>> knots = {"low": np.array([0.0, 2.0]), "factor": np.array([0.5, 1.0]), "counts": np.array([2])}
        >>> linear_splines(np.array([[-1.0], [1.0], [2.5], [9.0]]), **knots, values=np.array([[0.0], [1.0], [0.0]]))
        array([[0. ],
               [0.5],
               [0.5],
               [0. ]])
    """
    column = np.repeat(np.arange(len(counts)), counts)  # that each bin is of
    through = np.clip((x[:, column] - low) * factor, 0.0, 1.0)  # (n, t)
    before = np.arange(len(low)) + column  # the knot at which each bin begins
    start = values[np.cumsum(counts + 1) - counts - 1].sum(axis=0)  # (h,): left of all knots
    y = np.matmul(through, values[before + 1] - values[before])  # (n, h)
    y += start if base is None else start + base
    return FORWARD[activation](y, y if out is None else out, None)
