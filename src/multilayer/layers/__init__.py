"""Layers, under Keras' names."""

from multilayer.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from multilayer.layers.base import Layer, deserialize, serialize
from multilayer.layers.dense import Dense
from multilayer.layers.embedding import Embedding
from multilayer.layers.function import Lambda
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
from multilayer.layers.normalization import (
    BatchNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from multilayer.layers.operation import FunctionOperation
from multilayer.layers.preprocessing import CategoryEncoding, Normalization, Rescaling
from multilayer.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
)
from multilayer.layers.reshaping import Flatten, Identity, Reshape
from multilayer.layers.symbolic import KerasTensor

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "BatchNormalization",
    "CategoryEncoding",
    "Concatenate",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "FunctionOperation",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "Input",
    "InputLayer",
    "KerasTensor",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "RMSNormalization",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Softmax",
    "Subtract",
    "UnitNormalization",
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
