"""Every native kernel does what its reference in `functional` does, on every kind of processor that is at hand."""

import ctypes
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from multilayer import functional
from multilayer._core import kernels

native = pytest.importorskip("multilayer._core.kernels._native", reason="the native kernels are not built")

FORWARD = ("linear", "relu", "sigmoid", "tanh", "softmax")
BACKWARD = ("relu_backward", "sigmoid_backward", "tanh_backward", "softmax_backward")
EXTREMES = [0.0, -0.0, 1e-45, -1e-39, 1.2e-38, 1e-7, 88.7, 89.0, -87.4, -103.9, -104.5, 1e4, -1e4, 3.4e38, -3.4e38]

shapes = st.tuples(st.integers(1, 40), st.integers(1, 70))
seeds = st.integers(0, 2**32 - 1)
generously = settings(max_examples=25, deadline=None)

# Where there are no POSIX threads, such as in Windows, nothing is shared.
several_threads = pytest.mark.skipif(native.share_among(2) < 2, reason="these kernels were built without threads")
native.share_among(kernels.threads.available())


@pytest.fixture(autouse=True, params=native.supported())
def kind(request):
    """Runs a test with each kind of loops, and puts the usual one back."""
    native.bind(functional)
    native.choose(request.param)
    yield request.param
    native.choose(native.supported()[0])


def normal(seed, shape, scale=4.0):
    """Random numbers at an address that is no multiple of a vector's length, though still of a float's."""
    numbers = np.random.default_rng(seed).normal(scale=scale, size=shape)
    memory = np.empty(numbers.size + 3, np.float32)
    view = memory[3:].reshape(shape)
    view[...] = numbers
    return view


def assert_close(got, expected, tolerance=4e-7, tiny=3e-38):
    """Within a few units in the last place; what is next to the smallest normal number may have become zero."""
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tiny)


def exact(name, *arrays, **options):
    """What the reference makes of the same numbers in float64."""
    wide = [a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype == np.float32 else a for a in arrays]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return getattr(functional, name)(*wide, **options)


# --- Activations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORWARD)
@generously
@given(seed=seeds, shape=shapes, with_bias=st.booleans())
def test_activation_is_the_references(name, seed, shape, with_bias):
    x = normal(seed, shape)
    bias = normal(seed + 1, shape[1]) if with_bias else None
    expected = exact(name, x + bias if with_bias else x)
    kernel = getattr(native, name)
    assert_close(kernel(x, None, bias), expected, 4e-6)
    out = np.full_like(x, np.nan)
    assert kernel(x, bias=bias, out=out) is out
    assert_close(out, expected, 4e-6)
    kernel(x, out=x, bias=bias)  # in place
    assert_close(x, expected, 4e-6)


@pytest.mark.parametrize("name", BACKWARD)
@generously
@given(seed=seeds, shape=shapes)
def test_backward_pass_and_bias_gradient_are_the_references(name, seed, shape):
    dy = normal(seed, shape)
    y = getattr(functional, name.removesuffix("_backward"))(normal(seed + 1, shape))
    expected = exact(name, dy, y)
    out, db = np.full_like(dy, np.nan), np.full(shape[1], np.nan, np.float32)
    assert getattr(native, name)(dy, y, out=out, db=db) is out
    scale = np.abs(dy).max()
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6 * scale)
    np.testing.assert_allclose(db, expected.sum(axis=0), rtol=1e-5, atol=1e-6 * scale * shape[0])
    np.testing.assert_array_equal(getattr(native, name)(dy, y), out)


@pytest.mark.parametrize("name", ["selu", "mish"])
@generously
@given(seed=seeds, shape=shapes)
def test_activations_of_their_input_are_the_references(name, seed, shape):
    x, dy = normal(seed, shape), normal(seed + 1, shape)
    expected = exact(name, x)
    out = np.full_like(x, np.nan)
    assert getattr(native, name)(x, out=out) is out
    assert_close(out, expected, 4e-6)
    dx = getattr(native, f"{name}_backward")(dy, x, out=np.full_like(x, np.nan))
    expected = exact(f"{name}_backward", dy, x)
    np.testing.assert_allclose(dx, expected, rtol=1e-5, atol=1e-6 * np.abs(dy).max())
    getattr(native, name)(x, out=x)  # in place
    np.testing.assert_array_equal(x, out)


@generously
@given(seed=seeds, shape=shapes)
def test_sum_rows_is_the_references(seed, shape):
    x = normal(seed, shape)
    out = np.full(x.shape[1], np.nan, np.float32)
    assert native.sum_rows(x, out=out) is out
    np.testing.assert_allclose(out, exact("sum_rows", x), rtol=1e-5, atol=1e-6 * np.abs(x).sum())


