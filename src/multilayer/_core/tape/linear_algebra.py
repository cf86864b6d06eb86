"""Derivatives of products, factorizations and solutions of linear equations."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer._core.tape.elementwise import define, implements, root
from multilayer._core.tape.operands import users_line
from multilayer._core.tape.tensor import EVERY_POSITION, Node, Rule, plain, record, table


def _transposed(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


# --- Products: of vectors, matrices, and stacks of both ---


def _matmul_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == b.ndim == 2:
        return np.matmul(g, b.T)
    if b.ndim == 1:  # (..., n, k) (k,)
        return np.expand_dims(g, -1) * b
    if a.ndim == 1:  # (k,) (..., k, m)
        return np.sum(np.expand_dims(g, -2) * b, axis=(*range(b.ndim - 2), -1))
    return np.matmul(g, _transposed(b))


def _matmul_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == b.ndim == 2:
        return np.matmul(a.T, g)
    if a.ndim == 1:
        return np.expand_dims(a, -1) * np.expand_dims(g, -2) if b.ndim > 1 else a * g
    if b.ndim == 1:
        return np.sum(np.expand_dims(g, -1) * a, axis=tuple(range(a.ndim - 1)))
    if b.ndim == 2:  # one matrix for a whole stack: one product, not one for each
        return np.matmul(np.reshape(a, (-1, a.shape[-1])).T, np.reshape(g, (-1, g.shape[-1])))
    return np.matmul(_transposed(a), g)


define(np.matmul, _matmul_left, _matmul_right)


class _Einsum(Rule):
    """A sum of products by the letters of its axes: the gradient at an operand is one, too."""

    __slots__ = ()
    differentiable = EVERY_POSITION[1:]  # the first one is the letters

    def backward(self, node: Node, g: Any, positions: Sequence[int], recorded: bool) -> list[Any]:
        letters, *operands = node.operands if recorded else node.values
        inputs, output = letters.split("->")
        names = inputs.split(",")
        gradients = []
        for i in positions:
            own, x = names[i - 1], operands[i - 1]
            others = [(name, x) for j, (name, x) in enumerate(zip(names, operands, strict=True)) if j != i - 1]
            # Letters that stand in this operand alone were summed over: the gradient is the same all along them.
            known = set(output).union(*(name for name, _ in others))
            # And where this operand has one entry for several of the others', it was repeated: those are summed.
            met = "".join(letter for letter, side in zip(own, x.shape, strict=True) if letter in known and side != 1)
            left = ",".join([output, *(name for name, _ in others)])
            gradient = np.einsum(f"{left}->{met}", g, *(x for _, x in others))
            sides = iter(gradient.shape)
            shape = [next(sides) if letter in met else 1 for letter in own]
            gradients.append(np.broadcast_to(np.reshape(gradient, shape), x.shape))
        return gradients


def _diagonals(name: str, x: Any) -> tuple[str, Any]:
    """An operand in which each letter stands once: of one that stands twice, the diagonal is taken."""
    for letter in dict.fromkeys(name):
        while name.count(letter) > 1:
            first = name.index(letter)
            second = name.index(letter, first + 1)
            x = np.diagonal(x, 0, first, second)
            name = "".join(one for i, one in enumerate(name) if i not in (first, second)) + letter
    return name, x


_EINSUM = _Einsum(np.einsum, name="einsum")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@implements(np.einsum)
def _einsum(subscripts: str, *operands: Any, out: Any = None, optimize: Any = False, **_: Any) -> Any:
    if not isinstance(subscripts, str):
        raise TypeError("`np.einsum` of tensors takes the form with letters, such as 'ij,jk->ik'.")
    letters = subscripts.replace(" ", "")
    operands = tuple(x if hasattr(x, "shape") else np.asarray(x) for x in operands)
    inputs, output = _explicit(letters, operands).split("->")
    distinct = [_diagonals(*one) for one in zip(inputs.split(","), operands, strict=True)]
    return record(_EINSUM, (f"{','.join(name for name, _ in distinct)}->{output}", *(x for _, x in distinct)), {})


def _explicit(letters: str, operands: Any) -> str:
    """The same letters with the output named, and a letter for each axis that `...` stands for."""
    inputs, arrow, output = letters.partition("->")
    names = inputs.split(",")
    free = [letter for letter in _LETTERS if letter not in letters]
    widest = max((x.ndim - len(n) + 3 for n, x in zip(names, operands, strict=False) if "..." in n), default=0)
    dots = "".join(free[:widest])
    full = [
        n.replace("...", dots[widest - (x.ndim - len(n) + 3) :]) if "..." in n else n
        for n, x in zip(names, operands, strict=False)
    ]
    if not arrow:
        joined = "".join(full)
        output = dots + "".join(sorted(letter for letter in set(joined) - set(dots) if joined.count(letter) == 1))
    return f"{','.join(full)}->{output.replace('...', dots)}"


@implements(np.dot)
def _dot(a: Any, b: Any, out: Any = None) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) <= 2 or np.ndim(a) == 1 == np.ndim(b):
        return np.matmul(a, b)
    return np.tensordot(a, b, axes=([-1], [-2]))


@implements(np.tensordot)
def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    ndim_a, ndim_b = np.ndim(a), np.ndim(b)
    if isinstance(axes, (int, np.integer)):
        axes = list(range(ndim_a - int(axes), ndim_a)), list(range(int(axes)))
    of_a, of_b = ([one] if isinstance(one, (int, np.integer)) else list(one) for one in axes)
    left = list(_LETTERS[:ndim_a])
    right = list(_LETTERS[ndim_a : ndim_a + ndim_b])
    for i, j in zip(of_a, of_b, strict=True):
        right[j] = left[i]
    summed = {left[i] for i in of_a}
    output = [x for x in left if x not in summed] + [x for x in right if x not in summed]
    return np.einsum(f"{''.join(left)},{''.join(right)}->{''.join(output)}", a, b)


@implements(np.inner)
def _inner(a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return np.tensordot(a, b, axes=([-1], [-1]))


@implements(np.cross)
def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    axisa, axisb, axisc = (axis,) * 3 if axis is not None else (axisa, axisb, axisc)
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    a1, a2, a3 = (a[..., i] for i in range(3))
    b1, b2, b3 = (b[..., i] for i in range(3))
    return np.stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1], axis=axisc)


@implements(np.kron)
def _kron(a: Any, b: Any) -> Any:
    ndim = max(np.ndim(a), np.ndim(b))
    a, b = (np.reshape(x, (1,) * (ndim - np.ndim(x)) + tuple(x.shape)) for x in (a, b))
    axes = tuple(range(1, 2 * ndim, 2))
    beside = np.expand_dims(a, axes) * np.expand_dims(b, tuple(i - 1 for i in axes))
    return np.reshape(beside, [n * m for n, m in zip(a.shape, b.shape, strict=True)])


table[np.vdot] = lambda a, b: np.sum(np.ravel(a) * np.ravel(b))
table[np.vecdot] = lambda a, b, axis=-1: np.sum(a * b, axis=axis)
table[np.outer] = lambda a, b, out=None: np.expand_dims(np.ravel(a), 1) * np.ravel(b)

# --- Equations and factorizations: of a matrix, or a stack of them ---

define(np.linalg.inv, lambda g, y, a: -np.matmul(_transposed(y), np.matmul(g, _transposed(y))))


def _solve_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    db = np.linalg.solve(_transposed(a), g)
    if b.ndim == 1:
        return -np.expand_dims(db, -1) * np.expand_dims(y, -2)
    return -np.matmul(db, _transposed(y))


define(np.linalg.solve, _solve_left, lambda g, y, a, b: np.linalg.solve(_transposed(a), g))
define(np.linalg.det, lambda g, y, a: np.reshape(g * y, (*np.shape(y), 1, 1)) * _transposed(np.linalg.inv(a)))

_LOGDET = Rule(
    lambda a: np.linalg.slogdet(a)[1],
    lambda g, y, a: np.reshape(g, (*np.shape(y), 1, 1)) * _transposed(np.linalg.inv(a)),
    name="slogdet",
)


@implements(np.linalg.slogdet)
def _slogdet(a: Any) -> Any:
    return type(np.linalg.slogdet(np.eye(1)))(np.linalg.slogdet(plain(a))[0], record(_LOGDET, (a,), {}))


def _cholesky_backward(g: Any, y: Any, a: Any, **_: Any) -> Any:
    """Murray, "Differentiation of the Cholesky decomposition", 2016, equation 10; symmetric, as a is."""
    inner = np.matmul(_transposed(y), g)
    half = np.tril(inner) * (1 - 0.5 * np.eye(a.shape[-1], dtype=a.dtype))
    turned = _transposed(y)
    outer = np.linalg.solve(turned, _transposed(np.linalg.solve(turned, _transposed(half))))
    return 0.5 * (outer + _transposed(outer))


_CHOLESKY = Rule(np.linalg.cholesky, _cholesky_backward)


def _cholesky(a: Any, /, *, upper: bool = False) -> Any:
    root_of_a = record(_CHOLESKY, (a,), {})
    return _transposed(root_of_a) if upper else root_of_a


table[np.linalg.cholesky] = _cholesky


def _eigh_backward(g: Any, y: Any, a: Any, UPLO: str) -> Any:
    """Giles, "Collected matrix derivative results", 2008, section 3.1; symmetric, as a is."""
    values, vectors = y[..., 0, :], y[..., 1:, :]
    gaps = np.expand_dims(values, -2) - np.expand_dims(values, -1)
    same = plain(gaps) == 0
    turned = np.matmul(_transposed(vectors), g[..., 1:, :]) * np.where(same, 0, 1 / np.where(same, 1, gaps))
    inner = turned + np.expand_dims(g[..., 0, :], -2) * np.eye(a.shape[-1], dtype=a.dtype)
    outer = np.matmul(np.matmul(vectors, inner), _transposed(vectors))
    return 0.5 * (outer + _transposed(outer))


def _packed_eigh(a: Any, UPLO: Any) -> Any:
    values, vectors = np.linalg.eigh(a, UPLO)
    return np.concatenate([values[..., None, :], vectors], axis=-2)


_EIGH = Rule(_packed_eigh, _eigh_backward, name="eigh")  # the values above the vectors, in one array


@implements(np.linalg.eigh)
def _eigh(a: Any, UPLO: str = "L") -> Any:
    both = record(_EIGH, (a, UPLO), {})
    return type(np.linalg.eigh(np.eye(1)))(both[..., 0, :], both[..., 1:, :])


def _singular_values(a: Any) -> Any:
    """The lengths of a's products with the directions that it keeps at right angles."""
    a = _transposed(a) if a.shape[-2] < a.shape[-1] else a
    directions = np.linalg.eigh(np.matmul(_transposed(a), a))[1]
    return np.flip(root(np.sum(np.square(np.matmul(a, directions)), axis=-2)), -1)


