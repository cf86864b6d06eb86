"""Layers around a layer: at every step of a sequence, or with weights that are held to a norm."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from multilayer import initializers
from multilayer._checks.scalars import whole_number
from multilayer._core.arena import Scratch, Variable
from multilayer._names import registry
from multilayer.config import epsilon
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape, deserialize, serialize
from multilayer.layers.normalization import BatchNormalization


class Wrapper(Layer):
    """Base class of layers around another one: its weights are theirs, and its config is in theirs.

    Args:
        layer: The layer inside.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Attributes:
        layer: The layer inside.

    Raises:
        ValueError: `layer` is no layer, or a model where the wrapper takes none.

    Example:
        >>> from multilayer.layers import Dense
        >>> class Twice(Wrapper):
        ...     "y = 2 f(x), where f is the layer inside."
        ...     def compute_output_shape(self, input_shape):
        ...         return self.layer.compute_output_shape(input_shape)
        ...     def forward(self, x, training=False):
        ...         return 2.0 * self.layer.forward(x, training)
        ...     def backward(self, dy):
        ...         return self.layer.backward(2.0 * dy)
        >>> Twice(Dense(1, kernel_initializer="ones"))([[1.0, 2.0]])
        array([[6.]], dtype=float32)
    """

    _holds_layers = True
    _takes_models: ClassVar[bool] = False

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        name = type(self).__name__
        if not isinstance(layer, Layer):
            raise ValueError(f"Please initialize `{name}` with a layer. Received: layer={str(layer)[:200]!r}")
        if hasattr(layer, "graph") and not (self.by_call or self._takes_models):
            raise ValueError(
                f"`{name}` is for one layer, and '{layer.name}' is a model. Wrap its layers one by one, or, in a class "
                "of your own, write `call` instead of `forward` and `backward`."
            )
        if layer.takes_several:
            raise ValueError(f"`{name}` is for a layer of one input. Received: layer='{layer.name}'")
        super().__init__(**kwargs)
        self.layer = layer
        if not self._trainable:
            layer.trainable = False

    def build(self, input_shape: Shape) -> None:
        self.layer.ensure_built(input_shape)

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights, its own and those of the layer inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = self.layer.trainable = bool(value)
        for variable in self._variables:
            variable.trainable = self._trainable and variable not in self._always_frozen

    @property
    def weights(self) -> list[Variable]:
        """Its own weights, then those of the layer inside."""
        inner = self.layer.weights
        return list(dict.fromkeys([*self._own(inner), *inner]))

    @property
    def own_weights(self) -> list[Variable]:
        """Its own weights, without those that the layer inside alone has."""
        return self._own(self.layer.weights)

    def _own(self, inner: Sequence[Variable]) -> list[Variable]:
        """Its own weights, where these are those of the layer inside.

        They are asked for once: twice, and each further wrapper around a wrapper would take twice as long.
        """
        known = set(inner)
        others = (v for one in self.sublayers() if one is not self.layer for v in one.weights)
        return [v for v in dict.fromkeys([*self.own_variables(), *others]) if v not in known]

    def __copy__(self) -> Wrapper:
        """A copy has a layer of its own inside, with the same weights: what one keeps for its way back stays apart."""
        twin = object.__new__(type(self))
        vars(twin).update(self.__getstate__())
        if not self.by_call:  # what is done on the tape is kept there
            twin.layer = copy.copy(self.layer)
            twin.layer._scratch = Scratch()
        return twin

    def get_config(self) -> dict[str, Any]:
        return {"layer": serialize(self.layer), **super().get_config()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """The layer with these constructor arguments, the layer inside as a config."""
        inner = config.get("layer")
        return super().from_config({**config, "layer": deserialize(inner) if isinstance(inner, dict) else inner})


@registry.register("layer")
class TimeDistributed(Wrapper):
    """A layer at every step of a sequence: y[t] = f(x[t]), with the same weights at every step.

    All steps of all samples are one batch for the layer inside. (`Dense` and most others work on the last axis, and do
    the same without a wrapper.)

    Args:
        layer: The layer f, or a model, of one input; no `BatchNormalization`, whose means over a batch are of steps as
            well: without a wrapper it takes them over samples and steps.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n, steps, ...), output (n, steps, ...), with f's shape behind the steps.

    Raises:
        ValueError: `layer` is none of these, or inputs have fewer than three axes.

    Example:
        >>> from multilayer.layers import Dense
        >>> TimeDistributed(Dense(8))(np.ones((32, 10, 16))).shape
        (32, 10, 8)
    """

    _takes_models = True

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if hasattr(layer, "graph"):
            self.by_call = True  # a model has no way back of its own: it is recorded on a tape
        if isinstance(layer, BatchNormalization):
            raise ValueError(
                "`TimeDistributed` cannot hold a `BatchNormalization`, as every step would be a batch of its own. "
                f"Leave the wrapper of '{layer.name}' out: it takes its means over samples and steps."
            )
        # Dropout within drops in training alone.
        self.acts_in_training = layer.acts_in_training

    def build(self, input_shape: Shape) -> None:
        super().build(self._of_a_step(input_shape))

    def check_input_shape(self, input_shape: Shape) -> None:
        self.layer.check_input_shape(self._of_a_step(input_shape))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, *sides = self.layer.compute_output_shape(self._of_a_step(input_shape))
        return (batch, input_shape[1], *sides)

    def _of_a_step(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 3:
            raise ValueError(
                "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 dimensions, received: "
                f"{input_shape}"
            )
        return (input_shape[0], *input_shape[2:])

    def call(self, x: Any, training: bool = False) -> Any:
        f = self.layer if self.by_call else self.layer.call
        return self._at_every_step(lambda steps: f(steps, training=training), x)

    def formula(self, x: Any) -> Any:
        return self._at_every_step(self.layer.formula, x)

    def forward(self, x: Array, training: bool = False) -> Array:
        if self.by_call:
            return self.forward_by_call(x, training)  # type: ignore[no-any-return]
        y: Array = self._at_every_step(lambda steps: self.layer.forward(steps, training), x)
        return y

    def backward(self, dy: Array) -> Array:
        if self.by_call:
            return self.backward_by_call(dy)  # type: ignore[no-any-return]
        self.layer.needs_dx = self.needs_dx
        dx: Array = self._at_every_step(self.layer.backward, dy)
        return dx

    def _at_every_step(self, f: Callable[[Any], Any], x: Any) -> Any:
        y = f(x.reshape(x.shape[0] * x.shape[1], *x.shape[2:]))
        return y if y is None else y.reshape(*x.shape[:2], *y.shape[1:])


@registry.register("layer")
class SpectralNormalization(Wrapper):
    """Holds the largest singular value of a layer's kernel to 1, by dividing by an estimate of it at every step.

        v = u W^T / |u W^T|,   u <- v W / |v W|,   W <- W / (v W u^T)

    So the layer stretches no input by more than 1, as the critic of a generative adversarial network must not. The
    gradient is that with respect to the kernel that has been divided.

    Args:
        layer: A layer with a `kernel` or with `embeddings`.
        power_iterations: How often u and v are improved at each step.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape` of a `Layer`.

    Attributes:
        vector_u: u, the estimate that goes on from step to step.

    Source: Miyato et al., "Spectral Normalization for Generative Adversarial Networks", 2018.

    Raises:
        ValueError: The layer has neither of the two, or `power_iterations` is no whole number of at least 1.

    Example:
        >>> from multilayer.layers import Dense
        >>> layer = SpectralNormalization(Dense(3), power_iterations=20)
        >>> y = layer(np.ones((2, 4)), training=True)
        >>> bool(np.isclose(np.linalg.norm(layer.layer.kernel.value, 2), 1.0, atol=1e-2))
        True
    """

    acts_in_training = True
    rewrites_weights = True

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = whole_number("power_iterations", power_iterations, 1)

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        if self.kernel is None:
            raise ValueError(
                f"`SpectralNormalization` needs a layer with a `kernel` or `embeddings`; '{self.layer.name}', a "
                f"{type(self.layer).__name__}, has neither."
            )
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]),
            initializers.TruncatedNormal(stddev=0.02),
            name="vector_u",
            trainable=False,
            dtype=self.kernel.dtype,
        )

    @property
    def kernel(self) -> Variable | None:
        """The weight that is held to the norm."""
        found = getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))
        return found if isinstance(found, Variable) else None

    def _own(self, inner: Sequence[Variable]) -> list[Variable]:
        """The kernel, which is the layer's as well, and u: so Keras has it, and its files."""
        return super()._own(inner) if self.kernel is None else [self.kernel, *super()._own(inner)]

    def check_input_shape(self, input_shape: Shape) -> None:
        self.layer.check_input_shape(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.layer.compute_output_shape(input_shape)

    def call(self, x: Any, training: bool = False) -> Any:
        if training:
            self._normalize()
        return self.layer.call(x, training=training)

    def formula(self, x: Any) -> Any:
        return self.layer.formula(x)

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._normalize()
        return self.layer.forward(x, training)

    def backward(self, dy: Array) -> Any:
        self.layer.needs_dx = self.needs_dx
        return self.layer.backward(dy)

    def _normalize(self) -> None:
        """Divides the kernel by the estimate of its largest singular value; one of zeros has none and stays."""
        assert self.kernel is not None  # it is built
        matrix, u = self.kernel.value.reshape(-1, self.kernel.shape[-1]), self.vector_u.value
        if not matrix.any():
            return
        for _ in range(self.power_iterations):
            v = _unit(u @ matrix.T)  # (1, rows)
            u = _unit(v @ matrix)  # (1, columns)
        np.copyto(self.vector_u.value, u)
        self.kernel.value /= (v @ matrix @ u.T).item()

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power_iterations": self.power_iterations}


def _unit(vector: Array) -> Array:
    return vector * min(1.0 / max(float(np.linalg.norm(vector)), 1e-300), 1.0 / epsilon())
