"""Small training runs on one BLAS thread, and the setting comes back; the user's own is never touched."""

import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import threadpoolctl

from multilayer._core.kernels import blas, threads

LIBRARIES = blas._libraries  # tests put others in its place


def threads_now():
    """The threads of the libraries that were there when first asked for: SciPy may bring one of its own later."""
    return {library.num_threads for library in LIBRARIES()}


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch):
    for variable in threads.CHOICES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def two_threads():
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        if threads_now() != {2}:
            pytest.skip("the BLAS library in use cannot be set to two threads")
        yield


@pytest.mark.usefixtures("two_threads")
def test_small_products_use_one_thread_and_large_ones_all():
    with blas.threads_for(1e6):
        assert threads_now() == {1}
    assert threads_now() == {2}
    with blas.threads_for(1e9):
        assert threads_now() == {2}


@pytest.mark.usefixtures("two_threads")
def test_runs_at_once_share_the_setting_and_the_last_puts_it_back():
    first, second = blas.threads_for(1e6), blas.threads_for(1e6)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert threads_now() == {1}
    second.__exit__(None, None, None)
    assert threads_now() == {2}


@pytest.mark.usefixtures("two_threads")
def test_an_error_puts_it_back_too():
    with pytest.raises(KeyboardInterrupt), blas.threads_for(1e6):
        raise KeyboardInterrupt
    assert threads_now() == {2}


@pytest.mark.usefixtures("two_threads")
def test_a_number_chosen_in_the_environment_is_left_alone(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with blas.threads_for(1e6):
        assert threads_now() == {2}


def test_without_threadpoolctl_training_goes_on(monkeypatch):
    monkeypatch.setattr(blas, "_libraries", list)
    with blas.threads_for(1e6):
        assert threads_now()


def in_a_thread(work):
    found = []
    worker = threading.Thread(target=lambda: found.append(work()))
    worker.start()
    worker.join()
    return found[0]


def set_within():
    with blas.threads_for(1e6):
        return threads_now()


@pytest.mark.usefixtures("two_threads")
def test_a_worker_thread_sets_them_as_the_main_thread_does():
    # threadpoolctl lets the first thread that sets a number do so again, and all others in vain
    assert set_within() == in_a_thread(set_within) == set_within() == {1}
    assert threads_now() == {2}


def test_a_worker_thread_sets_them_while_the_program_has_set_a_limit_of_its_own():
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        if threads_now() == {2}:
            assert in_a_thread(set_within) == {1}
            assert threads_now() == {2}


@pytest.mark.usefixtures("two_threads")
def test_the_last_user_puts_it_back_whichever_thread_set_it():
    began, go_on = threading.Event(), threading.Event()

    def train():
        with blas.threads_for(1e6):
            began.set()
            go_on.wait(10)

    worker = threading.Thread(target=train)
    worker.start()
    began.wait(10)
    with blas.threads_for(1e6):
        go_on.set()
        worker.join()
        assert threads_now() == {1}
    assert threads_now() == {2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.usefixtures("two_threads")
def test_a_forked_process_does_not_wait_for_threads_that_it_does_not_have():
    program = """
import os, threading
from multilayer._core.kernels import blas
library, = blas._libraries()
library.set_num_threads(2)
within, done = threading.Event(), threading.Event()
def train():
    with blas.threads_for(1e6):
        within.set()
        done.wait()
worker = threading.Thread(target=train)
worker.start()
within.wait()
child = os.fork()
if child == 0:
    with blas.threads_for(1e6):
        small = library.num_threads
    with blas.threads_for(1e9):
        os._exit(0 if (small, library.num_threads) == (1, 2) else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
done.set()
worker.join()
assert library.num_threads == 2
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=60)


def test_a_library_with_a_number_for_each_thread_is_set_in_each(monkeypatch):
    of_thread = threading.local()

    def now():
        return getattr(of_thread, "number", 4)

    class Library(SimpleNamespace):
        num_threads = property(lambda _: now())

        def set_num_threads(self, number):
            of_thread.number = number

    library = Library(internal_api="openblas", threading_layer="openmp")
    monkeypatch.setattr(blas, "_libraries", lambda: [library])

    def around():
        with blas.threads_for(1e6):
            within = now()
        return within, now()

    with blas.threads_for(1e6):
        assert in_a_thread(around) == (1, 4)
        assert now() == 1
    assert now() == 4


def test_the_same_seed_gives_the_same_weights_in_any_thread():
    from multilayer import Sequential, layers, random

    def trained():
        random.set_random_seed(3)
        x = np.random.default_rng(0).standard_normal((256, 784), np.float32)
        model = Sequential([layers.Input((784,)), layers.Dense(512, "relu"), layers.Dense(10, "softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, np.arange(256) % 10, verbose=0)
        return model.get_weights()

    for here, there in zip(trained(), in_a_thread(trained), strict=True):
        np.testing.assert_array_equal(here, there)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("line", ["enter", "leave"])
def test_an_interruption_at_either_end_is_put_right_by_the_next(monkeypatch, line):
    def interrupted(use):
        original(use)
        raise KeyboardInterrupt

    original = getattr(blas, f"_{line}")
    with monkeypatch.context() as patch:
        patch.setattr(blas, f"_{line}", interrupted)
        with pytest.raises(KeyboardInterrupt), blas.threads_for(1e6):
            pass
    with blas.threads_for(1e9):
        assert threads_now() == {2}
