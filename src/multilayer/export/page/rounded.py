"""`QuantizationAware` layers on a page: dense layers with the weights that they compute with, and rounded inputs."""

from __future__ import annotations

from typing import Any

from multilayer._training.graph import Call, Graph
from multilayer.functional import quantization
from multilayer.layers import Dense, QuantizationAware


def without_quantization(graph: Graph) -> tuple[Graph, dict[int, dict[str, Any]]]:
    """A graph with a plain dense layer for each `QuantizationAware` one, and how the inputs of these are rounded.

    What the page then shows and teaches are the rounded weights, as the network predicts with them.

    Returns:
        The graph, and `scale` and `zero` of the input of each call, by the tensor that it gives.
    """
    calls, rounding = [], {}
    for call in graph.calls:
        if isinstance(call.layer, QuantizationAware):
            if call.layer.measured:
                scale, zero = call.layer.scale_and_zero()
                rounding[call.outputs[0]] = {"scale": scale, "zero": zero}
            call = _plain(call, call.layer)
        calls.append(call)
    return graph._replace(calls=tuple(calls)), rounding


def _plain(call: Call, layer: QuantizationAware) -> Call:
    inner = layer.layer
    dense = Dense(**{**inner.get_config(), "name": layer.name, "trainable": layer.trainable})
    dense.build((None, inner.kernel.shape[0]))
    dense.kernel.value[...] = quantization.fake_quantize(inner.kernel.value, layer.step.value, layer.bits)
    if dense.bias is not None and inner.bias is not None:
        dense.bias.value[...] = inner.bias.value
    return call._replace(layer=dense)
