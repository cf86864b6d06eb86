"""One run of `fit`: who takes part in it, and all that it has come to, as plain data and back."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from multilayer._checks.states import is_own
from multilayer._core.arena import Variable, at_most
from multilayer._language import tr
from multilayer._training import backup_checks, random_sources, randomness
from multilayer._training.protocols import Listeners, Logs, Network
from multilayer._training.streams import Source
from multilayer._training.trainer import Trainer
from multilayer.functional import Array
from multilayer.layers.holding import layers_within
from multilayer.metrics import Metric
from multilayer.optimizers import Optimizer
from multilayer.optimizers import state as optimizer_state

_NO_OPTIMIZER: dict[str, Any] = {"numbers": None, "slots": {}}


class Run:
    """One run of `fit`, which another process can go on with from any step.

    A backup asks it for its state after a step, when every callback has been told of it, and hands the state to the run
    of another process with `go_on_from`, before the first epoch. That run then takes its place there as if it had come
    to it by itself: the same weights and running vectors, the same order of samples from the same batch on, the same
    random numbers, metrics and callbacks.

    Args:
        model: The model.
        trainer: Its trainer, which is connected.
        source: What is trained on.
        validation: What is validated on, or None.
        callbacks: All callbacks of the run.
        first_epoch: The epoch that it begins with where nothing has come before.
    """

    def __init__(
        self,
        model: Network,
        trainer: Trainer,
        source: Source,
        validation: Source | None,
        callbacks: Listeners,
        first_epoch: int,
    ) -> None:
        self.model = model
        self.trainer = trainer
        self.source = source
        self.validation = validation
        self.callbacks = callbacks
        self.first_epoch = first_epoch
        self.logs: Logs = {}  # the metrics of the last epoch
        self.at_exit = ExitStack()  # what is to be put right when `fit` ends, however it does
        self._before: dict[str, Any] | None = None
        self._description: dict[str, Any] | None = None

    def __enter__(self) -> Run:
        self.callbacks.take_part_in(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.at_exit.close()

    # --- What it has come to ---

    def describe(self) -> dict[str, Any]:
        """What must be the same in a run that goes on with this one's state."""
        if self._description is not None:
            return self._description
        layers, heads = self.model.layers, self.trainer.heads
        self._description = {
            "layers": ", ".join(layer.kind for layer in layers),
            "weights": [_in_words(weight) for weight in self.model.weights],
            "losses": ", ".join(type(head.loss).__name__ for head in heads),
            "optimizer": ", ".join(type(one).__name__ for one in self._optimizers()),
            "metrics": ", ".join(metric.name for metric in self.trainer.all_metrics),
            "training data": self.source.describe(),
            "validation data": None if self.validation is None else self.validation.describe(),
            "random sources": len(self._random_sources()),
            "callbacks with a state": ", ".join(type(callback).__name__ for callback in self.callbacks.stateful()),
        }
        return self._description

    def get_state(self, epoch: int, step: int) -> dict[str, Any]:
        """All that it has come to.

        Args:
            epoch: The epoch that is under way, or, with a `step` of 0, the one that is to begin next.
            step: How many of its steps have been taken.
        """
        optimizer, *others = self._optimizer_states() or [_NO_OPTIMIZER]
        return {
            "of": self.describe(),
            "epoch": epoch,
            "step": step,
            "stopped": self.model.stop_training,
            "logs": self.logs,
            "step logs": self.trainer.step_logs if step else {},
            "built": [layer.get_build_config() for layer in layers_within(self.model.layers)],
            "weights": [weight.value for weight in self.model.weights],
            "optimizer": optimizer,
            "further optimizers": others,
            "figures": [metric.get_state() for metric in self._figures(step)],
            "source": self.source.get_state(step),
            "validation": None if self.validation is None else self.validation.get_state(0),
            "callbacks": [{type(callback).__name__: callback.get_state()} for callback in self.callbacks.stateful()],
            "random sources": [randomness.position(source) for source in self._random_sources()],
            "global random sources": randomness.global_positions(),
        }

    def _optimizers(self) -> list[Optimizer]:
        return self.model.own_optimizers()

    def _optimizer_states(self) -> list[dict[str, Any]]:
        weights = self.model.weights
        described = [optimizer_state.describe(optimizer, weights) for optimizer in self._optimizers()]
        return [{"numbers": numbers, "slots": slots} for numbers, slots in described]

    def _figures(self, step: int) -> list[Metric]:
        """The metrics of the epoch so far, and, also between two epochs, those that nobody but the model resets."""
        tracked = self.trainer.tracked_metrics
        return [*(tracked if step else []), *(one for one in self.model.own_metrics() if one not in tracked)]

    def _random_sources(self) -> list[random_sources.Source]:
        return random_sources.sources(self._drawing())

    def _drawing(self) -> list[Any]:
        """Whatever may draw random numbers: layers, a model of a class of one's own, and data sets."""
        datasets = [source.dataset for source in (self.source, self.validation) if source is not None]
        return [*self.model.layers, self.model, *datasets]

    def doubts(self) -> list[str]:
        """What draws random numbers, as it seems, and cannot be brought back to where it stood."""
        return random_sources.doubts(self._drawing())

    # --- Going on ---

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Has this run go on from where another one was; of several states, from the furthest.

        Raises:
            ValueError: The state is of another run: other data, another model, other callbacks; or it says what cannot
                be. The message says what; nothing is changed.
        """
        backup_checks.check_place(state, self.source.length)
        with _refusing():
            self._build(state)
        differences = list(_differences(state["of"], self.describe()))
        if differences:
            raise ValueError("; ".join(differences))
        self._check(state)
        if self._before is None or _position(state) > _position(self._before):
            self._before = state

    def _build(self, state: dict[str, Any]) -> None:
        """Has layers that would make their weights in the first step make them now: the backup has values for them.

        What is not built so is missed when the two runs are compared.
        """
        then = state["of"].get("weights", ()) if isinstance(state["of"], dict) else ()
        if len(self.model.weights) >= len(then):
            return
        configs = state.get("built") or []
        values = [value for value in state.get("weights") or () if isinstance(value, np.ndarray)]
        with at_most(sum(value.size for value in values), values_follow=True):
            for place, config in enumerate(configs):
                layers = layers_within(self.model.layers)  # anew: a layer may make others when it is built
                if place < len(layers) and isinstance(config, dict):
                    layers[place].build_from_config(config)

    def _check(self, state: dict[str, Any]) -> None:
        with _refusing():
            backup_checks.check_weights(state, self._optimizers(), self.model.weights)
            backup_checks.check_data(state, self.source, self.validation)
            backup_checks.check_figures(state, self._figures(state["step"]))
            backup_checks.check_callbacks(state, self.callbacks)
            backup_checks.check_random_sources(state, self._random_sources())

    @property
    def position(self) -> tuple[int, int] | None:
        """The epoch and the number of its steps behind which it is to go on, or None where it begins anew."""
        return None if self._before is None else _position(self._before)

    def begin(self, epochs: int) -> range:
        """Goes on at the border between two epochs, where a run was there; returns the epochs that are to do.

        Raises:
            ValueError: The run to go on with was within an epoch that this one does not come to.
        """
        if self._before is None:
            return range(self.first_epoch, epochs)
        epoch, step = _position(self._before)
        if step == 0:
            self._restore()
            return range(epoch, epoch if self.model.stop_training else epochs)  # it may have come to its end
        if epoch >= epochs:
            raise ValueError(
                tr(
                    "The backup is of step {step} in epoch {epoch}, and there are to be no more than {epochs} "
                    "epochs. Pass `epochs={epoch}` or more, or delete the backup to begin anew.",
                    step=step,
                    epoch=epoch + 1,
                    epochs=epochs,
                )
            )
        return range(epoch, epochs)

    def begin_epoch(self) -> int:
        """Goes on within the epoch, of which everyone knows by now; returns how many of its steps have been taken."""
        if self._before is None:
            return 0
        _, step = _position(self._before)
        self._restore()
        return step

    def _restore(self) -> None:
        state, self._before = self._before, None
        assert state is not None  # whoever calls has seen to it
        model, optimizers = self.model, self._optimizers()
        weights, sources = model.get_weights(), self._random_sources()
        before = [_kept(one, model.weights) for one in optimizers]
        positions = [randomness.position(one) for one in sources]
        try:
            with randomness.globals_given_back_on_error():
                self._put_back(state)
        except BaseException:  # what a callback, a metric or data of the user's make of it
            model.set_weights(weights)
            for optimizer, kept in zip(optimizers, before, strict=True):
                _undo(optimizer, *kept, model.weights)
            for source, position in zip(sources, positions, strict=True):
                randomness.move(source, position)
            raise

    def _put_back(self, state: dict[str, Any]) -> None:
        model = self.model
        for optimizer, described in zip(self._optimizers(), backup_checks.optimizers_in(state), strict=False):
            if described["numbers"] is not None:
                optimizer_state.restore(optimizer, described["numbers"], described["slots"], model.weights)
            if optimizer.full_batch:
                warnings.warn(
                    tr(
                        "The optimizer {kind} goes on from the weights of the backup, but without the "
                        "gradients that it remembered: it takes other steps than a run that was never "
                        "interrupted.",
                        kind=type(optimizer).__name__,
                    ),
                    stacklevel=2,
                )
        model.set_weights(state["weights"])
        self.source.set_state(state["source"])
        if self.validation is not None:
            self.validation.set_state(state["validation"])
        for metric, kept in zip(self._figures(state["step"]), state["figures"], strict=True):
            with _telling_whose(metric):
                metric.set_state(kept)
        for callback, kept in zip(self.callbacks.stateful(), state["callbacks"], strict=True):
            with _telling_whose(callback):
                callback.set_state(kept[type(callback).__name__])
        self.logs = state["logs"]
        self.trainer.step_logs = state.get("step logs", {})
        model.stop_training = state["stopped"]
        for source, position in zip(self._random_sources(), state["random sources"], strict=True):
            randomness.move(source, position)
        randomness.move_globals(state["global random sources"])


def _kept(optimizer: Optimizer, weights: Sequence[Variable]) -> tuple[Any, dict[str, Array], dict[str, Any]]:
    """An optimizer's state, copied, and its numbers."""
    numbers, slots = optimizer_state.describe(optimizer, weights)
    attributes = {name: getattr(optimizer, name) for name in (*optimizer.numbers, "_learning_rate")}
    return numbers, {name: slot.copy() for name, slot in slots.items()}, attributes


