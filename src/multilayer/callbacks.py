"""Callbacks: what runs beside the training loop, called at its events."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from multilayer.progress import Progbar
from multilayer.registry import unknown

if TYPE_CHECKING:
    from multilayer.models import Model

Logs: TypeAlias = dict[str, float]


class Callback:
    """Base class: override the hooks you need.

    Attributes:
        model: The model being trained. Setting `model.stop_training = True` ends training after the current step.
        params: A dict with `verbose`, `epochs` and `steps`.

    Example:
        >>> class Announce(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(f"epoch {epoch}: {sorted(logs)}")
    """

    params: dict[str, Any]
    model: Model

    def set_params(self, params: dict[str, Any]) -> None:
        """Receives `params`."""
        self.params = params

    def set_model(self, model: Model) -> None:
        """Receives the model."""
        self.model = model

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called once before training."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called once after training."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before each epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after each epoch and its validation, with the epoch's figures."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each training step."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each training step, with the figures of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before evaluation or validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after evaluation or validation, with its figures."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each batch of evaluation or validation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each batch of evaluation or validation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called before prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called after prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each batch of prediction."""


_BATCH_HOOKS = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
    "on_test_batch_begin": None,
    "on_test_batch_end": None,
    "on_predict_batch_begin": None,
    "on_predict_batch_end": None,
}


def _overrides(callback: Callback, hook: str | None) -> bool:
    if hook is None:
        return False
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)


class CallbackList:
    """All callbacks of a run, called in turn; hooks of single batches only where somebody listens.

    Args:
        callbacks: The user's callbacks, or a single one.
        model: The model they watch.
        params: What `Callback.params` holds.
        history: Whether a `History` is added where there is none.
    """

    def __init__(
        self,
        callbacks: Callback | Iterable[Callback] | None,
        model: Model,
        params: dict[str, Any],
        history: bool = False,
    ) -> None:
        given = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())
        for callback in given:
            if not isinstance(callback, Callback):
                raise ValueError(
                    f"`callbacks` must hold instances of `callbacks.Callback`; got {callback!r}. Did you forget to "
                    "call the class?"
                )
        if params["verbose"] and not any(isinstance(c, ProgbarLogger) for c in given):
            given.append(ProgbarLogger())
        self.history = next((c for c in given if isinstance(c, History)), None)
        if history and self.history is None:
            self.history = History()
            given.append(self.history)
        self.callbacks = given
        for callback in given:
            callback.set_params(params)
            callback.set_model(model)
        self._listeners: dict[str, list[Callable[..., None]]] = {
            hook: [getattr(c, hook) for c in given if _overrides(c, hook) or _overrides(c, older)]
            for hook, older in _BATCH_HOOKS.items()
        }

    def on(self, hook: str, *args: Any) -> None:
        """Calls a hook of a run or an epoch, such as 'on_epoch_end', on everyone."""
        for callback in self.callbacks:
            getattr(callback, hook)(*args)

    def listeners(self, hook: str) -> list[Callable[..., None]]:
        """Whoever listens to a hook of single batches, such as 'on_train_batch_end'."""
        return self._listeners[hook]


class History(Callback):
    """Records every epoch's figures; `fit` returns one.

    Attributes:
        epoch: The epochs' numbers, from 0.
        history: For each figure the list of its values, an epoch each.
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Starts anew."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Records the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self


class LambdaCallback(Callback):
    """A callback from functions.

    Args:
        on_epoch_begin: `f(epoch, logs)`.
        on_epoch_end: `f(epoch, logs)`.
        on_train_begin: `f(logs)`.
        on_train_end: `f(logs)`.
        on_train_batch_begin: `f(batch, logs)`.
        on_train_batch_end: `f(batch, logs)`.
        **hooks: Functions for any other hook, by its name.

    Raises:
        ValueError: A name is no hook's.

    Example:
        >>> log = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **hooks: Callable[..., Any],
    ) -> None:
        known = [name for name in dir(Callback) if name.startswith("on_")]
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **hooks,
        }
        for name, function in given.items():
            if name not in known:
                raise unknown("callback hook", name, known)
            if function is not None:
                setattr(self, name, function)


class EarlyStopping(Callback):
    """Ends training when a figure has stopped improving.

    Args:
        monitor: The figure to watch, as it is called in the logs.
        min_delta: The least change that counts as an improvement.
        patience: Number of epochs without improvement after which training ends.
        verbose: 1 announces what was done.
        mode: 'min', 'max', or 'auto': as the metric of that name has it; down for the loss.
        baseline: A value that the figure has to beat.
        restore_best_weights: Whether the weights of the best epoch are put back at the end.
        start_from_epoch: Number of epochs before watching starts.

    Raises:
        ValueError: `mode` is unknown.

    Example:
        >>> stop = EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        if mode not in ("auto", "min", "max"):
            raise unknown("mode", mode, ("auto", "min", "max"))
        self.monitor = monitor
        self.min_delta = abs(min_delta)
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: Any = None

    def _improves(self, value: float, reference: float | None) -> bool:
        if reference is None:
            return True
        upwards = self._direction() == "max"
        return value - self.min_delta > reference if upwards else value + self.min_delta < reference

    def _direction(self) -> str:
        """'max' or 'min'; raises ValueError where it is not given and the metric does not say."""
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return "min"
        for metric in self.model.metrics:
            if metric.name == name and metric.direction is not None:
                return "max" if metric.direction == "up" else "min"
        raise ValueError(
            f"EarlyStopping received monitor={self.monitor}, and cannot tell whether that metric should be maximized "
            "or minimized. Pass `mode='max'` in order to do early stopping based on the highest metric value, or pass "
            "`mode='min'` in order to use the lowest value."
        )

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Starts anew, so that one object serves several runs."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Looks at the figure, and ends training where patience is at its end."""
        self._direction()
        value = self._value(logs or {})
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if self._improves(value, self.best):
            self.best = value
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Puts the best weights back."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def _value(self, logs: Mapping[str, float]) -> float | None:
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"Early stopping conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {','.join(logs)}",
                stacklevel=2,
            )
        return value


class ProgbarLogger(Callback):
    """Prints progress; `fit`, `evaluate` and `predict` add one unless `verbose=0`."""

    def __init__(self) -> None:
        self._in_fit = False
        self._bar: Progbar | None = None
        self._seen = 0

    def _start(self) -> None:
        self._bar = Progbar(self.params["steps"], verbose=self.params["verbose"])

    def _show(self, batch: int, logs: Logs | None) -> None:
        self._seen = batch + 1
        if self._bar is not None:
            self._bar.update(self._seen, list((logs or {}).items()), finalize=False)

    def _finish(self, logs: Logs | None) -> None:
        if self._bar is not None:
            self._bar.update(self._seen, list((logs or {}).items()), finalize=True)
            self._bar = None

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Within fit, validation prints nothing of its own."""
        self._in_fit = True

    def on_train_end(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """After it, evaluation prints again."""
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Starts the epoch's bar."""
        if self.params["verbose"] and self.params["epochs"] > 1:
            print(f"Epoch {epoch + 1}/{self.params['epochs']}")
        self._start()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Moves the bar on."""
        self._show(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Finishes the epoch's bar."""
        self._finish(logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Starts the bar of an evaluation."""
        if not self._in_fit:
            self._start()

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Moves the bar of an evaluation on."""
        if not self._in_fit:
            self._show(batch, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Finishes the bar of an evaluation."""
        if not self._in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Starts the bar of a prediction."""
        self._start()

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Moves the bar of a prediction on."""
        self._show(batch, None)

    def on_predict_end(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Finishes the bar of a prediction."""
        self._finish(None)
