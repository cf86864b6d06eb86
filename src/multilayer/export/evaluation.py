"""A plan computed in NumPy, for batches: what its values are like for the rows that whole numbers are fitted to."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from multilayer import activations
from multilayer.export.steps import Function, Plan, Step
from multilayer.functional import Array, of_input, quantization


def evaluated(plan: Plan, inputs: Sequence[Array]) -> dict[int, Array]:
    """All values of a plan whose steps are of `KINDS`, by their numbers, for a batch of each input."""
    values = dict(zip(plan.inputs, inputs, strict=True))
    for step in plan.steps:
        y = KINDS[step.kind](step, [values[one] for one in step.inputs])
        values[step.output] = np.reshape(y, (-1, *plan.values[step.output].shape))
    return values


def activated(function: Function, x: Array) -> Array:
    """A plan's activation of a batch."""
    options: dict[str, Any] = dict(function.options)
    if function.name == "clipped_relu":
        return of_input.clipped_relu(x, **options)
    if function.axes:
        options["axis"] = -1  # whole numbers have softmax along the last axis alone
    return np.asarray(getattr(activations, function.name)(x, **options))


def _dense(step: Step, xs: Sequence[Array]) -> Array:
    y = xs[0] @ step.arrays["kernel"] + step.arrays.get("bias", np.float32(0.0))
    return activated(step.activation, y)


def _merge(step: Step, xs: Sequence[Array]) -> Array:
    function = step.options["function"]
    if function == "average":
        return np.asarray(sum(xs) / np.float32(len(xs)))
    return functools.reduce(getattr(np, function), xs)


KINDS: Mapping[str, Callable[[Step, Sequence[Array]], Any]] = {
    "activation": lambda step, xs: activated(step.activation, xs[0]),
    "cast": lambda step, xs: xs[0].astype(np.float32),  # noqa: ARG005 - as all kinds
    "concatenate": lambda step, xs: np.concatenate(xs, axis=1 + step.options["axis"]),
    "dense": _dense,
    "merge": _merge,
    "reshape": lambda step, xs: xs[0],  # noqa: ARG005 - as every value, it gets its shape at the end
    "round": lambda step, xs: quantization.fake_quantize_input(xs[0], step.options["scale"], step.options["zero"]),
    "scale": lambda step, xs: xs[0] * step.arrays["factor"] + step.arrays["offset"],
    "standardize": lambda step, xs: (xs[0] - step.arrays["mean"]) / step.arrays["deviation"],
    "transpose": lambda step, xs: xs[0].transpose(0, *(axis + 1 for axis in step.options["order"])),
}
