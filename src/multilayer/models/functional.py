"""Models drawn up with tensors: several inputs and outputs, branches, shared layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from multilayer._checks.arguments import function, require_flag
from multilayer._core.arena import claim_call
from multilayer._language import tr
from multilayer._names import registry
from multilayer._names.custom_objects import custom_object_scope
from multilayer._names.functions import functions_kept
from multilayer._tracebacks import filter_traceback
from multilayer._training.graph import Call, Graph, replay, trace
from multilayer.layers import InputLayer, KerasTensor, Layer
from multilayer.layers.operation import check_operands
from multilayer.layers.symbolic import flatten, flatten_as, float_type_of, pack_like
from multilayer.models import calls, compiling
from multilayer.models.base import Model
from multilayer.models.subclassed import Subclassed
from multilayer.models.summary import Row


class Functional(Model):
    """What `Model(inputs, outputs)` makes. See `Model`."""

    def __init__(
        self, inputs: Any = None, outputs: Any = None, name: str | None = None, trainable: bool | None = None
    ) -> None:
        if inputs is None and outputs is None and type(self) is not Functional:
            become_subclassed(type(self))
            Subclassed.__init__(self, name=name, trainable=trainable is not False)  # type: ignore[arg-type]
            return
        super().__init__(name)
        for argument, tensors in (("inputs", inputs), ("outputs", outputs)):
            if not flatten(tensors):
                raise ValueError(
                    tr(
                        "`{argument}` must hold at least one tensor. Received: {argument}={tensors}",
                        argument=argument,
                        tensors=tensors,
                    )
                )
            for tensor in flatten(tensors):
                if not isinstance(tensor, KerasTensor):
                    raise ValueError(
                        tr(
                            "All `{argument}` values must be KerasTensors. Received: {argument}={tensors} "
                            "including invalid value {tensor} of type {kind}",
                            argument=argument,
                            tensors=tensors,
                            tensor=tensor,
                            kind=type(tensor),
                        )
                    )
        self._graph, layers, self._tensors = trace(flatten(inputs), flatten(outputs))
        check_operands((call.layer, call.form) for call in self._graph.calls)
        self._input_layers = [_input_layer(tensor) for tensor in flatten(inputs)]
        self._layers = list(dict.fromkeys([*(x for x in self._input_layers if x not in layers), *layers]))
        self._input_form = _form(inputs)
        self._output_form = _form(outputs)
        if any(layer.output is not tensor for layer, tensor in zip(self._input_layers, flatten(inputs), strict=True)):
            self._draw()
        self.dtype = float_type_of(self.outputs)
        self.built = True
        if trainable is not None:
            require_flag("trainable", trainable)
            self.trainable = trainable

    def add_loss(self, loss: Any) -> None:
        """Refused for a network that is drawn up, as in Keras: nothing would call it when the model is run.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            tr(
                "`add_loss` of model '{name}', which is drawn up, has no step to belong to. Write a layer that "
                "calls `self.add_loss(...)` in its `call`, and pass the tensors through it. Received: {loss}",
                name=self.name,
                loss=str(loss)[:100],
            )
        )

    def _draw(self) -> None:
        """Makes all tensors anew."""
        layers = {layer: layer for layer in self._layers}
        self._tensors = replay(self._graph, [layer.output for layer in self._input_layers], layers)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_tensors": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._draw()

    def cloned(
        self, copied: Callable[[Layer], Layer], input_tensors: Any = None, called: Callable[..., Any] | None = None
    ) -> Functional:
        if input_tensors is not None and flatten_as(self._input_form, input_tensors) is None:
            raise ValueError(
                tr(
                    "`input_tensors` must have the same structure as model.input, {input}. Received: {input_tensors}",
                    input=self.input,
                    input_tensors=input_tensors,
                )
            )
        layers = {call.layer: call.layer for call in self._graph.calls}
        layers = {layer: copied(layer) for layer in layers}
        inputs = (
            [InputLayer.from_config(layer.get_config()).output for layer in self._input_layers]
            if input_tensors is None
            else flatten(input_tensors)
        )
        tensors = replay(self._graph, inputs, layers, called)
        outputs = [tensors[tensor] for tensor in self._graph.outputs]
        return Functional(pack_like(self._input_form, inputs), pack_like(self._output_form, outputs), name=self.name)

    @property
    def layers(self) -> list[Layer]:
        return [layer for layer in self._layers if not layer.is_operation]

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError(
            tr(
                "`Model.layers` attribute is reserved: the layers are those that lie between its inputs and "
                "outputs. Use another name."
            )
        )

    @property
    def operations(self) -> list[Layer]:
        """Its layers, and the functions that were called with their tensors, in Keras' order."""
        return list(self._layers)

    @property
    def graph(self) -> Graph:
        return self._graph

    @property
    def inputs(self) -> list[KerasTensor]:
        return [self._tensors[tensor] for tensor in self._graph.inputs]

    @property
    def outputs(self) -> list[KerasTensor]:
        return [self._tensors[tensor] for tensor in self._graph.outputs]

    def check_input_shapes(self, shapes: Sequence[tuple[int, ...]]) -> None:
        for tensor, shape in zip(self.inputs, shapes, strict=True):
            expected = tensor.shape
            if len(expected) != len(shape) or any(
                None not in pair and pair[0] != pair[1] for pair in zip(expected[1:], shape[1:], strict=True)
            ):
                raise ValueError(
                    tr(
                        "Input 0 of model '{name}' is incompatible: for its input '{input}' expected "
                        "shape={expected}, found shape={shape}",
                        name=self.name,
                        input=tensor.name,
                        expected=expected,
                        shape=shape,
                    )
                )
        self._graph.run(shapes, _checked)

    def rows(self) -> list[Row]:
        shapes: dict[Layer, Any] = {layer: [layer.batch_shape] for layer in self._input_layers}
        sources: dict[Layer, list[tuple[str, int, int]]] = {layer: [] for layer in self._layers}
        history = self._history()
        for layer, made in self._calls_of_layers().items():
            for call in made:
                shapes[layer] = [self._tensors[tensor].shape for tensor in call.outputs]
                sources[layer] += [history[tensor] for tensor in call.inputs]
        return [Row(x, shapes[x][0] if len(shapes[x]) == 1 else shapes[x], sources[x]) for x in self._layers]

    def _history(self) -> dict[int, tuple[str, int, int]]:
        """Where each tensor comes from: a layer's name, which of its calls, and which of its outputs."""
        history = {
            tensor: (layer.name, 0, 0) for tensor, layer in zip(self._graph.inputs, self._input_layers, strict=True)
        }
        for layer, made in self._calls_of_layers().items():
            for number, call in enumerate(made):
                for index, tensor in enumerate(call.outputs):
                    history[tensor] = (layer.name, number, index)
        return history

    # --- As plain data, in the form of Keras' files ---

    def get_config(self) -> dict[str, Any]:
        self._require_each_layer_once()
        history = {tensor: list(source) for tensor, source in self._history().items()}
        made = self._calls_of_layers()
        return {
            "name": self.name,
            "trainable": self._trainable,
            "layers": [
                calls.described(layer, [self._call_config(call, history) for call in made[layer]])
                for layer in self._layers
            ],
            "input_layers": pack_like(self._input_form, [history[tensor] for tensor in self._graph.inputs]),
            "output_layers": pack_like(self._output_form, [history[tensor] for tensor in self._graph.outputs]),
        }

    def _calls_of_layers(self) -> dict[Layer, list[Call]]:
        """Each layer's calls, in the order in which they were made."""
        made: dict[Layer, list[Call]] = {layer: [] for layer in self._layers}
        for call in sorted(self._graph.calls, key=lambda call: call.number):
            made[call.layer].append(call)
        return made

    def _call_config(self, call: Call, history: dict[int, list[Any]]) -> dict[str, Any]:
        tensors = [self._tensors[tensor] for tensor in call.inputs]
        return calls.described_call(tensors, [history[tensor] for tensor in call.inputs], call)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Functional:
        """The model that `get_config` described, with fresh weights, and with classes of your own by name.

        Raises:
            ValueError: The description is not that of a network.
        """
        if cls.__init__ is not Functional.__init__ and not _takes_tensors(cls):
            with custom_object_scope(custom_objects):
                return cls._drawn_by_itself(config)
        with registry.describing("network"), custom_object_scope(custom_objects):
            layers, numbers = calls.connected(config["layers"], _listed(config["output_layers"]))
            ends = (_packed_tensors(layers, numbers, config[key]) for key in ("input_layers", "output_layers"))
            inputs, outputs = ends
            # Where it is True, each layer says for itself whether it is trained.
            trainable = None if config.get("trainable", True) else False
            own = {key: value for key, value in config.items() if key not in _NETWORK and key not in _COMMON}
            return cls(inputs=inputs, outputs=outputs, name=config["name"], trainable=trainable, **own)

    @classmethod
    def _drawn_by_itself(cls, config: dict[str, Any]) -> Functional:
        """The model of a class whose constructor draws the network: made by that, of the arguments it takes."""
        arguments = _arguments(cls)
        anything = any(one.kind is one.VAR_KEYWORD for one in arguments.values())
        ours = set(_COMMON) if set(_NETWORK) <= set(config) else set(config)
        given = {key: value for key, value in config.items() if key in ours and (anything or key in arguments)}
        lacking = [
            name
            for name, one in arguments.items()
            if one.default is one.empty and one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL) and name not in given
        ]
        if lacking:
            raise ValueError(
                tr(
                    "{kind} cannot be made again: its constructor wants {lacking}. Let its `get_config` "
                    "return them, by name.",
                    kind=cls.__name__,
                    lacking=lacking,
                )
            )
        return cls(**given)


