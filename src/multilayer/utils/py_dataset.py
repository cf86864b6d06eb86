"""Batches that are made one by one, when they are wanted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any


class PyDataset:
    """Base class of data that does not lie in arrays: it gives a whole batch at a time.

    A subclass defines `__getitem__`, which returns a batch, `(x, y)` or `(x, y, sample_weight)`, and `__len__`, the
    number of batches (not of samples); or `num_batches`, where that number is None: data without end.

    Args:
        workers: How many batches are made at a time while a model is trained, evaluated or asked: with more than one,
            by as many threads, each calling `__getitem__`. They come in their order all the same; random numbers that
            `__getitem__` draws are drawn in whatever order the threads run. Iterating by hand never uses any.
        use_multiprocessing: Taken for Keras' sake: workers are threads, which share the object.
        max_queue_size: How many batches may lie ready; 0 for as many as there are workers.

    Example:
        >>> import numpy as np
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         x = np.arange(4.0)[:, None] + 4 * index
        ...         return x, x**2
        >>> [len(x) for x, y in Squares()]
        [4, 4, 4]
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        for name, value, least in (("workers", workers, 0), ("max_queue_size", max_queue_size, 0)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"`{name}` must be a whole number of at least {least}. Received: {name}={value!r}")
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    # What a subclass has that does not call `super().__init__()`.
    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    def __getitem__(self, index: int) -> Any:
        """The batch of this number, from 0."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define `__getitem__(self, index)`, which returns a batch: `(x, y)`."
        )

    def __iter__(self) -> Iterator[Any]:
        """All batches in turn, made one by one; without end where nothing says how many there are."""
        known = hasattr(self, "__len__") or type(self).num_batches is not PyDataset.num_batches
        count = self.num_batches if known else None
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    @property
    def num_batches(self) -> int | None:
        """Number of batches, None where they never end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(
            f"{type(self).__name__} defines neither `__len__(self)`, the number of batches, nor the property "
            "`num_batches`, which may be None: data without end."
        )

    def on_epoch_begin(self) -> None:
        """Called before every epoch."""

    def on_epoch_end(self) -> None:
        """Called after every epoch: the place to shuffle."""


Sequence = PyDataset  # its older name
