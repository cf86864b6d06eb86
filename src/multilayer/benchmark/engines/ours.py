"""This library, through `model.fit` as its users call it."""

from __future__ import annotations

import multilayer
from multilayer.benchmark.engines import Calls, Epoch, keras_api
from multilayer.benchmark.workloads import Workload

DISTRIBUTIONS = ("numpy",)


def prepare_training(workload: Workload) -> Epoch:
    """`model.fit`, an epoch at a time."""
    return keras_api.prepare_training(multilayer, workload)


def prepare_predicting(workload: Workload, rows: int) -> Calls:
    """`model(x)` and `model.predict(x)`."""
    model = keras_api.build(multilayer, workload)
    x = workload.data()[0][:rows]
    return {"model(x)": lambda: model(x), "predict": lambda: model.predict(x, batch_size=rows, verbose=0)}
