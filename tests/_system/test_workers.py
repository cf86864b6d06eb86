"""Worker processes: what becomes of their tasks, whatever they do."""

import os

import pytest

from helpers import tasks
from multilayer import config
from multilayer._core.kernels.threads import OWN_CHOICE
from multilayer._system.workers import RemoteTraceback, Workers


def ends(items, count=1):
    """The last report of every task, in their order; and all reports."""
    with Workers(tasks.act, count) as workers:
        reports = list(workers.reports(items))
    last = sorted(report for report in reports if report.is_last)
    assert [report.task for report in last] == list(range(len(items)))
    return last, reports


def test_each_task_ends_in_one_report_whatever_it_does():
    items = ["return a", "raise b", "unportable", "unpicklable", "die 7", "tell c"]
    last, reports = ends(items)
    assert [report.event for report in last] == ["done", "failed", "failed", "failed", "lost", "done"]
    returned, raised, unportable, _, code, process = [report.content for report in last]
    assert (returned, code) == ("a", 7)
    assert str(raised) == "b"
    assert isinstance(raised, ValueError)
    assert isinstance(raised.__cause__, RemoteTraceback)
    assert "tasks.py" in str(raised.__cause__)
    assert isinstance(unportable, RuntimeError)
    assert str(unportable) == "UnportableError: a and b"
    assert process != os.getpid()
    assert [(report.event, report.content) for report in reports if report.task == 5][:2] == [
        ("begun", None),
        ("told", "c"),
    ]


def test_a_worker_has_its_share_of_the_cores_the_float_type_and_its_warnings_are_given_here(monkeypatch):
    monkeypatch.setenv(OWN_CHOICE, "2")
    monkeypatch.setattr(config, "_state", {"floatx": "float64", "epsilon": 1e-6})
    with pytest.warns(RuntimeWarning, match="beware"):
        last, _ = ends(["setting", "warn beware"], count=2)
    assert last[0].content == (1, "float64")


def test_what_cannot_be_taken_in_here_is_a_failure_and_the_worker_goes_on():
    last, _ = ends(["unwelcome", "return a"])
    assert [report.event for report in last] == ["failed", "done"]
    assert isinstance(last[0].content, OSError)


def test_a_warning_of_a_kind_of_its_own_is_given_as_what_it_is_a_kind_of():
    with pytest.warns(UserWarning, match="beware"):
        last, _ = ends(["warn_as_ones_own beware"])
    assert last[0].event == "done"


def test_tasks_that_are_to_stop_do_so_at_the_next_thing_they_tell_and_no_other_is_begun():
    seen = []
    with Workers(tasks.go_on, 2) as workers:
        for report in workers.reports(range(5), stopping=lambda: {0, 1} <= {one.task for one in seen if one.content}):
            seen.append(report)  # noqa: PERF402 - `stopping` looks at it meanwhile
    assert sorted(report.task for report in seen if report.event == "begun") == [0, 1]
    assert sorted(report.task for report in seen if report.event == "stopped") == [0, 1]


def test_what_no_other_process_can_have_is_refused():
    with pytest.raises(TypeError, match=r"The function cannot be handed to another process: .*lambda"):
        Workers(lambda item, tell: item, 2)
    with Workers(tasks.act, 1) as workers, pytest.raises(TypeError, match="Item 0 cannot be handed"):
        list(workers.reports([lambda: 0]))
