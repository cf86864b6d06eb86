"""Masks on their way: from the layer that knows which steps are padding to those that leave them out.

A mask is a tensor of the network like any other. So no layer between has to know of it, and the passes, which hand
tensors to calls, have nothing to do for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from multilayer._training.graph import Call, Graph
from multilayer.layers import Concatenate, Layer
from multilayer.layers.masked import filled
from multilayer.layers.recorded import Arguments, Place


class MaskOf(Layer):
    """The mask that a layer gives for what it is called with, (n, steps): True where a step counts.

    Its inputs are those of the layer, and then their mask, where they have one.
    """

    takes_several = True

    def __init__(self, of: Call, masked: bool) -> None:
        super().__init__(name=f"mask_of_{of.layer.name}", dtype=of.layer.dtype)
        self._of, self._masked = of, masked
        self.built = True

    def forward(self, x: Sequence[Any], training: bool = False) -> Any:  # noqa: ARG002 - the same in training
        given, mask = (x[:-1], x[-1]) if self._masked else (x, None)
        return self._of.layer.compute_mask(given[0] if self._of.single else given, mask)

    def backward(self, dy: Any) -> list[None]:  # noqa: ARG002 - a mask has no slope
        return [None] * (len(self._of.inputs) + self._masked)


class _AnyMask(Layer):
    """Where masked tensors are merged, a step counts that counts in one of them."""

    takes_several = True

    def forward(self, x: Sequence[Any], training: bool = False) -> Any:  # noqa: ARG002 - the same in training
        return None if x[0] is None or x[1] is None else np.logical_or(x[0], x[1])

    def backward(self, dy: Any) -> list[None]:  # noqa: ARG002 - a mask has no slope
        return [None, None]


class _MaskOfJoined(Layer):
    """The mask of inputs that were put side by side, after those of their masks that there are."""

    takes_several = True

    def __init__(self, of: Call, has_mask: Sequence[bool]) -> None:
        super().__init__(name=f"mask_of_{of.layer.name}", dtype=of.layer.dtype)
        self._of, self._has_mask = of, has_mask
        self.built = True

    def forward(self, x: Sequence[Any], training: bool = False) -> Any:  # noqa: ARG002 - the same in training
        given, masks = x[: len(self._has_mask)], iter(x[len(self._has_mask) :])
        return self._of.layer.compute_mask(given, [next(masks) if one else None for one in self._has_mask])

    def backward(self, dy: Any) -> list[None]:  # noqa: ARG002 - a mask has no slope
        return [None] * (len(self._has_mask) + sum(self._has_mask))


class _Filled(Layer):
    """x where its mask says that a step counts, and elsewhere a number, of which nothing is learned."""

    takes_several = True

    def __init__(self, number: float, dtype: str) -> None:
        super().__init__(dtype=dtype)
        self.number = number
        self.built = True

    def forward(self, x: Sequence[Any], training: bool = False) -> Any:  # noqa: ARG002 - the same in training
        value, self._mask = x
        return filled(value, self._mask, self.number)

    def backward(self, dy: Any) -> list[Any]:
        return [filled(dy, self._mask, 0.0), None]


def gives_masks(layers: Iterable[Layer]) -> bool:
    """Whether one of the layers gives a mask, or one in a model among them whose calls are known."""
    for layer in layers:  # no `any`: every batch that is predicted comes by here, and a generator takes its time
        if layer.gives_mask:
            return True
        if not layer.by_call and hasattr(layer, "graph") and gives_masks(call.layer for call in layer.graph.calls):
            return True
    return False


def with_masks(graph: Graph) -> Graph:
    """The network with masks as tensors of their own, where a layer gives one that another heeds; else as it is."""
    if not gives_masks(call.layer for call in graph.calls):
        return graph
    masked, _, heeded = _masked(graph.flat())
    return masked if heeded else graph


def with_masks_of_outputs(graph: Graph) -> tuple[Graph, dict[int, int]]:
    """The network with the masks of its outputs as further outputs, and where among the outputs each of them is."""
    if not gives_masks(call.layer for call in graph.calls):
        return graph, {}
    masked, masks, _ = _masked(graph.flat())
    found = {i: masks[tensor] for i, tensor in enumerate(graph.outputs) if tensor in masks}
    if not found:
        return graph, {}
    added = list(dict.fromkeys(found.values()))
    places = {i: len(graph.outputs) + added.index(mask) for i, mask in found.items()}
    return masked._replace(outputs=(*masked.outputs, *added)), places


def _masked(flat: Graph) -> tuple[Graph, dict[int, int], bool]:
    """A network with masks as tensors, the number of each tensor's, and whether a layer heeds one."""
    flat = _unmasked(flat)
    calls: list[Call] = []
    masks: dict[int, int] = {}  # of a tensor whose steps do not all count: the number of its mask
    size, heeded = flat.size, False

    def added(layer: Layer, inputs: tuple[int, ...]) -> int:
        nonlocal size
        calls.append(Call(layer, inputs, (size,), single=False))
        size += 1
        return size - 1

    for call in flat.calls:
        has_mask = [tensor in masks for tensor in call.inputs]
        if isinstance(call.layer, Concatenate) and any(has_mask):
            calls.append(call)
            given = [masks[tensor] for tensor in call.inputs if tensor in masks]
            masks[call.outputs[0]] = added(_MaskOfJoined(call, has_mask), (*call.inputs, *given))
            continue
        found = _found(call, masks)
        while len(found) > 1:
            one, other, *rest = found
            found = [added(_AnyMask(), (one, other)), *rest]
        if (neutral := getattr(call.layer, "neutral", None)) is not None and any(has_mask):
            dtype, heeded = call.layer.dtype, True
            inputs = [added(_Filled(neutral, dtype), (t, masks[t])) if t in masks else t for t in call.inputs]
            outputs = (size,) if found else call.outputs
            calls.append(call._replace(inputs=tuple(inputs), outputs=outputs))
            if found:  # where no input counts, nothing but the neutral number is left
                size += 1
                calls.append(Call(_Filled(0.0, dtype), (*outputs, *found), call.outputs, single=False))
                masks[call.outputs[0]] = found[0]
            continue
        taking = _taking(call, found[0]) if found else None
        calls.append(taking or call)
        heeded = heeded or taking is not None
        if call.layer.gives_mask:
            found = [added(MaskOf(call, masked=bool(found)), (*call.inputs, *found))]
        if found and (call.layer.gives_mask or call.layer.keeps_mask):
            masks.update(dict.fromkeys(call.outputs, found[0]))
    return flat._replace(calls=tuple(calls), size=size), masks, heeded


