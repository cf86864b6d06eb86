"""What a layer holds among its attributes: layers, variables and metrics, also in lists and dicts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

Held = TypeVar("Held")

# What a layer, or a model, holds for itself: no layers of the user's are looked for there.
OWN_STATE = frozenset(
    [
        "nodes",
        "_scratch",
        "_layers_met",
        "input_shape_argument",
        "_variables",
        "_always_frozen",
        "recorded",
        "trained",
        "specs",
        "_call_losses",
        "_trainer",
        "_graph",
        "_tensors",
        "_compile_arguments",
        "_input_form",
        "_output_form",
        "_known_outputs",
        "_given_forms",
        "optimizer",
        "history",
    ]
)


def attributes_of(layer: Any) -> dict[str, Any]:
    """A layer's attributes among which there may be layers, variables or metrics of the user's."""
    return {name: value for name, value in vars(layer).items() if name not in OWN_STATE} if layer._holds_layers else {}


def held(layer: Any, kind: type[Held]) -> list[Held]:
    """What a layer holds of a kind: its attributes, and what stands in lists and dicts among them, in this order."""
    found: dict[Held, None] = {}
    for value in attributes_of(layer).values():
        _gather(value, kind, found, set())
    return list(found)


def held_within(layers: Iterable[Any], kind: type[Held]) -> list[Held]:
    """What layers, and all layers within them, hold of a kind."""
    return list(dict.fromkeys(one for layer in layers_within(layers) for one in held(layer, kind)))


def layers_within(layers: Iterable[Any]) -> list[Any]:
    """Layers, each followed by those within it: its attributes, and what a model is made of."""
    found: dict[Any, None] = {}
    waiting = list(layers)[::-1]
    while waiting:
        layer = waiting.pop()
        if layer not in found:
            found[layer] = None
            waiting += [*layer.sublayers(), *getattr(layer, "layers", ())][::-1]
    return list(found)


def _gather(value: Any, kind: type, found: dict[Any, None], seen: set[int]) -> None:
    """Collects what is of a kind in a structure of lists and dicts."""
    if isinstance(value, kind):
        found[value] = None
    elif isinstance(value, (list, tuple, dict)) and id(value) not in seen:
        seen.add(id(value))
        for one in value.values() if isinstance(value, dict) else value:
            _gather(one, kind, found, seen)
