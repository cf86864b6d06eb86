"""Layers, under Keras' names."""

from multilayer.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from multilayer.layers.base import Layer, deserialize, serialize
from multilayer.layers.dense import Dense
from multilayer.layers.input import Input, InputLayer
from multilayer.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)
from multilayer.layers.preprocessing import Rescaling
from multilayer.layers.regularization import ActivityRegularization, Dropout
from multilayer.layers.reshaping import Flatten
from multilayer.layers.symbolic import KerasTensor

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "Add",
    "Average",
    "Concatenate",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "InputLayer",
    "KerasTensor",
    "Layer",
    "LeakyReLU",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "ReLU",
    "Rescaling",
    "Softmax",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
