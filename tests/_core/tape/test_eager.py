"""Results as users get them: arrays of NumPy's with `numpy()`, single numbers among them."""

import copy
import pickle

import numpy as np
import pytest

import multilayer as keras
from multilayer import Variable, activations, initializers, layers, losses, metrics, ops, random
from multilayer._core.tape.eager import EagerArray, eager
from multilayer._core.tape.tensor import Tensor

X = np.array([[0.5, 2.0, 1.0]], "float32")


def model():
    return keras.Sequential([keras.Input((3,)), layers.Dense(2)])


@pytest.mark.parametrize(
    "result",
    [
        lambda: model()(X),
        lambda: model()(X)[0, 0],
        lambda: layers.Dense(2)(X),
        lambda: layers.Lambda(lambda x: x * 2)(X),
        lambda: ops.argmax(X[0]),
        lambda: ops.zeros(3),
        lambda: ops.top_k(X, 2)[1],
        lambda: ops.convert_to_tensor([1.0]) * 2,
        lambda: Variable(X) * 2,
        lambda: random.normal((2,)),
        lambda: activations.relu(X),
        lambda: initializers.GlorotUniform()((2, 3)),
        lambda: losses.MeanSquaredError()(X, X),
        lambda: losses.mean_squared_error(X, X),
        lambda: keras.regularizers.L2(0.1)(X),
        lambda: metrics.F1Score()(np.eye(2), np.eye(2)),
    ],
)
def test_results_have_numpy(result):
    y = result()
    plain = y.numpy()
    assert type(plain) is np.ndarray or isinstance(plain, np.generic)
    np.testing.assert_allclose(plain, y, rtol=1e-6)


def test_what_numpy_makes_of_a_result_has_numpy_too():
    y = model()(X)
    for one in (y - 0.5, np.exp(y), y.sum(), np.mean(y), y[0], y[0].max(), y.T):
        assert type(one.numpy()) is not EagerArray
    y.numpy()[...] = 0  # a copy
    assert np.any(y)


@pytest.mark.parametrize("x", [np.float32(0.1), np.array([0.1, 1 / 3], "float32"), np.array([[1, 2]]), np.array(["a"])])
def test_a_result_prints_as_the_array_that_it_is(x):
    assert (str(eager(x)), repr(eager(x)), f"{eager(x)}") == (str(x), repr(x), f"{x}")


def test_fit_and_predict_work_on_plain_arrays():
    m = model()
    x = ops.convert_to_tensor(X)
    assert type(m.predict(x, verbose=0)) is np.ndarray
    m.compile("sgd", "mse")
    m.fit(x, m(x), verbose=0)
    assert all(type(one) is np.ndarray for one in m.get_weights())


def test_a_single_number_does_what_those_of_numpy_do():
    one, two = eager(np.float32(1.5)), eager(np.int64(2))
    assert repr(one) == repr(np.float32(1.5))
    assert (str(one), f"{one:.2f}", f"{two:d}", round(one)) == ("1.5", "1.50", "2", 2)
    assert {one: "key"}[1.5] == "key" and ["a", "b", "c"][two] == "c"  # noqa: PT018
    assert isinstance(one.numpy(), np.float32)
    kept = one
    one += 1
    assert (kept, one) == (1.5, 2.5)
    assert set(eager(np.array([1, 1, 2]))) == {1, 2}


def test_several_numbers_are_an_array_as_any():
    x = eager(np.zeros((2, 2)))
    kept = x
    x += 1
    assert kept is x and x[0, 0] == 1  # noqa: PT018
    x[0] = 5
    assert kept[0, 1] == 5
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)
    assert type(pickle.loads(pickle.dumps(x))) is np.ndarray
    assert copy.deepcopy(x).tolist() == x.tolist()


# --- Watched by a tape ---


