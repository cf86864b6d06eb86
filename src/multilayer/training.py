"""The loop: what fit, evaluate and predict really do.

`fit` runs epochs, `run_epoch` runs steps, and `Trainer.train_step` is one step of gradient descent as one would
write it by hand: forward, loss and its gradient, backward, update.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multilayer import activations
from multilayer import metrics as metrics_module
from multilayer.arena import Arena, Scratch, Variable
from multilayer.callbacks import CallbackList, Logs
from multilayer.data import Batches
from multilayer.functional import Array
from multilayer.layers import Activation, Dense, Layer
from multilayer.losses import Loss
from multilayer.metrics import Mean, Metric
from multilayer.optimizers import Optimizer

if TYPE_CHECKING:
    from multilayer.models import Model


class Trainer:
    """A chain of layers together with what `compile` was given: all that a step needs, set up once.

    Where the last layer's activation and the loss have a common, numerically stable form (softmax or sigmoid with its
    cross-entropy), the two are computed as one: the chain then ends at the last layer's affine part.

    Args:
        optimizer: The optimizer.
        loss: The loss.
        metrics: Metrics as `compile` takes them.
        weighted_metrics: The same, for metrics that heed sample weights.
    """

    def __init__(
        self, optimizer: Optimizer, loss: Loss, metrics: Sequence[Any], weighted_metrics: Sequence[Any]
    ) -> None:
        self.optimizer = optimizer
        self.loss = loss
        self.loss_tracker = Mean(name="loss")
        self.metrics: list[Metric] = []
        self.weighted_metrics: list[Metric] = []
        self._unresolved = (metrics, weighted_metrics)
        self.arena: Arena | None = None
        self._layers: list[Layer] = []
        self._variables: list[Variable] = []
        self._backward: list[Callable[[Array], Array | None]] = []
        self._needs_dx: list[bool] = []
        self._fused = False
        self._scratch = Scratch()

    def __getstate__(self) -> dict[str, Any]:
        """A copy connects itself to its own model's layers."""
        return {**self.__dict__, "arena": None, "_layers": [], "_variables": [], "_backward": []}

    # --- Setting up ---

    def connect(self, layers: Sequence[Layer]) -> None:
        """Takes in the model's layers, which are built, for the way forward: nothing of theirs is changed."""
        self._layers = list(layers)
        last = self._layers[-1]
        fused = (
            type(last) in (Dense, Activation)  # a class of the user's own may do anything in its `forward`
            and self.loss.fuses is not None
            and last.activation is activations.get(self.loss.fuses)  # type: ignore[attr-defined]
        )
        if fused and not self._fused and getattr(self.loss, "from_logits", False):  # said once
            warnings.warn(
                f"Loss '{self.loss.name}' was given `from_logits=True`, but the model ends in a {self.loss.fuses}. The "
                f"loss is computed from what the {self.loss.fuses} is applied to, so that it is not applied twice. "
                "Leave out `from_logits`, or the activation.",
                stacklevel=2,
            )
        self._fused = fused

    def connect_to_train(self, layers: Sequence[Layer]) -> None:
        """Takes in the model's layers for the way back, too: the variables move into this trainer's arena."""
        self.connect(layers)
        self._variables = [v for layer in self._layers for v in layer.weights]
        self.optimizer.follow(v for v in self._variables if v.trainable)
        if self.arena is None or not self.arena.holds(self._variables):
            self.arena = Arena(self._variables)
        # Going back, nothing below the first layer with something to train needs a gradient.
        first = next((i for i, layer in enumerate(self._layers) if layer.trainable_weights), len(self._layers))
        self._backward = [layer.backward for layer in reversed(self._layers[first:])]
        if self._fused and self._backward:
            self._backward[0] = self._layers[-1].linear_backward  # type: ignore[attr-defined]
        self._needs_dx = [i > first for i in range(len(self._layers))]
        for layer, needs_dx in zip(self._layers, self._needs_dx, strict=True):
            layer.needs_dx = needs_dx

    def reconnect(self) -> None:
        """Takes the layers back where a callback has trained another model that shares some of them."""
        assert self.arena is not None  # `connect_to_train` comes first
        if not self.arena.holds(self._variables) or [layer.needs_dx for layer in self._layers] != self._needs_dx:
            self.connect_to_train(self._layers)

    def resolve_metrics(self, y: Array, output_shape: tuple[int | None, ...]) -> None:
        """Makes the metrics that `compile` named, once targets and output are known."""
        if self.metrics or self.weighted_metrics:
            return
        plain, weighted = self._unresolved
        self.metrics = [metrics_module.resolve(m, y, output_shape) for m in plain]
        self.weighted_metrics = [metrics_module.resolve(m, y, output_shape) for m in weighted]

    # --- One batch ---

    def train_step(self, x: Array, y: Array, sample_weight: Array | None) -> None:
        """One step of gradient descent."""
        assert self.arena is not None  # `connect_to_train` comes first
        loss, y_hat, dy = self._forward(x, y, sample_weight, training=True)
        for backward in self._backward:
            dy = backward(dy)  # type: ignore[assignment]
        self.optimizer.step(self.arena.gradients, self.arena.parameters)
        self._track(loss, y, y_hat, sample_weight)

    def test_step(self, x: Array, y: Array, sample_weight: Array | None) -> None:
        """Loss and metrics of a batch, and nothing changed."""
        loss, y_hat, _ = self._forward(x, y, sample_weight, training=False)
        self._track(loss, y, y_hat, sample_weight)

    def _forward(
        self, x: Array, y: Array, sample_weight: Array | None, *, training: bool
    ) -> tuple[float, Array, Array]:
        """The loss, the prediction, and the loss's gradient: with respect to the last affine part where it is fused."""
        for layer in self._layers[:-1]:
            x = layer.forward(x, training)
        last = self._layers[-1]
        if not self._fused:
            y_hat = last.forward(x, training)
            loss, dy = self.loss.value_and_gradient(
                y,
                y_hat,
                sample_weight,
                out=self._scratch("dy", y_hat.shape, y_hat.dtype),
                work=self._scratch("work", y_hat.shape, y_hat.dtype),
            )
            return loss, y_hat, dy
        a = last.linear_forward(x, training)  # type: ignore[attr-defined]
        y_hat = self._scratch("y_hat", a.shape, a.dtype)
        da = self._scratch("da", a.shape, a.dtype)
        losses = self._scratch("losses", a.shape[:-1], a.dtype)
        loss, da = self.loss.value_and_gradient_fused(y, a, sample_weight, y_hat, da, losses)
        return loss, y_hat, da

    # --- Figures ---

    def _track(self, loss: float, y: Array, y_hat: Array, sample_weight: Array | None) -> None:
        self.loss_tracker.total += loss * len(y)  # the epoch's loss is the mean over its samples
        self.loss_tracker.count += len(y)
        for metric in self.metrics:
            metric.update_state(y, y_hat)
        for metric in self.weighted_metrics:
            metric.update_state(y, y_hat, sample_weight)

    @property
    def all_metrics(self) -> list[Metric]:
        """The loss's running mean, then the metrics, then the weighted ones."""
        return [self.loss_tracker, *self.metrics, *self.weighted_metrics]

    def reset_metrics(self) -> None:
        """Starts all figures anew."""
        for metric in self.all_metrics:
            metric.reset_state()

    def results(self) -> Logs:
        """The figures so far, the loss first."""
        logs = {"loss": self.loss_tracker.result()}
        for metric in self.metrics:
            logs[_free_name(metric.name, logs)] = float(metric.result())
        for metric in self.weighted_metrics:
            name = f"weighted_{metric.name}" if metric.name in logs else metric.name
            logs[_free_name(name, logs)] = float(metric.result())
        return logs


