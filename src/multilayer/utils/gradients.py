"""Numerical gradients by central differences, and the gradient check that holds every backward pass against them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from multilayer._core.arena import Variable
from multilayer._tracebacks import filter_traceback
from multilayer._training.graph import Call, Graph
from multilayer.functional import Array
from multilayer.layers import Layer
from multilayer.layers.input import INTEGERS
from multilayer.models import Model
from multilayer.optimizers import Optimizer
from multilayer.random import Stream

RTOL, ATOL = 1e-5, 1e-7  # how far a derivative may be from central differences: far more than these are off


def numerical_gradient(f: Callable[[], float], x: Array, step: float = 1e-6) -> Array:
    """The gradient of a function by central differences, (f(x + h) - f(x - h)) / 2h, number by number of x.

    Args:
        f: The function. It takes no argument, but reads x, which may be a weight inside a layer.
        x: Where to differentiate, float64; changed while f is asked, and put back.
        step: h.

    Returns:
        The derivatives, in the shape of x.

    Raises:
        ValueError: x is not float64: in fewer digits the difference would be noise.

    Example:
        >>> x = np.array([1.0, 3.0])
        >>> numerical_gradient(lambda: float(np.sum(x**2)), x).round(6)
        array([2., 6.])
    """
    if x.dtype != np.float64:
        raise ValueError(f"`numerical_gradient` needs x as float64; got {x.dtype}.")
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        kept = x[i]
        x[i] = kept + step
        above = f()
        x[i] = kept - step
        below = f()
        x[i] = kept
        gradient[i] = (above - below) / (2 * step)
    return gradient


@filter_traceback
def check_gradients(
    model: Model,
    x: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    inputs: bool = False,
) -> dict[str, float]:
    """Tells whether the gradients that a model is trained with are the derivatives of its loss.

    The derivatives of built-in layers are written by hand, and so are those of a class of one's own that has
    `backward` or `gradient`. This holds all of them against central differences, in float64 and on a copy: the model
    itself stays as it is. Layers that draw random numbers from a `numpy.random.Generator` of their own, such as
    `Dropout`, draw the same ones every time.

    It asks for the loss twice for each weight: take a small network and a few samples. At a kink, as relu has at 0, the
    two sides differ and no derivative is right; take other weights or inputs there.

    Args:
        model: A compiled model.
        x: Inputs, shape (n, ...).
        y: Targets, as `fit` takes them.
        sample_weight: Weight of each sample in the loss, shape (n,).
        inputs: Whether to check the derivatives with respect to x too, and with them the backward pass of what lies
            beneath the first weight.

    Returns:
        For each trainable weight by its path ('dense/kernel'), and for 'x', the largest difference.

    Raises:
        ValueError: A derivative is wrong; the message has the variable, the index, and both values. Or there is nothing
            to check: the model is not compiled, has no trainable weights, has no finite loss, or gives another loss
            every time.

    Example:
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((3,)), layers.Dense(4, activation="tanh"), layers.Dense(1)])
        >>> model.compile(loss="mse")
        >>> differences = check_gradients(model, np.ones((2, 3)), [0.5, -0.5])
        >>> sorted(differences) == sorted(v.path for v in model.trainable_weights)
        True
        >>> max(differences.values()) < 1e-7
        True
    """
    model.compiled_trainer("check_gradients")
    checked = _in_float64(model)
    trainer = checked.compiled_trainer("check_gradients")
    trainer.optimizer = _StandStill()
    checked.checked_inputs(x)
    _convert(checked)  # what was built by the data just now
    batch = checked.checked_batch(x, y, sample_weight)
    graph = _shifted(checked.flat_graph(), checked.input_names, batch[0]) if inputs else checked.flat_graph()
    trainer.connect_to_train(graph)
    layers = [call.layer for call in graph.calls]
    parts = [part for layer in layers for part in vars(layer).values()]
    generators = [part.bit_generator for part in parts if isinstance(part, np.random.Generator)]
    states = [generator.state for generator in generators]
    streams = [part for part in parts if isinstance(part, Stream)]
    counters = [stream.counter for stream in streams]

    def step() -> float:
        """The loss of the batch; the gradients are then where an optimizer finds them."""
        for generator, state in zip(generators, states, strict=True):
            generator.state = state
        for stream, counter in zip(streams, counters, strict=True):
            stream.counter = counter
        return trainer.gradients(*batch)

    value, again = step(), step()
    # Taken after the second step: what is added up instead of written anew has shown by then.
    weights = dict.fromkeys(v for layer in layers for v in layer.trainable_weights)
    gradients = {variable: np.array(variable.gradient) for variable in weights}
    _require_checkable(gradients, value, again)
    atol = ATOL * max(1.0, abs(value))  # the digits that a large loss has left for differences
    return {variable.path: _compare(variable, gradient, step, atol) for variable, gradient in gradients.items()}


def _in_float64(model: Model) -> Model:
    """A copy that computes in float64. A copy by `get_config` would need the classes to be registered."""
    copied = copy.deepcopy(model)
    _convert(copied)
    return copied


def _convert(layer: Layer) -> None:
    if layer.dtype not in INTEGERS:  # an `Input` of indices, for an `Embedding`, stays what it is
        layer.dtype = "float64"
    for tensor in (tensor for node in layer.nodes for tensor in node.outputs):
        tensor.dtype = layer.dtype if tensor.dtype.startswith("float") or not layer.is_operation else tensor.dtype
    for inner in getattr(layer, "operations", getattr(layer, "layers", ())):
        _convert(inner)
    if isinstance(layer, Model):
        for tensor in layer.inputs if layer.built else ():
            assert isinstance(tensor.node.operation, Layer)
            _convert(tensor.node.operation)
    for variable in layer.weights:
        if variable.dtype != "float64":
            variable.convert("float64")


def _shifted(graph: Graph, names: Sequence[str], xs: Sequence[Array]) -> Graph:
    """The network with a `_Shift` after each of its inputs."""
    shifts = [
        Call(_Shift(x.shape, "x" if len(xs) == 1 else name), (graph.size + i,), (place,))
        for i, (name, x, place) in enumerate(zip(names, xs, graph.inputs, strict=True))
        if x.dtype.kind == "f"
    ]
    moved = {call.outputs[0]: call.inputs[0] for call in shifts}
    return graph._replace(
        calls=(*shifts, *graph.calls),
        inputs=tuple(moved.get(place, place) for place in graph.inputs),
        size=graph.size + len(xs),
    )


class _StandStill(Optimizer):
    """Takes no steps: only the gradients are asked for."""

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        pass


class _Shift(Layer):
    """y = x + s, with an s = 0 for every number of the batch: the gradient of s is that of x."""

    def __init__(self, shape: tuple[int, ...], name: str) -> None:
        super().__init__(dtype="float64", name=name)
        self.s = self.add_weight(shape, "zeros", name=name)
        self.s.path = name
        self.built = True

    def forward(self, x: Array, training: bool = False) -> Array:  # noqa: ARG002
        return x + self.s.value

    def backward(self, dy: Array) -> None:
        if self.s.gradient is not None:
            np.copyto(self.s.gradient, dy)


def _require_checkable(gradients: dict[Variable, Array], value: float, again: float) -> None:
    if not gradients:
        raise ValueError("The model has no trainable weights: there is nothing to check. Pass `inputs=True`.")
    if not np.isfinite(value):
        raise ValueError(f"The loss is {value}, which has no derivative. Take other weights or inputs.")
    if value != again:
        raise ValueError(
            f"The same batch has a loss of {value} and then of {again}: something draws random numbers. Let it draw "
            "them from a `numpy.random.Generator` that the layer has as an attribute, or leave it out for the check."
        )


def _compare(variable: Variable, gradient: Array, f: Callable[[], float], atol: float) -> float:
    """The largest difference from central differences; raises ValueError where it is too large."""
    expected = numerical_gradient(f, variable.value)
    difference = np.abs(gradient - expected)
    wrong = ~(difference <= atol + RTOL * np.abs(expected))  # also where it is not finite
    if wrong.any():
        i = np.unravel_index(np.argmax(np.where(wrong, np.nan_to_num(difference, nan=np.inf), -1.0)), wrong.shape)
        index = ", ".join(map(str, i))
        raise ValueError(
            f"The gradient of {variable.path} is wrong in {wrong.sum()} of {wrong.size} places, most of all at "
            f"[{index}]: backward gives {gradient[i]:.9g}, central differences {expected[i]:.9g}. The mistake is in "
            "the `backward` of its layer, of a layer or activation above it, or in the loss's `gradient`."
        )
    return float(difference.max(initial=0.0))
