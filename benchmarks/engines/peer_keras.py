"""Keras 3 on the backend that KERAS_BACKEND names, through `model.fit` as its users call it."""

import os

import keras
import numpy as np

from multilayer.benchmark.engines import Calls, Epoch, keras_api
from multilayer.benchmark.workloads import Workload

DISTRIBUTIONS = ("keras", os.environ["KERAS_BACKEND"])


def prepare_training(workload: Workload) -> Epoch:
    """`model.fit`, an epoch at a time, compiled where the backend can (jit_compile='auto')."""
    return keras_api.prepare_training(keras, workload)


def prepare_predicting(workload: Workload, rows: int) -> Calls:
    """`model(x)`, brought back to NumPy, and `model.predict`."""
    model = keras_api.build(keras, workload)
    x = workload.data()[0][:rows]
    return {
        "model(x)": lambda: keras.ops.convert_to_numpy(model(x)),
        "predict": lambda: model.predict(x, batch_size=max(rows, 1), verbose=0),
        "predict_on_batch": lambda: np.asarray(model.predict_on_batch(x)),
    }
