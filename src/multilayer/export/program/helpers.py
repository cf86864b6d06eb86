"""The helpers of a Python file, as their text: activations, and what layers need."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from multilayer.functional import of_input


def _function(arguments: str, formula: str) -> str:
    return f"def {arguments}:\n    return {formula}"


_SELU = f"{np.float32(of_input.SELU_SCALE)}", f"{np.float32(of_input.SELU_ALPHA)}"
HELPERS: Mapping[str, str] = {
    "celu": _function("celu(x, alpha)", "np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0) / alpha)"),
    "clipped_relu": """\
def clipped_relu(x, negative_slope, max_value, threshold):
    y = np.where(x > threshold, x, negative_slope * (x - threshold))
    return y if max_value is None else np.minimum(y, max_value)""",
    "elu": _function("elu(x, alpha)", "np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))"),
    "erf": f"""\
def erf(x):
    series = {[float(np.float32(one)) for one in of_input._ERFCX[:13]]}
    size = np.abs(x)
    t = 2 / (2 + size)
    u, b1, b2 = 2 * t - 1, 0, 0
    for c in reversed(series[1:]):  # Clenshaw's recurrence
        b1, b2 = 2 * u * b1 - b2 + c, b1
    return np.copysign(1 - t * np.exp(-size * size) * (u * b1 - b2 + series[0]), x)""",
    "exponential": _function("exponential(x)", "np.exp(x)"),
    "gelu": """\
def gelu(x, approximate):
    if approximate:
        return 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + erf(x * 0.7071067812))""",
    "glu": """\
def glu(x, axis):
    first, gate = np.split(x, 2, axis)
    return first * sigmoid(gate)""",
    "hard_shrink": _function("hard_shrink(x, threshold)", "x * (np.abs(x) > threshold)"),
    "hard_sigmoid": _function("hard_sigmoid(x)", "np.clip(x / 6 + 0.5, 0, 1)"),
    "hard_silu": _function("hard_silu(x)", "x * np.clip(x / 6 + 0.5, 0, 1)"),
    "hard_tanh": _function("hard_tanh(x)", "np.clip(x, -1, 1)"),
    "keras2_hard_sigmoid": _function("keras2_hard_sigmoid(x)", "np.clip(0.2 * x + 0.5, 0, 1)"),
    "leaky_relu": _function("leaky_relu(x, negative_slope)", "np.where(x > 0, x, negative_slope * x)"),
    "log_sigmoid": _function("log_sigmoid(x)", "-np.logaddexp(-x, np.float32(0))"),
    "log_softmax": """\
def log_softmax(x, axis):
    x = x - x.max(axis=axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))""",
    "mish": _function("mish(x)", "x * np.tanh(np.logaddexp(x, np.float32(0)))"),
    "relu": _function("relu(x)", "np.maximum(x, 0)"),
    "relu6": _function("relu6(x)", "np.clip(x, 0, 6)"),
    "selu": _function("selu(x)", f"{_SELU[0]} * np.where(x > 0, x, {_SELU[1]} * np.expm1(np.minimum(x, 0)))"),
    "sigmoid": _function("sigmoid(x)", "0.5 * (1 + np.tanh(0.5 * x))"),
    "silu": _function("silu(x)", "x * sigmoid(x)"),
    "soft_shrink": _function("soft_shrink(x, threshold)", "x - np.clip(x, -threshold, threshold)"),
    "softmax": """\
def softmax(x, axis):
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)""",
    "softplus": _function("softplus(x)", "np.logaddexp(x, np.float32(0))"),
    "softsign": _function("softsign(x)", "x / (1 + np.abs(x))"),
    "sparse_plus": _function("sparse_plus(x)", "np.where(x < 1, 0.25 * np.maximum(x + 1, 0) ** 2, x)"),
    "sparse_sigmoid": _function("sparse_sigmoid(x)", "np.clip(0.5 * (x + 1), 0, 1)"),
    "sparsemax": """\
def sparsemax(x, axis):
    x = np.moveaxis(x, axis, -1)
    falling = -np.sort(-x, axis=-1)
    sums, k = falling.cumsum(axis=-1), np.arange(1, x.shape[-1] + 1, dtype=np.float32)
    count = (1 + k * falling > sums).sum(axis=-1, keepdims=True)
    tau = (np.take_along_axis(sums, count - 1, axis=-1) - 1) / count.astype(np.float32)
    return np.moveaxis(np.maximum(x - tau, 0), -1, axis)""",
    "squareplus": _function("squareplus(x, b)", "0.5 * (x + np.sqrt(x * x + b))"),
    "tanh": _function("tanh(x)", "np.tanh(x)"),
    "tanh_shrink": _function("tanh_shrink(x)", "x - np.tanh(x)"),
    "threshold": _function(
        "threshold(x, threshold, default_value)", "np.where(x > threshold, x, np.float32(default_value))"
    ),
    # --- Of layers ---
    "normalize": """\
def normalize(x, axes, epsilon, centered=True):
    if centered:
        x = x - x.mean(axis=axes, keepdims=True)
    return x / np.sqrt(np.square(x).mean(axis=axes, keepdims=True) + np.float32(epsilon))""",
    "unit": """\
def unit(x, axes, most):
    length = np.sqrt(np.square(x).sum(axis=axes, keepdims=True))
    return x / np.maximum(length, np.float32(1 / most))""",
    "places": """\
def places(x, limit):
    found = x.astype(np.int64)
    if ((found < 0) | (found >= limit)).any():
        raise ValueError(f"Whole numbers must be from 0 to {limit - 1}.")
    return found""",
    "encode": """\
def encode(places, depth, counts):
    y = np.zeros((len(places), depth), np.float32)
    rows, columns = np.nonzero((places >= 0) & (places < depth))
    found = places[rows, columns].astype(np.int64)
    if counts:
        np.add.at(y, (rows, found), 1)
    else:
        y[rows, found] = 1
    return y""",
    "lookup": """\
def lookup(x, keys, places, unknown, spread):
    x = x.astype(np.int64)
    at = np.minimum(np.searchsorted(keys, x), len(keys) - 1)
    known = keys[at] == x
    if unknown is None and not known.all():
        raise ValueError(f"Not in the vocabulary: {np.unique(x[~known])}")
    return np.where(known, places[at], (unknown or 0) + x % spread).astype(np.float32)""",
}
