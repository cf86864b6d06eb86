"""Layers that take one number of all steps of a sequence: their mean, or the largest."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer._core.tape import plain
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape, require_ndim
from multilayer.layers.masked import and_mask

_FORMATS = ("channels_last", "channels_first")


class _GlobalPooling(Layer):
    """What pooling layers share: which axis the steps are on, and whether it stays with length 1."""

    _nothing_to_build = True
    keeps_mask = False

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = _checked_format(data_format)
        self.keepdims = bool(keepdims)
        self.steps_axis = 1 if self.data_format == "channels_last" else 2

    def check_input_shape(self, input_shape: Shape) -> None:
        require_ndim(self, 3, input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self.check_input_shape(input_shape)
        sides = list(input_shape)
        sides[self.steps_axis : self.steps_axis + 1] = [1] if self.keepdims else []
        return tuple(sides)

    def _with_steps(self, of_all_steps: Array) -> Array:
        """An array of the output's shape with an axis of length 1 in the place of the steps."""
        return of_all_steps if self.keepdims else np.expand_dims(of_all_steps, self.steps_axis)

    def _pooled_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(side for side in self.compute_output_shape(shape) if side is not None)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


def _checked_format(data_format: Any) -> str:
    """Which axis is which; raises ValueError where it is no such word."""
    found = "channels_last" if data_format is None else str(data_format).lower()
    if found not in _FORMATS:
        raise ValueError(
            f"The `data_format` argument must be one of {', '.join(map(repr, _FORMATS))}. Received: "
            f"data_format={data_format!r}"
        )
    return found


@registry.register("layer")
class GlobalAveragePooling1D(_GlobalPooling):
    """The mean over the steps of a sequence: y = (x[1] + ... + x[t]) / t, feature by feature.

    Behind an `Embedding` it makes one vector of the words of a text, whatever their number. Steps that `Masking`, or an
    `Embedding` with `mask_zero`, says to be padding are left out; where a sample has no other, its mean is 0.

    Args:
        data_format: 'channels_last', the default, for inputs (n, steps, features), or 'channels_first' for
            (n, features, steps).
        keepdims: Whether the axis of the steps stays, with length 1.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n, steps, features), output (n, features).

    Raises:
        ValueError: `data_format` is neither of the two, or inputs have another number of axes.

    Example:
        >>> GlobalAveragePooling1D()([[[1.0, 10.0], [3.0, 30.0]]])
        array([[ 2., 20.]], dtype=float32)
    """

    takes_mask = True

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        x, mask = and_mask(x)
        if mask is None:
            return np.mean(x, axis=self.steps_axis, keepdims=self.keepdims)
        return np.sum(x * self._shares(plain(mask), x.dtype), axis=self.steps_axis, keepdims=self.keepdims)

    def forward(self, x: Any, training: bool = False) -> Array:
        x, mask = and_mask(x)
        shares = None if mask is None else self._shares(mask, x.dtype)
        out = None
        if training:
            self._shape, self._mask_shares = x.shape, shares
            out = self.scratch("y", self._pooled_shape(x.shape))
        if shares is not None:
            return np.sum(x * shares, axis=self.steps_axis, keepdims=self.keepdims, out=out)
        if self.steps_axis == 2 or self.keepdims or x.shape[2] == 1 or not x.flags.c_contiguous:
            return np.asarray(np.mean(x, axis=self.steps_axis, keepdims=self.keepdims, out=out))
        # Where features are few, NumPy's reductions take several times as long, to the same bits.
        y: Array = np.einsum("ntf->nf", x, out=out)
        y /= x.shape[1]
        return y

    def _shares(self, mask: Array, dtype: Any) -> Array:
        """What each step counts in the mean; of a sample without any that counts, 0, and its mean is 0."""
        counts = np.expand_dims(mask, 3 - self.steps_axis).astype(dtype)
        counts /= np.maximum(counts.sum(axis=self.steps_axis, keepdims=True), 1.0)
        return counts

    def backward(self, dy: Array) -> Any:
        dx = self.scratch("dx", self._shape)
        if self._mask_shares is not None:
            np.multiply(self._with_steps(dy), self._mask_shares, out=dx)
            return [dx, None]
        np.multiply(self._with_steps(dy), 1.0 / self._shape[self.steps_axis], out=dx)
        return dx


@registry.register("layer")
class GlobalMaxPooling1D(_GlobalPooling):
    """The largest number over the steps of a sequence, feature by feature.

    The gradient goes to the step that it was found in; where several steps have it, each gets an equal share.

    Args:
        data_format: 'channels_last', the default, for inputs (n, steps, features), or 'channels_first' for
            (n, features, steps).
        keepdims: Whether the axis of the steps stays, with length 1.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n, steps, features), output (n, features).

    Raises:
        ValueError: `data_format` is neither of the two, or inputs have another number of axes.

    Example:
        >>> GlobalMaxPooling1D()([[[1.0, 30.0], [3.0, 10.0]]])
        array([[ 3., 30.]], dtype=float32)
    """

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return np.max(x, axis=self.steps_axis, keepdims=self.keepdims)

    def forward(self, x: Array, training: bool = False) -> Array:
        out = None
        if training:
            self._x = x
            out = self.scratch("y", self._pooled_shape(x.shape))
        y: Array = np.max(x, axis=self.steps_axis, keepdims=self.keepdims, out=out)
        if training:
            self._y = y
        return y

    def backward(self, dy: Array) -> Array:
        largest = np.equal(self._x, self._with_steps(self._y))
        # At least 1: where the largest is NaN, it equals nothing.
        count = np.maximum(largest.sum(axis=self.steps_axis, keepdims=True), 1)
        share = self._with_steps(dy) / count.astype(dy.dtype)
        dx = self.scratch("dx", self._x.shape)
        np.multiply(largest, share, out=dx)
        return dx


# Keras' shorter names.
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalMaxPool1D = GlobalMaxPooling1D
