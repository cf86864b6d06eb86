"""Derivatives of products, factorizations and solutions of linear equations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer._core.tape.elementwise import define, root
from multilayer._core.tape.tensor import Node, Rule, plain, record, table


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

    def differentiable(self, position: int) -> bool:
        return position > 0

    def backward(self, node: Node, g: Any, positions: Sequence[int], recorded: bool) -> list[Any]:
        letters, *operands = node.args if recorded else node.values
        inputs, output = letters.split("->")
        names = inputs.split(",")
        gradients = []
        for i in positions:
            others = [(name, x) for j, (name, x) in enumerate(zip(names, operands, strict=True)) if j != i - 1]
            own = names[i - 1]
            distinct = "".join(dict.fromkeys(own))
            # Letters that stand in this operand alone were summed over: the gradient is the same all along them.
            known = set(output).union(*(name for name, _ in others))
            met = "".join(letter for letter in distinct if letter in known)
            left = ",".join([output, *(name for name, _ in others)])
            gradient = np.einsum(f"{left}->{met}", g, *(x for _, x in others))
            x = operands[i - 1]
            sides = {letter: x.shape[k] for k, letter in enumerate(own)}
            shape = [sides[letter] if letter in met else 1 for letter in distinct]
            gradient = np.broadcast_to(np.reshape(gradient, shape), [sides[letter] for letter in distinct])
            if len(distinct) != len(own):  # a diagonal was taken
                mask = np.einsum(f"{own}->{own}", np.ones(x.shape, x.dtype)) * _diagonal_mask(own, sides, x.dtype)
                gradient = np.reshape(gradient, _repeated(own, sides)) * mask
            gradients.append(gradient)
        return gradients


def _repeated(own: str, sides: dict[str, int]) -> list[int]:
    """The shape in which each letter's first place has its side, and further ones 1."""
    return [sides[letter] if own.index(letter) == k else 1 for k, letter in enumerate(own)]


def _diagonal_mask(own: str, sides: dict[str, int], dtype: Any) -> Any:
    mask: Any = np.ones((), dtype)
    for k, letter in enumerate(own):
        first = own.index(letter)
        if first != k:
            shape = [sides[letter] if i in (first, k) else 1 for i in range(len(own))]
            mask = mask * np.reshape(np.eye(sides[letter], dtype=dtype), shape)
    return mask


_EINSUM = _Einsum(np.einsum, name="einsum")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _einsum(subscripts: str, *operands: Any, out: Any = None, optimize: Any = False, **_: Any) -> Any:
    if not isinstance(subscripts, str):
        raise TypeError("`np.einsum` of tensors takes the form with letters, such as 'ij,jk->ik'.")
    letters = subscripts.replace(" ", "")
    operands = tuple(x if hasattr(x, "shape") else np.asarray(x) for x in operands)
    return record(_EINSUM, (_explicit(letters, operands), *operands), {})


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


table[np.einsum] = _einsum


def _dot(a: Any, b: Any, out: Any = None) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) <= 2 or np.ndim(a) == 1 == np.ndim(b):
        return np.matmul(a, b)
    return np.tensordot(a, b, axes=([-1], [-2]))


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


def _inner(a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return np.tensordot(a, b, axes=([-1], [-1]))


def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    axisa, axisb, axisc = (axis,) * 3 if axis is not None else (axisa, axisb, axisc)
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    a1, a2, a3 = (a[..., i] for i in range(3))
    b1, b2, b3 = (b[..., i] for i in range(3))
    return np.stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1], axis=axisc)


def _kron(a: Any, b: Any) -> Any:
    ndim = max(np.ndim(a), np.ndim(b))
    a, b = (np.reshape(x, (1,) * (ndim - np.ndim(x)) + tuple(x.shape)) for x in (a, b))
    beside = np.reshape(a, [n for side in a.shape for n in (side, 1)]) * np.reshape(
        b, [n for side in b.shape for n in (1, side)]
    )
    return np.reshape(beside, [n * m for n, m in zip(a.shape, b.shape, strict=True)])


