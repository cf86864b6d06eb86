"""Initializers: one table with every one and the distribution it promises, and the tests that each has to pass."""

import json
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilayer import initializers
from multilayer._names import registry
from multilayer.config import set_floatx
from multilayer.random import set_random_seed

SHAPE = (300, 200)  # fan_in 300, fan_out 200


class Row(NamedTuple):
    """How an initializer is made, and the mean, standard deviation and bounds of what it draws for SHAPE."""

    make: Callable[..., initializers.Initializer]
    mean: float
    stddev: float
    low: float = -math.inf
    high: float = math.inf


def even(make, low, high):
    return Row(make, (low + high) / 2, (high - low) / math.sqrt(12), low, high)


def scaled_even(make, variance):
    return even(make, -math.sqrt(3 * variance), math.sqrt(3 * variance))


def scaled_normal(make, variance):
    """Cut off at two standard deviations of the normal distribution that was cut, whose own is a little larger."""
    bound = 2 * math.sqrt(variance) / 0.87962566103423978
    return Row(make, 0.0, math.sqrt(variance), -bound, bound)


ROWS = {
    "Zeros": even(initializers.Zeros, 0.0, 0.0),
    "Ones": even(initializers.Ones, 1.0, 1.0),
    "Constant": even(initializers.Constant, 0.0, 0.0),
    "Constant, 3": even(lambda: initializers.Constant(3.0), 3.0, 3.0),
    "RandomNormal": Row(initializers.RandomNormal, 0.0, 0.05),
    "RandomNormal, other numbers": Row(lambda **k: initializers.RandomNormal(2.0, 0.5, **k), 2.0, 0.5),
    "RandomUniform": even(initializers.RandomUniform, -0.05, 0.05),
    "RandomUniform, other numbers": even(lambda **k: initializers.RandomUniform(-1, 3, **k), -1, 3),
    "GlorotUniform": scaled_even(initializers.GlorotUniform, 2 / 500),
    "GlorotNormal": scaled_normal(initializers.GlorotNormal, 2 / 500),
    "HeUniform": scaled_even(initializers.HeUniform, 2 / 300),
    "HeNormal": scaled_normal(initializers.HeNormal, 2 / 300),
    "LecunUniform": scaled_even(initializers.LecunUniform, 1 / 300),
    "LecunNormal": scaled_normal(initializers.LecunNormal, 1 / 300),
    "VarianceScaling": scaled_normal(initializers.VarianceScaling, 1 / 300),
    "VarianceScaling, outputs": scaled_even(
        lambda **k: initializers.VarianceScaling(2.0, "fan_out", "uniform", **k), 2 / 200
    ),
    "VarianceScaling, not cut off": Row(
        lambda **k: initializers.VarianceScaling(1.0, "fan_avg", "untruncated_normal", **k), 0.0, math.sqrt(1 / 250)
    ),
    "TruncatedNormal": Row(initializers.TruncatedNormal, 0.0, 0.05 * 0.87962566103423978, -0.1, 0.1),
    "Orthogonal": Row(initializers.Orthogonal, 0.0, math.sqrt(1 / 300)),
    "Orthogonal, gain": Row(lambda **k: initializers.Orthogonal(3.0, **k), 0.0, 3 * math.sqrt(1 / 300)),
}
RANDOM = [name for name, row in ROWS.items() if row.stddev > 0]
every_row = pytest.mark.parametrize("name", ROWS)
every_random_row = pytest.mark.parametrize("name", RANDOM)


def test_every_registered_initializer_has_a_row():
    rows = {type(row.make()) for row in ROWS.values()} | {initializers.Identity}
    assert rows == registry.registered("initializer")


def test_the_identity_is_for_matrices():
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])
    with pytest.raises(ValueError, match="only be used for 2D matrices"):
        initializers.Identity()((3,))


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (2, 3, 4)])
def test_orthogonal_columns_or_rows(shape):
    W = initializers.Orthogonal(gain=2.0, seed=1)(shape, "float64").reshape(-1, shape[-1])
    W = W if W.shape[0] >= W.shape[1] else W.T
    np.testing.assert_allclose(W.T @ W, 4.0 * np.eye(W.shape[1]), atol=1e-12)
    with pytest.raises(ValueError, match="at least two-dimensional"):
        initializers.Orthogonal()((3,))


