"""Regularizers: penalties on weights or activity, that a model adds to its loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from multilayer._checks.scalars import is_real
from multilayer._core.number import Number
from multilayer._core.tape import Operand, Recording, Tensor, backpropagate, plain
from multilayer._names import registry, remembered
from multilayer._names.custom_objects import custom_object_scope
from multilayer._names.functions import OfFunction, name_of
from multilayer._names.reprs import config_repr
from multilayer._tracebacks import filter_traceback
from multilayer.config import epsilon
from multilayer.functional import Array


class Regularizer(remembered.Remembering):
    """Base class: a penalty with its gradient.

    One of your own overrides `__call__`, written with NumPy's functions or `ops`: a tape differentiates it. One that
    overrides `gradient` as well gives its derivative itself, which is faster. A plain function of a weight is a
    regularizer, too: `Dense(10, kernel_regularizer=function)`.

    Example:
        >>> class Cubic(Regularizer):
        ...     "sum(|x|^3)"
        ...     def __call__(self, x):
        ...         return np.sum(np.abs(x) ** 3)
        >>> x = np.array([1.0, -2.0])
        >>> float(Cubic()(x)), Cubic().gradient(x)
        (9.0, array([  3., -12.]))
    """

    def __call__(self, x: Any) -> Any:
        """The penalty, one number; of a tensor on a tape, a tensor."""
        raise NotImplementedError(f"Regularizer {type(self).__name__} does not define `__call__(self, x)`.")

    def gradient(self, x: Array) -> Array:
        """The penalty's gradient with respect to x, of x's shape and type.

        Raises:
            ValueError: The penalty is no single number.
        """
        with Recording(strict=True) as recording:
            tensor = recording.watch(Tensor(x))
            penalty = self(tensor)
        if penalty is None or np.size(plain(penalty)) != 1:
            raise ValueError(
                f"The regularizer {self!r} must return one number, the penalty; it returned "
                f"{'None' if penalty is None else f'an array of shape {np.shape(plain(penalty))}: take its sum'}."
            )
        if type(penalty) is not Tensor:  # the same whatever the weight is
            return np.zeros_like(x)
        assert tensor.node is not None  # it is watched
        gradient = backpropagate([penalty], [np.ones(penalty.shape, penalty.dtype)], [tensor.node])[0]
        return np.zeros_like(x) if gradient is None else np.asarray(gradient)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return remembered.described(self, {})

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """The regularizer with these constructor arguments."""
        return remembered.made(cls, config)

    __repr__ = config_repr


def _checked(value: float | None, name: str, default: float = 0.0) -> float:
    """A factor; raises ValueError where it is not a finite number of at least 0."""
    if value is None:
        return default
    if not is_real(value) or not 0 <= value < math.inf:
        raise ValueError(f"Invalid value for argument {name}: expected a non-negative float. Received: {name}={value}")
    return float(value)


@registry.register("regularizer", "l1_l2")
class L1L2(Regularizer):
    """Penalty l1 sum(|x|) + l2 sum(x^2), gradient l1 sign(x) + 2 l2 x.

    Args:
        l1: Factor of the sum of sizes.
        l2: Factor of the sum of squares.

    Raises:
        ValueError: A factor is negative or not finite.

    Example:
        >>> round(L1L2(l1=0.1, l2=0.1)(np.array([1.0, -2.0])), 6)
        0.8
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _checked(l1, "l1")
        self.l2 = _checked(l2, "l2")

    def __call__(self, x: Any) -> Any:
        if isinstance(x, Operand):
            return self.l1 * np.sum(np.abs(x)) + self.l2 * np.sum(np.square(x))
        return Number(self.l1 * float(np.abs(x).sum()) + self.l2 * float(np.vdot(x, x)))

    def gradient(self, x: Array) -> Array:
        if not self.l1:
            return 2.0 * self.l2 * x
        return self.l1 * np.sign(x) + 2.0 * self.l2 * x

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


