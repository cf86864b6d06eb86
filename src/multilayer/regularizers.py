"""Regularizers: penalties on weights or activity, that a model adds to its loss."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from multilayer import registry
from multilayer.functional import Array


class Regularizer:
    """Base class: a penalty with its gradient.

    One of your own overrides `__call__`, `gradient` and `get_config`; there is no automatic differentiation.

    Example:
        >>> class Cubic(Regularizer):
        ...     "sum(|x|^3)"
        ...     def __call__(self, x):
        ...         return float(np.sum(np.abs(x) ** 3))
        ...     def gradient(self, x):
        ...         return 3.0 * x * np.abs(x)
        >>> Cubic()(np.array([1.0, -2.0]))
        9.0
    """

    def __call__(self, x: Array) -> float:
        """The penalty, one number."""
        raise NotImplementedError(f"Regularizer {type(self).__name__} does not define `__call__(self, x)`.")

    def gradient(self, x: Array) -> Array:
        """The penalty's gradient with respect to x, of x's shape and type."""
        raise NotImplementedError(
            f"Regularizer {type(self).__name__} does not define `gradient(self, x)`. There is no automatic "
            "differentiation: a penalty that is trained on has to give its own derivative."
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """The regularizer with these constructor arguments."""
        return cls(**config)


@registry.register("regularizer")
class L2(Regularizer):
    """Weight decay by the loss: penalty l2 sum(x^2), gradient 2 l2 x.

    Args:
        l2: Factor.

    Example:
        >>> round(L2(0.1)(np.array([1.0, -2.0])), 6)
        0.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = float(l2)

    def __call__(self, x: Array) -> float:
        return self.l2 * float(np.vdot(x, x))

    def gradient(self, x: Array) -> Array:
        return 2.0 * self.l2 * x

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


def get(identifier: Any) -> Regularizer | None:
    """The regularizer for a name, a config, a class or an instance; None stays None."""
    return None if identifier is None else cast(Regularizer, registry.get("regularizer", identifier, Regularizer))


def serialize(regularizer: Regularizer | None) -> Any:
    """The regularizer as a config that `get` reads."""
    return registry.serialize(regularizer)
