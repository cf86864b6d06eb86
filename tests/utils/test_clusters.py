"""The same calls on a cluster, by joblib's backends: a real one, of processes on this machine."""

import functools
import os
import sys

import joblib
import numpy as np
import pytest

from helpers import commands, tasks
from multilayer import utils

pytestmark = pytest.mark.filterwarnings("default")  # what Dask and Ray warn of is their own affair

X = np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32)


@pytest.fixture(scope="module", params=["dask", "ray"])
def cluster(request):
    """The name of a backend with two processes behind it."""
    if request.param == "dask":
        distributed = pytest.importorskip(
            "distributed", reason="Dask is not installed: pip install 'dask[distributed]'"
        )
        with (
            distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as made,
            distributed.Client(made),
        ):
            yield "dask"
    else:
        ray = pytest.importorskip("ray", reason="needs `pip install ray`")
        from ray.util.joblib import register_ray

        register_ray()
        found_here = {"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=found_here)
        yield "ray"
        ray.shutdown()


def test_networks_trained_on_a_cluster_have_the_bits_of_those_trained_here(cluster):
    train = functools.partial(tasks.trained, x=X)
    utils.set_random_seed(7)
    expected = utils.parallel_map(train, [3, 40, 5], n_jobs=1)
    utils.set_random_seed(7)
    with joblib.parallel_config(backend=cluster):
        found = utils.parallel_map(train, [3, 40, 5])
        processes = utils.parallel_map(tasks.process, range(4))
    for one, other in zip(expected, found, strict=True):
        assert [w.tobytes() for w in one] == [w.tobytes() for w in other]
    assert os.getpid() not in processes


def test_an_error_on_a_cluster_is_raised_here(cluster):
    with joblib.parallel_config(backend=cluster), pytest.raises(ZeroDivisionError, match="2 is not to be had"):
        utils.parallel_map(functools.partial(tasks.failing_at, 2), range(4))


def test_networks_are_compared_on_a_cluster(cluster, tmp_path):
    small = ["--data", "synthetic_digits", "--samples", "600", "--epochs", "2", "--activation", "relu", "tanh"]
    for jobs in (1, 2):
        with joblib.parallel_config(backend=cluster):
            commands.call("compare", *small, "--jobs", str(jobs), "--output", str(tmp_path / str(jobs)))
    one, two = ((tmp_path / str(jobs) / "curves.csv").read_bytes() for jobs in (1, 2))
    assert one == two
