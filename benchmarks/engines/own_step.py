"""`fit` with a `train_step` of one's own, as the guide of each of Keras' backends writes it, and as it is written here.

OWN_STEP names the package, 'multilayer' or 'keras'; with Keras, KERAS_BACKEND names the backend, 'tensorflow' or
'torch', and RUN_EAGERLY=1 leaves the step uncompiled. (On PyTorch it always is.)
"""

import importlib
import os

from multilayer.benchmark.engines import Epoch, keras_api
from multilayer.benchmark.workloads import Workload

keras = importlib.import_module(os.environ["OWN_STEP"])
BACKEND = os.environ.get("KERAS_BACKEND", "multilayer")
DISTRIBUTIONS = tuple({os.environ["OWN_STEP"], BACKEND})


class ByTape(keras.Model):
    """On TensorFlow, and here."""

    def train_step(self, data):
        x, y = data
        with tape_of().GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply(gradients, self.trainable_weights)
        return measured(self, loss, y, y_pred)


class ByTorch(keras.Model):
    """On PyTorch."""

    def train_step(self, data):
        import torch

        x, y = data
        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.compute_loss(y=y, y_pred=y_pred)
        loss.backward()
        gradients = [weight.value.grad for weight in self.trainable_weights]
        with torch.no_grad():
            self.optimizer.apply(gradients, self.trainable_weights)
        return measured(self, loss, y, y_pred)


def tape_of():
    """The package that has the tape."""
    return importlib.import_module(BACKEND)


def measured(model, loss, y, y_pred):
    """Tells the metrics of a batch, and gives where they stand."""
    for metric in model.metrics:
        if metric.name == "loss":
            metric.update_state(loss)
        else:
            metric.update_state(y, y_pred)
    return {metric.name: metric.result() for metric in model.metrics}


def prepare_training(workload: Workload) -> Epoch:
    """`model.fit`, an epoch at a time."""
    x = y = keras.Input(workload.sizes[:1])
    for layer in keras_api.layers(keras, workload):
        y = layer(y)
    model = (ByTorch if BACKEND == "torch" else ByTape)(x, y)
    eagerly = os.environ.get("RUN_EAGERLY") == "1"
    keras_api.made_ready(keras, model, workload, "sparse_categorical_crossentropy", run_eagerly=eagerly)
    return keras_api.fitting(keras, model, *workload.data(), workload.batch)
