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

import multilayer as keras
from helpers.gradients import assert_gradient
from multilayer import activations, layers
from multilayer._core.tape import Tensor, plain
from multilayer._names import registry
from multilayer.functional.of_input import erf


def softmax_of_a_row(row):
    powers = [math.exp(value - max(row)) for value in row]
    return [power / sum(powers) for power in powers]


def sparsemax_of_a_row(row):
    """By bisection: the tau for which what rises above it sums to 1."""
    low, high = min(row) - 1.0, max(row)
    for _ in range(200):
        tau = (low + high) / 2
        low, high = (tau, high) if sum(max(value - tau, 0.0) for value in row) > 1.0 else (low, tau)
    return [max(value - tau, 0.0) for value in row]


def each(formula):
    return lambda row: [formula(value) for value in row]


def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))


def softplus(x):
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


# Each formula, in plain Python, for one row of numbers.
FORMULAS = {
    "celu": each(lambda x: max(x, 0.0) + min(0.0, math.expm1(min(x, 0.0)))),
    "elu": each(lambda x: x if x > 0 else math.expm1(x)),
    "exponential": each(math.exp),
    "gelu": each(lambda x: 0.5 * x * (1.0 + math.erf(x / math.sqrt(2.0)))),
    "glu": lambda row: [a * sigmoid(b) for a, b in zip(row[: len(row) // 2], row[len(row) // 2 :], strict=True)],
    "hard_shrink": each(lambda x: x if abs(x) > 0.5 else 0.0),
    "hard_sigmoid": each(lambda x: min(max(x / 6.0 + 0.5, 0.0), 1.0)),
    "keras2_hard_sigmoid": each(lambda x: min(max(0.2 * x + 0.5, 0.0), 1.0)),
    "hard_silu": each(lambda x: x * min(max(x / 6.0 + 0.5, 0.0), 1.0)),
    "hard_tanh": each(lambda x: min(max(x, -1.0), 1.0)),
    "leaky_relu": each(lambda x: x if x > 0 else 0.2 * x),
    "linear": lambda row: row,
    "log_sigmoid": each(lambda x: -softplus(-x)),
    "log_softmax": lambda row: [x - max(row) - math.log(sum(math.exp(one - max(row)) for one in row)) for x in row],
    "mish": each(lambda x: x * math.tanh(softplus(x))),
    "relu": each(lambda x: max(x, 0.0)),
    "relu6": each(lambda x: min(max(x, 0.0), 6.0)),
    "selu": each(lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x))),
    "sigmoid": each(sigmoid),
    "silu": each(lambda x: x * sigmoid(x)),
    "soft_shrink": each(lambda x: math.copysign(max(abs(x) - 0.5, 0.0), x)),
    "softmax": softmax_of_a_row,
    "softplus": each(softplus),
    "softsign": each(lambda x: x / (1.0 + abs(x))),
    "sparse_plus": each(lambda x: x if x >= 1 else 0.25 * (max(x, -1.0) + 1.0) ** 2),
    "sparse_sigmoid": each(lambda x: min(max(0.5 * (x + 1.0), 0.0), 1.0)),
    "sparsemax": sparsemax_of_a_row,
    "squareplus": each(lambda x: 0.5 * (x + math.sqrt(x * x + 4.0))),
    "tanh": each(math.tanh),
    "tanh_shrink": each(lambda x: x - math.tanh(x)),
    "threshold": each(lambda x: x if x > 0 else 0.0),
}
# With options: Keras' values are in the recordings, the derivatives are checked here.
BOUND = {
    "celu": activations.celu.bound(alpha=0.5),
    "elu": activations.elu.bound(alpha=0.5),
    "gelu": activations.gelu.bound(approximate=True),
    "hard_shrink": activations.hard_shrink.bound(threshold=0.2),
    "leaky_relu": activations.leaky_relu.bound(negative_slope=0.4),
    "log_softmax": activations.log_softmax.bound(axis=0),
    "relu": activations.relu.bound(negative_slope=0.3, max_value=1.0, threshold=0.2),
    "relu, clipped": activations.relu.bound(max_value=0.5),
    "softmax": activations.softmax.bound(axis=0),
    "soft_shrink": activations.soft_shrink.bound(threshold=0.2),
    "sparsemax": activations.sparsemax.bound(axis=0),
    "squareplus": activations.squareplus.bound(b=1.0),
    "threshold": activations.threshold.bound(threshold=0.2, default_value=3.0),
}


def wide_enough(name, x):
    """An even number of columns, for the activation that halves them."""
    return np.concatenate([x, x[..., :1]], axis=-1) if name == "glu" and x.shape[-1] % 2 else x


def kept(activation, x, y):
    return x if activation.of_input else y


every_activation = pytest.mark.parametrize("name", FORMULAS)
rows = hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=st.floats(-30, 30))


