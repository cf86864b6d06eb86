"""Where training starts: how weights get their first values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np

from multilayer import random, registry
from multilayer.config import floatx
from multilayer.functional import Array

Shape: TypeAlias = Sequence[int]


class Initializer:
    """Base class: a callable from a shape to an array of first values."""

    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        """The first values, of the given shape and type (`floatx` by default)."""
        raise NotImplementedError(f"{type(self).__name__} must implement `__call__(shape, dtype)`.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """The initializer with these constructor arguments."""
        return cls(**config)


class _RandomInitializer(Initializer):
    """An initializer that draws: with a seed the same numbers at every call, without one new numbers."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = random.checked_seed(seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


@registry.register("initializer")
class Zeros(Initializer):
    """All zeros: the usual start of a bias."""

    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        return np.zeros(shape, dtype or floatx())


@registry.register("initializer")
class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        return np.ones(shape, dtype or floatx())


@registry.register("initializer")
class Constant(Initializer):
    """One value everywhere.

    Example:
        >>> Constant(3.0)((2,))
        array([3., 3.], dtype=float32)
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        return np.full(shape, self.value, dtype or floatx())

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


@registry.register("initializer", "normal")
class RandomNormal(_RandomInitializer):
    """Draws from the normal distribution N(mean, stddev^2)."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        return random.new_generator(self.seed).normal(self.mean, self.stddev, shape).astype(dtype or floatx())

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


@registry.register("initializer", "uniform")
class RandomUniform(_RandomInitializer):
    """Draws evenly from [minval, maxval)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        return random.new_generator(self.seed).uniform(self.minval, self.maxval, shape).astype(dtype or floatx())

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


# The standard deviation of a normal distribution cut off at two standard deviations, in units of the uncut one.
_TRUNCATED_STDDEV = 0.87962566103423978


class _VarianceScaling(_RandomInitializer):
    """Draws with variance scale / n, so that signals neither die out nor blow up from layer to layer.

    n is the number of inputs (`fan_in`) or the mean of inputs and outputs (`fan_avg`). The normal distribution is cut
    off at two standard deviations, as in Keras.
    """

    _scale: float
    _mode: str
    _distribution: str

    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        fan_in, fan_out = _fans(shape)
        n = fan_in if self._mode == "fan_in" else (fan_in + fan_out) / 2.0
        variance = self._scale / max(1.0, n)
        generator = random.new_generator(self.seed)
        if self._distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            values = generator.uniform(-limit, limit, shape)
        else:
            values = random.standard_truncated_normal(generator, shape) * (math.sqrt(variance) / _TRUNCATED_STDDEV)
        return values.astype(dtype or floatx())


def _fans(shape: Shape) -> tuple[float, float]:
    """Number of inputs and outputs of a weight of this shape."""
    if len(shape) < 2:
        n = float(shape[0]) if shape else 1.0
        return n, n
    receptive = math.prod(shape[:-2])
    return float(shape[-2] * receptive), float(shape[-1] * receptive)


@registry.register("initializer")
class GlorotUniform(_VarianceScaling):
    """Uniform on [-l, l], l = sqrt(6 / (fan_in + fan_out)): Keras' default for a kernel.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    Example:
        >>> W = GlorotUniform(seed=1)((784, 50))
        >>> bool(abs(W).max() <= (6 / 834) ** 0.5)
        True
    """

    _scale, _mode, _distribution = 1.0, "fan_avg", "uniform"


@registry.register("initializer")
class GlorotNormal(_VarianceScaling):
    """Truncated normal with variance 2 / (fan_in + fan_out).

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """

    _scale, _mode, _distribution = 1.0, "fan_avg", "normal"


@registry.register("initializer")
class HeUniform(_VarianceScaling):
    """Uniform on [-l, l], l = sqrt(6 / fan_in): meant for ReLU.

    Source: He et al., "Delving Deep into Rectifiers", 2015.
    """

    _scale, _mode, _distribution = 2.0, "fan_in", "uniform"


@registry.register("initializer")
class HeNormal(_VarianceScaling):
    """Truncated normal with variance 2 / fan_in: meant for ReLU.

    Source: He et al., "Delving Deep into Rectifiers", 2015.
    """

    _scale, _mode, _distribution = 2.0, "fan_in", "normal"


def get(identifier: str | dict[str, Any] | Initializer | type[Initializer]) -> Initializer:
    """The initializer for a name, a config, a class or an instance.

    Example:
        >>> type(get("he_normal")).__name__
        'HeNormal'
    """
    return cast(Initializer, registry.get("initializer", identifier, Initializer))


def serialize(initializer: Initializer) -> dict[str, Any]:
    """The initializer as a config that `get` reads."""
    return cast(dict[str, Any], registry.serialize(initializer))
