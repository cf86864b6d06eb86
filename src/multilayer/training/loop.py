"""The loop: what fit, evaluate and predict really do. `fit` runs epochs, `run_epoch` runs steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from multilayer.callbacks import CallbackList, Logs
from multilayer.data import Batches
from multilayer.functional import Array
from multilayer.training.trainer import Arrays, Trainer, Weights

if TYPE_CHECKING:
    from multilayer.models import Model


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
    trainer.finish()
    callbacks.on("on_train_end", logs)


def run_epoch(model: Model, trainer: Trainer, batches: Batches, callbacks: CallbackList) -> Logs:
    """One pass over the data, a step a batch."""

    def step_after_hooks(xs: Arrays, ys: Weights, sample_weights: Weights) -> None:
        trainer.reconnect()
        trainer.train_step(xs, ys, sample_weights)

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
    step: Callable[[Arrays, Weights, Weights], None],
    batches: Batches,
    callbacks: CallbackList,
    kind: str,
    stopped: Callable[[], bool],
) -> Logs:
    """Takes a step with every batch, with the hooks of this kind around it, and returns the figures of all."""
    trainer.reset_metrics()
    begin = callbacks.listeners(f"on_{kind}_batch_begin")
    end = callbacks.listeners(f"on_{kind}_batch_end")
    for number, (xs, ys, sample_weights) in enumerate(batches):
        for hook in begin:
            hook(number, {})
        step(xs, ys, sample_weights)
        if end:
            logs = _sorted(trainer.results())
            for hook in end:
                hook(number, logs)
        if stopped():
            break
    return trainer.results()


def predict(forward: Callable[[Arrays], list[Array]], batches: Batches, callbacks: CallbackList) -> list[Array]:
    """The outputs for all batches, each in one array."""
    callbacks.on("on_predict_begin", {})
    begin = callbacks.listeners("on_predict_batch_begin")
    end = callbacks.listeners("on_predict_batch_end")
    outputs: list[Array] = []
    done = 0
    for step, (xs, _, _) in enumerate(batches):
        for hook in begin:
            hook(step, {})
        ys = forward(xs)
        if not outputs:
            outputs = [np.empty((batches.num_samples, *y.shape[1:]), y.dtype) for y in ys]
        rows = len(xs[0])
        for output, y in zip(outputs, ys, strict=True):
            output[done : done + rows] = y
        done += rows
        for hook in end:
            hook(step, {"outputs": ys if len(ys) > 1 else ys[0]})
    callbacks.on("on_predict_end", {})
    return outputs


def _validates(epoch: int, frequency: int | Sequence[int]) -> bool:
    """Whether this epoch (from 0) ends with a validation: every so many epochs, or at those listed (from 1)."""
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency
