"""The scalar product of two inputs, sample by sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer._checks.scalars import is_whole
from multilayer._names import registry
from multilayer.config import epsilon
from multilayer.functional import Array
from multilayer.layers.base import Layer
from multilayer.layers.merging import _as_list
from multilayer.layers.symbolic import Shape


@registry.register("layer")
class Dot(Layer):
    """The scalar product of its two inputs along an axis of each: of rows, y = x1 . x2 for each sample.

    With more axes, every vector of the one input meets every vector of the other: (n, 3, 5) and (n, 10, 3) along the
    axes (1, 2) give (n, 5, 10).

    Args:
        axes: The axis, or one for each of the inputs; not 0, the batch.
        normalize: Whether vectors are brought to length 1 first, so that the product is the cosine of the angle
            between them.
        **kwargs: `name`, `trainable`, `dtype` of a `Layer`.

    Raises:
        TypeError: `axes` is neither a whole number nor a list of them.
        ValueError: `axes` is no pair, names the batch, or inputs do not fit.

    Example:
        >>> Dot(axes=1)([[[1.0, 2.0]], [[10.0, 100.0]]])
        array([[210.]], dtype=float32)
        >>> Dot(axes=1, normalize=True)([[[3.0, 0.0]], [[5.0, 5.0]]]).round(4)
        array([[0.7071]], dtype=float32)
    """

    takes_several = True
    keeps_mask = False

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axes = _checked_axes(axes)
        self.normalize = bool(normalize)

    def build(self, input_shape: Shape) -> None:
        self.check_input_shape(input_shape)

    def check_input_shape(self, input_shape: Any) -> None:
        shapes = _as_list(input_shape, self)
        if len(shapes) != 2:
            raise ValueError(
                f"A `Dot` layer should be called on a list of 2 inputs. Received: input_shape={input_shape}"
            )
        for shape, axis in zip(shapes, self._axes_as_given(), strict=True):
            if len(shape) < 2 or not -len(shape) <= axis < len(shape):
                raise ValueError(
                    f"A `Dot` layer with axes={self.axes} needs two inputs that have these axes beside the batch. "
                    f"Received: input_shape={input_shape}"
                )
        one, other = self.axes_of(shapes)
        if 0 in (one, other):
            raise ValueError(
                "A `Dot` layer cannot multiply over axis 0, the batch. Received: "
                f"axes={self.axes}, input_shape={input_shape}"
            )
        if None not in (shapes[0][one], shapes[1][other]) and shapes[0][one] != shapes[1][other]:
            raise ValueError(
                f"Incompatible input shapes: axis values {shapes[0][one]} (at axis {one}) != {shapes[1][other]} (at "
                f"axis {other}). Full input shapes: {shapes[0]}, {shapes[1]}"
            )

    def compute_output_shape(self, input_shape: Any) -> Shape:
        self.check_input_shape(input_shape)
        shapes = _as_list(input_shape, self)
        rest = [side for shape, axis in zip(shapes, self.axes_of(shapes), strict=True) for side in _rest(shape, axis)]
        batch = shapes[1][0] if shapes[0][0] is None else shapes[0][0]
        return (batch, *(rest or [1]))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """None: what comes out has the steps of neither input."""

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        shapes = [one.shape for one in x]
        axes = self.axes_of(shapes)
        if self.normalize:
            sums = (np.sum(np.square(one), axis=axis, keepdims=True) for one, axis in zip(x, axes, strict=True))
            x = [one / np.sqrt(np.maximum(total, 1e-12)) for one, total in zip(x, sums, strict=True)]
        one, other = (
            np.reshape(np.moveaxis(one, axis, -1), (len(one), -1, one.shape[axis]))
            for one, axis in zip(x, axes, strict=True)
        )
        return np.reshape(np.matmul(one, np.swapaxes(other, 1, 2)), self._concrete_shape(shapes))

    def forward(self, x: Sequence[Array], training: bool = False) -> Array:
        shapes = [one.shape for one in x]
        axes = self.axes_of(shapes)
        scales: list[Any] = [None, None]
        if self.normalize:
            scales = [_scale(one, axis) for one, axis in zip(x, axes, strict=True)]
            x = [one * scale for one, scale in zip(x, scales, strict=True)]
        one, other = _as_matrix(x[0], axes[0]), _as_matrix(x[1], axes[1])  # (n, p, d), (n, q, d)
        shape = (len(one), one.shape[1], other.shape[1])
        y = np.matmul(one, other.transpose(0, 2, 1), out=self.scratch("y", shape) if training else None)
        if training:
            self._shapes, self._inputs, self._scales, self._matrices = shapes, x, scales, (one, other)
        return y.reshape(self._concrete_shape(shapes))

    def backward(self, dy: Array) -> list[Array]:
        one, other = self._matrices
        dy = dy.reshape(len(one), one.shape[1], other.shape[1])
        gradients = []
        for i, (left, right) in enumerate(((dy, other), (dy.transpose(0, 2, 1), one))):
            axis, shape = self.axes_of(self._shapes)[i], self._shapes[i]
            product = np.matmul(left, right, out=self.scratch(f"product {i}", (*left.shape[:2], right.shape[2])))
            dx = self.scratch(f"dx{i}", shape)
            np.copyto(dx, np.moveaxis(product.reshape(*_moved(shape, axis)), -1, axis))
            if self.normalize:  # as in `UnitNormalization`: what points along x cannot change a vector of length 1
                x_hat = self._inputs[i]
                dx -= x_hat * np.sum(dx * x_hat, axis=axis, keepdims=True)
                dx *= self._scales[i]
            gradients.append(dx)
        return gradients

    def _axes_as_given(self) -> tuple[int, int]:
        return (self.axes, self.axes) if isinstance(self.axes, int) else (self.axes[0], self.axes[1])

    def axes_of(self, shapes: Sequence[Shape]) -> tuple[int, int]:
        """The axes of the two inputs, counted from 0."""
        one, other = self._axes_as_given()
        return one % len(shapes[0]), other % len(shapes[1])

    def _concrete_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        return tuple(side for side in self.compute_output_shape(list(shapes)) if side is not None)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def _checked_axes(axes: Any) -> int | list[int]:
    if is_whole(axes):
        return int(axes)
    if not isinstance(axes, (list, tuple)):
        raise TypeError(f"Invalid type for argument `axes`: it should be a list or an int. Received: axes={axes!r}")
    if len(axes) != 2:
        raise ValueError(
            f"Invalid format for argument `axes`: it should contain two elements. Received: axes={str(axes)[:200]}"
        )
    if not all(map(is_whole, axes)):
        raise ValueError(
            f"Invalid format for argument `axes`: list elements should be integers. Received: axes={str(axes)[:200]}"
        )
    return [int(axis) for axis in axes]


def _rest(shape: Sequence[Any], axis: int) -> list[Any]:
    """The sides of a sample without that of the axis."""
    return [*shape[1:axis], *shape[axis + 1 :]]


def _moved(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """A shape with the axis at its end."""
    return (shape[0], *_rest(shape, axis), shape[axis])


def _as_matrix(x: Array, axis: int) -> Array:
    """The vectors along an axis as the rows of a matrix for each sample, (n, vectors, length)."""
    return np.moveaxis(x, axis, -1).reshape(len(x), math.prod(_rest(x.shape, axis)), x.shape[axis])


def _scale(x: Array, axis: int) -> Array:
    """What vectors are multiplied with to have length 1; one that is nearly 0 stays so."""
    with np.errstate(divide="ignore"):
        inverse = 1.0 / np.sqrt(np.square(x).sum(axis=axis, keepdims=True))
    scale: Array = np.minimum(inverse, 1.0 / epsilon()).astype(x.dtype)
    return scale


def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, **kwargs: Any) -> Any:
    """`Dot(axes, **kwargs)(inputs)`."""
    return Dot(axes=axes, **kwargs)(inputs)
