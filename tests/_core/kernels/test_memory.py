"""What kernels make of memory that overlaps, of memory that changes while they run, and of numbers that are no numbers.

Whatever a loop cannot take goes to the reference, so the two always agree, down to the byte.
"""

import itertools
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from multilayer import functional
from multilayer._core import kernels

native = pytest.importorskip("multilayer._core.kernels._native", reason="the native kernels are not built")

N, K, H = 9, 7, 5  # rows, columns, columns of a product
MATRIX, ROW, COLUMN, LABELS, COUNTS = (N, K), (K,), (N, 1), "labels", "counts"
VECTOR = (40,)
ADAM = {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-3, "step": 3}
LOSS = {"y_hat": MATRIX, "da": MATRIX, "losses": (N,)}
BATCH_NORM = {"y": MATRIX, "x_hat": MATRIX, "mean": ROW, "variance": ROW, "scale": ROW}
LAYER_NORM = {"y": MATRIX, "x_hat": MATRIX, "scale": COLUMN}
NORM_BACKWARD = {"dx": MATRIX, "dgamma": ROW, "dbeta": ROW}


def step(slots, **numbers):
    """A step's arrays that are written, the one that is read, and its numbers; `work` is scratch, nobody's result."""
    return dict.fromkeys(("w", *slots), VECTOR), {"g": VECTOR}, numbers


def loss(targets):
    target = {"labels": LABELS} if targets == "labels" else {"t": MATRIX}
    return LOSS, {"a": MATRIX, **target, "scale": (N,)}, {}


# For each kernel: the arrays that it writes, those that it reads, and the numbers it takes.
TABLE = {
    **{
        name: ({"out": MATRIX}, {"x": MATRIX, "bias": ROW}, {})
        for name in ("linear", "relu", "sigmoid", "tanh", "softmax")
    },
    **{
        f"{name}_backward": ({"out": MATRIX, "db": ROW}, {"dy": MATRIX, "y": MATRIX}, {})
        for name in ("relu", "sigmoid", "tanh", "softmax")
    },
    **{name: ({"out": MATRIX}, {"x": MATRIX}, {}) for name in ("selu", "mish")},
    **{f"{name}_backward": ({"out": MATRIX}, {"dy": MATRIX, "x": MATRIX}, {}) for name in ("selu", "mish")},
    "sparse_softmax_cross_entropy": loss("labels"),
    "softmax_cross_entropy": loss("t"),
    "sigmoid_binary_cross_entropy": loss("t"),
    "matmul": ({"out": (N, H)}, {"a": (N, K), "b": (K, H)}, {}),
    "dense": ({"out": (N, H)}, {"x": (N, K), "W": (K, H), "b": (H,)}, {"activation": "relu"}),
    "dense_backward": (
        {"da": (N, H), "dW": (K, H), "db": (H,), "dx": (N, K)},
        {"dy": (N, H), "y": (N, H), "x": (N, K), "W": (K, H)},
        {"activation": "relu"},
    ),
    "linear_splines": (
        {"out": (N, H)},
        {"x": (N, K), "low": (K,), "factor": (K,), "counts": COUNTS, "values": (2 * K, H), "base": (N, H)},
        {"activation": "relu"},
    ),
    "sum_rows": ({"out": ROW}, {"x": MATRIX}, {}),
    "count_hits": ({}, {"y_hat": MATRIX, "labels": LABELS}, {}),
    "total": ({}, {"x": MATRIX}, {}),
    "take_rows": ({"out": MATRIX}, {"source": MATRIX, "rows": LABELS}, {}),
    "begin_rows": ({"out": MATRIX}, {"source": MATRIX, "rows": LABELS}, {}),
    "all_finite": ({}, {"x": MATRIX}, {}),
    "rescale": ({"out": MATRIX}, {"x": MATRIX}, {"scale": 0.5, "offset": 0.25}),
    "dropout": ({"out": MATRIX, "mask": MATRIX}, {"x": MATRIX}, {"rate": 0.5, "key": 1, "counter": 0}),
    "batch_norm": (BATCH_NORM, {"x": MATRIX, "gamma": ROW, "beta": ROW}, {"epsilon": 0.01}),
    "batch_norm_backward": (NORM_BACKWARD, {"dy": MATRIX, "x_hat": MATRIX, "gamma": ROW, "scale": ROW}, {}),
    "layer_norm": (LAYER_NORM, {"x": MATRIX, "gamma": ROW, "beta": ROW}, {"epsilon": 0.01, "centered": True}),
    "layer_norm_backward": (
        NORM_BACKWARD,
        {"dy": MATRIX, "x_hat": MATRIX, "gamma": ROW, "scale": COLUMN},
        {"centered": True},
    ),
    "sgd_step": step((), learning_rate=0.1),
    "momentum_step": step(("m",), learning_rate=0.1, momentum=0.9, nesterov=True),
    "adam_step": step(("m", "v"), **ADAM),
    "amsgrad_step": step(("m", "v", "v_hat"), **ADAM),
    "adamax_step": step(("m", "u"), **ADAM),
    "nadam_step": step(("m", "v"), m_factor=0.01, g_factor=0.02, beta_1=0.9, beta_2=0.99, epsilon=1e-3, step=3),
    "adagrad_step": step(("v",), learning_rate=0.1, epsilon=1e-3),
    "adadelta_step": step(("v", "d"), learning_rate=0.1, rho=0.9, epsilon=1e-3),
    "rmsprop_step": step(("v", "mean", "m"), learning_rate=0.1, rho=0.9, momentum=0.5, epsilon=1e-3),
    "lion_step": step(("m",), learning_rate=0.1, beta_1=0.9, beta_2=0.99),
    "flush_subnormals": ({"x": VECTOR}, {}, {}),
}
PAIRS = [
    (name, output, other)
    for name, (written, read, _) in TABLE.items()
    for output, other in itertools.chain(itertools.combinations(written, 2), itertools.product(written, read))
]


