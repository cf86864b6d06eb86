"""The mathematics: one pure function per formula, the forward pass beside the backward pass.

Everything the library computes is defined here in plain NumPy. The functions are the reference that every native
kernel in `multilayer._core.kernels` is held against, and the fallback where there is none.

Notation, as in the usual derivation of backpropagation for a two-layer network:

    a1 = X W1 + b1,   z1 = sigmoid(a1),   a2 = z1 W2 + b2,   y_hat = softmax(a2)

`X` holds one sample a row, shape (n, d). A gradient carries the name of what it is the gradient of: `dW` is the
derivative of the loss with respect to `W` and has W's shape.

Where a function takes `out`, the result is written there and returned. `out` may be the first argument itself in a
forward function; in a backward function it must not overlap the other arguments, which lets it serve as scratch space.
No output may lie within any other argument, or within another output: each operation of NumPy's is right by itself
then, but the next one reads what the last has written.
"""

from __future__ import annotations

from multilayer.functional import of_input, quantization
from multilayer.functional.activations import (
    linear,
    linear_backward,
    relu,
    relu_backward,
    relu_grad,
    sigmoid,
    sigmoid_backward,
    sigmoid_grad,
    softmax,
    softmax_backward,
    sum_rows,
    tanh,
    tanh_backward,
    tanh_grad,
)
from multilayer.functional.affine import (
    AffineCache,
    affine,
    affine_layer_backward,
    affine_layer_forward,
    dense,
    dense_backward,
    matmul,
)
from multilayer.functional.arrays import Array, floating
from multilayer.functional.data import (
    DROPOUT_BLOCKS,
    DROPOUT_WORDS,
    all_finite,
    begin_rows,
    dropout,
    philox,
    rescale,
    take_rows,
)
from multilayer.functional.losses import (
    binary_cross_entropy,
    count_hits,
    cross_entropy_error,
    cross_entropy_error_backward,
    mean_squared_error,
    mean_squared_error_backward,
    one_hot,
    sigmoid_binary_cross_entropy,
    softmax_cross_entropy,
    sparse_softmax_cross_entropy,
    total,
)
from multilayer.functional.normalization import (
    batch_norm,
    batch_norm_backward,
    layer_norm,
    layer_norm_backward,
)
from multilayer.functional.of_input import mish, mish_backward, selu, selu_backward
from multilayer.functional.optimizer_steps import (
    adadelta_step,
    adafactor_step,
    adagrad_step,
    adam_step,
    adamax_step,
    amsgrad_step,
    flush_subnormals,
    ftrl_step,
    lamb_step,
    lion_step,
    momentum_step,
    nadam_step,
    orthogonalized,
    rmsprop_step,
    schedule_free_adamw_step,
    sgd_step,
)
from multilayer.functional.splines import linear_splines

__all__ = [
    "DROPOUT_BLOCKS",
    "DROPOUT_WORDS",
    "AffineCache",
    "Array",
    "adadelta_step",
    "adafactor_step",
    "adagrad_step",
    "adam_step",
    "adamax_step",
    "affine",
    "affine_layer_backward",
    "affine_layer_forward",
    "all_finite",
    "amsgrad_step",
    "batch_norm",
    "batch_norm_backward",
    "begin_rows",
    "binary_cross_entropy",
    "count_hits",
    "cross_entropy_error",
    "cross_entropy_error_backward",
    "dense",
    "dense_backward",
    "dropout",
    "floating",
    "flush_subnormals",
    "ftrl_step",
    "lamb_step",
    "layer_norm",
    "layer_norm_backward",
    "linear",
    "linear_backward",
    "linear_splines",
    "lion_step",
    "matmul",
    "mean_squared_error",
    "mean_squared_error_backward",
    "mish",
    "mish_backward",
    "momentum_step",
    "nadam_step",
    "of_input",
    "one_hot",
    "orthogonalized",
    "philox",
    "quantization",
    "relu",
    "relu_backward",
    "relu_grad",
    "rescale",
    "rmsprop_step",
    "schedule_free_adamw_step",
    "selu",
    "selu_backward",
    "sgd_step",
    "sigmoid",
    "sigmoid_backward",
    "sigmoid_binary_cross_entropy",
    "sigmoid_grad",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
    "sum_rows",
    "take_rows",
    "tanh",
    "tanh_backward",
    "tanh_grad",
    "total",
]
