"""Whole numbers that stand for categories, as rows of zeros and ones: what all layers for words and bins share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer._checks.scalars import is_whole
from multilayer._core.hashes import fingerprint64, siphash64
from multilayer.functional import Array
from multilayer.layers.base import Shape


def require_mode(layer: Any, argument: str, given: Any, modes: Sequence[str]) -> Any:
    """What was given, where it is one of these; raises ValueError for anything else, in Keras' words."""
    if not isinstance(given, str) or given not in modes:
        raise ValueError(
            f"Unknown value for `{argument}` argument of {type(layer).__name__}. Allowed values are: {tuple(modes)}. "
            f"Received: {argument}={str(given)[:100]}"
        )
    return given


def float_dtype(dtype: Any) -> Any:
    """The type that a layer is told, where it is one of floats; Keras 2 tells some what they give or take instead."""
    return None if dtype in ("string", "int32", "int64") else dtype


def require_dense(given: Any) -> None:
    """Raises ValueError where a sparse output is asked for."""
    if given:
        raise ValueError("`sparse=True` is out of scope: arrays are dense here.")


def encoded_shape(input_shape: Shape, mode: str, depth: int | None) -> Shape:
    """The shape of `encoded` for numbers of this shape."""
    if mode == "int":
        return tuple(input_shape)
    if mode == "one_hot":
        inner = input_shape[:-1] if len(input_shape) > 1 and input_shape[-1] == 1 else input_shape
        return (*inner, depth)
    return (*input_shape[:-1], depth)


def encoded(numbers: Array, mode: str, depth: int, dtype: Any) -> Array:
    """Rows of `depth` numbers: a 1 for each that is there ('one_hot', 'multi_hot'), or how often it is ('count').

    Numbers out of range stand for nothing, and leave no mark. With 'int' it is the numbers themselves.

    Example:
        >>> encoded(np.array([[0, 2, 2]]), "count", 3, "float32")
        array([[1., 0., 2.]], dtype=float32)
    """
    if mode == "int":
        return numbers.astype(dtype, copy=False)
    numbers = np.atleast_1d(numbers)
    if mode == "one_hot":
        numbers = numbers[..., 0] if numbers.ndim > 1 and numbers.shape[-1] == 1 else numbers
        numbers = numbers[..., None]  # each is a sample of its own
    samples = numbers.reshape(-1, numbers.shape[-1])  # (rows, numbers of a sample)
    rows, columns = np.nonzero((samples >= 0) & (samples < depth))
    places = rows * depth + samples[rows, columns]
    y = np.zeros(len(samples) * depth, dtype)
    if mode == "count":
        y += np.bincount(places, minlength=y.size)
    else:
        y[places] = 1
    return y.reshape(*numbers.shape[:-1], depth)


def checked_salt(layer: str, salt: Any) -> list[int] | None:
    """The two numbers of a salt; raises ValueError where it is none."""
    if salt is None:
        return None
    pair = list(salt) if isinstance(salt, (tuple, list)) and len(salt) == 2 else [salt, salt]
    if not all(map(is_whole, pair)):
        raise ValueError(
            f"The `salt` argument for `{layer}` can only be a tuple of size 2 integers, or a single integer. "
            f"Received: salt={str(salt)[:100]}."
        )
    return [int(one) for one in pair]


def bins_of(texts: list[bytes], bins: int, salt: Sequence[int] | None) -> Array:
    """The bin of each text, by its hash; each text is hashed once, however often it is there."""
    known = list(dict.fromkeys(texts))
    hashes = fingerprint64(known) if salt is None else siphash64(known, salt)
    found: Array = (hashes % np.uint64(bins)).astype(np.int64)
    if len(known) == len(texts):
        return found
    table = dict(zip(known, found.tolist(), strict=True))
    return np.fromiter(map(table.__getitem__, texts), np.int64, len(texts))
