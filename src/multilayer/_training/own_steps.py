"""Training by the steps of a model's own class: `train_step`, `compute_loss` and their like, as Keras calls them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from multilayer._core.masks import values_of
from multilayer._language import tr
from multilayer._training.graph import Graph
from multilayer._training.heads import Head
from multilayer._training.protocols import Logs
from multilayer._training.trainer import Arrays, Trainer, Weights, figure
from multilayer.functional import Array
from multilayer.layers.symbolic import flatten, require_order
from multilayer.metrics import Metric
from multilayer.optimizers import Optimizer


class Stepping(Protocol):
    """A model with steps of its own, as its trainer sees it. `models.Model` says what each is."""

    @property
    def metrics(self) -> list[Metric]:
        """What begins anew with every epoch."""

    def as_given(self, xs: Arrays, ys: Weights, sample_weights: Weights) -> Any:
        """A batch in the form in which the user gave all samples."""

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of training; returns what is to be logged."""

    def test_step(self, data: Any) -> dict[str, Any]:
        """One step of evaluating; returns what is to be logged."""


class OwnStepsTrainer(Trainer):
    """Leaves each step to the model, and keeps what it returns.

    Args:
        model: The model.
        optimizer: The optimizer that `compile` was given.
        heads: What is wanted of each output, for the steps that Keras has by default.
    """

    def __init__(self, model: Stepping, optimizer: Optimizer | None, heads: Sequence[Head]) -> None:
        super().__init__(optimizer, heads)  # type: ignore[arg-type]  # a model may have others instead
        self._model = model

    def connect(self, graph: Graph) -> None:
        """There is nothing to connect: the model calls its layers itself."""

    def connect_to_train(self, graph: Graph) -> None:
        """The same."""

    def reconnect(self) -> None:
        """The same."""

    def resolve_metrics(self, ys: Sequence[Array | None], output_shapes: Sequence[tuple[int | None, ...]]) -> None:
        """Metrics that `compile` named are made when the first outputs are there."""

    def train_step(self, xs: Arrays, ys: Weights, sample_weights: Weights) -> None:
        self.step_logs = _logged(self._model.train_step(self._model.as_given(xs, ys, sample_weights)), "train_step")

    def test_step(self, xs: Arrays, ys: Weights, sample_weights: Weights) -> None:
        self.step_logs = _logged(self._model.test_step(self._model.as_given(xs, ys, sample_weights)), "test_step")

    def finish(self) -> None:
        """Ends a training: an optimizer that keeps a running mean of the weights puts it in their place."""
        if self.optimizer is not None and self.optimizer.built:
            self.optimizer.finalize_variable_values(self.optimizer.trained)

    @property
    def all_metrics(self) -> list[Metric]:
        return list(self._model.metrics)

    @property
    def tracked_metrics(self) -> list[Metric]:
        of_heads = super().tracked_metrics
        return [*of_heads, *(one for one in self._model.metrics if one not in of_heads)]

    def compiled(self) -> list[Metric]:
        """What `compile` was given, as Keras has it among a model's metrics: the loss's mean, all metrics as one."""
        metrics = [CompileMetrics(self)] if any(head.is_measured for head in self.heads) else []
        return [self.loss_tracker, *metrics, *self.loss_trackers]

    def measure(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into the metrics that `compile` was given."""
        for head, y, output, weight in by_head(self.heads, y_true, y_pred, sample_weight):
            if y is not None:
                y, output = values_of(y), values_of(output)
                head.resolve_metrics(y, (None, *output.shape[1:]))
                head.track(y, output, weight)

    def measured(self) -> Logs:
        """The values of those metrics so far."""
        return {name: value for name, value in super().results().items() if name != "loss"}

    def reset_metrics(self) -> None:
        super().reset_metrics()
        self.step_logs = {}

    def standing(self) -> Logs:
        """Where all metrics stand."""
        logs: Logs = {}
        for metric in self._model.metrics:
            result = metric.result()
            logs.update(result if isinstance(result, dict) else {metric.name: result})
        return logs

    def results(self) -> Logs:
        """What the last step returned; where that is one value for each metric, where the metrics stand.

        So says Keras. Where the step computed a loss that it told no metric of, Keras shows 0, this its loss.
        """
        standing = _logged(self.standing(), "get_metrics_result")
        if set(standing) != set(self.step_logs):
            return dict(self.step_logs)
        return {**self.step_logs, **{name: value for name, value in standing.items() if name != "loss" or self._told()}}

    def _told(self) -> bool:
        """Whether anyone has told a metric of the loss."""
        return self.loss_tracker.count > 0 or self.loss_tracker not in self._model.metrics


class CompileMetrics(Metric):
    """All metrics that `compile` was given, as one that `train_step` updates as any other; its result is a dict."""

    def __init__(self, trainer: OwnStepsTrainer) -> None:
        super().__init__(name="compile_metrics")
        self._trainer = trainer

    @property
    def variables(self) -> list[Any]:
        return [variable for metric in self._compiled() for variable in metric.variables]

    def _compiled(self) -> list[Metric]:
        return [metric for head in self._trainer.heads for metric in (*head.metrics, *head.weighted_metrics)]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self._trainer.measure(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        return self._trainer.measured()

    def reset_state(self) -> None:
        for metric in self._compiled():
            metric.reset_state()


def by_head(heads: Sequence[Head], y: Any, y_pred: Any, sample_weight: Any) -> list[tuple[Head, Any, Any, Any]]:
    """For each output what is wanted of it, its targets, itself, and the weights of its samples."""
    outputs = flatten(y_pred)
    targets = [None] * len(outputs) if y is None else _for_outputs(y, y_pred, "y")
    weights = [None] if sample_weight is None else _for_outputs(sample_weight, y_pred, "sample_weight")
    weights = weights * len(outputs) if len(weights) == 1 else weights
    return list(zip(heads, targets, outputs, weights, strict=False))


def _for_outputs(given: Any, y_pred: Any, argument: str) -> list[Any]:
    """What was given for the outputs, in their order, which is that of their names where they are a dict.

    Raises:
        ValueError: It is a list, and the outputs are a dict in another order: it would be paired crosswise.
    """
    if isinstance(y_pred, dict) and isinstance(given, dict) and len(y_pred) == len(flatten(y_pred)):
        return [given.get(key) for key in sorted(y_pred)]
    require_order(given, y_pred, argument)
    return flatten(given)


def _logged(logs: Any, step: str) -> Logs:
    """What a step returned, as numbers by name.

    Raises:
        ValueError: It is no dict.
    """
    if not isinstance(logs, dict):
        raise ValueError(
            tr(
                "`{step}` must return a dict from names to what is to be logged, such as `{{'loss': loss}}` or "
                "`{{m.name: m.result() for m in self.metrics}}`. It returned: {logs!r:.100}",
                step=step,
                logs=logs,
            )
        )
    found: Logs = {}
    for name, value in logs.items():
        if isinstance(value, dict):
            found.update(_logged(value, step))
            continue
        found[str(name)] = figure(value)
    return found
