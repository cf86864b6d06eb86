"""Which layer is called with what: a network as a list of calls between numbered tensors."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from multilayer._core.arena import Scratch, Variable
from multilayer._language import tr
from multilayer.functional import Array
from multilayer.layers import InputLayer, KerasTensor, Layer
from multilayer.layers.recorded import Filled, as_arguments, forward_by_call
from multilayer.layers.symbolic import Node, flatten


class Call(NamedTuple):
    """One call of a layer.

    Attributes:
        layer: The layer, or a model that is called as one.
        inputs: The numbers of the tensors it takes.
        outputs: The numbers of those it gives.
        single: Whether it takes one array rather than a list of them.
        training: What `training` is in this call, where the one who drew up the network said so.
        number: Which of its layer's calls it is, in the order in which they were made; they are run in another.
        form: The arguments of the call with the inputs' places, where they are not one array or a list of them.
    """

    layer: Layer
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    single: bool = True
    training: bool | None = None
    number: int = 0
    form: Any = None

    def taking(self, values: Sequence[Any]) -> Any:
        """What the layer is given, of the values of all tensors by number."""
        if self.single:
            return values[self.inputs[0]]
        taken = [values[tensor] for tensor in self.inputs]
        return taken if self.form is None else Filled(self.form, taken)


class Graph(NamedTuple):
    """A network: tensors numbered from 0 to `size` - 1, and the calls between them in order.

    Attributes:
        calls: The calls, each after those whose outputs it takes.
        inputs: The tensors that come in.
        outputs: The tensors that come out.
        size: Number of tensors.
    """

    calls: tuple[Call, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    size: int

    def forward(self, xs: Sequence[Array], training: bool = False) -> list[Array]:
        """The outputs for a batch, call by call; outside training, nothing of any layer is changed."""

        def made(call: Call, x: Any) -> Any:
            if call.training and not training:
                return forward_apart(call.layer, x)
            return call.layer.forward(x, training and call.training is not False)

        return self.run(xs, made)

    def run(self, values: Sequence[Any], evaluate: Callable[[Call, Any], Any]) -> list[Any]:
        """What comes out where `evaluate(call, x)` gives what comes of a call: arrays, shapes or tensors."""
        at: list[Any] = [None] * self.size
        for tensor, value in zip(self.inputs, values, strict=True):
            at[tensor] = value
        for call in self.calls:
            y = evaluate(call, call.taking(at))
            for tensor, value in zip(call.outputs, y if isinstance(y, list) else [y], strict=True):
                at[tensor] = value
        return [at[tensor] for tensor in self.outputs]

    def flat(self) -> Graph:
        """The same network with every model in it replaced by its own calls."""
        if not any(map(_opens, self.calls)):
            return self
        calls: list[Call] = []
        at = list(range(self.size))  # the number that a tensor of this graph has in the flat one
        size = self.size
        for call in self.calls:
            taken = tuple(at[tensor] for tensor in call.inputs)
            if not _opens(call):
                calls.append(call._replace(inputs=taken))
                continue
            opened: Any = call.layer
            inner: Graph = opened.graph.flat()
            moved = list(range(size, size + inner.size))
            size += inner.size
            for tensor, source in zip(inner.inputs, taken, strict=True):
                moved[tensor] = source
            calls += [_moved(one, moved, call.training) for one in inner.calls]
            for tensor, output in zip(call.outputs, inner.outputs, strict=True):
                at[tensor] = moved[output]
        return Graph(tuple(calls), self.inputs, tuple(at[tensor] for tensor in self.outputs), size)


def _opens(call: Call) -> bool:
    """Whether it is the call of a model whose own calls are known, as they are not where its `call` makes them."""
    return hasattr(call.layer, "graph") and not call.layer.by_call


def forward_apart(layer: Layer, x: Any) -> Any:
    """What a layer gives as in training, for who does not train: computed by a copy, so that the layer stays as it is.

    Whoever draws up `Dropout(0.5)(x, training=True)` wants predictions that drop. Such a call must be as harmless as
    any other prediction: no moving mean moves, the result is nobody's working memory, and threads may ask at once.
    """
    if layer.by_call:
        return forward_by_call(copy.copy(layer), x, False)
    if isinstance(graph := getattr(layer, "graph", None), Graph):

        def made(call: Call, x: Any) -> Any:
            return call.layer.forward(x, False) if call.training is False else forward_apart(call.layer, x)

        outputs = graph.run(x if isinstance(x, list) else [x], made)
        return outputs if len(outputs) > 1 else outputs[0]
    return bystander(layer).forward(x, True)


def bystander(layer: Layer, whole: bool = False) -> Layer:
    """A copy that computes what the layer would, with statistics and working memory of its own.

    A layer inside of it is copied so, too. With `whole`, and where it says that it `rewrites_weights`, its weights are
    copies as well.
    """
    twin = copy.copy(layer)  # shallow: weights and streams of random numbers are the layer's
    twin._scratch = Scratch()
    whole = whole or layer.rewrites_weights
    for name, value in vars(layer).items():
        if isinstance(value, Variable) and (whole or not value.trainable):
            vars(twin)[name] = Variable(value.value, name=value.name, trainable=False)
        elif isinstance(value, Layer):
            vars(twin)[name] = bystander(value, whole)
    return twin


def _moved(call: Call, to: Sequence[int], training: bool | None) -> Call:
    return call._replace(
        inputs=tuple(to[tensor] for tensor in call.inputs),
        outputs=tuple(to[tensor] for tensor in call.outputs),
        training=training if call.training is None else call.training,
    )


def chain(layers: Iterable[Layer]) -> Graph:
    """The network in which each layer feeds the next.

    Example:
        >>> from multilayer.layers import Activation, Flatten
        >>> graph = chain([Flatten(), Activation("relu")])
        >>> [(call.inputs, call.outputs) for call in graph.calls]
        [((0,), (1,)), ((1,), (2,))]
    """
    calls = tuple(Call(layer, (i,), (i + 1,)) for i, layer in enumerate(layers))
    return Graph(calls, (0,), (len(calls),), len(calls) + 1)


def trace(
    inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]
) -> tuple[Graph, list[Layer], list[KerasTensor]]:
    """The network between tensors, its layers in Keras' order (the farthest from the outputs first), and its tensors.

    Raises:
        ValueError: An output does not come from the inputs, or two layers have one name.
    """
    nodes, seen = _nodes_between(set(inputs), outputs)
    depth: dict[Node, int] = {}
    layer_depth: dict[Layer, int] = defaultdict(int)
    for node in reversed(nodes):
        depth[node] = layer_depth[_layer(node)] = max(depth.get(node, 0), layer_depth[_layer(node)])
        for tensor in node.inputs:
            if tensor not in inputs:
                depth[tensor.node] = max(depth.get(tensor.node, 0), depth[node] + 1)
    first = [tensor.node.operation for tensor in inputs if isinstance(tensor.node.operation, InputLayer)]
    for tensor in inputs:
        layer = _layer(tensor.node)
        farthest = max((depth[node] + 1 for node in nodes if tensor in node.inputs), default=0)
        if layer in first:
            layer_depth[layer] = max(layer_depth[layer], farthest)
    traversed = {layer: i for i, layer in enumerate(seen)}
    layers = sorted(layer_depth, key=lambda layer: (-layer_depth[layer], traversed.get(layer, -1)))
    _require_unique_names(layers)
    number = {tensor: i for i, tensor in enumerate(dict.fromkeys(inputs))}
    calls = []
    # Those of one depth stay in the order in which Keras runs them: the running means of a shared layer depend on it.
    for node in sorted(depth, key=lambda node: -depth[node]):
        for tensor in node.outputs:
            number.setdefault(tensor, len(number))
        calls.append(
            Call(
                _layer(node),
                tuple(number[tensor] for tensor in node.inputs),
                tuple(number[tensor] for tensor in node.outputs),
                node.single,
                node.training,
                node.number,
                node.form,
            )
        )
    graph = Graph(tuple(calls), tuple(number[t] for t in inputs), tuple(number[t] for t in outputs), len(number))
    return graph, layers, list(number)


def replay(
    graph: Graph,
    inputs: Sequence[KerasTensor],
    layers: Mapping[Layer, Layer],
    called: Callable[..., Any] | None = None,
) -> list[KerasTensor]:
    """All tensors where the same calls are made again, of other layers, from these inputs on.

    With `called`, a layer's result is what `called(layer, x)` makes of it, or `called(layer, x, training=...)`.
    """
    at: list[Any] = [None] * graph.size
    for number, tensor in zip(graph.inputs, inputs, strict=True):
        at[number] = tensor
    for call in graph.calls:
        args, kwargs = as_arguments(call.taking(at))
        layer = layers[call.layer]
        if called is None:
            found = layer(*args, training=call.training, **kwargs)
        else:
            named = {} if call.training is None else {"training": call.training}
            found = called(layer, *args, **kwargs, **named)
        for number, tensor in zip(call.outputs, flatten(found), strict=True):
            at[number] = tensor
    return at


def _layer(node: Node) -> Layer:
    """The layer that a call is one of: tensors, which lie below the layers, know it as an operation."""
    assert isinstance(node.operation, Layer)
    return node.operation


def _nodes_between(inputs: set[KerasTensor], outputs: Iterable[KerasTensor]) -> tuple[list[Node], dict[Layer, None]]:
    """The calls that lead to the outputs, each after those it needs, and the layers as they are met on the way back."""
    done: dict[Node, None] = {}
    seen: dict[Layer, None] = {}
    for output in outputs:
        stack: list[tuple[KerasTensor, bool]] = [(output, False)]
        while stack:
            tensor, left = stack.pop()
            node = tensor.node
            if left:
                done[node] = None
                continue
            if tensor in inputs:
                seen.setdefault(_layer(node))
                continue
            if node in done:
                continue
            if isinstance(node.operation, InputLayer):
                raise ValueError(
                    tr(
                        "The output {name!r} of layer '{layer}' is not connected to `inputs`: it also needs "
                        "the input '{input}'. Graph disconnected.",
                        name=output.name,
                        layer=output.node.operation.name,
                        input=tensor.name,
                    )
                )
            seen.setdefault(_layer(node))
            stack.append((tensor, True))
            stack.extend((source, False) for source in reversed(node.inputs))
    return list(done), seen


def _require_unique_names(layers: Sequence[Layer]) -> None:
    for name, count in Counter(layer.name for layer in layers).items():
        if count > 1:
            raise ValueError(
                tr(
                    'The name "{name}" is used {count} times in the model. All operation names should be '
                    "unique. Pass `name` to the layers.",
                    name=name,
                    count=count,
                )
            )