def test_a_function_may_be_an_initializer():
    initializer = initializers.get(lambda shape, dtype: np.full(shape, 3, dtype))
    assert initializer((2, 2)).dtype == "float32"
    assert initializer.clone()((1, 2)).tolist() == [[3.0, 3.0]]


@pytest.mark.parametrize(("returned", "what"), [(None, "None"), (np.zeros(3), r"an array of shape \(3,\)")])
def test_a_function_that_gives_something_else_is_refused(returned, what):
    initializer = initializers.get(lambda shape, dtype: returned)
    with pytest.raises(ValueError, match=f"must return values of shape .*; it returned {what}"):
        initializer((2, 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0.0,), "`scale` must be positive"), ((1.0, "fan"), "mode"), ((1.0, "fan_in", "even"), "distribution")],
)
def test_scalings_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        initializers.VarianceScaling(*arguments)


# --- What is drawn ---


@every_row
def test_values_are_distributed_as_promised(name):
    set_random_seed(0)
    row = ROWS[name]
    values = row.make()(SHAPE).astype("float64")
    assert values.mean() == pytest.approx(row.mean, abs=row.stddev * 0.02)
    assert values.std() == pytest.approx(row.stddev, rel=0.02)
    rounding = 1 + 1e-6
    assert row.low * rounding <= values.min() or values.min() == row.low
    assert values.max() <= row.high * rounding or values.max() == row.high


@every_random_row
def test_the_bounds_are_used_to_the_full(name):
    row = ROWS[name]
    if math.isfinite(row.high):
        values = row.make(seed=0)(SHAPE)
        assert values.max() > row.high - 0.01 * (row.high - row.low)
        assert values.min() < row.low + 0.01 * (row.high - row.low)


@pytest.mark.parametrize(("shape", "fan_in", "fan_out"), [((), 1, 1), ((50,), 50, 50), ((3, 4, 20, 30), 240, 360)])
def test_fans_of_other_shapes_are_those_of_keras(shape, fan_in, fan_out):
    limits = {
        initializers.HeUniform: math.sqrt(6 / fan_in),
        initializers.GlorotUniform: math.sqrt(6 / (fan_in + fan_out)),
    }
    for cls, limit in limits.items():
        values = np.abs([cls()(shape) for _ in range(300)])
        assert 0.97 * limit < values.max() <= limit * (1 + 1e-6)


# --- Seeds ---


@every_random_row
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_same_seed_draws_the_same_at_every_call(name, seed):
    initializer = ROWS[name].make(seed=seed)
    first = initializer((4, 3))
    np.testing.assert_array_equal(initializer((4, 3)), first)
    np.testing.assert_array_equal(ROWS[name].make(seed=seed)((4, 3)), first)
    assert not np.array_equal(ROWS[name].make(seed=seed + 1)((4, 3)), first)


@every_random_row
def test_without_a_seed_every_call_draws_anew_and_the_global_seed_repeats_them_all(name):
    set_random_seed(5)
    initializer = ROWS[name].make()
    first, second = initializer((4, 3)), initializer((4, 3))
    assert not np.array_equal(first, second)
    set_random_seed(5)
    np.testing.assert_array_equal(ROWS[name].make()((4, 3)), first)
    np.testing.assert_array_equal(ROWS[name].make()((4, 3)), second)


# --- Shapes, types, configs ---


@every_row
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), [2, 3], (2, 3, 4), (0, 3)])
def test_values_have_the_shape_that_was_asked_for(name, shape):
    if name.startswith("Orthogonal") and len(shape) < 2:
        return  # a matrix or more: see above
    assert ROWS[name].make()(shape).shape == tuple(shape)


