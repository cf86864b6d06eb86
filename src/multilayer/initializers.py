"""Where training starts: how weights get their first values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np

from multilayer import random
from multilayer._checks.arguments import sides
from multilayer._checks.scalars import real_number
from multilayer._core.tape import plain
from multilayer._core.tape.eager import gives_eager
from multilayer._language import tr
from multilayer._names import registry, remembered
from multilayer._names.custom_objects import custom_object_scope
from multilayer._names.functions import OfFunction, name_of
from multilayer._names.reprs import config_repr
from multilayer._tracebacks import filter_traceback
from multilayer.config import floatx
from multilayer.functional import Array

Shape: TypeAlias = Sequence[int]
Axes: TypeAlias = "Sequence[int] | None"
Seed: TypeAlias = "int | random.SeedGenerator | dict[str, Any] | None"


class Initializer(remembered.Remembering):
    """Base class: a callable from a shape to an array of first values."""

    @gives_eager
    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        """The first values, of the given shape and type (`floatx` by default)."""
        raise NotImplementedError(tr("{kind} must implement `__call__(shape, dtype)`.", kind=type(self).__name__))

    def clone(self) -> Initializer:
        """One with the same arguments."""
        return type(self).from_config(self.get_config())

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return remembered.described(self, {})

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """The initializer with these constructor arguments."""
        return remembered.made(cls, config)

    __repr__ = config_repr


class _RandomInitializer(Initializer):
    """An initializer that draws: with a seed the same numbers at every call, without one new numbers.

    With a `random.SeedGenerator` as its seed, it draws other numbers at every call, and the same in every program.
    """

    def __init__(self, seed: Seed = None) -> None:
        if isinstance(seed, dict) and seed.get("class_name") == "SeedGenerator":
            seed = random.SeedGenerator.from_config(seed["config"])
        self.seed = seed if isinstance(seed, random.SeedGenerator) else random.checked_seed(cast(Any, seed))

    def get_config(self) -> dict[str, Any]:
        if not isinstance(self.seed, random.SeedGenerator):
            return {"seed": self.seed}
        described = {"module": "keras.random", "class_name": "SeedGenerator", "config": self.seed.get_config()}
        return {"seed": {**described, "registered_name": None}}


@registry.register("initializer", "zero")
class Zeros(Initializer):
    """All zeros: the usual start of a bias."""

    @gives_eager
    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        return np.zeros(sides("shape", shape), dtype or floatx())


@registry.register("initializer", "one")
class Ones(Initializer):
    """All ones."""

    @gives_eager
    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        return np.ones(sides("shape", shape), dtype or floatx())


@registry.register("initializer")
class Constant(Initializer):
    """One value everywhere, or an array of values, which is repeated to the shape asked for.

    Args:
        value: The value, or the array.

    Raises:
        ValueError: It holds something else than numbers.

    Example:
        >>> Constant(3.0)((2,))
        array([3., 3.], dtype=float32)
    """

    def __init__(self, value: Any = 0.0) -> None:
        if isinstance(value, dict) and value.get("class_name") == "__numpy__":  # as `get_config` describes an array
            value = _described_array(value["config"])
        if np.asarray(value).dtype.kind not in "fiub":
            raise ValueError(
                tr("`value` is a number, or an array of them. Received: value={given!r}", given=str(value)[:200])
            )
        self.value = value.item() if isinstance(value, np.generic) else value

    @gives_eager
    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        shape = sides("shape", shape)
        try:
            return np.full(shape, self.value, dtype or floatx())
        except ValueError:
            raise ValueError(
                tr(
                    "Expected `shape` to be one that an array of shape {shape} can be repeated to. Received: "
                    "shape={got}",
                    shape=np.shape(self.value),
                    got=tuple(shape),
                )
            ) from None

    def get_config(self) -> dict[str, Any]:
        if not isinstance(self.value, np.ndarray):
            return {"value": self.value}
        array = {"value": self.value.tolist(), "dtype": str(self.value.dtype)}
        return {"value": {"class_name": "__numpy__", "config": array}}  # as Keras has it


def _described_array(config: dict[str, Any]) -> Array:
    """The array of a description, a file's perhaps; raises ValueError where it is not of numbers."""
    if not isinstance(config["dtype"], str) or np.dtype(config["dtype"]).kind not in "fiub":  # texts may be of any size
        raise ValueError(
            tr("An array of {config} is described, and initializers hold numbers.", config=str(config["dtype"])[:100])
        )
    return np.array(config["value"], config["dtype"])


