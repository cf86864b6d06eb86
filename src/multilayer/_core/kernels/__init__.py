"""Dispatch: the names of `functional` that the training loop calls, bound to the fastest version at hand.

Layers, losses and optimizers take these functions from here and nowhere else. Where the extension module `_native` was
built, each is the native kernel there, which passes on to the NumPy reference what does not suit it (anything but
C-contiguous float32, and, in the steps of SGD and Adam, float64); elsewhere each is the reference itself. The choice is
made once, at import: a call pays nothing for it.

The environment variable MULTILAYER_KERNELS chooses by name: 'numpy' for the references, or a kind of native loops
('plain', 'avx2', 'avx512', by the processor's vector instructions); by default the fastest kind that it runs.
"""

from __future__ import annotations

import os
import warnings
from types import SimpleNamespace
from typing import Any

from multilayer import functional
from multilayer._core.kernels import threads
from multilayer._core.kernels.composed import Composed

_native: Any  # None where it was not built
try:
    from multilayer._core.kernels import _native
except ImportError:  # built without a compiler: the references do it all
    _native = None


def _chosen_kind() -> tuple[str, str]:
    """The kind of kernels to use, and what is wrong with MULTILAYER_KERNELS where it asks for another."""
    kinds = [*(_native.supported() if _native else ()), "numpy"]
    wanted = os.environ.get("MULTILAYER_KERNELS") or kinds[0]
    if wanted not in kinds:
        built = "" if _native else " The native kernels were not built: install a C compiler, then multilayer again."
        return kinds[0], (
            f"MULTILAYER_KERNELS={wanted!r} asks for kernels that cannot be used here. Here are: {', '.join(kinds)}."
            f"{built}"
        )
    return wanted, ""


# Not an error of the import: the command line prints its help all the same, and refuses to work in its own words.
kind, fault = _chosen_kind()
if fault:
    warnings.warn(f"{fault} Used are: {kind}.", RuntimeWarning, stacklevel=2)
_implementation = functional
if _native is not None and kind != "numpy":
    composed = Composed(_native)
    of_blas = {"dense": composed.dense, "dense_backward": composed.dense_backward}
    _native.bind(SimpleNamespace(**{**vars(functional), **of_blas}))
    _native.choose(kind)
    _native.share_among(threads.available())
    _implementation = _native


def share_among(count: int) -> None:
    """Lets the kernels use so many threads, at most."""
    if _implementation is not functional:
        _native.share_among(count)


def leave_to_blas(whether: bool) -> None:
    """Says whether all but small products are NumPy's, and with that its BLAS library's."""
    if _implementation is not functional:
        _native.leave_to_blas(whether)


def describe() -> str:
    """What the kernels run on: 'numpy', or 'native' with the kind of loops, such as 'native (avx512)'.

    Example:
        >>> describe().split()[0] in ("numpy", "native")
        True
    """
    return kind if kind == "numpy" else f"native ({kind})"


# One line a name, so that editors and type checkers see each function with its reference's signature.

matmul = _implementation.matmul
dense = _implementation.dense
dense_backward = _implementation.dense_backward
linear_splines = _implementation.linear_splines
take_rows = _implementation.take_rows
begin_rows = _implementation.begin_rows
all_finite = _implementation.all_finite
rescale = _implementation.rescale
dropout = _implementation.dropout
sum_rows = _implementation.sum_rows
count_hits = _implementation.count_hits
total = _implementation.total

linear = _implementation.linear
relu = _implementation.relu
relu_backward = _implementation.relu_backward
sigmoid = _implementation.sigmoid
sigmoid_backward = _implementation.sigmoid_backward
softmax = _implementation.softmax
softmax_backward = _implementation.softmax_backward
selu = _implementation.selu
selu_backward = _implementation.selu_backward
mish = _implementation.mish
mish_backward = _implementation.mish_backward
tanh = _implementation.tanh
tanh_backward = _implementation.tanh_backward

sigmoid_binary_cross_entropy = _implementation.sigmoid_binary_cross_entropy
softmax_cross_entropy = _implementation.softmax_cross_entropy
sparse_softmax_cross_entropy = _implementation.sparse_softmax_cross_entropy

batch_norm = _implementation.batch_norm
batch_norm_backward = _implementation.batch_norm_backward
layer_norm = _implementation.layer_norm
layer_norm_backward = _implementation.layer_norm_backward

sgd_step = _implementation.sgd_step
momentum_step = _implementation.momentum_step
adam_step = _implementation.adam_step
amsgrad_step = _implementation.amsgrad_step
adamax_step = _implementation.adamax_step
nadam_step = _implementation.nadam_step
adagrad_step = _implementation.adagrad_step
adadelta_step = _implementation.adadelta_step
rmsprop_step = _implementation.rmsprop_step
lion_step = _implementation.lion_step
flush_subnormals = _implementation.flush_subnormals

# Without a native kernel: the first is asked for only where no sigmoid is fused with the loss, the second only copies.
binary_cross_entropy = functional.binary_cross_entropy
linear_backward = functional.linear_backward
