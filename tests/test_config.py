"""What is set for the whole program."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import config


@pytest.fixture(autouse=True)
def as_it_was():
    before = config.floatx(), config.epsilon()
    yield
    config.set_floatx(before[0])
    config.set_epsilon(before[1])


@pytest.mark.parametrize("given", ["float64", np.float64, np.dtype("float64")])
def test_what_is_built_has_the_float_type_that_is_set(given):
    config.set_floatx(given)
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    assert (config.floatx(), layer.kernel.dtype, keras.ops.ones(1).dtype) == ("float64", "float64", "float64")


@pytest.mark.parametrize("given", ["float16", "int32", None, 3])
def test_other_types_are_refused(given):
    with pytest.raises(ValueError, match="float32 and float64"):
        config.set_floatx(given)
    assert config.floatx() == "float32"


def test_epsilon_keeps_probabilities_from_0():
    config.set_epsilon(0.5)
    assert keras.losses.CategoricalCrossentropy()([[1.0, 0.0]], [[0.0, 1.0]]) == pytest.approx(-np.log(0.5), rel=1e-6)


@pytest.mark.parametrize("given", [-1, float("nan"), float("inf"), "0.1", None])
def test_what_is_no_epsilon_is_refused(given):
    with pytest.raises(ValueError, match="finite number of at least 0"):
        config.set_epsilon(given)
