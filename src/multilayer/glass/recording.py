"""A network's passes with a note taken of every array on the way."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from multilayer import activations
from multilayer._training import Head, Passes
from multilayer._training.graph import Call, Graph
from multilayer.functional import Array
from multilayer.layers import Dense, Dropout, GaussianDropout, Layer

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override


class Notes:
    """What was seen in one step. Tensors are numbered as those of the network's `Graph`.

    Attributes:
        values: What each tensor held on the way forward.
        affine: The affine output of a `Dense` layer, by its output.
        masks: What a dropout layer multiplied with, by its output.
        gradients: The gradient of the loss with respect to each tensor's values; at an output whose activation is taken
            in one formula with its loss, with respect to what that activation is applied to.
        affine_gradients: That with respect to the affine output, where the layer's activation lies between.
        back: The calls on the way back, in the order in which they were made.
        predictions: What each output of the network predicts.
        losses: Each output's loss, without its weight in the sum.
    """

    def __init__(self) -> None:
        self.values: dict[int, Array] = {}
        self.affine: dict[int, Array] = {}
        self.masks: dict[int, Array] = {}
        self.gradients: dict[int, Array] = {}
        self.affine_gradients: dict[int, Array] = {}
        self.back: list[Call] = []
        self.predictions: dict[int, Array] = {}
        self.losses: dict[int, float] = {}


class WatchedPasses(Passes):
    """The same passes; `notes` holds copies of what came by.

    An activation overwrites the affine output that it is applied to, and its gradient exists within `Dense.backward`
    alone. Both are computed once more for the notes, by the functions that the layer itself uses.
    """

    def __init__(self, notes: Notes, graph: Graph, fused: Collection[int] = ()) -> None:
        self.notes = notes
        super().__init__(graph, fused)

    def _forward_of(self, call: Call, layer: Layer) -> Callable[..., Any]:
        forward, tensor = super()._forward_of(call, layer), call.outputs[0]

        def watched(x: Any, training: bool) -> Any:
            if tensor not in self._fused and has_affine_part(layer):
                self.notes.affine[tensor] = np.array(layer.linear_forward(x))
            y = forward(x, training)
            for target, value in zip(call.outputs, y if isinstance(y, list) else [y], strict=True):
                self.notes.values[target] = np.array(value)
            if has_affine_part(layer):
                self.notes.affine.setdefault(tensor, self.notes.values[tensor])
            if training and multiplies(layer):
                self.notes.masks[tensor] = np.array(layer.mask)
            return y

        return watched

    def _backward_of(self, call: Call, layer: Layer) -> Callable[..., Any]:
        backward, tensor = super()._backward_of(call, layer), call.outputs[0]

        def watched(dy: Any) -> Any:
            self.notes.back.append(call)
            for target, gradient in zip(call.outputs, dy if isinstance(dy, list) else [dy], strict=True):
                self.notes.gradients[target] = np.array(gradient)
            if tensor not in self._fused and has_affine_part(layer) and not is_linear(layer):
                a, y = self.notes.affine[tensor], self.notes.values[tensor]
                dy_again = self.notes.gradients[tensor].copy()
                kept = a if layer.activation.of_input else y
                da = layer.activation.backward_with_bias(dy_again, kept, np.empty_like(kept), None)
                self.notes.affine_gradients[tensor] = da
            return backward(dy)

        return watched


class WatchedHead(Head):
    """The same end of a network; `notes` holds what it predicts and how wrong that is.

    Args:
        head: The end that is watched, whose place this one takes.
        notes: Where to.
        number: The number of its output.
        output: Its tensor in the network.
    """

    def __init__(self, head: Head, notes: Notes, number: int, output: int) -> None:
        vars(self).update(vars(head))  # all that it has come to, and not only what it was made of
        self._notes = notes
        self._number = number
        self._output = output

    @override
    def value_and_gradient(self, y: Array, output: Array, sample_weight: Array | None) -> tuple[float, Array, Array]:
        loss, y_hat, dy = super().value_and_gradient(y, output, sample_weight)
        self._notes.losses[self._number] = loss
        self._notes.predictions[self._number] = np.array(y_hat)
        self._notes.gradients[self._output] = np.array(dy)
        return loss, y_hat, dy


def has_affine_part(layer: Layer) -> TypeGuard[Dense]:
    """Whether a layer is a `Dense` one, by its own passes and not those of a class derived from it."""
    return isinstance(layer, Dense) and type(layer).forward is Dense.forward and type(layer).backward is Dense.backward


def multiplies(layer: Layer) -> TypeGuard[Dropout | GaussianDropout]:
    """Whether a layer multiplies with a mask that it draws in training."""
    return isinstance(layer, (Dropout, GaussianDropout)) and layer.rate > 0


def is_linear(layer: Layer) -> bool:
    """Whether a `Dense` layer ends with its affine part."""
    return getattr(layer, "activation", None) is activations.linear
