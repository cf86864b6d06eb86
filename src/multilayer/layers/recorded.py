"""Layers and the tape: a built-in layer is one step of it, and a layer with `call` is differentiated by it.

- A layer that has `forward` and `backward`, called while a tape records, becomes one node with its own backward pass.
- A layer that has `call` gets its `forward` and `backward` from here: the first runs `call` on a tape, the second goes
  back on it. So whoever trains a network need not know which of the two a layer is.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from multilayer._core import tape
from multilayer._core.arena import Scratch, Variable
from multilayer._core.tape import Recording, Rule, Tensor, backpropagate, not_recording, plain, record, tracked
from multilayer.layers.symbolic import KerasTensor, Node, flatten, pack_like

if TYPE_CHECKING:
    from multilayer.layers.base import Layer


class Arguments(NamedTuple):
    """What a layer's `call` is given, where that is not one thing."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class _Context(threading.local):
    """What calls of layers within a call take over from it: `training`, and the penalties that are gathered."""

    training: bool | None = None
    penalties: list[Any] | None = None
    penalty: float = 0.0  # what the last `forward_by_call` gathered


context = _Context()


class calling:  # noqa: N801 - used as a function is
    """Within it, layers that are called without `training` take this one."""

    __slots__ = ("before", "training")

    def __init__(self, training: bool) -> None:
        self.training = training

    def __enter__(self) -> None:
        self.before, context.training = context.training, self.training

    def __exit__(self, *_: object) -> None:
        context.training = self.before


class _LayerRule(Rule):
    """One call of a layer with a backward pass of its own: its operands are the inputs, then the weights it trains."""

    __slots__ = ("layer", "num_inputs", "single", "variables")

    def __init__(self, layer: Layer, num_inputs: int, single: bool, variables: Sequence[Variable], y: Any) -> None:
        super().__init__(lambda *_: y, name=type(layer).__name__)
        self.layer = layer
        self.num_inputs = num_inputs
        self.single = single
        self.variables = variables

    def differentiable(self, position: int) -> bool:
        return True

    def backward(self, node: tape.Node, g: Any, positions: Sequence[int], recorded: bool) -> list[Any]:
        if recorded:
            return self._taken_apart(node, g, positions)
        layer = _twin(self.layer)  # which may be asked again
        vars(layer)["needs_dx"] = positions[0] < self.num_inputs
        values = dict(zip(self.variables, node.values[self.num_inputs :], strict=True))
        wanted = {self.variables[p - self.num_inputs] for p in positions if p >= self.num_inputs}
        gradients = _given_gradients(layer, values, wanted)
        # A layer may write into what it is given, and this gradient may be that of another operand, too.
        dx = layer.backward(np.array(g))
        dxs = [dx] if self.single else dx
        return [
            np.array(dxs[p]) if p < self.num_inputs else gradients[self.variables[p - self.num_inputs]]
            for p in positions
        ]

    def _taken_apart(self, node: tape.Node, g: Any, positions: Sequence[int]) -> list[Any]:
        """The same gradients computed by steps that can be differentiated again: those of the layer's `call`."""
        operands = node.operands
        inputs = operands[: self.num_inputs]
        y = formula_of(self.layer)(inputs[0] if self.single else inputs, True)
        sources = [operands[p].node for p in positions]
        found = backpropagate([y], [g], sources)
        return [
            np.zeros(operands[p].shape, operands[p].dtype) if one is None else one
            for p, one in zip(positions, found, strict=True)
        ]


def _twin(layer: Layer, **attributes: Any) -> Layer:
    """A copy that has the layer's weights. (`copy.copy` takes ten times as long.)"""
    twin: Layer = object.__new__(type(layer))
    vars(twin).update(vars(layer), **attributes)
    return twin


def formula_of(layer: Layer) -> Callable[[Any, bool], Any]:
    """What a layer computes, written with NumPy's functions; raises TypeError where it does not say."""
    call = getattr(layer, "call", None)
    if call is None:
        raise TypeError(
            f"Layer '{layer.name}' has a backward pass, which cannot be differentiated again: for a second derivative "
            f"{type(layer).__name__} needs `call(self, x, training=False)`, written with NumPy's functions or `ops`."
        )
    return lambda x, training: call(x, training=training)


def _given_gradients(layer: Layer, values: dict[Variable, Any], wanted: set[Variable]) -> dict[Variable, Any]:
    """Lets a layer's copy have its weights as they were recorded, with memory for the gradients that are wanted."""
    gradients: dict[Variable, Any] = {}
    attributes = vars(layer)
    for name, variable in [one for one in attributes.items() if type(one[1]) is Variable]:
        if variable in values:
            gradient = np.empty_like(variable.value) if variable in wanted else None
            attributes[name] = _sharing(variable, values[variable], gradient)
            if gradient is not None:
                gradients[variable] = gradient
    return gradients


def _sharing(variable: Variable, value: Any, gradient: Any) -> Variable:
    twin = Variable.__new__(Variable)
    vars(twin).update(vars(variable), value=value, gradient=gradient, arena=None)
    return twin