def _free_name(name: str, taken: Iterable[str]) -> str:
    """The name, numbered where it is taken: accuracy, accuracy_1 and so on."""
    taken = set(taken)
    number = 1
    free = name
    while free in taken:
        free = f"{name}_{number}"
        number += 1
    return free


def _sorted(logs: Logs) -> Logs:
    """By name, as Keras hands figures to callbacks and users."""
    return dict(sorted(logs.items()))


def fit(
    model: Model,
    trainer: Trainer,
    batches: Batches,
    validation: Batches | None,
    callbacks: CallbackList,
    *,
    epochs: int,
    validation_freq: int | Sequence[int],
) -> None:
    """Trains epoch by epoch, until the last one or until a callback says stop."""
    model.stop_training = False
    callbacks.on("on_train_begin", {})
    logs: Logs = {}
    for epoch in range(model._initial_epoch, epochs):  # a callback may have moved it
        callbacks.on("on_epoch_begin", epoch, {})
        logs = run_epoch(model, trainer, batches, callbacks)
        if validation is not None and _validates(epoch, validation_freq):
            results = evaluate(trainer, validation, callbacks)
            logs |= {f"val_{name}": value for name, value in results.items()}
        logs = _sorted(logs)
        callbacks.on("on_epoch_end", epoch, logs)
        if model.stop_training:
            break
    callbacks.on("on_train_end", logs)


