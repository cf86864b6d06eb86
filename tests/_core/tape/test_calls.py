"""Calls of NumPy's functions in all their forms, and operands of every kind: a right gradient, or a clear error."""

import numpy as np
import pytest

from multilayer import Variable, autodiff
from multilayer._core.tape import Recording, Tensor
from multilayer._core.tape.eager import EagerArray

X = np.array([[1.0, 2.0], [3.0, 4.0]])


def gradient(f, x=X):
    return autodiff.gradient(lambda x: np.sum(f(x)))(x)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x: np.sum(a=x), 1.0),
        (lambda x: np.sum(x, axis=[0, 1]), 1.0),
        (lambda x: np.sum(x, out=None), 1.0),
        (lambda x: np.exp(x, out=None), np.exp(X)),
        (lambda x: np.sum(x, axis=0, keepdims=np.True_) * X, [[4.0, 6.0], [4.0, 6.0]]),
        (lambda x: np.mean(x, axis=0, keepdims=1) * X, [[2.0, 3.0], [2.0, 3.0]]),
        (lambda x: np.sum(x, dtype=np.float32), 1.0),
        (lambda x: np.exp(x, dtype=np.float64), np.exp(X)),
        (lambda x: np.concatenate(axis=0, arrays=(x, x)), 2.0),
        (lambda x: np.concatenate((x, [[1.0, 2.0]])), 1.0),
        (lambda x: np.stack(list(x)), 1.0),
        (lambda x: np.vstack([x, x], dtype="float32") * np.ones(2, "float32"), 2.0),
        (lambda x: np.clip(a=x, a_min=1.5, a_max=None), [[0.0, 1.0], [1.0, 1.0]]),
        (lambda x: np.clip(x, min=1.5, max=3.5), [[0.0, 1.0], [1.0, 0.0]]),
        (lambda x: np.swapaxes(x, axis1=0, axis2=1), 1.0),
        (lambda x: np.rot90(m=x)[0], [[0.0, 1.0], [0.0, 1.0]]),
        (lambda x: np.compress([False, True], a=x, axis=0), [[0.0, 0.0], [1.0, 1.0]]),
        (lambda x: np.linalg.solve(a=2 * np.eye(2), b=x), 0.5),
        (lambda x: np.std(x, correction=1), autodiff.gradient(lambda x: np.std(x, ddof=1))(X)),
        (lambda x: np.average(a=X, weights=x), autodiff.gradient(lambda w: np.sum(X * w) / np.sum(w))(X)),
        (lambda x: max(x[0, 0], x[0, 1]) + sum(x[0]), [[1.0, 2.0], [0.0, 0.0]]),
        (lambda x: x * [1, 2] + [3, 4], [[1.0, 2.0], [1.0, 2.0]]),
        (lambda x: np.float64(2.0) * x, 2.0),
        (lambda x: np.array(2) * x, 2.0),
        (lambda x: x * np.array([True, False]), [[1.0, 0.0], [1.0, 0.0]]),
        (lambda x: x[x > 2], [[0.0, 0.0], [1.0, 1.0]]),
        (lambda x: x[np.argmax(x, axis=1), 0], [[0.0, 0.0], [2.0, 0.0]]),
        (lambda x: x[x.astype(int)[0, 0]], [[0.0, 0.0], [1.0, 1.0]]),
        (lambda x: x * np.floor(x) + np.round(x) + x.astype(int) + (x > 2), X),
        (lambda x: np.unique(x, return_counts=True)[0] * np.unique(x, return_counts=True)[1], 1.0),
    ],
)
def test_every_form_of_a_call_has_its_gradient(call, expected):
    np.testing.assert_allclose(gradient(call), np.broadcast_to(expected, X.shape))


