"""Data that comes batch by batch: generators, `PyDataset`s, any iterable of batches; and epochs of so many steps."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np

from multilayer.data import Batch, Batches

Source: TypeAlias = "Batches | Stream | Steps"


def is_stream(data: Any) -> bool:
    """Whether the data comes in batches, rather than as arrays, lists or dicts of all samples.

    Example:
        >>> is_stream(np.zeros(3)), is_stream([1, 2]), is_stream(iter([1, 2]))
        (False, False, True)
    """
    if isinstance(data, (np.ndarray, list, tuple, dict, str, bytes, int, float)) or data is None:
        return False
    if _is_indexed(data) or hasattr(data, "__next__") or hasattr(data, "as_numpy_iterator"):
        return True
    return hasattr(data, "__iter__") and not hasattr(data, "__array__") and not hasattr(data, "keys")


def _is_indexed(data: Any) -> bool:
    """Whether it is a `PyDataset`: batches by their number."""
    return hasattr(data, "num_batches") and hasattr(data, "__getitem__")


def unpacked(batch: Any) -> tuple[Any, Any, Any]:
    """A batch as (x, y, sample_weight), None for what is not there; raises ValueError for longer tuples."""
    if not isinstance(batch, (tuple, list)):
        return batch, None, None
    if not 1 <= len(batch) <= 3:
        raise ValueError(
            "A batch is `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`; got one of "
            f"{len(batch)} parts. Several inputs or outputs are lists or dicts inside of it."
        )
    x, y, weight = (*batch, None, None)[:3]
    return x, y, weight


class Stream:
    """Batches as somebody else makes them, checked one by one.

    What can be gone through again, such as a `PyDataset` or a list of batches in an object of its own, begins anew with
    every epoch; a generator goes on where it was.

    Args:
        source: A `PyDataset`, an iterable of batches, or an iterator.
        prepare: Checks a batch `(x, y, sample_weight)` and gives the arrays of all inputs, targets and weights.
        generator: Where the order of a `PyDataset`'s batches comes from; None keeps them in order.

    Attributes:
        ys: The targets of the first batch: whoever trains needs shapes before the first step.
        batch_size: Samples in the first batch.

    Raises:
        ValueError: There is no batch at all, or the first one does not fit.
    """

    num_samples: int | None = None  # nobody knows

    def __init__(
        self, source: Any, prepare: Callable[[Any], Batch], generator: np.random.Generator | None = None
    ) -> None:
        self._source = source.as_numpy_iterator() if hasattr(source, "as_numpy_iterator") else source
        self._prepare = prepare
        self._generator = generator
        self.length: int | None = source.num_batches if _is_indexed(source) else _length(source)
        self._once = hasattr(self._source, "__next__")
        self._pending: Any = None
        self._raw = iter(self._source) if self._once else None
        peeked = next(self._raw if self._raw is not None else iter(self._source), None)
        if peeked is None:
            raise ValueError("The data gives no batch at all.")
        if self._raw is not None:
            self._raw = itertools.chain([peeked], self._raw)
        xs, self.ys, _ = prepare(unpacked(peeked))
        self.batch_size = len(xs[0])

    def __iter__(self) -> Iterator[Batch]:
        self.on_epoch_begin()
        yield from self.once()
        self.on_epoch_end()

    def once(self) -> Iterator[Batch]:
        """All batches there are (still, for an iterator)."""
        if self._raw is not None:
            batches: Iterable[Any] = self._raw
        elif not _is_indexed(self._source):
            batches = self._source
        else:
            order: Iterable[int] = itertools.count() if self.length is None else range(self.length)
            if self._generator is not None and self.length is not None:
                order = self._generator.permutation(self.length).tolist()
            batches = (self._source[index] for index in order)
        return map(self._prepare, map(unpacked, batches))

    def on_epoch_begin(self) -> None:
        """Tells a `PyDataset` that an epoch begins."""
        if _is_indexed(self._source):
            self._source.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tells a `PyDataset` that an epoch is over; it may shuffle itself then."""
        if _is_indexed(self._source):
            self._source.on_epoch_end()


def _length(source: Any) -> int | None:
    try:
        return len(source)
    except TypeError:
        return None


class Steps:
    """So many batches an epoch; the next epoch goes on where the last one ended.

    Where the data ends within an epoch, the epoch is cut short with a warning and the next begins anew, as in Keras.

    Args:
        batches: Where they come from.
        steps: How many an epoch has.
        resumes: Whether the next epoch goes on where the last one ended; what is validated on begins anew each time.
    """

    num_samples: int | None = None

    def __init__(self, batches: Batches | Stream, steps: int, resumes: bool = True) -> None:
        self.length: int | None = steps
        self._steps = steps
        self._batches = batches
        self._resumes = resumes
        self._running: Iterator[Batch] | None = None
        self._seen = 0  # batches since it began

    def __iter__(self) -> Iterator[Batch]:
        batches = self._batches
        if isinstance(batches, Stream):
            batches.on_epoch_begin()
        if self._running is None or not self._resumes:
            self._running, self._seen = batches.once() if isinstance(batches, Stream) else iter(batches), 0
        for number in range(self._steps):
            batch = next(self._running, None)
            if batch is None:
                self._running = None
                warnings.warn(
                    "Your input ran out of data; interrupting the epoch. Make sure that your dataset or generator can "
                    f"generate at least `steps_per_epoch * epochs` batches: this epoch wanted {self._steps} and had "
                    f"{number}.",
                    stacklevel=2,
                )
                break
            self._seen += 1
            yield batch
        if self._seen == batches.length:
            self._running = None
        if isinstance(batches, Stream):
            batches.on_epoch_end()
