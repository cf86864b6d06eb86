"""Layers and the tape: a built-in layer is one step of it, and a layer with `call` is differentiated by it.

- A layer that has `forward` and `backward`, called while a tape records, becomes one node with its own backward pass.
- A layer that has `call` gets its `forward` and `backward` from here: the first runs `call` on a tape, the second goes
  back on it. So whoever trains a network need not know which of the two a layer is.
"""

from __future__ import annotations

import math
import sys
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from multilayer import activations
from multilayer._core import tape
from multilayer._core.arena import Effort, Fresh, Variable, claim_effort
from multilayer._core.masks import values_of
from multilayer._core.tape import (
    Recording,
    Rule,
    Tensor,
    as_tensor,
    backpropagate,
    not_recording,
    plain,
    record,
    tracked,
)
from multilayer.layers.symbolic import KerasTensor, Node, Operation, flatten, pack_like

# A `layers.Layer`, which is defined with what stands here.
Layer: TypeAlias = Any


class Arguments(NamedTuple):
    """What a layer's `call` is given, where that is not one thing."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class _Context(threading.local):
    """What calls of layers within a call take over from it: `training`, and the penalties that are gathered."""

    training: bool | None = None
    penalties: list[Any] | None = None
    penalty: float | None = None  # what the last `forward_by_call` gathered
    unwritten: set[Variable] | None = None  # weights whose own gradients `backward_by_call` has still to write


context = _Context()


class calling:  # noqa: N801 - used as a function is
    """Within it, layers that are called without `training` take this one."""

    __slots__ = ("before", "training")

    def __init__(self, training: bool | None) -> None:
        self.training = training

    def __enter__(self) -> None:
        self.before, context.training = context.training, self.training

    def __exit__(self, *_: object) -> None:
        context.training = self.before


# What losses can be computed from the input of, rather than the output: see `Loss.fuses`.
_FUSED = {"sigmoid": activations.sigmoid, "softmax": activations.softmax}
_FRESH = Fresh()


class _LayerRule(Rule):
    """One call of a layer with a backward pass of its own: its operands are the inputs, then the weights it trains.

    Where the layer ends in an activation that a loss may want to look behind, `a` is what that was applied to; it is
    the value of a node of its own then, of the layer without its activation: the `affine` part.
    """

    __slots__ = ("a", "affine", "layer", "num_inputs", "single", "variables")
    differentiable = tape.EVERY_POSITION

    def __init__(
        self, layer: Layer, num_inputs: int, single: bool, variables: Sequence[Variable], a: Any = None
    ) -> None:
        self.function, self.vjps, self.name = layer.forward, (), type(layer).__name__
        self.a = a
        self.affine = False
        self.layer = layer
        self.num_inputs = num_inputs
        self.single = single
        self.variables = variables

    def before(self, node: tape.Node, activation: str) -> Tensor | None:
        if self.a is None or self.layer.activation is not _FUSED.get(activation):
            return None
        rule = _LayerRule(self.layer, self.num_inputs, self.single, self.variables)
        rule.affine = True
        return Tensor(self.a, tape.Node(node.session, self.a, rule, node.values, {}, node.ways))

    def backward(self, node: tape.Node, g: Any, positions: Sequence[int], recorded: bool) -> list[Any]:
        if recorded:
            return self._taken_apart(node, g, positions)
        n = self.num_inputs
        wanted = [self.variables[p - n] for p in positions if p >= n]
        unwritten = context.unwritten
        if unwritten is not None and len(wanted) == len(self.variables) and unwritten.issuperset(wanted):
            unwritten.difference_update(wanted)
            layer, gradients = self.layer, [variable.gradient for variable in wanted]
        else:
            layer, gradients = self._receiving(node.values[n:], wanted)
        attributes: Any = vars(layer)  # set there, it costs less than as an attribute
        attributes["needs_dx"] = positions[0] < n
        # A layer may write into what it is given, and this gradient may be that of another operand, too.
        dx = (layer.linear_backward if self.affine else layer.backward)(np.array(g))
        if positions[0] >= n:
            return gradients
        return [dx, *gradients] if self.single else [*(dx[p] for p in positions if p < n), *gradients]

    def _receiving(self, values: Sequence[Any], wanted: Sequence[Variable]) -> tuple[Layer, list[Any]]:
        """The layer with the weights' values that were recorded, and with memory for the gradients that are wanted."""
        gradients = {variable: np.empty_like(variable.value) for variable in wanted}
        swapped = {v: _with(v, value, gradients.get(v)) for v, value in zip(self.variables, values, strict=True)}
        return _twin_of(self.layer, swapped), list(gradients.values())

    def _taken_apart(self, node: tape.Node, g: Any, positions: Sequence[int]) -> list[Any]:
        """The same gradients computed by steps that can be differentiated again: those of the layer's `call`."""
        layer = self.layer
        require_formula(layer)
        if self.affine:
            layer = _twin_of(layer, {})
            layer.activation = activations.linear
        operands = node.operands
        inputs = operands[: self.num_inputs]
        y = layer.formula(inputs[0] if self.single else inputs)
        sources = [operands[p].node for p in positions]
        found = backpropagate([y], [g], sources) if tracked(y) else [None] * len(sources)
        return [
            np.zeros(operands[p].shape, operands[p].dtype) if one is None else one
            for p, one in zip(positions, found, strict=True)
        ]


