"""What every backward pass is held against."""

from collections.abc import Callable

import numpy as np

from multilayer.utils.gradients import ATOL, RTOL, numerical_gradient


def assert_gradient(gradient: np.ndarray, f: Callable[[], float], x: np.ndarray) -> None:
    """Checks that `gradient` is the derivative of f with respect to x."""
    np.testing.assert_allclose(gradient, numerical_gradient(f, x), rtol=RTOL, atol=ATOL)
