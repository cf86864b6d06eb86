"""`multilayer info` and `multilayer benchmark`: what computes here, and how fast."""

from __future__ import annotations

import dataclasses
import functools
import os
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from multilayer._language import tr
from multilayer._system import disturbance, machine
from multilayer.benchmark import engines, timing, workloads
from multilayer.benchmark.engine_processes import Launcher, measure_training
from multilayer.benchmark.workloads import Workload
from multilayer.cli.terminal import note

QUIET = "MULTILAYER_ADVICE"


@functools.cache
def advise() -> None:
    """Prints, once, what slows this machine down and how to mend it; not where MULTILAYER_ADVICE is 0."""
    if os.environ.get(QUIET) == "0":
        return
    for sentence in machine.advice():
        note(sentence)


def warn_where_busy() -> None:
    """Prints why times measured now would mean nothing, where they would; not where MULTILAYER_ADVICE is 0."""
    if os.environ.get(QUIET) != "0" and (sentence := disturbance.disturbance()) is not None:
        note(sentence)


def described() -> dict[str, Any]:
    """What computes here, as plain data."""
    return dataclasses.asdict(machine.describe())


def print_info() -> None:
    """Prints what computes here."""
    here = machine.describe()
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row(tr("kernels"), here.kernels)
    table.add_row(tr("large products"), here.products)
    for library in here.blas:
        table.add_row("BLAS", str(library))
    table.add_row("CPU", here.cpu)
    table.add_row(
        "",
        tr(
            "{cores} cores for this process; {extensions}",
            cores=here.cores,
            extensions=", ".join(here.extensions) or tr("extensions unknown"),
        ),
    )
    table.add_row(tr("versions"), ", ".join(f"{name} {version}" for name, version in here.versions.items()))
    Console().print(table)


def print_benchmark(rounds: int, divisor: int) -> None:
    """Measures a training step at three sizes, beside the bare matrix products, and prints tables.

    Args:
        rounds: How often each is asked, in turn; the median counts.
        divisor: Take only one in so many steps, for a quick look.
    """
    print_info()
    for workload in _sizes(divisor):
        _print_comparison(workload, rounds)


def measured(rounds: int, divisor: int) -> list[dict[str, Any]]:
    """The same as plain data: of each size, each engine's time for a step, and how many times ours that is."""
    return [
        {
            "workload": str(workload),
            "engines": [
                {"engine": name, "microseconds": found.seconds / workload.steps * 1e6, "times": found.ratio}
                for name, found in _compared(workload, rounds).items()
            ],
        }
        for workload in _sizes(divisor)
    ]


def _sizes(divisor: int) -> list[Workload]:
    return [workload.scaled(divisor) for workload in (workloads.TUTORIAL, workloads.SMALL, workloads.MIDDLE)]


def _compared(workload: Workload, rounds: int) -> dict[str, timing.Comparison]:
    results = measure_training(Launcher(), engines.SHORT, workload, rounds)
    return timing.compare(results["seconds"], engines.OURS.name)


def _print_comparison(workload: Workload, rounds: int) -> None:
    table = Table("", Column(tr("us a step"), justify="right"), Column(tr("times"), justify="right"), box=SIMPLE_HEAD)
    for name, found in _compared(workload, rounds).items():
        table.add_row(name, f"{found.seconds / workload.steps * 1e6:.0f}", f"{found.ratio:.2f}")
    console = Console()
    console.print(f"\n{workload}")
    console.print(table)
