"""Constraints: what a weight must fulfil after every step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multilayer._checks.arguments import axes
from multilayer._checks.scalars import real_number
from multilayer._core.tape import plain
from multilayer._names import registry, remembered
from multilayer._names.custom_objects import custom_object_scope
from multilayer._names.functions import OfFunction, name_of
from multilayer._names.reprs import config_repr
from multilayer._tracebacks import filter_traceback
from multilayer.config import epsilon
from multilayer.functional import Array


class Constraint(remembered.Remembering):
    """Base class: a callable from a weight's values to the nearest ones that are allowed.

    Example:
        >>> class AtMostOne(Constraint):
        ...     def __call__(self, w):
        ...         return np.minimum(w, 1.0)
        >>> AtMostOne()(np.array([0.5, 3.0]))
        array([0.5, 1. ])
    """

    def __call__(self, w: Array) -> Array:
        """The values allowed, of w's shape and type."""
        raise NotImplementedError(f"Constraint {type(self).__name__} does not define `__call__(self, w)`.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return remembered.described(self, {})

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        """The constraint with these constructor arguments."""
        return remembered.made(cls, config)

    __repr__ = config_repr


@registry.register("constraint")
class NonNeg(Constraint):
    """No value below 0.

    Example:
        >>> NonNeg()(np.array([-1.0, 2.0]))
        array([0., 2.])
    """

    def __call__(self, w: Array) -> Array:
        return np.maximum(w, 0)


class _Norm(Constraint):
    """What constraints of norms share: the norm along an axis, or several."""

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = axes("axis", axis)

    def _desired(self, norms: Array) -> Array:
        raise NotImplementedError

    def __call__(self, w: Array) -> Array:
        norms = np.sqrt(np.sum(np.square(w), axis=self.axis, keepdims=True))
        scale: Array = self._desired(norms) / (norms + epsilon())
        return w * scale

    def get_config(self) -> dict[str, Any]:
        return {"axis": list(self.axis) if isinstance(self.axis, tuple) else self.axis}


@registry.register("constraint")
class MaxNorm(_Norm):
    """Columns no longer than max_value; longer ones are scaled back.

    Args:
        max_value: The greatest norm.
        axis: The axis along which norms are taken: 0 for the inputs of each unit of a Dense layer.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.

    Example:
        >>> MaxNorm(1.0)(np.array([[3.0, 0.3], [4.0, 0.4]])).round(6)
        array([[0.6, 0.3],
               [0.8, 0.4]])
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        super().__init__(axis)
        self.max_value = real_number("max_value", max_value, infinite=True)

    def _desired(self, norms: Array) -> Array:
        return np.minimum(norms, self.max_value)

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, **super().get_config()}


@registry.register("constraint")
class UnitNorm(_Norm):
    """Columns of length 1.

    Args:
        axis: The axis along which norms are taken.

    Example:
        >>> UnitNorm()(np.array([[3.0], [4.0]])).round(6)
        array([[0.6],
               [0.8]])
    """

    def _desired(self, norms: Array) -> Array:
        return np.ones_like(norms)


@registry.register("constraint")
class MinMaxNorm(_Norm):
    """Columns whose length lies between two bounds, or moves towards that.

    The norm becomes rate clip(norm, min_value, max_value) + (1 - rate) norm.

    Args:
        min_value: The least norm.
        max_value: The greatest norm.
        rate: 1 to enforce the bounds at once, less to move towards them step by step.
        axis: The axis along which norms are taken.

    Example:
        >>> MinMaxNorm(min_value=1.0, max_value=2.0)(np.array([[3.0, 0.3], [4.0, 0.4]])).round(4)
        array([[1.2, 0.6],
               [1.6, 0.8]])
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | Sequence[int] = 0,
    ) -> None:
        super().__init__(axis)
        self.min_value = real_number("min_value", min_value)
        self.max_value = real_number("max_value", max_value, infinite=True)
        self.rate = real_number("rate", rate)

    def _desired(self, norms: Array) -> Array:
        return self.rate * np.clip(norms, self.min_value, self.max_value) + (1.0 - self.rate) * norms

    def get_config(self) -> dict[str, Any]:
        own = {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate}
        return {**own, **super().get_config()}


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm  # Keras has these names, too


class FunctionConstraint(OfFunction, Constraint):
    """A function of a weight as a constraint."""

    kind = "constraint"

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, w: Array) -> Array:
        allowed = plain(self.function(w))
        if np.shape(allowed) != np.shape(w):
            raise ValueError(
                f"The constraint `{name_of(self.function)}` must return values of the weight's shape, {np.shape(w)}; "
                f"it returned {'None' if allowed is None else f'an array of shape {np.shape(allowed)}'}."
            )
        return np.asarray(allowed)


@filter_traceback
def get(identifier: Any) -> Constraint | None:
    """The constraint for a name, a config, a class, an instance, or a function of a weight; None stays None."""
    function = registry.function_for("constraint", identifier, Constraint)
    if function is not None:
        return FunctionConstraint(function)
    return None if identifier is None else registry.get("constraint", identifier, Constraint)


def serialize(constraint: Constraint | None) -> Any:
    """The constraint as a config that `get` reads."""
    return registry.serialize(constraint)


@filter_traceback
def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Constraint | None:
    """The constraint that `serialize` described, with classes of your own by name."""
    with custom_object_scope(custom_objects):
        return get(config)
