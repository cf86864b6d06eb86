"""One vector: what moves it moves every variable, and nothing can come loose."""

import numpy as np
import pytest

import multilayer as keras
from multilayer._core.arena import Arena, Scratch, Variable


def variables():
    kernel = Variable(np.arange(6.0, dtype="float32").reshape(2, 3), name="kernel")
    statistics = Variable(np.full(2, 9.0, "float32"), name="mean", trainable=False)
    bias = Variable(np.array([7.0, 8.0, 9.0], "float32"), name="bias")
    return kernel, statistics, bias


def test_laying_out_keeps_values_and_puts_trainable_ones_first():
    kernel, statistics, bias = variables()
    arena = Arena([kernel, statistics, bias])
    np.testing.assert_array_equal(arena.vector, [0, 1, 2, 3, 4, 5, 7, 8, 9, 9, 9])
    assert arena.parameters.size == arena.gradients.size == 9
    assert [(s.variable.name, s.start, s.stop) for s in arena.segments] == [
        ("kernel", 0, 6),
        ("bias", 6, 9),
        ("mean", 9, 11),
    ]


def test_variables_are_views_of_the_vector():
    kernel, statistics, bias = variables()
    arena = Arena([kernel, statistics, bias])
    arena.parameters -= 1.0
    bias.gradient[:] = 5.0
    np.testing.assert_array_equal(kernel.value, [[-1, 0, 1], [2, 3, 4]])
    np.testing.assert_array_equal(arena.gradients, [0, 0, 0, 0, 0, 0, 5, 5, 5])
    assert statistics.gradient is None


def test_assigning_copies_into_the_vector():
    kernel, *_ = variables()
    arena = Arena([kernel])
    kernel.assign(np.ones((2, 3)))
    np.testing.assert_array_equal(arena.vector, np.ones(6))
    with pytest.raises(ValueError, match=r"variable.shape=\(2, 3\), Received: value.shape=\(3, 2\)"):
        kernel.assign(np.ones((3, 2)))


def test_values_are_changed_in_place_and_never_replaced():
    kernel, *_ = variables()
    arena = Arena([kernel])
    kernel.value += 1
    kernel.value[0] = 0
    kernel.gradient -= 2
    np.testing.assert_array_equal(arena.vector, [0, 0, 0, 4, 5, 6])
    np.testing.assert_array_equal(arena.gradients, np.full(6, -2))
    with pytest.raises(AttributeError, match=r"`value` of kernel .* use `variable.assign\(array\)`"):
        kernel.value = kernel.value * 0.5
    with pytest.raises(AttributeError, match=r"Write into it: `variable.gradient\[...\] = array`"):
        kernel.gradient = np.ones((2, 3))
    np.testing.assert_array_equal(arena.vector, [0, 0, 0, 4, 5, 6])


def test_an_arena_knows_when_a_variable_has_left_or_changed():
    kernel, statistics, bias = variables()
    arena = Arena([kernel, bias])
    assert arena.holds([kernel, bias])
    bias.trainable = False
    assert not arena.holds([kernel, bias])
    bias.trainable = True
    Arena([bias])
    assert not arena.holds([kernel, bias])
    assert not arena.holds([statistics])


def test_a_variable_that_is_shared_is_laid_out_once():
    kernel, *_ = variables()
    assert Arena([kernel, kernel]).vector.size == 6


def test_types_are_not_mixed():
    with pytest.raises(ValueError, match="one type; got float32, float64"):
        Arena([Variable(np.zeros(1, "float32")), Variable(np.zeros(1, "float64"))])


def test_a_variable_is_an_array_to_numpy():
    kernel, *_ = variables()
    assert np.sum(kernel) == 15
    copy = kernel.numpy()
    copy[:] = 0
    assert np.sum(kernel) == 15


def test_scratch_gives_the_same_memory_for_the_same_name():
    scratch = Scratch()
    single, double = np.dtype("float32"), np.dtype("float64")
    first = scratch("a", (4, 3), single)
    assert scratch("a", (4, 3), single) is first
    assert np.shares_memory(first, scratch("a", (2, 3), single))
    assert not np.shares_memory(first, scratch("b", (4, 3), single))
    assert scratch("a", (9, 9), single).shape == (9, 9)
    assert scratch("a", (9, 9), double).dtype == double
    assert np.shares_memory(scratch("a", (9, 9), "float64"), scratch("a", (9, 9), double))  # a type, or its name
    assert scratch("a", (9, 9), "float32").dtype == single


def test_a_variable_is_made_of_values_or_of_an_initializer():
    keras.utils.set_random_seed(1)
    assert keras.Variable is Variable
    drawn = Variable("he_normal", shape=(3, 2), name="kernel")
    assert (drawn.shape, drawn.dtype, drawn.path) == ((3, 2), "float32", "kernel")
    assert Variable(keras.initializers.Ones(), (2,), "float64").numpy().tolist() == [1.0, 1.0]
    assert (Variable(0.5).dtype, Variable([1.0, 2.0]).dtype, Variable(np.ones(2)).dtype) == (
        "float32",
        "float32",
        "float64",
    )
    assert Variable(5).dtype.startswith("int")
    assert Variable([1, 2], dtype="float32", trainable=False).dtype == "float32"
    with pytest.raises(ValueError, match="the `shape` argument should be specified"):
        Variable("zeros")
    with pytest.raises(ValueError, match="cannot contain character `/`"):
        Variable(1.0, name="a/b")