def require_formula(layer: Layer) -> None:
    """Raises TypeError where a layer's `call` does not say what its `forward` computes, or where there is none."""
    of_call, of_forward = (_class_with(layer, name) for name in ("call", "forward"))
    if of_call is not of_forward:
        raise TypeError(
            f"Layer '{layer.name}' has a backward pass, which cannot be differentiated again: for a second derivative, "
            f"and for a gradient that passes through it with `training=False`, {of_forward.__name__} needs "
            "`call(self, x, training=False)` beside its `forward`, written with NumPy's functions or `ops`."
        )


def _class_with(layer: Layer, name: str) -> type:
    """Where among its class and the bases of that something is defined."""
    return next((one for one in type(layer).__mro__ if name in vars(one)), object)


def _twin_of(layer: Any, swapped: Mapping[Variable, Variable], known: dict[int, Any] | None = None) -> Any:
    """A copy of a layer with memory of its own for what `backward` needs, and with some variables for others.

    The weights are the same objects, or those that they are swapped for, wherever the layer holds them.
    """
    twin = object.__new__(type(layer))  # `copy.copy` takes ten times as long
    attributes: dict[str, Any] = {**vars(layer), "_scratch": _FRESH}
    object.__setattr__(twin, "__dict__", attributes)
    if layer._holds_layers:
        known = {} if known is None else known
        known[id(layer)] = twin
        attributes.update({name: _exchanged(value, swapped, known) for name, value in attributes.items()})
    elif swapped:
        for name, value in vars(layer).items():
            if type(value) is Variable and value in swapped:
                attributes[name] = swapped[value]
    return twin


def _exchanged(value: Any, swapped: Mapping[Variable, Variable], known: dict[int, Any]) -> Any:
    """An attribute of such a copy: layers within are copies, too."""
    if type(value) is Variable:
        return swapped.get(value, value)
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, Operation):
        return _twin_of(value, swapped, known)
    if type(value) in (list, tuple):
        return type(value)([_exchanged(one, swapped, known) for one in value])
    return {key: _exchanged(one, swapped, known) for key, one in value.items()} if type(value) is dict else value


def _with(variable: Variable, value: Any, gradient: Any) -> Variable:
    twin = Variable.__new__(Variable)
    vars(twin).update(vars(variable), value=value, gradient=gradient, arena=None)
    return twin


def on_tape(layer: Layer, x: Any, training: bool) -> Any:
    """What a built-in layer gives while a tape records: tensors with one node behind them; None where none depends."""
    single = not isinstance(x, (list, tuple))
    # A variable may be what is asked about, as a tensor that is watched.
    inputs = [one if type(one) is Tensor else as_tensor(one) for one in ([x] if single else x)]
    variables = layer.trainable_weights
    if not variables and not any(map(tracked, inputs)):
        return None
    if layer.acts_in_training and not training:
        require_formula(layer)
        return layer.call_structured(x, False)
    values = [layer._batch(one.value if type(one) is Tensor else plain(one)) for one in inputs]
    twin, a = _twin_of(layer, {}), None
    if layer.forward_in_two is not None and layer.activation in _FUSED.values():
        a, y = twin.forward_in_two(values[0])
    else:
        y = twin.forward(values[0] if single else values, True)
    if isinstance(y, list):
        raise TypeError(f"Layer '{layer.name}' gives several outputs: write it with `call` to have it on a tape.")
    operands = [one if type(one) is Tensor else value for one, value in zip(inputs, values, strict=True)]
    rule = _LayerRule(twin, len(inputs), single, variables, a)
    return record(rule, [*operands, *variables], {}, plain_result(y, values))