def _svd_parts(y: Any, rows: int) -> tuple[Any, Any, Any]:
    """u, the singular values as one row, and v, of what `_packed_svd` gives."""
    return y[..., :rows, :], y[..., rows : rows + 1, :], y[..., rows + 1 :, :]


def _packed_svd(a: Any) -> Any:
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([u, s[..., None, :], _transposed(vt)], axis=-2)


def _svd_backward(g: Any, y: Any, a: Any) -> Any:
    """Townsend, "Differentiating the singular value decomposition", 2016; for values of which no two are the same."""
    rows = a.shape[-2]
    (u, s, v), (gu, gs, gv) = _svd_parts(y, rows), _svd_parts(g, rows)
    eye = np.eye(s.shape[-1], dtype=a.dtype)
    gaps = np.square(s) - np.square(_transposed(s)) + eye

    def turning(x: Any, gx: Any) -> Any:
        turned = np.matmul(_transposed(x), gx)
        return (1 - eye) / gaps * (turned - _transposed(turned))

    def outside(x: Any, gx: Any) -> Any:
        return (gx - np.matmul(x, np.matmul(_transposed(x), gx))) / s

    inner = turning(u, gu) * s + _transposed(s) * turning(v, gv) + gs * eye
    whole = np.matmul(np.matmul(u, inner), _transposed(v))
    return whole + np.matmul(outside(u, gu), _transposed(v)) + np.matmul(u, _transposed(outside(v, gv)))


