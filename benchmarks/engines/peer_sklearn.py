"""scikit-learn's MLPClassifier, in float32, an epoch by `partial_fit`, without momentum or L2 penalty."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from multilayer.benchmark.engines import Calls, Epoch
from multilayer.benchmark.nets import Net

DISTRIBUTIONS = ("scikit-learn", "scipy", "numpy")


def _model(net: Net) -> Any:
    model = MLPClassifier(
        net.sizes[1:-1],
        activation={"sigmoid": "logistic"}.get(net.activation, net.activation),
        solver=net.optimizer,
        alpha=0.0,
        batch_size=net.batch,
        learning_rate_init=net.learning_rate,
        momentum=0.0,
        nesterovs_momentum=False,
        random_state=0,
    )
    # It makes its weights at the first call; ours then take their place, in the arrays that its optimizer holds.
    classes = net.sizes[-1]
    first = np.zeros((net.batch, net.sizes[0]), np.float32)
    model.partial_fit(first, np.arange(net.batch) % classes, classes=np.arange(classes))
    weights = net.weights()
    for own, given in zip([*model.coefs_, *model.intercepts_], weights[0::2] + weights[1::2], strict=True):
        np.copyto(own, given)
    return model


def prepare_training(net: Net) -> Epoch:
    """`partial_fit`: one pass over the data in shuffled batches; its loss is tracked, accuracy is not."""
    model = _model(net)
    x, y = net.data()

    def epoch() -> tuple[float, float]:
        start = time.perf_counter()
        model.partial_fit(x, y)
        return time.perf_counter() - start, float(model.loss_)

    epoch()
    return epoch


def prepare_predicting(net: Net, rows: int) -> Calls:
    """`predict_proba`."""
    model = _model(net)
    x = net.data()[0][:rows]
    return {"predict_proba": lambda: model.predict_proba(x)}