def plain_result(y: Any, given: Sequence[Any]) -> Any:
    """A result that is not the array which was given, as an identity returns it."""
    owns = y.base is None and all(y is not one for one in given)
    return y if owns or not any(np.may_share_memory(y, one) for one in given) else y.copy()


class Recorded:
    """What `forward` keeps for `backward`, of a layer that is differentiated by the tape."""

    def __init__(self, recording: Recording, inputs: Sequence[Any], outputs: list[Any], penalties: Sequence[Any]):
        self.recording = recording
        self.inputs = inputs
        self.outputs = outputs
        self.penalties = penalties


def forward_by_call(layer: Layer, x: Any, training: bool, within: bool | None = None) -> Any:
    """The output of a layer's `call` for arrays; in training, on a tape that `backward_by_call` goes back on.

    `within` is what `training` is in `call` and for the layers that it calls, where that is something else.
    What it adds to the loss, by `add_loss` and activity regularizers, is then in `context.penalty`.
    """
    given = x.values if type(x) is Filled else flatten(x)
    before, context.penalties = context.penalties, []
    try:
        if training:
            with Recording(strict=True) as recording, calling(training if within is None else within):
                inputs = [_watched(recording, one) if layer.needs_dx else one for one in given]
                y = layer.call_structured(_put(x, inputs), training if within is None else within)
        else:
            with calling(False):
                y = layer.call_structured(_put(x, given), False)
        penalties = context.penalties
    finally:
        context.penalties = before
    outputs = flatten(y)
    require_result(layer, outputs)
    if training:
        layer.recorded = Recorded(recording, inputs, outputs, penalties)
    context.penalty = float(sum(np.sum(plain(one)) for one in penalties)) if penalties else None
    values = [values_of(one) for one in outputs]
    return values if len(values) > 1 else values[0]


def _put(x: Any, values: Sequence[Any]) -> Any:
    """What `call` is given, with these values in the places of the arrays."""
    return filled(x.form, values) if type(x) is Filled else pack_like(x, values)


def _watched(recording: Recording, x: Any) -> Any:
    return recording.watch(Tensor(x)) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x


def require_result(layer: Layer, outputs: Sequence[Any]) -> None:
    """Raises ValueError where `call` gave nothing."""
    if any(one is None for one in outputs):
        raise ValueError(
            f"`call` of layer '{layer.name}' ({type(layer).__name__}) returned None: it must return its output. Is "
            "there a `return`?"
        )


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
    if type(form) is Place:
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
        sizes = [_size(shape, batch, side, layer.is_operation) for shape in shapes]
        if not layer.is_operation:  # which say themselves what they cost
            claim_effort(partial(Effort, *[sum(map(math.prod, sizes))] * 2), layer.name)
        with not_recording(), calling(False), np.errstate(all="ignore"):
            try:
                zeros = _zeros if layer.is_operation else np.zeros
                y = _tried(layer, filled(form, _arrays(zeros, sizes, dtypes)))
            except np.linalg.LinAlgError:  # zeros have no inverse, as they are not positive definite
                y = _tried(layer, filled(form, _arrays(_unity, sizes, dtypes)))
            except (ValueError, TypeError, IndexError) as error:
                if sys.version_info >= (3, 11) and not layer.is_operation:
                    error.add_note(
                        f"Layer '{layer.name}' ({type(layer).__name__}) was tried with zeros of shape "
                        f"{', '.join(map(str, sizes))}, to find the shape of its output."
                    )
                raise
        require_result(layer, flatten(y))
        found.append(y)
    pairs = zip(*([np.shape(plain(one)) for one in flatten(y)] for y in found), strict=True)
    sides = [tuple(a if a == b else None for a, b in zip(one, other, strict=True)) for one, other in pairs]
    if not layer.is_operation:  # a layer gives something for each sample; what has as many rows as the other batch, too
        sides = [(None, *shape[1:]) for shape in sides]
    types = [np.empty(0, np.asarray(plain(one)).dtype) for one in flatten(found[0])]  # the numbers themselves go
    structure = pack_like(found[0], types)
    layer.specs = {**layer.specs, key: (structure, sides)}
    return structure, sides


