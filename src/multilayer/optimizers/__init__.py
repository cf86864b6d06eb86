"""Optimizers, under Keras' names."""

from multilayer.optimizers import schedules
from multilayer.optimizers.adafactor import Adafactor
from multilayer.optimizers.adagrad import Adadelta, Adagrad, RMSprop
from multilayer.optimizers.adam import Adam, Adamax, AdamW, Nadam
from multilayer.optimizers.base import Optimizer, deserialize, get, serialize
from multilayer.optimizers.ftrl import Ftrl
from multilayer.optimizers.lamb import Lamb
from multilayer.optimizers.lbfgs import LBFGS
from multilayer.optimizers.lion import Lion
from multilayer.optimizers.muon import Muon
from multilayer.optimizers.schedule_free import ScheduleFreeAdamW
from multilayer.optimizers.sgd import SGD

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "Muon",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
