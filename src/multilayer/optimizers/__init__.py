"""Optimizers, under Keras' names."""

from multilayer.optimizers import schedules
from multilayer.optimizers.adaptive import Adam, AdamW, RMSprop
from multilayer.optimizers.base import Optimizer, deserialize, get, serialize
from multilayer.optimizers.further import Adadelta, Adagrad, Adamax, Ftrl, Lion, Nadam
from multilayer.optimizers.lbfgs import LBFGS
from multilayer.optimizers.muon import Muon
from multilayer.optimizers.sgd import SGD

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "Muon",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
