"""scikit-learn's MLPClassifier, in float32, an epoch by `partial_fit`, without momentum or L2 penalty."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from multilayer.benchmark.engines import Calls, Epoch
from multilayer.benchmark.workloads import Workload

DISTRIBUTIONS = ("scikit-learn", "scipy", "numpy")


def _model(workload: Workload) -> Any:
    model = MLPClassifier(
        workload.sizes[1:-1],
        activation={"sigmoid": "logistic"}.get(workload.activation, workload.activation),
        solver=workload.optimizer,
        alpha=0.0,
        batch_size=workload.batch,
        learning_rate_init=workload.learning_rate,
        momentum=0.0,
        nesterovs_momentum=False,
        random_state=0,
    )
    # It makes its weights at the first call; ours then take their place, in the arrays that its optimizer holds.
    classes = workload.sizes[-1]
    first = np.zeros((workload.batch, workload.sizes[0]), np.float32)
    model.partial_fit(first, np.arange(workload.batch) % classes, classes=np.arange(classes))
    weights = workload.weights()
    for own, given in zip([*model.coefs_, *model.intercepts_], weights[0::2] + weights[1::2], strict=True):
        np.copyto(own, given)
    return model


def prepare_training(workload: Workload) -> Epoch:
    """`partial_fit`: one pass over the data in shuffled batches; its loss is tracked, accuracy is not."""
    model = _model(workload)
    x, y = workload.data()

    def epoch() -> tuple[float, float]:
        start = time.perf_counter()
        model.partial_fit(x, y)
        return time.perf_counter() - start, float(model.loss_)

    epoch()
    return epoch


def prepare_predicting(workload: Workload, rows: int) -> Calls:
    """`predict_proba`."""
    model = _model(workload)
    x = workload.data()[0][:rows]
    return {"predict_proba": lambda: model.predict_proba(x)}
