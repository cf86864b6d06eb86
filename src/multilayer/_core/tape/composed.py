"""Functions of NumPy's in a few lines of others, whose derivatives are theirs: statistics, calculus, polynomials."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer._core.tape.elementwise import implements
from multilayer._core.tape.shapes import along
from multilayer._core.tape.tensor import plain, table


@implements(np.cov)
def _cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None) -> Any:
    x = np.atleast_2d(m if rowvar or np.ndim(m) < 2 else np.transpose(m))
    if y is not None:
        x = np.concatenate([x, np.atleast_2d(y if rowvar or np.ndim(y) < 2 else np.transpose(y))])
    centred = x - np.mean(x, axis=1, keepdims=True)
    return np.squeeze(np.matmul(centred, centred.T) / (x.shape[1] - ((0 if bias else 1) if ddof is None else ddof)))


@implements(np.corrcoef)
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    cov = np.cov(x, y, rowvar)
    if np.ndim(cov) == 0:
        return cov / cov
    deviations = np.sqrt(np.diagonal(cov))
    return cov / deviations / np.expand_dims(deviations, 1)


@implements(np.diff)
def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue) -> Any:
    ends = [one if np.ndim(one) or one is np._NoValue else np.expand_dims(one, 0) for one in (prepend, append)]
    axis = axis % np.ndim(a)
    sides = (*np.shape(a)[:axis], 1, *np.shape(a)[axis + 1 :])
    before, behind = (
        [] if one is np._NoValue else [np.broadcast_to(one, sides) if np.size(one) == 1 else one] for one in ends
    )
    a = np.concatenate([*before, a, *behind], axis=axis) if before or behind else a
    for _i in range(n):
        a = a[along(axis, slice(1, None))] - a[along(axis, slice(None, -1))]
    return a


table[np.ediff1d] = lambda ary, to_end=None, to_begin=None: np.concatenate(
    [*([] if to_begin is None else [np.ravel(to_begin)]), _diff(np.ravel(ary))]
    + ([] if to_end is None else [np.ravel(to_end)])
)


@implements(np.gradient)
def _gradient(f: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Central differences, and one-sided ones at the ends."""
    axes = range(f.ndim) if axis is None else [axis] if isinstance(axis, int) else list(axis)
    steps = spacing * len(axes) if len(spacing) == 1 else spacing or (1.0,) * len(axes)
    if edge_order != 1 or len(steps) != len(axes) or any(np.ndim(one) for one in steps):
        raise TypeError("`np.gradient` of a tensor takes one number as the spacing of each axis, and `edge_order=1`.")
    slopes = []
    for i, step in zip(axes, steps, strict=True):
        x = np.moveaxis(f, i, 0)
        slope = np.concatenate([x[1:2] - x[:1], (x[2:] - x[:-2]) / 2, x[-1:] - x[-2:-1]])
        slopes.append(np.moveaxis(slope / step, 0, i))
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


@implements(np.trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    y = np.moveaxis(y, axis, -1)
    width = dx if x is None else np.diff(x if np.ndim(x) == 1 else np.moveaxis(x, axis, -1))
    return np.sum((y[..., 1:] + y[..., :-1]) * width, axis=-1) * 0.5


@implements(np.interp)
def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    if not (left is right is period is None):
        raise TypeError("`np.interp` of a tensor takes no `left`, `right` or `period`.")
    xp, fp = (one if hasattr(one, "shape") else np.asarray(one) for one in (xp, fp))
    places = np.clip(np.searchsorted(plain(xp), plain(x), side="right") - 1, 0, len(xp) - 2)
    share = np.clip((x - xp[places]) / (xp[places + 1] - xp[places]), 0.0, 1.0)
    return fp[places] + (fp[places + 1] - fp[places]) * share


@implements(np.meshgrid)
def _meshgrid(*xi: Any, indexing: str = "xy", sparse: bool = False, copy: bool = True) -> Any:
    xi = tuple(np.ravel(x) for x in xi)
    order = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        order[:2] = [1, 0]
    sides = [xi[i].shape[0] for i in order]
    beside = tuple(np.reshape(x, [-1 if j == i else 1 for j in order]) for i, x in enumerate(xi))
    return beside if sparse else tuple(np.broadcast_to(x, sides) for x in beside)


@implements(np.convolve)
def _convolve(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = (v, a) if np.size(v) > np.size(a) else (a, v)
    n, m = np.size(a), np.size(v)
    windows = np.pad(a, m - 1)[np.arange(n + m - 1)[:, None] + np.arange(m)]
    full = np.matmul(windows, np.flip(v))
    first = (m - 1) // 2
    return {"full": full, "same": full[first : first + n], "valid": full[m - 1 : n]}[mode]


table[np.correlate] = lambda a, v, mode="valid": _convolve(a, np.flip(v), mode)


@implements(np.polyval)
def _polyval(p: Any, x: Any) -> Any:
    x = np.asarray(x) if isinstance(x, (list, tuple)) else x
    y = p[0] + 0 * x
    for i in range(1, len(p)):
        y = y * x + p[i]
    return y


table[np.vander] = lambda x, N=None, increasing=False: (
    np.expand_dims(x, -1) ** np.arange(len(x) if N is None else N)[:: 1 if increasing else -1]
)
