"""Each layer in the form that the page's `network.js` has for it, as it predicts."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from multilayer import activations, layers
from multilayer.layers import Layer

Shape: TypeAlias = tuple[int, ...]
Step: TypeAlias = dict[str, Any]


def encoded(array: ArrayLike) -> dict[str, Any]:
    """An array as its shape and its numbers, float32 in little-endian order, in base64."""
    values = np.ascontiguousarray(array, "<f4")
    return {"shape": list(values.shape), "data": base64.b64encode(values.tobytes()).decode()}


def step_of(layer: Layer, shapes: Sequence[Shape]) -> Step:
    """A layer's step.

    Args:
        layer: The layer.
        shapes: The shapes of its inputs' samples.

    Raises:
        ValueError: The page has no form for the layer, for its activation, or for inputs of these shapes.
    """
    if type(layer) in _IDENTITIES:
        return {"kind": "identity"}
    if type(layer) in _MERGES:
        return _merge(layer, shapes)
    make = _OF_ONE_INPUT.get(type(layer))
    if make is None:
        raise ValueError(f"Layer '{layer.name}' is a {type(layer).__name__}, which a page has no form for.")
    return make(layer, shapes[0])


def _dense(layer: layers.Dense, shape: Shape) -> Step:
    weights = {"W": layer.kernel, "b": layer.bias}
    return {
        "kind": "dense",
        "width": shape[-1],
        "rows": math.prod(shape[:-1]),
        "activation": _activation_of(layer),
        "arrays": {name: encoded(v.value) for name, v in weights.items() if v is not None},
    }


def _activation(layer: Any, shape: Shape) -> Step:
    return {"kind": "activation", "width": shape[-1], "activation": _activation_of(layer)}


def _activation_of(layer: Any) -> dict[str, Any]:
    activation: activations.Activation = layer.activation
    options = activation.options
    last_axis = options.get("axis", -1) == -1
    if activation.built_in is None or not last_axis:
        what = "one over another axis than the last" if activation.built_in else "one of your own"
        raise ValueError(
            f"Layer '{layer.name}' has the activation '{activation.name}', {what}, which a page has no form for."
        )
    finite = {name: _plain(value) for name, value in options.items() if name != "axis"}
    return {"name": activation.built_in, "options": finite}


def _plain(value: Any) -> Any:
    """An option as JSON has it: what bounds nothing is null."""
    return None if isinstance(value, float) and math.isinf(value) else value


def _prelu(layer: layers.PReLU, shape: Shape) -> Step:
    return {"kind": "prelu", "arrays": {"alpha": _tiled(layer.alpha.value, shape)}}


def _rescale(mean: Any, scale: Any, offset: Any, shape: Shape) -> Step:
    """The step (x - mean) scale + offset; the mean is subtracted first, so that large ones cost no digits."""
    arrays = {"mean": mean, "scale": scale, "offset": offset}
    return {"kind": "rescale", "arrays": {name: _tiled(np.asarray(value), shape) for name, value in arrays.items()}}


def _tiled(array: Any, shape: Shape) -> dict[str, Any]:
    """An array with a number for each of a sample, or a single one where all are the same."""
    whole = np.broadcast_to(array, (1, *shape) if np.ndim(array) > len(shape) else shape).reshape(-1)
    return encoded(whole[:1] if np.all(whole == whole[0]) else whole)


def _rescaling(layer: layers.Rescaling, shape: Shape) -> Step:
    return _rescale(0.0, layer.scale, layer.offset, shape)


def _normalization(layer: layers.Normalization, shape: Shape) -> Step:
    mean, deviation = (np.asarray(one, float) for one in layer.mean_and_deviation(np.dtype(layer.dtype)))
    if layer.invert:
        return _rescale(0.0, deviation, mean, shape)
    return _rescale(mean, 1.0 / deviation, 0.0, shape)


def _batch_normalization(layer: layers.BatchNormalization, shape: Shape) -> Step:
    sides = [side if axis + 1 in layer.axes else 1 for axis, side in enumerate(shape)]
    scale = 1.0 / np.sqrt(layer.moving_variance.value + layer.epsilon)
    if layer.gamma is not None:
        scale = scale * layer.gamma.value
    offset = np.zeros(1) if layer.beta is None else layer.beta.value.reshape(sides)
    return _rescale(layer.moving_mean.value.reshape(sides), scale.reshape(sides), offset, shape)


def _layer_normalization(layer: layers.LayerNormalization, shape: Shape) -> Step:
    count = len(layer.axes)
    if list(layer.axes) != list(range(len(shape) + 1 - count, len(shape) + 1)):
        raise ValueError(
            f"Layer '{layer.name}' normalizes other axes than the last ones, which a page has no form for."
        )
    weights = {"gamma": layer.gamma, "beta": layer.beta}
    return {
        "kind": "layer_norm",
        "width": math.prod(shape[len(shape) - count :]),
        "epsilon": layer.epsilon,
        "centered": layer.centered,
        "arrays": {name: encoded(v.value.reshape(-1)) for name, v in weights.items() if v is not None},
    }


def _unit_normalization(layer: layers.UnitNormalization, shape: Shape) -> Step:
    if layer.axis not in (-1, len(shape), [-1], [len(shape)]):
        raise ValueError(f"Layer '{layer.name}' normalizes other axes than the last one, which a page has no form for.")
    return {"kind": "unit_norm", "width": shape[-1]}


def _permute(layer: layers.Permute, shape: Shape) -> Step:
    order = np.arange(math.prod(shape)).reshape(shape).transpose([axis - 1 for axis in layer.dims])
    return {"kind": "permute", "order": order.reshape(-1).tolist()}


def _merge(layer: Layer, shapes: Sequence[Shape]) -> Step:
    kind = _MERGES[type(layer)]
    if isinstance(layer, layers.Concatenate):
        if layer.axis % (len(shapes[0]) + 1) != 1:  # numbers then stand side by side, whatever the axes behind
            raise ValueError(
                f"Layer '{layer.name}' concatenates along another axis than the first, which a page has no form for."
            )
    elif len(set(shapes)) > 1:
        raise ValueError(
            f"Layer '{layer.name}' merges inputs of shapes {list(shapes)}; a page merges those of one shape."
        )
    return {"kind": kind}


_IDENTITIES: set[type[Layer]] = {
    layers.ActivityRegularization,
    layers.AlphaDropout,
    layers.Dropout,
    layers.Flatten,  # the page keeps a sample's numbers in a row in any case
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.Identity,
    layers.Reshape,
}
_MERGES: dict[type[Layer], str] = {
    layers.Add: "add",
    layers.Average: "average",
    layers.Concatenate: "concatenate",
    layers.Maximum: "maximum",
    layers.Minimum: "minimum",
    layers.Multiply: "multiply",
    layers.Subtract: "subtract",
}
_OF_ONE_INPUT: dict[type[Layer], Callable[[Any, Shape], Step]] = {
    layers.Activation: _activation,
    layers.BatchNormalization: _batch_normalization,
    layers.Dense: _dense,
    layers.ELU: _activation,
    layers.LayerNormalization: _layer_normalization,
    layers.LeakyReLU: _activation,
    layers.Normalization: _normalization,
    layers.PReLU: _prelu,
    layers.Permute: _permute,
    layers.RMSNormalization: _layer_normalization,
    layers.ReLU: _activation,
    layers.Rescaling: _rescaling,
    layers.Softmax: _activation,
    layers.UnitNormalization: _unit_normalization,
}