def on_tape(layer: Layer, x: Any, training: bool) -> Any:
    """What a built-in layer gives while a tape records: tensors with one node behind them."""
    single = not isinstance(x, (list, tuple))
    inputs = [x] if single else list(x)
    variables = [v for v in layer.trainable_weights if v.value.dtype.kind == "f"]
    values = [layer._batch(plain(one)) for one in inputs]
    if not variables and not any(map(tracked, inputs)):
        return plain_result(layer.forward(values[0] if single else values, training), values)
    if layer.acts_in_training and not training:
        return formula_of(layer)(x, False)
    twin = _twin(layer, _scratch=Scratch())  # with memory of its own for what `backward` needs
    y = twin.forward(values[0] if single else values, True)
    if isinstance(y, list):
        raise TypeError(f"Layer '{layer.name}' gives several outputs: write it with `call` to have it on a tape.")
    y = plain_result(y, values)
    rule = _LayerRule(twin, len(inputs), single, variables, y)
    return record(
        rule, [*(one if type(one) is Tensor else v for one, v in zip(inputs, values, strict=True)), *variables], {}
    )


def plain_result(y: Any, given: Sequence[Any]) -> Any:
    """A result that is not the array which was given, as an identity returns it."""
    if isinstance(y, list):
        return [plain_result(one, given) for one in y]
    return y.copy() if any(np.may_share_memory(y, one) for one in given) else y


class Recorded:
    """What `forward` keeps for `backward`, of a layer that is differentiated by the tape."""

    def __init__(self, recording: Recording, inputs: Sequence[Any], outputs: Sequence[Any], penalties: Sequence[Any]):
        self.recording = recording
        self.inputs = inputs
        self.outputs = outputs
        self.penalties = penalties


def forward_by_call(layer: Layer, x: Any, training: bool) -> Any:
    """The output of a layer's `call` for arrays; in training, on a tape that `backward_by_call` goes back on.

    What it adds to the loss, by `add_loss` and activity regularizers, is then in `context.penalty`.
    """
    given = x.values if type(x) is Filled else flatten(x)
    before, context.penalties = context.penalties, []
    if layer.adds_losses:
        layer._clear_losses()
    try:
        if training:
            with Recording(strict=True) as recording, calling(True):
                inputs = [_watched(recording, one) if layer.needs_dx else one for one in given]
                y = layer.call_structured(_put(x, inputs), True)
        else:
            with calling(False):
                y = layer.call_structured(_put(x, given), False)
        penalties = context.penalties
    finally:
        context.penalties = before
    require_result(layer, y)
    outputs = flatten(y)
    if training:
        layer.recorded = Recorded(recording, inputs, outputs, penalties)
    layer.adds_losses = bool(penalties)
    context.penalty = float(sum(np.sum(plain(one)) for one in penalties))
    values = [np.asarray(plain(one)) for one in outputs]
    return values if len(values) > 1 else values[0]


def _put(x: Any, values: Sequence[Any]) -> Any:
    """What `call` is given, with these values in the places of the arrays."""
    return filled(x.form, values) if type(x) is Filled else pack_like(x, values)


def _watched(recording: Recording, x: Any) -> Any:
    return recording.watch(Tensor(x)) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x


def require_result(layer: Layer, y: Any) -> None:
    """Raises ValueError where `call` gave nothing."""
    if y is None or any(one is None for one in flatten(y)):
        raise ValueError(
            f"`call` of layer '{layer.name}' ({type(layer).__name__}) returned None: it must return its output. Is there "
            "a `return`?"
        )


def takes(function: Callable[..., Any], argument: str) -> bool:
    """Whether a function takes an argument of this name."""
    return argument in inspect.signature(function).parameters


def connect_by_call(layer: Layer, x: Any, training: bool | None) -> Any:
    """The tensors that a layer with `call` will give for these, in the structure in which it gives them."""
    leaves = flatten(x)
    tensors = [one for one in leaves if isinstance(one, KerasTensor)]
    places = iter(range(len(tensors)))
    form = pack_like(x, [Place(next(places)) if isinstance(one, KerasTensor) else one for one in leaves])
    layer.ensure_built(shapes_of(x))
    layer.called_with = tuple(tensor.dtype for tensor in tensors)
    structure, shapes = _spec(layer, form, [tensor.shape for tensor in tensors])
    alone = isinstance(form, Place)
    node = Node(layer, tensors, alone, training, None if alone else form)
    types = [np.asarray(plain(one)).dtype for one in flatten(structure)]
    dtypes = [layer.dtype if one.kind == "f" else str(one) for one in types]
    outputs = layer.record(node, shapes if len(shapes) > 1 else shapes[0], dtypes)
    return pack_like(structure, flatten(outputs))


def shapes_of(given: Any) -> Any:
    """The shapes of what a layer is called with, the batch None, in the same structure."""
    if isinstance(given, Arguments):
        given = given.args[0] if given.args else next(iter(given.kwargs.values()))
    if isinstance(given, dict):
        return {key: shapes_of(one) for key, one in given.items()}
    if isinstance(given, (list, tuple)):
        return [shapes_of(one) for one in given]
    shape = np.shape(given) if not hasattr(given, "shape") else given.shape
    return (None, *shape[1:])