@registry.register("initializer", "normal")
class RandomNormal(_RandomInitializer):
    """Draws from the normal distribution N(mean, stddev^2)."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        super().__init__(seed)
        self.mean = real_number("mean", mean)
        self.stddev = real_number("stddev", stddev, least=0)

    @gives_eager
    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        return (
            random.new_generator(self.seed)
            .normal(self.mean, self.stddev, sides("shape", shape))
            .astype(dtype or floatx())
        )

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


@registry.register("initializer", "uniform")
class RandomUniform(_RandomInitializer):
    """Draws evenly from [minval, maxval)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None) -> None:
        super().__init__(seed)
        self.minval = real_number("minval", minval)
        self.maxval = real_number("maxval", maxval)

    @gives_eager
    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        low, high = sorted((self.minval, self.maxval))
        return random.new_generator(self.seed).uniform(low, high, sides("shape", shape)).astype(dtype or floatx())

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


# The standard deviation of a normal distribution cut off at two standard deviations, in units of the uncut one.
_TRUNCATED_STDDEV = 0.87962566103423978


_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


@registry.register("initializer")
class VarianceScaling(_RandomInitializer):
    """Draws with variance scale / n, so that signals neither die out nor blow up from layer to layer.

    Args:
        scale: Factor, more than 0.
        mode: What n is: the number of inputs ('fan_in') or outputs ('fan_out') of the weight, or their mean
            ('fan_avg').
        distribution: 'truncated_normal', which is cut off at two standard deviations, 'untruncated_normal', or
            'uniform'.
        seed: With a seed every call gives the same numbers.
        input_axes: The axes of the weight that are inputs; None for the last but one, and those before, if any.
        output_axes: The axes that are outputs; given together with `input_axes`, or not at all.

    Raises:
        ValueError: An argument is none of these, or a weight lacks one of the axes.

    Example:
        >>> VarianceScaling(2.0, "fan_out", "uniform", seed=1)((100, 50)).shape
        (100, 50)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Seed = None,
        input_axes: Axes = None,
        output_axes: Axes = None,
    ) -> None:
        super().__init__(seed)
        if not real_number("scale", scale) > 0:
            raise ValueError(tr("Argument `scale` must be positive float. Received: scale={scale}", scale=scale))
        mode, distribution = str(mode).lower(), str(distribution).lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if mode not in _MODES:
            raise registry.unknown("mode", mode, _MODES)
        if distribution not in _DISTRIBUTIONS:
            raise registry.unknown("distribution", distribution, _DISTRIBUTIONS)
        self.scale = float(scale)
        self.mode = mode
        self.distribution = distribution
        if (input_axes is None) is not (output_axes is None):
            raise ValueError(
                tr(
                    "`input_axes` and `output_axes` are given both or neither. Received: "
                    "input_axes={input_axes}, output_axes={output_axes}",
                    input_axes=input_axes,
                    output_axes=output_axes,
                )
            )
        self.input_axes = input_axes
        self.output_axes = output_axes

    @gives_eager
    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        shape = sides("shape", shape)
        fan_in, fan_out = _fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        variance = self.scale / max(1.0, n)
        generator = random.new_generator(self.seed)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            values = generator.uniform(-limit, limit, shape)
        elif self.distribution == "untruncated_normal":
            values = generator.normal(0.0, math.sqrt(variance), shape)
        else:
            values = random.standard_truncated_normal(generator, shape) * (math.sqrt(variance) / _TRUNCATED_STDDEV)
        return values.astype(dtype or floatx())

    def get_config(self) -> dict[str, Any]:
        own = {"scale": self.scale, "mode": self.mode, "distribution": self.distribution}
        return {**own, **super().get_config(), **self._axes()}

    def _axes(self) -> dict[str, Any]:
        """The axes, for a config; nothing where they are the usual ones."""
        if self.input_axes is None or self.output_axes is None:
            return {}
        return {"input_axes": list(self.input_axes), "output_axes": list(self.output_axes)}


class _NamedVarianceScaling(VarianceScaling):
    """A variance scaling that has a name of its own, and no arguments but the seed and the axes."""

    _arguments: tuple[float, str, str]

    def __init__(self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(*self._arguments, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        return {**_RandomInitializer.get_config(self), **self._axes()}


def _fans(shape: Shape, input_axes: Axes = None, output_axes: Axes = None) -> tuple[float, float]:
    """Number of inputs and outputs of a weight of this shape."""
    if input_axes is not None and output_axes is not None:
        try:
            fan_in, fan_out = (float(math.prod(shape[axis] for axis in axes)) for axes in (input_axes, output_axes))
        except IndexError:
            raise ValueError(
                tr(
                    "A weight of shape {shape} lacks one of the axes input_axes={input_axes}, "
                    "output_axes={output_axes}.",
                    shape=tuple(shape),
                    input_axes=input_axes,
                    output_axes=output_axes,
                )
            ) from None
        return fan_in, fan_out
    if len(shape) < 2:
        n = float(shape[0]) if shape else 1.0
        return n, n
    receptive = math.prod(shape[:-2])  # the axes in front are places that all share the last two
    return float(shape[-2] * receptive), float(shape[-1] * receptive)


@registry.register("initializer")
class GlorotUniform(_NamedVarianceScaling):
    """Uniform on [-l, l], l = sqrt(6 / (fan_in + fan_out)): Keras' default for a kernel.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    Example:
        >>> W = GlorotUniform(seed=1)((784, 50))
        >>> bool(abs(W).max() <= (6 / 834) ** 0.5)
        True
    """

    _arguments = (1.0, "fan_avg", "uniform")


@registry.register("initializer")
class GlorotNormal(_NamedVarianceScaling):
    """Truncated normal with variance 2 / (fan_in + fan_out).

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """

    _arguments = (1.0, "fan_avg", "truncated_normal")


@registry.register("initializer")
class HeUniform(_NamedVarianceScaling):
    """Uniform on [-l, l], l = sqrt(6 / fan_in): meant for ReLU.

    Source: He et al., "Delving Deep into Rectifiers", 2015.
    """

    _arguments = (2.0, "fan_in", "uniform")


@registry.register("initializer")
class HeNormal(_NamedVarianceScaling):
    """Truncated normal with variance 2 / fan_in: meant for ReLU.

    Source: He et al., "Delving Deep into Rectifiers", 2015.
    """

    _arguments = (2.0, "fan_in", "truncated_normal")


@registry.register("initializer")
class LecunUniform(_NamedVarianceScaling):
    """Uniform on [-l, l], l = sqrt(3 / fan_in).

    Source: LeCun et al., "Efficient BackProp", 1998.
    """

    _arguments = (1.0, "fan_in", "uniform")


@registry.register("initializer")
class LecunNormal(_NamedVarianceScaling):
    """Truncated normal with variance 1 / fan_in: what `selu` wants.

    Source: LeCun et al., "Efficient BackProp", 1998.
    """

    _arguments = (1.0, "fan_in", "truncated_normal")


@registry.register("initializer")
class TruncatedNormal(_RandomInitializer):
    """Draws from N(mean, stddev^2), again where a number lies beyond two standard deviations."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        super().__init__(seed)
        self.mean = real_number("mean", mean)
        self.stddev = real_number("stddev", stddev, least=0)

    @gives_eager
    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        values: Array = self.mean + self.stddev * random.standard_truncated_normal(
            random.new_generator(self.seed), shape
        )
        return values.astype(dtype or floatx())

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