@pytest.mark.parametrize(
    ("call", "at", "expected"),
    [
        (lambda x: np.max(x), [1.0, 1.0, 0.0], [0.5, 0.5, 0.0]),
        (lambda x: np.maximum(x, 0.0), [0.0, 1.0, -1.0], [0.5, 1.0, 0.0]),
        (lambda x: np.prod(x), [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
        (lambda x: np.prod(x), [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]),
        (lambda x: np.cumprod(x), [0.0, 2.0, 3.0], [9.0, 0.0, 0.0]),
        (lambda x: np.linalg.norm(x), [0.0, 0.0], [0.0, 0.0]),
        (lambda x: np.linalg.norm(x, 3), [0.0, 0.0], [0.0, 0.0]),
        (lambda x: np.std(x), [1.0, 1.0], [0.0, 0.0]),
        (lambda x: np.absolute(x), [0.0, -0.0], [0.0, 0.0]),
        (lambda x: x**2 + x**1 + x**0, [0.0, 1.0], [1.0, 3.0]),
        (lambda x: x**2, [-2.0], [-4.0]),
        (lambda x: 0.0**x, [1.0, 2.0], [0.0, 0.0]),
        (lambda x: np.clip(x, 0.0, 1.0), [0.0, 1.0, 2.0], [1.0, 1.0, 0.0]),
        (lambda x: np.sinc(x), [0.0], [0.0]),
        (lambda x: np.nansum(x) + np.nanmax(x), [np.nan, 1.0], [0.0, 2.0]),
        (lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0), [0.0, 2.0], [0.0, 0.5]),
        (lambda x: np.linalg.eigh(np.eye(2) * x)[0], [1.0, 1.0], [1.0, 1.0]),
        (lambda x: np.logaddexp(x, 0.0), [np.inf, -np.inf, 0.0], [1.0, 0.0, 0.5]),
    ],
)
def test_ties_zeros_and_ends(call, at, expected):
    with np.errstate(invalid="raise", divide="raise"):
        np.testing.assert_allclose(gradient(call, np.array(at)), expected)


def test_a_quantile_of_what_is_no_number_is_none():
    assert np.isnan(autodiff.value_and_gradient(np.median)(np.array([1.0, np.nan, 2.0]))[0])
    assert gradient(lambda x: np.median(x) * x, np.array([1.0, 2.0, 7.0])).tolist() == [2.0, 12.0, 2.0]
    assert np.median(Tensor(np.array([1, 2, 7]))) == 2.0


def test_the_mean_of_more_numbers_than_a_float16_can_count():
    found = autodiff.gradient(lambda x: np.mean(x) * np.float16(1000))(np.ones(70_000, "float16"))
    np.testing.assert_allclose(found, 1000 / 70_000, rtol=1e-3)


@pytest.mark.parametrize("call", [np.sum, lambda x: np.sum(np.exp(x), axis=0), lambda x: np.mean(x, axis=1), np.prod])
def test_empty_arrays_have_empty_gradients(call):
    assert gradient(call, np.zeros((0, 3))).shape == (0, 3)


def test_a_number_is_an_array_without_axes():
    assert autodiff.gradient(lambda x: x * x * x)(2.0) == 12.0
    assert autodiff.gradient(lambda x: x * x * x)(np.float32(2.0)).dtype == np.float32


def test_gradients_have_the_types_of_the_operands():
    a, b = X.astype("float32"), X
    da, db = autodiff.gradient(lambda a, b: np.sum(a * b + np.exp(a) / b), (0, 1))(a, b)
    assert da.dtype == np.float32
    assert db.dtype == np.float64
    assert gradient(lambda x: np.mean(x * x), X.astype("float16")).dtype == np.float16


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x**2,
        lambda x: np.clip(x, 0.5, 1),
        lambda x: np.where(x > 1, x, 0),
        lambda x: 2 / (1 + np.exp(-x)) - 1,
        lambda x: np.mean(x * np.log(x), axis=0) + np.std(x, axis=0),
        lambda x: np.max(x, axis=0) / 3,
        lambda x: x * np.float32(2),
    ],
)
def test_nothing_of_float32_turns_into_float64(call):
    x = X.astype("float32")
    seen = []
    autodiff.gradient(lambda x: np.sum(seen.append(call(x)) or seen[0]))(x)
    assert seen[0].dtype == np.float32 == call(x).dtype


def test_a_variable_is_an_operand_like_any_other():
    w = Variable(X)
    for call in (lambda w: w * 2, lambda w: np.exp(w), lambda w: w @ X, lambda w: X @ w):
        np.testing.assert_allclose(autodiff.gradient(lambda w, call=call: np.sum(call(w)))(w), gradient(call))
    assert (w + w).tolist() == (X + X).tolist()  # outside of any recording
    assert np.rot90(w).tolist() == np.rot90(X).tolist()


@pytest.mark.parametrize("part", [lambda w: w[0], lambda w: w.T, lambda w: w.reshape(-1), np.ravel, np.transpose])
def test_what_is_computed_of_a_variable_is_no_part_of_it(part):
    w = Variable(X)
    one = part(w)
    one += 1.0
    assert w.numpy().tolist() == X.tolist()


def test_an_array_takes_what_is_added_to_it_where_nothing_is_recorded():
    total = np.zeros((2, 2))
    total += Tensor(X)
    np.add(total, Variable(X), out=total)
    np.cumsum(Tensor(X), axis=0, out=total)
    assert total.tolist() == [[1.0, 2.0], [4.0, 6.0]]


def test_a_tensor_that_is_not_recorded_is_what_its_value_is():
    t = Tensor(X)
    assert type(t * 2) is type(np.exp(t)) is EagerArray
    assert np.asarray(t).tolist() == t.tolist() == X.tolist()
    assert float(t[0, 0]) == t[0, 0].item() == 1.0
    assert bool(t[0, 0] == 1.0)
    assert len(t) == 2
    assert f"{Tensor(np.array(1.5)):.2f}" == "1.50"
    assert "shape=(2, 2)" in repr(t)


def test_a_node_knows_what_it_was_made_of():
    with Recording() as tape:
        x, y = tape.watch(X), tape.watch(X)
        z = x * 2.0 + np.exp(y)
    product, exponential = z.node.parents
    assert (z.node.rule.name, product.rule.name, exponential.rule.name) == ("add", "multiply", "exp")
    assert [product.parents, exponential.parents] == [[x.node], [y.node]]
    assert x.node.parents == []
