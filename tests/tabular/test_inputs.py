"""The layers that a network for tables begins with: what they measure; all else is in test_layers.py."""

import numpy as np

from multilayer import tabular


def test_columns_without_spread_drop_out_and_what_is_far_stays_within():
    layer = tabular.RobustScaling()
    layer.adapt(np.array([[1.0, 0, 5], [1, 0, 5], [1, 0, 5], [2, 1e30, 5], [1, 0, 5]]))
    np.testing.assert_allclose(layer.factor.value, [2.0, 2e-30, 0.0], rtol=1e-6)
    np.testing.assert_allclose(layer([[1e38, 1e30, 7.0]]), [[3.0, 2 / np.sqrt(1 + 4 / 9), 0.0]], rtol=1e-6)


def test_quartiles_are_interpolated():
    layer = tabular.RobustScaling(None)
    layer.adapt(np.array([[0.0], [1.0], [4.0], [9.0]]))
    np.testing.assert_allclose(layer.center.value, [2.5])
    np.testing.assert_allclose(layer.factor.value, [1 / (5.25 - 0.75)], rtol=1e-6)
    np.testing.assert_allclose(layer([[2.5], [9.0]]), [[0.0], [6.5 / 4.5]], rtol=1e-6)
