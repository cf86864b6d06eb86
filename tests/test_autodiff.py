"""Tapes and derivatives of functions: as TensorFlow's, as often as wanted, and leaving nothing behind."""

import gc
import threading
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

import multilayer as keras
from golden import recordings, tapes
from multilayer import GradientTape, Variable, autodiff, layers, optimizers
from multilayer._core.tape import Tensor
from multilayer._core.tape.eager import EagerArray
from multilayer._core.tape.tensor import Node, recording

RECORDED = recordings.read("tapes")
X = np.array([[1.0, 2.0], [3.0, 4.0]])


def constant(values):
    return Tensor(np.array(values, "float32"))


@pytest.mark.parametrize("name", tapes.PROGRAMS)
def test_a_tape_does_what_tensorflows_does(name):
    ours = SimpleNamespace(np=np, Variable=Variable, GradientTape=GradientTape, constant=constant)
    assert_same(tapes.numbers(tapes.PROGRAMS[name](ours)), RECORDED[name])


def assert_same(ours, theirs):
    if theirs is None or not isinstance(theirs, list):
        assert ours == (None if theirs is None else pytest.approx(theirs, rel=2e-5, abs=2e-6))
        return
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert_same(one, other)


# --- Weights that change between recording and gradient ---


def squared():
    w = Variable(np.array([2.0, 3.0]), name="w")
    with GradientTape() as tape:
        y = np.sum(w * w)
    return tape, y, w


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.assign([0.0, 0.0]),
        lambda w: w.assign_add([1.0, 1.0]),
        lambda w: optimizers.SGD(0.1).apply([np.ones(2)], [w]),
        lambda w: setattr(w, "value", np.multiply(w.value, 2.0, out=w.value)),
    ],
)
def test_a_gradient_that_comes_too_late_is_refused(change):
    tape, y, w = squared()
    change(w)
    with pytest.raises(RuntimeError, match=r"'w' was changed after it had been recorded.*persistent=True"):
        tape.gradient(y, w)


def test_a_change_before_the_first_use_is_none():
    w = Variable(np.array([2.0, 3.0]))
    with GradientTape() as tape:
        w.assign([4.0, 5.0])
        y = np.sum(w * w)
    np.testing.assert_array_equal(tape.gradient(y, w), [8.0, 10.0])


def test_a_persistent_tape_keeps_the_weights_of_layers():
    layer = layers.Dense(3, activation="tanh")
    x = np.ones((4, 2), "float32")
    layer.build((None, 2))
    with GradientTape(persistent=True) as tape:
        y = np.sum(layer(x) ** 2)
    first = tape.gradient(y, layer.trainable_variables)
    optimizers.SGD(1.0).apply(first, layer.trainable_variables)
    for again, before in zip(tape.gradient(y, layer.trainable_variables), first, strict=True):
        np.testing.assert_array_equal(again, before)


# --- Memory ---


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def nodes():
    return sum(type(one) is Node for one in gc.get_objects())


def step(w):
    with GradientTape() as tape:
        y = np.sum(np.tanh(X @ w) ** 2)
    return tape, y, tape.gradient(y, w)


def test_a_thousand_steps_leave_nothing_behind(no_collector):
    w = Variable(np.ones(2))
    before = nodes()
    for _ in range(1000):
        step(w)
    assert nodes() == before


def test_what_is_let_go_is_freed_at_once(no_collector):
    w = Variable(np.ones(2))
    tape, y, _ = step(w)
    held = weakref.ref(y.node), weakref.ref(w)
    del tape, y, w
    assert [one() for one in held] == [None, None]


@pytest.mark.parametrize(
    "interrupted",
    [
        lambda: autodiff.gradient(lambda x: np.sum(np.exp(x) * np.ones(3)))(X),
        lambda: autodiff.hessian_vector_product(lambda x: np.sum(float(x)))(X, X),
        lambda: step(Variable(np.ones(5))),
    ],
)
def test_an_error_leaves_nothing_behind(no_collector, interrupted):
    before = nodes()
    with pytest.raises((ValueError, TypeError)):
        interrupted()
    assert not recording()
    assert nodes() == before


def test_second_derivatives_leave_nothing_behind(no_collector):
    product = autodiff.hessian_vector_product(lambda x: np.sum(np.exp(x) @ np.tanh(x)))
    before = nodes()
    for _ in range(10):
        product(X, X)
    assert nodes() == before


# --- Threads ---


def test_threads_have_tapes_of_their_own():
    w = Variable(np.array([2.0]))
    inside, go_on = threading.Event(), threading.Event()
    seen = []

    def other():
        inside.wait()
        seen.append(recording())
        seen.append(type(w * 2))
        seen.append(autodiff.gradient(lambda x: np.sum(x * w.value))(np.array([1.0])).tolist())
        go_on.set()

    thread = threading.Thread(target=other)
    thread.start()
    with GradientTape() as tape:
        y = w * w
        inside.set()
        go_on.wait()
        z = y * w
    thread.join()
    assert seen == [False, EagerArray, [2.0]]
    assert tape.gradient(z, w) == 12.0


# --- Functions of functions ---


def test_structures_of_arguments():
    def f(inputs, scale):
        return np.sum(inputs["a"] * inputs["b"][0]) * scale

    (by_inputs, by_scale) = autodiff.gradient(f, (0, 1))({"a": X, "b": [2 * X]}, 3.0)
    np.testing.assert_array_equal(by_inputs["a"], 6 * X)
    np.testing.assert_array_equal(by_inputs["b"][0], 3 * X)
    assert by_scale == np.sum(2 * X * X)


