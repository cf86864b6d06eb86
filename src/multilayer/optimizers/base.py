"""What an optimizer is: a rule that moves one vector of parameters against its gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import numpy as np

from multilayer import kernels, naming, registry
from multilayer.arena import Variable
from multilayer.functional import Array

# A mean that keeps 9 tenths a step shrinks to a thousandth over this many steps: less than what is flushed leaves room
# for, so that it never gets subnormal on the way.
_FLUSH_EVERY = 64


class Optimizer:
    """Base class of all optimizers.

    One of your own names its running vectors in `slots` and overrides `update_step`. All parameters of a model are one
    vector, so a rule is written once and without a loop over layers.

    Args:
        learning_rate: Size of a step, more than 0. `optimizer.learning_rate = 0.01` changes it at any time.
        name: Its name.

    Attributes:
        iterations: Number of steps taken.
        state: The slots: named vectors, each as long as the parameters, zero at the start.

    Example:
        >>> class SignDescent(Optimizer):
        ...     "w <- w - learning_rate sign(g)"
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         variable -= learning_rate * np.sign(gradient)
        >>> w = np.array([1.0, -1.0])
        >>> SignDescent(0.25).step(np.array([3.0, -8.0]), w)
        >>> w
        array([ 0.75, -0.75])
    """

    slots: tuple[str, ...] = ()
    # The attributes that change from step to step beside the slots; a file that training goes on from holds them.
    numbers: tuple[str, ...] = ("iterations",)

    def __init__(self, learning_rate: float = 0.001, name: str | None = None) -> None:
        self.learning_rate = learning_rate
        self.name = name or naming.auto_name(type(self).__name__)
        self.iterations = 0
        self.state: dict[str, Array] = {}
        self.built = False
        self._trained: list[Variable] | None = None

    @property
    def learning_rate(self) -> float:
        """Size of a step."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        if not isinstance(value, (int, float, np.integer, np.floating)) or not 0 <= float(value) < float("inf"):
            raise ValueError(f"`learning_rate` must be a number of at least 0. Received: learning_rate={value!r}")
        self._learning_rate = float(value)

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        """Moves `variable` in place by one step; `iterations` counts the steps before this one."""
        raise NotImplementedError(
            f"Optimizer {type(self).__name__} does not define `update_step(self, gradient, variable, learning_rate)`."
        )

    def build(self, variable: Array) -> None:
        """Makes the slots for parameters like `variable`, once."""
        self.state = {slot: np.zeros_like(variable) for slot in self.slots}
        self._work = np.empty_like(variable)
        self.built = True

    def unbuild(self) -> None:
        """Forgets the slots, and the weights that they belong to."""
        self.state, self.built, self._trained = {}, False, None

    @property
    def trained(self) -> list[Variable]:
        """The weights that the steps move, in the order in which they lie in the vector; empty before training."""
        return list(self._trained or ())

    def follow(self, variables: Iterable[Variable]) -> None:
        """Takes note of the weights that the steps to come will move; an optimizer follows the same ones for life.

        Its running vectors belong to them, place by place: on other weights they would be means of somebody else's
        gradients, and where the length is the same nothing else would tell.

        Raises:
            ValueError: It has taken steps on others.
        """
        variables = list(variables)
        if self.built and self._trained != variables:
            raise ValueError(
                f"Optimizer '{self.name}' has trained other weights than the model now has: it belongs to another "
                "model, or this one's layers, or what of them is trainable, have changed. Compile the model again with "
                "a new optimizer."
            )
        self._trained = variables

    def step(self, gradient: Array, variable: Array) -> None:
        """One step on the vector of all parameters.

        Raises:
            ValueError: The vector has another length than at the first step.
        """
        if not self.built:
            self.build(variable)
        if self._work.shape != variable.shape:
            raise ValueError(
                f"Optimizer '{self.name}' was built for {self._work.size} trainable parameters and now gets "
                f"{variable.size}: the model, or what of it is trainable, has changed. Compile the model again with a "
                "new optimizer."
            )
        self.update_step(gradient, variable, self._learning_rate)
        self.iterations += 1
        if self.iterations % _FLUSH_EVERY == 0:
            for slot in self.state.values():
                kernels.flush_subnormals(slot, self._work)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "learning_rate": self.learning_rate}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """The optimizer with these constructor arguments, and no steps taken."""
        return cls(**config)


def checked_share(name: str, value: float) -> float:
    """A share of the old that a running mean keeps; raises ValueError where it is not in [0, 1)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating)) or not 0 <= value < 1:
        raise ValueError(f"`{name}` must be at least 0 and less than 1. Received: {name}={value!r}")
    return float(value)


def checked_epsilon(epsilon: float) -> float:
    """A small number that keeps a quotient finite; raises ValueError where it is negative."""
    if isinstance(epsilon, bool) or not isinstance(epsilon, (int, float, np.floating)) or not epsilon >= 0:
        raise ValueError(f"`epsilon` must be at least 0. Received: epsilon={epsilon!r}")
    return float(epsilon)


def get(identifier: str | dict[str, Any] | Optimizer | type[Optimizer]) -> Optimizer:
    """The optimizer for a name, a config, a class or an instance.

    Raises:
        ValueError: An unknown name; the message names the nearest known one.
    """
    return cast(Optimizer, registry.get("optimizer", identifier, Optimizer))


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer as a config that `deserialize` reads; its state is not part of it."""
    return cast(dict[str, Any], registry.serialize(optimizer))


def deserialize(config: dict[str, Any]) -> Optimizer:
    """The optimizer that `serialize` described."""
    return cast(Optimizer, registry.deserialize("optimizer", config))