def run_epoch(model: Model, trainer: Trainer, batches: Batches, callbacks: CallbackList) -> Logs:
    """One pass over the data, a step a batch."""

    def step_after_hooks(x: Array, y: Array, sample_weight: Array | None) -> None:
        trainer.reconnect()
        trainer.train_step(x, y, sample_weight)

    trainer.reconnect()
    watched = callbacks.listeners("on_train_batch_begin") or callbacks.listeners("on_train_batch_end")
    step = step_after_hooks if watched else trainer.train_step
    return _run(trainer, step, batches, callbacks, "train", lambda: model.stop_training)


def evaluate(trainer: Trainer, batches: Batches, callbacks: CallbackList) -> Logs:
    """Loss and metrics over all batches."""
    callbacks.on("on_test_begin", {})
    results = _run(trainer, trainer.test_step, batches, callbacks, "test", lambda: False)
    callbacks.on("on_test_end", _sorted(results))
    return results


def _run(
    trainer: Trainer,
    step: Callable[[Array, Array, Array | None], None],
    batches: Batches,
    callbacks: CallbackList,
    kind: str,
    stopped: Callable[[], bool],
) -> Logs:
    """Takes a step with every batch, with the hooks of this kind around it, and returns the figures of all."""
    trainer.reset_metrics()
    begin = callbacks.listeners(f"on_{kind}_batch_begin")
    end = callbacks.listeners(f"on_{kind}_batch_end")
    for number, (x, y, sample_weight) in enumerate(batches):
        for hook in begin:
            hook(number, {})
        assert y is not None  # whoever trains or evaluates has targets
        step(x, y, sample_weight)
        if end:
            logs = _sorted(trainer.results())
            for hook in end:
                hook(number, logs)
        if stopped():
            break
    return trainer.results()


def predict(forward: Callable[[Array], Array], batches: Batches, callbacks: CallbackList) -> Array:
    """The outputs for all batches, in one array."""
    callbacks.on("on_predict_begin", {})
    begin = callbacks.listeners("on_predict_batch_begin")
    end = callbacks.listeners("on_predict_batch_end")
    outputs: Array | None = None
    done = 0
    for step, (x, _, _) in enumerate(batches):
        for hook in begin:
            hook(step, {})
        y = forward(x)
        if outputs is None:
            outputs = np.empty((len(batches.x), *y.shape[1:]), y.dtype)
        outputs[done : done + len(y)] = y
        done += len(y)
        for hook in end:
            hook(step, {"outputs": y})
    callbacks.on("on_predict_end", {})
    assert outputs is not None  # inputs are never empty
    return outputs


def _validates(epoch: int, frequency: int | Sequence[int]) -> bool:
    """Whether this epoch (from 0) ends with a validation: every so many epochs, or at those listed (from 1)."""
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency
