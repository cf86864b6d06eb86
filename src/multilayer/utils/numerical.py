"""Arrays made ready for training."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.arguments import numbers
from multilayer._checks.arrays import as_numbers
from multilayer._checks.scalars import real_number, whole_number
from multilayer._checks.tables import as_array
from multilayer.functional import Array, one_hot


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
    given = np.asarray(as_array(x))
    try:
        labels = given.astype(np.int64)
    except (TypeError, ValueError):
        as_numbers(given, "x")  # says what it is, and how it becomes numbers
        raise
    if given.dtype.kind not in "US" and not np.array_equal(labels, given):
        raise ValueError("`to_categorical` expects whole-number labels.")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if num_classes is None:
        num_classes = int(labels.max()) + 1 if labels.size else 0
    else:
        num_classes = whole_number("num_classes", num_classes, 0)
    return one_hot(labels, num_classes)


def normalize(x: ArrayLike, axis: int = -1, order: float = 2) -> Array:
    """Vectors of length 1: x / ||x|| along an axis; vectors of zeros stay as they are.

    Args:
        x: Numbers of any shape.
        axis: The axis along which a vector lies.
        order: Which norm: 2 is the Euclidean one, 1 the sum of magnitudes, `numpy.inf` the largest magnitude.

    Returns:
        A new array of the same shape: of the type of x where that is a float type, else float64.

    Raises:
        ValueError: There is no such axis.

    Example:
        >>> normalize([[3.0, 4.0], [0.0, 0.0]])
        array([[0.6, 0.8],
               [0. , 0. ]])
    """
    array = np.asarray(numbers("x", as_array(x)))
    norm = np.linalg.norm(array, real_number("order", order, infinite=True), whole_number("axis", axis), keepdims=True)
    quotient: Array = array / np.where(norm == 0, np.ones_like(norm), norm)
    return quotient
