"""What happens in every layer while a network is trained: the size of its gradient, and its dead units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from multilayer import activations
from multilayer._checks.scalars import whole_number
from multilayer._tracebacks import filter_traceback
from multilayer._training.graph import Call
from multilayer._training.protocols import Network
from multilayer.callbacks.base import Callback, Logs
from multilayer.functional import Array
from multilayer.layers import Dense, Layer

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override

_OF_ROWS = (activations.softmax, activations.log_softmax, activations.sparsemax, activations.glu)


class LayerHistory(Callback):
    """Records how large each layer's gradient is and, for samples to look at, the share of its units that are dead.

    The size of a gradient is the root mean square of the numbers in the gradient of the layer's kernel, so that layers
    of different widths compare. It is read where the step has left it: nothing is computed twice. A unit is dead where
    its activation has the slope 0 for every one of the samples, so that none of them can teach it anything; see
    `dead_units`. Draw both by `plotting.plot_gradients` and `plotting.plot_dead_units`.

    Args:
        x: Samples to count dead units with, as `predict` takes them; a few hundred tell. None counts none.
        every: A record is made of the first step and of every so many after it.

    Attributes:
        steps: The numbers of the steps that were recorded, from 1.
        gradients: For each layer with a kernel, by name, the size of its gradient at these steps.
        dead: For each layer whose units can die, the share of dead ones after these steps; empty without `x`.

    Raises:
        ValueError: `every` is no whole number of at least 1.

    Example:
        >>> from multilayer import Sequential, layers
        >>> hidden = layers.Dense(8, "relu", name="hidden")
        >>> model = Sequential([layers.Input((4,)), hidden, layers.Dense(1, name="out")])
        >>> model.compile("sgd", "mse")
        >>> record = LayerHistory(x=np.eye(4), every=2)
        >>> _ = model.fit(np.eye(4), np.ones(4), batch_size=1, epochs=1, verbose=0, callbacks=[record])
        >>> record.steps, list(record.gradients), list(record.dead)
        ([1, 3], ['hidden', 'out'], ['hidden'])
    """

    def __init__(self, x: Any = None, every: int = 1) -> None:
        self.every = whole_number("every", every, 1)
        self._x = x
        self._begin()

    def _begin(self) -> None:
        self.steps: list[int] = []
        self.gradients: dict[str, list[float]] = {}
        self.dead: dict[str, list[float]] = {}
        self._taken = 0
        self._layers: list[Layer] = []

    def __getstate__(self) -> dict[str, Any]:
        """What it has recorded, without the network: a record that goes to another process is there to be drawn."""
        return {**{name: value for name, value in vars(self).items() if name != "model"}, "_layers": []}

    @override
    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Starts anew."""
        self._begin()
        layers = dict.fromkeys(call.layer for call in self.model.flat_graph().calls)
        self._layers = [layer for layer in layers if any(_is_kernel(v) for v in layer.trainable_weights)]

    @override
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Records the step where it is its turn."""
        if self._taken % self.every == 0:
            self.steps.append(self._taken + 1)
            for layer in self._layers:
                self.gradients.setdefault(layer.name, []).append(_gradient_size(layer))
            if self._x is not None:
                for name, share in dead_units(self.model, self._x).items():
                    self.dead.setdefault(name, []).append(share)
        self._taken += 1


def _is_kernel(variable: Any) -> bool:
    return len(variable.shape) >= 2


def _gradient_size(layer: Layer) -> float:
    """The root mean square of the kernel's gradient, NaN where there is none."""
    kernel = next(v for v in layer.trainable_weights if _is_kernel(v))
    if kernel.gradient is None:
        return float("nan")
    g = kernel.gradient.reshape(-1)
    with np.errstate(over="ignore"):  # a training that blows up is recorded as such
        return float(np.sqrt(np.dot(g, g) / g.size))


@filter_traceback
def dead_units(model: Network, x: Any) -> dict[str, float]:
    """The share of each layer's units whose activation has the slope 0 for every sample.

    Such a unit gets no gradient, and learns nothing from these samples. It is a trouble of relu and its kin; sigmoid
    and tanh come to slope 0 only where they are so far out that their value is rounded to 0 or 1.

    Args:
        model: A model that is built.
        x: Samples, as `predict` takes them.

    Returns:
        A share in [0, 1] by the layer's name; linear layers and those that end in a softmax are left out.

    Raises:
        ValueError: The model is not built, or the samples do not fit.

    Example:
        >>> from multilayer import Sequential, layers
        >>> hidden = layers.Dense(4, "relu", bias_initializer=lambda shape, dtype: np.array([-9, -9, 0, 9], dtype))
        >>> dead_units(Sequential([layers.Input((2,)), hidden, layers.Dense(1)]), np.ones((3, 2)))[hidden.name] >= 0.5
        True
    """
    model.require_built("dead_units")
    found: dict[str, list[float]] = {}

    def evaluate(call: Call, x: Any) -> Any:
        y = call.layer.forward(x, False)
        slope = _slope(call.layer, x, y)
        if slope is not None:
            dead = np.all(slope == 0, axis=tuple(range(slope.ndim - 1)))
            found.setdefault(call.layer.name, []).append(float(dead.mean()))
        return y

    model.flat_graph().run(model.checked_inputs(x), evaluate)
    return {name: float(np.mean(shares)) for name, shares in found.items()}


def _slope(layer: Layer, x: Any, y: Any) -> Array | None:
    """The derivative of a layer's activation for each of its outputs; None where it has none, or one for whole rows."""
    activation = getattr(layer, "activation", None)
    if not isinstance(activation, activations.Activation) or not hasattr(layer, "linear_forward"):
        return None
    if activation is activations.linear or activation.name in {one.name for one in _OF_ROWS}:
        return None
    a = layer.linear_forward(x) if isinstance(layer, Dense) else x
    return activation.backward(np.ones_like(y), a if activation.of_input else y)
