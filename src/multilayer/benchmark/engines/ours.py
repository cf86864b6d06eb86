"""This library, through `model.fit` as its users call it."""

from __future__ import annotations

import multilayer
from multilayer.benchmark.engines import Calls, Epoch, keras_api
from multilayer.benchmark.nets import Net

DISTRIBUTIONS = ("numpy",)


def prepare_training(net: Net) -> Epoch:
    """`model.fit`, an epoch at a time."""
    return keras_api.prepare_training(multilayer, net)


def prepare_predicting(net: Net, rows: int) -> Calls:
    """`model(x)` and `model.predict(x)`."""
    model = keras_api.build(multilayer, net)
    x = net.data()[0][:rows]
    return {"model(x)": lambda: model(x), "predict": lambda: model.predict(x, batch_size=rows, verbose=0)}
