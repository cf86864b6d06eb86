"""The loop: what fit, evaluate and predict really do. `fit` runs epochs, `run_epoch` runs steps."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from multilayer._language import tr
from multilayer._training.full_batch import minimize
from multilayer._training.protocols import Listeners, Logs, Network
from multilayer._training.run import Run
from multilayer._training.streams import Source
from multilayer._training.trainer import Arrays, Trainer, Weights
from multilayer.functional import Array


def _sorted(logs: Logs) -> Logs:
    """By name, as Keras hands metrics to callbacks and users."""
    return dict(sorted(logs.items()))


def fit(run: Run, *, epochs: int, validation_freq: int | Sequence[int]) -> None:
    """Trains epoch by epoch, until the last one or until a callback says stop."""
    model, trainer, callbacks = run.model, run.trainer, run.callbacks

    def end_epoch(epoch: int, logs: Logs) -> Logs:
        if run.validation is not None and _validates(epoch, validation_freq):
            results = evaluate(model, trainer, run.validation, callbacks)
            logs |= {f"val_{name}": value for name, value in results.items()}
        run.logs = _sorted(logs)
        callbacks.on("on_epoch_end", epoch, run.logs)
        return run.logs

    with run:
        model.stop_training = False
        callbacks.on("on_train_begin", {})
        to_do = run.begin(epochs)
        if trainer.full_batch:
            minimize(model, trainer, run.source, callbacks, to_do, end_epoch)
            to_do = range(0)
        for epoch in to_do:
            if run.source.used_up():
                warnings.warn(
                    tr(
                        "Your input ran out of data: training ends after {epoch} of {epochs} epochs. A "
                        "generator can be gone through once: let it go on without end and pass "
                        "`steps_per_epoch`, or pass arrays or a `utils.PyDataset`, which begin anew with every "
                        "epoch.",
                        epoch=epoch,
                        epochs=epochs,
                    ),
                    stacklevel=3,
                )
                break
            callbacks.on("on_epoch_begin", epoch, {})
            end_epoch(epoch, run_epoch(model, trainer, run.source, callbacks, run.begin_epoch()))
            if model.stop_training:
                break
        if epochs:  # as in Keras: of none, nothing ends, and weights that were set by hand stay
            trainer.finish()
        callbacks.on("on_train_end", run.logs)


def run_epoch(model: Network, trainer: Trainer, batches: Source, callbacks: Listeners, taken: int = 0) -> Logs:
    """One pass over the data, a step a batch; where some were `taken` by a run before, the rest of it."""

    def step_after_hooks(xs: Arrays, ys: Weights, sample_weights: Weights) -> None:
        trainer.reconnect()
        trainer.train_step(xs, ys, sample_weights)

    trainer.reconnect()
    watched = callbacks.listeners("on_train_batch_begin") or callbacks.listeners("on_train_batch_end")
    step = step_after_hooks if watched else trainer.train_step
    return _run(model, trainer, step, batches, callbacks, "train", "stop_training", taken)


def evaluate(model: Network, trainer: Trainer, batches: Source, callbacks: Listeners) -> Logs:
    """Loss and metrics over all batches, or until a callback says stop."""
    model.stop_evaluating = False
    callbacks.on("on_test_begin", {})
    results = _run(model, trainer, trainer.test_step, batches, callbacks, "test", "stop_evaluating")
    callbacks.on("on_test_end", _sorted(results))
    return results


def _run(
    model: Network,
    trainer: Trainer,
    step: Callable[[Arrays, Weights, Weights], None],
    batches: Source,
    callbacks: Listeners,
    kind: str,
    stop: str,
    taken: int = 0,
) -> Logs:
    """Takes a step with every batch, with the hooks of this kind around it, and returns the metrics of all.

    It ends early where the model's attribute `stop` says so.
    """
    if not taken:
        trainer.reset_metrics()
    elif getattr(model, stop):
        return trainer.results()
    begin = callbacks.listeners(f"on_{kind}_batch_begin")
    end = callbacks.listeners(f"on_{kind}_batch_end")
    done = taken
    for number, (xs, ys, sample_weights) in enumerate(batches, taken):
        done = number + 1
        for hook in begin:
            hook(number, {})
        step(xs, ys, sample_weights)
        if end:
            logs = _sorted(trainer.results())
            for hook in end:
                hook(number, logs)
        if getattr(model, stop):
            break
    return trainer.results() if done else _of_nothing(trainer.results(), kind)


def _of_nothing(figures: Logs, kind: str) -> Logs:
    """Figures of no batch at all do not exist: a loss of 0.0 would be the best that anyone who watches it ever saw."""
    warnings.warn(
        tr(
            "No batch to {purpose}: the figures of this pass are NaN. A generator or iterator serves one pass "
            "over its data; what is to be gone through several times is given as arrays, a `utils.PyDataset`, "
            "or an iterable that begins anew.",
            purpose=tr("train on") if kind == "train" else tr("evaluate on"),
        ),
        stacklevel=4,
    )
    return {name: np.full(np.shape(figure), np.nan) if np.shape(figure) else np.nan for name, figure in figures.items()}


def predict(
    model: Network, forward: Callable[[Arrays], list[Array]], batches: Source, callbacks: Listeners
) -> list[Array]:
    """The outputs for all batches, or until a callback says stop, each in one array."""
    model.stop_predicting = False
    callbacks.on("on_predict_begin", {})
    begin = callbacks.listeners("on_predict_batch_begin")
    end = callbacks.listeners("on_predict_batch_end")
    outputs: list[Array] = []
    pieces: list[list[Array]] = []  # where nobody knows how many samples there are
    done = 0
    for step, (xs, _, _) in enumerate(batches):
        for hook in begin:
            hook(step, {})
        ys = forward(xs)
        if batches.num_samples is None:
            pieces.append([np.array(y) for y in ys])
        else:
            outputs = outputs or [np.empty((batches.num_samples, *y.shape[1:]), y.dtype) for y in ys]
            for output, y in zip(outputs, ys, strict=True):
                output[done : done + len(y)] = y
            done += len(xs[0])
        for hook in end:
            hook(step, {"outputs": ys if len(ys) > 1 else ys[0]})
        if model.stop_predicting:
            outputs = [output[:done] for output in outputs]
            break
    callbacks.on("on_predict_end", {})
    return outputs or [np.concatenate(column) for column in zip(*pieces, strict=True)]


def _validates(epoch: int, frequency: int | Sequence[int]) -> bool:
    """Whether this epoch (from 0) ends with a validation: every so many epochs, or at those listed (from 1)."""
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency
