"""How everything in a step comes about, as a line of NumPy that a reader can check."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from multilayer import losses
from multilayer._core.arena import Variable
from multilayer._training import Head
from multilayer._training.graph import Call, Graph
from multilayer.functional import Array
from multilayer.glass.names import Names, is_activation
from multilayer.glass.recording import has_affine_part
from multilayer.layers import Layer
from multilayer.optimizers import SGD, Optimizer

_OF_ROWS = ("softmax", "log_softmax", "sparsemax", "glu")  # their derivative is no number for each number


class Formulas:
    """The formulas of a network's step.

    Args:
        graph: The network, without models in it.
        names: What everything is called.
        fused: The tensors of outputs whose activation and loss are taken in one formula.
        masks: The tensors of what was multiplied with a mask.
    """

    def __init__(self, graph: Graph, names: Names, fused: Collection[int], masks: Collection[int]) -> None:
        self.graph = graph
        self.names = names
        self.fused = fused
        self.masks = masks

    # --- Forward ---

    def affine(self, call: Call) -> str:
        """The affine output of a `Dense` layer."""
        kernel, *bias = [self.names.weights[v] for v in call.layer.weights]
        return " + ".join([f"{self._sources(call)} @ {kernel}", *bias])

    def output(self, call: Call) -> str:
        """What a call gives, its affine output being there."""
        tensor, layer = call.outputs[0], call.layer
        if has_affine_part(layer):
            a, name = self.names.affine[tensor], layer.activation.name
            return a if name == "linear" else f"{name}({a})"
        if tensor in self.masks:
            return f"{self.names.masks[tensor]} * {self._sources(call)}"
        name = layer.activation.name if is_activation(layer) else layer.name  # type: ignore[attr-defined]
        return f"{name}({self._sources(call)})"

    def _sources(self, call: Call) -> str:
        return ", ".join(self.names.tensors[tensor] for tensor in call.inputs)

    # --- Backward ---

    def gradient(self, tensor: int) -> str:
        """The gradient with respect to a tensor: a sum where it goes several ways."""
        return " + ".join(self._through(call, tensor) for call in self.graph.calls if tensor in call.inputs)

    def _through(self, call: Call, source: int) -> str:
        """The gradient that comes back through a call to one of its sources."""
        target, layer = call.outputs[0], call.layer
        dy = self.names.gradient(self.names.tensors[target])
        if has_affine_part(layer):
            return f"{self.names.affine_gradient(call, target in self.fused)} @ {self.names.weights[layer.kernel]}.T"
        if target in self.fused:
            return dy
        if is_activation(layer):
            return _through_activation(layer, self.names.tensors[source], self.names.tensors[target], dy)
        if target in self.masks:
            return f"{self.names.masks[target]} * {dy}"
        return f"{layer.name}.backward({dy})"

    def affine_gradient(self, call: Call) -> str:
        """The gradient with respect to the affine output of a `Dense` layer, from that of its activation."""
        tensor = call.outputs[0]
        y = self.names.tensors[tensor]
        return _through_activation(call.layer, self.names.affine[tensor], y, self.names.gradient(y))

    def weight_gradient(self, variable: Variable) -> str:
        """The gradient of a weight: a sum where its layer is called several times, or where it is penalized."""
        parts = [self._weight_through(call, variable) for call in self.graph.calls if variable in call.layer.weights]
        if variable.regularizer is not None:
            parts.append(f"{_kind(variable.regularizer)}'({self.names.weights[variable]})")
        return " + ".join(parts)

    def _weight_through(self, call: Call, variable: Variable) -> str:
        layer, target = call.layer, call.outputs[0]
        if has_affine_part(layer):
            da = self.names.affine_gradient(call, target in self.fused)
            return f"{self._sources(call)}.T @ {da}" if variable is layer.kernel else f"{da}.sum(axis=0)"
        return f"{layer.name}.backward({self.names.gradient(self.names.tensors[target])})"


def _through_activation(layer: Layer, x: str, y: str, dy: str) -> str:
    name = layer.activation.name  # type: ignore[attr-defined]
    if name == "linear":
        return dy
    return f"{name}_backward({dy}, {y})" if name in _OF_ROWS else f"{name}'({x}) * {dy}"


def _kind(thing: object) -> str:
    return type(thing).__name__.lower()


def loss_gradient(head: Head, y: Array, y_hat: Array, dy: Array, weighted: bool, names: tuple[str, str]) -> str:
    """How the gradient at an output comes about.

    The formula is written out for the commonest losses, and only where it gives these very numbers: what weights,
    label smoothing or another reduction change is not claimed.

    Args:
        head: The output.
        y: Its targets, one-hot where they were labels.
        y_hat: Its predictions.
        dy: The gradient.
        weighted: Whether samples have weights.
        names: What targets and predictions are called.
    """
    t, p = names
    n, k = len(y_hat), y_hat.shape[-1]
    written = []
    if head.fused:
        written = [(f"({p} - {t}) / n", 1 / n), (f"({p} - {t}) / (n k)", 1 / (n * k))]
    elif isinstance(head.loss, losses.MeanSquaredError):
        written = [(f"2 ({p} - {t}) / n", 2 / n), (f"2 ({p} - {t}) / (n k)", 2 / (n * k))]
    share = "" if head.weight == 1 else f"{head.weight:g} "
    if y.shape == y_hat.shape == dy.shape:
        for text, factor in written:
            if np.allclose(dy, (y_hat - y) * factor * head.weight, rtol=1e-4, atol=1e-7):
                return share + text
    assert head.loss is not None  # asked of outputs with a loss alone
    given = [t, p, *(["sample_weight"] if weighted else [])]
    return f"{share}{head.loss.name}.gradient({', '.join(given)})"


def update(
    optimizer: Optimizer, rate: float, before: Array, gradient: Array, after: Array, names: tuple[str, str]
) -> str:
    """How a weight's new value comes about: written out for plain descent, where it gives these very numbers."""
    w, dw = names
    if isinstance(optimizer, SGD) and np.allclose(after, before - rate * gradient, rtol=1e-5, atol=1e-8):
        return f"{w} - {rate:g} {dw}"
    return f"{_kind(optimizer)}({w}, {dw})"
