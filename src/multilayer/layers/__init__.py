"""Layers, under Keras' names."""

from multilayer.layers.activation import Activation
from multilayer.layers.base import Layer, deserialize, serialize
from multilayer.layers.dense import Dense
from multilayer.layers.input import Input, InputLayer
from multilayer.layers.preprocessing import Rescaling
from multilayer.layers.regularization import Dropout
from multilayer.layers.reshaping import Flatten

__all__ = [
    "Activation",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "InputLayer",
    "Layer",
    "Rescaling",
    "deserialize",
    "serialize",
]
