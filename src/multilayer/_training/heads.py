"""The end of a network: one output with its targets, its loss, and its metrics."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from typing import Any

from multilayer import activations
from multilayer import metrics as metrics_module
from multilayer._core.arena import Scratch
from multilayer._language import tr
from multilayer._training.graph import Graph
from multilayer.functional import Array
from multilayer.layers import Activation, Dense, Layer, Softmax
from multilayer.losses import Loss
from multilayer.losses.base import weight_of_steps
from multilayer.losses.by_shape import resolve
from multilayer.metrics import Mean, Metric
from multilayer.metrics.loss_means import Crossentropy

FUSABLE = (Dense, Activation, Softmax)  # a class of the user's own may do anything in its `forward`


class Head:
    """One output of a model: the loss it has, what that weighs in the whole, and the metrics that are kept of it.

    Where the layer that gives the output ends in an activation that has a common, numerically stable form with the
    loss (softmax or sigmoid with its cross-entropy), the two are computed as one: the network then ends at that
    layer's affine part.

    Args:
        name: The output's name; None where it is the only one.
        loss: The loss; None where the output is not trained on.
        weight: The loss's share in the whole.
        metrics: Metrics as `compile` takes them.
        weighted_metrics: The same, for metrics that heed sample weights.
    """

    def __init__(
        self,
        name: str | None,
        loss: Loss | None,
        weight: float = 1.0,
        metrics: Sequence[Any] = (),
        weighted_metrics: Sequence[Any] = (),
    ) -> None:
        self.name = name
        self.loss = loss
        self.weight = weight
        self.fused = False
        self._by_call: tuple[Layer, int] | None = None  # the layer whose `call` gives the output, as which of its own
        self._ends_in: activations.Activation | None = None  # the activation that gives the output
        self.metrics: list[Metric] = []
        self.weighted_metrics: list[Metric] = []
        self.loss_tracker = Mean(name=f"{name}_loss")
        self.loss_place = 0  # among the means of all losses, where these do not go by the outputs
        self._unresolved = (metrics, weighted_metrics)
        self._scratch = Scratch()

    def fuse(self, graph: Graph, number: int) -> bool:
        """Whether the network can end before the activation of its output of this number."""
        tensor = graph.outputs[number]
        readers = sum(call.inputs.count(tensor) for call in graph.calls) + graph.outputs.count(tensor)
        call = next((call for call in graph.calls if tensor in call.outputs), None)
        layer = None if call is None else call.layer
        self._ends_in = layer.activation if isinstance(layer, FUSABLE) and type(layer) in FUSABLE else None
        alone = call is not None and call.layer.by_call and readers == 1
        self._by_call = (call.layer, call.outputs.index(tensor)) if alone else None  # type: ignore[union-attr]
        fused = (
            self.loss is not None
            and self.loss.fuses is not None
            and readers == 1
            and call is not None
            and call.layer.activity_regularizer is None
            and self._ends_in is activations.get(self.loss.fuses)
        )
        if fused and not self.fused and getattr(self.loss, "from_logits", False):  # said once
            assert self.loss is not None
            warnings.warn(
                tr(
                    "Loss '{name}' was given `from_logits=True`, but the model ends in a {fuses}. The loss is "
                    "computed from what the {fuses} is applied to, so that it is not applied twice. Leave out "
                    "`from_logits`, or the activation.",
                    name=self.loss.name,
                    fuses=self.loss.fuses,
                ),
                stacklevel=2,
            )
        self.fused = fused
        return fused

    def prepare(self, y: Array | None, output_shape: tuple[int | None, ...], dtype: str) -> Array | None:
        """The targets as the loss takes them; the first that fit say which loss 'crossentropy' is.

        Raises:
            ValueError: They do not fit the loss.
        """
        if y is None or self.loss is None:
            return y
        loss = resolve(self.loss, y, output_shape)
        prepared = loss.prepare(y, output_shape, dtype)
        self.loss = loss
        return prepared

    def resolve_metrics(self, y: Array | None, output_shape: tuple[int | None, ...]) -> None:
        """Makes the metrics that `compile` named, once targets and output are known."""
        if self.metrics or self.weighted_metrics or y is None:
            return
        plain, weighted = self._unresolved
        self.metrics = [metrics_module.resolve(m, y, output_shape) for m in plain]
        self.weighted_metrics = [metrics_module.resolve(m, y, output_shape) for m in weighted]

    @property
    def is_measured(self) -> bool:
        """Whether `compile` named a metric for this output."""
        return bool(self._unresolved[0] or self._unresolved[1])

    def value_and_gradient(self, y: Array, output: Array, sample_weight: Array | None) -> tuple[float, Array, Array]:
        """The loss of a batch, the prediction, and the loss's gradient with respect to what the network gave."""
        assert self.loss is not None
        a = output if self.fused else self._behind(output)
        if a is not None:
            output = a
            shape, dtype = output.shape, output.dtype
            y_hat = self._scratch("y_hat", shape, dtype)  # (n, ..., k)
            da = self._scratch("da", shape, dtype)  # (n, ..., k)
            losses = self._scratch("losses", shape[:-1], dtype)  # (n, ...)
            loss, dy = self.loss.value_and_gradient_fused(y, output, sample_weight, y_hat, da, losses)
        else:
            y_hat = output  # (n, ..., k)
            dy = self._scratch("dy", output.shape, output.dtype)  # (n, ..., k)
            work = self._scratch("work", output.shape, output.dtype)
            loss, dy = self.loss.value_and_gradient(y, output, sample_weight, out=dy, work=work)
        if self.weight != 1.0:
            dy *= self.weight
        return loss, y_hat, dy

    def _behind(self, output: Array) -> Array | None:
        """What the last activation was applied to, where a `call` gave the output on a tape; else None.

        The way back then begins there.
        """
        recorded = None if self._by_call is None else self._by_call[0].recorded
        if recorded is None:
            return None
        assert self._by_call is not None
        assert self.loss is not None
        number = self._by_call[1]
        tensor = recorded.outputs[number]
        a = self.loss.behind(tensor)
        if a is None or tensor.value is not output:  # it was recorded of another batch
            return None
        recorded.outputs[number] = a
        return a.value  # type: ignore[no-any-return]

    def weight_of_steps(self, mask: Array, sample_weight: Array | None, y: Array | None) -> Array | None:
        """What each step of the output weighs in the loss where a mask, (n, steps), says which count."""
        return sample_weight if self.loss is None or y is None else self.loss.masked_weight(mask, sample_weight, y)

    def track(
        self,
        y: Array | None,
        y_hat: Array,
        sample_weight: Array | None,
        logits: Array | None = None,
        mask: Array | None = None,
    ) -> None:
        """Takes a batch into the metrics.

        Args:
            y: Targets.
            y_hat: Predictions.
            sample_weight: What samples weigh, for the metrics that heed it.
            logits: What the last activation was applied to, where that is fused.
            mask: Which steps count; None where all do.
        """
        if mask is not None:
            self._track_steps(y, y_hat, sample_weight, logits, mask)
            return
        for metric in self.metrics:
            if isinstance(metric, Crossentropy) and self._gives(metric.fuses):
                metric.update_behind_activation(y, y_hat, logits)  # type: ignore[arg-type]
            else:
                metric.update_state(y, y_hat)
        for metric in self.weighted_metrics:
            if isinstance(metric, Crossentropy) and self._gives(metric.fuses):
                metric.update_behind_activation(y, y_hat, logits, sample_weight)  # type: ignore[arg-type]
            else:
                metric.update_state(y, y_hat, sample_weight)

    def _track_steps(
        self, y: Array | None, y_hat: Array, sample_weight: Array | None, logits: Array | None, mask: Array
    ) -> None:
        """The same where steps are padding: no metric that takes weights counts them."""
        of_each = [(one, None) for one in self.metrics] + [(one, sample_weight) for one in self.weighted_metrics]
        for metric, given in of_each:
            weight = weight_of_steps(mask, given)
            if isinstance(metric, Crossentropy) and self._gives(metric.fuses):
                metric.update_behind_activation(y, y_hat, logits, weight)  # type: ignore[arg-type]
            elif "sample_weight" in inspect.signature(metric.update_state).parameters:
                metric.update_state(y, y_hat, sample_weight=weight)
            else:
                metric.update_state(y, y_hat)

    def _gives(self, activation: str) -> bool:
        """Whether the output comes out of this activation."""
        return self._ends_in is activations.get(activation)
