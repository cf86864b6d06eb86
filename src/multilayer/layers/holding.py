"""What a layer holds among its attributes: layers, variables and metrics, also in lists and dicts."""

from __future__ import annotations

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


def _gather(value: Any, kind: type, found: dict[Any, None], seen: set[int]) -> None:
    """Collects what is of a kind in a structure of lists and dicts."""
    if isinstance(value, kind):
        found[value] = None
    elif isinstance(value, (list, tuple, dict)) and id(value) not in seen:
        seen.add(id(value))
        for one in value.values() if isinstance(value, dict) else value:
            _gather(one, kind, found, seen)
