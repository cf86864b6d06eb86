"""What users pass to a model's methods, besides data: checked before anything starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from multilayer import metrics
from multilayer._checks.arrays import as_numbers
from multilayer._checks.scalars import whole_number
from multilayer._language import tr
from multilayer.models.structures import FROM_A_LIST, is_list_of_batches

Verbose: TypeAlias = str | int


def validation_frequency(frequency: Any) -> int | list[int]:
    """Every how many epochs, or the epochs, counted from 1, after which; raises ValueError for anything else."""
    if isinstance(frequency, (list, tuple, set, range, np.ndarray)):
        return [whole_number("validation_freq", epoch, 1) for epoch in frequency]
    return whole_number("validation_freq", frequency, 1)


def verbosity(verbose: Verbose) -> int:
    """0, 1 or 2; raises ValueError for anything but these and 'auto', which is 1."""
    if verbose == "auto":
        return 1
    if verbose not in (0, 1, 2):
        raise ValueError(tr("`verbose` must be 'auto', 0, 1 or 2. Received: verbose={verbose!r}", verbose=verbose))
    return int(verbose)


def shuffles(shuffle: Any) -> bool:
    """Whether the samples are shuffled; raises ValueError for what is neither True nor False."""
    if isinstance(shuffle, (bool, int, np.bool_, np.integer)) or shuffle is None:
        return bool(shuffle)
    within = (
        tr(" Keras' 'batch' shuffles each batch within itself, which changes no step.") if shuffle == "batch" else ""
    )
    raise ValueError(
        tr("`shuffle` must be True or False. Received: shuffle={shuffle!r}.{within}", shuffle=shuffle, within=within)
    )


def metric_list(given: Any, argument: str) -> Any:
    """The metrics as `compile` was given them; raises ValueError where one is unknown."""
    if given is None:
        return []
    if not isinstance(given, (list, tuple, dict)):
        raise ValueError(
            tr(
                "Expected `{argument}` argument to be a list, tuple, or dict. Received instead: "
                "{argument}={given!r} of type {kind}",
                argument=argument,
                given=given,
                kind=type(given),
            )
        )
    for metric in _leaves(given):
        metrics.get(metric)
    return given if isinstance(given, dict) else list(given)


def _leaves(given: Any) -> Iterator[Any]:
    """What lists, and dicts by an output's name, hold in the end."""
    if isinstance(given, (list, tuple)):
        for one in given:
            yield from _leaves(one)
    elif isinstance(given, dict) and "class_name" not in given:
        yield from _leaves(list(given.values()))
    elif given is not None:
        yield given


def validation_triple(validation_data: Sequence[Any]) -> tuple[Any, Any, Any]:
    """`(x, y, sample_weight)`, the weights None where they are not given."""
    if isinstance(validation_data, list) and is_list_of_batches(validation_data, 1):
        raise ValueError(
            tr(
                "`validation_data` is a list of {count} batches. {from_a_list}",
                count=len(validation_data),
                from_a_list=tr(FROM_A_LIST),
            )
        )
    if callable(validation_data):
        as_numbers(validation_data, "validation_data")  # says what it is
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
        raise ValueError(tr("`validation_data` must be `(x, y)` or `(x, y, sample_weight)`."))
    x, y, *weight = validation_data
    return x, y, weight[0] if weight else None
