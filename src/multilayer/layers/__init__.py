"""Layers, under Keras' names."""

from multilayer.layers.activation import Activation
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
from multilayer.layers.regularization import Dropout
from multilayer.layers.reshaping import Flatten
from multilayer.layers.symbolic import KerasTensor

__all__ = [
    "Activation",
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
    "Maximum",
    "Minimum",
    "Multiply",
    "Rescaling",
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
