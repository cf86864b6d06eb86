"""Every operation of the table, against NumPy's values, finite differences of first and second order, and autograd.

A row names a function of NumPy's and says of what it is taken: `lambda np, x: ...`, where np is NumPy, or autograd's
copy of it. Shapes, axes and numbers are drawn.
"""

import warnings
from dataclasses import dataclass, field
from typing import Any

import autograd
import autograd.numpy
import hypothesis
import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilayer import autodiff

# --- What operations are taken of ---


def spread(rng, shape):
    """Any numbers, which no two are close to each other, nor to zero: where there are kinks and jumps."""
    size = int(np.prod(shape))
    return rng.permutation(np.linspace(-1.9, 2.1, size + 1 - size % 2) if size else np.zeros(0))[:size].reshape(shape)


def within(low, high):
    return lambda rng, shape: rng.uniform(low, high, shape)


positive = within(0.5, 2.0)
any_number = within(-2.0, 2.0)

any_shape = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3)
some_axes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


def one(shapes=any_shape, numbers=any_number):
    """One array."""
    return lambda draw, rng: ([numbers(rng, draw(shapes))], {})


def two(numbers=any_number, others=None):
    """Two arrays that are broadcast against each other."""

    def drawn(draw, rng):
        shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=1, max_side=3)).input_shapes
        return [numbers(rng, shapes[0]), (others or numbers)(rng, shapes[1])], {}

    return drawn


def over_axes(numbers=any_number, several=True, keepdims=True, none=True):
    """An array, and what of it is reduced."""

    def drawn(draw, rng):
        shape = draw(some_axes)
        axis = st.integers(-len(shape), len(shape) - 1)
        kinds = [
            axis,
            *([st.none()] if none else []),
            *([hnp.valid_tuple_axes(len(shape), min_size=1)] if several else []),
        ]
        options = {"axis": draw(st.one_of(*kinds)), **({"keepdims": draw(st.booleans())} if keepdims else {})}
        return [numbers(rng, shape)], options

    return drawn


def of_shapes(*choices, numbers=any_number):
    """Arrays of one of these lists of shapes."""
    return lambda draw, rng: ([numbers(rng, shape) for shape in draw(st.sampled_from(choices))], {})


def invertible(draw, rng):
    shape = draw(st.sampled_from([(2, 2), (3, 3), (2, 3, 3)]))
    return [rng.uniform(-1, 1, shape) + 3 * np.eye(shape[-1])], {}


def invertible_and(*sides):
    def drawn(draw, rng):
        (matrix,), _ = invertible(draw, rng)
        if draw(st.booleans()) or matrix.ndim > 2:
            return [matrix, rng.uniform(-1, 1, (*matrix.shape[:-1], 2))], {}
        return [matrix, rng.uniform(-1, 1, matrix.shape[:-1])], {}

    return drawn


MATMULS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((2, 3, 4), (4, 2)),
    ((2, 3, 4), (4,)),
    ((4,), (2, 4, 3)),
    ((2, 1, 3, 4), (3, 4, 2)),
    ((3, 4), (2, 4, 2)),
    ((1, 2, 3), (5, 3, 2)),
]
MATRICES = [(2, 3)], [(3, 3)], [(4, 1)]
SQUARES = [(2, 2)], [(3, 3)]
two_rows = of_shapes([(2,), (3,)], numbers=positive)
STACKS = [(2, 3)], [(2, 3, 2)], [(1, 2, 3, 3)]


@dataclass
class Row:
    """An operation: what it does, and what it is taken of."""

    function: Any
    of: Any = field(default_factory=one)
    autograd: bool = True  # whether autograd has it, and right


@dataclass
class Own(Row):
    """One that autograd has not, or otherwise."""

    autograd: bool = False


def by_name(names, of, **options):
    return {
        name: Row(lambda np, *xs, _name=name, **kw: getattr(np, _name)(*xs, **kw), of, **options)
        for name in names.split()
    }