table[np.dot] = _dot
table[np.tensordot] = _tensordot
table[np.inner] = _inner
table[np.vdot] = lambda a, b: np.sum(np.ravel(a) * np.ravel(b))
table[np.vecdot] = lambda a, b, axis=-1: np.sum(a * b, axis=axis)
table[np.outer] = lambda a, b, out=None: np.expand_dims(np.ravel(a), 1) * np.ravel(b)
table[np.cross] = _cross
table[np.kron] = _kron

# --- Equations and factorizations: of a matrix, or a stack of them ---

define(np.linalg.inv, lambda g, y, a: -np.matmul(_transposed(y), np.matmul(g, _transposed(y))))


def _solve_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    db = _solved(_transposed(a), g)
    if b.ndim == 1:
        return -np.expand_dims(db, -1) * np.expand_dims(y, -2)
    return -np.matmul(db, _transposed(y))


def _solved(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b)


define(np.linalg.solve, _solve_left, lambda g, y, a, b: _solved(_transposed(a), g))
define(np.linalg.det, lambda g, y, a: np.reshape(g * y, (*np.shape(y), 1, 1)) * _transposed(np.linalg.inv(a)))

_LOGDET = Rule(
    lambda a: np.linalg.slogdet(a)[1],
    lambda g, y, a: np.reshape(g, (*np.shape(y), 1, 1)) * _transposed(np.linalg.inv(a)),
    name="slogdet",
)


def _slogdet(a: Any) -> Any:
    return type(np.linalg.slogdet(np.eye(1)))(np.linalg.slogdet(plain(a))[0], record(_LOGDET, (a,), {}))


table[np.linalg.slogdet] = _slogdet


def _cholesky_backward(g: Any, y: Any, a: Any, **_: Any) -> Any:
    """Murray, "Differentiation of the Cholesky decomposition", 2016, equation 10; symmetric, as a is."""
    inner = np.matmul(_transposed(y), g)
    half = np.tril(inner) * (1 - 0.5 * np.eye(a.shape[-1], dtype=a.dtype))
    turned = _transposed(y)
    outer = np.linalg.solve(turned, _transposed(np.linalg.solve(turned, _transposed(half))))
    return 0.5 * (outer + _transposed(outer))


define(np.linalg.cholesky, _cholesky_backward)


def _eigh_backward(g: Any, y: Any, a: Any) -> Any:
    _, vectors = np.linalg.eigh(plain(a))
    return np.matmul(vectors * np.expand_dims(g, -2), _transposed(vectors))


table[np.linalg.eigvalsh] = lambda a, UPLO="L": record(_EIGVALSH, (a,), {})
_EIGVALSH = Rule(np.linalg.eigvalsh, _eigh_backward)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Of vectors, and of matrices as vectors; at 0, where the root has no derivative, it is 0."""
    if axis is None and ord is not None and np.ndim(x) == 2 and ord != "fro":
        raise TypeError(f"`np.linalg.norm` of a tensor with ord={ord!r} is there for vectors: say which `axis`.")
    if isinstance(axis, (tuple, list)) and len(axis) == 2 and ord not in (None, "fro"):
        raise TypeError(f"`np.linalg.norm` of a tensor with ord={ord!r} is there for vectors: give one `axis`.")
    axis = tuple(axis) if isinstance(axis, list) else axis
    if ord in (None, 2, "fro"):
        return root(np.sum(np.square(x), axis=axis, keepdims=keepdims))
    size = np.absolute(x)
    if ord == np.inf:
        return np.max(size, axis=axis, keepdims=keepdims)
    if ord == -np.inf:
        return np.min(size, axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    return np.power(np.sum(np.power(size, ord), axis=axis, keepdims=keepdims), 1.0 / ord)


table[np.linalg.norm] = _norm
table[np.linalg.vector_norm] = lambda x, *, axis=None, keepdims=False, ord=2: _norm(x, ord, axis, keepdims)
table[np.linalg.multi_dot] = lambda arrays, *, out=None: _chain_of_products(arrays)
table[np.linalg.matrix_power] = lambda a, n: (
    _chain_of_products([a] * n) if n > 0 else np.linalg.inv(_chain_of_products([a] * -n))
)


def _chain_of_products(arrays: Any) -> Any:
    result = arrays[0]
    for one in arrays[1:]:
        result = np.matmul(result, one)
    return result
