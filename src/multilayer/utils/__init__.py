"""Small helpers: Keras' under Keras' names, the check of derivatives written by hand, and advice on speed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from multilayer.functional import Array, one_hot
from multilayer.gradients import check_gradients
from multilayer.naming import reset_names as clear_session
from multilayer.random import set_random_seed

__all__ = ["advice", "check_gradients", "clear_session", "set_random_seed", "to_categorical"]


def advice() -> list[str]:
    """What slows this machine down and how to mend it, in whole sentences; nothing where all is well.

    See `machine.advice`. The command line prints it where it computes; MULTILAYER_ADVICE=0 keeps it quiet.

    Example:
        >>> for sentence in advice():
        ...     print(sentence)  # doctest: +SKIP
    """
    from multilayer import machine  # what it asks for takes a while to import

    return machine.advice()


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> Array:
    """Labels as one-hot rows.

    Args:
        x: Whole-number labels from 0, shape (n,) or (n, 1) or more axes.
        num_classes: Length of a row; by default the largest label and 1.

    Returns:
        Zeros and ones, float64 as in Keras, shape (n, num_classes).

    Raises:
        ValueError: A label is negative, no whole number, or too large.

    Example:
        >>> to_categorical([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    given = np.asarray(x)
    labels = given.astype(np.int64)
    if not np.array_equal(labels, given):
        raise ValueError("`to_categorical` expects whole-number labels.")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if num_classes is None:
        num_classes = int(labels.max()) + 1 if labels.size else 0
    return one_hot(labels, num_classes)