def test_every_registered_activation_has_a_row():
    assert set(FORMULAS) == {activation.name for activation in registry.registered("activation")}


@every_activation
@settings(max_examples=30, deadline=None)
@given(x=rows)
def test_an_activation_is_its_formula(name, x):
    x = wide_enough(name, x)
    expected = [FORMULAS[name](row) for row in x.tolist()]
    np.testing.assert_allclose(activations.get(name)(x), expected, rtol=1e-12, atol=1e-13)


@every_activation
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (3, 1)])
def test_the_backward_pass_matches_finite_differences(name, shape):
    check_backward(activations.get(name), wide_enough(name, np.random.default_rng(0).normal(size=shape)))


@pytest.mark.parametrize("name", BOUND)
def test_options_have_their_derivatives(name):
    check_backward(BOUND[name], np.random.default_rng(0).normal(size=(3, 4)))


def check_backward(activation, x):
    y = activation.forward(x.copy())
    direction = np.random.default_rng(1).normal(size=y.shape)
    dx = activation.backward(direction.copy(), kept(activation, x, y))
    assert_gradient(dx, lambda: float(np.sum(direction * activation.forward(x))), x)


@settings(max_examples=50, deadline=None)
@given(x=hnp.arrays(np.float64, 9, elements=st.floats(-8, 8)))
def test_the_error_function_is_right_to_the_last_digits(x):
    np.testing.assert_allclose(erf(x), [math.erf(value) for value in x], rtol=0, atol=5e-15)
    np.testing.assert_allclose(erf(x.astype("float32")), [math.erf(value) for value in x], rtol=0, atol=5e-7)


@every_activation
def test_results_can_be_written_where_one_wants_them(name):
    activation = activations.get(name)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 4))
    y = activation.forward(x.copy())
    dy = rng.normal(size=y.shape)
    elsewhere = np.full_like(y, np.nan)
    assert activation.forward(x, out=elsewhere) is elsewhere
    np.testing.assert_array_equal(elsewhere, y)
    if name != "glu":
        in_place = x.copy()
        assert activation.forward(in_place, out=in_place) is in_place
        np.testing.assert_array_equal(in_place, y)
    dx = activation.backward(dy.copy(), kept(activation, x, y))
    elsewhere = np.full_like(x, np.nan)
    assert activation.backward(dy, kept(activation, x, y), out=elsewhere) is elsewhere
    np.testing.assert_array_equal(elsewhere, dx)


@every_activation
def test_arguments_are_left_as_they_were(name):
    activation = activations.get(name)
    x = np.random.default_rng(0).normal(size=(3, 4))
    given_x = x.copy()
    y = activation.forward(x)
    dy, given_y = np.ones_like(y), y.copy()
    activation.backward(dy, kept(activation, x, y))
    for now, then in ((x, given_x), (y, given_y), (dy, np.ones_like(y))):
        np.testing.assert_array_equal(now, then)


@every_activation
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_type_is_kept_and_extremes_stay_finite(name, dtype):
    activation = activations.get(name)
    largest = 80.0 if name == "exponential" else 1e4
    x = np.array([[-1e4, 0.0, 1e4], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4], [-89.0, 89.0, 0.0]], dtype)
    x = wide_enough(name, np.minimum(x, x.dtype.type(largest)))
    y = activation(x)
    dx = activation.backward(np.ones_like(y), kept(activation, x, y))
    assert y.dtype == dx.dtype == dtype
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


@every_activation
def test_lists_and_whole_numbers_are_taken_too(name):
    found = activations.get(name)([1, -2, 0, 3])
    np.testing.assert_allclose(found, FORMULAS[name]([1.0, -2.0, 0.0, 3.0]), rtol=1e-6, atol=1e-12)


@every_activation
def test_a_name_makes_the_same_activation_again(name):
    activation = activations.get(name)
    assert activations.get(json.loads(json.dumps(activations.serialize(activation)))) is activation
    assert activations.get(activation) is activation
    assert activations.get(name.upper()) is activation
    assert getattr(activations, name) is activation
    assert repr(activation) == f"<Activation name={name}>"