def test_a_result_can_be_watched():
    x = ops.convert_to_tensor(X) * 2
    m = model()
    with keras.GradientTape() as tape:
        assert tape.watch(x) is x
        y = np.sum(m(x) ** 2)
    slope = tape.gradient(y, x)
    np.testing.assert_allclose(slope, 2 * m(x) @ np.transpose(m.layers[0].kernel), rtol=1e-5)
    moved = x + 0.1 * slope
    assert type(moved) is EagerArray
    with keras.GradientTape() as tape:
        tape.watch(moved)
        y = np.sum(m(moved) ** 2)
    assert tape.gradient(y, moved).shape == X.shape


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x[0] * 3, [[3, 3, 3]]),
        (lambda x: x.T.reshape(-1)[1:], [[0, 1, 1]]),
        (lambda x: 2 - X * x, -X),
        (lambda x: np.sum(x.astype("float64") ** 2), 2 * X),
        (lambda x: ops.square(ops.convert_to_tensor(x.copy())), 2 * X),
        (lambda x: layers.Lambda(lambda t: t * 3)(x), [[3, 3, 3]]),
        (lambda x: activations.relu(x), [[1, 1, 1]]),
        (lambda x: sum(x[0]), [[1, 1, 1]]),
        (lambda x: losses.MeanSquaredError(reduction="sum")(np.zeros((1, 3)), x), 2 * X / 3),
        (lambda x: ops.stack([x, x]), [[2, 2, 2]]),
        (lambda x: np.concatenate([x, X]), [[1, 1, 1]]),
        (lambda x: x @ np.ones((3, 2), "float32"), [[2, 2, 2]]),
    ],
)
def test_whatever_is_computed_of_a_watched_array_is_recorded(function, expected):
    x = ops.convert_to_tensor(X)
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    assert isinstance(y, Tensor)
    np.testing.assert_allclose(tape.gradient(y, x), expected, rtol=1e-6)


def test_a_tape_that_did_not_watch_an_array_has_no_gradient_by_it():
    x = ops.convert_to_tensor(X)
    with keras.GradientTape() as tape:
        tape.watch(x)
    with keras.GradientTape() as other:
        y = np.sum(x * 2)
    assert other.gradient(y, x) is None
    assert other.watched_variables() == () == tape.watched_variables()


def test_a_watched_array_that_is_written_into_says_so():
    x = ops.convert_to_tensor(X)
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = np.sum(x * x)
        x[0, 0] = 7.0
    assert x.numpy()[0, 0] == 7
    with pytest.raises(RuntimeError, match="changed after it had been recorded"):
        tape.gradient(y, x)


def test_whole_numbers_cannot_be_watched():
    with keras.GradientTape() as tape, pytest.raises(ValueError, match="whole|int32"):
        tape.watch(ops.convert_to_tensor([1, 2]))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x.mT @ x, [[6.0, 6.0], [14.0, 14.0]]),
        (copy.copy, [[1.0, 1.0], [1.0, 1.0]]),
        (copy.deepcopy, [[1.0, 1.0], [1.0, 1.0]]),
        (lambda x: random.dropout(x, 0.0), [[1.0, 1.0], [1.0, 1.0]]),
        (lambda x: random.shuffle(2 * x) + random.shuffle(x, axis=1), [[3.0, 3.0], [3.0, 3.0]]),
    ],
)
def test_nothing_makes_a_constant_of_a_watched_array(function, expected):
    x = ops.convert_to_tensor([[1.0, 2.0], [3.0, 4.0]])
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = np.sum(function(x))
    np.testing.assert_allclose(tape.gradient(y, x), expected)


def test_a_watched_array_goes_on_by_augmented_assignment():
    """As a picture does that is changed to please a network, step by step."""
    x = ops.convert_to_tensor([1.0, 2.0])
    first = x
    for _ in range(2):
        with keras.GradientTape() as tape:
            tape.watch(x)
            y = np.sum(x * x)
        x += 0.5 * tape.gradient(y, x)
    np.testing.assert_array_equal(x, [4.0, 8.0])
    np.testing.assert_array_equal(first, [1.0, 2.0])


def test_single_numbers_are_taken_where_numbers_are():
    assert random.normal((ops.convert_to_tensor(2), 3)).shape == (2, 3)
    assert random.normal(ops.convert_to_tensor([2, 3])).shape == (2, 3)
    assert losses.Huber(delta=ops.convert_to_tensor(0.5)).delta == 0.5
    assert layers.Dropout(ops.convert_to_tensor(0.5)).rate == 0.5


def test_what_comes_out_of_one_model_goes_quickly_into_the_next(monkeypatch):
    model = keras.Sequential([layers.Input((2,)), layers.Dense(2)])
    h = model(np.ones((3, 2), "float32"))
    monkeypatch.setattr(model, "_call_with_anything", None)
    assert type(model(h)) is EagerArray
