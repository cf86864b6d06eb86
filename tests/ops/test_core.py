"""Tensors, branches and loops, and derivatives of one's own: what no table of values says."""

import numpy as np
import pytest

from multilayer import GradientTape, Tensor, Variable, gradient, ops
from multilayer._core.tape.eager import EagerArray
from multilayer.autodiff import value_and_gradient


def test_a_converted_tensor_can_be_watched():
    x = ops.convert_to_tensor([1.0, 2.0])
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(ops.square(ops.convert_to_tensor(x)))  # which it is already
    assert tape.gradient(y, x).tolist() == [2.0, 4.0]


def test_a_converted_array_is_a_copy():
    array = np.zeros(2)
    tensor = ops.convert_to_tensor(array)
    array[0] = 1
    assert tensor.numpy().tolist() == [0, 0]
    assert ops.convert_to_tensor(array, dtype="float32").dtype == np.float32


def test_a_converted_variable_is_learned_through():
    w = Variable(np.array([3.0]))
    with GradientTape() as tape:
        y = ops.sum(ops.convert_to_tensor(w) ** 2)
    assert tape.gradient(y, w).tolist() == [6.0]


def test_what_is_sparse_is_refused():
    with pytest.raises(ValueError, match="dense"):
        ops.convert_to_tensor([1.0], sparse=True)
    with pytest.raises(ValueError, match="dense"):
        ops.one_hot([1], 2, sparse=True)


def test_lists_of_tensors_are_stacked():
    assert gradient(lambda x: ops.sum(ops.multiply([x, 2 * x], [[1.0], [10.0]])))(np.ones(2)).tolist() == [21.0, 21.0]


def test_nothing_is_learned_through_what_is_stopped():
    assert gradient(lambda x: ops.sum(ops.stop_gradient(x) * x))(np.array([3.0])).tolist() == [3.0]
    kept = ops.stop_gradient([np.ones(2), {"a": Tensor(np.zeros(1))}])
    assert type(kept[1]["a"]) is EagerArray


# --- Loops ---


def test_loops_are_differentiated():
    x = np.array([2.0])
    assert gradient(lambda x: ops.sum(ops.fori_loop(0, 3, lambda i, v: v * x, x)))(x).tolist() == [32.0]
    doubled = gradient(lambda x: ops.sum(ops.while_loop(lambda v: ops.sum(v) < 50, lambda v: v * 2, x)))(x)
    assert doubled.tolist() == [32.0]
    assert (
        gradient(lambda x: ops.sum(ops.scan(lambda c, v: (c * v, c), np.ones(()), x)[0]))(np.array([2.0, 3.0]))[0] == 3
    )


def test_a_loop_ends_at_its_maximum():
    assert ops.while_loop(lambda k: True, lambda k: k + 1, [0], maximum_iterations=4) == (4,)


def test_structures_are_mapped_over():
    found = ops.map(lambda pair: {"sum": pair[0] + pair[1]}, (np.arange(3), np.arange(3)))
    assert found["sum"].tolist() == [0, 2, 4]
    carry, _ = ops.scan(lambda c, _: (c + 1, None), 0, length=3)
    assert carry == 3


def test_a_switch_stays_within_its_branches():
    branches = [lambda: "first", lambda: "second"]
    assert [ops.switch(i, branches) for i in (-1, 0, 1, 7)] == ["first", "first", "second", "second"]


# --- Derivatives of one's own ---


@ops.custom_gradient
def clipped(x, y):
    """x y, whose gradient is kept in [-1, 1]."""

    def grad(upstream):
        return np.clip(upstream * y, -1, 1), np.clip(upstream * x, -1, 1)

    return x * y, grad


def test_a_gradient_of_ones_own_is_taken_for_the_functions():
    value, slopes = value_and_gradient(lambda x, y: ops.sum(clipped(x, y)), argnums=(0, 1))(
        np.array([0.5]), np.array([9.0])
    )
    assert (value, [one.tolist() for one in slopes]) == (4.5, [[1.0], [0.5]])
    assert clipped(2, 3) == 6
    assert clipped.__doc__.startswith("x y")


def test_a_gradient_of_ones_own_is_differentiated_again():
    cube = ops.custom_gradient(lambda x: (x**3, lambda upstream: upstream * 3 * x**2))
    assert gradient(lambda x: gradient(cube)(x))(np.array(2.0)) == 12.0


