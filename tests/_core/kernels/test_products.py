"""Whose products are used, how many threads they have, and what happens where there is no memory for them."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import threadpoolctl

from multilayer._core import kernels
from multilayer._core.kernels import blas, products, threads

native = pytest.importorskip("multilayer._core.kernels._native", reason="the native kernels are not built")


@pytest.fixture(autouse=True)
def undecided(monkeypatch, own_products):
    monkeypatch.setattr(products, "_chosen", None)
    yield
    kernels.share_among(threads.available())


@pytest.mark.skipif(kernels.kind == "numpy", reason="there is no choice")
@pytest.mark.parametrize("by", ["own", "blas"])
def test_the_environment_decides_and_the_reason_says_so(monkeypatch, by):
    monkeypatch.setenv(products.VARIABLE, by)
    assert products.choice() == (by, f"MULTILAYER_PRODUCTS={by}")


@pytest.mark.skipif(kernels.kind == "numpy", reason="there is no choice")
@pytest.mark.parametrize(("own", "library", "by"), [(1.4, 1.0, "own"), (1.6, 1.0, "blas")])
def test_the_library_has_to_be_clearly_faster(monkeypatch, own, library, by):
    monkeypatch.delenv(products.VARIABLE, raising=False)
    now = iter(np.cumsum([0, *[own, 0, library, 0] * products.ROUNDS]))
    monkeypatch.setattr(products.time, "thread_time", lambda: float(next(now)))
    assert products.choice().by == by


@pytest.mark.skipif(kernels.kind == "numpy", reason="there is no choice")
def test_small_products_do_not_ask(monkeypatch):
    monkeypatch.setattr(products, "choice", lambda: pytest.fail("asked"))
    products.choose_for(products.LARGE_FLOP - 1)


@pytest.mark.skipif(kernels.kind == "numpy", reason="the references are NumPy's anyway")
def test_large_products_left_to_the_library_are_its_very_bits():
    a, b = np.random.default_rng(0).standard_normal((2, 300, 300), np.float32)
    kernels.leave_to_blas(True)
    np.testing.assert_array_equal(kernels.matmul(a, b), np.matmul(a, b))
    np.testing.assert_array_equal(kernels.dense(a, b, None, "relu"), kernels.relu(np.matmul(a, b)))


@pytest.mark.skipif(kernels.kind == "numpy", reason="there is no choice")
def test_smaller_products_have_the_same_bits_whatever_is_chosen():
    a, b = np.random.default_rng(0).standard_normal((2, 128, 128), np.float32)
    assert 1e6 < 2 * 128**3 < products.LARGE_FLOP
    before = kernels.matmul(a, b)
    kernels.leave_to_blas(True)
    np.testing.assert_array_equal(kernels.matmul(a, b), before)


@pytest.mark.skipif(kernels.kind == "numpy", reason="NumPy's references take it as they like")
def test_a_layer_without_an_activation_is_a_kernel_too():
    x, W = np.random.default_rng(0).standard_normal((2, 100, 100), np.float32)
    np.testing.assert_array_equal(kernels.dense(x, W), kernels.matmul(x, W))


def test_a_library_has_its_threads_back_when_it_was_measured_while_a_model_trained():
    before = [library.num_threads for library in blas._libraries()]
    with blas.threads_for(1.0):
        measuring = blas.single_threaded()
        measuring.__enter__()
    measuring.__exit__(None, None, None)
    assert [library.num_threads for library in blas._libraries()] == before


@pytest.mark.parametrize(
    ("library", "limit"),
    [
        (SimpleNamespace(internal_api="openblas", threading_layer="pthreads", num_threads=2), 2),
        (SimpleNamespace(internal_api="openblas", threading_layer="disabled", num_threads=1), None),
        (SimpleNamespace(internal_api="blis", threading_layer="openmp", num_threads=1), None),
        (SimpleNamespace(internal_api="mkl", num_threads=None), None),
    ],
)
def test_a_library_that_has_one_thread_anyway_limits_nothing(library, limit):
    assert blas._limit_of(library) == limit


def test_the_own_variable_comes_before_those_of_libraries(monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert threads.available() == 2
    monkeypatch.setenv(threads.OWN_CHOICE, "3")
    assert threads.available() == 3
    monkeypatch.setenv(threads.OWN_CHOICE, "many")
    assert threads.available() == 2


def test_a_limit_set_with_threadpoolctl_holds_for_the_kernels(monkeypatch):
    asked = []
    monkeypatch.setattr(threads, "cores", lambda: 4)
    monkeypatch.setattr(kernels, "share_among", asked.append)
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        if {library.num_threads for library in blas._libraries()} != {1}:
            pytest.skip("the BLAS library in use cannot be limited")
        with blas.threads_for(1e9):
            assert asked == [1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit on memory is Linux's")
def test_without_memory_for_packing_a_product_is_the_same_bit_for_bit():
    program = """
import resource, numpy as np
from multilayer._core.kernels import _native
a, b = (np.random.default_rng(0).standard_normal(shape, np.float32) for shape in ((1000, 1200), (1200, 200)))
_native.share_among(1)
turned = np.asfortranarray(a)
out, expected = np.empty((1000, 200), np.float32), _native.matmul(a, b)
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 2**20, resource.RLIM_INFINITY))
try:
    bytearray(2**22)
except MemoryError:
    for factor in (a, turned):
        assert np.array_equal(_native.matmul(factor, b, out), expected)
    print("the same")
"""
    environment = {**os.environ, "MULTILAYER_KERNELS": "", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout == "the same\n", done.stderr