@pytest.fixture(autouse=True)
def bound_to_the_references():
    native.bind(functional)
    native.share_among(2)
    yield
    native.share_among(kernels.threads.available())


def values(shape):
    rng = np.random.default_rng(0)
    if shape == LABELS:
        return rng.integers(0, K, N)
    if shape == COUNTS:
        return np.ones(K, np.intp)  # of bins, one for each column
    return (rng.integers(6, 58, shape) / 64).astype(np.float32)  # of which sums of products are exact, in any order


def scratch(name):
    return {"work": np.empty(VECTOR, np.float32)} if name.endswith("_step") or name == "flush_subnormals" else {}


def call(module, name, arguments):
    """What a kernel gives, or the kind of error that it raises."""
    with np.errstate(all="ignore"):
        try:
            result = getattr(module, name)(**arguments, **scratch(name))
            result = result() if name == "begin_rows" else result
        except (IndexError, ValueError) as error:
            return type(error)
    return [None if one is None else np.array(one) for one in (result if isinstance(result, tuple) else (result,))]


def overlapping(name, first, second, shift):
    """The arguments of a kernel, two of them in one piece of memory, the second so many bytes behind the first."""
    written, read, numbers = TABLE[name]
    arguments = {one: values(shape) for one, shape in {**written, **read}.items()}
    a, b = arguments[first], arguments[second]
    memory = np.zeros(a.nbytes + 2 * b.nbytes + 64, np.uint8)
    for one, array, start in ((first, a, b.nbytes + 32), (second, b, b.nbytes + 32 + shift)):
        start += -(memory.ctypes.data + b.nbytes + 32) % 8
        arguments[one] = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
        arguments[one][...] = array
    return memory, {**arguments, **numbers}


def test_the_table_has_every_kernel():
    ported = {name for name in dir(native) if not name.startswith("__") and callable(getattr(functional, name, None))}
    assert set(TABLE) == ported


