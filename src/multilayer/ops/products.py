"""Operations that add up products: of vectors, matrices, and stacks of both."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer.ops.operands import as_type, dtype_of, floats, operand, operation, result_type, together

__all__ = [
    "corrcoef",
    "cross",
    "dot",
    "einsum",
    "inner",
    "kron",
    "matmul",
    "outer",
    "tensordot",
    "vdot",
]


@operation
def matmul(x1: Any, x2: Any) -> Any:
    """The product of matrices, or of stacks of them.

    Example:
        >>> matmul([[1, 2]], [[3], [4]]).tolist()
        [[11]]
    """
    return np.matmul(*together(x1, x2))


@operation
def dot(x1: Any, x2: Any) -> Any:
    """The sum of products over the last axis of x1 and the last but one of x2."""
    return np.dot(*together(x1, x2))


@operation
def inner(x1: Any, x2: Any) -> Any:
    """The sum of products over the last axes."""
    return np.inner(*together(x1, x2))


@operation
def outer(x1: Any, x2: Any) -> Any:
    """All products of a number of x1 and one of x2, each taken in a row."""
    return np.outer(*together(x1, x2))


@operation
def vdot(x1: Any, x2: Any) -> Any:
    """The sum of products of all numbers, each taken in a row."""
    return np.vdot(*together(x1, x2))


@operation
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """The sum of products over axes: the last ones of x1 and the first ones of x2, or those of two lists."""
    return np.tensordot(*together(x1, x2), axes=axes)


@operation
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """A sum of products by the letters of its axes.

    Example:
        >>> einsum("ij,jk->ik", [[1, 2]], [[3], [4]]).tolist()
        [[11]]
    """
    given = [operand(one) for one in operands]
    dtype = result_type(*map(dtype_of, given))
    return np.einsum(subscripts, *(as_type(one, dtype) for one in given), **kwargs)


@operation
def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The vector at right angles to two vectors, as long as the area between them."""
    return np.cross(*together(x1, x2), axisa, axisb, axisc, axis)


@operation
def kron(x1: Any, x2: Any) -> Any:
    """The Kronecker product: x2 times each number of x1, in its place."""
    return np.kron(*together(x1, x2))


@operation
def corrcoef(x: Any) -> Any:
    """The correlations between the rows of a matrix."""
    x = floats(x)
    x = np.reshape(x, (1, -1)) if x.ndim < 2 else x
    centred = x - np.mean(x, axis=1, keepdims=True)
    scaled = centred / np.sqrt(np.sum(np.square(centred), axis=1, keepdims=True))
    correlations = np.matmul(scaled, np.transpose(scaled))
    return np.reshape(correlations, ()) if correlations.size == 1 else correlations
