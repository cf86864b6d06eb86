"""Layers that bring what passes through them to mean 0 and variance 1, or to length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer import constraints, initializers, regularizers
from multilayer._checks.scalars import is_whole, real_number
from multilayer._core import kernels
from multilayer._core.arena import Variable
from multilayer._core.tape import plain
from multilayer._core.tape.elementwise import root
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape, require_ndim
from multilayer.layers.masked import and_mask


class _AffineNormalization(Layer):
    """What normalization layers share: the axes that have a factor gamma and an offset beta of their own, and these."""

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("rms_scaling", False):
            raise ValueError(
                "`rms_scaling` is out of scope here: it divides by the variance where its name says the root mean "
                "square, and Keras itself warns of it. Use `RMSNormalization`."
            )
        super().__init__(**kwargs)
        self.axis = _checked_axis(axis)
        self.epsilon = float(real_number("epsilon", epsilon))
        self.center = bool(center)
        self.scale = bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Variable | None = None
        self.beta: Variable | None = None

    def build(self, input_shape: Shape) -> None:
        self.axes = self._axes_of(len(input_shape))
        shape = tuple(side for axis in self.axes if (side := input_shape[axis]) is not None)
        if not self.axes or len(shape) != len(self.axes) or 0 in self.axes:
            raise ValueError(
                f"Layer '{self.name}' needs inputs whose axis {self.axis} exists, is known, and is not the batch. "
                f"{self._what_is_wrong(len(input_shape))}Received: input_shape={input_shape}"
            )
        self._side = shape
        if self.scale:
            self.gamma = self.add_weight(
                shape,
                self.gamma_initializer,
                name="gamma",
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                shape,
                self.beta_initializer,
                name="beta",
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )

    def _axes_of(self, ndim: int) -> list[int]:
        """The axes, counted from 0, of inputs of so many: -1 is the last one of whatever comes; [] where one is none.

        What is built for matrices may be called with sequences: the axes are found anew for each number of axes.
        """
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        found = sorted({axis % ndim for axis in axes if -ndim <= axis < ndim})
        return found if len(found) == len(axes) else []

    def _what_is_wrong(self, ndim: int) -> str:
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        if outside := [axis for axis in axes if not -ndim <= axis < ndim]:
            return f"Axis {outside[0]} is out of bounds for {ndim} axes. "
        return (
            "Duplicate axes: two of them are the same one. " if len({axis % ndim for axis in axes}) < len(axes) else ""
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if wrong := self._what_is_wrong(len(input_shape)):
            raise ValueError(f"Layer '{self.name}' has axis={self.axis}. {wrong}Received: input_shape={input_shape}")
        return input_shape

    def check_input_shape(self, input_shape: Shape) -> None:
        axes = self._axes_of(len(input_shape))
        if not axes or tuple(input_shape[a] for a in axes) != self._side:
            raise ValueError(
                f'Input 0 of layer "{self.name}" is incompatible with the layer: expected axis {self.axis} of input '
                f"shape to have value {self._side}, but received input with shape {tuple(input_shape)}"
            )

    def _as_matrix(self, x: Array, name: str) -> Array:
        """The axes that are normalized or have weights as columns, all others as rows."""
        axes = self._axes_of(x.ndim)
        last = list(range(x.ndim - len(axes), x.ndim))
        if axes != last:
            moved = np.moveaxis(x, axes, last)
            x = self.scratch(name, moved.shape)
            np.copyto(x, moved)
        self._moved_shape = x.shape
        return x.reshape(-1, int(np.prod(self._side)))

    def _as_input(self, matrix: Array) -> Array:
        """The reverse of `_as_matrix`."""
        x = matrix.reshape(self._moved_shape)
        axes = self._axes_of(x.ndim)
        last = list(range(x.ndim - len(axes), x.ndim))
        return x if axes == last else np.moveaxis(x, last, axes)

    def _flat(self, variable: Variable | None) -> Array | None:
        return None if variable is None else variable.value.reshape(-1)

    def _keep(self, variable: Variable | None, gradient: Array) -> None:
        if variable is not None and variable.gradient is not None:
            np.copyto(variable.gradient, gradient.reshape(variable.shape))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


def _checked_axis(axis: Any) -> int | list[int]:
    if isinstance(axis, (list, tuple)) and all(is_whole(one) for one in axis) and axis:
        return sorted(int(one) for one in axis)
    if not is_whole(axis):
        raise TypeError(f"Expected an int or a list/tuple of ints for the argument 'axis', but received: {axis!r}")
    return int(axis)


@registry.register("layer")
class BatchNormalization(_AffineNormalization):
    """Each feature with mean 0 and variance 1 over the batch, then gamma times that plus beta.

        y = gamma (x - mean) / sqrt(variance + epsilon) + beta

    In training, mean and variance are those of the batch, and running means of both are kept:
    m <- momentum m + (1 - momentum) mean. Otherwise, and in training where `trainable` is False, those are used.
    Steps that `Masking`, or an `Embedding` with `mask_zero`, says to be padding are left out of mean and variance.

    Args:
        axis: The axis of the features.
        momentum: Share of the running means that is kept from step to step.
        epsilon: Keeps the quotient finite.
        center: Whether beta is added.
        scale: Whether gamma is there.
        beta_initializer: Where beta starts.
        gamma_initializer: Where gamma starts.
        moving_mean_initializer: Where the running mean starts.
        moving_variance_initializer: Where the running variance starts.
        beta_regularizer: The penalty on beta.
        gamma_regularizer: The penalty on gamma.
        beta_constraint: What beta must fulfil after every step.
        gamma_constraint: What gamma must fulfil after every step.
        synchronized: Accepted as Keras does: there is one device.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Source: Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
    Shift", 2015.

    Raises:
        TypeError: `axis` is no whole number.
        ValueError: An argument is out of scope, or inputs do not fit.

    Example:
        >>> layer = BatchNormalization()
        >>> layer(np.array([[1.0], [3.0]]), training=True).round(2)
        array([[-1.],
               [ 1.]], dtype=float32)
        >>> layer.moving_mean.numpy()
        array([0.02], dtype=float32)
    """

    acts_in_training = True
    takes_mask = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("renorm", False):
            raise ValueError("`renorm` is out of scope here. Use `LayerNormalization` where batches are small.")
        super().__init__(
            axis,
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        if isinstance(self.axis, list):
            raise TypeError(f"`axis` of a BatchNormalization is one whole number. Received: axis={axis!r}")
        self.momentum = float(real_number("momentum", momentum))
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.synchronized = bool(synchronized)

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        self._ndim = len(input_shape)
        self.moving_mean = self.add_weight(
            self._side, self.moving_mean_initializer, name="moving_mean", trainable=False
        )
        self.moving_variance = self.add_weight(
            self._side, self.moving_variance_initializer, name="moving_variance", trainable=False
        )

    def check_input_shape(self, input_shape: Shape) -> None:
        require_ndim(self, self._ndim, input_shape)
        super().check_input_shape(input_shape)

    def call(self, x: Any, training: bool = False) -> Any:
        if not training:
            x, _ = and_mask(x)
            return self._affine(x, self.moving_mean.value, self.moving_variance.value)
        BatchNormalization.forward(self, plain(x), True)  # the running means move
        return self.formula(x)

    def formula(self, x: Any) -> Any:
        x, mask = and_mask(x)
        if not self._of_batch:
            return self._affine(x, self.moving_mean.value, self.moving_variance.value)
        others = tuple(axis for axis in range(x.ndim) if axis not in self._axes_of(x.ndim))
        if mask is None:
            return self._affine(x, np.mean(x, axis=others), np.var(x, axis=others))
        shares = _shares(plain(mask), x, others)
        mean = np.sum(x * shares, axis=others, keepdims=True)
        variance = np.sum(np.square(x - mean) * shares, axis=others)
        return self._affine(x, np.reshape(mean, (-1,)), variance)

    def _affine(self, x: Any, mean: Any, variance: Any) -> Any:
        shape = [1] * x.ndim
        shape[self.axes[0]] = -1
        y = (x - np.reshape(mean, shape)) / np.sqrt(np.reshape(variance, shape) + self.epsilon)
        if self.gamma is not None:
            y = y * np.reshape(self.gamma, shape)
        return y if self.beta is None else y + np.reshape(self.beta, shape)

    def forward(self, x: Any, training: bool = False) -> Array:
        x, mask = and_mask(x)
        self._shares = None
        self._masked = mask is not None
        if not training:
            return self._by_running_means(x)
        matrix = self._as_matrix(x, "moved x")
        k = (matrix.shape[1],)
        y, x_hat = self.scratch("y", matrix.shape), self.scratch("x_hat", matrix.shape)
        mean, variance, self._factor = (self.scratch(name, k) for name in ("mean", "variance", "factor"))
        self._x_hat = x_hat
        self._of_batch = self.trainable
        if not self.trainable:
            np.sqrt(self.moving_variance.value + self.epsilon, out=self._factor)
            np.reciprocal(self._factor, out=self._factor)
            np.subtract(matrix, self.moving_mean.value, out=x_hat)
            x_hat *= self._factor
            np.copyto(y, x_hat)
            for variable, apply in ((self.gamma, np.multiply), (self.beta, np.add)):
                if variable is not None:
                    apply(y, variable.value, out=y)
            return self._as_input(y)
        gamma, beta = self._flat(self.gamma), self._flat(self.beta)
        if mask is None:
            kernels.batch_norm(matrix, gamma, beta, self.epsilon, y, x_hat, mean, variance, self._factor)
        else:
            others = tuple(axis for axis in range(x.ndim) if axis not in self._axes_of(x.ndim))
            self._shares = self._as_matrix(_shares(mask, x, others), "moved shares")
            np.sum(matrix * self._shares, axis=0, out=mean)
            np.subtract(matrix, mean, out=x_hat)
            np.sum(np.square(x_hat) * self._shares, axis=0, out=variance)
            np.reciprocal(np.sqrt(variance + self.epsilon), out=self._factor)
            x_hat *= self._factor
            np.multiply(x_hat, 1.0 if gamma is None else gamma, out=y)
            y += 0.0 if beta is None else beta
        for running, of_batch in ((self.moving_mean.value, mean), (self.moving_variance.value, variance)):
            running *= self.momentum
            of_batch *= 1.0 - self.momentum  # in place: the backward pass needs `x_hat` and the factor, but not these
            running += of_batch
        return self._as_input(y)

    def _by_running_means(self, x: Array) -> Array:
        shape = [1] * x.ndim
        shape[self.axes[0]] = -1
        # Mean, variance, gamma and beta together are one factor and one offset a feature: two passes over x.
        factor = 1.0 / np.sqrt(self.moving_variance.value + self.epsilon)  # (k,)
        if self.gamma is not None:
            factor = factor * self.gamma.value
        offset = -self.moving_mean.value * factor
        if self.beta is not None:
            offset = offset + self.beta.value
        y = x * factor.reshape(shape)
        y += offset.reshape(shape)
        return y

    def backward(self, dy: Array) -> Any:
        matrix = self._as_matrix(dy, "moved dy")
        k = (matrix.shape[1],)
        dx, dgamma, dbeta = self.scratch("dx", matrix.shape), self.scratch("dgamma", k), self.scratch("dbeta", k)
        gamma = self._flat(self.gamma)
        if self._shares is not None:
            np.sum(matrix * self._x_hat, axis=0, out=dgamma)
            np.sum(matrix, axis=0, out=dbeta)
            # All rows are shifted and scaled; the mean and the variance are of those that count.
            np.multiply(self._x_hat, dgamma, out=dx)
            dx += dbeta
            dx *= self._shares
            np.subtract(matrix, dx, out=dx)
            dx *= self._factor if gamma is None else self._factor * gamma
        elif self._of_batch:
            kernels.batch_norm_backward(matrix, self._x_hat, gamma, self._factor, dx, dgamma, dbeta)
        else:
            np.multiply(matrix, self._x_hat, out=dx)
            np.sum(dx, axis=0, out=dgamma)
            np.sum(matrix, axis=0, out=dbeta)
            np.multiply(matrix, self._factor if gamma is None else self._factor * gamma, out=dx)
        self._keep(self.gamma, dgamma)
        self._keep(self.beta, dbeta)
        return [self._as_input(dx), None] if self._masked else self._as_input(dx)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "synchronized": self.synchronized,
        }


def _shares(mask: Array, x: Any, axes: tuple[int, ...]) -> Array:
    """What each number of x counts in a mean over these axes: nothing where its step is padding, else all the same."""
    counts = np.broadcast_to(mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim)), x.shape).astype(x.dtype)
    counts /= np.maximum(counts.sum(axis=axes, keepdims=True), 1.0)
    return counts


@registry.register("layer")
class LayerNormalization(_AffineNormalization):
    """Each sample with mean 0 and variance 1 along an axis, then gamma times that plus beta.

    Args:
        axis: The axis, or a list of axes.
        epsilon: Keeps the quotient finite.
        center: Whether beta is added.
        scale: Whether gamma is there.
        beta_initializer: Where beta starts.
        gamma_initializer: Where gamma starts.
        beta_regularizer: The penalty on beta.
        gamma_regularizer: The penalty on gamma.
        beta_constraint: What beta must fulfil after every step.
        gamma_constraint: What gamma must fulfil after every step.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Source: Ba et al., "Layer Normalization", 2016.

    Raises:
        TypeError: `axis` is no whole number, nor a list of them.
        ValueError: Inputs do not fit.

    Example:
        >>> LayerNormalization(epsilon=1e-6)([[1.0, 3.0]]).round(3)
        array([[-1.,  1.]], dtype=float32)
    """

    centered = True

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return self._affine(x, self.gamma, self.beta)

    def _affine(self, x: Any, gamma: Any, beta: Any) -> Any:
        axes = tuple(self._axes_of(x.ndim))
        shape = [side if i in axes else 1 for i, side in enumerate(x.shape)]
        x_hat = x - x.mean(axis=axes, keepdims=True) if self.centered else x
        y = x_hat / np.sqrt(np.square(x_hat).mean(axis=axes, keepdims=True) + self.epsilon)
        if gamma is not None:
            y = y * np.reshape(gamma, shape)
        return y if beta is None else y + np.reshape(beta, shape)

    def forward(self, x: Array, training: bool = False) -> Array:
        if not training:  # nothing of the layer's is changed, so that several threads may ask at once
            return self._affine(x, plain(self.gamma), plain(self.beta))  # type: ignore[no-any-return]
        matrix = self._as_matrix(x, "moved x")
        y, self._x_hat = self.scratch("y", matrix.shape), self.scratch("x_hat", matrix.shape)
        self._factor = self.scratch("factor", (len(matrix), 1))
        gamma, beta = self._flat(self.gamma), self._flat(self.beta)
        kernels.layer_norm(matrix, gamma, beta, self.epsilon, y, self._x_hat, self._factor, self.centered)
        return self._as_input(y)

    def backward(self, dy: Array) -> Array:
        matrix = self._as_matrix(dy, "moved dy")
        k = (matrix.shape[1],)
        dx, dgamma, dbeta = self.scratch("dx", matrix.shape), self.scratch("dgamma", k), self.scratch("dbeta", k)
        gamma = self._flat(self.gamma)
        kernels.layer_norm_backward(matrix, self._x_hat, gamma, self._factor, dx, dgamma, dbeta, self.centered)
        self._keep(self.gamma, dgamma)
        self._keep(self.beta, dbeta)
        return self._as_input(dx)


@registry.register("layer")
class RMSNormalization(LayerNormalization):
    """Each sample with mean square 1 along an axis, times a factor for each feature.

    Args:
        axis: The axis, or a list of axes.
        epsilon: Keeps the quotient finite.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.

    Example:
        >>> RMSNormalization()([[3.0, 4.0]]).round(4)
        array([[0.8485, 1.1314]], dtype=float32)
    """

    centered = False

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(axis, epsilon, center=False, **kwargs)

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        assert self.gamma is not None  # `scale` is on
        self.gamma.name, self.gamma.path = "scale", f"{self.name}/scale"

    def get_config(self) -> dict[str, Any]:
        config = Layer.get_config(self)
        return {**config, "axis": self.axis, "epsilon": self.epsilon}


@registry.register("layer")
class UnitNormalization(Layer):
    """Each sample at length 1 along an axis: y = x / |x|.

    Args:
        axis: The axis, or a list of axes.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Raises:
        TypeError: `axis` is no whole number, nor a list of them.

    Example:
        >>> UnitNormalization()([[3.0, 4.0]])
        array([[0.6, 0.8]], dtype=float32)
    """

    _nothing_to_build = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = _checked_axis(axis)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        axes = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        return x / np.maximum(root(np.sum(np.square(x), axis=axes, keepdims=True)), 1e-12)

    def forward(self, x: Array, training: bool = False) -> Array:
        axes = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        with np.errstate(divide="ignore"):
            scale = np.minimum(1.0 / np.sqrt(np.square(x).sum(axis=axes, keepdims=True)), 1e12).astype(x.dtype)
        y: Array = np.multiply(x, scale, out=self.scratch("y", x.shape) if training else None)
        if training:
            self._y, self._scale, self._over = y, scale, axes
        return y

    def backward(self, dy: Array) -> Array:
        along = np.sum(dy * self._y, axis=self._over, keepdims=True)
        dx: Array = np.multiply(self._y, -along, out=self.scratch("dx", dy.shape))
        dx += dy
        dx *= self._scale
        return dx

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


@registry.register("layer")
class GroupNormalization(_AffineNormalization):
    """Each sample's features in groups, each group with mean 0 and variance 1, then gamma times that plus beta.

    With one group it is `LayerNormalization` over all that a sample has; with -1, one for each feature.

    Args:
        groups: Number of groups, which the number of features is a multiple of; -1 for a group for each feature.
        axis: The axis of the features.
        epsilon: Keeps the quotient finite.
        center: Whether beta is added.
        scale: Whether gamma is there.
        beta_initializer: Where beta starts.
        gamma_initializer: Where gamma starts.
        beta_regularizer: The penalty on beta.
        gamma_regularizer: The penalty on gamma.
        beta_constraint: What beta must fulfil after every step.
        gamma_constraint: What gamma must fulfil after every step.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Source: Wu and He, "Group Normalization", 2018.

    Raises:
        TypeError: `axis` is no whole number.
        ValueError: `groups` is no number of groups, or does not divide the features, or inputs do not fit.

    Example:
        >>> GroupNormalization(groups=2, epsilon=1e-6)([[1.0, 3.0, 10.0, 30.0]]).round(3)
        array([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis,
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        if isinstance(self.axis, list):
            raise TypeError(f"`axis` of a GroupNormalization is one whole number. Received: axis={axis!r}")
        if groups != -1 and not is_whole(groups, 1):
            raise ValueError(
                "Received an invalid value for argument `groups`, expected a positive integer (or `-1` for instance "
                f"normalization). Received: groups={groups!r}"
            )
        self.groups = int(groups)

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        (features,) = self._side
        self._ndim = len(input_shape)
        if self.groups == -1:
            self.groups = features
        if features % self.groups:
            raise ValueError(
                f"The number of features must be a multiple of the number of groups. Received: groups={self.groups}, "
                f"input_shape={input_shape}, axis={self.axis}"
            )

    def check_input_shape(self, input_shape: Shape) -> None:
        require_ndim(self, self._ndim, input_shape)
        super().check_input_shape(input_shape)

    def _in_groups(self, x: Array) -> Array:
        """The features of x in groups, (n groups, numbers of a group): what is normalized together is one row."""
        axis = self.axes[0]
        sides = (*x.shape[:axis], self.groups, x.shape[axis] // self.groups, *x.shape[axis + 1 :])
        return np.moveaxis(x.reshape(sides), axis, 1).reshape(len(x) * self.groups, -1)

    def _from_groups(self, rows: Array, shape: tuple[int, ...]) -> Array:
        """The reverse of `_in_groups`."""
        axis = self.axes[0]
        others = (*shape[1:axis], shape[axis] // self.groups, *shape[axis + 1 :])
        return np.moveaxis(rows.reshape(shape[0], self.groups, *others), 1, axis).reshape(shape)

    def _by_feature(self, variable: Variable, ndim: int) -> Array:
        return variable.value.reshape(tuple(-1 if axis == self.axes[0] else 1 for axis in range(ndim)))

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        axis = self.axes[0]
        sides = (*x.shape[:axis], self.groups, x.shape[axis] // self.groups, *x.shape[axis + 1 :])
        groups = np.reshape(x, sides)
        over = tuple(i for i in range(1, len(sides)) if i != axis)
        mean, variance = np.mean(groups, axis=over, keepdims=True), np.var(groups, axis=over, keepdims=True)
        y = np.reshape((groups - mean) / np.sqrt(variance + self.epsilon), x.shape)
        by_feature = tuple(-1 if i == axis else 1 for i in range(x.ndim))
        y = y if self.gamma is None else y * np.reshape(self.gamma, by_feature)
        return y if self.beta is None else y + np.reshape(self.beta, by_feature)

    def forward(self, x: Array, training: bool = False) -> Array:
        rows = self._in_groups(x)
        own = self.scratch if training else lambda _, shape: np.empty(shape, x.dtype)
        x_hat, factor = own("x_hat", rows.shape), own("factor", (len(rows), 1))
        kernels.layer_norm(rows, None, None, self.epsilon, own("rows", rows.shape), x_hat, factor, True)
        y = own("y", x.shape)
        np.copyto(y, self._from_groups(x_hat, x.shape))
        if training:
            self._x_hat, self._factor = x_hat, factor
        if self.gamma is not None:
            y *= self._by_feature(self.gamma, x.ndim)
        if self.beta is not None:
            y += self._by_feature(self.beta, x.ndim)
        return y

    def backward(self, dy: Array) -> Array:
        others = tuple(axis for axis in range(dy.ndim) if axis != self.axes[0])
        x_hat = self._from_groups(self._x_hat, dy.shape)
        self._keep(self.gamma, np.sum(dy * x_hat, axis=others))
        self._keep(self.beta, np.sum(dy, axis=others))
        if self.gamma is not None:
            dy = dy * self._by_feature(self.gamma, dy.ndim)
        rows = np.ascontiguousarray(self._in_groups(dy))
        k = (rows.shape[1],)
        dx, dgamma, dbeta = self.scratch("dx rows", rows.shape), self.scratch("dgamma", k), self.scratch("dbeta", k)
        kernels.layer_norm_backward(rows, self._x_hat, None, self._factor, dx, dgamma, dbeta, True)
        out = self.scratch("dx", dy.shape)
        np.copyto(out, self._from_groups(dx, dy.shape))
        return out

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "groups": self.groups}