ELEMENTWISE = {
    **by_name("negative exp exp2 expm1 square sin cos tanh sinh cosh arctan arcsinh sinc", one()),
    **by_name("deg2rad radians rad2deg degrees", one()),
    **by_name("cbrt positive copy", one(numbers=positive), autograd=False),
    **by_name("log log2 log10 log1p sqrt reciprocal", one(numbers=positive)),
    **by_name("absolute fabs abs", one(numbers=spread)),
    **by_name("tan", one(numbers=within(-1.2, 1.2))),
    **by_name("arcsin arccos arctanh", one(numbers=within(-0.8, 0.8))),
    **by_name("arccosh", one(numbers=within(1.3, 3.0))),
    **by_name("nan_to_num", one(), autograd=False),
    **by_name("real conj", one()),
    **by_name("add subtract multiply logaddexp logaddexp2", two()),
    **by_name("true_divide divide", two(any_number, positive)),
    **by_name("arctan2 hypot", two(positive), autograd=False),
    **by_name("power", two(positive, any_number)),
    **by_name("float_power", two(positive, any_number), autograd=False),
    **by_name("maximum minimum fmax fmin", two(spread, within(2.2, 2.3))),
    **by_name("mod remainder fmod", two(within(3.1, 3.9), within(0.9, 1.0)), autograd=False),
    **by_name("copysign", two(spread, spread), autograd=False),
    "x + 2": Row(lambda np, x: 2 + x + 1.0),
    "x - 2": Row(lambda np, x: 2 - (x - 1.0)),
    "x * 2": Row(lambda np, x: 2 * (x * 3.0)),
    "2 / x": Row(lambda np, x: 2 / (x / 3.0), one(numbers=positive)),
    "x ** 3": Row(lambda np, x: x**3),
    "x ** 2": Row(lambda np, x: x**2),
    "x ** 0.5": Row(lambda np, x: x**0.5, one(numbers=positive)),
    "2 ** x": Row(lambda np, x: 2**x),
    "x % 2": Own(lambda np, x: x % 2 + 5 % x, one(numbers=within(1.3, 1.6))),
    "x // 1": Own(lambda np, x: x * (x // 1), one(numbers=within(1.1, 1.9))),
    "-x, +x, |x|": Own(lambda np, x: -x * +x + abs(x), one(numbers=spread)),
    "divmod": Own(lambda np, x: np.divmod(x, 1.0)[1] * x, one(numbers=within(1.1, 1.9))),
    "modf": Own(lambda np, x: np.modf(x)[0] * x, one(numbers=within(1.1, 1.9))),
    "clip": Row(lambda np, x: np.clip(x, -0.95, 1.05), one(numbers=spread)),
    "clip by arrays": Row(
        lambda np, x, low: np.clip(x, low, low + 1.0), two(spread, within(-0.04, 0.04)), autograd=False
    ),
    "clip above": Own(lambda np, x: np.clip(x, None, 1.05), one(numbers=spread)),
    "where": Row(
        lambda np, x, y: np.where(np.arange(3) > 0, x, y * y), of_shapes([(3,), (2, 3)], [(2, 1), ()]), autograd=False
    ),
    "where by value": Row(lambda np, x: np.where(x > 0, x * x, -x), one(numbers=spread)),
    "select": Row(lambda np, x: np.select([x > 1, x > 0], [x, x * x], x**3), one(numbers=spread)),
    "astype": Row(lambda np, x: (x * 2).astype("float64")),
    "full_like, shape": Own(lambda np, x: np.full_like(x, x.ravel()[0], shape=(2, 5))),
    "lists beside": Own(
        lambda np, x: np.matmul([[1.0, 2.0]], x) * np.power([2.0, 3.0], x) * np.arctan2([1.0, 2.0], x),
        of_shapes([(2, 2)], numbers=positive),
    ),
    "full_like": Own(lambda np, x: np.full_like(x, x.ravel()[0])),
    "sigmoid": Row(lambda np, x: 1 / (1 + np.exp(-x))),
    "softplus": Row(lambda np, x: np.logaddexp(0.0, x)),
}

REDUCTIONS = {
    **by_name("sum mean", over_axes()),
    **by_name("prod", over_axes(spread)),
    **by_name("var std", over_axes(spread)),
    **by_name("max min amax amin", over_axes(spread)),
    **by_name("cumsum", over_axes(several=False, keepdims=False)),
    **by_name("cumprod nancumsum nancumprod", over_axes(spread, several=False, keepdims=False), autograd=False),
    **by_name(
        "cumulative_sum cumulative_prod", over_axes(spread, several=False, keepdims=False, none=False), autograd=False
    ),
    **by_name("nansum nanprod nanmean nanmax nanmin nanstd nanvar ptp", over_axes(spread), autograd=False),
    **by_name("sort", over_axes(spread, several=False, keepdims=False), autograd=False),
    **by_name("median", over_axes(spread), autograd=False),
    **by_name("average", over_axes(), autograd=False),
    "var, ddof": Row(lambda np, x: np.var(x, ddof=1), one(st.just((3, 2)), spread)),
    "std, ddof": Row(lambda np, x: np.std(x, axis=0, ddof=1), one(st.just((3, 2)), spread)),
    "quantile": Row(
        lambda np, x, axis, keepdims: np.quantile(x, [0.2, 0.9], axis=axis, keepdims=keepdims),
        over_axes(spread),
        autograd=False,
    ),
    **{
        f"quantile, {method}": Own(
            lambda np, x, axis, keepdims, method=method: np.quantile(x, 0.3, axis, method=method, keepdims=keepdims),
            over_axes(spread),
        )
        for method in ("lower", "higher", "midpoint", "nearest")
    },
    "percentile": Own(lambda np, x: np.percentile(x, 30.0), one(some_axes, spread)),
    "weighted average": Row(
        lambda np, x, w: np.average(x, axis=1, weights=w),
        of_shapes([(2, 3), (3,)], [(2, 3), (2, 3)], numbers=positive),
        autograd=False,
    ),
    "trace": Row(lambda np, x: np.trace(x), of_shapes(*SQUARES)),
    "trace of a stack": Own(lambda np, x: np.trace(x, 1, 2, 1), of_shapes([(2, 3, 2)])),
    "logsumexp": Row(
        lambda np, x: np.log(np.sum(np.exp(x - np.max(x, axis=-1, keepdims=True)), axis=-1)), one(some_axes, spread)
    ),
    "softmax": Row(lambda np, x: np.exp(x) / np.sum(np.exp(x), axis=-1, keepdims=True), one(some_axes)),
    "partition": Row(
        lambda np, x: np.sort(np.partition(x, 1, axis=-1)[..., :2], axis=-1),
        one(st.just((2, 4)), spread),
        autograd=False,
    ),
    "top k": Row(
        lambda np, x: np.take_along_axis(x, np.argsort(x, axis=-1)[..., -2:], axis=-1),
        one(st.just((2, 4)), spread),
        autograd=False,
    ),
    "cov": Own(lambda np, x: np.cov(x), of_shapes([(2, 4)], [(4,)])),
    "corrcoef": Own(lambda np, x: np.corrcoef(x), of_shapes([(2, 4)], [(3, 5)])),
}

SHAPES = {
    "reshape": Row(lambda np, x: np.reshape(x, (-1, 2)) ** 2, of_shapes([(4, 3)], [(2, 3, 2)])),
    "reshape, order": Row(
        lambda np, x: np.reshape(x, (-1, 2), order="F") * np.arange(2), of_shapes([(4, 3)], [(2, 3, 2)])
    ),
    **by_name("ravel squeeze", one(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))),
    **by_name("transpose fliplr rot90 tril triu", of_shapes(*MATRICES)),
    **by_name("atleast_1d atleast_2d atleast_3d", one(), autograd=False),
    **by_name("flipud", of_shapes(*MATRICES)),
    **by_name("matrix_transpose", of_shapes(*STACKS), autograd=False),
    "expand_dims": Row(lambda np, x: np.expand_dims(x, 1), of_shapes(*STACKS)),
    "swapaxes": Row(lambda np, x: np.swapaxes(x, 0, -1), of_shapes(*STACKS)),
    "moveaxis": Row(lambda np, x: np.moveaxis(x, 0, -1), of_shapes(*STACKS)),
    "reshape, order of the memory": Own(
        lambda np, x: np.reshape(x.T, (-1,), order="A") * np.ravel(x.T, order="K"), of_shapes([(4, 3)])
    ),
    "rollaxis": Own(lambda np, x: np.rollaxis(x, 1) * np.rollaxis(x, 1 - x.ndim), of_shapes(*STACKS)),
    "rollaxis, start": Own(lambda np, x: np.rollaxis(x, 0, -1) + np.rollaxis(x, -3, 2), of_shapes([(2, 3, 4)])),
    "transpose, axes": Row(lambda np, x: np.transpose(x, (2, 0, 1)) * 2, of_shapes([(2, 3, 4)])),
    "flip": Own(lambda np, x: np.flip(x, 0) * np.flip(x), of_shapes(*STACKS)),
    "roll": Row(lambda np, x: np.roll(x, 1, 0) * np.roll(x, 2), of_shapes(*STACKS)),
    "broadcast_to": Own(lambda np, x: np.broadcast_to(x, (2, 3, 2)), of_shapes([(3, 1)], [(2,)], [()])),
    "broadcast_arrays": Own(lambda np, x, y: np.add(*np.broadcast_arrays(x, y * y)), two()),
    "concatenate": Row(
        lambda np, x, y: np.concatenate((x, y * y, x), axis=-1), of_shapes([(2, 3), (2, 1)], [(2,), (3,)])
    ),
    "concatenate, flat": Own(lambda np, x, y: np.concatenate([x, y], axis=None), two()),
    "stack": Row(lambda np, x, y: np.stack([x, y, x * y], axis=1), of_shapes([(2, 3), (2, 3)], [(2,), (2,)])),
    "vstack": Row(lambda np, x, y: np.vstack([x, y * y]), of_shapes([(2, 3), (3,)], [(2,), (2,)], [(1, 2), (3, 2)])),
    "hstack": Row(lambda np, x, y: np.hstack([x, y * y]), of_shapes([(2, 3), (2, 1)], [(2,), (3,)])),
    "dstack": Own(
        lambda np, x, y: np.dstack([x, y * y]), of_shapes([(2, 3), (2, 3)], [(2,), (2,)], [(2, 3, 1), (2, 3, 2)])
    ),
    "column_stack": Own(lambda np, x, y: np.column_stack([x, y * y]), of_shapes([(2, 3), (2,)], [(2,), (2,)])),
    "append": Row(lambda np, x, y: np.append(x, y * y), two()),
    "block": Own(lambda np, x, y: np.block([[x, y], [y, x]]), of_shapes([(2, 2), (2, 2)])),
    "tile": Row(lambda np, x: np.tile(x, (2, 1, 3)), of_shapes([(2, 3)], [(2,)], [(1, 2, 2)])),
    "repeat": Row(lambda np, x: np.repeat(x, 2, axis=0), of_shapes(*STACKS)),
    "repeat, each": Own(lambda np, x: np.repeat(x, [1, 0, 2], axis=1), of_shapes([(2, 3)])),
    "pad": Own(lambda np, x: np.pad(x, ((1, 0), (2, 1))), of_shapes(*MATRICES)),
    "pad, edge": Own(lambda np, x: np.pad(x, 2, mode="edge"), of_shapes([(3, 3)])),
    "pad, reflect": Own(lambda np, x: np.pad(x, ((1, 1), (0, 1)), mode="reflect"), of_shapes([(3, 3)])),
    "split": Row(lambda np, x: np.split(x, 2, axis=1)[0] * np.split(x, [2], axis=1)[1], of_shapes([(2, 4)])),
    "array_split": Row(lambda np, x: np.array_split(x, 2)[1] ** 2, of_shapes([(3,)], [(4, 2)])),
    "hsplit, vsplit, dsplit": Own(
        lambda np, x: np.hsplit(x, 2)[0].sum() * np.vsplit(x, 2)[1].sum() * np.dsplit(x, 2)[1].sum(),
        of_shapes([(2, 2, 2)]),
    ),
    "unstack": Own(lambda np, x: np.multiply(*np.unstack(x, axis=1)), of_shapes([(3, 2)], [(3, 2, 2)])),
    "diff": Row(lambda np, x: np.diff(x, 2, axis=0) * 2, of_shapes([(4,)], [(4, 2)])),
    "diff, with ends": Own(
        lambda np, x: np.diff(x, prepend=1.0, axis=0, append=x[:1] * 2), of_shapes([(4,)], [(4, 2)])
    ),
    "ediff1d": Own(lambda np, x: np.ediff1d(x), of_shapes([(4,)], [(4, 2)])),
    "ediff1d, with ends": Own(lambda np, x: np.ediff1d(x, to_end=3.0, to_begin=[1.0, 2.0]), of_shapes([(4,)])),
    "gradient": Row(lambda np, x: np.gradient(x), of_shapes([(4,)])),
    "gradient, axes": Own(lambda np, x: sum(np.gradient(x, 0.5)), of_shapes([(4, 3)])),
    "diagonal": Own(lambda np, x: np.diagonal(x, 1), of_shapes([(3, 3)], [(2, 4)])),
    "diag": Row(lambda np, x: np.diag(x, -1), of_shapes([(3, 3)], [(3,)])),
    "diagflat": Own(lambda np, x: np.diagflat(x), of_shapes([(2, 2)], [(3,)])),
    "meshgrid": Own(lambda np, x, y: np.multiply(*np.meshgrid(x, y)), of_shapes([(2,), (3,)])),
    "meshgrid, sparse": Own(lambda np, x, y: np.divide(*np.meshgrid(x, y, sparse=True)), two_rows),
    "interp": Own(
        lambda np, x, f: np.interp(x, [0.0, 1.0, 3.0], f),
        lambda draw, rng: ([rng.uniform(1.2, 2.8, 4), rng.normal(size=3)], {}),
    ),
    "trapezoid": Own(lambda np, y, x: np.trapezoid(y, x), of_shapes([(4,), (4,)])),
    "index": Row(lambda np, x: x[1] * x[-1], of_shapes([(2,)], [(3, 2)])),
    "slice": Row(lambda np, x: x[::-1, 1:], of_shapes([(3, 3)], [(2, 3, 2)])),
    "newaxis and ellipsis": Row(lambda np, x: x[None, ..., 0], of_shapes(*STACKS)),
    "fancy index": Row(lambda np, x: x[[0, 1, 0], [1, 1, 1]], of_shapes([(2, 3)], [(2, 2, 2)])),
    "fancy index, one axis": Row(lambda np, x: x[np.array([[0, 1], [1, 1]])] ** 2, of_shapes(*STACKS[:2])),
    "mixed index": Row(lambda np, x: x[:, [0, 0], 1], of_shapes([(2, 3, 2)])),
    "mask": Row(lambda np, x: x[np.array([True, False, True])], of_shapes([(3,)], [(3, 2)])),
    "mask by value": Row(lambda np, x: x[x > 0], one(some_axes, spread)),
    "take": Own(lambda np, x: np.take(x, [0, 1, 0], axis=-1), of_shapes([(2,)], [(2, 3)], [(2, 2, 2)])),
    "take, flat": Own(lambda np, x: np.take(x, [[0, 5]]), of_shapes([(2, 3)])),
    "take_along_axis": Own(
        lambda np, x: np.take_along_axis(x, np.array([[0, 0], [1, 0]]), axis=0), of_shapes([(3, 2)])
    ),
    "take_along_axis, broadcast": Own(
        lambda np, x: np.take_along_axis(x, np.array([[1]]), axis=1), of_shapes([(3, 2)])
    ),
    "compress": Own(lambda np, x: np.compress([True, False, True], x, axis=0), of_shapes([(3,)], [(3, 2)])),
    "extract": Own(lambda np, x: np.extract(np.array([True, False, True]), x), of_shapes([(3,)])),
    "choose": Own(lambda np, x, y: np.choose([0, 1, 0], [x, y]), of_shapes([(3,), (3,)])),
    "delete": Own(lambda np, x: np.delete(x, 1, axis=0), of_shapes([(3,)], [(3, 2)])),
    "insert, columns": Own(
        lambda np, x: np.insert(x, 1, x[0], axis=1)[:, :3] * np.insert(x, 1, x[:, :1], axis=1)[:, 1:4],
        of_shapes([(3, 3)]),
    ),
    "insert": Own(lambda np, x: np.insert(x, 1, 5.0, axis=0), of_shapes([(3,)], [(3, 2)])),
    "bincount": Own(lambda np, w: np.bincount([0, 2, 2], weights=w, minlength=4), of_shapes([(3,)])),
    "unique": Own(lambda np, x: np.unique(x), one(some_axes, spread)),
    "iteration": Row(lambda np, x: sum(row * i for i, row in enumerate(x)), of_shapes([(3,)], [(3, 2)])),
    "convolve": Own(lambda np, x, y: np.convolve(x, y), of_shapes([(4,), (2,)], [(2,), (3,)])),
    "convolve, same": Own(lambda np, x, y: np.convolve(x, y, mode="same"), of_shapes([(4,), (3,)])),
    "correlate": Own(lambda np, x, y: np.correlate(x, y), of_shapes([(4,), (2,)])),
    "polyval, at a list": Own(lambda np, p: np.polyval(p, [1.0, 2.0]), of_shapes([(3,)])),
    "polyval": Own(lambda np, p, x: np.polyval(p, x), of_shapes([(3,), (2,)])),
    "vander": Own(lambda np, x: np.vander(x, 3), of_shapes([(2,)])),
}

METHODS = {
    "T": Row(lambda np, x: x.T @ x.T.T, of_shapes(*MATRICES)),
    "reshape": Row(lambda np, x: x.reshape(-1, 1) * x.reshape((1, -1)), one(some_axes)),
    "transpose": Own(lambda np, x: x.transpose(1, 0) * x.transpose((1, 0)) * x.transpose(), of_shapes(*SQUARES)),
    "sum, mean": Row(lambda np, x: x.sum(axis=0) * x.mean(axis=0) + x.sum(), one(some_axes)),
    "prod, var, std": Row(lambda np, x: x.prod(axis=0) + x.var(axis=0, ddof=0) * x.std(), one(st.just((3, 2)), spread)),
    "max, min": Row(lambda np, x: x.max(axis=-1) * x.min(), one(some_axes, spread)),
    "dot": Own(lambda np, x: x.dot(x.T), of_shapes(*MATRICES)),
    "clip": Row(lambda np, x: x.clip(-0.95, 1.05), one(numbers=spread)),
    "squeeze, ravel, flatten": Row(lambda np, x: x.squeeze().ravel() * x.flatten(), one(some_axes)),
    "swapaxes": Row(lambda np, x: x.swapaxes(0, -1), one(some_axes)),
    "cumsum, cumprod": Own(lambda np, x: x.cumsum(axis=0) + x.cumprod(axis=0), one(some_axes, spread)),
    "take, repeat": Own(lambda np, x: x.take([0, 0], axis=0) * x[:1].repeat(2, axis=0), one(some_axes)),
    "copy, round": Own(lambda np, x: x.copy() * x.round(), one(numbers=within(0.6, 1.4))),
    "trace, diagonal": Own(lambda np, x: x.trace() * x.diagonal(), of_shapes(*SQUARES)),
    "argmax, argmin": Own(lambda np, x: x[x.argmax()] * x[x.argmin()], of_shapes([(4,)], numbers=spread)),
}

LINEAR_ALGEBRA = {
    "matmul": Row(lambda np, a, b: a @ b, of_shapes(*MATMULS)),
    "rmatmul": Row(lambda np, b: np.ones((2, 3)) @ b, of_shapes([(3, 2)], [(3,)])),
    "dot": Row(lambda np, a, b: np.dot(a, b), of_shapes(*MATMULS[:6], [(), (2, 3)], [(2, 3), (4, 3, 2)])),
    "inner": Row(lambda np, a, b: np.inner(a, b), of_shapes([(3,), (3,)], [(2, 3), (4, 3)])),
    "outer": Own(lambda np, a, b: np.outer(a, b), of_shapes([(3,), (2,)], [(2, 2), (3,)])),
    "vdot": Own(lambda np, a, b: np.vdot(a, b), of_shapes([(3,), (3,)], [(2, 2), (2, 2)])),
    "vecdot": Own(lambda np, a, b: np.vecdot(a, b), of_shapes([(2, 3), (3,)])),
    "tensordot": Row(lambda np, a, b: np.tensordot(a, b, axes=([0, 1], [1, 0])), of_shapes([(2, 3, 2), (3, 2, 4)])),
    "tensordot, number": Row(lambda np, a, b: np.tensordot(a, b, 1), of_shapes([(2, 3), (3, 4)], [(2, 3), (3,)])),
    "kron": Row(lambda np, a, b: np.kron(a, b), of_shapes([(2, 2), (1, 3)], [(2,), (3,)])),
    "cross": Own(lambda np, a, b: np.cross(a, b), of_shapes([(3,), (3,)], [(2, 3), (2, 3)])),
    "einsum": Row(lambda np, a, b: np.einsum("ij,jk->ik", a, b), of_shapes([(2, 3), (3, 4)])),
    "einsum, implicit": Row(lambda np, a, b: np.einsum("ij,kj", a, b), of_shapes([(2, 3), (4, 3)])),
    "einsum, ellipsis": Row(
        lambda np, a, b: np.einsum("...i,ij->...j", a, b), of_shapes([(2, 2, 3), (3, 2)], [(3,), (3, 2)])
    ),
    "einsum, broadcast": Own(
        lambda np, a, b: np.einsum("...ij,...jk->...ik", a, b) * np.einsum("...ij->...", a)[..., None, None],
        of_shapes([(1, 2, 3), (5, 3, 2)], [(2, 1, 2, 3), (3, 1, 2)]),
    ),
    "einsum, broadcast sides": Own(
        lambda np, a, b: np.einsum("ij,ij->j", a, b) * np.einsum("ij,ij", a, b), of_shapes([(1, 3), (2, 3)])
    ),
    "einsum, three": Row(lambda np, a, b, c: np.einsum("i,ij,j", a, b, c), of_shapes([(2,), (2, 3), (3,)])),
    "einsum, sum": Row(lambda np, a: np.einsum("ijk->j", a), of_shapes([(2, 3, 2)])),
    "einsum, diagonal": Own(lambda np, a: np.einsum("ii->i", a), of_shapes(*SQUARES)),
    "einsum, trace": Own(lambda np, a, b: np.einsum("iij,j->i", a, b), of_shapes([(2, 2, 3), (3,)])),
    "linalg.inv": Row(lambda np, a: np.linalg.inv(a), invertible),
    "linalg.pinv": Own(lambda np, a: np.linalg.pinv(a), of_shapes([(3, 2)], [(2, 3)], numbers=spread)),
    "linalg.solve": Row(lambda np, a, b: np.linalg.solve(a, b), invertible_and()),
    "linalg.lstsq": Own(
        lambda np, a, b: np.linalg.lstsq(a, b, rcond=None)[0], of_shapes([(4, 2), (4,)], [(4, 2), (4, 3)])
    ),
    "linalg.det": Row(lambda np, a: np.linalg.det(a), invertible),
    "linalg.slogdet": Row(lambda np, a: np.linalg.slogdet(a)[1], invertible),
    "linalg.cholesky": Row(lambda np, a: np.linalg.cholesky(a @ np.swapaxes(a, -1, -2)), invertible),
    "linalg.cholesky, upper": Own(lambda np, a: np.linalg.cholesky(a @ np.swapaxes(a, -1, -2), upper=True), invertible),
    "linalg.eigvalsh": Own(lambda np, a: np.linalg.eigvalsh(a + a.T), of_shapes(*SQUARES)),
    "linalg.eigh": Own(lambda np, a: np.linalg.eigh(a + a.T)[0] * np.linalg.eigh(a + a.T)[1] ** 2, of_shapes(*SQUARES)),
    "linalg.svd, values": Own(
        lambda np, a: np.linalg.svd(a, compute_uv=False), of_shapes([(3, 2)], [(2, 3)], [(2, 2)])
    ),
    "linalg.svd, u": Own(
        lambda np, a: np.linalg.svd(a, full_matrices=False)[0] ** 2 * np.linalg.svd(a, full_matrices=False)[1],
        of_shapes([(3, 2)], [(2, 3)], [(2, 2)], [(2, 3, 2)], numbers=spread),
    ),
    "linalg.svd, v": Own(
        lambda np, a: np.linalg.svd(a, full_matrices=False)[2] ** 2,
        of_shapes([(3, 2)], [(2, 3)], [(2, 2)], numbers=spread),
    ),
    "linalg.qr, q": Own(lambda np, a: np.linalg.qr(a)[0], of_shapes([(4, 2)], [(2, 3, 2)], numbers=spread)),
    "linalg.qr, r": Own(lambda np, a: np.linalg.qr(a)[1], of_shapes([(4, 2)], [(3, 3)], numbers=spread)),
    "linalg.norm": Row(lambda np, a: np.linalg.norm(a), one(some_axes, spread)),
    "linalg.norm, axis": Own(lambda np, a: np.linalg.norm(a, axis=-1, keepdims=True), one(some_axes, spread)),
    "linalg.norm, 1": Own(lambda np, a: np.linalg.norm(a, 1, axis=-1), one(some_axes, spread)),
    "linalg.norm, 3": Own(lambda np, a: np.linalg.norm(a, 3, axis=-1), one(some_axes, spread)),
    "linalg.norm, inf": Own(lambda np, a: np.linalg.norm(a, np.inf, axis=-1), one(some_axes, spread)),
    "linalg.norm, nuclear": Own(lambda np, a: np.linalg.norm(a, "nuc"), of_shapes([(3, 2)], [(2, 2)])),
    "linalg.norm, matrix 1": Own(
        lambda np, a: np.linalg.norm(a, 1) + np.linalg.norm(a, np.inf), of_shapes([(3, 2)], numbers=spread)
    ),
    "linalg.norm, spectral": Own(lambda np, a: np.linalg.norm(a, 2), of_shapes([(3, 2)], numbers=spread)),
    "linalg.vector_norm": Own(lambda np, a: np.linalg.vector_norm(a, axis=0), one(some_axes, spread)),
    "linalg.vector_norm, of all": Own(
        lambda np, a: np.linalg.vector_norm(a, axis=(0, -1), keepdims=True, ord=3) * np.linalg.vector_norm(a),
        of_shapes([(2, 3)], [(2, 3, 4)], numbers=spread),
    ),
    "linalg.matrix_norm": Own(lambda np, a: np.linalg.matrix_norm(a), of_shapes(*STACKS, numbers=spread)),
    "linalg.multi_dot": Own(lambda np, a, b: np.linalg.multi_dot([a, b, a]), of_shapes([(2, 3), (3, 2)])),
    "linalg.matrix_power": Own(
        lambda np, a: np.linalg.matrix_power(a, 3) + np.linalg.matrix_power(a, -2) + np.linalg.matrix_power(a, 0),
        invertible,
    ),
    "linalg.trace": Own(lambda np, a: np.linalg.trace(a), of_shapes(*SQUARES, [(2, 3, 3)])),
    "linalg.diagonal": Own(lambda np, a: np.linalg.diagonal(a), of_shapes(*SQUARES, [(2, 3, 3)])),
    "linalg.matmul": Own(lambda np, a, b: np.linalg.matmul(a, b), of_shapes([(2, 3), (3, 4)])),
    "linalg.outer": Own(lambda np, a, b: np.linalg.outer(a, b), of_shapes([(2,), (3,)])),
    "linalg.cross": Own(lambda np, a, b: np.linalg.cross(a, b), of_shapes([(2, 3), (2, 3)])),
    "linalg.vecdot": Own(lambda np, a, b: np.linalg.vecdot(a, b), of_shapes([(2, 3), (2, 3)])),
    "linalg.tensordot": Own(lambda np, a, b: np.linalg.tensordot(a, b, axes=1), of_shapes([(2, 3), (3, 2)])),
    "linalg.matrix_transpose": Own(lambda np, a: np.linalg.matrix_transpose(a), of_shapes(*STACKS)),
    "multiply.outer": Own(
        lambda np, a, b: np.multiply.outer(a, b) + np.subtract.outer(a, b), of_shapes([(2,), (3, 2)])
    ),
    "add.reduce": Own(
        lambda np, a: np.add.reduce(a) * np.multiply.reduce(a) + np.maximum.reduce(a), one(some_axes, spread)
    ),
    "add.accumulate": Own(lambda np, a: np.add.accumulate(a) + np.multiply.accumulate(a), one(some_axes, spread)),
}

ROWS = {
    f"{kind}: {name}": row
    for kind, table in {
        "elementwise": ELEMENTWISE,
        "reduction": REDUCTIONS,
        "shape": SHAPES,
        "method": METHODS,
        "algebra": LINEAR_ALGEBRA,
    }.items()
    for name, row in table.items()
}


# --- What is checked ---

few = hypothesis.settings(
    max_examples=3,
    derandomize=True,
    database=None,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)


def drawn(row, data, seed):
    rng = np.random.default_rng(seed)
    xs, options = row.of(data.draw, rng)
    return [np.asarray(x) for x in xs], options, rng


@pytest.mark.parametrize("name", ROWS)
@few
@given(data=st.data(), seed=st.integers(0, 99))
def test_values_are_numpys_and_derivatives_those_of_finite_differences_and_autograd(name, data, seed):
    row = ROWS[name]
    xs, options, rng = drawn(row, data, seed)
    value = np.asarray(row.function(np, *xs, **options))
    weight = rng.uniform(0.5, 1.5, value.shape)  # of each element of the value in one number

    def f(xs):
        y = row.function(np, *xs, **options)
        assert y.shape == value.shape
        assert y.dtype == value.dtype
        return np.sum(y * weight) + 0 * sum(np.sum(x) for x in xs)  # which depends on all

    found, gradients = autodiff.value_and_gradient(f)(xs)
    assert_close(found, np.sum(value * weight), 1e-12)
    directions = [rng.normal(size=x.shape) for x in xs]
    step = 1e-5

    def moved(sign):
        return [x + sign * step * v for x, v in zip(xs, directions, strict=True)]

    slope = sum(np.sum(g * v) for g, v in zip(gradients, directions, strict=True))
    assert_close(slope, (f(moved(1)) - f(moved(-1))) / (2 * step), 1e-6)
    for x, g in zip(xs, gradients, strict=True):
        assert g.shape == x.shape
        assert g.dtype == x.dtype
    if row.autograd:
        for g, expected in zip(gradients, gradients_of_autograd(row, xs, options, weight), strict=True):
            assert_close(g, expected, 1e-9)
    slope_of = autodiff.gradient(f)
    curvature = autodiff.hessian_vector_product(f)(xs, directions)
    for h, after, before in zip(curvature, slope_of(moved(1)), slope_of(moved(-1)), strict=True):
        assert_close(h, (after - before) / (2 * step), 1e-5)


def assert_close(a, b, tolerance):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * (1 + np.max(np.abs(b), initial=0.0)))


def gradients_of_autograd(row, xs, options, weight):
    def f(xs):
        return autograd.numpy.sum(row.function(autograd.numpy, *xs, **options) * weight)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of autograd's own
        return autograd.grad(f)(xs)
