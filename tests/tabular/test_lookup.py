"""Members that look up what they see of numbers by their quantiles say what those say that multiply."""

import numpy as np
import pytest

from multilayer.tabular.ensemble import Options, _members
from multilayer.tabular.lookup import looked_up
from multilayer.tabular.piecewise import PiecewiseLinear


@pytest.mark.parametrize("widths", [(8,), (8, 6), (8, 6, 4)])
def test_what_is_looked_up_is_what_was_multiplied(widths):
    stream = np.random.default_rng(0)
    numbers, codes = stream.normal(size=(50, 3)).astype("float32"), stream.integers(0, 2, (50, 2)).astype("float32")
    numbers[:, 1] = 7.0  # a column without bins
    pieces = PiecewiseLinear(4)
    pieces.adapt(numbers)
    body = _members(5 + 8, 3, 2, Options(widths=widths), np.random.default_rng(1))
    body.set_weights([stream.normal(size=one.shape) for one in body.get_weights()])
    seen = np.concatenate([numbers, codes], axis=1)
    multiplied = body.predict(np.concatenate([seen, pieces(numbers)], axis=1), verbose=0)
    found = looked_up(body, pieces).predict([seen, numbers], verbose=0)
    np.testing.assert_allclose(found, multiplied, rtol=1e-4, atol=1e-4)