@registry.register("initializer", "OrthogonalInitializer")
class Orthogonal(_RandomInitializer):
    """gain Q, the Q of the QR decomposition of a matrix of normal numbers: orthogonal columns, or rows if it is wide.

    Args:
        gain: Factor.
        seed: With a seed every call gives the same numbers.

    Source: Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014.

    Example:
        >>> W = Orthogonal(seed=1)((5, 3))
        >>> bool(np.allclose(W.T @ W, np.eye(3), atol=1e-6))
        True
    """

    def __init__(self, gain: float = 1.0, seed: Seed = None) -> None:
        super().__init__(seed)
        self.gain = real_number("gain", gain)

    @gives_eager
    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        shape = sides("shape", shape)
        if len(shape) < 2:
            raise ValueError(
                tr(
                    "The tensor to initialize must be at least two-dimensional. Received: shape={shape} of "
                    "rank {count}.",
                    shape=shape,
                    count=len(shape),
                )
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = random.new_generator(self.seed).standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q *= np.sign(np.diag(r))  # evenly distributed over all orthogonal matrices
        values = (q if rows >= columns else q.T).reshape(tuple(shape))
        scaled: Array = self.gain * values
        return scaled.astype(dtype or floatx())

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, **super().get_config()}


@registry.register("initializer", "IdentityInitializer")
class Identity(Initializer):
    """gain times the identity matrix.

    Example:
        >>> Identity(2.0)((2, 2))
        array([[2., 0.],
               [0., 2.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = real_number("gain", gain)

    @gives_eager
    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        shape = sides("shape", shape)
        if len(shape) != 2:
            raise ValueError(
                tr(
                    "Identity matrix initializer can only be used for 2D matrices. Received: shape={shape} of "
                    "rank {count}.",
                    shape=shape,
                    count=len(shape),
                )
            )
        scaled: Array = self.gain * np.eye(shape[0], shape[1])
        return scaled.astype(dtype or floatx())

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


class FunctionInitializer(OfFunction, Initializer):
    """A function `f(shape, dtype)` as an initializer."""

    kind = "initializer"

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    @gives_eager
    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        values = plain(self.function(tuple(shape), dtype=dtype or floatx()))
        if np.shape(values) != tuple(shape):
            raise ValueError(
                tr(
                    "The initializer `{function}` must return values of shape {shape}; it returned {returned}.",
                    function=name_of(self.function),
                    shape=tuple(shape),
                    returned="None" if values is None else f"an array of shape {np.shape(values)}",
                )
            )
        return np.asarray(values, dtype or floatx())

    def clone(self) -> FunctionInitializer:
        return FunctionInitializer(self.function)


@filter_traceback
def get(identifier: Any) -> Any:
    """The initializer for a name, a config, a class, an instance, an array, or a function `f(shape, dtype)`.

    None stays None.

    Example:
        >>> type(get("he_normal")).__name__
        'HeNormal'
    """
    if identifier is None:
        return None
    if isinstance(identifier, (np.ndarray, np.generic)):
        return Constant(identifier)
    function = registry.function_for("initializer", identifier, Initializer)
    if function is not None:
        return FunctionInitializer(function)
    return registry.get("initializer", identifier, Initializer)


def serialize(initializer: Initializer) -> dict[str, Any]:
    """The initializer as a config that `get` reads."""
    return registry.serialize(initializer)


@filter_traceback
def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Initializer:
    """The initializer that `serialize` described, with classes of your own by name."""
    with custom_object_scope(custom_objects):
        initializer: Initializer = get(config)
        return initializer


constant, zeros, ones, identity = Constant, Zeros, Ones, Identity  # Keras has these names, too
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling, orthogonal = VarianceScaling, Orthogonal
glorot_normal, glorot_uniform, he_normal, he_uniform = GlorotNormal, GlorotUniform, HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal
