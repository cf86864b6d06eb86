"""The plain stack of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from multilayer._checks.arguments import listed, require_flag
from multilayer._checks.texts import as_array_type
from multilayer._language import tr
from multilayer._names import registry
from multilayer._names.custom_objects import custom_object_scope
from multilayer._training.graph import Graph, chain
from multilayer._training.masks import gives_masks, with_masks
from multilayer.functional import Array
from multilayer.layers import Input, InputLayer, KerasTensor, Layer
from multilayer.layers.base import undone_on_error
from multilayer.layers.symbolic import Shape, flatten, float_type_of
from multilayer.models.base import Model
from multilayer.models.summary import Row


@registry.register("layer")
class Sequential(Model):
    """A plain stack of layers, each feeding the next.

    Args:
        layers: The layers, from input to output. Start with `Input(shape)`, or give the first layer an `input_shape`;
            otherwise the weights are made when the first data is seen.
        trainable: Whether training changes its weights.
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

    def __init__(self, layers: Iterable[Any] | None = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(name)
        self._input: InputLayer | None = None
        self._layers: list[Layer] = []
        self._build_shape: Shape | None = None
        self._tensors: list[KerasTensor] = []  # the input, and what the layers give that are built
        self._input_form = self._output_form = 0
        for layer in listed("layers", layers or ()):
            self.add(layer)
        require_flag("trainable", trainable)
        if not trainable:
            self.trainable = False

    @property
    def layers(self) -> list[Layer]:
        return list(self._layers)

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError(
            tr("`Sequential.layers` attribute is reserved. Use `add()` and `pop()` to change the layers.")
        )

    @property
    def graph(self) -> Graph:
        return chain(self._layers)

    @property
    def inputs(self) -> list[KerasTensor]:
        self._require_known("inputs")
        return self._tensors[:1]

    @property
    def outputs(self) -> list[KerasTensor]:
        self._require_known("outputs")
        return self._tensors[-1:]

    # Known before the model is built:

    @property
    def input_names(self) -> list[str]:
        return [tensor.name for tensor in self._tensors[:1]] or ["input"]

    @property
    def output_names(self) -> list[str]:
        return [self._layers[-1].name] if self._layers else ["output"]

    @property
    def input_dtypes(self) -> list[str]:
        if self._tensors:
            return [as_array_type(self._tensors[0].dtype)]
        return [as_array_type(_taken_type(self._layers[0])) if self._layers else self.dtype]

    @property
    def input_shape(self) -> Any:
        self._require_known("input_shape")
        return self._build_shape

    def add(self, layer: Any) -> None:
        """Puts a layer on top of the stack.

        Args:
            layer: A layer, or a model, or what `Input` gave.

        Raises:
            ValueError: It is no layer, its name is taken, it is a second input, or what comes from below does not fit.
        """
        if isinstance(layer, KerasTensor):
            layer = layer.node.operation
        if not isinstance(layer, Layer):
            raise ValueError(
                tr(
                    "Only instances of `layers.Layer` can be added to a Sequential model. Received: {layer!r} "
                    "(of type {kind})",
                    layer=layer,
                    kind=type(layer).__name__,
                )
            )
        if isinstance(layer, InputLayer):
            if self._input is not None or self._layers:
                raise ValueError(
                    tr(
                        "Model '{name}' has already been configured: it has an input or layers. An input comes "
                        "first, and once.",
                        name=self.name,
                    )
                )
            self._input = layer
            self._build_shape = layer.batch_shape
            self._tensors = [layer.output]
            return
        if layer.name in [other.name for other in self._layers]:
            raise ValueError(
                tr(
                    "All layers added to a Sequential model should have unique names. Name '{name}' is already "
                    "the name of a layer in this model. Update the `name` argument to pass a unique name.",
                    name=layer.name,
                )
            )
        not_built = [] if self._build_shape is None else self._layers[max(len(self._tensors) - 1, 0) :]
        with undone_on_error(self, *not_built, layer):
            if not self._layers and self._build_shape is None:
                self._build_shape = _own_shape(layer)
            self._layers = [*self._layers, layer]
            self._build_known()

    def pop(self, rebuild: bool = True) -> Layer:  # noqa: ARG002 - Keras' argument: here there is nothing to rebuild
        """Takes the topmost layer off and returns it.

        Raises:
            ValueError: There is none.
        """
        if not self._layers:
            raise ValueError(tr("There are no layers in model '{name}'.", name=self.name))
        self._tensors = self._tensors[: len(self._layers)]
        *self._layers, layer = self._layers
        self._fitting_shapes = self._known = None
        if not self._layers:
            self.built = False
            self._build_shape = None if self._input is None else self._input.batch_shape
            self._tensors = [] if self._input is None else [self._input.output]
        return layer

    def build(self, input_shape: Shape | None = None) -> None:
        """Declares all weights.

        Args:
            input_shape: Shape of a batch, its first entry None: (None, 784). Not needed after an `Input`.

        Raises:
            ValueError: The shape is not known, there is no layer, or a layer does not fit.
        """
        if not self._layers:
            raise ValueError(
                tr("Sequential model '{name}' has no layers. Add some with `model.add(layer)`.", name=self.name)
            )
        shape = self._build_shape if input_shape is None else tuple(input_shape)
        if shape is None:
            raise ValueError(tr("You must provide an `input_shape` argument to build model '{name}'.", name=self.name))
        if self._input is not None and not _fits(shape, self._input.batch_shape):
            raise ValueError(
                tr(
                    "The input_shape={shape} is incompatible: model '{name}' has already been configured to "
                    "use input shape {batch_shape}.",
                    shape=shape,
                    name=self.name,
                    batch_shape=self._input.batch_shape,
                )
            )
        with undone_on_error(self, *self._layers):
            self._build_shape = shape
            self._build_known()

    def _build_known(self) -> None:
        """Builds every layer that is not built yet, where the shape of the input is known."""
        if self._build_shape is None:
            return
        if not self._tensors or self._tensors[0].shape != self._build_shape:
            self._tensors = [Input(batch_shape=self._build_shape, dtype=_taken_type(self._layers[0]))]
        tensors = list(self._tensors)
        for layer in self._layers[len(tensors) - 1 :]:
            tensor = layer(tensors[-1])
            if not isinstance(tensor, KerasTensor):
                raise ValueError(
                    tr(
                        "A layer of a Sequential model gives one output; '{name}' gives several. Use "
                        "`Model(inputs, outputs)`.",
                        name=layer.name,
                    )
                )
            tensors.append(tensor)
        self._tensors = tensors
        self.dtype = float_type_of(tensors[-1:])
        self.built = bool(self._layers)
        self._fitting_shapes = self._known = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_tensors": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._input is not None:
            self._tensors = [self._input.output]
        if self._layers:
            self._build_known()

    def cloned(
        self, copied: Callable[[Layer], Layer], input_tensors: Any = None, called: Callable[..., Any] | None = None
    ) -> Sequential:
        if called is not None:
            raise ValueError(
                tr(
                    "`call_function` argument is not supported with Sequential models: their layers stand in a "
                    "row, and nothing can come between. Draw the model up as `Model(inputs, outputs)`."
                )
            )
        shape = self._build_shape if input_tensors is None else flatten(input_tensors)[0].shape
        model = Sequential([copied(layer) for layer in self._layers], name=self.name)
        if shape is not None and not model.built and self._layers:
            model.build(shape)
        return model

    def rows(self) -> list[Row]:
        shapes: list[Shape | None] = [tensor.shape for tensor in self._tensors[1:]]
        shapes += [None] * (len(self._layers) - len(shapes))
        sources: list[list[tuple[str, int, int]]] = [[], *([(layer.name, 0, 0)] for layer in self._layers)]
        return list(map(Row, self._layers, shapes, sources))

    def check_input_shapes(self, shapes: Sequence[tuple[int, ...]]) -> None:
        (shape,) = shapes
        built_for = self._build_shape
        if built_for is None or _fits(built_for, shape):
            if built_for is not None:
                self._walk(shape)
            return
        if len(built_for) == len(shape):
            self._walk(shape)
            if self._built_by_data:
                self._open_sides(built_for, shape)
                return
        raise ValueError(
            tr(
                "Input 0 of model '{name}' is incompatible with its first layer '{layer}': expected "
                "shape={built_for}, found shape={shape}",
                name=self.name,
                layer=self._layers[0].name,
                built_for=built_for,
                shape=shape,
            )
        )

    def _open_sides(self, built_for: Shape, shape: Shape) -> None:
        """Takes batches of other sides, to which every layer has agreed.

        Where nobody has said `Input(shape)`, those of the first batch were what they were by chance.
        """
        with undone_on_error(self, *self._layers):
            self._build_shape = tuple(b if b == s else None for b, s in zip(built_for, shape, strict=True))
            self._build_known()

    def _walk(self, shape: Shape) -> None:
        """Lets every layer check the shape that reaches it."""
        for layer in self._layers:
            layer.check_input_shape(shape)
            shape = layer.compute_output_shape(shape)

    def forward(self, x: Any, training: bool = False) -> Any:
        if gives_masks(self._layers):
            return with_masks(self.graph).forward([x], training)[0]
        for layer in self._layers:
            x = layer.forward(x, training)
        return x

    def run(self, xs: Sequence[Array], training: bool = False) -> list[Array]:
        return [self.forward(xs[0], training)]

    def get_config(self) -> dict[str, Any]:
        """The layers' configs and the shape of the input."""
        self._require_each_layer_once()
        every = ([self._input] if self._input is not None else []) + self._layers
        return {
            "name": self.name,
            "trainable": self._trainable,
            "layers": [registry.serialize(layer) for layer in every],
            "build_input_shape": self._build_shape,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Sequential:
        """The model that `get_config` described, with fresh weights, and with classes of your own by name."""
        with registry.describing("Sequential"), custom_object_scope(custom_objects):
            layers = [registry.deserialize("layer", layer) for layer in config["layers"]]
            model = cls(layers, name=config["name"])
            shape = config.get("build_input_shape")
            if shape is not None and not model.built and model.layers:
                model.build(tuple(shape))
        return model


def _fits(wanted: Shape, shape: Shape) -> bool:
    return len(wanted) == len(shape) and all(b in (None, s) for b, s in zip(wanted[1:], shape[1:], strict=True))


def _taken_type(layer: Layer) -> str:
    """The type of what a layer takes that is the first."""
    if isinstance(layer, Model) and layer.built:
        return layer.inputs[0].dtype
    return layer.input_dtype or layer.dtype


def _own_shape(layer: Layer) -> Shape | None:
    """The shape of a batch that a layer itself says it takes: by `input_shape`, or as a model that is built."""
    if layer.input_shape_argument is not None:
        return (None, *layer.input_shape_argument)
    return layer.input_shape if isinstance(layer, Model) and layer.built else None