@every_row
def test_values_have_the_type_that_was_asked_for_or_the_default_one(name):
    assert ROWS[name].make()((2, 3)).dtype == "float32"
    assert ROWS[name].make()((2, 3), dtype="float64").dtype == "float64"
    set_floatx("float64")
    try:
        assert ROWS[name].make()((2, 3)).dtype == "float64"
    finally:
        set_floatx("float32")


@every_row
def test_a_config_is_json_and_makes_the_same_initializer(name):
    initializer = ROWS[name].make(**({"seed": 3} if name in RANDOM else {}))
    copy = initializers.get(json.loads(json.dumps(initializers.serialize(initializer))))
    assert type(copy) is type(initializer)
    assert copy.get_config() == initializer.get_config()
    np.testing.assert_array_equal(copy((4, 3)), initializer((4, 3)))


@pytest.mark.parametrize(
    ("identifier", "cls"),
    [
        ("glorot_uniform", initializers.GlorotUniform),
        ("GlorotNormal", initializers.GlorotNormal),
        ("he_uniform", initializers.HeUniform),
        ("he_normal", initializers.HeNormal),
        ("random_normal", initializers.RandomNormal),
        ("normal", initializers.RandomNormal),
        ("uniform", initializers.RandomUniform),
        ("zeros", initializers.Zeros),
        (initializers.Ones, initializers.Ones),
    ],
)
def test_an_initializer_goes_by_several_names(identifier, cls):
    assert type(initializers.get(identifier)) is cls


def test_an_initializer_of_ones_own_starts_a_weight():
    class Counting(initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return np.arange(math.prod(shape)).reshape(shape).astype(dtype)

    initializer = Counting()
    assert initializers.get(initializer) is initializer
    assert initializer((2, 2), "float32").tolist() == [[0.0, 1.0], [2.0, 3.0]]


# --- Bad arguments ---


def test_unknown_names_come_with_the_nearest_known_one():
    with pytest.raises(ValueError, match="Unknown initializer: 'glorot_unifrom'. Did you mean 'glorot_uniform'"):
        initializers.get("glorot_unifrom")
    with pytest.raises(ValueError, match="Could not interpret initializer identifier: 0.5"):
        initializers.get(0.5)


def test_an_initializer_without_its_method_says_so():
    with pytest.raises(NotImplementedError, match=r"Initializer must implement `__call__\(shape, dtype\)`"):
        initializers.Initializer()((2,))


@pytest.mark.parametrize("seed", [-1, 2.5, "seven"])
def test_a_seed_is_refused_where_it_is_given(seed):
    for cls in (initializers.RandomNormal, initializers.HeUniform):
        with pytest.raises(ValueError, match="`seed`.*whole number"):
            cls(seed=seed)


def test_a_seed_may_be_a_numpy_number_and_its_config_is_json_all_the_same():
    config = json.dumps(initializers.serialize(initializers.HeUniform(seed=np.int64(3))))
    np.testing.assert_array_equal(initializers.get(json.loads(config))((2, 3)), initializers.HeUniform(seed=3)((2, 3)))


def test_inputs_and_outputs_of_a_weight_may_be_named_by_axis():
    given = initializers.HeNormal(seed=1, input_axes=[0], output_axes=[1, 2])
    np.testing.assert_allclose(given((32, 4, 16)).std(), math.sqrt(2 / 32), rtol=0.1)  # without: 4 32 inputs
    assert given.get_config() == {"seed": 1, "input_axes": [0], "output_axes": [1, 2]}
    scaling = initializers.VarianceScaling(mode="fan_out", distribution="uniform", input_axes=[2], output_axes=[0, 1])
    again = initializers.VarianceScaling.from_config(scaling.get_config())
    assert abs(again((3, 5, 7))).max() <= math.sqrt(3 / 15)
    with pytest.raises(ValueError, match="lacks one of the axes"):
        again((3, 5))
    with pytest.raises(ValueError, match="both or neither"):
        initializers.GlorotUniform(input_axes=[0])


def test_an_array_that_cannot_be_repeated_says_so():
    with pytest.raises(ValueError, match="Expected `shape` to be one"):
        initializers.get(np.ones((5, 5)))((10, 10))
