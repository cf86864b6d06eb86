"""What `compile` was given: what it means for each output, and as plain data for a file and from there back."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence, ValuesView
from typing import Any

import numpy as np

from multilayer import losses, metrics, optimizers
from multilayer._containers.errors import warn_of_file
from multilayer._language import tr
from multilayer._names import naming, registry
from multilayer._names.custom_objects import get_registered_name
from multilayer._names.functions import described, functions_kept, name_of
from multilayer._training import Head
from multilayer.layers.symbolic import flatten_as, is_in_no_order, is_nested
from multilayer.losses.by_shape import UnknownYet, is_by_shape

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


def heads(arguments: Mapping[str, Any], names: Sequence[str], form: Any, named: bool = True) -> list[Head]:
    """What is wanted of each output.

    Args:
        arguments: `loss`, `loss_weights`, `metrics` and `weighted_metrics` as `compile` got them.
        names: The outputs' names.
        form: How the model gives its outputs: a single tensor, a list or a dict of them.
        named: Whether losses and metrics of several outputs are shown with the outputs' names.

    Raises:
        ValueError: They do not fit the outputs.
    """
    keys = output_keys(names, form)

    def of_each(argument: str) -> Any:
        """What was given in the structure of the outputs, as a list: only where that has structures in it."""
        given = arguments[argument]
        if is_in_no_order(form):
            _warn_of_order(argument, given, keys)
        leaves = flatten_as(form, given) if is_nested(form) else None
        return given if leaves is None else leaves

    each_loss = _losses(of_each("loss"), keys)
    weights = _loss_weights(of_each("loss_weights"), keys)
    plain, weighted = (_metrics(of_each(argument), keys, argument) for argument in _LISTS)
    shown = keys if named and len(keys) > 1 else [None] * len(keys)
    found = [Head(*of_one) for of_one in zip(shown, each_loss, weights, plain, weighted, strict=True)]
    if len(keys) > 1 and not named:
        _name_by_losses(found, of_each("loss"))
    given = arguments["loss"]
    if isinstance(form, dict) and isinstance(given, dict):  # their means go by the dict, as in Keras
        for head, key in zip(found, keys, strict=True):
            head.loss_place = list(given).index(key) if key in given else 0
    return found


def _warn_of_order(argument: str, given: Any, keys: Sequence[str]) -> None:
    """Warns of a list that goes by the names of the outputs, where these were drawn up in another order."""
    if isinstance(given, (list, tuple)) and len(given) == len(keys) > 1 and any(one != given[0] for one in given):
        warnings.warn(
            tr(
                "`{argument}` is a list, and the model's outputs are a dict: as in Keras, the list is taken in "
                "the order of the keys' names, {keys}, and not in that in which they were drawn up. Pass a "
                "dict.",
                argument=argument,
                keys=list(keys),
            ),
            stacklevel=6,
        )


def _name_by_losses(heads: Sequence[Head], given: Any) -> None:
    """Calls the means of losses after the losses themselves, or what they were called in `compile`."""
    each = given if isinstance(given, (list, tuple)) else [given] * len(heads)
    for head, one in zip(heads, each, strict=False):
        if head.loss is not None:
            head.loss_tracker.name = f"{one if isinstance(one, str) else head.loss.name}_loss"


def output_keys(names: Sequence[str], form: Any) -> list[str]:
    """The outputs' names in the order in which lists of losses and metrics go by them."""
    return sorted(form) if isinstance(form, dict) and not is_nested(form) else list(names)


def _losses(given: Any, keys: Sequence[str]) -> list[losses.Loss | None]:
    if isinstance(given, dict) and "class_name" not in given:
        unknown = sorted(set(given) - set(keys))
        if unknown:
            raise ValueError(
                tr(
                    "Expected keys {keys} in loss dict, but found loss.keys()={given}",
                    keys=list(keys),
                    given=list(given),
                )
            )
        each = [given.get(key) for key in keys]
    elif isinstance(given, (list, tuple)):
        if len(given) != len(keys):
            raise ValueError(
                tr(
                    "`loss` holds {count} losses, but the model has {got} outputs: {keys}.",
                    count=len(given),
                    got=len(keys),
                    keys=list(keys),
                )
            )
        each = list(given)
    else:
        each = [given] * len(keys)
    each = [one[0] if isinstance(one, (list, tuple)) and len(one) == 1 else one for one in each]  # {"a": ["mse"]}
    found = [UnknownYet() if is_by_shape(one) else None if one is None else losses.get(one) for one in each]
    if given is not None and found and all(one is None for one in found):
        raise ValueError(tr("No loss to compute: `loss` is None for every output."))
    return found


def _loss_weights(given: Any, keys: Sequence[str]) -> list[float]:
    if given is None:
        return [1.0] * len(keys)
    if isinstance(given, dict):
        unknown = sorted(set(given) - set(keys))
        if unknown:
            raise ValueError(
                tr(
                    "`loss_weights` has the keys {unknown}, but the outputs are called {keys}.",
                    unknown=unknown,
                    keys=list(keys),
                )
            )
        return [float(given.get(key, 1.0)) for key in keys]
    each = list(given) if isinstance(given, (list, tuple)) else [given]
    if not all(isinstance(one, (int, float, np.number)) for one in each):
        raise ValueError(
            tr(
                "Expected `loss_weights` argument to be a float (single output case) or a list, tuple, or dict "
                "(multiple output case). Received instead: loss_weights={given} of type {kind}. It is the "
                "third argument of `compile`; metrics go by name: `metrics=[...]`.",
                given=given,
                kind=type(given),
            )
        )
    if len(each) != len(keys):
        raise ValueError(
            tr(
                "`loss_weights` must match the number of losses, got {count} losses and {got} weights.",
                count=len(keys),
                got=len(each),
            )
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
        tr(
            "Invalid `{argument}`. `{argument}` should contain metrics objects and either be a dict or a list "
            "matching the output names of the functional model {keys}: one entry, or a list of entries, for "
            "each output. Received: {argument}={given}",
            argument=argument,
            keys=list(keys),
            given=given,
        )
    )