def test_what_comes_beside_the_value():
    (value, aux), slope = autodiff.value_and_gradient(lambda x: (np.sum(x), "aux"), has_aux=True)(X)
    assert (value, aux) == (10.0, "aux")
    np.testing.assert_array_equal(slope, np.ones((2, 2)))


def test_an_argument_without_influence_has_zeros():
    np.testing.assert_array_equal(autodiff.gradient(lambda x, y: np.sum(y), (0, 1))(X, X)[0], np.zeros((2, 2)))


def test_the_jacobian_of_a_gradient_is_the_hessian():
    def f(x):
        return np.sum(x[0] * x[1] ** 2) + np.exp(x[0])

    x = np.array([0.5, 2.0])
    hessian = autodiff.jacobian(autodiff.gradient(f))(x)
    np.testing.assert_allclose(hessian, [[np.exp(0.5), 4.0], [4.0, 1.0]])
    v = np.array([1.0, -2.0])
    np.testing.assert_allclose(autodiff.hessian_vector_product(f)(x, v), hessian @ v)


def test_a_function_within_a_tape_is_recorded_by_it():
    w = Variable(np.array([2.0, 3.0]))
    with GradientTape() as tape:
        slope = autodiff.gradient(lambda x: np.sum(x**3))(w * 1.0)
        y = np.sum(slope)
    np.testing.assert_array_equal(tape.gradient(y, w), [12.0, 18.0])


def test_an_argument_is_told_from_the_tensor_that_is_given_for_it():
    def product(x):
        return autodiff.gradient(lambda y: x * y)(x)  # by y alone, which is x

    def of_two(x):
        return np.sum(autodiff.gradient(lambda a, b: np.sum(a * a * b))(x, x))  # 2 a b

    assert autodiff.gradient(product)(3.0) == 1.0
    np.testing.assert_array_equal(autodiff.gradient(of_two)(np.array([3.0, 1.0])), [12.0, 4.0])
    assert autodiff.gradient(lambda x: np.sum(autodiff.jacobian(lambda y: x * y)(x)))(3.0) == 1.0


def test_gradients_have_memory_of_their_own():
    a, b = Variable(np.ones((3, 2))), Variable(np.ones((3, 2)))
    seed = np.ones((3, 2))
    with GradientTape() as tape:
        y = a + b
    for gradient in tape.gradient(y, [a, b, a], seed):
        gradient *= 0.5  # as whoever clips them in place
        assert gradient.tolist() == [[0.5, 0.5]] * 3
    assert np.all(seed == 1.0)
    with GradientTape() as tape:
        y = np.sum(a * 3.0, axis=0).T
    gradient = tape.gradient(y, a)
    gradient *= 0.5
    assert np.all(gradient == 1.5)


def test_what_is_taken_out_of_a_tape_can_be_written_into():
    with GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        h = x * 3.0
        of_h = h.numpy()
        of_h *= 100.0
        y = np.sum(h * h)
    of_h = np.asarray(h)
    of_h *= 100.0
    np.testing.assert_array_equal(tape.gradient(y, x), [18.0, 36.0])


def test_a_generator_may_be_left_within_a_tape():
    w = Variable(np.array([1.0, 2.0]))

    def steps():
        with GradientTape() as tape:
            y = np.sum(w * w)
            yield None
        yield tape.gradient(y, w)

    first = steps()
    next(first)
    with GradientTape() as tape:
        a = w * 2.0
        found = next(first)
        y = np.sum(a * w)
    np.testing.assert_array_equal(found, [2.0, 4.0])
    np.testing.assert_array_equal(tape.gradient(y, w), [4.0, 8.0])
    assert not recording()


def test_a_persistent_tape_goes_on_where_it_was():
    w = Variable(np.array([1.0, 2.0]))
    tape = GradientTape(persistent=True)
    with tape:
        y = np.sum(w * w)
    first = tape.gradient(y, w)
    with tape:
        z = y + np.sum(w)
    np.testing.assert_array_equal(tape.gradient(z, w), first + 1.0)
    np.testing.assert_array_equal(tape.gradient(w, w), [1.0, 1.0])


def test_the_jacobian_of_nothing_is_empty():
    x = np.ones(3)
    assert autodiff.jacobian(lambda x: x[:0])(x).shape == (0, 3)
    with GradientTape() as tape:
        x = tape.watch(x)
        y = x[:0]
    assert tape.jacobian(y, x).shape == (0, 3)


def test_a_variable_may_be_what_a_model_is_asked_with():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
    x = keras.Variable(np.ones((2, 3)))
    with keras.GradientTape(persistent=True) as tape:
        of_model, of_layer = np.sum(model(x)), np.sum(model.layers[0](x))
    for value in (of_model, of_layer):
        assert np.all(tape.gradient(value, x) != 0)


def test_a_sum_that_begins_as_an_array_goes_on_as_a_tensor():
    """As in Keras, `+=` gives its name to what the operator returns."""

    def summed(x):
        total = keras.ops.zeros((2, 2))
        start = total
        total += x
        total *= x
        assert np.all(start == 0)
        return np.sum(total)

    np.testing.assert_allclose(keras.gradient(summed)(np.full((2, 2), 3.0)), np.full((2, 2), 6.0))


@pytest.mark.parametrize("loss", ["huber", "mse", "mae", "log_cosh", "binary_crossentropy"])
def test_a_loss_of_one_axis_is_the_mean_over_it(loss):
    """As in Keras, whose losses take the mean over the last axis: so values that an agent chose are compared."""
    function = keras.losses.get(loss)
    y, x = np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.7, 0.4])

    def value(x):
        return function(y, x)

    np.testing.assert_allclose(
        keras.gradient(value)(x), keras.gradient(lambda x: function(y[None], x[None]))(x), rtol=1e-6
    )
    assert value(x) == pytest.approx(function(y[None], x[None]), rel=1e-6)
