"""Layers, under Keras' names."""

from multilayer.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from multilayer.layers.base import Layer, deserialize, serialize
from multilayer.layers.dense import Dense
from multilayer.layers.discretization import Discretization
from multilayer.layers.dot import Dot, dot
from multilayer.layers.einsum_dense import EinsumDense
from multilayer.layers.embedding import Embedding
from multilayer.layers.function import Lambda
from multilayer.layers.hashing import HashedCrossing, Hashing
from multilayer.layers.input import Input, InputLayer
from multilayer.layers.lookup import IntegerLookup, StringLookup
from multilayer.layers.masking import Masking
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
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from multilayer.layers.operation import FunctionOperation
from multilayer.layers.pooling import (
    GlobalAveragePooling1D,
    GlobalAvgPool1D,
    GlobalMaxPool1D,
    GlobalMaxPooling1D,
)
from multilayer.layers.preprocessing import CategoryEncoding, Normalization, Rescaling
from multilayer.layers.quantization import QuantizationAware
from multilayer.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
)
from multilayer.layers.reshaping import Flatten, Identity, Permute, RepeatVector, Reshape
from multilayer.layers.symbolic import KerasTensor
from multilayer.layers.text_vectorization import TextVectorization
from multilayer.layers.wrappers import SpectralNormalization, TimeDistributed, Wrapper

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
    "Discretization",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "FunctionOperation",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAvgPool1D",
    "GlobalMaxPool1D",
    "GlobalMaxPooling1D",
    "GroupNormalization",
    "HashedCrossing",
    "Hashing",
    "Identity",
    "Input",
    "InputLayer",
    "IntegerLookup",
    "KerasTensor",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "QuantizationAware",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Softmax",
    "SpectralNormalization",
    "StringLookup",
    "Subtract",
    "TextVectorization",
    "TimeDistributed",
    "UnitNormalization",
    "Wrapper",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
