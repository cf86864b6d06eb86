"""What a backup says of a run, looked at before anything is changed: it is a file, and is believed nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from multilayer._checks.scalars import is_real, is_whole
from multilayer._checks.states import is_own, require_arrays_like
from multilayer._core.arena import Variable
from multilayer._training import random_sources, randomness
from multilayer._training.protocols import Listeners
from multilayer._training.streams import Source
from multilayer.metrics import Metric
from multilayer.optimizers import Optimizer
from multilayer.optimizers import state as optimizer_state

_MOST_EPOCHS = 2**31


def check_place(state: Mapping[str, Any], length: int | None) -> None:
    """Raises ValueError where this is no place in a run whose epochs have so many steps, if anyone knows how many."""
    epoch, step = state["epoch"], state["step"]
    if not all(type(number) is int and 0 <= number < _MOST_EPOCHS for number in (epoch, step)):
        raise ValueError(f"it is of step {str(step)[:100]} in epoch {str(epoch)[:100]}")
    if length is not None and step > length:
        raise ValueError(f"it is of step {step} of an epoch, and there are {length}")
    logs, of_step = state.get("logs"), state.get("step logs", {})  # older backups have none of a step
    if type(state.get("stopped")) is not bool or not isinstance(logs, dict) or not isinstance(of_step, dict):
        raise ValueError("it does not say how far the epoch had come")
    if not all(isinstance(name, str) and _is_figure(one) for name, one in (*logs.items(), *of_step.items())):
        raise ValueError("its figures of the epoch are none")


def _is_figure(value: Any) -> bool:
    return is_real(value) or is_whole(value) or (isinstance(value, np.ndarray) and value.dtype.kind in "fiub")


def check_weights(state: Mapping[str, Any], optimizers: Sequence[Optimizer], weights: Sequence[Variable]) -> None:
    """Raises ValueError where these are no weights, or no running vectors, of this model and its optimizers."""
    described, values = optimizers_in(state), state.get("weights")
    if len(described) != max(len(optimizers), 1) or not isinstance(values, list):
        raise ValueError("it holds no weights, or no optimizer")
    require_arrays_like(values, [weight.value for weight in weights], "weight")
    for optimizer, one in zip(optimizers, described, strict=False):
        if one["numbers"] is not None:
            optimizer_state.check(one["numbers"], len(weights))
            optimizer_state.check_fits(optimizer, one["numbers"], one["slots"], weights)


def optimizers_in(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a backup holds of each optimizer.

    Raises:
        ValueError: What it holds is nothing of the kind.
    """
    found = [state.get("optimizer"), *(state.get("further optimizers") or ())]
    for one in found:
        if not isinstance(one, dict) or set(one) != {"numbers", "slots"}:
            raise ValueError("it holds no weights, or no optimizer")
        if not isinstance(one["slots"], dict):
            raise ValueError("it holds no running vectors of an optimizer")
    return found


def check_data(state: Mapping[str, Any], source: Source, validation: Source | None) -> None:
    """Raises ValueError where these are no places in such data, or not the place that the backup is of."""
    epochs = state["epoch"] + 1
    source.check_state(state.get("source"), epochs)
    if state["source"]["taken"] != state["step"]:
        raise ValueError(f"it is of step {state['step']}, and its data of batch {state['source']['taken']}")
    if validation is not None:
        validation.check_state(state.get("validation"), epochs)
        if state["validation"]["taken"]:
            raise ValueError("its validation data stand within an epoch")


def check_figures(state: Mapping[str, Any], metrics: Sequence[Metric]) -> None:
    """Raises ValueError where these are no states of the metrics."""
    figures = state.get("figures")
    if not isinstance(figures, list) or len(figures) != len(metrics):
        raise ValueError("it does not hold the figures of the epoch so far")
    for metric, kept in zip(metrics, figures, strict=False):
        if is_own(type(metric).get_state) and is_own(type(metric).set_state):
            metric._check_state(kept)


def check_random_sources(state: Mapping[str, Any], sources: Sequence[random_sources.Source]) -> None:
    """Raises ValueError where a source of random numbers cannot stand at the place that the backup has for it."""
    positions = state.get("random sources")
    if not isinstance(positions, list) or len(positions) != len(sources):
        raise ValueError("it does not say where the random numbers stand")
    for source, position in zip(sources, positions, strict=True):
        randomness.check_position(source, position)
    randomness.check_global_positions(state.get("global random sources"))


def check_callbacks(state: Mapping[str, Any], callbacks: Listeners) -> None:
    """Raises ValueError where these are no states of the callbacks; of a user's own nobody but them knows."""
    callbacks.check_states(state.get("callbacks"))
