"""Sequences of different lengths, as rows of one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer._checks.scalars import whole_number
from multilayer.functional import Array


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> Array:
    """Sequences as rows of one array: short ones are filled up, long ones are cut off.

    `Embedding(..., mask_zero=True)` and `Masking` leave out the steps that were filled up.

    Args:
        sequences: n sequences, each of numbers, or of rows of one shape, such as the features of a step.
        maxlen: Length of the rows; by default that of the longest sequence.
        dtype: Type of the array.
        padding: "pre" fills up before a sequence, "post" behind it.
        truncating: "pre" cuts off the beginning of a sequence, "post" its end.
        value: What fills up.

    Returns:
        A new array, shape (n, maxlen, ...).

    Raises:
        ValueError: One of `sequences` is none or has rows of another shape, or an argument is none of these.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        array([[0, 1],
               [2, 3],
               [5, 6]], dtype=int32)
    """
    for name, where in (("padding", padding), ("truncating", truncating)):
        if where not in ("pre", "post"):
            raise ValueError(f"`{name}` must be 'pre' or 'post'. Received: {name}={where!r}")
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    for i, one in enumerate(sequences):
        if not hasattr(one, "__len__"):
            raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {one} at position {i}.")
    longest = max(map(len, sequences), default=0)
    length = longest if maxlen is None else whole_number("maxlen", maxlen, least=1)
    shape = next((np.shape(one)[1:] for one in sequences if len(one)), ())
    rows: Array = np.full((len(sequences), length, *shape), value, dtype)
    for i, one in enumerate(sequences):
        kept = one[max(len(one) - length, 0) :] if truncating == "pre" else one[:length]
        if not len(kept):
            continue
        steps = np.asarray(kept, dtype)
        if steps.shape[1:] != shape:
            raise ValueError(
                f"Shape of sample {steps.shape[1:]} of sequence at position {i} is different from expected shape "
                f"{shape}, which the first sequence has."
            )
        start = length - len(steps) if padding == "pre" else 0
        rows[i, start : start + len(steps)] = steps
    return rows
