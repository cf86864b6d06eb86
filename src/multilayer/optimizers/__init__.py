"""Optimizers, under Keras' names."""

from multilayer.optimizers import schedules
from multilayer.optimizers.adagrad import Adadelta, Adagrad, RMSprop
from multilayer.optimizers.adam import Adam, Adamax, AdamW, Nadam
from multilayer.optimizers.base import Optimizer, deserialize, get, serialize
from multilayer.optimizers.lbfgs import LBFGS
from multilayer.optimizers.lion import Lion
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
