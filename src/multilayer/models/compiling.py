"""What `compile` was given, as plain data for a file, and from there back."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from multilayer import losses, metrics, optimizers

_LISTS = ("metrics", "weighted_metrics")


def describe(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as plain data, with a warning for every metric that no file can hold."""
    description = {
        "optimizer": optimizers.serialize(arguments["optimizer"]),
        "loss": None if arguments["loss"] is None else losses.serialize(arguments["loss"]),
        **{key: [_described(metric) for metric in arguments[key]] for key in _LISTS},
    }
    for name in _functions(description):
        warnings.warn(
            f"Metric '{name}' is a function of your own, which no file can hold: the loaded model will do without. "
            "Compile it again to have the metric there.",
            stacklevel=3,
        )
    return description


def arguments_from(description: dict[str, Any]) -> dict[str, Any]:
    """The arguments for `compile` that `describe` described, with a warning for every metric left out."""
    for name in _functions(description):
        warnings.warn(
            f"The model was compiled with the metric '{name}', a function of the program that saved it, and is loaded "
            "without. Compile it again to have the metric back.",
            stacklevel=3,
        )
    kept = {key: [m for m in description.get(key, ()) if not _is_function(m)] for key in _LISTS}
    return {**description, **kept}


def _described(metric: Any) -> Any:
    """A metric as `compile` can read it again, or `{"function": name}` where that is not to be had."""
    if isinstance(metric, (str, dict)):
        return metric
    if isinstance(metric, metrics.Metric):
        of_a_function = type(metric) is metrics.MeanMetricWrapper
        return {"function": metric.name} if of_a_function else metrics.serialize(metric)
    name = getattr(metric, "__name__", type(metric).__name__)
    ours = isinstance(metric, type) or any(getattr(module, name, None) is metric for module in (losses, metrics))
    return name if ours else {"function": name}


def _is_function(metric: Any) -> bool:
    return isinstance(metric, dict) and "function" in metric


def _functions(description: Mapping[str, Any]) -> list[str]:
    """The names of the metrics that are no more than a name."""
    return [metric["function"] for key in _LISTS for metric in description.get(key, ()) if _is_function(metric)]
