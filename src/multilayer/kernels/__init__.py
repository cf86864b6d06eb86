"""The seam: the names of `functional` that the training loop calls, bound to the fastest version at hand.

Layers, losses and optimizers take these functions from here and nowhere else. Today each is the NumPy reference itself.
"""

from multilayer.functional import (
    adam_step,
    affine,
    binary_cross_entropy,
    flush_subnormals,
    linear,
    linear_backward,
    momentum_step,
    relu,
    relu_backward,
    rmsprop_step,
    sgd_step,
    sigmoid,
    sigmoid_backward,
    sigmoid_binary_cross_entropy,
    softmax,
    softmax_backward,
    softmax_cross_entropy,
    sparse_softmax_cross_entropy,
    tanh,
    tanh_backward,
)

__all__ = [
    "adam_step",
    "affine",
    "binary_cross_entropy",
    "flush_subnormals",
    "linear",
    "linear_backward",
    "momentum_step",
    "relu",
    "relu_backward",
    "rmsprop_step",
    "sgd_step",
    "sigmoid",
    "sigmoid_backward",
    "sigmoid_binary_cross_entropy",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
    "tanh",
    "tanh_backward",
]
