"""Whole numbers that stand for categories, as rows of zeros and ones: what all layers for words and bins share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

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
    """Rows of `depth` numbers: a 1 for each that is there ('one_hot', 'multi_hot'), or how often it is ('count');
    with 'int', the numbers themselves.

    Numbers out of range stand for nothing, and leave no mark.

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
