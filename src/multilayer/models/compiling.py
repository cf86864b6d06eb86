"""What `compile` was given: what it means for each output, and as plain data for a file and from there back."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from multilayer import losses, metrics, optimizers
from multilayer._containers.errors import warn_of_file
from multilayer._names import naming
from multilayer._names.custom_objects import get_registered_name
from multilayer._training import Head
from multilayer.layers.symbolic import flatten_as
from multilayer.losses.by_shape import UnknownYet, is_by_shape
from multilayer.models.structures import is_nested

_LISTS = ("metrics", "weighted_metrics")
# What else Keras writes, 2 and 3: the older name of the optimizer, and what changes no number.
_WITHOUT_EFFECT = [
    "optimizer_config",
    "sample_weight_mode",
    "run_eagerly",
    "steps_per_execution",
    "jit_compile",
    "auto_scale_loss",
]


def heads(arguments: Mapping[str, Any], names: Sequence[str], form: Any) -> list[Head]:
    """What is wanted of each output.

    Args:
        arguments: `loss`, `loss_weights`, `metrics` and `weighted_metrics` as `compile` got them.
        names: The outputs' names.
        form: How the model gives its outputs: a single tensor, a list or a dict of them.

    Raises:
        ValueError: They do not fit the outputs.
    """
    keys = output_keys(names, form)

    def of_each(argument: str) -> Any:
        """What was given in the structure of the outputs, as a list: only where that has structures in it."""
        given = arguments[argument]
        leaves = flatten_as(form, given) if is_nested(form) else None
        return given if leaves is None else leaves

    each_loss = _losses(of_each("loss"), keys)
    weights = _loss_weights(of_each("loss_weights"), keys)
    plain, weighted = (_metrics(of_each(argument), keys, argument) for argument in _LISTS)
    shown = [None] if len(keys) == 1 else keys
    return [Head(*of_one) for of_one in zip(shown, each_loss, weights, plain, weighted, strict=True)]


def output_keys(names: Sequence[str], form: Any) -> list[str]:
    """The outputs' names in the order in which lists of losses and metrics go by them."""
    return sorted(form) if isinstance(form, dict) and not is_nested(form) else list(names)


def _losses(given: Any, keys: Sequence[str]) -> list[losses.Loss | None]:
    if isinstance(given, dict) and "class_name" not in given:
        unknown = sorted(set(given) - set(keys))
        if unknown:
            raise ValueError(f"Expected keys {list(keys)} in loss dict, but found loss.keys()={list(given)}")
        each = [given.get(key) for key in keys]
    elif isinstance(given, (list, tuple)):
        if len(given) != len(keys):
            raise ValueError(f"`loss` holds {len(given)} losses, but the model has {len(keys)} outputs: {list(keys)}.")
        each = list(given)
    else:
        each = [given] * len(keys)
    each = [one[0] if isinstance(one, (list, tuple)) and len(one) == 1 else one for one in each]  # {"a": ["mse"]}
    found = [UnknownYet() if is_by_shape(one) else None if one is None else losses.get(one) for one in each]
    if found and all(one is None for one in found):
        raise ValueError("No loss to compute: `loss` is None for every output.")
    return found


def _loss_weights(given: Any, keys: Sequence[str]) -> list[float]:
    if given is None:
        return [1.0] * len(keys)
    if isinstance(given, dict):
        unknown = sorted(set(given) - set(keys))
        if unknown:
            raise ValueError(f"`loss_weights` has the keys {unknown}, but the outputs are called {list(keys)}.")
        return [float(given.get(key, 1.0)) for key in keys]
    each = list(given) if isinstance(given, (list, tuple)) else [given]
    if not all(isinstance(one, (int, float, np.number)) for one in each):
        raise ValueError(
            "Expected `loss_weights` argument to be a float (single output case) or a list, tuple, or dict (multiple "
            f"output case). Received instead: loss_weights={given} of type {type(given)}"
        )
    if len(each) != len(keys):
        raise ValueError(
            f"`loss_weights` must match the number of losses, got {len(keys)} losses and {len(each)} weights."
        )
    return [float(one) for one in each]


def _metrics(given: Any, keys: Sequence[str], argument: str) -> list[list[Any]]:
    if given is None or len(given) == 0:
        return [[] for _ in keys]
    if len(keys) == 1:
        listed = [given[key] for key in sorted(given)] if isinstance(given, dict) else given
        return [[inner for one in listed for inner in (one if isinstance(one, (list, tuple)) else [one])]]
    if isinstance(given, dict):
        if set(given) <= set(keys):
            return [_as_list(given.get(key)) for key in keys]
    elif len(given) == len(keys):
        return [_as_list(one) for one in given]
    raise ValueError(
        f"Invalid `{argument}`. `{argument}` should contain metrics objects and either be a dict or a list matching "
        f"the output names of the functional model {list(keys)}: one entry, or a list of entries, for each output. "
        f"Received: {argument}={given}"
    )


