"""Sums of linear splines, by what NumPy interpolates."""

import numpy as np

from multilayer.functional import linear_splines


def test_each_column_is_interpolated_and_all_are_added_up():
    stream = np.random.default_rng(0)
    knots = [np.sort(stream.normal(size=count)) for count in (4, 2, 1)]
    values = [stream.normal(size=(len(one), 2)) for one in knots]
    x, base = stream.normal(scale=2.0, size=(20, 3)), stream.normal(size=(20, 2))
    expected = base.copy()
    for c in range(3):
        for j in range(2):
            expected[:, j] += np.interp(x[:, c], knots[c], values[c][:, j])
    low = np.concatenate([one[:-1] for one in knots])
    factor = np.concatenate([1 / np.diff(one) for one in knots])
    given = (x, low, factor, np.array([3, 1, 0]), np.concatenate(values))
    np.testing.assert_allclose(linear_splines(*given, base), expected, rtol=1e-12)
    np.testing.assert_allclose(linear_splines(*given, base, "relu"), np.maximum(expected, 0.0), rtol=1e-12)
    np.testing.assert_allclose(linear_splines(*given), expected - base, rtol=1e-12, atol=1e-12)
    assert linear_splines(*given, base, out=base) is base
    np.testing.assert_allclose(base, expected, rtol=1e-12)
