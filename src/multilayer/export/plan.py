"""A built model as a plan: its layers as plain steps, the models within it flattened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from multilayer.export.layers import added_graph
from multilayer.export.steps import LINEAR, Builder, Function, Plan, Step, Value

__all__ = ["LINEAR", "Builder", "Function", "Plan", "Step", "Value", "plan_of"]

# Inputs of whole numbers keep their type, all others are float32.
_TYPES = ("uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "bool")


def plan_of(model: Any) -> Plan:
    """A built model as a plan.

    Raises:
        ValueError: The model is not built, a side of an input is not known, or it holds what has no plain step: texts,
            masks that are heeded, layers that were called with `training=True`, classes and functions of one's own.
    """
    graph = model.flat_graph()
    build = Builder()
    inputs = tuple(
        build.value(_sides(name, tensor.shape), dtype if dtype in _TYPES else "float32")
        for name, tensor, dtype in zip(model.input_names, model.inputs, model.input_dtypes, strict=True)
    )
    outputs = tuple(map(build.real, added_graph(build, graph, inputs)))
    return Plan(
        str(model.name),
        tuple(build.values),
        inputs,
        outputs,
        tuple(build.steps),
        tuple(model.input_names),
        tuple(model.output_names),
    )


def _sides(name: str, shape: Sequence[int | None]) -> tuple[int, ...]:
    sides = tuple(side for side in shape[1:] if side is not None)
    if len(sides) < len(shape) - 1:
        raise ValueError(
            f"The input '{name}' has the shape {tuple(shape)}, and all sides but that of the batch must be known where "
            "a model is exported to this format, which has buffers of fixed sizes. Make the model with an `Input` that "
            "says them."
        )
    return sides