_SVD = Rule(_packed_svd, _svd_backward, name="svd")


@implements(np.linalg.svd)
def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    if not compute_uv:
        return _singular_values(a)
    if full_matrices and a.shape[-2] != a.shape[-1]:
        raise TypeError(
            "`svd` of a tensor has a derivative with `full_matrices=False` alone: the further columns could be any."
        )
    u, s, v = _svd_parts(record(_SVD, (a,), {}), a.shape[-2])
    return type(np.linalg.svd(np.eye(1)))(u, s[..., 0, :], _transposed(v))


def _packed_qr(a: Any) -> Any:
    return np.concatenate(np.linalg.qr(a), axis=-2)


def _qr_backward(g: Any, y: Any, a: Any) -> Any:
    """Walter and Lehmann, "Algorithmic differentiation of linear algebra functions", 2012, for independent columns."""
    rows = a.shape[-2]
    q, r, gq, gr = y[..., :rows, :], y[..., rows:, :], g[..., :rows, :], g[..., rows:, :]
    inner = np.matmul(r, _transposed(np.triu(gr))) - np.matmul(_transposed(gq), q)
    symmetric = np.tril(inner) + _transposed(np.tril(inner, -1))
    return _transposed(np.linalg.solve(r, _transposed(gq + np.matmul(q, symmetric))))


_QR = Rule(_packed_qr, _qr_backward, name="qr")  # q above r