def _as_list(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def afresh(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same arguments for another model: an optimizer that has taken no step, and metrics that have seen nothing."""
    optimizer = arguments["optimizer"]
    return {
        "optimizer": None if optimizer is None else _optimizer_afresh(optimizer),
        "loss": _mapped(copy.copy, arguments["loss"]),
        "loss_weights": arguments["loss_weights"],
        **{key: _mapped(_metric_afresh, arguments[key]) for key in _LISTS},
    }


def _optimizer_afresh(optimizer: optimizers.Optimizer) -> Any:
    with functions_kept():
        config = optimizer.get_config()
    return type(optimizer).from_config(config)


def _metric_afresh(given: Any) -> Any:
    copied = copy.deepcopy(given)  # a function is its own copy
    if isinstance(copied, metrics.Metric):
        copied.reset_state()
    return copied


# --- For files --------------------------------------------------------------------------------------------------------


def describe(arguments: Mapping[str, Any], stacklevel: int = 3) -> dict[str, Any]:
    """The arguments as plain data, with a warning for every metric that no file can hold."""
    description = without_warnings(arguments)
    for name in _names([description[key] for key in _LISTS]):
        warnings.warn(
            tr(
                "Metric '{name}' is a function without a name of its own, which no file can hold: the loaded "
                "model will do without. Compile it again to have the metric there.",
                name=name,
            ),
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
    description = describe(arguments, stacklevel=6)
    found = {key: _without_nameless(value) if key in _LISTS else value for key, value in description.items()}
    return {**found, "run_eagerly": False, "steps_per_execution": 1, "jit_compile": False}


def arguments_from(description: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments for `compile` that `describe` or Keras described, with a warning for every metric left out."""
    for name in _names([description.get(key) for key in _LISTS]):
        warn_of_file(
            tr(
                "The model was compiled with the metric '{name}', a function of the program that saved it, and "
                "is loaded without. Compile it again to have the metric back.",
                name=name,
            ),
            stacklevel=4,
        )
    lists = {key: _mapped(_metric_from, _without_nameless(description.get(key))) for key in _LISTS}
    unknown = set(description) - {"optimizer", "loss", "loss_weights", *_LISTS, *_WITHOUT_EFFECT}
    if unknown:
        raise ValueError(
            tr("the description of how it was compiled has {unknown}.", unknown=str(sorted(unknown))[:200])
        )
    older = description.get("optimizer_config")
    return {
        "optimizer": description["optimizer"] if older is None else older,
        "loss": _mapped(_loss_from, description.get("loss")),
        "loss_weights": description.get("loss_weights"),
        **lists,
    }


def _loss_from(description: Any) -> Any:
    """A loss, so that `model.loss` is what it was when the model was saved; a name stays one."""
    found = registry.resolved("loss", description)
    return losses.get(found) if isinstance(found, dict) else found


def _metric_from(description: Any) -> Any:
    """A metric, or what `compile` makes it of; Keras 2 names the function that it is the mean of."""
    if not isinstance(description, dict) or description.get("class_name") == "function":
        return registry.resolved("metric", description)
    if description.get("class_name") != "MeanMetricWrapper":
        return metrics.get(description)
    found = metrics.get(description["config"]["fn"])
    found.name = naming.checked(str(description["config"].get("name", found.name)))
    return found


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
    function = metric._fn if type(metric) is metrics.MeanMetricWrapper else metric
    name = name_of(function)
    if isinstance(metric, type) or any(getattr(module, name, None) is function for module in (losses, metrics)):
        return metrics.serialize(metric) if isinstance(metric, metrics.Metric) else name
    of_function = function is not metric or not isinstance(metric, metrics.Metric)
    if of_function and (name == "<lambda>" or registry.is_taken("metric", get_registered_name(function), function)):
        return {"function": name}
    return metrics.serialize(metric) if isinstance(metric, metrics.Metric) else described(metric)


def _nameless(metric: Any) -> str | None:
    """The name of a function that no file can hold; None where the metric is none."""
    return str(metric["function"]) if isinstance(metric, Mapping) and set(metric) == {"function"} else None


def _names(description: Any) -> list[str]:
    """The names of the metrics that are no more than a name."""
    name = _nameless(description)
    if name is not None:
        return [name]
    inner = description.values() if isinstance(description, dict) else description
    return [] if not isinstance(inner, (list, ValuesView)) else [name for one in inner for name in _names(one)]


def _without_nameless(given: Any) -> Any:
    if isinstance(given, list):
        return [_without_nameless(one) for one in given if _nameless(one) is None]
    if isinstance(given, dict) and "class_name" not in given:
        return {key: _without_nameless(one) for key, one in given.items()}
    return given