registry.register("layer")(Functional)

_COMMON = ("name", "trainable")
_NETWORK = ("layers", "input_layers", "output_layers")


def _takes_tensors(cls: type[Functional]) -> bool:
    """Whether a class's constructor hands tensors on: it takes `inputs` and `outputs`, or whatever there is."""
    kinds = {one.kind for one in _arguments(cls).values()}
    anything = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} <= kinds
    return anything or {"inputs", "outputs"} <= set(_arguments(cls))


def become_subclassed(cls: type[Model]) -> None:
    """Makes a class that holds models, rather than being one, one of `Subclassed`."""
    for one in cls.__mro__:
        if Functional in one.__bases__:
            one.__bases__ = tuple(Subclassed if base is Functional else base for base in one.__bases__)


def _arguments(cls: type[Functional]) -> Mapping[str, inspect.Parameter]:
    """What a class's constructor takes."""
    return inspect.signature(cls).parameters


def _checked(call: Call, shape: Any) -> Any:
    claim_call()  # models in models, each called twice, are a short description of calls without end
    call.layer.check_input_shape(shape)
    return call.layer.compute_output_shape(shape)


def _input_layer(tensor: KerasTensor) -> InputLayer:
    """The layer that an input comes from; one in the middle of a network gets a new one."""
    layer = tensor.node.operation
    if isinstance(layer, InputLayer):
        return layer
    return InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=f"{layer.name}_input")


