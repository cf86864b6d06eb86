"""Layers that keep a network from learning its training data by heart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer import random, regularizers
from multilayer._checks.scalars import is_real, is_whole
from multilayer._core import kernels
from multilayer._core.tape import plain
from multilayer._language import tr
from multilayer._names import registry
from multilayer.functional import DROPOUT_BLOCKS, DROPOUT_WORDS, Array, of_input
from multilayer.layers.base import Layer


class _Dropping(Layer):
    """A layer that drops inputs at random while training, by a mask from a random stream of its own."""

    acts_in_training = True

    _nothing_to_build = True

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate = _checked_rate(rate)
        self.noise_shape = _checked_noise_shape(noise_shape)
        self.seed = random.checked_seed(seed)
        self._stream = random.new_stream(seed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape, "seed": self.seed}


@registry.register("layer")
class Dropout(_Dropping):
    """Sets each input to 0 with probability `rate` while training, and scales the others by 1 / (1 - rate).

    So the expected sum stays what it was, and there is nothing to do outside training.

    Args:
        rate: Share of the inputs to drop, in [0, 1].
        noise_shape: Shape of the mask, None for a side of the input's: (None, 1, 8) drops the same features at every
            step of a sequence.
        seed: Seed of the layer's own random stream; by default the next stream of the global seed.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Attributes:
        mask: What the last training batch was multiplied with: 0 or 1 / (1 - rate).

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.

    Raises:
        ValueError: `rate` is outside [0, 1].

    Example:
        >>> Dropout(0.5)([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
        >>> sorted(set(Dropout(0.5, seed=3)(np.ones((1, 20)), training=True)[0].tolist()))
        [0.0, 2.0]
    """

    def call(self, x: Any, training: bool = False) -> Any:
        if training:
            Dropout.forward(self, plain(x), True)
        return self.formula(x) if training else x

    def formula(self, x: Any) -> Any:
        return x * np.array(self.mask)  # the next batch's mask takes its memory

    def forward(self, x: Array, training: bool = False) -> Array:
        if not training:
            return x
        y, self.mask = self.scratch("y", x.shape), self.scratch("mask", x.shape)
        if self.rate == 1:
            self.mask.fill(0.0)
            y.fill(0.0)
            return y
        if self.noise_shape is not None:
            ones = np.ones(_concrete(self.noise_shape, x.shape), x.dtype)
            np.copyto(self.mask, _masked(ones, self.rate, self._stream))
            return np.multiply(x, self.mask, out=y)
        first = self._stream.take(-(-x.size // DROPOUT_WORDS) * DROPOUT_BLOCKS)
        kernels.dropout(x, self.rate, self._stream.key, first, y, self.mask)
        return y

    def backward(self, dy: Array) -> Array:
        return np.multiply(dy, self.mask, out=self.scratch("dx", dy.shape))


def _checked_noise_shape(noise_shape: Any) -> tuple[int | None, ...] | None:
    """The shape of a mask as a tuple; raises ValueError where it is none."""
    if noise_shape is None:
        return None
    sides = tuple(noise_shape) if isinstance(noise_shape, (list, tuple, np.ndarray)) else ()
    wanted = tr("a tuple or list of integers") if not sides else ""
    if not all(side is None or is_whole(side) for side in sides):
        wanted = tr("all elements to be integers or None")
    elif not all(side is None or side > 0 for side in sides):
        wanted = tr("all dimensions to be positive integers or None")
    if wanted:
        raise ValueError(
            tr(
                "Invalid value received for argument `noise_shape`. Expected {wanted}. Received: "
                "noise_shape={noise_shape!r}",
                wanted=wanted,
                noise_shape=noise_shape,
            )
        )
    return tuple(None if side is None else int(side) for side in sides)


def _checked_rate(rate: Any) -> float:
    if not is_real(rate) or not 0 <= rate <= 1:
        raise ValueError(
            tr(
                "Invalid value received for argument `rate`. Expected a float value between 0 and 1. Received: "
                "rate={rate!r}",
                rate=rate,
            )
        )
    return float(rate)


def _concrete(noise_shape: Sequence[int | None], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the mask for a batch; raises ValueError where it does not fit."""
    sides = tuple(side if wanted is None else wanted for wanted, side in zip(noise_shape, shape, strict=False))
    if len(noise_shape) != len(shape) or any(a not in (1, b) for a, b in zip(sides, shape, strict=True)):
        raise ValueError(
            tr(
                "`noise_shape` {noise_shape} does not fit inputs of shape {shape}.",
                noise_shape=tuple(noise_shape),
                shape=shape,
            )
        )
    return sides


def _masked(ones: Array, rate: float, stream: random.Stream) -> Array:
    """Ones of which a share is dropped and the rest scaled up."""
    first = stream.take(-(-ones.size // DROPOUT_WORDS) * DROPOUT_BLOCKS)
    return kernels.dropout(ones, rate, stream.key, first, np.empty_like(ones), np.empty_like(ones))[0]


@registry.register("layer")
class AlphaDropout(_Dropping):
    """Sets each input to the value where `selu` saturates, with probability `rate` while training.

    What is left is scaled and shifted so that mean 0 and variance 1 stay.

    Args:
        rate: Share of the inputs to drop, in [0, 1].
        noise_shape: Shape of the mask, see `Dropout`.
        seed: Seed of the layer's own random stream; by default the next stream of the global seed.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Source: Klambauer et al., "Self-Normalizing Neural Networks", 2017.

    Raises:
        ValueError: `rate` is outside [0, 1].

    Example:
        >>> AlphaDropout(0.5)([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
    """

    def call(self, x: Any, training: bool = False) -> Any:
        if training:
            AlphaDropout.forward(self, plain(x), True)
        return self.formula(x) if training else x

    def formula(self, x: Any) -> Any:
        if self.rate in (0, 1):
            return x * (1.0 - self.rate)
        _, of_kept, of_dropped = self._constants()
        slope = np.array(self._slope)
        return x * slope + np.where(slope > 0, of_kept, of_dropped).astype(slope.dtype)

    def _constants(self) -> tuple[float, float, float]:
        """The slope of what is kept, and what is added to what is kept and to what is dropped."""
        saturated = -of_input.SELU_ALPHA * of_input.SELU_SCALE
        a = ((1.0 - self.rate) * (1.0 + self.rate * saturated**2)) ** -0.5
        b = -a * saturated * self.rate
        return a, b, a * saturated + b

    def forward(self, x: Array, training: bool = False) -> Array:
        if not training or self.rate == 0:
            return x
        y: Array = self.scratch("y", x.shape)
        if self.rate == 1:  # nothing of the input is left
            y.fill(0.0)
            return y
        shape = x.shape if self.noise_shape is None else _concrete(self.noise_shape, x.shape)
        kept = _masked(np.ones(shape, x.dtype), self.rate, self._stream) > 0
        a, of_kept, of_dropped = self._constants()
        self._slope = np.multiply(kept, a, out=self.scratch("slope", shape), dtype=x.dtype)
        np.multiply(x, self._slope, out=y)
        y += np.where(kept, x.dtype.type(of_kept), x.dtype.type(of_dropped))
        return y

    def backward(self, dy: Array) -> Array:
        if self.rate == 0:
            return dy
        if self.rate == 1:
            dy.fill(0.0)
            return dy
        dx: Array = np.multiply(dy, self._slope, out=self.scratch("dx", dy.shape))
        return dx


class _Gaussian(Layer):
    """A layer that draws normal numbers while training."""

    acts_in_training = True

    _nothing_to_build = True

    def __init__(self, seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = random.checked_seed(seed)
        self._generator = random.new_generator(seed)

    def _noise(self, shape: tuple[int, ...]) -> Array:
        noise = self.scratch("noise", shape)
        self._generator.standard_normal(dtype=noise.dtype, out=noise)
        return noise


@registry.register("layer")
class GaussianNoise(_Gaussian):
    """Adds normal numbers of mean 0 and standard deviation `stddev` while training.

    Args:
        stddev: At least 0.
        seed: Seed of the layer's own random stream; by default the next stream of the global seed.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Attributes:
        noise: What was added to the last training batch.

    Raises:
        ValueError: `stddev` is negative.

    Example:
        >>> GaussianNoise(0.1)([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        if not is_real(stddev) or not stddev >= 0:
            raise ValueError(
                tr(
                    "Invalid value received for argument `stddev`. Expected a float value of at least 0. "
                    "Received: stddev={stddev!r}",
                    stddev=stddev,
                )
            )
        self.stddev = float(stddev)

    def call(self, x: Any, training: bool = False) -> Any:
        if training:
            GaussianNoise.forward(self, plain(x), True)
        return self.formula(x) if training else x

    def formula(self, x: Any) -> Any:
        return x if self.stddev == 0 else x + np.array(self.noise)

    def forward(self, x: Array, training: bool = False) -> Array:
        if not training or self.stddev == 0:
            return x
        self.noise = self._noise(x.shape)
        self.noise *= self.stddev
        return np.add(x, self.noise, out=self.scratch("y", x.shape))

    def backward(self, dy: Array) -> Array:
        return dy

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


@registry.register("layer")
class GaussianDropout(_Gaussian):
    """Multiplies with normal numbers of mean 1 and variance rate / (1 - rate) while training.

    Args:
        rate: As that of a `Dropout`, in [0, 1).
        seed: Seed of the layer's own random stream; by default the next stream of the global seed.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Attributes:
        mask: What the last training batch was multiplied with.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014, section 10.

    Raises:
        ValueError: `rate` is outside [0, 1).

    Example:
        >>> GaussianDropout(0.5)([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.rate = _checked_rate(rate)
        if self.rate == 1:
            raise ValueError(tr("`rate` of a GaussianDropout is less than 1: the variance is rate / (1 - rate)."))

    def call(self, x: Any, training: bool = False) -> Any:
        if training:
            GaussianDropout.forward(self, plain(x), True)
        return self.formula(x) if training else x

    def formula(self, x: Any) -> Any:
        return x if self.rate == 0 else x * np.array(self.mask)

    def forward(self, x: Array, training: bool = False) -> Array:
        if not training or self.rate == 0:
            return x
        self.mask = self._noise(x.shape)
        self.mask *= math.sqrt(self.rate / (1.0 - self.rate))
        self.mask += 1.0
        return np.multiply(x, self.mask, out=self.scratch("y", x.shape))

    def backward(self, dy: Array) -> Array:
        return dy if self.rate == 0 else np.multiply(dy, self.mask, out=self.scratch("dx", dy.shape))

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

    _nothing_to_build = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = float(l1 or 0.0)
        self.l2 = float(l2 or 0.0)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return x

    def forward(self, x: Array, training: bool = False) -> Array:  # noqa: ARG002
        return x

    def backward(self, dy: Array) -> Array:
        return dy

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["activity_regularizer"]  # it is made of the two
        return {**config, "l1": self.l1, "l2": self.l2}
