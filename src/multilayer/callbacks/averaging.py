"""Evaluating with the running mean of the weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from multilayer._checks.states import FLAG, require_entries
from multilayer.callbacks.base import Callback, Logs
from multilayer.functional import Array

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override


class SwapEMAWeights(Callback):
    """Puts the running mean of the weights into the model while it is evaluated, and takes it out again.

    For an optimizer with `use_ema=True`, which keeps that mean, in `state["average"]`: one vector, as long as all the
    parameters that it moves, and in their order. The two change places, so that neither is lost. Before the first step
    there is no mean, and nothing is swapped.

    Args:
        swap_on_epoch: Whether the mean is in the model at the end of every epoch, too, for callbacks that come after
            this one, such as `ModelCheckpoint`, and until the next epoch begins; and for good after the last.

    Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.

    Raises:
        ValueError: The optimizer keeps no mean.

    Example:
        >>> swap = SwapEMAWeights()
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def _average(self) -> Array | None:
        """The running mean, None before the first step."""
        optimizer = self.model.optimizer
        use_ema = getattr(optimizer, "use_ema", False)
        if not use_ema:
            raise ValueError(
                f"SwapEMAWeights must be used when `use_ema=True` is set on the optimizer. Received: use_ema={use_ema}"
            )
        return optimizer.state["average"] if optimizer is not None and optimizer.built else None

    def _pairs(self) -> Iterator[tuple[Array, Array]]:
        """The values of every weight that is trained, and their running mean; none before the first step."""
        average, start = self._average(), 0
        if average is None or self.model.optimizer is None:
            return
        for variable in self.model.optimizer.trained:
            stop = start + variable.value.size
            yield variable.value, average[start:stop].reshape(variable.shape)
            start = stop

    def _swap(self) -> None:
        pairs = list(self._pairs())
        for values, mean in pairs:
            kept = values.copy()
            values[...] = mean
            mean[...] = kept
        self._swapped = bool(pairs) and not self._swapped
        if self.model.optimizer is not None:
            self.model.optimizer.mean_is_in_place = self._swapped

    def _swap_in(self) -> None:
        if not self._swapped:
            self._swap()

    def _swap_out(self) -> None:
        if self._swapped:
            self._swap()

    @override
    def get_state(self) -> dict[str, Any]:
        return {"swapped": self._swapped}

    @override
    def set_state(self, state: dict[str, Any]) -> None:
        """Notes whether the weights that were restored are the mean."""
        self._check_state(state)
        self._swapped = bool(state["swapped"])
        if self.model.optimizer is not None:
            self.model.optimizer.mean_is_in_place = self._swapped

    @override
    def _check_state(self, state: Any) -> None:
        require_entries(state, "SwapEMAWeights", {"swapped": FLAG})

    @override
    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Refuses an optimizer that keeps no mean, before the first step."""
        self._average()

    @override
    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Takes the mean out again for training."""
        if self.swap_on_epoch:
            self._swap_out()

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Puts the mean in for the callbacks that follow."""
        if self.swap_on_epoch:
            self._swap_in()

    @override
    def on_train_end(self, logs: Logs | None = None) -> None:
        """The mean is in the model by now, and stays there: `fit` has put it there, or left it where it was."""
        self._swapped = False

    @override
    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Puts the mean in."""
        self._swap_in()

    @override
    def on_test_end(self, logs: Logs | None = None) -> None:
        """Takes the mean out."""
        self._swap_out()

    @override
    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Puts the mean in."""
        self._swap_in()

    @override
    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Takes the mean out."""
        self._swap_out()
