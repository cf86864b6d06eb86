"""Layers that keep a network from learning its training data by heart."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer import kernels, random, registry, regularizers
from multilayer.functional import DROPOUT_BLOCKS, DROPOUT_WORDS, Array
from multilayer.layers.base import Layer


@registry.register("layer")
class Dropout(Layer):
    """Sets each input to 0 with probability `rate` while training, and scales the others by 1 / (1 - rate).

    So the expected sum stays what it was, and there is nothing to do outside training.

    Args:
        rate: Share of the inputs to drop, in [0, 1].
        seed: Seed of the layer's own random stream; by default the next stream of the global seed.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.

    Raises:
        ValueError: `rate` is outside [0, 1].

    Example:
        >>> Dropout(0.5)([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
        >>> sorted(set(Dropout(0.5, seed=3)(np.ones((1, 20)), training=True)[0].tolist()))
        [0.0, 2.0]
    """

    acts_in_training = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(rate, bool) or not isinstance(rate, (int, float, np.floating)) or not 0 <= rate <= 1:
            raise ValueError(
                f"Invalid value received for argument `rate`. Expected a float value between 0 and 1. "
                f"Received: rate={rate!r}"
            )
        self.rate = float(rate)
        self.seed = random.checked_seed(seed)
        self._stream = random.new_stream(seed)

    def forward(self, x: Array, training: bool = False) -> Array:
        if not training:
            return x
        y, self._mask = self.scratch("y", x.shape), self.scratch("mask", x.shape)
        if self.rate == 1:
            self._mask.fill(0.0)
            y.fill(0.0)
            return y
        first = self._stream.take(-(-x.size // DROPOUT_WORDS) * DROPOUT_BLOCKS)
        kernels.dropout(x, self.rate, self._stream.key, first, y, self._mask)
        return y

    def backward(self, dy: Array) -> Array:
        return np.multiply(dy, self._mask, out=self.scratch("dx", dy.shape))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


@registry.register("layer")
class ActivityRegularization(Layer):
    """Passes its input on and adds a penalty on it to the loss: (l1 sum(|x|) + l2 sum(x^2)) / n.

    Args:
        l1: Factor of the sum of sizes.
        l2: Factor of the sum of squares.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Example:
        >>> ActivityRegularization(l2=0.1)([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = float(l1)
        self.l2 = float(l2)

    def forward(self, x: Array, training: bool = False) -> Array:  # noqa: ARG002
        return x

    def backward(self, dy: Array) -> Array:
        return dy

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["activity_regularizer"]  # it is made of the two
        return {**config, "l1": self.l1, "l2": self.l2}