def test_a_gradient_of_ones_own_must_be_one_for_each_argument():
    wrong = ops.custom_gradient(lambda x, y: (x * y, lambda upstream: upstream))
    with pytest.raises(ValueError, match="gave 1 for its 2 arguments"):
        gradient(lambda x: ops.sum(wrong(x, x)))(np.ones(2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda g: (g, g, g), "gave 3 for its 2 arguments"),
        (lambda g: (np.ones(3), g), r"shape \(3,\) for an argument of shape \(2, 3\)"),
        (lambda g: (1.0, g), r"shape \(\) for an argument of shape \(2, 3\)"),
    ],
)
def test_a_gradient_of_ones_own_must_fit_its_arguments(given, message):
    wrong = ops.custom_gradient(lambda x, y: (x * y, given))
    with pytest.raises(ValueError, match=message):
        gradient(lambda x: ops.sum(wrong(x, x)))(np.ones((2, 3)))


def test_none_is_the_gradient_of_what_has_no_influence():
    product = ops.custom_gradient(lambda x, y: (x * y, lambda upstream: (upstream * y, None)))
    of_x, of_y = gradient(lambda x, y: ops.sum(product(x, y)), (0, 1))(np.ones(2), np.full(2, 3.0))
    assert (of_x.tolist(), of_y.tolist()) == ([3.0, 3.0], [0.0, 0.0])


def test_jvp_is_the_derivative_along_tangents():
    y, slope, aux = ops.jvp(lambda a, b: (a * b, "aux"), (2.0, 3.0), (1.0, 10.0), has_aux=True)
    assert (float(y), float(slope), aux) == (6.0, 23.0, "aux")
    assert ops.jvp(lambda a: np.sign(a), [np.ones(2)], [np.ones(2)])[1].tolist() == [0, 0]
    assert gradient(lambda x: ops.jvp(lambda z: z**3, (x,), (np.ones(()),))[1])(np.array(2.0)) == 12.0


# --- Second derivatives ---


TWICE = [
    *(
        ops.logsumexp,
        ops.log_softmax,
        ops.erf,
        ops.erfc,
        ops.erfinv,
        ops.normalize,
        ops.rsqrt,
        ops.logaddexp,
        ops.divide,
    ),
    lambda x: ops.binary_crossentropy(x, x, from_logits=True),
    lambda x: ops.cdist(x[None], 2 * x[None] + 1),
]


@pytest.mark.parametrize("f", TWICE)
def test_second_derivatives_are_the_limits_of_differences(f):
    x, step = np.array([0.3, 0.2, 0.6]), 1e-5
    weights = np.array([1.0, 2.0, 3.0])
    of_one = f not in (ops.logaddexp, ops.divide)

    def loss(x):
        y = f(x) if of_one else f(x, x * x + 1)
        return ops.sum(y * weights[: np.shape(y)[-1] if np.ndim(y) else 1])

    def slope(x):
        return ops.sum(gradient(loss)(x) * weights)

    moved = step * np.eye(3)
    expected = [(slope(x + one) - slope(x - one)) / (2 * step) for one in moved]
    np.testing.assert_allclose(gradient(slope)(x), expected, rtol=1e-5, atol=1e-7)


def test_solutions_of_least_squares_are_differentiated():
    a, b = np.array([[1.0, 2.0], [0.0, 1.0], [2.0, 1.0]]), np.array([1.0, 0.5, 2.0])
    solved = gradient(lambda a: ops.sum(ops.solve(ops.matmul(ops.transpose(a), a), ops.matmul(ops.transpose(a), b))))(a)
    np.testing.assert_allclose(gradient(lambda a: ops.sum(ops.lstsq(a, b)))(a), solved, rtol=1e-9)
    np.testing.assert_allclose(gradient(lambda a: ops.sum(ops.matmul(ops.pinv(a), b)))(a), solved, rtol=1e-9)


# --- Numbers that are none ---


def test_infinities_pass_through_logarithms_of_sums():
    x = np.array([[-np.inf, 0.0], [-np.inf, -np.inf]])
    assert ops.logsumexp(x, axis=1).tolist() == [0.0, -np.inf]
    assert gradient(lambda x: ops.sum(ops.logsumexp(x, axis=1)))(x).tolist() == [[0.0, 1.0], [0.0, 0.0]]
    assert ops.softmax(np.array([-np.inf, 0.0])).tolist() == [0.0, 1.0]
    assert ops.sparse_categorical_crossentropy([1], x[:1], from_logits=True).tolist() == [0.0]


def test_what_has_no_gradient_says_so():
    for constant in (lambda x: ops.eig(x)[0], ops.lu_factor):
        with pytest.raises(TypeError, match="no derivative"):
            gradient(lambda x, f=constant: ops.sum(f(x)))(np.eye(2))


def test_what_is_out_of_scope_says_so():
    with pytest.raises(AttributeError, match=r"multilayer\.ops\.conv is out of scope"):
        ops.conv  # noqa: B018
    with pytest.raises(AttributeError, match=r"multilayer\.ops\.nn\.max_pool is out of scope"):
        ops.nn.max_pool  # noqa: B018
    with pytest.raises(AttributeError, match="Did you mean 'softmax'"):
        ops.softmx  # noqa: B018