@settings(max_examples=50, deadline=None)
@given(x=hnp.arrays(np.float32, (3, 5), elements=st.floats(-1e4, 1e4, width=32)))
def test_softmax_gives_probabilities(x):
    y = activations.softmax(x)
    assert (y >= 0).all()
    np.testing.assert_allclose(y.sum(axis=-1), 1.0, rtol=1e-5)


def test_none_is_linear():
    assert activations.get(None) is activations.linear


def test_an_activation_of_ones_own_is_taken_as_it_is():
    square = activations.Activation("square", lambda x, out=None: np.square(x), lambda dy, y, out=None: dy)
    assert activations.get(square) is square
    assert square([3.0]) == [9.0]
    with pytest.raises(ValueError, match=r"activation function identifier: 5\. Expected a name, a function, or an"):
        activations.get(5)


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


def test_options_are_keras_own():
    np.testing.assert_allclose(activations.relu([-2.0, 0.5, 9.0], negative_slope=0.1, max_value=6.0), [-0.2, 0.5, 6.0])
    np.testing.assert_allclose(activations.elu([-1.0], 0.5), [0.5 * math.expm1(-1.0)])
    np.testing.assert_allclose(activations.softmax(np.zeros((2, 4)), axis=0), np.full((2, 4), 0.5))
    assert activations.swish is activations.silu is activations.get("swish")
    assert activations.hard_swish is activations.get("hard_swish") is activations.hard_silu


def test_an_activation_of_ones_own_is_not_mistaken_for_one_of_ours_in_a_config():
    with pytest.raises(ValueError, match="has the name 'relu', which is taken"):
        activations.serialize(activations.Activation("relu", doubled, doubled))


def test_a_softmax_leaves_out_what_is_masked():
    x = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], "float32")
    mask = np.array([[True, True, False], [False, False, False]])
    y = layers.Softmax()(x, mask=mask)
    np.testing.assert_allclose(y[0, :2], layers.Softmax()(x[:1, :2])[0], rtol=1e-6)
    np.testing.assert_array_equal(y[~mask], 0.0)
    with pytest.raises(ValueError, match="takes a `mask` with arrays, not within a model"):
        layers.Softmax()(keras.Input((3,)), mask=mask)


# --- Functions, and derivatives of derivatives ---


def derivatives(activation, x, direction, along):
    """The gradient at x of sum(direction f(x)), and that of its product with `along`, both by the tape."""
    x = Tensor(x)
    with keras.GradientTape() as second:
        second.watch(x)
        with keras.GradientTape() as first:
            first.watch(x)
            total = np.sum(activation(x) * direction)
        gradient = first.gradient(total, x)
        product = np.sum(gradient * along)
    found = second.gradient(product, x)
    return np.asarray(plain(gradient)), np.zeros(x.shape) if found is None else found


@pytest.mark.parametrize("activation", [*map(activations.get, FORMULAS), *BOUND.values()], ids=[*FORMULAS, *BOUND])
def test_a_derivative_is_differentiated_again(activation):
    x = np.random.default_rng(0).normal(size=(3, 4)) * 2
    direction, along = np.random.default_rng(1).normal(size=(2, 3, 4))
    direction = direction[:, : activation(x).shape[-1]]

    def by_hand():
        return activation.backward(direction.copy(), kept(activation, x, activation.forward(x.copy())))

    first, second = derivatives(activation, x, direction, along)
    np.testing.assert_allclose(first, by_hand(), atol=1e-14)
    assert_gradient(second, lambda: float(np.sum(along * by_hand())), x)


def cubed(x):
    return x**3 - np.abs(x)


def test_a_function_is_an_activation_with_all_its_derivatives():
    activation = activations.get(cubed)
    x = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_array_equal(activation(x), cubed(x))
    check_backward(activation, x)
    np.testing.assert_allclose(derivatives(activation, x, 1.0, 1.0)[1], 6 * x)
    for copied in (copy.deepcopy(activation), pickle.loads(pickle.dumps(activation))):
        check_backward(copied, x)


def test_a_derivative_given_by_hand_is_not_differentiated_again():
    with pytest.raises(TypeError, match="'doubled' has a derivative, which cannot be differentiated again"):
        derivatives(activations.Activation("doubled", doubled, doubled), np.ones((1, 2)), 1.0, 1.0)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: None, "`<lambda>` returned None: is there a `return`"),
        (np.sign, "`sign` gives what does not depend on its input in a way that has a derivative"),
    ],
)
def test_a_function_that_cannot_be_trained_through_says_so(function, message):
    model = keras.Sequential([layers.Dense(2, activation=function)])
    model.compile("sgd", "mse")
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(np.ones((2, 3)), np.ones((2, 2)), verbose=0)
