"""The weights that a training passes: the film of which `plotting.animate_*` draws the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from multilayer._checks.scalars import whole_number
from multilayer.callbacks.base import Callback, Logs
from multilayer.functional import Array

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override


class WeightHistory(Callback):
    """Keeps copies of the model's weights at even distances through a training: at its start, on the way, at its end.

    However long a training gets, it never keeps more than `limit` copies: before there are more, every other one is
    dropped, and from there on it takes twice as many steps to the next. So nobody has to know beforehand how many steps
    there will be. Watch the network learn by `plotting.animate_weights`, `animate_decision_regions` and
    `animate_loss_plane`.

    Args:
        every: A copy is made after every so many steps, to begin with.
        limit: The most copies to keep.

    Attributes:
        steps: How many steps had been made at each copy: 0 first, the whole training last.
        weights: The copies, each as `model.get_weights()` gives it.

    Raises:
        ValueError: `every` is no whole number of at least 1, or `limit` none of at least 2.

    Example:
        >>> import numpy as np
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((4,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> record = WeightHistory(limit=6)
        >>> _ = model.fit(np.eye(4), np.ones(4), batch_size=1, epochs=5, verbose=0, callbacks=[record])
        >>> record.steps
        [0, 4, 8, 12, 16, 20]
        >>> np.array_equal(record.weights[-1][0], model.get_weights()[0])
        True
    """

    def __init__(self, every: int = 1, limit: int = 40) -> None:
        self.every = whole_number("every", every, 1)
        self.limit = whole_number("limit", limit, 2)
        self._begin()

    def _begin(self) -> None:
        self.steps: list[int] = []
        self.weights: list[list[Array]] = []
        self._taken = 0
        self._distance = self.every

    def __getstate__(self) -> dict[str, Any]:
        """What it has kept, without the network: a record that goes to another process is there to be drawn."""
        return {name: value for name, value in vars(self).items() if name != "model"}

    @override
    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Starts anew."""
        self._begin()
        self._keep()

    @override
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Keeps the weights where it is the step's turn."""
        self._taken += 1
        if self._taken % self._distance:
            return
        if len(self.steps) == self.limit:
            self._drop_every_other()
        if self._taken % self._distance == 0:
            self._keep()

    @override
    def on_train_end(self, logs: Logs | None = None) -> None:
        """Keeps the last weights, wherever between two turns training has ended."""
        if not self.steps or self.steps[-1] == self._taken:
            return
        if len(self.steps) == self.limit:
            self._drop_every_other()
        self._keep()

    def _keep(self) -> None:
        self.steps.append(self._taken)
        self.weights.append(self.model.get_weights())

    def _drop_every_other(self) -> None:
        del self.steps[1::2], self.weights[1::2]
        self._distance *= 2
