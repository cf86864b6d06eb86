"""What is done to data on its way in: rows gathered, rescaled, dropped at random."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from multilayer.functional.arrays import Array


def take_rows(source: Array, rows: Array, out: Array, work: Array | None = None) -> Array:
    """Gathers rows into `out`, whose type they take on: out_i = source_rows_i.

    Args:
        source: Samples, shape (n, ...).
        rows: Whole numbers in [0, n), shape (m,).
        out: Where to write, shape (m, ...).
        work: Where to gather before converting, of out's shape and source's type; made where it is missed.

    Example:
        >>> take_rows(np.array([[1], [2], [3]], dtype="uint8"), np.array([2, 0]), np.empty((2, 1)))
        array([[3.],
               [1.]])
    """
    if source.dtype == out.dtype:
        return source.take(rows, axis=0, out=out, mode="clip")  # 'raise' would gather into a copy first
    # Also into a smaller type, as NumPy's int64 into the uint8 of an input: it is what `predict` does with all at once.
    np.copyto(out, source.take(rows, axis=0, out=work, mode="clip"), casting="unsafe")
    return out


def begin_rows(source: Array, rows: Array, out: Array, work: Array | None = None) -> Callable[[], Array]:
    """`take_rows` as a promise: a function that returns `out`, filled. Until then neither array may be changed.

    A native kernel fills it in the background meanwhile; here it is done when it is asked for.

    Example:
        >>> gathered = begin_rows(np.array([1.0, 2.0, 3.0]), np.array([2, 0]), np.empty(2))
        >>> gathered()
        array([3., 1.])
    """
    return functools.partial(take_rows, source, rows, out, work)


def all_finite(x: Array) -> bool:
    """Whether no number is infinite or NaN.

    Args:
        x: Numbers, shape (n, ...).

    Example:
        >>> all_finite(np.array([0.0, 1.0])), all_finite(np.array([0.0, np.nan]))
        (True, False)
    """
    pieces = (x[start : start + 4096] for start in range(0, len(x), 4096))  # their answers take memory, too
    return all(bool(np.isfinite(piece).all()) for piece in pieces)


def rescale(x: Array, scale: float, offset: float, out: Array | None = None) -> Array:
    """Scales and shifts: y = x scale + offset."""
    y = np.multiply(x, scale, out=out)
    y += offset
    return y


def philox(key: int, counter: int, blocks: int, upper: int = 0) -> NDArray[np.uint32]:
    """Random words from a counter: Philox4x32 with 10 rounds, which has no state but the number of the block.

    Whoever knows the key and the number gets the same words, in any order, on any machine.

    Args:
        key: The stream, 64 bits.
        counter: Number of the first block, 64 bits.
        blocks: Number of blocks.
        upper: The upper half of the blocks' numbers, which have 128 bits: a second key.

    Returns:
        Uniform 32-bit words, shape (blocks, 4).

    Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.

    Example:
        >>> [hex(word) for word in philox(0, 0, 1)[0]]
        ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    low = np.uint64(0xFFFFFFFF)
    number = np.arange(blocks, dtype=np.uint64) + np.uint64(counter)
    a, b = number & low, number >> np.uint64(32)
    c, d = np.full_like(a, upper & 0xFFFFFFFF), np.full_like(a, upper >> 32)
    for i in range(10):
        k0, k1 = ((key + i * 0x9E3779B9) & 0xFFFFFFFF), (((key >> 32) + i * 0xBB67AE85) & 0xFFFFFFFF)
        p, q = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)  # the full 64 bits of 32 times 32
        a, b, c, d = (
            (q >> np.uint64(32)) ^ b ^ np.uint64(k0),
            q & low,
            (p >> np.uint64(32)) ^ d ^ np.uint64(k1),
            p & low,
        )
    return np.stack((a, b, c, d), axis=-1).astype(np.uint32)


# Dropout takes its words from 16 blocks at a time, the first words of all before the second ones: vectors want it so.
DROPOUT_BLOCKS, DROPOUT_WORDS = 16, 64


def dropout(x: Array, rate: float, key: int, counter: int, out: Array, mask: Array) -> tuple[Array, Array]:
    """Dropout: y = x mask, where the mask is 0 with probability `rate` and 1 / (1 - rate) otherwise.

    Args:
        x: Inputs, any shape.
        rate: Share to drop, in [0, 1).
        key: The random stream, see `philox`.
        counter: Number of its first block; 16 blocks serve 64 elements.
        out: Where to write y, of x's shape.
        mask: Where to write the mask, of x's shape.

    Returns:
        y and the mask.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.

    Example:
        >>> x = np.ones((2, 4))
        >>> y, mask = dropout(x, 0.5, key=7, counter=0, out=np.empty_like(x), mask=np.empty_like(x))
        >>> y
        array([[2., 0., 0., 0.],
               [0., 0., 2., 0.]])
    """
    groups = -(-x.size // DROPOUT_WORDS)
    words = philox(key, counter, groups * DROPOUT_BLOCKS).reshape(groups, DROPOUT_BLOCKS, 4)
    words = words.transpose(0, 2, 1).reshape(-1)[: x.size].reshape(x.shape)
    np.greater_equal(words, np.uint32(rate * 2.0**32), out=mask)
    mask *= 1.0 / (1.0 - rate)
    return np.multiply(x, mask, out=out), mask