def _undo(
    optimizer: Optimizer,
    numbers: Any,
    slots: dict[str, Array],
    attributes: dict[str, Any],
    weights: Sequence[Variable],
) -> None:
    """Gives an optimizer back what `_kept` kept."""
    if numbers is None:
        optimizer.unbuild()
    else:
        optimizer_state.restore(optimizer, numbers, slots, weights)
    vars(optimizer).update(attributes)


@contextmanager
def _refusing() -> Iterator[None]:
    """Within it, what a backup says and what cannot be is told as that."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
        raise ValueError(
            tr("it says what cannot be: {kind}: {error}", kind=type(error).__name__, error=error)
        ) from error


@contextmanager
def _telling_whose(owner: Any) -> Iterator[None]:
    """Within it, an error is told as that of a user's own `set_state`: the backup need not be at fault."""
    try:
        yield
    except Exception as error:
        if is_own(type(owner).set_state):
            raise
        who = f"{type(owner).__module__}.{type(owner).__qualname__}.set_state"
        raise ValueError(
            tr(
                "{who} does not take the state that the backup holds of it: {kind}: {error}. The model is as "
                "it was. Mend that method, or delete the backup to begin anew.",
                who=who,
                kind=type(error).__name__,
                error=error,
            )
        ) from error


def _in_words(weight: Variable) -> str:
    shape = " x ".join(map(str, weight.shape)) or "one number"
    return shape if weight.trainable else f"{shape}, frozen"


def _position(state: dict[str, Any]) -> tuple[int, int]:
    return state["epoch"], state["step"]


def _differences(then: Any, now: Any, where: str = "") -> Iterator[str]:
    """What differs between two descriptions, in words."""
    if isinstance(then, dict) and isinstance(now, dict):
        for name in {**then, **now}:
            yield from _differences(then.get(name), now.get(name), f"{where}: {name}" if where else name)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for number, (one, other) in enumerate(zip(then, now, strict=True)):
            yield from _differences(one, other, f"{where}[{number}]")
    elif isinstance(then, list) and isinstance(now, list):
        yield f"{where}: {len(then)} then, {len(now)} now"
    elif then != now:
        yield f"{where}: {then} then, {now} now"
