"""The steps of training as Keras names them: what a class of one's own may write over, and what they do by default."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from multilayer._core.tape import Recording, Tensor, as_results, backpropagate, not_recording, plain, seed_like
from multilayer._core.tape.eager import eager
from multilayer._language import tr
from multilayer._training.own_steps import OwnStepsTrainer, by_head
from multilayer._training.streams import unpacked
from multilayer.layers.holding import held_within, layers_within
from multilayer.layers.symbolic import flatten, pack_like
from multilayer.metrics import Metric
from multilayer.optimizers import Optimizer

STEPS = ("train_step", "test_step", "predict_step", "compute_loss", "compute_metrics")


class StepsMixin:
    """What a model does with one batch, where its class has a say in it."""

    optimizer: Any
    built: bool
    trainable_weights: list[Any]
    losses: list[Any]
    _trainer: Any
    # Forms of x, y and sample weights, by how many arrays each has: those of training and of validation may differ.
    _given_forms: Mapping[tuple[int, ...], tuple[Any, Any, Any]] = MappingProxyType({})

    @classmethod
    def _writes_over(cls, *names: str) -> bool:
        """Whether a class of the user's has written over one of these methods."""
        own = [vars(one) for one in cls.__mro__ if one.__module__.partition(".")[0] != "multilayer"]
        return any(name in attributes for attributes in own for name in names)

    def as_given(self, xs: Any, ys: Any, sample_weights: Any) -> Any:
        """A batch in the form in which the user gave all samples: `x`, `(x, y)` or `(x, y, sample_weight)`."""
        given = [eager(list(part)) for part in (xs, ys, sample_weights)]
        forms = self._given_forms[tuple(map(len, given))]
        parts = [pack_like(form, part) for form, part in zip(forms, given, strict=True) if form is not None]
        return parts[0] if len(parts) == 1 and not isinstance(parts[0], (list, tuple)) else tuple(parts)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of gradient descent on a batch; returns what is to be logged.

        Write over it to train in a way of your own: compute the loss within a `GradientTape`, and let the optimizer
        apply the gradients.

        Args:
            data: The batch: `x`, `(x, y)` or `(x, y, sample_weight)`.

        Worked examples: docs/programs/, of which each runs when the site is built.
        """
        x, y, sample_weight = unpacked(data)
        with Recording() as recording:
            y_pred = self._asked(x, True)
            loss = self._loss_of(x, y, y_pred, sample_weight, True)
        if type(loss) is not Tensor:
            raise ValueError(
                tr("`compute_loss` gave a loss that does not depend on any weight: nothing can be learned.")
            )
        weights = list(self.trainable_weights)
        nodes = [recording.node(v) for v in weights]
        known = [node for node in nodes if node is not None]
        found = dict(zip(known, backpropagate([loss], [seed_like(loss)], known, recording.start), strict=True))
        self.optimizer.apply(as_results([None if node is None else found[node] for node in nodes]), weights)
        self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Loss and metrics of a batch; returns what is to be logged."""
        x, y, sample_weight = unpacked(data)
        y_pred = self._asked(x, False)
        loss = self._loss_of(x, y, y_pred, sample_weight, False)
        self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The outputs for a batch."""
        return self._asked(unpacked(data)[0], False)

    def _asked(self, x: Any, training: bool) -> Any:
        model: Any = self  # a `Model`, of which this is a part
        return model(x, training=training) if model._call_takes_training else model(x)

    def _loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        # As in Keras, a `compute_loss` of the user's need not take `training`, which Keras had not in the beginning.
        takes = inspect.signature(self.compute_loss).parameters
        named = "training" in takes or any(one.kind is one.VAR_KEYWORD for one in takes.values())
        given = {"training": training} if named else {}
        return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **given)

    def compute_loss(
        self,
        x: Any = None,  # noqa: ARG002 - for those who write over it
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,  # noqa: ARG002
    ) -> Any:
        """The loss of a batch: those that `compile` was given, and what layers and weights add to it.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: Outputs.
            sample_weight: Weight of each sample.
            training: Whether this is a step of training.
        """
        total: Any = None
        for head, target, output, weight in by_head(self._trainer.heads, y, y_pred, sample_weight):
            if head.loss is not None and target is not None:
                loss = head.loss(target, output, weight)
                head.loss_tracker.total += float(plain(loss))
                head.loss_tracker.count += 1
                weighted = loss if head.weight == 1.0 else loss * head.weight
                total = weighted if total is None else total + weighted
        for penalty in self.losses:
            total = np.sum(penalty) if total is None else total + np.sum(penalty)
        return 0.0 if total is None else total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """Takes a batch into the metrics that `compile` was given; returns where all metrics stand.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: Outputs.
            sample_weight: Weight of each sample.
        """
        with not_recording():
            self._trainer.measure(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Where the loss and all metrics stand, by name."""
        trainer = self._trainer
        if trainer is None:
            raise ValueError(tr("You must call `compile()` before calling `get_metrics_result()`."))
        return dict(trainer.standing() if isinstance(trainer, OwnStepsTrainer) else trainer.results())

    @property
    def metrics(self) -> list[Metric]:
        """The loss's running mean and all metrics, once data has been seen, and those among the attributes."""
        trainer = self._trainer
        if trainer is None:
            return self.own_metrics()
        if not isinstance(trainer, OwnStepsTrainer):
            return list(trainer.all_metrics)
        return [*trainer.compiled(), *self.own_metrics()]

    def own_metrics(self) -> list[Metric]:
        """The metrics that the model holds, and the layers in it."""
        model: Any = self
        return held_within([model], Metric)

    def own_optimizers(self) -> list[Optimizer]:
        """The optimizer that `compile` was given, and those that models in this one were, and that attributes hold."""
        model: Any = self
        compiled = [vars(one).get("optimizer") for one in layers_within([model])]
        return list(dict.fromkeys([*filter(None, compiled), *held_within([model], Optimizer)]))

    def _track_loss(self, loss: Any, x: Any) -> None:
        rows = len(flatten(x)[0])
        self._trainer.loss_tracker.total += float(plain(loss)) * rows
        self._trainer.loss_tracker.count += rows