@pytest.mark.parametrize(("name", "last_places"), [("sigmoid", 3), ("tanh", 3)])
def test_error_over_the_whole_range_of_floats(name, last_places):
    # every 4,099th float there is, of both signs, and the range where the function bends, densely
    everywhere = np.arange(0, 2**32, 4099, dtype=np.uint64).astype(np.uint32).view(np.float32)
    x = np.concatenate([everywhere[np.isfinite(everywhere)], np.linspace(-95, 95, 1_000_001, dtype=np.float32)])
    y, expected = getattr(native, name)(x), exact(name, x)
    normal = np.abs(expected) > 3e-38
    spacing = np.spacing(np.abs(expected[normal]).astype(np.float32))
    assert np.max(np.abs(y[normal] - expected[normal]) / spacing) <= last_places
    assert np.all(np.abs(y[~normal]) <= 3.1e-38)


def test_error_of_the_exponential_over_its_whole_range():
    # softmax of (x, 0) is (e^x, 1) / (e^x + 1): the ratio of the two is the exponential alone
    x = np.concatenate([np.linspace(-87.3, 0, 1_000_001), -np.geomspace(1e-38, 1, 100_000)]).astype(np.float32)
    y = native.softmax(np.stack([x, np.zeros_like(x)], axis=1)).astype(np.float64)
    np.testing.assert_allclose(y[:, 0] / y[:, 1], np.exp(x.astype(np.float64)), rtol=4e-7)


@pytest.mark.parametrize(("name", "last_places"), [("selu", 3), ("mish", 5)])
def test_error_of_activations_of_their_input(name, last_places):
    x = np.concatenate([np.linspace(-85, 95, 1_000_001), np.geomspace(1e-30, 1e30, 10_000)]).astype(np.float32)
    y, expected = getattr(native, name)(x), exact(name, x)
    assert np.max(np.abs(y - expected) / np.spacing(np.abs(expected).astype(np.float32))) <= last_places
    # Where exp(x) is subnormal, so is what mish makes of it, or nearly.
    far = np.array([-87.4, -103.9, -1e4, -3.4e38, -0.0, 1e-45, np.nan], np.float32)
    assert_close(getattr(native, name)(far), exact(name, far), tiny=2e-36)


@pytest.mark.parametrize("name", FORWARD)
def test_extreme_values_give_what_the_reference_gives(name):
    x = np.array([EXTREMES, EXTREMES[::-1]], np.float32)
    assert_close(getattr(native, name)(x, np.empty_like(x)), exact(name, x).astype(np.float32))


@pytest.mark.parametrize("name", FORWARD)
def test_nan_stays_nan(name):
    x = np.array([[1.0, np.nan, 2.0]] * 17, np.float32)
    assert np.isnan(getattr(native, name)(x, np.empty_like(x))[:, 1]).all()


# --- Products ---------------------------------------------------------------------------------------------------------


@generously
@given(
    seed=seeds,
    m=st.integers(1, 140),
    k=st.sampled_from([1, 2, 3, 31, 50, 128, 784, 1500]),
    n=st.integers(1, 100),
    transposed=st.booleans(),
)
def test_product_with_few_columns_is_the_references(seed, m, k, n, transposed):
    a, b = normal(seed, (m, k), 1.0), normal(seed + 1, (k, n), 1.0)
    if transposed:
        a = np.asfortranarray(a)
    expected = exact("matmul", a, b)
    out = np.full((m, n), np.nan, np.float32)
    assert native.matmul(a, b, out) is out
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5 * k)
    np.testing.assert_array_equal(native.matmul(a, b), out)