@pytest.mark.parametrize(("name", "first", "second"), PAIRS, ids=[" ".join(pair) for pair in PAIRS])
def test_arrays_that_overlap_give_what_the_reference_gives(name, first, second):
    written, read, _ = TABLE[name]
    sizes = [values({**written, **read}[one]).nbytes for one in (first, second)]
    for shift in (-(sizes[1] // 16) * 8, -8, 0, 8, 24, sizes[0] // 16 * 8, (sizes[0] - 1) // 8 * 8):
        memory, arguments = overlapping(name, first, second, shift)
        same, again = overlapping(name, first, second, shift)
        expected, got = call(functional, name, again), call(native, name, arguments)
        assert isinstance(got, type(expected)), f"{got} in the place of {expected} at {shift}"
        if not isinstance(expected, type):
            for one, wanted in zip(got, expected, strict=True):
                np.testing.assert_array_equal(one, wanted, f"at {shift}")
        np.testing.assert_array_equal(memory, same, f"memory at {shift}")


def test_a_product_written_between_the_rows_of_a_factor_is_the_references():
    # of a strided factor, what lies between the elements counts as its memory, too
    results = []
    for module in (native, functional):
        memory = np.linspace(0.1, 0.9, 40 * 20, dtype=np.float32)
        a, out = memory.reshape(40, 20)[:, :6], memory[400:600].reshape(40, 5)
        results.append(module.matmul(a, np.ones((6, 5), np.float32), out).copy())
    np.testing.assert_allclose(*results, rtol=1e-6)


@pytest.mark.parametrize("name", ["layer_norm", "layer_norm_backward"])
def test_a_scale_that_is_no_column_goes_to_the_reference(name):
    written, read, numbers = TABLE[name]
    arguments = {one: values(shape) for one, shape in {**written, **read}.items()} | numbers
    arguments["scale"] = values((1, N))
    assert call(native, name, arguments) is call(functional, name, arguments) is ValueError


# --- Numbers ----------------------------------------------------------------------------------------------------------

NUMBERS = [
    (name, number)
    for name, (_, _, numbers) in TABLE.items()
    for number, value in numbers.items()
    if not isinstance(value, (bool, str)) and number not in ("key", "counter")  # which are 64 bits, no real numbers
] + [
    ("sparse_softmax_cross_entropy", "scale"),
    ("softmax_cross_entropy", "scale"),
    ("sigmoid_binary_cross_entropy", "scale"),
]


def arguments_of(name, **changed):
    written, read, numbers = TABLE[name]
    return {one: values(shape) for one, shape in {**written, **read}.items()} | numbers | changed


@pytest.mark.parametrize(("name", "number"), NUMBERS)
def test_a_number_beyond_a_double_is_an_error_and_nothing_is_done(name, number):
    arguments = arguments_of(name, **{number: 10**400})
    with pytest.raises(OverflowError):
        getattr(native, name)(**arguments, **scratch(name))


class Whole(int):
    """A whole number with a method of its own, which changes arrays while arguments are read."""

    victims = ()

    def __float__(self):
        for victim in self.victims:
            victim.resize(1, refcheck=False)
        return 0.5


class Broken(float):
    victims = ()
    __float__ = Whole.__float__


class Single(np.float32):
    victims = ()
    __float__ = Whole.__float__


@pytest.mark.parametrize("kind", [Whole, Broken, Single])
@pytest.mark.parametrize(("name", "number"), NUMBERS)
def test_reading_a_number_calls_nothing_that_could_change_arrays(name, number, kind):
    value = 0 if number in ("rate", "beta_1", "beta_2") else 1
    value = value if kind is Whole else 0.5
    arguments = arguments_of(name, **{number: kind(value)})
    arguments[number].victims = [array for array in arguments.values() if isinstance(array, np.ndarray)]
    results = [call(native, name, arguments), call(functional, name, arguments_of(name, **{number: value}))]
    for got, expected in zip(*results, strict=True):
        if expected is not None:
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


# --- Memory that changes ----------------------------------------------------------------------------------------------


def test_rows_that_change_after_they_were_handed_over_lead_nowhere():
    source, rows, out = np.zeros((50, 3000), np.float32), np.zeros(40, np.intp), np.ones((40, 3000), np.float32)
    for _ in range(20):
        rows[:] = 0
        gathered = native.begin_rows(source, rows, out)
        rows[:] = 2**40
        np.testing.assert_array_equal(gathered(), np.zeros_like(out))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_at_any_moment_loses_no_job_and_does_none_twice():
    # One thread forks while rows are being gathered for it; others hand over products, which lie on their stacks.
    program = """
import os, threading, time, numpy as np
from multilayer._core.kernels import _native
_native.share_among(2)
source, rows = np.arange(40_000, dtype=np.float32).reshape(400, 100), np.arange(399, -1, -1)
a, b = np.ones((800, 200), np.float32), np.ones((200, 50), np.float32)
done = threading.Event()
def multiply():
    while not done.is_set():
        assert (_native.matmul(a, b) == 200).all()
workers = [threading.Thread(target=multiply) for _ in range(2)]
for worker in workers: worker.start()
children = []
for number in range(60):
    out = np.zeros((400, 100), np.float32)
    gathered = _native.begin_rows(source, rows, out)
    time.sleep(number % 10 * 1e-6)
    child = os.fork()
    if child == 0:
        right = (gathered() == source[rows]).all()
        again = _native.begin_rows(source, rows, out)
        os._exit(0 if right and (again() == source[rows]).all() and (_native.matmul(a, b) == 200).all() else 3)
    assert (gathered() == source[rows]).all()
    children.append(child)
done.set()
for worker in workers: worker.join()
deadline = time.monotonic() + 40
for child in children:
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    if ended[0] == 0:
        os.kill(child, 9)
    assert ended == (child, 0), f"a child ended as {ended}"
"""
    environment = {**os.environ, "MULTILAYER_KERNELS": ""}  # the native ones, whatever this run is of
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], env=environment, check=True, timeout=60)


def test_threads_may_ask_for_one_gathering_while_another_binds_references():
    # Without Python's lock: whoever asks finds the rows whole, and a reference stays for as long as it may be called.
    x = np.random.default_rng(0).normal(size=(400, 300)).astype(np.float32)
    rows, strided, wrong = np.arange(399, -1, -1), x[:, ::2], []

    def ask(promise):
        if not np.array_equal(promise(), x[rows]) or not np.array_equal(native.relu(strided), functional.relu(strided)):
            wrong.append(promise)

    if native.share_among(2) < 2:
        pytest.skip("these kernels were built without threads")
    try:
        for _ in range(30):
            promise = native.begin_rows(x, rows, np.zeros_like(x))
            threads = [threading.Thread(target=ask, args=(promise,)) for _ in range(3)]
            threads.append(threading.Thread(target=native.bind, args=(functional,)))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        native.share_among(kernels.threads.available())
    assert not wrong
