"""Whether a network takes pixels from 0 to 255 or from 0 to 1, and what pictures become for it."""

import numpy as np
import pytest

from multilayer import Model, Sequential, layers
from multilayer._pictures import as_input
from multilayer.models.pixels import takes_bytes

PIXELS = np.arange(2 * 16, dtype=np.uint8).reshape(2, 4, 4) * 8


def _chain(*inside, **options):
    return Sequential([layers.Input((4, 4), **options), *inside, layers.Flatten(), layers.Dense(2)])


def _drawn():
    x = layers.Input((16,))
    return Model(x, layers.Dense(2)(layers.Rescaling(1 / 255)(x)))


@pytest.mark.parametrize(
    "model",
    [
        _chain(layers.Rescaling(1 / 255)),
        _chain(layers.Rescaling(1 / 127.5, -1.0)),
        _chain(layers.Normalization(mean=33.0, variance=6000.0, axis=None)),
        _chain(layers.Rescaling(1 / 255), dtype="uint8"),
        _chain(dtype="uint8"),
        _drawn(),
    ],
)
def test_a_network_that_divides_pixels_itself_gets_them_whole(model):
    assert takes_bytes(model)
    given = as_input(PIXELS, model)
    assert given.dtype == model.input_dtypes[0]
    assert np.array_equal(given.reshape(PIXELS.shape), PIXELS)


@pytest.mark.parametrize(
    "model",
    [
        _chain(),
        _chain(layers.Normalization(mean=0.13, variance=0.1, axis=None)),
        _chain(layers.Dense(3), layers.Rescaling(1 / 255)),  # of what a layer gives, not of pixels
    ],
)
def test_any_other_gets_numbers_from_0_to_1(model):
    assert not takes_bytes(model)
    assert np.array_equal(as_input(PIXELS, model).reshape(PIXELS.shape), PIXELS.astype(np.float32) / 255)