def output_shape_by_call(layer: Layer, shape: Any) -> Any:
    """The shape, or shapes, of what a layer's `call` gives for arguments of these shapes."""
    if type(shape) is Filled:
        form, shapes = shape.form, list(shape.values)
    else:
        shapes = []
        form = _places(shape, shapes)
    layer.ensure_built(shapes[0] if isinstance(form, Arguments) else shape)
    _, found = _spec(layer, form, shapes)
    found = [(shapes[0][0], *one[1:]) for one in found]
    return found if len(found) > 1 else found[0]


def _places(shape: Any, shapes: list[Any]) -> Any:
    """A structure with the numbers of shapes in their places, which are collected."""
    if isinstance(shape, dict):
        return {key: _places(one, shapes) for key, one in shape.items()}
    if isinstance(shape, (list, tuple)) and not all(isinstance(n, (int, np.integer, type(None))) for n in shape):
        return [_places(one, shapes) for one in shape]
    if isinstance(shape, (list, tuple)):
        shapes.append(tuple(shape))
        return Place(len(shapes) - 1)
    return shape


class Place(NamedTuple):
    """Where in the arguments of a call a tensor stands: in a form, the number of the tensor."""

    number: int


class Filled(NamedTuple):
    """The arguments of a call: a form, and the values for its places."""

    form: Any
    values: Sequence[Any]


def as_arguments(x: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What a layer is called with, as positional and named arguments."""
    x = filled(x.form, x.values) if type(x) is Filled else x
    return (x.args, x.kwargs) if isinstance(x, Arguments) else ((x,), {})


def filled(form: Any, values: Sequence[Any]) -> Any:
    """The arguments of a call, with these values in their places."""
    if isinstance(form, Place):
        return values[form.number]
    if isinstance(form, dict):
        return {key: filled(one, values) for key, one in form.items()}
    if isinstance(form, (list, tuple)):
        inner = [filled(one, values) for one in form]
        return type(form)(*inner) if hasattr(form, "_fields") else type(form)(inner)
    return form


def _spec(layer: Layer, form: Any, shapes: Sequence[Any]) -> tuple[Any, list[Any]]:
    """The structure of what `call` gives, and its shapes: by calling it with two small batches of different sizes.

    A side that differs between the two is one that depends on the batch, or on another side that is not known.
    """
    key = (repr(form), tuple(shape[1:] for shape in shapes))
    known = layer.specs.get(key)
    if known is not None:
        return known  # type: ignore[no-any-return]
    dtypes = layer.called_with if len(layer.called_with) == len(shapes) else (layer.dtype,) * len(shapes)
    found = []
    for batch, side in ((2, 5), (3, 7)):
        sizes = [tuple(batch if i == 0 else side if n is None else n for i, n in enumerate(shape)) for shape in shapes]
        arrays = [np.zeros(size, dtype) for size, dtype in zip(sizes, dtypes, strict=True)]
        with not_recording(), calling(False), np.errstate(all="ignore"):
            y = layer.call_structured(filled(form, arrays), False)
        require_result(layer, y)
        found.append(y)
    pairs = zip(*([np.shape(plain(one)) for one in flatten(y)] for y in found), strict=True)
    sides = [tuple(a if a == b else None for a, b in zip(one, other, strict=True)) for one, other in pairs]
    layer.specs = {**layer.specs, key: (found[0], [(None, *shape[1:]) for shape in sides])}
    return layer.specs[key]


def backward_by_call(layer: Layer, dy: Any) -> Any:
    """Writes the gradients of a layer's weights, and gives those of its inputs, from those at its outputs."""
    kept = layer.recorded
    assert kept is not None  # `forward` comes first
    layer.recorded = None
    dys = dy if isinstance(dy, list) else [dy]
    ends = [(y, d) for y, d in zip(kept.outputs, dys, strict=True) if type(y) is Tensor and d is not None]
    ends += [(one, np.ones(one.shape, one.dtype)) for one in kept.penalties if type(one) is Tensor]
    variables = [v for v in layer.trained if v.gradient is not None]
    leaves = [kept.recording.leaf(v) for v in variables]
    inputs = [one if type(one) is Tensor else None for one in kept.inputs]
    nodes = [one.node for one in (*leaves, *inputs) if one is not None and one.node is not None]
    found = dict(zip(nodes, backpropagate([y for y, _ in ends], [d for _, d in ends], nodes), strict=True))
    for variable, leaf in zip(variables, leaves, strict=True):
        gradient = None if leaf is None else found.get(leaf.node)
        np.copyto(variable.gradient, 0.0 if gradient is None else gradient)  # type: ignore[arg-type]
    dxs = [
        np.zeros(np.shape(one), layer.dtype) if t is None or (g := found.get(t.node)) is None else np.asarray(g)
        for one, t in zip(kept.inputs, inputs, strict=True)
    ]
    return dxs if len(dxs) > 1 else dxs[0]
