"""Takes one step on a copy of a model, and writes down what it computed."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from multilayer._core.arena import Variable
from multilayer._language import later, tr
from multilayer._training import Trainer
from multilayer._training.data import Batch
from multilayer._training.graph import Call
from multilayer._training.protocols import Network
from multilayer.functional import Array, one_hot
from multilayer.glass import formulas
from multilayer.glass.formulas import Formulas
from multilayer.glass.names import Names
from multilayer.glass.recording import Notes, WatchedHead, WatchedPasses
from multilayer.glass.trace import Entry, Trace


class Traceable(Network, Protocol):
    """A compiled model, as the glass box sees it. `models.Model` says what each is."""

    def compiled_trainer(self, method: str) -> Trainer:
        """What trains it."""

    def checked_batch(self, x: Any, y: Any, sample_weight: Any = None) -> Batch:
        """All samples as one batch."""


def trace(model: Traceable, x: Any, y: Any, sample_weight: Any = None) -> Trace:
    """One training step laid open: what `Model.trace` returns, which tells of the names.

    Args:
        model: A compiled model that is built; it stays as it is.
        x: Inputs, shape (n, ...), as `train_on_batch` takes them.
        y: Targets, shape (n, ...).
        sample_weight: Weight of each sample in the loss, shape (n,).

    Returns:
        Every array that the step computes, by name.

    Raises:
        ValueError: The model is not compiled or not built, the data does not fit, or the optimizer takes no steps on
            batches (`LBFGS`).

    Example:
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((1,)), layers.Dense(1, kernel_initializer="ones")])
        >>> model.compile("sgd", "mse")
        >>> step = trace(model, [[2.0]], [1.0])
        >>> step.loss, step["dW1"].item(), round(step["W1_new"].item(), 3)
        (1.0, 4.0, 0.96)
    """
    trainer = model.compiled_trainer("trace")
    model.require_built("trace")
    if trainer.optimizer.full_batch:
        raise ValueError(
            tr(
                "The optimizer {kind} searches along the whole data set and takes no step on a batch that "
                "could be laid open. Compile the model with another, such as 'sgd'.",
                kind=type(trainer.optimizer).__name__,
            )
        )
    copied = copy.deepcopy(model)
    xs, ys, weights = copied.checked_batch(x, y, sample_weight)
    step = _Step(copied, copied.compiled_trainer("trace"))
    step.take(xs, ys, weights)
    return Trace(
        tr(
            "One step of {kind} '{name}' on {count:,} samples",
            kind=type(model).__name__,
            name=model.name,
            count=len(xs[0]),
        ),
        list(step.entries()),
    )


class _Step:
    """One step on a model that is given away for it."""

    def __init__(self, model: Traceable, trainer: Trainer) -> None:
        self.graph = model.flat_graph()
        self.notes = Notes()
        ends = enumerate(zip(trainer.heads, self.graph.outputs, strict=True))
        heads = [WatchedHead(head, self.notes, number, output) for number, (head, output) in ends]
        self.trainer = Trainer(trainer.optimizer, heads, functools.partial(WatchedPasses, self.notes))
        self.trainer.connect_to_train(self.graph)
        self.output_names = model.output_names
        self.names = Names(self.graph, model.input_names, self.output_names)
        self.fused = {self.graph.outputs[i] for i, head in enumerate(heads) if head.fused}
        self.formulas = Formulas(self.graph, self.names, self.fused, self.notes.masks)
        self.variables = list(self.names.weights)
        self.before = {variable: variable.numpy() for variable in self.variables}
        self.gradients: dict[Variable, Array] = {}

    def take(self, xs: Sequence[Array], ys: Sequence[Array | None], weights: Sequence[Array | None]) -> None:
        """Takes the step."""
        self.xs, self.ys, self.weights = xs, ys, weights
        self.penalties = {v: float(v.regularizer(v.value)) for v in self.variables if v.trainable and v.regularizer}
        self.loss = self.trainer.gradients(xs, ys, weights)
        self.gradients = {v: v.gradient.copy() for v in self.variables if v.gradient is not None}
        self.rate = float(self.trainer.optimizer.learning_rate)
        self.trainer.update()

    def entries(self) -> Iterator[Entry]:
        """What was computed, in order."""
        yield from self._forward()
        yield from self._losses()
        yield from self._backward()
        yield from self._update()

    def _forward(self) -> Iterator[Entry]:
        names = self.names
        for tensor, x in zip(self.graph.inputs, self.xs, strict=True):
            yield Entry(names.tensors[tensor], later("input"), np.array(x), "forward")
        shown: set[Variable] = set()
        for call in self.graph.calls:
            for variable in call.layer.weights:
                if variable not in shown:
                    yield Entry(names.weights[variable], variable.path, self.before[variable], "forward")
                shown.add(variable)
            yield from self._call_forward(call)

    def _call_forward(self, call: Call) -> Iterator[Entry]:
        names, notes, tensor = self.names, self.notes, call.outputs[0]
        if tensor in notes.affine:
            yield Entry(names.affine[tensor], self.formulas.affine(call), notes.affine[tensor], "forward")
            if names.tensors[tensor] == names.affine[tensor]:
                return
        if tensor in notes.masks:
            yield Entry(
                names.masks[tensor], tr("drawn by {name}", name=call.layer.name), notes.masks[tensor], "forward"
            )
        for target in call.outputs:
            value = self._predicted(target)
            yield Entry(names.tensors[target], self.formulas.output(call), value, "forward")

    def _predicted(self, tensor: int) -> Array:
        """What a tensor holds; at an output, what the network predicts."""
        if tensor in self.fused:
            return self.notes.predictions[self.graph.outputs.index(tensor)]
        return self.notes.values[tensor]

    def _losses(self) -> Iterator[Entry]:
        terms = []
        for number, loss in self.notes.losses.items():
            head, y, y_hat = self.trainer.heads[number], self.ys[number], self.notes.predictions[number]
            assert y is not None  # a loss has been computed
            assert head.loss is not None
            ending = self._ending(number)
            target = f"Y{ending}" if _are_labels(y, y_hat) else f"t{ending}"
            yield Entry(target, later("labels") if _are_labels(y, y_hat) else later("targets"), np.array(y), "loss")
            if _are_labels(y, y_hat):
                yield Entry(f"t{ending}", f"one_hot({target})", one_hot(y, y_hat.shape[-1]).astype(y_hat.dtype), "loss")
            given = [target, self.names.tensors[self.graph.outputs[number]]]
            weight = self.weights[number]
            if weight is not None:
                given.append(f"sample_weight{ending}")
                yield Entry(given[-1], later("given"), np.array(weight), "loss")
            formula = f"{head.loss.name}({', '.join(given)})"
            if len(self.notes.losses) == 1 and head.weight == 1:
                terms.append(formula)
                continue
            yield Entry(f"loss{ending}", formula, np.array(loss), "loss")
            terms.append(f"loss{ending}" if head.weight == 1 else f"{head.weight:g} loss{ending}")
        for variable, penalty in self.penalties.items():
            name = f"penalty_{self.names.weights[variable]}"
            formula = f"{type(variable.regularizer).__name__.lower()}({self.names.weights[variable]})"
            yield Entry(name, formula, np.array(penalty), "loss")
            terms.append(name)
        if self.trainer.passes.penalty:
            yield Entry(
                "penalty",
                tr("of outputs, by activity_regularizer"),
                np.array(self.trainer.passes.penalty),
                "loss",
            )
            terms.append("penalty")
        yield Entry("loss", " + ".join(terms), np.array(self.loss), "loss")

    def _ending(self, number: int) -> str:
        """What tells the names at several outputs apart."""
        return f"_{self.output_names[number]}" if len(self.output_names) > 1 else ""

    def _backward(self) -> Iterator[Entry]:
        left = {v: sum(v in call.layer.weights for call in self.notes.back) for v in self.gradients}
        for call in self.notes.back:
            for target in call.outputs:
                if target in self.notes.gradients:
                    yield self._gradient(target, call)
            yield from self._affine_gradient(call)
            for variable in call.layer.weights:
                if variable in left:
                    left[variable] -= 1
                    if left[variable] == 0:  # with its last call, a layer's gradients are complete
                        yield self._weight_gradient(variable)
        reached = {variable for call in self.notes.back for variable in call.layer.weights}
        for variable in self.gradients:
            if variable not in reached:  # no loss depends on it, but perhaps a penalty
                yield self._weight_gradient(variable)

    def _gradient(self, tensor: int, call: Call) -> Entry:
        name = self.names.tensors[tensor]
        parts = [self._at_output(tensor)] if tensor in self.graph.outputs else []
        through = self.formulas.gradient(tensor)
        parts += [through] if through else []
        if call.layer.activity_regularizer is not None:
            parts.append(f"{type(call.layer.activity_regularizer).__name__.lower()}'({name}) / n")
        return Entry(
            self.names.gradient(name), " + ".join(filter(None, parts)), self.notes.gradients[tensor], "backward"
        )

    def _at_output(self, tensor: int) -> str:
        number = self.graph.outputs.index(tensor)
        head, y, y_hat = self.trainer.heads[number], self.ys[number], self.notes.predictions.get(number)
        if y is None or y_hat is None:
            return ""
        if _are_labels(y, y_hat):
            y = one_hot(y, y_hat.shape[-1])
        names = (f"t{self._ending(number)}", self.names.tensors[tensor])
        dy = self.notes.gradients[tensor]
        return formulas.loss_gradient(head, y, y_hat, dy, self.weights[number] is not None, names)

    def _affine_gradient(self, call: Call) -> Iterator[Entry]:
        gradient = self.notes.affine_gradients.get(call.outputs[0])
        if gradient is not None:
            name = self.names.affine_gradient(call, fused=False)
            yield Entry(name, self.formulas.affine_gradient(call), gradient, "backward")

    def _weight_gradient(self, variable: Variable) -> Entry:
        name = self.names.gradient(self.names.weights[variable])
        return Entry(name, self.formulas.weight_gradient(variable), self.gradients[variable], "backward")

    def _update(self) -> Iterator[Entry]:
        for variable in self.variables:
            before, after, name = self.before[variable], variable.numpy(), self.names.weights[variable]
            if variable in self.gradients:
                of = (name, self.names.gradient(name))
                gradient = self.gradients[variable]
                formula = formulas.update(self.trainer.optimizer, self.rate, before, gradient, after, of)
                yield Entry(f"{name}_new", formula, after, "update")
            elif not np.array_equal(before, after):  # running means, which are no optimizer's business
                yield Entry(
                    f"{name}_new",
                    tr("moved by {name}", name=variable.path.rpartition("/")[0]),
                    after,
                    "update",
                )


def _are_labels(y: Array, y_hat: Array) -> bool:
    """Whether targets are class numbers, each of which stands for a row of zeros with a single one."""
    return y.shape == y_hat.shape[:-1] and y.dtype.kind in "iu" and bool(np.all((y >= 0) & (y < y_hat.shape[-1])))
