"""Engines started in worker processes, and asked in turn: the benchmark's end of the line."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from multilayer._core.kernels.threads import CHOICES
from multilayer.benchmark.engines import Engine, UnsupportedError
from multilayer.benchmark.timing import in_turn
from multilayer.benchmark.workloads import Workload

_PACKAGES = Path(__file__).parents[2]  # where `multilayer` is
_PAUSE = 0.05  # seconds between turns, in which waiting threads fall asleep

# These make OpenBLAS take another kernel than the processor's own, and belong to somebody's tests.
_BLAS_CHOICES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def environment(
    extra: Mapping[str, str] | None = None, *, paths: Iterable[Path] = (), keep_threads: bool = False
) -> dict[str, str]:
    """A worker's environment: this process's, with the BLAS free to choose its kernel and its number of threads.

    Args:
        extra: Variables to add.
        paths: Folders that Python is to find modules in.
        keep_threads: Leave the number of threads as the environment sets it.
    """
    dropped = _BLAS_CHOICES if keep_threads else _BLAS_CHOICES + CHOICES
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    folders = [*map(str, paths), *filter(None, [kept.get("PYTHONPATH")])]
    # A worker takes no modules from the folder it happens to be started in.
    return {**kept, "PYTHONPATH": os.pathsep.join(folders), "PYTHONSAFEPATH": "1", **(extra or {})}


@dataclasses.dataclass(frozen=True)
class Launcher:
    """How workers are started.

    Attributes:
        pythons: The interpreter of each engine, by name; the running one for all others.
        paths: Further folders that engines' modules are found in.
        keep_threads: Leave the number of threads as the environment sets it.
    """

    pythons: Mapping[str, str] = dataclasses.field(default_factory=dict)
    paths: tuple[Path, ...] = ()
    keep_threads: bool = False

    def start(self, engine: Engine) -> EngineProcess:
        """Starts the engine's process.

        Raises:
            UnsupportedError: The engine is not installed there.
        """
        python = self.pythons.get(engine.name, sys.executable)
        return EngineProcess(
            [python, "-m", "multilayer.benchmark.worker", engine.module],
            environment(engine.environment, paths=(*self.paths, _PACKAGES), keep_threads=self.keep_threads),
        )


class EngineProcess:
    """An engine in a process of its own.

    Attributes:
        description: Its versions and BLAS libraries.
    """

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        # A file, as a pipe that nobody reads would fill up and bring the worker to a halt.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
        )
        try:
            self.description = self._receive()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> EngineProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def train(self, workload: Workload) -> Callable[[], tuple[float, float]]:
        """Gets the network ready; what is returned trains one epoch, and gives its seconds and its loss."""
        self._ask(train=workload.as_json())

        def epoch() -> tuple[float, float]:
            reply = self._ask(epoch=True)
            return reply["seconds"], reply["loss"]

        return epoch

    def predict(self, workload: Workload, rows: int, duration: float) -> dict[str, Callable[[], float]]:
        """The engine's ways to predict; each calls for `duration` seconds, and gives the median seconds of a call."""
        return {name: self._call(name, duration) for name in self._ask(predict=workload.as_json(), rows=rows)["calls"]}

    def _call(self, name: str, duration: float) -> Callable[[], float]:
        return lambda: float(self._ask(call=name, duration=duration)["seconds"])

    def _ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return self._receive()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip()
            raise RuntimeError(f"A worker ended early ({self._process.args!r}). It said:\n{said[-2000:]}")
        reply: dict[str, Any] = json.loads(line)
        if "missing" in reply:
            raise UnsupportedError(f"{reply['missing']} is not installed")
        if "unsupported" in reply:
            raise UnsupportedError(reply["unsupported"])
        return reply


def measure(
    launcher: Launcher,
    chosen: Iterable[Engine],
    prepare: Callable[[EngineProcess], dict[str | None, Callable[[], float]]],
    rounds: int,
) -> dict[str, Any]:
    """Asks engines in turn.

    Args:
        launcher: Starts their processes.
        chosen: The engines.
        prepare: Gives the measures of one, by name; None is the engine itself.
        rounds: How often each is asked.

    Returns:
        "seconds" of each measure, a number a round; why an engine was "skipped"; "versions" and "blas" of each.
    """
    results: dict[str, Any] = {"skipped": {}, "versions": {}, "blas": {}}
    measures: dict[str, Callable[[], float]] = {}
    with contextlib.ExitStack() as stack:
        for engine in chosen:
            try:
                process = stack.enter_context(launcher.start(engine))
                found = prepare(process)
            except UnsupportedError as error:
                results["skipped"][engine.name] = str(error)
                continue
            results["versions"][engine.name] = process.description["versions"]
            results["blas"][engine.name] = process.description["blas"]
            for name, measure in found.items():
                measures[engine.name if name is None else f"{engine.name}: {name}"] = measure
        results["seconds"] = in_turn(measures, rounds, pause=_PAUSE)
    return results


def measure_training(launcher: Launcher, chosen: Iterable[Engine], workload: Workload, rounds: int) -> dict[str, Any]:
    """`measure` by the seconds of an epoch."""

    def prepare(process: EngineProcess) -> dict[str | None, Callable[[], float]]:
        epoch = process.train(workload)
        return {None: lambda: epoch()[0]}

    return measure(launcher, chosen, prepare, rounds)
