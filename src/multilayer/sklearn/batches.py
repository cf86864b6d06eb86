"""Samples in the order in which scikit-learn takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from multilayer._training.data import Batch, Batches


class ShuffledBatches(Batches):
    """Batches in a new order at every pass, by the draws that scikit-learn makes of the same `RandomState`.

    Each order is the last one shuffled, and not that of the samples: so the two draw the same.

    Args:
        xs: As of `Batches`.
        ys: As of `Batches`.
        sample_weights: As of `Batches`.
        random_state: Where the orders come from; None keeps the samples in theirs.
        **named: Further arguments of `Batches`.
    """

    def __init__(
        self, xs: Any, ys: Any, sample_weights: Any, random_state: np.random.RandomState | None, **named: Any
    ) -> None:
        super().__init__(xs, ys, sample_weights, **named)
        self._random_state = random_state
        self._order = np.arange(self.num_samples)

    def __iter__(self) -> Iterator[Batch]:
        if self._random_state is None:
            return super().__iter__()
        # What `sklearn.utils.shuffle` draws: looking at its arguments takes longer than a step of a small network.
        shuffled = np.arange(self.num_samples)
        self._random_state.shuffle(shuffled)
        self._order = self._order[shuffled]
        return self._in(self._order, 0)
