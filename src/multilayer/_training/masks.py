"""Masks on their way: from the layer that knows which steps are padding to those that leave them out.

A mask is a tensor of the network like any other. So no layer between has to know of it, and the passes, which hand
tensors to calls, have nothing to do for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from multilayer._training.graph import Call, Graph
from multilayer.functional import Array
from multilayer.layers import Concatenate, Layer
from multilayer.layers.recorded import Arguments, Place


class MaskOf(Layer):
    """The mask that a layer gives for what it is called with, (n, steps): True where a step counts."""

    def __init__(self, layer: Layer) -> None:
        super().__init__(name=f"mask_of_{layer.name}", dtype=layer.dtype)
        self._of = layer.compute_mask
        self.built = True

    def forward(self, x: Array, training: bool = False) -> Array:  # noqa: ARG002 - the same in training
        return self._of(x)

    def backward(self, dy: Any) -> None:
        """A mask has no slope."""


class _AnyMask(Layer):
    """Where masked tensors are merged, a step counts that counts in one of them."""

    takes_several = True

    def forward(self, x: Sequence[Array], training: bool = False) -> Array:  # noqa: ARG002 - the same in training
        either: Array = np.logical_or(x[0], x[1])
        return either

    def backward(self, dy: Any) -> list[None]:  # noqa: ARG002 - a mask has no slope
        return [None, None]


def gives_masks(layers: Iterable[Layer]) -> bool:
    """Whether one of the layers gives a mask, or one in a model among them."""
    return any(
        layer.gives_mask or (hasattr(layer, "graph") and gives_masks(call.layer for call in layer.graph.calls))
        for layer in layers
    )


def with_masks(graph: Graph) -> Graph:
    """The network with masks as tensors of their own, where a layer gives one that another heeds; else as it is."""
    if not gives_masks(call.layer for call in graph.calls):
        return graph
    flat = graph.flat()
    calls: list[Call] = []
    masks: dict[int, int] = {}  # of a tensor whose steps do not all count: the number of its mask
    size, heeded = flat.size, False

    def added(layer: Layer, inputs: tuple[int, ...], single: bool = True) -> int:
        nonlocal size
        calls.append(Call(layer, inputs, (size,), single))
        size += 1
        return size - 1

    for call in flat.calls:
        found = _found(call, masks)
        while len(found) > 1:
            one, other, *rest = found
            found = [added(_AnyMask(), (one, other), single=False), *rest]
        if found and call.layer.takes_mask:
            form = _with_mask(call) if call.layer.by_call else call.form
            calls.append(call._replace(inputs=(*call.inputs, *found), single=False, form=form))
            heeded = True
        else:
            calls.append(call)
        if call.layer.gives_mask:
            found = [added(MaskOf(call.layer), call.inputs)]
        if found and keeps_mask(call.layer):
            masks.update(dict.fromkeys(call.outputs, found[0]))
    return flat._replace(calls=tuple(calls), size=size) if heeded else graph


def keeps_mask(layer: Layer) -> bool:
    """Whether the mask of a layer's input is that of its output.

    Of a class that is the user's from the base class on it is so where it says so, as in Keras: by
    `supports_masking`, and no `compute_mask` that says otherwise. What it does with the steps is not to be seen from
    here; it may well take their mean.
    """
    built_upon = next(one for one in type(layer).__mro__ if one.__module__.startswith("multilayer."))
    if built_upon is not Layer or not layer.by_call:
        return layer.keeps_mask
    return layer.supports_masking and type(layer).compute_mask is Layer.compute_mask


def _with_mask(call: Call) -> Any:
    """The arguments of a call with the mask as one more, named `mask`."""
    form = call.form
    if form is None:
        places = [Place(number) for number in range(len(call.inputs))]
        form = places[0] if call.single else places
    args, kwargs = form if isinstance(form, Arguments) else ((form,), {})
    return Arguments(args, {"mask": Place(len(call.inputs)), **kwargs})


def _found(call: Call, masks: Mapping[int, int]) -> list[int]:
    """The masks of what a layer is called with: none where one of several inputs has none, as all its steps count."""
    found = list(dict.fromkeys(masks[tensor] for tensor in call.inputs if tensor in masks))
    if found and isinstance(call.layer, Concatenate) and call.layer.axis in (1, -2):
        raise ValueError(
            f"Layer '{call.layer.name}' puts sequences one after the other, of which one has steps that `Masking`, or "
            "an `Embedding` with `mask_zero`, leaves out: such masks are not carried on. Leave the mask out, or take "
            "the means of the sequences apart."
        )
    return found if all(tensor in masks for tensor in call.inputs) else []


def masked_tensors(graph: Graph) -> set[int]:
    """The tensors of a network that has no models in it whose steps do not all count."""
    masked: set[int] = set()
    for call in graph.calls:
        if keeps_mask(call.layer) and (call.layer.gives_mask or (call.inputs and masked.issuperset(call.inputs))):
            masked.update(call.outputs)
    return masked
