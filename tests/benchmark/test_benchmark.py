"""The harness: taking turns, ratios, processes that are asked and answer. How fast anything is, nobody tests."""

import math

import pytest

from multilayer.benchmark import engines, timing, workloads
from multilayer.benchmark.engine_processes import Launcher, environment, measure
from multilayer.benchmark.engines import Engine, UnsupportedError
from multilayer.benchmark.workloads import Workload

TINY = Workload((20, 8, 3), "sigmoid", "sgd", batch=10, rows=200)


def test_engines_take_turns():
    asked = []

    def ask(name):
        return lambda: asked.append(name) or 1.0

    timing.in_turn({"a": ask("a"), "b": ask("b")}, rounds=3)
    assert asked == ["a", "b"] * 3


def test_ratios_are_of_medians_and_of_rounds():
    found = timing.compare({"ours": [1.0, 2.0, 3.0], "theirs": [4.0, 4.0, 30.0]}, "ours")
    assert found["ours"] == (2.0, 1.0, 1.0)
    assert found["theirs"] == (4.0, 2.0, 4.0)


def test_every_engine_gets_the_same_data_and_weights():
    (x, y), (again, _) = TINY.data(), TINY.data()
    assert x.shape == (200, 20)
    assert (x == again).all()
    assert 0 <= x.min() < x.max() <= 1
    assert set(y) == {0, 1, 2}
    assert [w.shape for w in TINY.weights()] == [(20, 8), (8,), (8, 3), (3,)]
    assert TINY.parameters == sum(w.size for w in TINY.weights())


def test_rows_that_are_no_whole_batches_are_refused():
    with pytest.raises(ValueError, match="multiple of `batch`"):
        Workload((4, 2), "relu", "adam", batch=3, rows=10)


def test_the_blas_is_left_free_and_the_users_path_kept(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", "mine")
    made = environment({"A": "b"})
    assert "OPENBLAS_CORETYPE" not in made
    assert "OMP_NUM_THREADS" not in made
    assert made["A"] == "b"
    assert made["PYTHONPATH"].endswith("mine")
    assert environment(keep_threads=True)["OMP_NUM_THREADS"] == "1"


@pytest.mark.parametrize("engine", [engines.OURS, engines.NUMPY_KERNELS, engines.TUTORIAL], ids=lambda e: e.name)
def test_an_engine_trains_in_its_own_process(engine):
    with Launcher().start(engine) as remote:
        assert "numpy" in remote.description["versions"]
        epoch = remote.train(TINY)
        seconds, losses = zip(*(epoch() for _ in range(30)), strict=True)
        assert min(seconds) > 0
        assert losses[-1] < losses[0] < math.log(3) * 1.2
        calls = remote.predict(TINY, rows=5, duration=0.0)
        assert all(call() > 0 for call in calls.values())


def test_the_products_have_no_loss():
    with Launcher().start(engines.PRODUCTS) as remote:
        seconds, loss = remote.train(TINY)()
        assert seconds > 0
        assert math.isnan(loss)


def test_what_is_not_installed_or_cannot_be_done_is_skipped_with_the_reason(tmp_path):
    (tmp_path / "engine_without_package.py").write_text("import a_package_that_nobody_has")
    missing = Engine("missing", "engine_without_package")
    deep = Workload((20, 8, 8, 3), "relu", "adam", batch=10, rows=20)

    def prepare(remote):
        epoch = remote.train(deep)
        return {None: lambda: epoch()[0]}

    results = measure(Launcher(paths=(tmp_path,)), [engines.PRODUCTS, engines.TUTORIAL, missing], prepare, rounds=2)
    assert results["skipped"] == {
        "tutorial's NumPy": "the tutorial knows two layers, sigmoid and SGD",
        "missing": "a_package_that_nobody_has is not installed",
    }
    assert [len(times) for times in results["seconds"].values()] == [2]


def test_a_worker_that_dies_says_why(tmp_path):
    (tmp_path / "engine_that_dies.py").write_text("raise OSError('no such luck')")
    with pytest.raises(RuntimeError, match="no such luck"):
        Launcher(paths=(tmp_path,)).start(Engine("dying", "engine_that_dies"))


def test_an_engine_is_not_asked_for_what_it_lacks(tmp_path):
    (tmp_path / "engine_of_nothing.py").write_text("DISTRIBUTIONS = ()")
    remote = Launcher(paths=(tmp_path,)).start(Engine("nothing", "engine_of_nothing"))
    with remote, pytest.raises(UnsupportedError, match="offers no training"):
        remote.train(TINY)


def test_the_networks_are_the_ones_that_are_spoken_of():
    assert [str(workload) for workload in (workloads.TUTORIAL, workloads.SMALL)] == [
        "784-50-10, sigmoid, SGD, batch 100",
        "784-50-10, sigmoid, Adam, batch 32",
    ]
    assert workloads.LARGE.parameters > 11_000_000
