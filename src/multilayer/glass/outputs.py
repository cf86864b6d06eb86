"""What every layer gives for some samples, by the names that a trace has for it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from multilayer._training.graph import Call
from multilayer._training.protocols import Network
from multilayer.functional import Array
from multilayer.glass.names import Names
from multilayer.layers import Layer


class Output(NamedTuple):
    """What one call of a layer gives.

    Attributes:
        name: Its name in a trace, such as 'z1'.
        layer: The layer.
        value: The array, a copy.
    """

    name: str
    layer: Layer
    value: Array


def layer_outputs(model: Network, x: Any) -> list[Output]:
    """What every layer of a model gives for some samples, outside training.

    Args:
        model: A model that is built.
        x: Inputs, shape (n, ...), as `predict` takes them.

    Returns:
        An entry for each output of each call of a layer, in order.

    Raises:
        ValueError: The model is not built, or the inputs do not fit.

    Example:
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((3,)), layers.Dense(2, "tanh"), layers.Dense(1)])
        >>> [(output.name, output.value.shape) for output in layer_outputs(model, np.eye(3))]
        [('z1', (3, 2)), ('y_hat', (3, 1))]
    """
    model.require_built("layer_outputs")
    graph = model.flat_graph()
    names = Names(graph, model.input_names, model.output_names)
    found: list[Output] = []

    def evaluate(call: Call, x: Any) -> Any:
        y = call.layer.forward(x, False)
        for tensor, value in zip(call.outputs, y if isinstance(y, list) else [y], strict=True):
            found.append(Output(names.tensors[tensor], call.layer, np.array(value)))
        return y

    graph.run(model.checked_inputs(x), evaluate)
    return found
