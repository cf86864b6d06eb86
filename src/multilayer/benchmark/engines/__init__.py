"""The engines, and what each has to offer.

An engine is a module with some of these functions; what it lacks, it is not asked for:

- `prepare_training(workload)` gets everything ready, trains one epoch to warm up, and returns a function that trains
  one more epoch and returns its seconds and its mean loss. Reading data, making the network and compiling it are not
  timed here; the whole process, with all that, is timed by `benchmarks/programs`.
- `prepare_predicting(workload, rows)` returns the ways to predict `rows` samples, by name: functions from a NumPy array
  that is already there to the probabilities as a NumPy array, warmed up.
- `DISTRIBUTIONS` names the packages whose versions belong beside the times.

An engine trains the workload from `workload.weights()` on `workload.data()`, in a new random order in each epoch, by
softmax and cross-entropy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TypeAlias

Epoch: TypeAlias = Callable[[], tuple[float, float]]
Calls: TypeAlias = dict[str, Callable[[], object]]


class UnsupportedError(Exception):
    """What is asked cannot be done by this engine, or not on this machine; the message says why."""


@dataclasses.dataclass(frozen=True)
class Engine:
    """An engine's name in tables, and where it lives.

    Attributes:
        name: Its name.
        module: The module with its functions.
        environment: Environment variables that it needs.
    """

    name: str
    module: str
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)


OURS = Engine("multilayer", "multilayer.benchmark.engines.ours")
PRODUCTS = Engine("bare products", "multilayer.benchmark.engines.products")
TUTORIAL = Engine("tutorial's NumPy", "multilayer.benchmark.engines.tutorial")
NUMPY_KERNELS = Engine("multilayer, NumPy kernels", OURS.module, {"MULTILAYER_KERNELS": "numpy"})

SHORT = (OURS, NUMPY_KERNELS, PRODUCTS, TUTORIAL)
