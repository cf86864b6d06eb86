"""Calls of layers with arrays and tensors of whose steps only some count: their masks go with them, as in Keras."""

from __future__ import annotations

import warnings
from typing import Any, TypeAlias

import numpy as np

from multilayer._core.masks import mask_of, none_is_known, set_mask
from multilayer._core.tape import Operand, Tensor, as_tensor, plain, recording
from multilayer._core.tape.eager import eager
from multilayer.layers.recorded import Arguments
from multilayer.layers.symbolic import flatten, pack_like

# A `layers.Layer`, which is defined with what stands here.
Layer: TypeAlias = Any


def first(x: Any) -> Any:
    """The first of a call's arguments, whose mask is meant."""
    if isinstance(x, Arguments):
        return x.args[0] if x.args else next(iter(x.kwargs.values()))
    return x


def and_mask(x: Any) -> tuple[Any, Any]:
    """What a layer that takes a mask is given, and the mask, None where there is none."""
    given, mask = x if isinstance(x, (list, tuple)) else (x, None)
    return given, mask


def masks_in(x: Any) -> Any:
    """The mask of what a layer is called with, or a structure of them; None where nothing has one."""
    if none_is_known():
        return None
    found = [mask_of(one) for one in flatten(x)]
    return None if all(one is None for one in found) else pack_like(x, found)


def with_their_masks(old: Any, new: Any) -> Any:
    """What has taken the place of something, with the masks of that."""
    if not none_is_known():
        for one, other in zip(flatten(old), flatten(new), strict=False):
            if one is not other:
                set_mask(other, mask_of(one))
    return new


def with_mask(x: Any, mask: Any) -> Any:
    """An array or tensor of its own with a mask."""
    x = as_tensor(x) if recording() else x
    x = x if type(x) is Tensor else np.array(x)
    set_mask(x, mask)
    return x


def called(layer: Layer, x: Any, training: bool | None) -> Any:
    """What a layer gives where some of what it is called with has a mask, or where it gives one."""
    given = first(x)
    previous = x.kwargs.get("mask") if isinstance(x, Arguments) else None
    previous = masks_in(given) if previous is None else previous
    neutral = getattr(layer, "neutral", None) if isinstance(previous, (list, tuple)) else None
    if neutral is not None:
        x = [filled(one, mask, neutral) for one, mask in zip(given, previous, strict=True)]
    y = layer._called(x, training, previous if layer.takes_mask else None)
    if neutral is not None:
        y = eager(filled(y, layer.compute_mask(given, previous), 0.0))
    if layer.supports_masking:
        inputs = pack_like(given, [plain(one) for one in flatten(given)])
        _mark(y, layer.compute_mask(inputs, previous))
    elif previous is not None and layer.by_call and not layer.call_takes_mask and masks_in(y) is None:
        warnings.warn(
            f"Layer '{layer.name}' ({type(layer).__name__}) was given an input with a mask, which it does not hand on: "
            "what comes after it takes padding for data. Where its output has the same steps, set "
            "`self.supports_masking = True` in its `__init__`, or define `compute_mask(self, inputs, mask=None)`.",
            stacklevel=4,
        )
    return y


def filled(x: Any, mask: Any, number: float) -> Any:
    """An array or tensor with a number of one's own where the mask says that a step does not count."""
    if mask is None:
        return x
    x = x if isinstance(x, Operand) else np.asarray(x)
    counts = mask.reshape(*mask.shape, *(1,) * (x.ndim - mask.ndim))
    return np.where(counts, x, number)


def _mark(y: Any, masks: Any) -> None:
    """Gives outputs their masks, where they have none by themselves."""
    for one, mask in zip(flatten(y), flatten(masks), strict=False):
        if mask_of(one) is None:
            set_mask(one, mask)
