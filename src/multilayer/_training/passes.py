"""The way through a network and back: forward call by call, then the gradients in the reverse order."""

from __future__ import annotations

import copy
import weakref
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from multilayer._core.arena import Scratch, Variable
from multilayer._training.graph import Call, Graph, bystander
from multilayer._training.heads import FUSABLE
from multilayer.functional import Array
from multilayer.layers import Layer
from multilayer.layers.recorded import Filled, backward_by_call, context, forward_by_call, require_formula


class _Back(NamedTuple):
    """A call on the way back, with the tensors whose gradients it takes and gives."""

    backward: Callable[[Any], Any]
    outputs: tuple[int, ...]
    inputs: tuple[int, ...]


class Passes:
    """Forward and backward passes through a network without models in it (`Graph.flat`).

    A layer that is called several times is trained through copies, one for each further call, that share its weights:
    so each call keeps what its own backward pass needs, and the weights' gradients are added up.

    Args:
        graph: The network.
        fused: The outputs, by their number, that end before their layer's activation (see `_training.heads`).
    """

    def __init__(self, graph: Graph, fused: Collection[int] = ()) -> None:
        self.graph = graph
        self.layers: list[Layer] = list(dict.fromkeys(call.layer for call in graph.calls))
        self.penalty = 0.0
        self.is_penalized = False  # whether any layer has added to the loss
        self._fused = {graph.outputs[i] for i in fused}
        # The common case, a stack of layers, needs no book of who reads what.
        self._in_a_row = len(graph.inputs) == len(graph.outputs) == 1 and all(
            call.single and call.inputs == before and len(call.outputs) == 1
            for call, before in zip(graph.calls, (graph.inputs, *(call.outputs for call in graph.calls)), strict=False)
        )
        self._in_a_row = self._in_a_row and bool(graph.calls) and graph.calls[-1].outputs == graph.outputs
        self._forward = [self._way(call, call.layer, back=False) for call in graph.calls]
        self._back: list[_Back] = []
        self._copies: list[tuple[Layer, bool]] = []
        self._summed: set[int] = set()
        self._ends: list[int] = []
        self._at: list[Any] = []  # every tensor of the last forward pass, by its number
        self._penalized_outputs: dict[int, Array] = {}
        self._scratch = Scratch()
        self.unreached: list[Variable] = []

    # --- Forward ---

    def forward(self, xs: Sequence[Array], training: bool) -> list[Array]:
        """The outputs for a batch; `penalty` is then what activity regularizers add to the loss."""
        self.penalty = 0.0
        if self._in_a_row:
            x = xs[0]
            for forward, _, _ in self._forward:
                x = forward(x, training)
            return [x]
        # A merging layer takes a list, any other the array itself: `_way` has left the number of that alone.
        at = self._at = [None] * self.graph.size
        for tensor, x in zip(self.graph.inputs, xs, strict=True):
            at[tensor] = x
        for forward, inputs, outputs in self._forward:
            y = forward(at[inputs] if type(inputs) is int else [at[tensor] for tensor in inputs], training)
            for tensor, value in zip(outputs, y if len(outputs) > 1 else [y], strict=True):
                at[tensor] = value
        return [at[tensor] for tensor in self.graph.outputs]

    def _way(self, call: Call, layer: Layer, *, back: bool) -> tuple[Any, Any, Any]:
        """How a call is made: a function, and the tensors it takes and gives."""
        forward = self._forward_of(call, layer)
        if back and _by_formula(call):
            forward = _recorded_without_training(layer)
        elif call.training is not None:
            forward = self._held(call, layer, forward, call.training or back)
        if call.form is not None:
            forward = _with_arguments(forward, call.form)
        if layer.by_call:
            forward = self._gathering(forward)
        if layer.activity_regularizer is not None:
            forward = self._penalized(forward, layer.activity_regularizer, call.outputs[0])
        return forward, call.inputs[0] if call.single else call.inputs, call.outputs

    def _held(self, call: Call, layer: Layer, forward: Callable[..., Any], as_drawn: bool) -> Callable[..., Any]:
        """A call whose `training` whoever drew up the network has decided; nothing is changed where nobody trains."""
        passes = weakref.proxy(self)

        def held(x: Any, training: bool) -> Any:
            if call.training and not training:
                return passes._forward_of(call, bystander(layer))(x, True)
            return forward(x, as_drawn)

        return held

    def _forward_of(self, call: Call, layer: Layer) -> Callable[..., Any]:
        """What the layer itself does in this call."""
        if call.outputs[0] in self._fused:
            assert isinstance(layer, FUSABLE)
            return layer.linear_forward
        return layer.forward

    def _penalized(self, forward: Callable[..., Any], regularizer: Any, target: int) -> Callable[..., Any]:
        passes = weakref.proxy(self)  # it holds the function: together they would stay until the collector comes

        def forward_and_penalty(x: Any, training: bool) -> Any:
            y = forward(x, training)
            passes.penalty += float(regularizer(y)) / len(y)
            passes.is_penalized = True
            passes._penalized_outputs[target] = y
            return y

        return forward_and_penalty

    def _gathering(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        """The same for a layer that may add to the loss itself."""
        passes = weakref.proxy(self)

        def forward_and_losses(x: Any, training: bool) -> Any:
            y = forward(x, training)
            if context.penalty is not None:
                passes.penalty += context.penalty
                passes.is_penalized = True
            return y

        return forward_and_losses

    # --- Backward ---

    def prepare_backward(self, ends: Sequence[int]) -> None:
        """Makes everything ready to go back from the outputs of these numbers, where gradients come in."""
        self._ends = [self.graph.outputs[i] for i in ends]
        wanted, passed = self._wanted(), self._passed()
        self._summed = self._with_several_gradients(wanted, passed)
        self._copies = []
        seen: set[Layer] = set()
        for call in self.graph.calls:
            layer = _fresh_copy(call.layer) if call.layer in seen else call.layer
            seen.add(call.layer)
            self._copies.append((layer, any(wanted[tensor] for tensor in call.inputs)))
        back = [
            goes and any(map(wanted.__getitem__, call.outputs))
            for call, goes in zip(self.graph.calls, passed, strict=True)
        ]
        steps = [
            (call, layer, goes) for call, (layer, _), goes in zip(self.graph.calls, self._copies, back, strict=True)
        ]
        self._forward = [self._way(call, layer, back=goes) for call, layer, goes in steps]
        self._back = []
        written: set[Variable] = set()
        for call, layer, goes in reversed(steps):
            if goes:
                if _by_formula(call):
                    require_formula(layer)
                self._back.append(self._way_back(call, layer, shared=not written.isdisjoint(layer.weights)))
                written.update(layer.trainable_weights)
        self.take_hold()
        trainable = {variable for layer in self.layers for variable in layer.trainable_weights}
        self.unreached = list(trainable - written)

    def take_hold(self) -> None:
        """Tells the layers what is needed of them; another model that shares them may have told them otherwise."""
        for layer, needs_dx in self._copies:
            layer.needs_dx = needs_dx
            if layer.by_call or layer.acts_in_training:
                layer.trained = layer.trainable_weights

    def holds(self) -> bool:
        """Whether the layers still know what is needed of them."""
        return all(layer.needs_dx == needs_dx for layer, needs_dx in self._copies)

    def backward(self, dys: Sequence[Array]) -> None:
        """Writes the gradients of all weights, from those at the outputs."""
        if self._in_a_row:
            dy = dys[0] if dys else None
            for backward, _, _ in self._back:
                dy = backward(dy)
            return
        at: list[Any] = [None] * self.graph.size
        for tensor, dy in zip(self._ends, dys, strict=True):
            self._put(at, tensor, dy)
        for backward, outputs, inputs in self._back:
            dx = backward(at[outputs[0]] if len(outputs) == 1 else [self._or_zeros(at, tensor) for tensor in outputs])
            for tensor, one in zip(inputs, dx if isinstance(dx, list) else [dx], strict=True):
                self._put(at, tensor, one)

    def _or_zeros(self, at: Sequence[Any], tensor: int) -> Array:
        """The gradient at one of several outputs of a layer, also where nothing was made of that output."""
        given: Array | None = at[tensor]
        if given is not None:
            return given
        y: Any = self._at[tensor]
        zeros = self._scratch(f"zeros {tensor}", y.shape, y.dtype)
        zeros.fill(0.0)
        return zeros

    def _put(self, at: list[Any], tensor: int, gradient: Any) -> None:
        """The gradient of a tensor: the sum, where it comes from several sides."""
        if tensor not in self._summed:
            at[tensor] = gradient
        elif gradient is None:
            return
        elif at[tensor] is None:
            at[tensor] = self._scratch(f"sum {tensor}", gradient.shape, gradient.dtype)
            np.copyto(at[tensor], gradient)
        else:
            at[tensor] += gradient

    def _way_back(self, call: Call, layer: Layer, *, shared: bool) -> _Back:
        backward = self._backward_of(call, layer)
        if shared:
            backward = self._adding_up(backward, layer.trainable_weights)
        if layer.activity_regularizer is not None:
            backward = self._pulled(backward, layer.activity_regularizer, call.outputs[0])
        return _Back(backward, call.outputs, call.inputs)

    def _backward_of(self, call: Call, layer: Layer) -> Callable[..., Any]:
        """What the layer itself does on the way back through this call."""
        if call.outputs[0] in self._fused:
            assert isinstance(layer, FUSABLE)
            return layer.linear_backward
        return partial(backward_by_call, layer) if _by_formula(call) else layer.backward

    def _adding_up(self, backward: Callable[..., Any], variables: Sequence[Variable]) -> Callable[..., Any]:
        """The backward pass of a further call of a layer, whose weights' gradients come on top of the others'."""
        scratch = self._scratch  # and not these passes, which hold the function

        def backward_and_add(dy: Any) -> Any:
            before = []
            for i, variable in enumerate(variables):
                assert variable.gradient is not None  # it is trainable
                before.append(scratch(f"before {i} {variable.shape}", variable.shape, variable.gradient.dtype))
                np.copyto(before[-1], variable.gradient)
            dx = backward(dy)
            for variable, gradient in zip(variables, before, strict=True):
                np.add(variable.gradient, gradient, out=variable.gradient)  # type: ignore[arg-type]
            return dx

        return backward_and_add

    def _pulled(self, backward: Callable[..., Any], regularizer: Any, target: int) -> Callable[..., Any]:
        """The backward pass of a layer whose output is penalized, too."""
        passes = weakref.proxy(self)

        def backward_with_penalty(dy: Array | None) -> Any:
            y = passes._penalized_outputs[target]
            pull = np.multiply(
                regularizer.gradient(y), 1.0 / len(y), out=passes._scratch(f"pull {target}", y.shape, y.dtype)
            )
            if dy is not None:
                pull += dy
            return backward(pull)

        return backward_with_penalty

    # --- What has to be done at all ---

    def _wanted(self) -> list[bool]:
        """For each tensor, whether its gradient leads to a weight that is trained."""
        wanted = [False] * self.graph.size
        for call in self.graph.calls:
            leads = bool(call.layer.trainable_weights) or any(wanted[tensor] for tensor in call.inputs)
            for tensor in call.outputs:
                wanted[tensor] = leads
        return wanted

    def _passed(self) -> list[bool]:
        """For each call, whether gradients come through it: from an output that has a loss, or a penalty."""
        comes = [tensor in self._ends for tensor in range(self.graph.size)]
        passed = [False] * len(self.graph.calls)
        for number in reversed(range(len(passed))):
            call = self.graph.calls[number]
            adds = call.layer.activity_regularizer is not None or call.layer.by_call
            passed[number] = adds or any(comes[tensor] for tensor in call.outputs)
            for tensor in call.inputs:
                comes[tensor] = comes[tensor] or passed[number]
        return passed

    def _with_several_gradients(self, wanted: Sequence[bool], passed: Sequence[bool]) -> set[int]:
        """The tensors whose gradient is a sum of several."""
        arriving = Counter(self._ends)
        for call, goes in zip(self.graph.calls, passed, strict=True):
            if goes and any(wanted[tensor] for tensor in call.outputs):
                arriving.update(call.inputs)
        return {tensor for tensor, count in arriving.items() if count > 1}


def _with_arguments(forward: Callable[..., Any], form: Any) -> Callable[..., Any]:
    def forward_with_arguments(xs: Sequence[Any], training: bool) -> Any:
        return forward(Filled(form, xs), training)

    return forward_with_arguments


def _fresh_copy(layer: Layer) -> Layer:
    """A layer with the same weights and settings, and memory of its own for what its backward pass needs."""
    fresh = copy.copy(layer)  # shallow: the weights are the same objects
    fresh._scratch = Scratch()
    return fresh


def _by_formula(call: Call) -> bool:
    """Whether a call goes by the layer's `call`, on a tape: its backward pass belongs to what it does in training.

    So it is where a trained network becomes part of a larger one with `training=False`, and is trained on: the running
    means of a `BatchNormalization` then stay, and gradients pass through it as through any fixed scale.
    """
    return call.training is False and call.layer.acts_in_training and not call.layer.by_call


def _recorded_without_training(layer: Layer) -> Callable[..., Any]:
    def forward(x: Any, training: bool) -> Any:
        return forward_by_call(layer, x, True, within=False) if training else layer.forward(x)

    return forward
