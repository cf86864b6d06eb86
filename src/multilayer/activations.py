"""Activations: each a forward function of `functional` with its backward function, under Keras' names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from multilayer import kernels, registry
from multilayer.custom_objects import get_registered_name
from multilayer.functional import Array


class Activation:
    """A differentiable function of a layer's affine output; call it like the function it is.

    Args:
        name: The name it has in a config.
        forward: `forward(x, out=None)` gives y = f(x).
        backward: `backward(dy, y, out=None)` gives dx, written with the output y.

    Example:
        >>> relu([-1.0, 2.0])
        array([0., 2.])
    """

    def __init__(self, name: str, forward: Callable[..., Array], backward: Callable[..., Array]) -> None:
        self.__name__ = self.name = name
        self.forward = forward
        self.backward = backward

    def __call__(self, x: ArrayLike) -> Array:
        return self.forward(x)

    def forward_with_bias(self, x: Array, bias: Array | None, out: Array) -> Array:
        """Gives y = f(x + bias), the bias (k,) added to every row of x (n, k)."""
        if bias is not None:
            x = np.add(x, bias, out=out)
        return self.forward(x, out=out)

    def backward_with_bias(self, dy: Array, y: Array, out: Array, db: Array | None) -> Array:
        """Gives dx, and the bias's gradient, the sum of dx over the rows, written to `db`."""
        dx = self.backward(dy, y, out=out)
        if db is not None:
            kernels.sum_rows(dx, out=db)
        return dx

    def __repr__(self) -> str:
        return f"<activation {self.name}>"


class _Kernels(Activation):
    """An activation whose kernels take care of the bias on the way."""

    def __reduce__(self) -> str:
        return self.name  # a copy is the activation itself, found in this module by its name

    def forward_with_bias(self, x: Array, bias: Array | None, out: Array) -> Array:
        return self.forward(x, out, bias)

    def backward_with_bias(self, dy: Array, y: Array, out: Array, db: Array | None) -> Array:
        return self.backward(dy, y, out, db)


def _activation(name: str, forward: Callable[..., Array], backward: Callable[..., Array]) -> Activation:
    return registry.register("activation")(_Kernels(name, forward, backward))


linear = _activation("linear", kernels.linear, kernels.linear_backward)
relu = _activation("relu", kernels.relu, kernels.relu_backward)
sigmoid = _activation("sigmoid", kernels.sigmoid, kernels.sigmoid_backward)
softmax = _activation("softmax", kernels.softmax, kernels.softmax_backward)
tanh = _activation("tanh", kernels.tanh, kernels.tanh_backward)


def get(identifier: str | Activation | None) -> Activation:
    """The activation for a name or an `Activation`; None is `linear`.

    Raises:
        ValueError: An unknown name, or a plain function: without a tape, its derivative has to be given too.
    """
    identifier = registry.resolved(identifier)
    if identifier is None:
        return linear
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, str):
        return registry.lookup("activation", identifier)  # type: ignore[no-any-return]
    raise ValueError(
        f"Could not interpret activation function identifier: {identifier!r}. Expected a name or an "
        "`activations.Activation(name, forward, backward)`, which gives the function together with its derivative."
    )


def serialize(activation: Activation) -> str:
    """The activation's name, which `get` reads: one of the user's own has that under which it was registered."""
    return get_registered_name(activation)
