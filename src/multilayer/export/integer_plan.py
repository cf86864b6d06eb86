"""A plan as whole numbers want it: refused where it has no such form, with fewer steps where two are one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from multilayer.export.evaluation import KINDS
from multilayer.export.steps import LINEAR, Function, Plan, Step, Value

_ALONG = ("glu", "log_softmax", "sparsemax")
_MOST_CLASSES = 2**16  # whose powers of 16 bits have a sum of 32


def require_whole_form(plan: Plan, step: Step) -> None:
    """Raises ValueError where a step has no form in whole numbers."""
    what = _without_whole_form(plan, step)
    if what:
        raise ValueError(
            f"Layer '{step.name}' has no whole-number form: {what}. Those that have one are Dense, activations of "
            "each number by itself, softmax along the last axis, BatchNormalization, Rescaling, Normalization, Add, "
            "Subtract, Average, Concatenate, Reshape, Flatten and Permute. Export it in float32, without `dtype`."
        )


def _without_whole_form(plan: Plan, step: Step) -> str:
    inputs, output = plan.shapes(step)
    function = step.activation
    if step.kind not in KINDS:
        return f"it is a step of the kind '{step.kind}'"
    if function.name in _ALONG or function.axes not in ((), (len(output) - 1,)):
        return f"'{function.name}' goes along an axis"
    if function.name == "softmax" and output[-1] > _MOST_CLASSES:
        return f"it is a softmax of {output[-1]:,} numbers, and sums of more than {_MOST_CLASSES:,} need over 32 bits"
    if step.parts and step.kind in ("concatenate", "transpose"):
        return "it is done at every step of a sequence"
    if step.kind == "merge" and step.options["function"] not in ("add", "subtract", "average"):
        return f"it has the {step.options['function']} of numbers"
    if step.kind in ("merge", "scale", "standardize") and any(one != output for one in inputs):
        return f"it brings together shapes that differ, {inputs}"
    return ""


def is_clip(function: Function) -> bool:
    """Whether it only cuts off: then it is done by the limits between which sums are requantized."""
    options = function.options
    plain = not options.get("negative_slope") and not options.get("threshold")
    return function.name in ("linear", "relu", "relu6") or (function.name == "clipped_relu" and plain)


def folded(plan: Plan) -> Plan:
    """The plan with what comes after a product in the product: a factor and an offset for each unit, and cutting off.

    So `Dense`, `BatchNormalization` and `ReLU` are one step, and nothing is rounded between them.
    """
    uses = Counter([*(one for step in plan.steps for one in step.inputs), *plan.outputs])
    steps: list[Step] = []
    made: dict[int, int] = {}  # the value that a product gives, and the product's place among the steps
    for step in plan.steps:
        place = made.get(step.inputs[0]) if uses[step.inputs[0]] == 1 else None
        joined = None if place is None else _joined(steps[place], step, plan)
        if place is None or joined is None:
            place = len(steps)
            steps.append(step)
        else:
            steps[place] = joined
        if steps[place].kind == "dense":
            made[step.output] = place
    return replace(plan, steps=tuple(steps))


def _joined(product: Step, step: Step, plan: Plan) -> Step | None:
    """A product and the step after it as one; None where they are two."""
    if product.activation.name != "linear":
        return None
    if step.kind == "activation" and is_clip(step.activation):
        return replace(product, output=step.output, activation=step.activation)
    units, axes = product.arrays["kernel"].shape[1], len(plan.values[step.output].shape)
    of_units = (1,) * (axes - 1) + (units,)
    if step.kind != "scale" or any(one.size != 1 and one.shape != of_units for one in step.arrays.values()):
        return None
    factor, offset = (np.broadcast_to(one.reshape(-1), (units,)) for one in line(step))
    bias = product.arrays.get("bias", np.float32(0.0))
    arrays = {"kernel": product.arrays["kernel"] * factor, "bias": bias * factor + offset}
    options = {**product.options, "factor": product.options.get("factor", 1.0) * factor}
    return replace(
        product,
        output=step.output,
        arrays={name: one.astype(np.float32) for name, one in arrays.items()},
        options=options,
    )


def in_parts(plan: Plan) -> Plan:
    """The plan with all activations but those that cut off as steps of their own."""
    values, steps = list(plan.values), []
    for step in plan.steps:
        if step.kind != "dense" or is_clip(step.activation):
            steps.append(step)
            continue
        values.append(Value(plan.values[step.output].shape))
        steps.append(replace(step, output=len(values) - 1, activation=LINEAR))
        steps.append(replace(step, kind="activation", inputs=(len(values) - 1,), arrays={}, activation=step.activation))
    return replace(plan, values=tuple(values), steps=tuple(steps))


def entered(plan: Plan) -> tuple[list[tuple[Any, Any]], Plan]:
    """What is done to each input before it becomes whole numbers, as (factor, offset), and the plan without that.

    So features whose ranges differ by orders of magnitude, as before a `Normalization`, each have all of their 8 bits.
    """
    uses = Counter(one for step in plan.steps for one in step.inputs)
    steps, inputs, entries = list(plan.steps), list(plan.inputs), []
    for i, number in enumerate(inputs):
        factor: Any = np.float64(1.0)
        offset: Any = np.float64(0.0)
        while uses[number] == 1 and number not in plan.outputs:
            step = next(one for one in steps if number in one.inputs)
            if step.kind not in ("cast", "scale", "standardize"):
                break
            more, beside = line(step)
            factor, offset = factor * more, offset * more + beside
            steps.remove(step)
            number = step.output
        inputs[i] = number
        entries.append((factor, offset))
    return entries, replace(plan, inputs=tuple(inputs), steps=tuple(steps))


def line(step: Step) -> tuple[Any, Any]:
    """A step that is x factor + offset, as these two."""
    if step.kind == "cast":
        return 1.0, 0.0
    arrays = {name: one.astype(np.float64) for name, one in step.arrays.items()}
    if step.kind == "scale":
        return arrays["factor"], arrays["offset"]
    return 1.0 / arrays["deviation"], -arrays["mean"] / arrays["deviation"]
