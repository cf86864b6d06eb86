"""What the estimators' parameters must be: looked at in `fit`, as scikit-learn's conventions want it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from multilayer._checks.scalars import is_real, is_whole

ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid", "exp": "exponential"}  # scikit-learn's names, and Keras'
VERBOSITY = {"bar": 1, "line": 2}  # what `verbose` may be beside scikit-learn's, and what `Model.fit` calls it


class _Rule(NamedTuple):
    """What a parameter must be: a look at it, and words for a message."""

    holds: Callable[[Any], bool]
    expected: str


def _between(least: float, largest: float = math.inf, *, with_least: bool = True, with_largest: bool = False) -> _Rule:
    def holds(value: Any) -> bool:
        if not is_real(value) and not is_whole(value):
            return False
        above = value >= least if with_least else value > least
        return bool(above and (value <= largest if with_largest else value < largest))

    ends = f"{'[' if with_least else '('}{least:g}, {largest:g}{']' if with_largest else ')'}"
    return _Rule(holds, f"a number in {ends}")


def _one_of(*names: str) -> _Rule:
    return _Rule(lambda value: isinstance(value, str) and value in names, f"one of {', '.join(map(repr, names))}")


_FLAG = _Rule(lambda value: isinstance(value, (bool, np.bool_)), "True or False")
_COUNT = _Rule(lambda value: is_whole(value, 1), "a whole number of at least 1")
_RULES = {
    "alpha": _between(0),
    "batch_size": _Rule(
        lambda value: is_whole(value, 1) or (isinstance(value, str) and value == "auto"),
        "'auto' or a whole number of at least 1",
    ),
    "learning_rate": _one_of("constant", "invscaling", "adaptive"),
    "learning_rate_init": _between(0, with_least=False),
    "power_t": _between(0),
    "max_iter": _COUNT,
    "shuffle": _FLAG,
    "tol": _between(0),
    "verbose": _Rule(
        lambda value: is_whole(value, 0) or isinstance(value, (bool, np.bool_)) or value in tuple(VERBOSITY),
        "True, False, a whole number, 'bar' or 'line'",
    ),
    "warm_start": _FLAG,
    "momentum": _between(0, 1, with_largest=True),
    "nesterovs_momentum": _FLAG,
    "early_stopping": _FLAG,
    "validation_fraction": _between(0, 1),
    "beta_1": _between(0, 1),
    "beta_2": _between(0, 1),
    "epsilon": _between(0, with_least=False),
    "n_iter_no_change": _Rule(
        lambda value: is_whole(value, 1) or (is_real(value) and value == math.inf),
        "a whole number of at least 1, or infinity",
    ),
    "max_fun": _COUNT,
    "batch_normalization": _FLAG,
    "dtype": _Rule(lambda value: value is None or value in ("float32", "float64"), "None, 'float32' or 'float64'"),
    "label_smoothing": _between(0, 1, with_largest=True),
    "class_weight": _Rule(
        lambda value: (
            value is None or isinstance(value, (Mapping, list)) or (isinstance(value, str) and value == "balanced")
        ),
        "None, 'balanced' or a dict from classes to weights",
    ),
}


def check(estimator: Any) -> None:
    """Looks at an estimator's parameters, but for those whose names the library itself looks up.

    Raises:
        ValueError: One of them cannot be; the message says which, what it must be and what it is.
    """
    for name, value in estimator.get_params(deep=False).items():
        rule = _RULES.get(name)
        if rule is not None and not rule.holds(value):
            raise ValueError(
                f"The parameter `{name}` of {type(estimator).__name__} must be {rule.expected}; got {value!r}."
            )


def hidden_units(estimator: Any) -> list[int]:
    """The sizes of the hidden layers; a single number is one layer.

    Raises:
        ValueError: One of them is no whole number of at least 1.
    """
    given = estimator.hidden_layer_sizes
    sizes = (
        [given] if is_whole(given) else list(given) if np.iterable(given) and not isinstance(given, str) else [given]
    )
    if not all(is_whole(size, 1) for size in sizes):
        raise ValueError(
            f"hidden_layer_sizes must be > 0, got {given!r}. The parameter `hidden_layer_sizes` of "
            f"{type(estimator).__name__} has a whole number of at least 1 for each hidden layer, such as (100, 50)."
        )
    return [int(size) for size in sizes]


def of_each_layer(estimator: Any, name: str, count: int) -> list[Any]:
    """A parameter that is one for all hidden layers, or a list with one for each.

    Raises:
        ValueError: The list has another length.
    """
    given = getattr(estimator, name)
    if not isinstance(given, (list, tuple)):
        return [given] * count
    if len(given) != count:
        raise ValueError(
            f"The parameter `{name}` of {type(estimator).__name__} has {len(given)} entries for {count} hidden layers. "
            "Give one for all of them, or a list with one for each."
        )
    return list(given)