def _as_list(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def afresh(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same arguments for another model: an optimizer that has taken no step, and metrics that have seen nothing."""
    optimizer = arguments["optimizer"]
    return {
        "optimizer": None if optimizer is None else type(optimizer).from_config(optimizer.get_config()),
        "loss": _mapped(copy.copy, arguments["loss"]),
        "loss_weights": arguments["loss_weights"],
        **{key: _mapped(_metric_afresh, arguments[key]) for key in _LISTS},
    }


def _metric_afresh(given: Any) -> Any:
    copied = copy.deepcopy(given)  # a function is its own copy
    if isinstance(copied, metrics.Metric):
        copied.reset_state()
    return copied


# --- For files --------------------------------------------------------------------------------------------------------


def describe(arguments: Mapping[str, Any], stacklevel: int = 3) -> dict[str, Any]:
    """The arguments as plain data, with a warning for every metric that no file can hold."""
    description = without_warnings(arguments)
    for name in _functions(description):
        warnings.warn(
            f"Metric '{name}' is a function of your own, which no file can hold: the loaded model will do without. "
            "Compile it again to have the metric there.",
            stacklevel=stacklevel,
        )
    return description


def without_warnings(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same, by which one sees whether they can be described at all."""
    return {
        "optimizer": optimizers.serialize(arguments["optimizer"]),
        "loss": _mapped(_described_loss, arguments["loss"]),
        "loss_weights": arguments["loss_weights"],
        **{key: _mapped(_described, arguments[key]) for key in _LISTS},
    }


def described_for_keras(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same as Keras writes it, without what it could not find again."""
    description = describe(arguments, stacklevel=5)
    found = {key: _without_functions(value) if key in _LISTS else value for key, value in description.items()}
    return {**found, "run_eagerly": False, "steps_per_execution": 1, "jit_compile": False}


def arguments_from(description: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments for `compile` that `describe` or Keras described, with a warning for every metric left out."""
    for name in _functions(description):
        warn_of_file(
            f"The model was compiled with the metric '{name}', a function of the program that saved it, and is loaded "
            "without. Compile it again to have the metric back.",
            stacklevel=3,
        )
    lists = {key: _mapped(_metric_from, _without_functions(description.get(key))) for key in _LISTS}
    unknown = set(description) - {"optimizer", "loss", "loss_weights", *_LISTS, *_WITHOUT_EFFECT}
    if unknown:
        raise ValueError(f"the description of how it was compiled has {str(sorted(unknown))[:200]}.")
    older = description.get("optimizer_config")
    return {
        "optimizer": description["optimizer"] if older is None else older,
        "loss": description.get("loss"),
        "loss_weights": description.get("loss_weights"),
        **lists,
    }


def _metric_from(described: Any) -> Any:
    """A metric, or what `compile` makes it of; Keras 2 names the function that it is the mean of."""
    if not isinstance(described, dict) or described.get("class_name") == "function":
        return described
    if described.get("class_name") != "MeanMetricWrapper":
        return metrics.get(described)
    metric = metrics.get(described["config"]["fn"])
    metric.name = naming.checked(str(described["config"].get("name", metric.name)))
    return metric


def _mapped(describe_one: Any, given: Any) -> Any:
    """The same lists and dicts by name with every entry described."""
    if isinstance(given, (list, tuple)):
        return [_mapped(describe_one, one) for one in given]
    if isinstance(given, dict) and "class_name" not in given:
        return {key: _mapped(describe_one, one) for key, one in given.items()}
    return describe_one(given)


def _described_loss(loss: Any) -> Any:
    return loss if loss is None or is_by_shape(loss) else losses.serialize(losses.get(loss))


def _described(metric: Any) -> Any:
    """A metric as `compile` can read it again, or `{"function": name}` where that is not to be had."""
    if metric is None or isinstance(metric, (str, dict)):
        return metric
    if isinstance(metric, metrics.Metric):
        of_a_function = type(metric) is metrics.MeanMetricWrapper
        return {"function": metric.name} if of_a_function else metrics.serialize(metric)
    name = getattr(metric, "__name__", type(metric).__name__)
    registered = get_registered_name(metric) if isinstance(metric, FunctionType) else name
    if registered != name:
        return {
            "module": metric.__module__,
            "class_name": "function",
            "config": registered,
            "registered_name": registered,
        }
    ours = isinstance(metric, type) or any(getattr(module, name, None) is metric for module in (losses, metrics))
    return name if ours else {"function": name}


def _is_function(metric: Any) -> bool:
    return isinstance(metric, Mapping) and set(metric) == {"function"}


def _without_functions(given: Any) -> Any:
    if isinstance(given, list):
        return [_without_functions(one) for one in given if not _is_function(one)]
    if isinstance(given, dict) and "class_name" not in given:
        return {key: _without_functions(one) for key, one in given.items()}
    return given


def _functions(description: Any) -> list[str]:
    """The names of the metrics that are no more than a name."""
    if _is_function(description):
        return [description["function"]]
    inner = description.values() if isinstance(description, dict) else description
    return [] if not isinstance(description, (dict, list)) else [name for one in inner for name in _functions(one)]
