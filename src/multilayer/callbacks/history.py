"""What every epoch brought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from multilayer.callbacks.base import Callback, Logs

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override


class History(Callback):
    """Records every epoch's figures; `fit` returns one.

    Attributes:
        epoch: The epochs' numbers, from 0.
        history: For each figure the list of its values, an epoch each.
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    @override
    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Starts anew."""
        self.epoch = []

    @override
    def get_state(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "history": self.history}

    @override
    def set_state(self, state: dict[str, Any]) -> None:
        """Has the epochs of the run before, too."""
        self.epoch, self.history = state["epoch"], state["history"]
        self.model.history = self

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Records the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self
