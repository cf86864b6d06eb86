"""Derivatives the slow and certain way: what every backward pass is held against."""

from collections.abc import Callable

import numpy as np


def numerical_gradient(f: Callable[[], float], x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Central differences (f(x + h) - f(x - h)) / 2h of a function that reads x, element by element of x.

    x must be float64 and is changed in place while f is asked, so it can be a weight inside a layer.
    """
    assert x.dtype == np.float64
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        kept = x[i]
        x[i] = kept + step
        above = f()
        x[i] = kept - step
        below = f()
        x[i] = kept
        gradient[i] = (above - below) / (2 * step)
    return gradient


def assert_gradient(gradient: np.ndarray, f: Callable[[], float], x: np.ndarray) -> None:
    """Checks that `gradient` is the derivative of f with respect to x."""
    np.testing.assert_allclose(gradient, numerical_gradient(f, x), rtol=1e-5, atol=1e-7)
