"""Operations of linear algebra: equations and factorizations; of matrices and stacks of them.

What has no derivative here says so where it is asked of what a tape records: `eig`, `lu_factor` and `matrix_rank` are
of constants. `pinv` and `lstsq` are differentiated where rows or columns are independent; `svd` with
`full_matrices=False`, where no two singular values are the same; `qr` of no fewer rows than columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer._core.tape import call, plain
from multilayer._core.tape.elementwise import root
from multilayer.ops.derivatives import jvp as jvp
from multilayer.ops.operands import axes_of, dtype_of, floats, operation, real_together

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "logdet",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
]

# --- Equations ---


@operation
def inv(x: Any) -> Any:
    """The inverse matrix."""
    return np.linalg.inv(floats(x))


@operation
def solve(a: Any, b: Any) -> Any:
    """The x with a x = b, b a vector or a matrix for each matrix a.

    Example:
        >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).tolist()
        [1.0, 0.5]
    """
    a, b = real_together(a, b)
    if b.ndim == a.ndim - 1 > 1:
        return np.squeeze(np.linalg.solve(a, np.expand_dims(b, -1)), axis=-1)
    return np.linalg.solve(a, b)


@operation
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """`solve` with what is on and above the diagonal of a, or on and below it."""
    a = floats(a)
    return solve(np.tril(a) if lower else np.triu(a), b)


@operation
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """The x for which |a x - b| is smallest."""
    return np.linalg.lstsq(*real_together(a, b), rcond=rcond)[0]


@operation
def det(x: Any) -> Any:
    """The determinant."""
    return np.linalg.det(floats(x))


@operation
def slogdet(x: Any) -> Any:
    """The determinant's sign, and the logarithm of its absolute value."""
    return tuple(np.linalg.slogdet(floats(x)))


@operation
def logdet(x: Any) -> Any:
    """The logarithm of the determinant of a positive definite matrix."""
    return np.linalg.slogdet(floats(x))[1]


@operation
def pinv(x: Any, rcond: float | None = None) -> Any:
    """The pseudoinverse of Moore and Penrose."""
    return np.linalg.pinv(floats(x), rcond)


@operation
def matrix_rank(x: Any, tol: Any = None) -> Any:
    """How many rows are independent; of constants."""
    return np.asarray(np.linalg.matrix_rank(plain(floats(x)), tol)).astype(np.int32)


@operation
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors or matrices.

    Args:
        x: Numbers.
        ord: Of vectors p, for (sum |x|^p)^(1/p), also infinite ones; of matrices 'fro', 'nuc', 1, 2, -1, -2, inf
            or -inf, as NumPy's; by default the root of the sum of squares.
        axis: One axis of vectors, or two of matrices; by default all together.
        keepdims: Whether the axes stay, of length 1.

    Example:
        >>> norm([3.0, 4.0])
        np.float32(5.0)
    """
    x = floats(x)
    axis = axes_of(axis)
    if ord is None and axis is None:
        y = root(np.sum(np.square(x)))
        return np.reshape(y, (1,) * x.ndim) if keepdims else y
    return np.linalg.norm(x, ord=ord, axis=axis, keepdims=keepdims)


# --- Factorizations ---


@operation
def cholesky(x: Any, upper: bool = False) -> Any:
    """The lower triangular L with x = L L^T; with `upper`, its transpose."""
    lower = np.linalg.cholesky(floats(x))
    return np.swapaxes(lower, -1, -2) if upper else lower


@operation
def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """The inverse of the matrix whose Cholesky factor x is."""
    x = floats(x)
    turned = np.swapaxes(x, -1, -2)
    return np.linalg.inv(np.matmul(turned, x) if upper else np.matmul(x, turned))


@operation
def eigh(x: Any) -> Any:
    """The eigenvalues of a symmetric matrix in ascending order, and the eigenvectors in the columns of a matrix."""
    return tuple(np.linalg.eigh(floats(x)))


@operation
def eig(x: Any) -> Any:
    """The eigenvalues of a matrix, and the eigenvectors in the columns of another, complex numbers; of constants."""
    x = floats(x)
    values, vectors = np.linalg.eig(x)
    dtype = np.result_type(dtype_of(x), np.complex64)
    return values.astype(dtype), vectors.astype(dtype)


@operation
def qr(x: Any, mode: str = "reduced") -> Any:
    """An orthogonal q and an upper triangular r with x = q r, 'reduced' or 'complete'."""
    return tuple(np.linalg.qr(floats(x), mode=mode))  # type: ignore[call-overload]


@operation
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """u, s and v with x = u diag(s) v, or s alone."""
    found: Any = np.linalg.svd(floats(x), full_matrices, compute_uv)  # type: ignore[call-overload]
    return tuple(found) if compute_uv else found


@operation
def lu_factor(x: Any) -> Any:
    """L and U in one matrix, without the ones on L's diagonal, and with which row each was exchanged; of constants."""
    return call(_lu_factor, (floats(x),), {})


def _lu_factor(x: Any) -> Any:
    """Gauss' elimination, the largest of each column as its pivot."""
    lu = np.array(x)
    sides = lu.shape[:-2]
    pivots = np.empty((*sides, min(lu.shape[-2:])), np.int32)
    for place in np.ndindex(*sides):
        matrix, row_of = lu[place], pivots[place]
        for k in range(len(row_of)):
            row_of[k] = pivot = k + int(np.argmax(np.abs(matrix[k:, k])))
            matrix[[k, pivot]] = matrix[[pivot, k]]
            if matrix[k, k] != 0:
                matrix[k + 1 :, k] /= matrix[k, k]
                matrix[k + 1 :, k + 1 :] -= np.outer(matrix[k + 1 :, k], matrix[k, k + 1 :])
    return lu, pivots
