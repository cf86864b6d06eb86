"""Calls side by side: what comes of them, whatever they do."""

import os
import threading

import pytest

from helpers import tasks
from multilayer import config
from multilayer._core.kernels.threads import OWN_CHOICE
from multilayer._system import calls


@pytest.fixture
def exchange(tmp_path):
    return calls.Exchange(tmp_path)


def done(items, exchange, jobs=2):
    """What has come of each item, in their order."""
    return [result for _, result in sorted(calls.results(tasks.act, enumerate(items), jobs, exchange))]


def test_each_call_is_made_in_another_process_and_leaves_nothing_behind(exchange, tmp_path):
    process, returned = done(["tell c", "return a"], exchange)
    assert returned == "a"
    assert process != os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_what_fails_fails_here_and_says_where(exchange):
    with pytest.raises(ValueError, match="^b$") as raised:
        done(["raise b", "return a"], exchange)
    assert "tasks.py" in str(raised.value.__cause__)


def test_an_error_that_cannot_be_made_again_is_told_in_words():
    found = calls._portable(tasks.UnportableError("a", "b"))
    assert isinstance(found, RuntimeError)
    assert str(found) == "UnportableError: a and b"


def test_a_process_that_dies_is_said_with_what_it_may_have_been_at(exchange):
    with pytest.raises(calls.LostError, match=r"EXIT\(7\)") as raised:
        done(["die 7", "wait"], exchange)
    assert 0 in raised.value.under_way
    assert exchange.under_way() == {}
    assert done(["return a", "return b"], exchange) == ["a", "b"]  # others take its place


def test_a_call_has_one_thread_the_float_type_and_its_warnings_are_given_here(exchange, monkeypatch):
    monkeypatch.setenv(OWN_CHOICE, "2")
    monkeypatch.setattr(config, "_state", {"floatx": "float64", "epsilon": 1e-6})
    monkeypatch.setattr(calls, "_warned", {})
    with pytest.warns(UserWarning, match="a kind of its own"), pytest.warns(RuntimeWarning, match="beware"):
        found = done(["setting", "warn beware", "warn_as_ones_own a kind of its own"], exchange)
    assert found[0] == (1, "float64")
    assert os.environ[OWN_CHOICE] == "2"


def test_calls_that_are_to_stop_do_so_at_the_next_thing_they_tell_and_no_other_is_begun(exchange):
    def stop_when_both_have_told():
        while sum(told is not None for told in exchange.under_way().values()) < 2:
            waited.wait(0.02)
        exchange.stop()

    waited = threading.Event()
    thread = threading.Thread(target=stop_when_both_have_told)
    thread.start()
    found = dict(calls.results(tasks.until_stopped, enumerate(range(5)), 2, exchange))
    thread.join()
    assert sum(result == "stopped" for result in found.values()) == 2
    assert sum(result is None for result in found.values()) == 3


def test_what_no_other_process_can_have_is_refused(exchange):
    lock = threading.Lock()
    with pytest.raises(TypeError, match=r"The function cannot be handed to another process: .*lock"):
        list(calls.results(lambda item, tell: lock, [(0, 1), (1, 2)], 2, exchange))
    with pytest.raises(TypeError, match=r"An item cannot be handed to another process: "):
        done([lock, lock], exchange)