def _unmasked(flat: Graph) -> Graph:
    """A network without the masks that it may have already."""
    of_masks = (MaskOf, _MaskOfJoined, _AnyMask)
    masks = {t for call in flat.calls if isinstance(call.layer, of_masks) for t in call.outputs}
    numbers = [(call.layer.number, call) for call in flat.calls if isinstance(call.layer, _Filled)]
    before = {call.outputs[0]: call.inputs[0] for number, call in numbers if number}
    after = {call.inputs[0]: call.outputs[0] for number, call in numbers if not number}
    kept = [
        call._replace(
            inputs=tuple(before.get(t, t) for t in call.inputs), outputs=tuple(after.get(t, t) for t in call.outputs)
        )
        for call in flat.calls
        if masks.isdisjoint(call.outputs) and not isinstance(call.layer, _Filled)
    ]
    return flat._replace(calls=tuple(call if masks.isdisjoint(call.inputs) else _without(call) for call in kept))


def _without(call: Call) -> Call:
    """A call as it was before it was given a mask."""
    inputs = call.inputs[:-1]
    if call.form is None:
        return call._replace(inputs=inputs, single=True)
    kwargs = {name: value for name, value in call.form.kwargs.items() if name != "mask"}
    return call._replace(inputs=inputs, form=call.form._replace(kwargs=kwargs))


def _taking(call: Call, mask: int) -> Call | None:
    """The call with the mask of its input, where its layer takes one."""
    inputs = (*call.inputs, mask)
    if call.layer.takes_mask:
        return call._replace(inputs=inputs, single=False)
    if not call.layer.call_takes_mask:
        return None
    form = call.form
    if form is None:
        places = [Place(i) for i in range(len(call.inputs))]
        form = Arguments((places[0] if call.single else places,), {})
    if not isinstance(form, Arguments) or form.kwargs.get("mask") is not None:
        return None
    return call._replace(
        inputs=inputs, single=False, form=form._replace(kwargs={**form.kwargs, "mask": Place(len(call.inputs))})
    )


def _found(call: Call, masks: Mapping[int, int]) -> list[int]:
    """The masks of what a layer is called with: none where one of several inputs has none, as all its steps count."""
    found = list(dict.fromkeys(masks[tensor] for tensor in call.inputs if tensor in masks))
    return found if all(tensor in masks for tensor in call.inputs) else []
