"""Calibration: probabilities with more or less confidence."""

import numpy as np
import pytest

from helpers.gradients import assert_gradient
from multilayer.tabular import Calibration

P = np.random.default_rng(0).dirichlet(np.ones(4), size=6)


def test_it_is_a_softmax_of_the_logarithms_times_its_power():
    powers = P**1.7
    assert np.allclose(Calibration(1.7, dtype="float64")(P), powers / powers.sum(axis=1, keepdims=True))


def test_a_power_of_one_leaves_probabilities_as_they_are():
    assert np.allclose(Calibration()(P), P)


def test_the_gradient_is_that_of_finite_differences():
    layer, x = Calibration(1.7, dtype="float64"), P.copy()
    direction = np.random.default_rng(1).normal(size=P.shape)
    layer.forward(x, training=True)
    assert_gradient(layer.backward(direction), lambda: float((layer.forward(x) * direction).sum()), x)


def test_zeros_stay_finite():
    assert np.allclose(Calibration(0.5)([[1.0, 0.0]]), [[1, 0]], atol=1e-5)


@pytest.mark.parametrize("power", [0, -1, np.nan, "high"])
def test_a_power_that_is_none_is_refused(power):
    with pytest.raises(ValueError, match="`power`"):
        Calibration(power)