@implements(np.linalg.qr)
def _qr(a: Any, mode: str = "reduced") -> Any:
    rows, columns = a.shape[-2:]
    if rows < columns or not (mode == "reduced" or (mode == "complete" and rows == columns)):
        raise TypeError(
            f"`qr` of a tensor has a derivative where there are as many rows as columns, or more, and with "
            f"`mode='reduced'`. Received: shape {a.shape}, mode={mode!r}."
        )
    both = record(_QR, (a,), {})
    return type(np.linalg.qr(np.eye(1)))(both[..., :rows, :], both[..., rows:, :])


@implements(np.linalg.pinv)
def _pinv(a: Any, rcond: Any = None, hermitian: bool = False, **_: Any) -> Any:
    """Of a matrix whose rows or columns do not depend on each other."""
    if np.any(np.linalg.matrix_rank(plain(a)) < min(a.shape[-2:])):
        raise np.linalg.LinAlgError(
            "`np.linalg.pinv` of a tensor is that of a matrix of full rank: where rows or columns depend on each other "
            f"it has no derivative.{users_line()}"
        )
    turned = _transposed(a)
    if a.shape[-2] < a.shape[-1]:
        return _transposed(_pinv(turned))
    return np.linalg.solve(np.matmul(turned, a), turned)


@implements(np.linalg.lstsq)
def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    return np.matmul(np.linalg.pinv(a), b), *np.linalg.lstsq(plain(a), plain(b), rcond)[1:]


table[np.linalg.eigvalsh] = lambda a, UPLO="L": _eigh(a, UPLO)[0]
table[np.linalg.svdvals] = lambda x, /: _singular_values(x)


@implements(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Of vectors and matrices; at 0, where the root has no derivative, it is 0."""
    axis = tuple(axis) if isinstance(axis, list) else axis
    pair = (0, 1) if axis is None and np.ndim(x) == 2 else axis
    if ord not in (None, "fro") and isinstance(pair, tuple) and len(pair) == 2:
        return _matrix_norm(x, ord, pair, keepdims)
    if ord in (None, 2, "fro"):
        return root(np.sum(np.square(x), axis=axis, keepdims=keepdims))
    size = np.absolute(x)
    if ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    if ord == 0:  # how many are not 0: a constant
        return np.sum(plain(x) != 0, axis=axis, keepdims=keepdims).astype(x.dtype)
    total = np.sum(np.power(size, ord), axis=axis, keepdims=keepdims)
    none = plain(total) == 0
    return np.where(none, 0, np.power(np.where(none, 1, total), 1.0 / ord))


def _matrix_norm(x: Any, ord: Any, pair: tuple[int, int], keepdims: bool) -> Any:
    x = np.moveaxis(x, pair, (-2, -1))
    if ord in (1, -1, np.inf, -np.inf):  # the largest, or smallest, sum of a column, or row
        sums = np.sum(np.absolute(x), axis=-2 if abs(ord) == 1 else -1)
        norm = np.max(sums, axis=-1) if ord > 0 else np.min(sums, axis=-1)
    elif ord in ("nuc", 2, -2):
        values = np.linalg.svd(x, compute_uv=False)
        norm = np.sum(values, axis=-1) if ord == "nuc" else values[..., 0 if ord == 2 else -1]
    else:
        raise ValueError(f"Invalid norm order for matrices: {ord!r}.")
    if not keepdims:
        return norm
    return np.expand_dims(norm, tuple(i % x.ndim for i in pair))


@implements(np.linalg.vector_norm)
def _vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of all numbers along the axes, which are put behind the others, in one."""
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    behind = np.moveaxis(x, axes, tuple(range(-len(axes), 0)))
    norm = _norm(np.reshape(behind, (*behind.shape[: x.ndim - len(axes)], -1)), ord, -1)
    return np.expand_dims(norm, tuple(i % x.ndim for i in axes)) if keepdims else norm


table[np.linalg.multi_dot] = lambda arrays, *, out=None: functools.reduce(np.matmul, arrays)
table[np.linalg.matrix_norm] = lambda x, /, *, keepdims=False, ord="fro": _norm(x, ord, (-2, -1), keepdims)
table[np.linalg.matmul] = np.matmul
table[np.linalg.outer] = lambda x1, x2, /: np.outer(x1, x2)
table[np.linalg.cross] = lambda x1, x2, /, *, axis=-1: _cross(x1, x2, axis=axis)
table[np.linalg.vecdot] = lambda x1, x2, /, *, axis=-1: np.sum(x1 * x2, axis=axis)
table[np.linalg.tensordot] = lambda x1, x2, /, *, axes=2: _tensordot(x1, x2, axes)


@implements(np.linalg.matrix_power)
def _matrix_power(a: Any, n: int) -> Any:
    if n == 0:
        return np.linalg.matrix_power(plain(a), 0)
    product = functools.reduce(np.matmul, [a] * abs(n))
    return product if n > 0 else np.linalg.inv(product)
