"""Inputs, and what the model gives for them: what the C file is tested with."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from multilayer._checks.tables import as_array
from multilayer.export.plan import Plan, Value
from multilayer.export.quantizing import listed
from multilayer.functional import Array

_COUNT = 4
# Nobody knows which whole numbers a network takes, but it says when one was too large.
_LIMITS = (256, 64, 16, 8, 4, 2, 1)


class Examples(NamedTuple):
    """Samples and their predictions.

    Attributes:
        inputs: For each of the model's inputs, the samples, in the input's type.
        outputs: For each of its outputs, what is predicted of them, in float32.
    """

    inputs: list[Array]
    outputs: list[Array]


def examples_for(model: Any, plan: Plan, given: Any = None) -> Examples:
    """Predictions of what is given, or of random samples.

    Raises:
        ValueError: What is given does not fit the model, or there is nothing, or it predicts no numbers for it.
    """
    if given is None:
        return _random(model, plan)
    inputs = [np.asarray(as_array(one)) for one in listed(plan, "examples", given)]
    wanted = [plan.values[one].shape for one in plan.inputs]
    if not all(one.ndim and len(one) and one.shape[1:] == shape for one, shape in zip(inputs, wanted, strict=True)):
        raise ValueError(
            f"`examples` are samples of shapes {', '.join(map(str, wanted))}, at least one. Received: "
            f"{', '.join(str(one.shape) for one in inputs)}"
        )
    typed = [one.astype(plan.values[value].dtype) for one, value in zip(inputs, plan.inputs, strict=True)]
    return Examples(typed, _predicted(model, typed))


def _random(model: Any, plan: Plan) -> Examples:
    random = np.random.default_rng(0)
    values = [plan.values[one] for one in plan.inputs]
    for limit in _LIMITS:
        inputs = [_drawn(random, value, limit) for value in values]
        try:
            return Examples(inputs, _predicted(model, inputs))
        except ValueError as error:
            failed = error
    raise ValueError(
        f"The model predicts nothing for random inputs that the test could compare: {failed} Give `examples`, samples "
        "that it does predict something for."
    ) from failed


def _drawn(random: np.random.Generator, value: Value, limit: int) -> Array:
    shape = (_COUNT, *value.shape)
    if value.dtype == "float32" and limit == _LIMITS[0]:
        return random.normal(0, 1, shape).astype(np.float32)
    # Whole numbers, which is what some layers want of real ones, too.
    most = {"float32": limit, "bool": 2}.get(value.dtype) or np.iinfo(value.dtype).max
    return random.integers(0, min(limit, most), shape).astype(value.dtype)


def _predicted(model: Any, inputs: list[Array]) -> list[Array]:
    with np.errstate(all="ignore"):
        outputs = [np.asarray(one).astype(np.float32) for one in model.run(inputs)]
    if not all(np.isfinite(one).all() for one in outputs):
        raise ValueError("a prediction is NaN or infinite.")
    return outputs
