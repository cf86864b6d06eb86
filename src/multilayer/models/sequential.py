"""The plain stack of layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from multilayer import registry
from multilayer.functional import Array
from multilayer.layers import InputLayer, Layer
from multilayer.layers.base import Shape, undone_on_error
from multilayer.models.base import Model


@registry.register("model")
class Sequential(Model):
    """A plain stack of layers, each feeding the next.

    Args:
        layers: The layers, from input to output. Start with `Input(shape)`, or give the first layer an `input_shape`;
            otherwise the weights are made when the first data is seen.
        name: Its name.

    Example:
        >>> import numpy as np
        >>> from multilayer import layers
        >>> model = Sequential([
        ...     layers.Input((784,)),
        ...     layers.Dense(50, activation="sigmoid"),
        ...     layers.Dense(10, activation="softmax"),
        ... ])
        >>> model.count_params()
        39760
        >>> model(np.zeros((1, 784))).shape
        (1, 10)
    """

    def __init__(self, layers: Iterable[Layer] | None = None, name: str | None = None) -> None:
        super().__init__(name)
        self._input: InputLayer | None = None
        self._layers: list[Layer] = []
        self._build_shape: Shape | None = None
        self._fitting_shape: tuple[int, ...] | None = None
        for layer in layers or ():
            self.add(layer)

    @property
    def layers(self) -> list[Layer]:
        return list(self._layers)

    @property
    def input_shape(self) -> Shape:
        self._require_built("input_shape")
        assert self._build_shape is not None  # known once the model is built
        return self._build_shape

    def add(self, layer: Layer) -> None:
        """Puts a layer on top of the stack.

        Raises:
            ValueError: It is no layer (but a model, say), its name is taken, it is a second input, or what comes from
                below does not fit.
        """
        if isinstance(layer, Model):
            raise ValueError(
                f"A model inside a model is not there yet. Add the layers of '{layer.name}' instead: "
                "`Sequential([Input(shape), *inner.layers, ...])`; both models then share their weights."
            )
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Only instances of `layers.Layer` can be added to a Sequential model. Received: {layer!r} (of type "
                f"{type(layer).__name__})"
            )
        if isinstance(layer, InputLayer):
            if self._input is not None or self._layers:
                raise ValueError(f"An input comes first, and once. Model '{self.name}' already has layers.")
            self._input = layer
            self._build_shape = layer.batch_shape
            return
        if any(other.name == layer.name for other in self._layers):
            raise ValueError(
                f"All layers added to a Sequential model should have unique names. Name '{layer.name}' is already the "
                "name of a layer in this model. Update the `name` argument to pass a unique name."
            )
        with undone_on_error(self, *self._layers, layer):
            if not self._layers and self._build_shape is None and layer.input_shape_argument is not None:
                self._build_shape = (None, *layer.input_shape_argument)
            self._layers = [*self._layers, layer]
            self._build_known()

    def pop(self) -> Layer:
        """Takes the topmost layer off and returns it.

        Raises:
            ValueError: There is none.
        """
        if not self._layers:
            raise ValueError(f"There are no layers in model '{self.name}'.")
        *self._layers, layer = self._layers
        self._fitting_shape = None
        if not self._layers:
            self.built = False
            self._build_shape = None if self._input is None else self._input.batch_shape
        return layer

    def build(self, input_shape: Shape | None = None) -> None:
        """Declares all weights.

        Args:
            input_shape: Shape of a batch, its first entry None: (None, 784). Not needed after an `Input`.

        Raises:
            ValueError: The shape is not known, there is no layer, or a layer does not fit.
        """
        if not self._layers:
            raise ValueError(f"Sequential model '{self.name}' has no layers. Add some with `model.add(layer)`.")
        shape = self._build_shape if input_shape is None else tuple(input_shape)
        if shape is None:
            raise ValueError(f"You must provide an `input_shape` argument to build model '{self.name}'.")
        with undone_on_error(self, *self._layers):
            self._build_shape = shape
            self._build_known()

    def _build_known(self) -> None:
        """Builds every layer that is not built yet, where the shape of the input is known."""
        if self._build_shape is None:
            return
        shape = self._build_shape
        for layer in self._layers:
            layer.ensure_built(shape)
            layer.check_input_shape(shape)
            shape = layer.compute_output_shape(shape)
        self.built = bool(self._layers)
        self._fitting_shape = None

    def layer_output_shapes(self) -> list[tuple[Layer, Shape | None]]:
        shape = self._build_shape
        shapes: list[tuple[Layer, Shape | None]] = []
        for layer in self._layers:
            shape = layer.compute_output_shape(shape) if shape is not None and layer.built else None
            shapes.append((layer, shape))
        return shapes

    def check_input_shape(self, shape: tuple[int, ...]) -> None:
        if shape[1:] == self._fitting_shape:
            return
        built_for = self._build_shape
        if built_for is not None and len(built_for) != len(shape):
            raise ValueError(
                f"Input 0 of model '{self.name}' is incompatible with its first layer '{self._layers[0].name}': "
                f"expected shape={built_for}, found shape={shape}"
            )
        self._walk(shape)
        if built_for is not None and any(b not in (None, s) for b, s in zip(built_for[1:], shape[1:], strict=True)):
            raise ValueError(
                f"Input 0 of model '{self.name}' is incompatible with its first layer '{self._layers[0].name}': "
                f"expected shape={built_for}, found shape={shape}"
            )
        self._fitting_shape = shape[1:]

    def _walk(self, shape: Shape) -> None:
        """Lets every layer check the shape that reaches it."""
        for layer in self._layers:
            layer.check_input_shape(shape)
            shape = layer.compute_output_shape(shape)

    def _forward(self, x: Array, training: bool = False) -> Array:
        for layer in self._layers:
            x = layer.forward(x, training)
        return x

    def get_config(self) -> dict[str, Any]:
        """The layers' configs and the shape of the input."""
        every = ([self._input] if self._input is not None else []) + self._layers
        return {
            "name": self.name,
            "layers": [registry.serialize(layer) for layer in every],
            "build_input_shape": self._build_shape,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Sequential:
        """The model that `get_config` described, with fresh weights."""
        model = cls([registry.deserialize("layer", layer) for layer in config["layers"]], name=config["name"])
        shape = config.get("build_input_shape")
        if shape is not None and not model.built:
            model.build(tuple(shape))
        return model
