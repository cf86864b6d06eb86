"""Optimizers, under Keras' names."""

from multilayer.optimizers.adaptive import Adam, RMSprop
from multilayer.optimizers.base import Optimizer, deserialize, get, serialize
from multilayer.optimizers.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer", "RMSprop", "deserialize", "get", "serialize"]
