"""The process that an engine lives in: `python -m multilayer.benchmark.worker MODULE`, spoken to in lines of JSON.

The first line out is {"versions": ..., "blas": ...}, or {"missing": PACKAGE}. Then each line in is answered by one:

- {"train": WORKLOAD} gets an epoch ready;
- {"epoch": true} -> {"seconds": ..., "loss": ...};
- {"predict": WORKLOAD, "rows": N} -> {"calls": [NAME, ...]};
- {"call": NAME, "duration": SECONDS} -> {"seconds": MEDIAN OF ONE CALL}.

What cannot be done is answered by {"unsupported": REASON}. The end of the input ends the process.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from types import ModuleType
from typing import Any, TextIO

from multilayer._system import machine
from multilayer.benchmark.engines import Calls, Epoch, UnsupportedError
from multilayer.benchmark.timing import median_call
from multilayer.benchmark.workloads import Workload


class Worker:
    """Answers requests with what the engine's module offers."""

    def __init__(self, engine: ModuleType) -> None:
        self._engine = engine
        self._epoch: Epoch | None = None
        self._calls: Calls = {}

    def describe(self) -> dict[str, Any]:
        """Versions, and the BLAS libraries that the engine has loaded."""
        return {
            "versions": machine.versions(*self._engine.DISTRIBUTIONS),
            "blas": [str(blas) for blas in machine.blas()],
        }

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Does what is asked."""
        try:
            if "train" in request:
                self._epoch = None  # one network at a time in memory
                self._epoch = self._offered("prepare_training")(Workload.from_json(request["train"]))
                return {}
            if "epoch" in request:
                assert self._epoch is not None  # `train` comes first
                seconds, loss = self._epoch()
                return {"seconds": seconds, "loss": loss}
            if "predict" in request:
                workload = Workload.from_json(request["predict"])
                self._calls = self._offered("prepare_predicting")(workload, request["rows"])
                return {"calls": list(self._calls)}
            return {"seconds": median_call(self._calls[request["call"]], request["duration"])}
        except UnsupportedError as error:
            return {"unsupported": str(error)}

    def _offered(self, name: str) -> Any:
        if not hasattr(self._engine, name):
            raise UnsupportedError(f"it offers no {name.removeprefix('prepare_')}")
        return getattr(self._engine, name)


def main() -> None:
    """Serves the engine whose module the command line names."""
    replies = _claim_stdout()
    try:
        worker = Worker(importlib.import_module(sys.argv[1]))
    except ModuleNotFoundError as error:
        _send(replies, {"missing": error.name})
        return
    except UnsupportedError as error:
        _send(replies, {"unsupported": str(error)})
        return
    _send(replies, worker.describe())
    for line in sys.stdin:
        _send(replies, worker.answer(json.loads(line)))


def _claim_stdout() -> TextIO:
    """The line back; whatever the engine prints goes to stderr instead."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def _send(replies: TextIO, reply: dict[str, Any]) -> None:
    print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
