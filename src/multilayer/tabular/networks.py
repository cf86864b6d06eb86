"""The networks of RealMLP: what is done to columns once, what is learned, and what that begins with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer import activations
from multilayer.callbacks import Callback
from multilayer.functional import Array
from multilayer.layers import Activation, Concatenate, Dropout, Input, Layer
from multilayer.tabular.fitting import FadingDropout
from multilayer.tabular.inputs import CategoryEmbeddings, OneHotCodes, PeriodicEmbedding, RobustScaling
from multilayer.tabular.layers import Clamp, NTPDense, ParametricActivation, Scale
from multilayer.tabular.steps import FlatCosine

_DEPTH = 3
_MOST_ONE_HOT = 8  # categories; TD embeds columns of more
_ROWS_OF_START = 2**20  # whose hidden units fill a gigabyte
_OF_HULL = 5  # rows that a unit's kink is put among


class Simple:
    """The network of TD-S.

    What `prepared` and `learned` are given may be arrays, or tensors of a model that is drawn up.

    Args:
        columns: Number of columns of numbers.
        cardinalities: Number of categories of each column of codes.
        outputs: Number of outputs.
        classifies: Whether these are logits.
        generator: Where all random numbers come from.

    Attributes:
        rates: The highest learning rates of classification and regression.
        decay: The weight decay.
        width: Units of a hidden layer.
    """

    width = 256
    rates = (0.04, 0.07)
    decay = 0.0

    def __init__(
        self, columns: int, cardinalities: Sequence[int], outputs: int, classifies: bool, generator: np.random.Generator
    ) -> None:
        self.columns, self.cardinalities, self.outputs = columns, list(cardinalities), outputs
        self.classifies, self.generator = classifies, generator
        self.activation = activations.selu if classifies else activations.mish
        self.one_hot = OneHotCodes(self._one_hot())
        self.has_one_hot = any(self._one_hot())
        self.of_numbers, self.of_one_hot = RobustScaling(), RobustScaling()
        self.layers = self._layers()

    def inputs(self) -> list[Any]:
        """The inputs of the whole model: as many as there are sorts of columns."""
        numbers = [Input((self.columns,), name="numbers")] if self.columns else []
        codes = [Input((len(self.cardinalities),), dtype="int32", name="codes")] if self.cardinalities else []
        return [*numbers, *codes]

    def _one_hot(self) -> list[int]:
        """The cardinalities of columns that become one-hot, 0 for others."""
        return self.cardinalities

    def _layers(self) -> list[Layer]:
        hidden = [layer for _ in range(_DEPTH) for layer in (NTPDense(self.width), Activation(self.activation))]
        return [Scale(), *hidden, NTPDense(self.outputs)]

    def adapt(self, numbers: Array, codes: Array, y: Array) -> None:  # noqa: ARG002 - of targets, TD asks more
        """Measures on training rows what is done once."""
        if self.columns:
            self.of_numbers.adapt(numbers)
        if self.has_one_hot:
            self.of_one_hot.adapt(self.one_hot(codes))

    def _scaled(self, given: Sequence[Any]) -> list[Any]:
        parts = [self.of_numbers(given[0])] if self.columns else []
        return [*parts, self.of_one_hot(self.one_hot(given[-1]))] if self.has_one_hot else parts

    def prepared(self, given: Sequence[Any]) -> list[Any]:
        """What is done once to numbers and codes, as nothing of it changes in training."""
        return [_beside(self._scaled(given))]

    def learned(self, prepared: Sequence[Any]) -> Any:
        """What layers make of that which learn."""
        x = prepared[0]
        for layer in self.layers:
            x = layer(x)
        return x

    def start(self, prepared: Sequence[Array]) -> None:  # noqa: ARG002 - TD asks the rows
        """Gives the weights their first values."""
        *hidden, last = (layer for layer in self.layers if isinstance(layer, NTPDense))
        for layer in hidden:
            for weight in layer.weights:
                weight.assign(self.generator.standard_normal(weight.shape))
        for weight in last.weights:
            weight.assign(np.zeros(weight.shape))

    def callbacks(self, steps: int) -> list[Callback]:  # noqa: ARG002
        """Callbacks of its own, for so many steps of training."""
        return []


class Full(Simple):
    """The network of TD."""

    rates = (0.04, 0.2)
    decay = 0.02
    dropout = 0.15

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.periodic = PeriodicEmbedding()
        embedded = [one if one > _MOST_ONE_HOT else 0 for one in self.cardinalities]
        self.embeddings = CategoryEmbeddings(embedded) if any(embedded) else None

    def _one_hot(self) -> list[int]:
        return [one if one <= _MOST_ONE_HOT else 0 for one in self.cardinalities]

    def _layers(self) -> list[Layer]:
        hidden: list[Layer] = []
        for _ in range(_DEPTH):
            dropout = Dropout(self.dropout, seed=int(self.generator.integers(2**31)))
            hidden += [NTPDense(self.width), ParametricActivation(self.activation), dropout]
        end = [] if self.classifies else [Clamp()]
        return [Scale(), *hidden, NTPDense(self.outputs), *end]

    def adapt(self, numbers: Array, codes: Array, y: Array) -> None:
        super().adapt(numbers, codes, y)
        if not self.classifies:
            self.layers[-1].adapt(y)  # type: ignore[attr-defined]

    def prepared(self, given: Sequence[Any]) -> list[Any]:
        return [*self._scaled(given), *([given[-1]] if self.embeddings else [])]

    def _embedded(self, prepared: Sequence[Any]) -> Any:
        parts = list(prepared)
        if self.columns:
            parts[0] = self.periodic(parts[0])
        if self.embeddings:
            parts[-1] = self.embeddings(parts[-1])
        return _beside(parts)

    def learned(self, prepared: Sequence[Any]) -> Any:
        return super().learned([self._embedded(prepared)])

    def start(self, prepared: Sequence[Array]) -> None:
        self._draw_embeddings()
        x = np.asarray(self._embedded([one[:_ROWS_OF_START] for one in prepared]))
        for layer in self.layers:
            x = _started(layer, x, self.generator) if isinstance(layer, NTPDense) else np.asarray(layer(x))

    def _draw_embeddings(self) -> None:
        stream = self.generator
        if self.columns:
            frequencies, phases, mixing, offsets = self.periodic.weights
            limit = 1.0 / math.sqrt(self.periodic.frequencies)
            frequencies.assign(stream.normal(0.0, self.periodic.sigma, frequencies.shape))
            phases.assign(stream.uniform(-math.pi, math.pi, phases.shape))
            for weight in (mixing, offsets):
                weight.assign(stream.uniform(-limit, limit, weight.shape))
        if self.embeddings:
            self.embeddings.embeddings.assign(stream.standard_normal(self.embeddings.embeddings.shape))

    def callbacks(self, steps: int) -> list[Callback]:
        dropouts = [layer for layer in self.layers if isinstance(layer, Dropout)]
        return [FadingDropout(FlatCosine(self.dropout, steps), dropouts)]


def _beside(parts: Sequence[Any]) -> Any:
    return Concatenate()(list(parts)) if len(parts) > 1 else parts[0]


def _started(layer: NTPDense, x: Array, generator: np.random.Generator) -> Array:
    """Gives a layer weights by the rows that come to it, and returns what it makes of them.

    Every unit has deviation 1 over the rows. Its bias puts the place where it is 0 among them: minus a mean, of random
    weights, of what it is at five rows ("he+5").
    """
    W = generator.standard_normal(layer.kernel.shape)
    a: Array = np.matmul(x, (W * layer.factor).astype(x.dtype))
    deviation = a.std(axis=0)
    deviation[deviation == 0] = 1.0  # of rows that are all alike
    layer.kernel.assign(W / deviation)
    a /= deviation
    rows = generator.integers(len(x), size=(_OF_HULL, layer.units))
    shares = generator.exponential(size=rows.shape)
    bias = -np.sum(np.take_along_axis(a, rows, axis=0) * shares / shares.sum(axis=0), axis=0)
    layer.bias.assign(bias)
    a += bias.astype(a.dtype)
    return a
