"""Activations: one table with every activation and its formula, and the tests that each has to pass."""

import copy
import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gradients import assert_gradient
from multilayer import activations, registry


def softmax_of_a_row(row):
    powers = [math.exp(value - max(row)) for value in row]
    return [power / sum(powers) for power in powers]


# Each formula, in plain Python, for one row of numbers.
FORMULAS = {
    "linear": lambda row: row,
    "relu": lambda row: [max(value, 0.0) for value in row],
    "sigmoid": lambda row: [1.0 / (1.0 + math.exp(-value)) for value in row],
    "softmax": softmax_of_a_row,
    "tanh": lambda row: [math.tanh(value) for value in row],
}
every_activation = pytest.mark.parametrize("name", FORMULAS)
rows = hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=st.floats(-30, 30))


def test_every_registered_activation_has_a_row():
    assert set(FORMULAS) == {activation.name for activation in registry.registered("activation")}


@every_activation
@settings(max_examples=30, deadline=None)
@given(x=rows)
def test_an_activation_is_its_formula(name, x):
    expected = [FORMULAS[name](row) for row in x.tolist()]
    np.testing.assert_allclose(activations.get(name)(x), expected, rtol=1e-13, atol=1e-300)


@every_activation
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (3, 1)])
def test_the_backward_pass_matches_finite_differences(name, shape):
    activation = activations.get(name)
    rng = np.random.default_rng(0)
    x, direction = rng.normal(size=shape), rng.normal(size=shape)
    dx = activation.backward(direction.copy(), activation.forward(x.copy()))
    assert_gradient(dx, lambda: float(np.sum(direction * activation.forward(x))), x)


@every_activation
def test_results_can_be_written_where_one_wants_them(name):
    activation = activations.get(name)
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    y = activation.forward(x.copy())
    elsewhere = np.full_like(x, np.nan)
    assert activation.forward(x, out=elsewhere) is elsewhere
    np.testing.assert_array_equal(elsewhere, y)
    in_place = x.copy()
    assert activation.forward(in_place, out=in_place) is in_place
    np.testing.assert_array_equal(in_place, y)
    dx = activation.backward(dy.copy(), y)
    elsewhere.fill(np.nan)
    assert activation.backward(dy, y, out=elsewhere) is elsewhere
    np.testing.assert_array_equal(elsewhere, dx)


@every_activation
def test_arguments_are_left_as_they_were(name):
    activation = activations.get(name)
    x = np.random.default_rng(0).normal(size=(3, 4))
    given_x = x.copy()
    y = activation.forward(x)
    dy, given_y = np.ones_like(y), y.copy()
    activation.backward(dy, y)
    for now, then in ((x, given_x), (y, given_y), (dy, np.ones_like(y))):
        np.testing.assert_array_equal(now, then)


@every_activation
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_type_is_kept_and_extremes_stay_finite(name, dtype):
    activation = activations.get(name)
    x = np.array([[-1e4, 0.0, 1e4], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4], [-89.0, 89.0, 0.0]], dtype)
    y = activation(x)
    dx = activation.backward(np.ones_like(y), y)
    assert y.dtype == dx.dtype == dtype
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


@every_activation
def test_lists_and_whole_numbers_are_taken_too(name):
    np.testing.assert_allclose(activations.get(name)([1, -2, 0]), FORMULAS[name]([1.0, -2.0, 0.0]))


@every_activation
def test_a_name_makes_the_same_activation_again(name):
    activation = activations.get(name)
    assert activations.get(json.loads(json.dumps(activations.serialize(activation)))) is activation
    assert activations.get(activation) is activation
    assert activations.get(name.upper()) is activation
    assert getattr(activations, name) is activation
    assert repr(activation) == f"<activation {name}>"


@settings(max_examples=50, deadline=None)
@given(x=hnp.arrays(np.float32, (3, 5), elements=st.floats(-1e4, 1e4, width=32)))
def test_softmax_gives_probabilities(x):
    y = activations.softmax(x)
    assert (y >= 0).all()
    np.testing.assert_allclose(y.sum(axis=-1), 1.0, rtol=1e-5)


def test_none_is_linear():
    assert activations.get(None) is activations.linear


def test_an_activation_of_ones_own_needs_its_derivative():
    square = activations.Activation("square", lambda x, out=None: np.square(x), lambda dy, y, out=None: dy)
    assert activations.get(square)([3.0]) == [9.0]
    with pytest.raises(ValueError, match=r"activation function identifier: .*gives the function together with its"):
        activations.get(np.square)


def test_an_unknown_name_comes_with_the_nearest_known_one():
    with pytest.raises(ValueError, match=r"Unknown activation: 'rleu'\. Did you mean 'relu'\?"):
        activations.get("rleu")


def doubled(x, out=None):
    return np.multiply(x, 2.0, out=out)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_is_the_activation_itself_unless_it_is_ones_own(copied):
    for activation in registry.registered("activation"):
        assert copied(activation) is activation
    own = activations.Activation("softmax", doubled, doubled)  # whatever its name
    assert copied(own) is not activations.softmax
    assert copied(own)([1.0]) == [2.0]