@pytest.mark.parametrize("columns", [1, 2, 3, 5, 7, 10, 17, 20, 33, 50, 61])
@pytest.mark.parametrize("rows", [1, 2, 7, 20])
def test_memory_beyond_the_matrix_is_not_touched(rows, columns):
    # vectors reach beyond the end of a row; b ends where a page of memory that may not be read begins
    mmap = pytest.importorskip("mmap")
    pages = mmap.mmap(-1, 3 * mmap.PAGESIZE)
    whole = np.frombuffer(pages, np.float32)
    b = whole[: 2 * mmap.PAGESIZE // 4][-rows * columns :].reshape(rows, columns)
    b[...] = 1.0
    libc = ctypes.CDLL(None)
    end = whole.ctypes.data + 2 * mmap.PAGESIZE
    if not hasattr(libc, "mprotect") or libc.mprotect(ctypes.c_void_p(end), ctypes.c_size_t(mmap.PAGESIZE), 0):
        pytest.skip("memory cannot be protected here")
    try:
        np.testing.assert_array_equal(native.matmul(np.ones((9, rows), np.float32), b), np.full((9, columns), rows))
    finally:
        libc.mprotect(ctypes.c_void_p(end), ctypes.c_size_t(mmap.PAGESIZE), 3)


@several_threads
@pytest.mark.parametrize("transposed", [False, True])
def test_a_product_shared_with_the_helper_is_the_same_bit_for_bit(transposed):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((800, 500), np.float32), rng.standard_normal((500, 50), np.float32)
    if transposed:
        a = np.asfortranarray(a)
    native.share_among(2)
    try:
        shared = [native.matmul(a, b) for _ in range(5)]
    finally:
        native.share_among(kernels.threads.available())
    alone = np.concatenate([native.matmul(a[i : i + 200], b) for i in range(0, 800, 200)])
    for product in shared:
        np.testing.assert_array_equal(product, alone)


SHAPES = [
    (4, 1, 97),
    (5, 3, 100),
    (7, 1025, 130),
    (145, 300, 97),
    (1300, 513, 100),
    (6, 256, 32),
    (30, 300, 7),
    (50, 20, 3),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("turned", ["nn", "tn", "nt", "tt"])
def test_a_product_is_the_references_and_the_same_bit_for_bit_on_any_number_of_threads(shape, turned):
    m, k, n = shape
    a, b = normal(0, (m, k), 1.0), normal(1, (k, n), 1.0)
    a = np.asfortranarray(a) if turned[0] == "t" else a
    b = np.asfortranarray(b) if turned[1] == "t" else b
    products = []
    try:
        for threads in (1, 2, 3):
            native.share_among(threads)
            products.append(native.matmul(a, b))
    finally:
        native.share_among(kernels.threads.available())
    np.testing.assert_allclose(products[0], exact("matmul", a, b), rtol=1e-4, atol=1e-5 * k)
    for product in products[1:]:
        np.testing.assert_array_equal(product, products[0])


@pytest.mark.parametrize("shape", [(70, 30, 97), (67, 1030, 130), (1300, 513, 100), (131, 300, 7), (64, 16, 96)])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("zeros", ["blocks", "nearly all", "all", "negative"])
def test_steps_of_zeros_are_left_out_and_change_no_bit(shape, turned, zeros):
    m, k, n = shape
    a, b = normal(0, (m, k), 1.0), normal(1, (k, n), 1.0)
    if zeros == "blocks":
        a[: m // 2, : 2 * k // 3] = a[m // 3 :, k // 2 :] = 0.0
    else:
        a[:] = -0.0 if zeros == "negative" else 0.0
        if zeros == "nearly all":
            a[m - 1, k - 1] = a[0, 0] = a[m // 2, k // 2] = 2.0
    rows = np.concatenate([native.matmul(a[i : i + 1], b) for i in range(m)])  # so few are done as they are
    given = np.asfortranarray(a) if turned else a
    try:
        for threads in (1, 2, 3):
            native.share_among(threads)
            np.testing.assert_array_equal(native.matmul(given, b), rows)
    finally:
        native.share_among(kernels.threads.available())
    np.testing.assert_allclose(rows, exact("matmul", a, b), rtol=1e-4, atol=1e-5 * k)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_nothing_is_left_out_that_times_zero_is_no_number(turned, odd):
    a, b = np.zeros((70, 300), np.float32), normal(0, (300, 130), 1.0)
    a[:, :9] = 1.0
    b[200, 129] = odd
    given = [np.asfortranarray(one) if turned else one for one in (a, b)]
    with np.errstate(invalid="ignore"):
        product = native.matmul(*given)
    assert np.isnan(product[:, 129]).all()
    np.testing.assert_allclose(product[:, :129], exact("matmul", a, b[:, :129]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 9, 20), (9, 1, 2), (130, 40, 3), (40, 60, 128), (128, 16, 1)])
@pytest.mark.parametrize("shared", [False, True])
def test_products_side_by_side_are_those_of_each(shape, shared):
    m, k, n = shape
    a = normal(0, (m, k) if shared else (m, 3, k), 1.0)
    a = np.broadcast_to(a, (3, m, k)) if shared else a.transpose(1, 0, 2)
    b, bias, out = normal(1, (3, k, n), 1.0), normal(2, (3, n), 1.0), np.full((m, 3, n), np.nan, np.float32)
    target = out.transpose(1, 0, 2)
    assert native.matmul(a, b, target) is target
    np.testing.assert_array_equal(native.matmul(a, b), target)
    for i in range(3):
        np.testing.assert_array_equal(native.matmul(np.ascontiguousarray(a[i]), b[i]), out[:, i])
    turned = native.matmul(b.transpose(0, 2, 1), a.transpose(0, 2, 1))
    np.testing.assert_allclose(turned, target.transpose(0, 2, 1), rtol=1e-4, atol=1e-5 * k)
    for activation in ("linear", "relu", "softmax"):
        assert native.dense(a, b, bias, activation, target) is target
        for i in range(3):
            each = native.dense(np.ascontiguousarray(a[i]), b[i], bias[i], activation)
            # Softmax takes rows that lie side by side in groups, and sums in another order.
            np.testing.assert_allclose(each, out[:, i], rtol=1e-6 if activation == "softmax" else 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", FORWARD)
def test_an_output_of_every_fourth_or_eighth_number_is_right(dtype, activation):
    x, W, b = np.ones((3, 2), dtype), np.linspace(-1, 1, 10).astype(dtype).reshape(2, 5), np.ones(5, dtype)
    expected = getattr(functional, activation)(x @ W + b)
    for step in (2, 4, 8):
        out = np.zeros((3, 5 * step), dtype)[:, ::step]
        np.testing.assert_allclose(native.dense(x, W, b, activation, out), expected, rtol=1e-6)


@pytest.mark.parametrize("out", [np.empty((2, 4, 5)), np.empty((2, 5, 4), np.float32)])
def test_a_stack_of_other_sides_is_the_references(out):
    a, b = np.ones((2, 4, 3), np.float32), np.ones((2, 3, 5), np.float32)
    if out.shape == (2, 4, 5):
        np.testing.assert_array_equal(native.matmul(a, b, out), np.full((2, 4, 5), 3.0))
    else:
        with pytest.raises(ValueError, match="mismatch"):
            native.matmul(a, b, out)
    apart = np.lib.stride_tricks.as_strided(np.zeros(60, np.float32), (2, 4, 5), (80, 8, 4))  # rows overlap
    np.testing.assert_array_equal(native.dense(a, b, None, "linear", None), np.full((2, 4, 5), 3.0))
    native.matmul(a, b, apart)  # by NumPy, as it pleases


@several_threads
def test_products_that_overlap_are_not_written_side_by_side():
    x, W = normal(0, (64, 64, 64), 1.0), normal(1, (64, 64, 64), 1.0)
    memory = np.zeros(2 * 64 * 64, np.float32)
    out = np.lib.stride_tricks.as_strided(memory, (64, 64, 64), (256, 256, 4))  # each a row behind the one before
    found = {native.matmul(x, W, out).tobytes() for _ in range(20)}
    assert len(found) == 1


@pytest.mark.parametrize("shape", [(33, 20, 10), (128, 300, 130), (50, 7, 2), (9, 40, 200)])
@pytest.mark.parametrize("activation", FORWARD)
@pytest.mark.parametrize("threads", [1, 3])
def test_a_dense_layer_forward_and_back_is_the_references(shape, activation, threads):
    n, d, h = shape
    x, W, b, dy = normal(0, (n, d), 1.0), normal(1, (d, h), d**-0.5), normal(2, h, 1.0), normal(3, (n, h), 1.0)
    out = np.full((n, h), np.nan, np.float32)
    native.share_among(threads)
    try:
        assert native.dense(x, W, b, activation, out) is out
        got = [np.full_like(one, np.nan) for one in (dy, W, b, x)]
        assert native.dense_backward(dy, out, x, W, activation, *got) is got[3]
    finally:
        native.share_among(kernels.threads.available())
    np.testing.assert_allclose(out, exact("dense", x, W, b, activation), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(native.dense(x, W, b, activation), out)
    expected = [np.empty(one.shape) for one in (dy, W, b, x)]
    exact("dense_backward", dy, out, x, W, activation, *expected)
    for number, (one, wanted) in enumerate(zip(got, expected, strict=True)):
        if activation != "linear" or number:  # da is dy itself there
            np.testing.assert_allclose(one, wanted, rtol=1e-3, atol=1e-4 * n**0.5)


def test_a_dense_layer_without_bias_or_gradients_that_nobody_wants():
    x, W, dy = normal(0, (8, 5), 1.0), normal(1, (5, 6), 1.0), normal(2, (8, 6), 1.0)
    np.testing.assert_allclose(native.dense(x, W), exact("dense", x, W), rtol=1e-5, atol=1e-5)
    dx = np.empty_like(x)
    assert native.dense_backward(dy, None, x, W, "linear", dx=dx) is dx
    np.testing.assert_allclose(dx, dy @ W.T, rtol=1e-5, atol=1e-5)
    assert native.dense_backward(dy, None, x, W, "linear") is None


@pytest.mark.parametrize("n", [0, 3])
def test_products_of_no_size_are_the_references(n):
    x, W = np.ones((n, 0), np.float32), np.ones((0, 4), np.float32)
    np.testing.assert_array_equal(native.matmul(x, W), np.zeros((n, 4), np.float32))
    np.testing.assert_array_equal(native.dense(x, W, np.ones(4, np.float32), "relu"), np.ones((n, 4), np.float32))


# --- Splines ----------------------------------------------------------------------------------------------------------


def splines(counts, h, seed=0):
    """Knots drawn by chance, and what each column's spline is at them."""
    stream = np.random.default_rng(seed)
    edges = [np.sort(stream.normal(size=count + 1)).astype(np.float32) for count in counts]
    low, factor = (
        np.concatenate([[], *parts]).astype(np.float32)
        for parts in ([e[:-1] for e in edges], [1 / np.diff(e) for e in edges])
    )
    return low, factor, np.array(counts, np.intp), normal(seed + 1, (sum(counts) + len(counts), h), 1.0)


@pytest.mark.parametrize("counts", [[3, 0, 5], [16] * 40, [0, 0], [255, 2]])
@pytest.mark.parametrize("h", [1, 30, 32, 75])
@pytest.mark.parametrize("n", [1, 70])
@pytest.mark.parametrize("activation", ["linear", "relu", "sigmoid", "tanh"])
@pytest.mark.parametrize("with_base", [True, False])
def test_a_sum_of_splines_is_the_references(counts, h, n, activation, with_base):
    knots, x = splines(counts, h), normal(2, (n, len(counts)), 1.0)
    base = normal(3, (n, h), 1.0) if with_base else None
    out = np.full((n, h), np.nan, np.float32)
    assert native.linear_splines(x, *knots, base, activation, out) is out
    np.testing.assert_allclose(out, exact("linear_splines", x, *knots, base, activation), rtol=1e-5, atol=1e-5)
    if with_base:  # in place
        assert native.linear_splines(x, *knots, base, activation, base) is base
        np.testing.assert_array_equal(base, out)


@several_threads
def test_a_sum_of_splines_has_the_same_bits_for_any_number_of_threads_and_rows():
    knots, x = splines([16] * 20, 96), normal(2, (3000, 20), 1.0)
    whole = native.linear_splines(x, *knots)
    native.share_among(1)
    try:
        np.testing.assert_array_equal(native.linear_splines(x, *knots), whole)
    finally:
        native.share_among(kernels.threads.available())
    np.testing.assert_array_equal(native.linear_splines(x[1500:1503], *knots), whole[1500:1503])


def test_splines_are_constant_beyond_their_knots_and_nothing_of_nothing():
    knots = splines([4], 2)
    ends = native.linear_splines(np.array([[-np.inf], [-9.0], [9.0], [np.inf], [np.nan]], np.float32), *knots)
    np.testing.assert_allclose(ends[:4], knots[3][[0, 0, -1, -1]], rtol=1e-6)
    assert np.isnan(ends[4]).all()


@pytest.mark.parametrize("counts", [[2], [2, 3], [-1, 6], [6, -1], [2**40, 3]])
def test_bins_that_do_not_add_up_are_refused_by_the_reference(counts):
    low, factor, _, values = splines([2, 2], 3)
    with pytest.raises((ValueError, IndexError, MemoryError)):
        native.linear_splines(normal(0, (5, 2), 1.0), low, factor, np.array(counts, np.intp), values)


def test_a_column_of_more_bins_than_can_be_packed_is_the_references():
    knots, x = splines([1000, 3], 40), normal(2, (9, 2), 1.0)
    np.testing.assert_array_equal(native.linear_splines(x, *knots), functional.linear_splines(x, *knots))


# --- Losses -----------------------------------------------------------------------------------------------------------


def loss_results(name, a, t, scale):
    y_hat, da, losses = np.full_like(a, np.nan), np.full_like(a, np.nan), np.full(len(a), np.nan, np.float32)
    results = getattr(native, name)(a, t, y_hat, da, losses, scale)
    assert results[0] is losses
    assert results[1] is y_hat
    assert results[2] is da
    return results


@pytest.mark.parametrize(
    "name", ["sparse_softmax_cross_entropy", "softmax_cross_entropy", "sigmoid_binary_cross_entropy"]
)
@generously
@given(seed=seeds, shape=shapes, a_scale_each=st.booleans())
def test_cross_entropy_is_the_references(name, seed, shape, a_scale_each):
    rng = np.random.default_rng(seed)
    n, k = shape
    a = normal(seed, shape, 20.0)
    t = rng.integers(0, k, n) if name.startswith("sparse") else rng.random(shape, dtype=np.float32)
    scale = rng.random(n, dtype=np.float32) if a_scale_each else rng.random()
    expected = exact(name, a, t, scale=scale)
    for got, wanted in zip(loss_results(name, a, t, scale), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=4e-6, atol=4e-5)


def test_cross_entropy_of_scores_far_apart_is_exact():
    a = np.array([[500.0, -500.0]], np.float32)
    losses, _, da = loss_results("sparse_softmax_cross_entropy", a, np.array([1]), 1.0)
    assert losses.tolist() == [1000.0]
    assert da.tolist() == [[1.0, -1.0]]
    losses, _, da = loss_results("sigmoid_binary_cross_entropy", a, np.array([[0.0, 1.0]], np.float32), 1.0)
    assert losses.tolist() == [500.0]
    assert da.tolist() == [[0.5, -0.5]]


def test_a_label_that_is_no_class_is_refused_before_memory_is_touched():
    a = np.zeros((2, 3), np.float32)
    with pytest.raises(IndexError):
        loss_results("sparse_softmax_cross_entropy", a, np.array([0, 3]), 1.0)


@generously
@given(seed=seeds, shape=shapes)
def test_hits_are_counted_as_argmax_counts_them(seed, shape):
    rng = np.random.default_rng(seed)
    y = rng.choice(np.array([0.0, 0.25, 0.5, np.nan], np.float32), shape, p=[0.3, 0.3, 0.3, 0.1])  # with many ties
    labels = rng.integers(0, shape[1], shape[0])
    assert native.count_hits(y, labels) == np.sum(np.argmax(y, axis=1) == labels)


@generously
@given(seed=seeds, shape=shapes)
def test_the_total_is_the_references(seed, shape):
    x = normal(seed, shape)
    assert native.total(x) == pytest.approx(exact("total", x), abs=1e-12 * float(np.abs(x).sum()))


# --- Normalization ----------------------------------------------------------------------------------------------------


def normalized(module, kind, dtype, seed, n, k, affine, centered):
    """What the forward and the backward pass write, by name."""
    x, dy = normal(seed, (n, k)).astype(dtype) + 1, normal(seed + 1, (n, k)).astype(dtype)
    gamma, beta = (normal(seed + i, k).astype(dtype) if affine else None for i in (2, 3))
    names = ("y", "x_hat", "dx")
    found = {name: np.empty((n, k), dtype) for name in names}
    found |= {name: np.empty(k, dtype) for name in ("dgamma", "dbeta")}
    if kind == "batch":
        found |= {name: np.empty(k, dtype) for name in ("mean", "variance", "scale")}
        forward = (found[name] for name in ("y", "x_hat", "mean", "variance", "scale"))
        module.batch_norm(x, gamma, beta, 0.01, *forward)
        extra = ()
    else:
        found["scale"] = np.empty((n, 1), dtype)
        module.layer_norm(x, gamma, beta, 0.01, found["y"], found["x_hat"], found["scale"], centered)
        extra = (centered,)
    backward = getattr(module, f"{kind}_norm_backward")
    backward(dy, found["x_hat"], gamma, found["scale"], found["dx"], found["dgamma"], found["dbeta"], *extra)
    return found


@pytest.mark.parametrize(("kind", "centered"), [("batch", True), ("layer", True), ("layer", False)])
@pytest.mark.parametrize("affine", [True, False])
@generously
@given(seed=seeds, n=st.integers(1, 40), k=st.integers(1, 70))
def test_normalization_is_the_references(kind, centered, affine, seed, n, k):
    got = normalized(native, kind, "float32", seed, n, k, affine, centered)
    expected = normalized(functional, kind, "float64", seed, n, k, affine, centered)
    for name, array in expected.items():
        np.testing.assert_allclose(got[name], array, rtol=2e-4, atol=2e-4, err_msg=name)


# --- Optimizer steps --------------------------------------------------------------------------------------------------

ADAM = {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
RMS = {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-7}
STEPS = {
    "sgd": ("sgd_step", (), {"learning_rate": 0.1}),
    "momentum": ("momentum_step", ("m",), {"learning_rate": 0.1, "momentum": 0.9, "nesterov": False}),
    "nesterov": ("momentum_step", ("m",), {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    "adam": ("adam_step", ("m", "v"), ADAM),
    "amsgrad": ("amsgrad_step", ("m", "v", "v_hat"), ADAM),
    "adamax": ("adamax_step", ("m", "u"), ADAM),
    "nadam": (
        "nadam_step",
        ("m", "v"),
        {"m_factor": 0.01, "g_factor": 0.02, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
    ),
    "adagrad": ("adagrad_step", ("v",), {"learning_rate": 0.01, "epsilon": 1e-3}),
    "adadelta": ("adadelta_step", ("v", "d"), RMS),
    "lion": ("lion_step", ("m",), {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.99}),
    "rmsprop": ("rmsprop_step", ("v",), {**RMS, "momentum": 0.0}),
    "rmsprop momentum": ("rmsprop_step", ("v", "m"), {**RMS, "momentum": 0.5}),
    "rmsprop centered": ("rmsprop_step", ("v", "mean"), {**RMS, "momentum": 0.0}),
    "rmsprop both": ("rmsprop_step", ("v", "mean", "m"), {**RMS, "momentum": 0.5}),
}


def walk(module, rule, w, gradients):
    name, slots, options = STEPS[rule]
    w = w.copy()
    state = {slot: np.zeros_like(w) for slot in slots}
    for number, g in enumerate(gradients.astype(w.dtype), start=1):
        extra = {"step": number} if rule in ("adam", "amsgrad", "adamax", "nadam") else {}
        getattr(module, name)(w=w, g=g, work=np.empty_like(w), **state, **options, **extra)
    return {"w": w, **state}


@pytest.mark.parametrize("rule", ["sgd", "adam"])
@pytest.mark.parametrize("size", [1, 150, 40_000])
def test_steps_in_double_precision_are_the_references_to_their_last_digits(rule, size):
    w, gradients = normal(1, size).astype(np.float64), normal(2, (3, size)).astype(np.float64)
    got, expected = walk(native, rule, w, gradients), walk(functional, rule, w, gradients)
    for name in expected:
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("rule", STEPS)
@generously
@given(seed=seeds, size=st.integers(1, 150))
def test_step_is_the_references(rule, seed, size):
    w, gradients = normal(seed, size), normal(seed + 1, (3, size))
    got = walk(native, rule, w, gradients)
    expected = walk(functional, rule, w.astype(np.float64), gradients)
    for name, vector in expected.items():
        # the centered form divides by a variance that may have cancelled to nearly nothing
        loose = 2e-2 if "mean" in expected and name in "wm" else 1e-5
        np.testing.assert_allclose(got[name], vector, rtol=loose, atol=loose, err_msg=name)


@several_threads
@pytest.mark.parametrize("rule", STEPS)
def test_a_long_vector_gives_the_same_on_several_threads_as_on_one(rule):
    rng = np.random.default_rng(0)
    w, gradients = rng.standard_normal(400_003, dtype=np.float32), rng.standard_normal((2, 400_003), dtype=np.float32)
    native.share_among(1)
    alone = walk(native, rule, w, gradients)
    try:
        assert native.share_among(5) == 5
        for name, vector in walk(native, rule, w, gradients).items():
            np.testing.assert_array_equal(vector, alone[name])
    finally:
        native.share_among(kernels.threads.available())


def test_several_python_threads_may_step_at_once():
    native.share_among(3)
    vectors = [np.full(300_000, i, np.float32) for i in range(4)]
    ones = np.ones(300_000, np.float32)

    def descend(w):
        for _ in range(20):
            native.sgd_step(w, ones, ones, learning_rate=1.0)

    workers = [threading.Thread(target=descend, args=(w,)) for w in vectors]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    native.share_among(kernels.threads.available())
    assert [w[[0, -1]].tolist() for w in vectors] == [[i - 20.0] * 2 for i in range(4)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_steps_with_threads_of_its_own():
    program = """
import os, numpy as np
from multilayer._core.kernels import _native
_native.share_among(2)
w, g = np.zeros(300_000, np.float32), np.ones(300_000, np.float32)
_native.sgd_step(w, g, g, learning_rate=1.0)
child = os.fork()
_native.sgd_step(w, g, g, learning_rate=1.0)
if child == 0:
    os._exit(0 if (w == -2).all() else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=60)


def test_flushing_is_the_references():
    x = np.array([1e-45, -1e-33, 1e-32, -3.0, 0.0, 1.2e-32, np.nan] * 9, np.float32)
    got, expected = x.copy(), x.copy()
    native.flush_subnormals(got, np.empty_like(x))
    functional.flush_subnormals(expected, np.empty_like(x))
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("bad", [np.nan, -np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("size", [1, 17, 20_000])
def test_what_is_not_finite_is_found_wherever_it_is(bad, size):
    x = np.full((size, 1), -np.finfo(np.float32).max, np.float32)  # the sum of which is not finite
    x[::2] = np.finfo(np.float32).smallest_subnormal
    for place in {0, size // 2, size - 1}:
        wrong = x.copy()
        wrong[place] = bad
        with np.errstate(all="raise"):
            for module in (native, functional):
                assert module.all_finite(x) is True
                assert module.all_finite(wrong) is False


def test_running_means_do_not_get_subnormal():
    tiny = np.finfo(np.float32).tiny
    m, v = np.full(100, 2e-38, np.float32), np.full(100, 2e-38, np.float32)
    w, g = np.zeros(100, np.float32), np.zeros(100, np.float32)
    for step in range(1, 30):
        native.adam_step(w, g, m, v, w, **{**ADAM, "beta_2": 0.9}, step=step)
        for mean in (m, v):
            assert np.all((mean == 0) | (np.abs(mean) >= tiny))


# --- Rows, rescaling, dropout -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "target"), [("float32", "float32"), ("uint8", "float32"), ("int64", "int64")])
@generously
@given(data=st.data())
def test_rows_are_gathered_as_indexing_gathers_them(source, target, data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=40))
    x = (np.arange(np.prod(shape)).reshape(shape) % 251).astype(source)
    rows = data.draw(hnp.arrays(np.intp, st.integers(1, 20), elements=st.integers(0, shape[0] - 1)))
    out = np.zeros((len(rows), *shape[1:]), target)
    assert native.take_rows(x, rows, out) is out
    np.testing.assert_array_equal(out, x[rows])


@several_threads
def test_rows_gathered_in_the_background_are_there_when_asked_for():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, (500, 300), dtype=np.uint8)
    native.share_among(2)
    try:
        outs, promises = [], []
        for number in range(60):  # some are begun by the helper, some not when asked for, some never asked for
            rows = rng.integers(0, 500, 40)
            out = np.empty((40, 300), np.float32)
            promise = native.begin_rows(x, rows, out)
            if number % 3:
                assert promise() is out
                assert promise() is out
                np.testing.assert_array_equal(out, x[rows])
            elif number % 2:
                outs.append((out, rows))
                promises.append(promise)
        for promise, (_, rows) in zip(promises, outs, strict=True):
            np.testing.assert_array_equal(promise(), x[rows])
        native.begin_rows(x, rows, out)  # dropped at once
        np.testing.assert_array_equal(out, x[rows])
    finally:
        native.share_among(kernels.threads.available())


@generously
@given(seed=seeds, shape=shapes)
def test_rescaling_is_the_references(seed, shape):
    x = normal(seed, shape, 255.0)
    np.testing.assert_allclose(
        native.rescale(x, 1 / 255, -0.5), exact("rescale", x, 1 / 255, -0.5), rtol=1e-5, atol=1e-6
    )


@generously
@given(
    seed=seeds,
    shape=shapes,
    rate=st.floats(0, 0.99),
    key=st.integers(0, 2**64 - 1),
    counter=st.integers(0, 2**64 - 10_000),
)
def test_dropout_draws_the_very_same_mask(seed, shape, rate, key, counter):
    x = normal(seed, shape)
    got = native.dropout(x, rate, key, counter, np.empty_like(x), np.empty_like(x))
    expected = functional.dropout(x, rate, key, counter, np.empty_like(x), np.empty_like(x))
    np.testing.assert_array_equal(got[1], expected[1])
    np.testing.assert_array_equal(got[0], expected[0])


# --- The same numbers, wherever they lie ------------------------------------------------------------------------------


def at_address(array, offset):
    memory = np.empty(array.size + 32, array.dtype)
    start = (-(memory.ctypes.data // 4) % 16 + offset) % 16
    view = memory[start : start + array.size].reshape(array.shape)
    view[...] = array
    return view


@pytest.mark.parametrize("columns", [3, 10, 50, 67])
def test_results_do_not_depend_on_the_address(columns):
    a, t, bias = normal(0, (33, columns)), np.arange(33) % columns, normal(1, columns)
    results = []
    for offset in (0, 1, 5, 15):
        x, b = at_address(a, offset), at_address(bias, offset)
        y_hat, da, db = (at_address(z, offset) for z in (a, a, bias))
        losses, _, _ = native.sparse_softmax_cross_entropy(x, t, y_hat, da)
        results.append([losses, y_hat, da, native.softmax(x, None, b), native.tanh(x, None, b), native.sum_rows(x, db)])
    for other in results[1:]:
        for got, expected in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(got, expected)


# --- What does not suit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x",
    [
        np.linspace(-3, 3, 12).reshape(3, 4),
        np.linspace(-3, 3, 12, dtype=np.float32).reshape(4, 3).T,
        np.linspace(-3, 3, 24, dtype=np.float32).reshape(3, 8)[:, ::2],
        np.arange(12).reshape(3, 4),
        np.frombuffer(b"x" + np.ones(12, np.float32).tobytes(), np.uint8)[1:].view(np.float32).reshape(3, 4),
    ],
    ids=["float64", "transposed", "strided", "integers", "unaligned"],
)
@pytest.mark.parametrize("name", FORWARD)
def test_what_does_not_suit_the_kernel_goes_to_the_reference(name, x):
    np.testing.assert_array_equal(getattr(native, name)(x), getattr(functional, name)(x))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("relu", ()),
        ("relu", (np.ones((2, 3), np.float32), np.ones((2, 4), np.float32))),
        ("sum_rows", (np.ones((2, 3), np.float32), np.ones(4, np.float32))),
        ("sgd_step", (np.ones(3, np.float32), np.ones(4, np.float32), np.ones(3, np.float32))),
    ],
)
def test_errors_are_the_references(name, arguments):
    options = {"learning_rate": 0.1} if name == "sgd_step" else {}
    with pytest.raises(Exception) as expected:  # noqa: PT011 - whatever NumPy says
        getattr(functional, name)(*arguments, **options)
    with pytest.raises(expected.type):
        getattr(native, name)(*arguments, **options)


def test_an_unknown_argument_is_a_type_error():
    with pytest.raises(TypeError, match="slope"):
        native.relu(np.ones((1, 1), np.float32), slope=0.1)


def test_memory_that_may_not_be_written_is_not_written():
    x = np.ones((2, 2), np.float32)
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        native.sigmoid(x, out=x)


# --- The seam ---------------------------------------------------------------------------------------------------------


def test_every_kernel_is_dispatched_to():
    names = [name for name in dir(native) if not name.startswith("__")]
    ported = [name for name in names if callable(getattr(native, name)) and hasattr(functional, name)]
    assert len(ported) >= 20
    for name in ported:
        assert getattr(kernels, name) in (getattr(native, name), getattr(functional, name))


def described(**environment):
    program = "from multilayer._core import kernels; print(kernels.describe())"
    return subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )


def test_the_environment_chooses_the_kernels(kind):
    assert described(MULTILAYER_KERNELS="numpy").stdout == "numpy\n"
    assert described(MULTILAYER_KERNELS=kind).stdout == f"native ({kind})\n"
    assert described(MULTILAYER_KERNELS="").stdout == f"native ({native.supported()[0]})\n"


def test_kernels_that_are_not_there_are_refused_by_name():
    answer = described(MULTILAYER_KERNELS="vax")
    assert "MULTILAYER_KERNELS='vax' asks for kernels that cannot be used here. Here are:" in answer.stderr


@pytest.mark.parametrize("junk", ["junk", 3, object(), {}, [1.0]])
def test_what_a_linear_layer_does_not_use_may_be_anything(junk):
    x, W, dy = normal(0, (8, 5), 1.0), normal(1, (5, 6), 1.0), normal(2, (8, 6), 1.0)
    dx = native.dense_backward(dy, junk, x, W, "linear", junk, dx=np.empty_like(x))
    np.testing.assert_allclose(dx, dy @ W.T, rtol=1e-5, atol=1e-5)
