"""One step of training as one would write it by hand: forward, losses and their gradients, backward, update."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import numpy as np

from multilayer._core.arena import Arena, Variable
from multilayer._core.masks import mask_of
from multilayer._core.tape import plain
from multilayer._language import tr
from multilayer._training.graph import Graph
from multilayer._training.heads import Head
from multilayer._training.masks import with_masks_of_outputs
from multilayer._training.passes import Passes
from multilayer._training.protocols import Logs
from multilayer.functional import Array
from multilayer.layers.holding import held_within
from multilayer.metrics import Mean, Metric
from multilayer.optimizers import Optimizer

Arrays = Sequence[Array]
Weights = Sequence[Array | None]


class Trainer:
    """A network together with what `compile` was given: all that a step needs, set up once.

    Args:
        optimizer: The optimizer.
        heads: What is wanted of each output of the network.
        make_passes: What makes the passes through the network: the glass box has some that take notes.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        heads: Sequence[Head],
        make_passes: Callable[[Graph, Collection[int]], Passes] = Passes,
    ) -> None:
        self.optimizer = optimizer
        self.heads = list(heads)
        self._make_passes = make_passes
        self.loss_tracker = Mean(name="loss")
        self.arena: Arena | None = None
        self._passes: Passes | None = None  # forward and back, while it trains
        self._forward_only: Passes | None = None
        self._variables: list[Variable] = []
        self._masks: dict[
            int, int
        ] = {}  # of an output whose steps do not all count: where among the outputs its mask is
        self._penalized: list[Variable] = []
        self._constrained: list[Variable] = []
        self._held_by_layers: list[Metric] = []
        self.step_logs: Logs = {}  # what a step of the model's own has returned: a backup keeps it, as it keeps metrics

    def __getstate__(self) -> dict[str, Any]:
        """A copy connects itself to its own model's layers."""
        return {
            **self.__dict__,
            "arena": None,
            "_passes": None,
            "_forward_only": None,
            "_variables": [],
            "_penalized": [],
            "_constrained": [],
        }

    @property
    def full_batch(self) -> bool:
        """Whether all samples are one batch."""
        return self.optimizer is not None and self.optimizer.full_batch  # it is None where the model has others

    @property
    def _trained_on(self) -> list[int]:
        """The outputs that have a loss."""
        return [i for i, head in enumerate(self.heads) if head.loss is not None]

    @property
    def passes(self) -> Passes:
        """The passes of its steps; `connect_to_train` makes them."""
        assert self._passes is not None
        return self._passes

    # --- Setting up ---

    def connect(self, graph: Graph) -> None:
        """Takes in the model's network, which is built, for the way forward: nothing of its layers is changed."""
        graph, self._masks = with_masks_of_outputs(graph)
        fused = [i for i, head in enumerate(self.heads) if head.fuse(graph, i)]
        self._forward_only = self._make_passes(graph, fused)
        variables = _distinct(v for layer in self._forward_only.layers for v in layer.weights)
        self._held_by_layers = held_within(self._forward_only.layers, Metric)
        self._penalized = [v for v in variables if v.trainable and v.regularizer]

    def connect_to_train(self, graph: Graph) -> None:
        """Takes in the model's network for the way back, too: the variables move into this trainer's arena."""
        self.connect(graph)
        assert self._forward_only is not None  # just made
        self._passes = self._forward_only
        self._variables = _distinct(v for layer in self._passes.layers for v in layer.weights)
        trainable = [v for v in self._variables if v.trainable]
        self._constrained = [v for v in trainable if v.constraint]
        self.optimizer.follow(trainable)
        if self.arena is None or not self.arena.holds(self._variables):
            self.arena = Arena(self._variables)
        self._passes.prepare_backward(self._trained_on)

    def reconnect(self) -> None:
        """Takes the layers back where a callback has trained another model that shares some of them."""
        assert self.arena is not None  # `connect_to_train` comes first
        assert self._passes is not None
        if not self.arena.holds(self._variables):
            self.connect_to_train(self._passes.graph)
        elif not self._passes.holds():
            self._passes.take_hold()

    def resolve_metrics(self, ys: Sequence[Array | None], output_shapes: Sequence[tuple[int | None, ...]]) -> None:
        """Makes the metrics that `compile` named, once targets and outputs are known."""
        for head, y, shape in zip(self.heads, ys, output_shapes, strict=True):
            head.resolve_metrics(y, shape)

    # --- One batch ---

    def train_step(self, xs: Arrays, ys: Weights, sample_weights: Weights) -> None:
        """One step of gradient descent."""
        self.gradients(xs, ys, sample_weights)
        self.update()

    def update(self) -> None:
        """Moves the weights by the gradients that lie in the arena."""
        assert self.arena is not None  # `connect_to_train` comes first
        self.optimizer.step(self.arena.gradients, self.arena.parameters)
        for variable in self._constrained:
            np.copyto(variable.value, variable.constraint(variable.value))  # type: ignore[misc]

    def gradients(self, xs: Arrays, ys: Weights, sample_weights: Weights) -> float:
        """The loss of a batch; its gradients then lie in the arena."""
        assert self._passes is not None  # `connect_to_train` comes first
        loss, dys = self._forward(self._passes, xs, ys, sample_weights, training=True)
        self._passes.backward(dys)
        if self._penalized:
            for variable in self._passes.unreached:
                variable.gradient.fill(0.0)  # type: ignore[union-attr]
            for variable in self._penalized:
                np.add(variable.gradient, variable.regularizer.gradient(variable.value), out=variable.gradient)  # type: ignore
        return loss

    def finish(self) -> None:
        """Ends a training: an optimizer that keeps a running mean of the weights puts it in their place."""
        assert self.arena is not None  # `connect_to_train` comes first
        self.optimizer.finalize(self.arena.parameters)

    def test_step(self, xs: Arrays, ys: Weights, sample_weights: Weights) -> None:
        """Loss and metrics of a batch, and nothing changed."""
        assert self._forward_only is not None  # `connect` comes first
        self._forward(self._forward_only, xs, ys, sample_weights, training=False)

    def _forward(
        self, passes: Passes, xs: Arrays, ys: Weights, sample_weights: Weights, *, training: bool
    ) -> tuple[float, list[Array]]:
        """The loss of a batch and its gradients at the outputs; the metrics take note of it."""
        outputs = passes.forward(xs, training)
        total = passes.penalty
        for variable in self._penalized:
            total += float(variable.regularizer(variable.value))  # type: ignore[misc]
        dys = []
        for i, head in enumerate(self.heads):
            y, y_hat, weight = ys[i], outputs[i], sample_weights[i]
            mask = outputs[self._masks[i]] if i in self._masks else mask_of(y_hat)
            own_weight = weight
            if mask is not None:
                weight = head.weight_of_steps(mask, weight, y)
            if head.loss is not None:
                loss, y_hat, dy = head.value_and_gradient(y, y_hat, weight)  # type: ignore[arg-type]
                dys.append(dy)
                total += head.weight * loss
                head.loss_tracker.total += loss  # a mean over batches of whatever size, as Keras on TensorFlow takes it
                head.loss_tracker.count += 1
            head.track(y, y_hat, own_weight, outputs[i] if head.fused else None, mask)
        if not (dys or self._penalized or passes.is_penalized):
            raise ValueError(tr("No loss to compute. Provide a `loss` argument in `compile()`, or call `add_loss`."))
        self.loss_tracker.total += total * len(xs[0])  # the epoch's loss is the mean over its samples
        self.loss_tracker.count += len(xs[0])
        return total, dys

    # --- Metrics ---

    @property
    def loss_trackers(self) -> list[Metric]:
        """The running mean of each output's loss, where several have one."""
        heads = sorted((self.heads[i] for i in self._trained_on), key=lambda head: head.loss_place)
        return [head.loss_tracker for head in heads] if len(heads) > 1 else []

    @property
    def all_metrics(self) -> list[Metric]:
        """The loss's running mean, then all metrics, the weighted ones last, then the means of the outputs' losses."""
        plain = [metric for head in self.heads for metric in head.metrics]
        weighted = [metric for head in self.heads for metric in head.weighted_metrics]
        return [self.loss_tracker, *plain, *weighted, *self.loss_trackers, *self._held_by_layers]

    @property
    def tracked_metrics(self) -> list[Metric]:
        """Everything that is kept of the batches of an epoch, whether or not it is shown."""
        of_heads = [(head.loss_tracker, *head.metrics, *head.weighted_metrics) for head in self.heads]
        return [self.loss_tracker, *(metric for metrics in of_heads for metric in metrics), *self._held_by_layers]

    def reset_metrics(self) -> None:
        """Starts all metrics anew."""
        for metric in self.tracked_metrics:
            metric.reset_state()

    def results(self) -> Logs:
        """The values of all metrics so far, the loss first."""
        logs: Logs = {"loss": float(self.loss_tracker.result())}
        for head in self.heads:
            prefix = f"{head.name}_" if head.name else ""
            for metric in head.metrics:
                _enter(logs, f"{prefix}{metric.name}", metric)
        for head in self.heads:
            prefix = f"{head.name}_" if head.name else ""
            for metric in head.weighted_metrics:
                name = metric.name if f"{prefix}{metric.name}" not in logs else f"weighted_{metric.name}"
                _enter(logs, f"{prefix}{name}", metric)
        for metric in (*self.loss_trackers, *self._held_by_layers):
            _enter(logs, metric.name, metric)
        return logs

    def ordered_results(self) -> list[Any]:
        """The metrics as `evaluate` lists them: the loss, then those called as their metric is, then all others."""
        logs = self.results()
        first = [metric.name for metric in self.all_metrics if metric.name in logs]
        return [logs[name] for name in (*dict.fromkeys(first), *sorted(set(logs) - set(first)))]


def _distinct(variables: Iterable[Variable]) -> list[Variable]:
    return list(dict.fromkeys(variables))


def _enter(logs: Logs, name: str, metric: Metric) -> None:
    """Enters a metric under its name, or numbered where that is taken: accuracy, accuracy_1 and so on."""
    result = metric.result()
    if isinstance(result, dict):
        logs.update({key: figure(value) for key, value in result.items()})
        return
    number = 0
    free = name
    while free in logs:
        number += 1
        free = f"{name}_{number}"
    logs[free] = figure(result)


def figure(value: Any) -> Any:
    """A metric's value as it stands: a copy, as the metric may hold its own memory in it and go on."""
    array = np.array(plain(value))
    return float(array) if array.ndim == 0 else array
