"""Descriptions that Keras 2 wrote, in the words of Keras 3, where the same words mean something else in the two.

What is merely called otherwise is told apart without the version, in `keras_forms`. Here is what only the version
tells: files carry it as `keras_version`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from multilayer._names.custom_objects import get_registered_object
from multilayer._names.naming import snake_case

# By the kind of place, Keras 2's names for what has another name in Keras 3, or is another function there.
_ACTIVATIONS = {"hard_sigmoid": "keras2_hard_sigmoid"}
_LOSSES = {"kullback_leibler_divergence": "kl_divergence"}
_METRICS = {
    "kullback_leibler_divergence": "kl_divergence",
    "log_cosh": "log_cosh_error",
    "logcosh": "log_cosh_error",
}


def wrote(description: Mapping[str, Any]) -> bool:
    """Whether the version that a description carries is one of Keras 1 or 2.

    Example:
        >>> wrote({"keras_version": "2.16.0"}), wrote({"keras_version": "3.0.0"}), wrote({})
        (True, False, False)
    """
    version = description.get("keras_version")
    return isinstance(version, str) and version.startswith(("1.", "2."))


def model(described: Any) -> Any:
    """The description of a model or layer, and all within it.

    Example:
        >>> model({"class_name": "Activation", "config": {"activation": "hard_sigmoid"}})
        {'class_name': 'Activation', 'config': {'activation': 'keras2_hard_sigmoid'}}
    """
    if isinstance(described, list):
        return [model(one) for one in described]
    if not isinstance(described, dict):
        return described
    found = {
        key: _renamed(_ACTIVATIONS, value) if key.endswith("activation") else model(value)
        for key, value in described.items()
    }
    config = found.get("config")
    if found.get("class_name") == "Sequential" and isinstance(config, list):  # before 2.2.3, it had no name
        return {**found, "config": {"name": "sequential", "layers": config}}
    if found.get("class_name") == "ThresholdedReLU" and isinstance(config, dict):
        others = {key: value for key, value in config.items() if key != "theta"}
        return {**found, "class_name": "ReLU", "config": {**others, "threshold": config.get("theta", 1.0)}}
    return found


def _renamed(names: Mapping[str, str], given: Any) -> Any:
    """A name, or a function by its name, in the words of Keras 3; the user's own of that name stays."""
    if isinstance(given, str):
        return given if get_registered_object(given) is not None else names.get(given, given)
    if isinstance(given, dict) and given.get("class_name") == "function":
        return _renamed(names, given.get("config"))
    return model(given)


def compiled(described: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
    """The description of what `compile` was given.

    Args:
        described: As the file has it.
        outputs: The names of the model's outputs, in the order in which lists go by them.

    Raises:
        ValueError: The optimizer is one that takes other steps than any here.
    """
    found = dict(described)
    for key in ("optimizer", "optimizer_config"):
        if isinstance(found.get(key), dict):
            found[key] = _optimizer(found[key])
    found["loss"] = _each(found.get("loss"), lambda one: _renamed(_LOSSES, one))
    for key in ("metrics", "weighted_metrics"):
        found[key] = _metrics(found.get(key), outputs)
    return found


def _each(given: Any, change: Any) -> Any:
    if isinstance(given, list):
        return [_each(one, change) for one in given]
    if isinstance(given, dict) and "class_name" not in given:
        return {key: _each(one, change) for key, one in given.items()}
    return change(given)


# --- Metrics ----------------------------------------------------------------------------------------------------------


def _metrics(given: Any, outputs: Sequence[str]) -> Any:
    """Each output's metrics, without its name before theirs, which Keras 2 puts there where there are several."""
    if len(outputs) < 2 or not given:
        return _each(given, _metric)
    if isinstance(given, list) and not any(isinstance(one, list) for one in given):
        given = [given] * len(outputs)  # a flat list is for every output; in Keras 3, one entry is for each
    if isinstance(given, list):
        pairs = zip([*outputs, *[""] * len(given)], given, strict=False)
        return [_each(one, lambda metric, output=output: _metric(metric, output)) for output, one in pairs]
    if isinstance(given, dict) and "class_name" not in given:
        return {key: _each(one, lambda metric, key=key: _metric(metric, key)) for key, one in given.items()}
    return given


def _metric(described: Any, output: str = "") -> Any:
    if isinstance(described, str) and described in _METRICS:
        return {"class_name": "MeanMetricWrapper", "config": {"name": described, "fn": _METRICS[described]}}
    if isinstance(described, str) and (described == "AUC" or not (described.islower() or described.isupper())):
        # A class by its name, whose figure is called as its objects are.
        return {"class_name": described, "config": {"name": snake_case(described)}}
    config = described.get("config") if isinstance(described, dict) else None
    if not isinstance(config, dict):
        return described
    found = {**config, "fn": _renamed(_METRICS, config["fn"])} if "fn" in config else dict(config)
    if output and isinstance(found.get("name"), str):
        found["name"] = found["name"].removeprefix(f"{output}_")
    return {**described, "config": found}


# --- Optimizers -------------------------------------------------------------------------------------------------------


def is_legacy(described: Any) -> bool:
    """Whether an optimizer is of the older kind of the two that Keras 2 had, by its description."""
    config = described.get("config") if isinstance(described, dict) else None
    if not isinstance(config, dict):
        return False
    return described.get("module") == "keras.optimizers.legacy" or ("decay" in config and "jit_compile" not in config)


def _optimizer(described: dict[str, Any]) -> dict[str, Any]:
    """An optimizer; the `decay` of the older kind divides the learning rate by 1 + decay * steps."""
    if not is_legacy(described):
        return described
    config = dict(described["config"])
    if "lr" in config:
        config.setdefault("learning_rate", config.pop("lr"))
    if described.get("class_name") == "Nadam":
        raise ValueError(
            "its optimizer is the legacy Nadam of Keras 2, whose momentum follows another schedule than that of the "
            "Nadam that is built here."
        )
    decay, rate = config.pop("decay", 0.0), config.get("learning_rate")
    if decay:
        if not isinstance(rate, (int, float)) or not isinstance(decay, (int, float)):
            raise ValueError(
                f"its optimizer has both a schedule of the learning rate and decay={str(decay)[:100]}, which goes on "
                "top of it: that is beyond what is built here."
            )
        config["learning_rate"] = {
            "module": "keras.optimizers.schedules",
            "class_name": "InverseTimeDecay",
            "config": {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay},
            "registered_name": None,
        }
    return {**described, "config": config}
