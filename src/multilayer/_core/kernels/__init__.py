"""The seam: the names of `functional` that the training loop calls, bound to the fastest version at hand.

Layers, losses and optimizers take these functions from here and nowhere else. Where the extension module `_native` was
built, each is its native twin there, which passes on to the NumPy reference what does not suit it (anything but
C-contiguous float32); elsewhere each is the reference itself.

The environment variable MULTILAYER_KERNELS chooses by name: 'numpy' for the references, or a kind of native loops
('plain', 'avx2', 'avx512'); by default the fastest kind that the processor runs.
"""

from __future__ import annotations

import os
from typing import Any

from multilayer import functional
from multilayer._core.kernels import threads

_native: Any
try:
    from multilayer._core.kernels import _native
except ImportError:  # built without a compiler: the references do it all
    _native = None


def _chosen() -> str:
    """The kind of kernels to use.

    Raises:
        ImportError: MULTILAYER_KERNELS asks for a kind that is not there.
    """
    kinds = [*(_native.supported() if _native else ()), "numpy"]
    wanted = os.environ.get("MULTILAYER_KERNELS") or kinds[0]
    if wanted not in kinds:
        built = "" if _native else " The native kernels were not built: install a C compiler, then multilayer again."
        raise ImportError(
            f"MULTILAYER_KERNELS={wanted!r} asks for kernels that cannot be used here. Here are: {', '.join(kinds)}."
            f"{built}"
        )
    return wanted


kind = _chosen()
_source = functional
if _native is not None and kind != "numpy":
    _native.bind(functional)
    _native.choose(kind)
    _native.share_among(threads.available())
    _source = _native


def narrow(columns: int) -> bool:
    """Whether products with a matrix of so many columns are done here instead of by the BLAS library."""
    return kind != "numpy" and columns <= _native.NARROW


def use_helper(whether: bool) -> bool:
    """Whether such products may be shared with a helping thread from now on; returns what held before."""
    return kind != "numpy" and bool(_native.use_helper(whether))


def describe() -> str:
    """What the kernels run on: 'numpy', or 'native' with the kind of loops, such as 'native (avx512)'.

    Example:
        >>> describe().split()[0] in ("numpy", "native")
        True
    """
    return kind if kind == "numpy" else f"native ({kind})"


binary_cross_entropy = functional.binary_cross_entropy
linear_backward = functional.linear_backward

adadelta_step = _source.adadelta_step
adagrad_step = _source.adagrad_step
adamax_step = _source.adamax_step
amsgrad_step = _source.amsgrad_step
lion_step = _source.lion_step
nadam_step = _source.nadam_step
adam_step = _source.adam_step
batch_norm = _source.batch_norm
batch_norm_backward = _source.batch_norm_backward
begin_rows = _source.begin_rows
layer_norm = _source.layer_norm
layer_norm_backward = _source.layer_norm_backward
count_hits = _source.count_hits
dropout = _source.dropout
flush_subnormals = _source.flush_subnormals
linear = _source.linear
matmul = _source.matmul
momentum_step = _source.momentum_step
relu = _source.relu
relu_backward = _source.relu_backward
rescale = _source.rescale
rmsprop_step = _source.rmsprop_step
sgd_step = _source.sgd_step
sigmoid = _source.sigmoid
sigmoid_backward = _source.sigmoid_backward
sigmoid_binary_cross_entropy = _source.sigmoid_binary_cross_entropy
softmax = _source.softmax
softmax_backward = _source.softmax_backward
softmax_cross_entropy = _source.softmax_cross_entropy
sparse_softmax_cross_entropy = _source.sparse_softmax_cross_entropy
sum_rows = _source.sum_rows
take_rows = _source.take_rows
tanh = _source.tanh
tanh_backward = _source.tanh_backward
