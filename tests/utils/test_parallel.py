"""Many networks at once."""

import functools
import random as python_random

import numpy as np
import pytest

from helpers import tasks
from multilayer import random, utils

X = np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32)


def test_networks_that_are_trained_side_by_side_have_the_bits_of_those_trained_one_after_the_other():
    train = functools.partial(tasks.trained, x=X)
    found = []
    for jobs in (1, 2):
        utils.set_random_seed(7)
        results = utils.parallel_map(train, [3, 40, 5], n_jobs=jobs)
        drawn = (random.normal((2,)).tobytes(), python_random.random(), np.random.rand())  # noqa: NPY002
        found.append(([[w.tobytes() for w in weights] for weights in results], drawn))
    assert found[0] == found[1]
    first, *_ = (weights[0] for weights in found[0][0])
    assert len(first) == 8 * 3 * 4  # in the order of the items


def test_each_call_has_a_seed_of_its_own():
    one, two = utils.parallel_map(functools.partial(tasks.trained, x=X), [3, 3], n_jobs=1)
    assert (one[0] != two[0]).all()


def test_what_fails_is_raised_here_and_says_where_it_was():
    with pytest.raises(ZeroDivisionError, match="2 is not to be had") as raised:
        utils.parallel_map(functools.partial(tasks.failing_at, 2), range(6), n_jobs=2)
    assert "tasks.py" in str(raised.value.__cause__)
    with pytest.raises(RuntimeError, match=r"(?s)before it was done with item [01].*EXIT\(9\)"):
        utils.parallel_map(tasks.dying, range(2), n_jobs=2)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interruption_is_one_here(n_jobs):
    with pytest.raises(KeyboardInterrupt):
        utils.parallel_map(tasks.interrupted, [1, 2], n_jobs=n_jobs)


def test_within_a_call_one_is_done_after_the_other():
    nested = functools.partial(utils.parallel_map, functools.partial(tasks.failing_at, None), n_jobs=2)
    assert utils.parallel_map(nested, [[1, 2], [3, 4]], n_jobs=2) == [[1, 2], [3, 4]]


def test_nothing_is_done_for_no_item():
    assert utils.parallel_map(tasks.dying, [], n_jobs=2) == []


@pytest.mark.parametrize("n_jobs", [0, -2, 1.5, "2", True])
def test_numbers_of_processes_that_are_none_are_refused(n_jobs):
    with pytest.raises(ValueError, match=r"Argument `n_jobs` must be a number of processes of at least 1"):
        utils.parallel_map(tasks.dying, [1], n_jobs=n_jobs)
