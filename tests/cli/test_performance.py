"""`multilayer info`, `multilayer benchmark`, and the advice that commands print before they compute."""

import json

import pytest
from typer.testing import CliRunner

from multilayer._core import kernels
from multilayer._system import disturbance, machine
from multilayer.benchmark import workloads
from multilayer.benchmark.workloads import Workload
from multilayer.cli import performance
from multilayer.cli.commands import app


@pytest.fixture(autouse=True)
def nothing_said_yet(monkeypatch):
    monkeypatch.delenv("MULTILAYER_ADVICE", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(disturbance, "disturbance", lambda: None)
    performance.advise.cache_clear()


def test_info_names_kernels_blas_cpu_and_versions():
    result = CliRunner().invoke(app, ["info"])
    assert result.exit_code == 0
    for fact in (kernels.describe(), "numpy", "python", machine.describe().cpu.split()[0]):
        assert fact in result.stdout


def test_benchmark_is_json_for_programs(monkeypatch):
    monkeypatch.setattr(performance, "_sizes", lambda _: [Workload((20, 8, 3), "sigmoid", "sgd", batch=10, rows=40)])
    result = json.loads(CliRunner().invoke(app, ["benchmark", "--rounds", "1", "--quick", "--json"]).stdout)
    ours = result["workloads"][0]["engines"][0]
    assert result["kernels"] == kernels.describe()
    assert (ours["engine"], ours["times"]) == ("multilayer", 1.0)


@pytest.mark.parametrize("quiet", [False, True])
def test_advice_goes_to_stderr_once_and_not_where_nobody_wants_it(monkeypatch, quiet):
    monkeypatch.setattr(machine, "advice", lambda: ["Unset it."])
    if quiet:
        monkeypatch.setenv("MULTILAYER_ADVICE", "0")
    results = [CliRunner().invoke(app, ["info"]) for _ in range(2)]
    assert [result.stderr for result in results] == ["" if quiet else "Note: Unset it.\n", ""]
    assert "Unset it." not in results[0].stdout


@pytest.mark.parametrize("command", [["info"], ["info", "--json"], ["benchmark", "--rounds", "1"]])
def test_a_busy_machine_is_told_before_anything_is_measured(monkeypatch, command):
    monkeypatch.setattr(performance, "_sizes", lambda _: [])
    monkeypatch.setattr(disturbance, "disturbance", lambda: "The machine is busy.")
    result = CliRunner().invoke(app, command)
    assert "Note: The machine is busy.\n" in result.stderr
    assert "busy" not in result.stdout
    monkeypatch.setenv("MULTILAYER_ADVICE", "0")
    assert "busy" not in CliRunner().invoke(app, command).stderr


def test_benchmark_compares_every_engine_at_three_sizes(monkeypatch):
    tiny = Workload((20, 8, 3), "sigmoid", "sgd", batch=10, rows=40)
    for name in ("TUTORIAL", "SMALL", "MIDDLE"):
        monkeypatch.setattr(workloads, name, tiny)
    result = CliRunner().invoke(app, ["benchmark", "--rounds", "2", "--quick"])
    assert result.exit_code == 0
    assert result.stdout.count("20-8-3, sigmoid, SGD, batch 10") == 3
    for engine in ("multilayer", "multilayer, NumPy kernels", "bare products", "tutorial's NumPy"):
        assert result.stdout.count(engine) >= 3
