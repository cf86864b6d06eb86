"""Small training runs on one BLAS thread, and the setting comes back; the user's own is never touched."""

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
