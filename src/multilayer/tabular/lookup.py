"""Trained members for prediction: what they see of numbers by their quantiles is looked up, not multiplied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer import layers
from multilayer.functional import Array
from multilayer.models.base import Model
from multilayer.models.functional import Functional
from multilayer.tabular.piecewise import PiecewiseLinear
from multilayer.tabular.splines import LinearSplines


def looked_up(body: Model, pieces: PiecewiseLinear) -> Model:
    """Trained members as a model that takes what they see but for `pieces`, and the numbers that `pieces` would take.

    Args:
        body: Members as `ensemble` draws them up: what `pieces` gives are the last columns of their input.
        pieces: How many bins the numbers have, and where these lie.
    """
    seen = layers.Input((body.input_shape[1] - sum(pieces.counts or ()),), name="seen")
    numbers = layers.Input((len(pieces.counts or ()),), name="numbers")
    h = _split(body.get_layer("hidden_0"), pieces, seen, numbers)
    for later in (one for one in body.layers if one.name.startswith("hidden_") and one.name != "hidden_0"):
        h = later(h)
    straight = _split(body.get_layer("straight"), pieces, seen, numbers)
    return Functional([seen, numbers], layers.Add(name="members")([body.get_layer("curved")(h), straight]))


def _split(layer: Any, pieces: PiecewiseLinear, seen: Any, numbers: Any) -> Any:
    """The members' layers (K, d, h) side by side in a layer of K h units: a product, and splines."""
    members, inputs, width = layer.kernel.shape
    units, counts = members * width, pieces.counts or ()
    W = layer.kernel.value.transpose(1, 0, 2).reshape(inputs, units)
    product = layers.Dense(units, name=f"{layer.name}_product")
    splines = LinearSplines(units, counts, layer.activation, name=f"{layer.name}_splines")
    y = splines([product(seen), numbers])
    plain = product.kernel.shape[0]
    product.set_weights([W[:plain], np.zeros(units) if layer.bias is None else layer.bias.value.ravel()])
    splines.set_weights([pieces.low.value, pieces.factor.value, _values(counts, W[plain:])])
    return layers.Reshape((members, width), name=f"{layer.name}_members")(y)


def _values(counts: Sequence[int], W: Array) -> Array:
    """What each column's spline is at its knots, where W (bins, h) are the weights of `PiecewiseLinear`."""
    found, start = [], 0
    for count in counts:
        rises = W[start : start + count].astype(np.float64)
        found.append(np.cumsum(np.concatenate([-0.5 * rises.sum(axis=0, keepdims=True), rises]), axis=0))
        start += count
    return np.concatenate(found)