@registry.register("regularizer")
class L1(L1L2):
    """Penalty l1 sum(|x|), gradient l1 sign(x): draws weights to exactly 0.

    Args:
        l1: Factor.

    Example:
        >>> round(L1(0.1)(np.array([1.0, -2.0])), 6)
        0.3
    """

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=_checked(l1, "l1", 0.01))

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


@registry.register("regularizer")
class L2(L1L2):
    """Weight decay by the loss: penalty l2 sum(x^2), gradient 2 l2 x.

    Args:
        l2: Factor.

    Example:
        >>> round(L2(0.1)(np.array([1.0, -2.0])), 6)
        0.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=_checked(l2, "l2", 0.01))

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


@registry.register("regularizer")
class OrthogonalRegularizer(Regularizer):
    """Draws the rows of a matrix, or its columns, towards standing at right angles.

    With n_i the rows scaled to length 1: penalty factor / (k (k - 1)) sum over i != j of |n_i . n_j|, for k rows.

    Args:
        factor: Factor.
        mode: 'rows' or 'columns'.

    Raises:
        ValueError: `factor` is negative, `mode` unknown, or x is no matrix.

    Example:
        >>> OrthogonalRegularizer(1.0)(np.array([[1.0, 0.0], [3.0, 3.0]])).__round__(6)
        0.707107
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _checked(factor, "factor")
        if mode not in ("rows", "columns"):
            raise ValueError(
                f'Invalid value for argument `mode`. Expected one of {{"rows", "columns"}}. Received: mode={mode}'
            )
        self.mode = mode

    def _rows(self, x: Any) -> tuple[Any, Any, float]:
        """The rows at length 1, what they were divided by, and the factor of a pair."""
        if x.ndim != 2:
            raise ValueError(f"Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape={x.shape}")
        rows = x if self.mode == "rows" else x.T
        lengths = np.sqrt(np.maximum(np.sum(rows * rows, axis=1, keepdims=True), epsilon() ** 2))
        return rows / lengths, lengths, self.factor / max(len(rows) * (len(rows) - 1), 1)

    def __call__(self, x: Any) -> Any:
        n, _, factor = self._rows(x)
        others = np.abs(n @ n.T) * (1.0 - np.eye(len(n), dtype=n.dtype))
        return factor * others.sum() if isinstance(others, Operand) else Number(factor * float(np.sum(others)))

    def gradient(self, x: Array) -> Array:
        n, lengths, factor = self._rows(x)
        signs = np.sign(n @ n.T)
        np.fill_diagonal(signs, 0)
        dn = (2.0 * factor) * (signs @ n)
        # What points along a row changes its length, which scaling takes away again: it is projected out.
        dx = (dn - n * np.sum(n * dn, axis=1, keepdims=True)) / lengths
        return np.ascontiguousarray(dx if self.mode == "rows" else dx.T)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer  # Keras has these names, too


class FunctionRegularizer(OfFunction, Regularizer):
    """A function of a weight, or of a layer's output, as a regularizer."""

    kind = "regularizer"

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, x: Any) -> Any:
        penalty = self.function(x)
        if penalty is None:
            raise ValueError(
                f"The regularizer `{name_of(self.function)}` must return one number, the penalty; it returned None. Is "
                "there a `return`?"
            )
        return penalty


@filter_traceback
def get(identifier: Any) -> Regularizer | None:
    """The regularizer for a name, a config, a class, an instance, or a function of a weight; None stays None."""
    function = registry.function_for("regularizer", identifier, Regularizer)
    if function is not None:
        return FunctionRegularizer(function)
    return None if identifier is None else registry.get("regularizer", identifier, Regularizer)


def serialize(regularizer: Regularizer | None) -> Any:
    """The regularizer as a config that `get` reads."""
    return registry.serialize(regularizer)


@filter_traceback
def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Regularizer | None:
    """The regularizer that `serialize` described, with classes of your own by name."""
    with custom_object_scope(custom_objects):
        return get(config)
