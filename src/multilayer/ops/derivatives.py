"""Derivatives of one's own, and forwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multilayer._core import tape
from multilayer._core.tape import Node, Recording, Rule, Tensor, backpropagate, not_recording, plain, record
from multilayer.ops.operands import as_type, operand, operation

__all__ = [
    "custom_gradient",
    "jvp",
]


class _OwnRule(Rule):
    """One call of a function that came with its own gradient."""

    __slots__ = ("gradient",)
    differentiable = tape.EVERY_POSITION

    def __init__(self, name: str, y: Any, gradient: Callable[..., Any]) -> None:
        super().__init__(lambda *_: y, name=name)
        self.gradient = gradient

    def backward(self, node: Node, g: Any, positions: Sequence[int], recorded: bool) -> list[Any]:
        if recorded:
            given = self.gradient(g)
        else:
            with not_recording():
                given = plain(self.gradient(g))
        gradients = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(gradients) != len(node.values):
            raise ValueError(
                f"The gradient of `{self.name}` gave {len(gradients)} for its {len(node.values)} arguments: it must "
                "give one for each."
            )
        return [self._fitting(gradients[position], node.values[position]) for position in positions]

    def _fitting(self, gradient: Any, x: Any) -> Any:
        """A gradient of an argument's shape; None is for an argument that the value does not change with."""
        if gradient is None:
            return np.zeros(x.shape, x.dtype)
        gradient = operand(gradient)
        if np.shape(gradient) != x.shape:
            raise ValueError(
                f"The gradient of `{self.name}` has shape {np.shape(gradient)} for an argument of shape {x.shape}: "
                "they must be equal."
            )
        return gradient


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with a gradient of its own.

    Args:
        f: Gives its value, and a function that takes the gradient at the value, named `upstream` where it names it, to
            those at the arguments: one, or a tuple; None for an argument that the value does not change with. To
            variables that it computes with, and does not take as arguments, no gradient goes.

    Raises:
        ValueError: There are more or fewer gradients than arguments, or they are of other shapes.

    Example:
        >>> @custom_gradient
        ... def log1pexp(x):
        ...     e = np.exp(x)
        ...     def grad(*args, upstream=None):
        ...         return (args[0] if upstream is None else upstream) * (1 - 1 / (1 + e))
        ...     return np.log(1 + e), grad
        >>> from multilayer import gradient
        >>> gradient(log1pexp)(np.array(100.0))
        np.float64(1.0)
    """

    def called(*args: Any, **kwargs: Any) -> Any:
        args = tuple(operand(one) for one in args)
        with not_recording():
            y, gradient = f(*args, **kwargs)
            y = plain(y)
        if isinstance(y, (list, tuple)):
            raise TypeError("A function under `custom_gradient` gives one array; this one gave several.")
        return record(_OwnRule(getattr(f, "__name__", "custom_gradient"), np.asarray(y), gradient), args, {})

    called.__name__, called.__doc__ = getattr(f, "__name__", "called"), f.__doc__
    return operation(called)


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The value of a function, and its derivative along given tangents: the product of the Jacobian with them.

    Args:
        fun: The function.
        primals: Its arguments, a list or tuple.
        tangents: Along what, for each argument.
        has_aux: Whether it gives a pair, of whose second part no derivative is asked.

    Example:
        >>> y, slope = jvp(np.sin, (np.array(0.0),), (np.array(2.0),))
        >>> float(slope)
        2.0
    """
    # The product with the Jacobian's transpose is linear in its seed v; its derivative by v is what is asked for.
    outer = tape.recording()
    with Recording() as recording:
        given = [_watched(recording, operand(one)) for one in primals]
        made = fun(*given)
        y, aux = made if has_aux else (made, None)
        slope = _slope(recording, given, y, tangents)
    y, slope = (y, slope) if outer else (plain(y), plain(slope))
    return (y, slope, aux) if has_aux else (y, slope)


def _watched(recording: Recording, x: Any) -> Tensor:
    x = np.positive(x)  # a step of its own, so that the way back to it ends at it, and goes on for an outer tape
    return x if tape.tracked(x) else recording.watch(Tensor(np.array(plain(x))))


def _slope(recording: Recording, given: Sequence[Tensor], y: Any, tangents: Any) -> Any:
    if not tape.tracked(y):
        return np.zeros_like(plain(operand(y)))
    v = recording.watch(Tensor(np.zeros(y.shape, y.dtype)))
    assert v.node is not None  # it is watched
    found = backpropagate([y], [v], [one.node for one in given if one.node is not None], recording.start)
    pairs = [(g, as_type(operand(t), g.dtype)) for g, t in zip(found, tangents, strict=True) if g is not None]
    slope = backpropagate([g for g, _ in pairs], [t for _, t in pairs], [v.node])[0] if pairs else None
    return np.zeros(y.shape, y.dtype) if slope is None else slope
