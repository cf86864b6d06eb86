"""Numbers by their quantiles."""

import numpy as np
import pytest

from helpers.gradients import assert_gradient
from multilayer.tabular import PiecewiseLinear

X = np.random.default_rng(0).normal(size=(40, 3))


def adapted(bins=4):
    layer = PiecewiseLinear(bins, dtype="float64")
    layer.adapt(X)
    return layer


def test_each_bin_rises_from_one_edge_to_the_next():
    edges = np.quantile(X[:, 1], np.linspace(0, 1, 5))
    middle = np.full((1, 3), (edges[1] + edges[2]) / 2)
    assert np.allclose(adapted()(middle)[0, 4:8], [0.5, 0, -0.5, -0.5])


def test_the_gradient_is_that_of_finite_differences():
    layer, x = adapted(), X[:5] * 0.7 + 0.01
    direction = np.random.default_rng(1).normal(size=(5, 12))
    layer.forward(x, training=True)
    assert_gradient(layer.backward(direction), lambda: float((layer.forward(x) * direction).sum()), x)


def test_equal_quantiles_are_one_edge():
    layer = PiecewiseLinear(4)
    layer.adapt(np.c_[np.repeat([0.0, 1.0], [1, 39]), np.full(40, 7.0), np.linspace(1e-44, 1e-41, 40)])
    assert layer.counts == [1, 0, 0]


def test_edges_that_are_one_float32_are_one_edge():
    next_to_1 = np.nextafter(np.float32(1), np.float32(2))
    layer = PiecewiseLinear(8)
    layer.adapt(np.repeat([1.0, next_to_1], 20)[:, None])
    assert len(set(layer.low.value.tolist())) == sum(layer.counts)


def test_before_it_is_adapted_it_says_so():
    with pytest.raises(ValueError, match="call `adapt`"):
        PiecewiseLinear(4)(X)
