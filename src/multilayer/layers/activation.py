"""Activations as layers of their own."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer import activations, constraints, initializers, regularizers
from multilayer._checks.scalars import is_whole, real_number
from multilayer._language import tr
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape, require_ndim
from multilayer.layers.symbolic import is_symbolic


def activation_shape(activation: activations.Activation, shape: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shape of what an activation gives: glu halves the last axis."""
    if activation is not activations.glu:
        return shape
    if shape[-1] % 2:
        raise ValueError(
            tr("'glu' halves the last axis, whose length must be even. Received: shape={shape}", shape=shape)
        )
    return (*shape[:-1], shape[-1] // 2)


def warn_of_softmax_over_one(layer: str) -> None:
    """Says that probabilities of one class are always 1."""
    warnings.warn(
        tr(
            "Layer '{layer}' takes a softmax over an axis of length 1, which always gives 1, so that nothing "
            "can be learned. Use 'sigmoid' for one probability, or as many units as there are classes.",
            layer=layer,
        ),
        stacklevel=4,
    )


class _ActivationLayer(Layer):
    """A layer that applies an activation and nothing else."""

    _nothing_to_build = True

    def __init__(self, activation: activations.Activation, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activation
        if type(activation) is activations.Activation and not isinstance(self, Activation):  # one with options
            activation.of_layer = self

    def linear_forward(self, x: Array, training: bool = False) -> Array:  # noqa: ARG002
        """What the activation is applied to: the input itself."""
        return x

    def linear_backward(self, da: Array) -> Array:
        """The gradient with respect to the input, from that of what the activation is applied to."""
        return da

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.activation is activations.softmax and input_shape[-1] == 1:
            warn_of_softmax_over_one(self.name)
        return activation_shape(self.activation, input_shape)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return self.activation(x)

    def forward_in_two(self, x: Array) -> tuple[Array, Array]:
        """What the activation is applied to, and the output, in training."""
        return x, self.forward(x, True)

    def forward(self, x: Array, training: bool = False) -> Array:
        if not training:
            return self.activation.forward(x)
        y = self.activation.forward(x, out=self.scratch("y", activation_shape(self.activation, x.shape)))
        self._kept = x if self.activation.of_input else y
        return y

    def backward(self, dy: Array) -> Array:
        return self.activation.backward(dy, self._kept, out=self.scratch("dx", self._kept.shape))


@registry.register("layer")
class Activation(_ActivationLayer):
    """Applies an activation function: y = f(x).

    Args:
        activation: A name such as 'relu', or an `activations.Activation`.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Example:
        >>> Activation("relu")([[-1.0, 2.0]])
        array([[0., 2.]], dtype=float32)
    """

    def __init__(self, activation: str | activations.Activation | None, **kwargs: Any) -> None:
        super().__init__(activations.get(activation), **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


@registry.register("layer")
class ReLU(_ActivationLayer):
    """max_value above it, x above the threshold, negative_slope (x - threshold) below it.

    Args:
        max_value: The largest output; None for no bound.
        negative_slope: The slope below the threshold.
        threshold: Where the positive side begins.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Raises:
        ValueError: A number is negative.

    Example:
        >>> ReLU(max_value=6.0, negative_slope=0.5)([[-2.0, 3.0, 9.0]])
        array([[-1.,  3.,  6.]], dtype=float32)
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        given = {"max_value": max_value, "negative_slope": negative_slope, "threshold": threshold}
        for name, value in given.items():
            if value is not None:
                real_number(name, value, infinite=True)
            if (value is None and name != "max_value") or (value is not None and not value >= 0):
                nothing = "" if name == "max_value" else tr("None or ")
                raise ValueError(
                    tr(
                        "{name} of a ReLU layer cannot be {nothing}a negative value. Received: {name}={value}",
                        name=name,
                        nothing=nothing,
                        value=value,
                    )
                )
        self.max_value = None if max_value is None else float(max_value)
        self.negative_slope = float(negative_slope)
        self.threshold = float(threshold)
        plain = max_value is None and not negative_slope and not threshold
        options = {
            "negative_slope": self.negative_slope,
            "max_value": self.max_value,
            "threshold": self.threshold,
        }
        super().__init__(activations.relu if plain else activations.relu.bound(**options), **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


@registry.register("layer")
class LeakyReLU(_ActivationLayer):
    """x above 0, negative_slope x below.

    Args:
        negative_slope: The slope below 0.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`; `alpha`, the older name of the slope.

    Raises:
        ValueError: The slope is negative.

    Example:
        >>> LeakyReLU()([[-1.0, 2.0]])
        array([[-0.3,  2. ]], dtype=float32)
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        if negative_slope is None or not real_number("negative_slope", negative_slope) >= 0:
            raise ValueError(
                tr(
                    "The negative_slope value of a Leaky ReLU layer cannot be None or negative value. Expected "
                    "a float. Received: negative_slope={negative_slope}",
                    negative_slope=negative_slope,
                )
            )
        self.negative_slope = float(negative_slope)
        super().__init__(activations.leaky_relu.bound(negative_slope=self.negative_slope), **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}


@registry.register("layer")
class ELU(_ActivationLayer):
    """x above 0, alpha (exp(x) - 1) below.

    Args:
        alpha: What it tends to on the left, negated.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Example:
        >>> ELU()([[-1.0, 2.0]])
        array([[-0.63212055,  2.        ]], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        self.alpha = float(real_number("alpha", alpha))
        super().__init__(activations.elu.bound(alpha=self.alpha), **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}


@registry.register("layer")
class Softmax(_ActivationLayer):
    """Probabilities along an axis: exp(x) / sum(exp(x)).

    Args:
        axis: The axis, or a list of axes, which the probabilities sum to 1 over together.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Example:
        >>> Softmax()([[0.0, 0.0]])
        array([[0.5, 0.5]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        axes = axis if isinstance(axis, (list, tuple)) and axis else [axis]
        if not all(map(is_whole, axes)):
            raise ValueError(tr("`axis` must be a whole number, or a list of them. Received: axis={axis!r}", axis=axis))
        self.axis = int(axis) if is_whole(axis) else [int(one) for one in axes]
        super().__init__(activations.softmax if axis == -1 else activations.softmax.bound(axis=self.axis), **kwargs)

    def __call__(self, x: Any, training: bool | None = None, mask: Any = None) -> Any:  # type: ignore[override]
        """The probabilities; those where `mask`, an array of truth values of the shape of x, is False are 0."""
        if mask is None:
            return super().__call__(x, training)
        if is_symbolic(x) or is_symbolic(mask):
            raise ValueError(
                tr(
                    "Layer '{name}' takes a `mask` with arrays, not within a model. There, add a large "
                    "negative number to what is to be left out: `Add()([x, penalty])` with a second input of 0 "
                    "and -1e9.",
                    name=self.name,
                )
            )
        kept = np.asarray(mask, bool)
        if not _is_broadcast_to(kept.shape, np.shape(x)):
            raise ValueError(
                tr(
                    "Layer '{name}' expects a `mask` that can be broadcast to the shape of its input, {x}. "
                    "Received: a mask of shape {shape}",
                    name=self.name,
                    x=np.shape(x),
                    shape=kept.shape,
                )
            )
        return super().__call__(np.where(kept, x, np.finfo(self.dtype).min), training) * kept

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


def _is_broadcast_to(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) <= len(wanted) and all(
        one in (1, other) for one, other in zip(shape[::-1], wanted[::-1], strict=False)
    )


@registry.register("layer")
class PReLU(Layer):
    """x above 0, a x below, with a learned slope a for every feature.

        dx = dy (above 0), a dy (below);   da = sum over the samples of dy x (below)

    Args:
        alpha_initializer: Where a starts.
        alpha_regularizer: The penalty on a.
        alpha_constraint: What a must fulfil after every step.
        shared_axes: The axes, from 1, along which all features have one slope.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Source: He et al., "Delving Deep into Rectifiers", 2015.

    Raises:
        TypeError: `shared_axes` is neither a whole number nor a list of them.

    Example:
        >>> PReLU(alpha_initializer="ones")([[-1.0, 2.0]])
        array([[-1.,  2.]], dtype=float32)
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        axes: Any = [shared_axes] if is_whole(shared_axes) else shared_axes
        if axes is not None and not (isinstance(axes, (list, tuple)) and all(map(is_whole, axes))):
            raise TypeError(
                tr(
                    "shared_axes must be None, an integer or a list of them. Received: {shared_axes!r}",
                    shared_axes=shared_axes,
                )
            )
        self.shared_axes = None if axes is None else [int(axis) for axis in axes]

    def build(self, input_shape: Shape) -> None:
        beyond = [axis for axis in self.shared_axes or () if not 1 <= axis < len(input_shape)]
        if beyond:
            raise ValueError(
                tr(
                    "`shared_axes` of layer '{name}' are numbered from 1, behind the batch, and inputs have "
                    "{count} axes. Received: shared_axes={beyond}",
                    name=self.name,
                    count=len(input_shape),
                    beyond=beyond,
                )
            )
        shape = [1 if i in (self.shared_axes or ()) else side for i, side in enumerate(input_shape)][1:]
        if None in shape:
            raise ValueError(
                tr(
                    "Layer '{name}' needs inputs of known shape. Received: input_shape={input_shape}.",
                    name=self.name,
                    input_shape=input_shape,
                )
            )
        self.alpha = self.add_weight(
            shape,
            self.alpha_initializer,
            name="alpha",
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )

    def check_input_shape(self, input_shape: Shape) -> None:
        slopes = self.alpha.shape
        require_ndim(self, len(slopes) + 1, input_shape)
        own = [i for i in range(1, len(input_shape)) if i not in (self.shared_axes or ())]
        if any(input_shape[i] not in (None, slopes[i - 1]) for i in own):
            raise ValueError(
                tr(
                    'Input 0 of layer "{name}" is incompatible with the layer: it has slopes of shape '
                    "{slopes}, but received input with shape {input_shape}",
                    name=self.name,
                    slopes=slopes,
                    input_shape=tuple(input_shape),
                )
            )

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return np.maximum(x, 0) + self.alpha * np.minimum(x, 0)

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._x = x
        below = np.multiply(np.minimum(x, 0), self.alpha.value)
        return np.add(np.maximum(x, 0), below, out=self.scratch("y", x.shape) if training else None)

    def backward(self, dy: Array) -> Array:
        below = np.minimum(self._x, 0)
        if self.alpha.gradient is not None:
            shape = self.alpha.shape
            axes = (0, *(i + 1 for i, side in enumerate(shape) if side == 1))
            np.copyto(self.alpha.gradient, np.sum(dy * below, axis=axes, keepdims=True).reshape(shape))
        slope = np.where(self._x > 0, dy.dtype.type(1), self.alpha.value)
        return np.multiply(dy, slope, out=self.scratch("dx", dy.shape))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
