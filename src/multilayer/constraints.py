"""Constraints: what a weight must fulfil after every step."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from multilayer import registry
from multilayer.functional import Array


class Constraint:
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
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        """The constraint with these constructor arguments."""
        return cls(**config)


@registry.register("constraint")
class NonNeg(Constraint):
    """No value below 0.

    Example:
        >>> NonNeg()(np.array([-1.0, 2.0]))
        array([0., 2.])
    """

    def __call__(self, w: Array) -> Array:
        return np.maximum(w, 0)


def get(identifier: Any) -> Constraint | None:
    """The constraint for a name, a config, a class or an instance; None stays None."""
    return None if identifier is None else cast(Constraint, registry.get("constraint", identifier, Constraint))


def serialize(constraint: Constraint | None) -> Any:
    """The constraint as a config that `get` reads."""
    return registry.serialize(constraint)
