"""Which steps of a sequence count: those that are no padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer._checks.scalars import is_real
from multilayer._core.tape import plain
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape


@registry.register("layer")
class Masking(Layer):
    """Sets steps that are padding to 0 and has what comes after it leave them out: those of nothing but `mask_value`.

    `GlobalAveragePooling1D` heeds it, behind layers that work on each step by itself. A loss of steps does not: a model
    whose outputs have steps that are left out says so when it is to be trained.

    Args:
        mask_value: What a step of padding is full of.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Raises:
        ValueError: `mask_value` is no number, or inputs are single numbers.

    Example:
        >>> Masking(-1.0)([[[1.0, 2.0], [-1.0, -1.0], [3.0, -1.0]]])
        array([[[ 1.,  2.],
                [ 0.,  0.],
                [ 3., -1.]]], dtype=float32)
    """

    gives_mask = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_real(mask_value):
            raise ValueError(f"`mask_value` must be a number. Received: mask_value={mask_value!r}")
        self.mask_value = mask_value

    def check_input_shape(self, input_shape: Shape) -> None:
        if len(input_shape) < 2:
            raise ValueError(
                f"Layer '{self.name}' looks for steps full of {self.mask_value}, and its input has no axis that a step "
                f"could be. Received: input_shape={input_shape}"
            )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Array:  # noqa: ARG002 - as Keras has it
        mask: Array = np.any(np.not_equal(plain(inputs), self.mask_value), axis=-1)
        return mask

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return np.where(self.compute_mask(plain(x))[..., None], x, np.zeros((), x.dtype))

    def forward(self, x: Array, training: bool = False) -> Array:
        mask = self.compute_mask(x)
        y = self.scratch("y", x.shape) if training else np.empty_like(x)
        np.copyto(y, x)
        y[~mask] = 0.0
        if training:
            self._mask = mask[..., None]
        return y

    def backward(self, dy: Array) -> Array:
        dx: Array = np.multiply(dy, self._mask, out=self.scratch("dx", dy.shape))
        return dx

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}