def _tried(layer: Layer, x: Any) -> Any:
    """What `call` gives; one that asks for a mask may not do without."""
    try:
        return layer.call_structured(x, False)
    except Exception:
        if not (layer.call_takes_mask and isinstance(x, np.ndarray) and x.ndim > 1):
            raise
        return layer.call_structured(Arguments((x,), {"mask": np.ones(x.shape[:2], bool)}), False)


def _size(shape: Any, batch: int, side: int, known: bool) -> tuple[int, ...]:
    """A shape with numbers for what is not known; whether the size of the batch may be `known`."""
    first = tuple(batch if n is None or not known else n for n in shape[:1])
    return (*first, *(side if n is None else n for n in shape[1:]))


def _arrays(made: Callable[..., Any], sizes: Sequence[Any], dtypes: Sequence[str]) -> list[Any]:
    return [made(size, dtype) for size, dtype in zip(sizes, dtypes, strict=True)]


def _zeros(size: tuple[int, ...], dtype: str) -> Any:
    """Zeros that take no memory, however many: a file may describe any number of them."""
    return np.broadcast_to(np.zeros((), dtype), size)


def _unity(size: tuple[int, ...], dtype: str) -> Any:
    return np.broadcast_to(np.eye(size[-2], size[-1], dtype=dtype), size) if len(size) > 1 else np.ones(size, dtype)


def _warn_of_weights(layer: Layer, lost: Sequence[Variable], recording: Recording) -> None:
    """Warns of weights that the output does not depend on, and of those that are nobody's."""
    if lost:
        warnings.warn(
            f"Gradients do not exist for variables {[v.path for v in lost][:10]} when minimizing the loss: what `call` "
            f"of '{layer.name}' returns does not depend on them.",
            stacklevel=2,
        )
    session = recording.session
    met = [v for v, _ in session.leaves.values()] if session is not None else []
    foreign = [v.path for v in met if v.trainable and v not in set(layer.weights)]
    if foreign:
        warnings.warn(
            f"`call` of '{layer.name}' computes with the weights {foreign[:10]}, which are not among its own, so that "
            "they are not trained. Make layers and weights in `__init__` or `build`, and keep them as attributes.",
            stacklevel=2,
        )


def backward_by_call(layer: Layer, dy: Any) -> Any:
    """Writes the gradients of a layer's weights, and gives those of its inputs, from those at its outputs."""
    kept = layer.recorded
    assert kept is not None  # `forward` comes first
    layer.recorded = None
    dys = dy if isinstance(dy, list) else [dy]
    ends = [(y, d) for y, d in zip(kept.outputs, dys, strict=True) if type(y) is Tensor and d is not None]
    ends += [(one, np.ones(one.shape, one.dtype)) for one in kept.penalties if type(one) is Tensor]
    variables = [v for v in layer.trained if v.gradient is not None]
    sources = [kept.recording.node(one) for one in (*variables, *kept.inputs)]
    nodes = [node for node in sources if node is not None]
    before, context.unwritten = context.unwritten, set(variables)
    try:
        given = backpropagate([y for y, _ in ends], [d for _, d in ends], nodes)
    finally:
        context.unwritten = before
    found: dict[Any, Any] = dict(zip(nodes, given, strict=True))
    gradients = list(map(found.get, sources))
    for variable, gradient in zip(variables, gradients):  # noqa: B905 - those of the inputs come behind
        if gradient is not variable.gradient:
            np.copyto(variable.gradient, 0.0 if gradient is None else gradient)
    if not layer.gradients_checked:
        layer.gradients_checked = True
        lost = [v for v, gradient in zip(variables, gradients) if gradient is None]  # noqa: B905
        _warn_of_weights(layer, [v for v in lost if v.regularizer is None], kept.recording)
    if not layer.needs_dx:
        return [None] * len(kept.inputs) if len(kept.inputs) > 1 else None
    dxs = [
        np.zeros(np.shape(one), layer.dtype) if dx is None else np.asarray(dx)
        for one, dx in zip(kept.inputs, gradients[len(variables) :], strict=True)
    ]
    return dxs if len(dxs) > 1 else dxs[0]
