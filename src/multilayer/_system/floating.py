"""What NumPy does about overflow and its like while a model computes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")


def as_floats_do(function: Callable[P, R]) -> Callable[P, R]:
    """Lets a function compute as floating point has it, whatever its caller has set: overflow is inf, 0 / 0 is NaN.

    A probability that underflows to 0 is an everyday thing in training, and a loss that grows beyond all bounds is seen
    in its figures, where callbacks look. Under a caller's `np.seterr(all="raise")`, or with warnings as errors, either
    would end the run in the middle of a step.

    Example:
        >>> tiny = np.float32(1e-30)
        >>> with np.errstate(all="raise"):
        ...     as_floats_do(np.multiply)(tiny, tiny)
        np.float32(0.0)
    """

    @functools.wraps(function)
    def computing(*args: P.args, **kwargs: P.kwargs) -> R:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return computing
