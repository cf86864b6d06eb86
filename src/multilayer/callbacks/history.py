"""What every epoch brought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from multilayer._checks.states import COLUMNS, COUNTS, require_entries
from multilayer.callbacks.base import Callback, Logs

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override


class History(Callback):
    """Records every epoch's metrics; `fit` returns one.

    Attributes:
        epoch: The epochs' numbers, from 0.
        history: For each metric the list of its values, an epoch each.

    Example:
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((1,)), layers.Dense(1, kernel_initializer="ones")])
        >>> model.compile("sgd", "mse")
        >>> model.fit([[1.0], [2.0]], [1.0, 1.0], epochs=3, shuffle=False, verbose=0)
        <History epochs=3 loss=0.4097>
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def __repr__(self) -> str:
        last = (f"{name}={_short(values[-1])}" for name, values in self.history.items() if values)
        return f"<History {' '.join([f'epochs={len(self.epoch)}', *last])}>"

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
        self._check_state(state)
        self.epoch, self.history = state["epoch"], state["history"]
        self.model.history = self

    @override
    def _check_state(self, state: Any) -> None:
        require_entries(state, "History", {"epoch": COUNTS, "history": COLUMNS})

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Records the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self


def _short(value: Any) -> str:
    """A metric in four digits, the mean of one that has several numbers, one a class, say."""
    return f"{float(np.mean(value)):.4g}"
