"""What everything in a step is called: the tutorial's names, carried on to any network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from multilayer import activations
from multilayer._core.arena import Variable
from multilayer._training.graph import Call, Graph
from multilayer.glass.recording import has_affine_part, is_linear, multiplies
from multilayer.layers import Layer


class Names:
    """The names of a network's tensors, affine outputs and weights.

    The k-th `Dense` layer has the weights Wk and bk, the affine output ak and the activation zk; the activation may be
    a layer of its own. What comes in is X, what the network gives y_hat. What other layers give is h1, h2 and so on,
    and their weights and masks bear that number: gamma1, mask2.

    Args:
        graph: The network, without models in it.
        input_names: The inputs' names, which tell several apart.
        output_names: The outputs' names, likewise.

    Attributes:
        tensors: The name of each tensor.
        affine: The name of the affine output of each `Dense` layer, by its output.
        masks: The name of a mask, by the layer's output.
        weights: The name of each weight.
    """

    def __init__(self, graph: Graph, input_names: Sequence[str], output_names: Sequence[str]) -> None:
        self.tensors: dict[int, str] = dict(zip(graph.inputs, _told_apart("X", input_names), strict=True))
        self.affine: dict[int, str] = {}
        self.masks: dict[int, str] = {}
        self.weights: dict[Variable, str] = {}
        ends = dict(zip(graph.outputs, _told_apart("y_hat", output_names), strict=True))
        self._gradients = dict(zip(ends.values(), _told_apart("dy", output_names), strict=True))
        self._of_dense: dict[int, int] = {}  # the number of the last dense layer on the way to a tensor
        self._dense = self._other = 0
        for call in graph.calls:
            self._name(call, ends)

    def gradient(self, name: str) -> str:
        """The name of the gradient with respect to what has this name."""
        return self._gradients.get(name, f"d{name}")

    def affine_gradient(self, call: Call, fused: bool) -> str:
        """The name of the gradient with respect to the affine output of a `Dense` layer."""
        tensor = call.outputs[0]
        return self.gradient(self.tensors[tensor] if fused or is_linear(call.layer) else self.affine[tensor])

    def _name(self, call: Call, ends: dict[int, str]) -> None:
        tensor = call.outputs[0]
        if has_affine_part(call.layer):
            self._dense += 1
            self._of_dense[tensor] = self._dense
            self.affine[tensor] = f"a{self._dense}"
            self._enter(tensor, f"{'a' if is_linear(call.layer) else 'z'}{self._dense}", ends)
            self._name_weights(call.layer, self._dense, {"kernel": "W", "bias": "b"})
            return
        number = max((self._of_dense.get(source, 0) for source in call.inputs), default=0)
        self._of_dense.update(dict.fromkeys(call.outputs, number))
        activation = f"z{number}"
        if is_activation(call.layer) and number and activation not in self.tensors.values():
            self._enter(tensor, activation, ends)
            return
        for target in call.outputs:
            self._other += 1
            self._enter(target, f"h{self._other}", ends)
        if multiplies(call.layer):
            self.masks[tensor] = f"mask{self._other}"
        self._name_weights(call.layer, self._other, {})

    def _enter(self, tensor: int, name: str, ends: dict[int, str]) -> None:
        self.tensors[tensor] = ends.get(tensor, name)

    def _name_weights(self, layer: Layer, number: int, short: dict[str, str]) -> None:
        taken = set(self.weights.values())
        for variable in layer.weights:
            name = f"{short.get(variable.name, variable.name)}{number}"
            self.weights.setdefault(variable, name if name not in taken else variable.path)


def is_activation(layer: Layer) -> bool:
    """Whether a layer applies an activation and nothing else."""
    return isinstance(getattr(layer, "activation", None), activations.Activation) and not layer.weights


def _told_apart(name: str, owners: Sequence[str]) -> Iterable[str]:
    return [name] if len(owners) == 1 else [f"{name}_{owner}" for owner in owners]