def _form(tensors: Any) -> Any:
    """Numbers in the form in which tensors were given; a list of one is that one."""
    if isinstance(tensors, (list, tuple)) and len(tensors) == 1:
        return (
            0 if not isinstance(tensors[0], (dict, list, tuple)) else pack_like(tensors, range(len(flatten(tensors))))
        )
    return pack_like(tensors, range(len(flatten(tensors))))


def _listed(histories: Any) -> list[Any]:
    """Histories, in whatever form they stand, as a list."""
    if isinstance(histories, dict):
        return [inner for one in histories.values() for inner in _listed(one)]
    if histories and isinstance(histories[0], str):
        return [histories]
    return [inner for one in histories for inner in _listed(one)]


def _packed_tensors(layers: Mapping[str, Layer], numbers: Mapping[tuple[str, int], int], histories: Any) -> Any:
    """The tensors of these histories, in the form in which they stand."""
    if isinstance(histories, dict):
        return {key: _packed_tensors(layers, numbers, one) for key, one in histories.items()}
    if histories and isinstance(histories[0], str):
        name, number, index = histories[:3]
        if name not in layers:
            raise ValueError(
                tr("An input or output comes from the layer {name!r}, which is not in the network.", name=name[:100])
            )
        return layers[name].nodes[numbers.get((name, number), number)].outputs[index]
    tensors = [_packed_tensors(layers, numbers, one) for one in histories]
    return tuple(tensors) if isinstance(histories, tuple) else tensors


@filter_traceback
def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Model:
    """A model of the same architecture, with layers and weights of its own, compiled as the model is.

    Its optimizer is a fresh one of the same arguments, which has taken no step.

    Args:
        model: The model.
        input_tensors: What the new model's inputs are; by default new ones like the old.
        clone_function: Gives the copy of a layer; by default `layer.from_config(layer.get_config())`.
        call_function: Gives a copied layer's output, `f(layer, x)` or `f(layer, x, training=...)`: the place to put
            further layers before or behind it.
        recursive: Whether both functions are for the layers of models within it, too, one by one; a `Sequential` among
            them has no calls to change.

    Raises:
        ValueError: It is no model, models within it share layers, or a `Sequential` is given with `call_function`.

    Example:
        >>> import numpy as np
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((4,)), layers.Dense(2)])
        >>> clone = clone_model(model)
        >>> clone.output_shape, np.array_equal(clone.get_weights()[0], model.get_weights()[0])
        ((None, 2), False)
    """
    if not isinstance(model, Model):
        raise ValueError(
            tr("Expected `model` argument to be a `Model` instance. Received: model={model!r}", model=model)
        )
    model._require_each_layer_once()
    copied = _copied if clone_function is None else function("clone_function", clone_function)
    if call_function is not None:
        function("call_function", call_function)
    clone = model.cloned(_within(copied, call_function) if recursive else copied, input_tensors, call_function)
    if model.compiled:
        clone.compile(**compiling.afresh(model._compile_arguments))
    return clone


def _within(copied: Callable[[Layer], Layer], called: Callable[..., Any] | None) -> Callable[[Layer], Layer]:
    """Copies a model layer by layer, and a layer as it is told, each once."""
    done: dict[Layer, Layer] = {}

    def clone(layer: Layer) -> Layer:
        if layer not in done:
            own_calls = called if isinstance(layer, Functional) else None
            done[layer] = layer.cloned(clone, None, own_calls) if isinstance(layer, Model) else copied(layer)
        return done[layer]

    return clone


def _copied(layer: Layer) -> Layer:
    with functions_kept():
        return layer.anew()
