"""Data that comes batch by batch: generators, `PyDataset`s, any iterable of batches; and epochs of so many steps."""

from __future__ import annotations

import itertools
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from multilayer._checks.generators import check_numpy_position
from multilayer._checks.sparse import is_sparse
from multilayer._checks.states import ANYTHING, COUNT, SIZE, require_entries
from multilayer._checks.tables import is_table
from multilayer._language import tr
from multilayer._training.data import Batch, Batches, checksum

Source: TypeAlias = "Batches | Stream | Steps"

_MOST_AGAIN = 10**9  # batches, and epochs, that a backup can say were taken


def is_stream(data: Any) -> bool:
    """Whether the data comes in batches, rather than as arrays, lists or dicts of all samples.

    Example:
        >>> is_stream(np.zeros(3)), is_stream([1, 2]), is_stream(iter([1, 2]))
        (False, False, True)
    """
    if isinstance(data, (np.ndarray, list, tuple, dict, str, bytes, int, float)) or data is None:
        return False
    if is_sparse(data) or is_table(data) or isinstance(data, type):
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
            tr(
                "A batch is `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`; got one of {count} parts. "
                "Several inputs or outputs are lists or dicts inside of it.",
                count=len(batch),
            )
        )
    x, y, weight = (*batch, None, None)[:3]
    return x, y, weight


class _Begun:
    """An iterator that can be asked whether it is at its end: the value that tells is given next."""

    def __init__(self, values: Iterable[Any]) -> None:
        self._values = iter(values)
        self._ahead: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._ahead.pop() if self._ahead else next(self._values)

    def at_end(self) -> bool:
        """Whether nothing is left."""
        if not self._ahead:
            self._ahead = list(itertools.islice(self._values, 1))
        return not self._ahead

    def first(self) -> Any:
        """What comes next, and still comes next: only where it is not at its end."""
        return self._ahead[0]


class _Anew:
    """What gives arrays by `as_numpy_iterator`, as tf.data does: each such iterator serves one pass over the data."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __iter__(self) -> Iterator[Any]:
        return iter(self._source.as_numpy_iterator())


class Stream:
    """Batches as somebody else makes them, checked one by one.

    What can be gone through again, such as a `PyDataset` or a list of batches in an object of its own, begins anew with
    every epoch; a generator goes on where it was. `used_up` says whether another epoch would see no batch at all: an
    epoch of nothing has no figures, and whoever reports 0.0 for it has found the best loss there is.

    A run that goes on comes to the same place in different ways: a `PyDataset` is told of as many epochs as there were,
    and then asked for the batches that follow, by number; of anything else the batches that were trained on are drawn
    again, and dropped.

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
        self._kind = type(source).__name__
        self._source = _Anew(source) if hasattr(source, "as_numpy_iterator") else source
        self.dataset = source if _is_indexed(source) else None
        self._prepare = prepare
        self._generator = generator
        self.length: int | None = source.num_batches if _is_indexed(source) else _length(source)
        self._once = hasattr(self._source, "__next__")
        begun = _Begun(self._source)
        self._raw = begun if self._once else None
        # What was begun to see the first batch is the first epoch's: an object may give one iterator and no other.
        self._begun = begun if self.dataset is None and not self._once else None
        self._drawn, self._last = 0, None  # batches taken from an iterator, and the last of them
        self._epochs = 0  # epochs that a `PyDataset` was told of
        self._began: dict[str, Any] | None = None  # where the generator stood before the order of the last pass
        self._first = 0  # the batch that the next pass begins with
        if begun.at_end():
            raise ValueError(
                tr(
                    "The data, of type {kind}, gives no batch at all. A generator or iterator that was gone "
                    "through is at its end: make a new one, or pass arrays or a `utils.PyDataset`, which begin "
                    "anew.",
                    kind=self._kind,
                )
            )
        xs, self.ys, _ = prepare(unpacked(begun.first()))
        self.batch_size = len(xs[0])

    def __iter__(self) -> Iterator[Batch]:
        self.on_epoch_begin()
        yield from self.once()
        self.on_epoch_end()

    def once(self) -> Iterator[Batch]:
        """All batches there are (still, for an iterator)."""
        first, self._first = self._first, 0
        if self._raw is not None:
            batches: Iterable[Any] = self._drawing(self._raw)
        elif self.dataset is None:
            begun, self._begun = self._begun, None
            batches = itertools.islice(self._source if begun is None else begun, first, None)
        else:
            order: Iterable[int] = itertools.count() if self.length is None else range(self.length)
            if self._generator is not None and self.length is not None:
                self._began = dict(self._generator.bit_generator.state)
                order = self._generator.permutation(self.length).tolist()
            batches = _made(self.dataset, itertools.islice(order, first, None))
        return map(self._prepare, map(unpacked, batches))

    def used_up(self) -> bool:
        """Whether the next pass would find no batch."""
        if self.dataset is not None:
            return False
        if self._raw is not None:
            return self._raw.at_end()
        self._begun = self._begun or _Begun(self._source)
        return self._begun.at_end()

    def _drawing(self, raw: Iterator[Any]) -> Iterator[Any]:
        for batch in raw:
            self._drawn, self._last = self._drawn + 1, batch
            yield batch

    def describe(self) -> dict[str, Any]:
        """What a run that goes on must find again."""
        return {"kind": self._kind, "batches": self.length, "batch_size": self.batch_size, "shuffle": self._shuffles}

    @property
    def _shuffles(self) -> bool:
        return self.dataset is not None and self._generator is not None and self.length is not None

    def get_state(self, taken: int) -> dict[str, Any]:
        """Where a pass stands of which so many batches have been taken, for `set_state`."""
        generator = None
        if self._shuffles:
            assert self._generator is not None  # as `_shuffles` says
            generator = self._began if taken else self._generator.bit_generator.state
        last = None if self._last is None else self._checksum(self._last)
        return {"taken": taken, "generator": generator, "epochs": self._epochs, "drawn": self._drawn, "last": last}

    def check_state(self, state: Any, epochs: int) -> None:
        """Raises ValueError where `get_state` cannot have given this after so many epochs."""
        kinds = {"taken": COUNT, "epochs": COUNT, "drawn": COUNT, "generator": ANYTHING, "last": SIZE}
        require_entries(state, "the data", kinds)
        most = _MOST_AGAIN if self.length is None else self.length
        if state["taken"] > most or state["drawn"] > _MOST_AGAIN or state["epochs"] > epochs:
            raise ValueError(tr("the backup says that it took more batches, or epochs, than its run can have taken"))
        if state["drawn"] and state["last"] is None:
            raise ValueError(tr("of the data it does not say which batch was the last"))
        if self._shuffles:
            assert self._generator is not None  # as `_shuffles` says
            check_numpy_position(state["generator"], self._generator.bit_generator.state)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Has the next pass go on from there.

        Raises:
            ValueError: It is an iterator that ends before.
        """
        self._first = state["taken"]
        if self._shuffles:
            assert self._generator is not None  # as `_shuffles` says
            self._generator.bit_generator.state = state["generator"]
        for _ in range(state["epochs"]):
            self.on_epoch_begin()
            self.on_epoch_end()
        if self._raw is not None and state["drawn"]:
            self._draw_again(state["drawn"], state["last"])

    def _draw_again(self, drawn: int, last: int) -> None:
        self._drawn, self._last = 0, None
        assert self._raw is not None  # it is an iterator
        for _ in itertools.islice(self._drawing(self._raw), drawn):
            pass
        if self._drawn < drawn:
            raise ValueError(
                tr(
                    "the data ended after {drawn} batches, {trained} of which had been trained on: a generator "
                    "that a run is to go on with must give the same batches again.",
                    drawn=self._drawn,
                    trained=drawn,
                )
            )
        if self._checksum(self._last) != last:
            warnings.warn(
                tr(
                    "The generator gives other batches than it did: batch {drawn} is not the one that was "
                    "trained on when the backup was written. Training goes on, but not as if it had never been "
                    "interrupted. For that, let the generator begin from a seed, or use a `utils.PyDataset`, "
                    "whose batches are asked for by number.",
                    drawn=drawn,
                ),
                stacklevel=2,
            )

    def _checksum(self, batch: Any) -> int:
        columns = self._prepare(unpacked(batch))
        return checksum(array for arrays in columns for array in arrays if array is not None)

    def on_epoch_begin(self) -> None:
        """Tells a `PyDataset` that an epoch begins."""
        if self.dataset is not None:
            self.dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tells a `PyDataset` that an epoch is over; it may shuffle itself then."""
        if self.dataset is not None:
            self._epochs += 1
            self.dataset.on_epoch_end()


def _made(dataset: Any, order: Iterator[int]) -> Iterator[Any]:
    """The batches of these numbers, in their order; with several workers, the next ones are made meanwhile."""
    workers = getattr(dataset, "workers", 1)
    if workers <= 1:
        yield from (dataset[index] for index in order)
        return
    ahead = max(workers, getattr(dataset, "max_queue_size", 0))
    from concurrent.futures import ThreadPoolExecutor  # with all that it imports: only where there are workers

    pool = ThreadPoolExecutor(workers, thread_name_prefix="batches")
    try:
        waiting = deque(pool.submit(dataset.__getitem__, index) for index in itertools.islice(order, ahead))
        while waiting:
            batch = waiting.popleft().result()
            waiting.extend(pool.submit(dataset.__getitem__, index) for index in itertools.islice(order, 1))
            yield batch
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


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
        self._running: _Begun | None = None
        self._seen = 0  # batches since it began
        self._first = 0  # the step that the next epoch begins with
        self.dataset = batches.dataset if isinstance(batches, Stream) else None

    def used_up(self) -> bool:
        """Whether the next epoch would find no batch; a pass that ended with the last epoch is left behind."""
        if self.dataset is None and self._resumes and self._running is not None and isinstance(self._batches, Stream):
            if not self._running.at_end():
                return False
            self._running, self._seen = None, 0
        return self._batches.used_up()

    def describe(self) -> dict[str, Any]:
        """What a run that goes on must find again."""
        return {"steps": self._steps, **self._batches.describe()}

    def get_state(self, taken: int) -> dict[str, Any]:
        """Where an epoch stands of which so many batches have been taken, for `set_state`."""
        under_way = self._running is not None and self._resumes
        return {"taken": taken, "batches": self._batches.get_state(self._seen if under_way else 0)}

    def check_state(self, state: Any, epochs: int) -> None:
        """Raises ValueError where `get_state` cannot have given this after so many epochs."""
        require_entries(state, "the data", {"taken": COUNT, "batches": ANYTHING})
        self._batches.check_state(state["batches"], epochs)
        if state["taken"] > self._steps or state["batches"].get("drawn", 0) > epochs * self._steps:
            raise ValueError(tr("the backup says that it took more batches than its run can have taken"))

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Has the next epoch go on from there."""
        self._first, self._running = state["taken"], None
        self._seen = state["batches"]["taken"]
        self._batches.set_state(state["batches"])

    def __iter__(self) -> Iterator[Batch]:
        batches = self._batches
        first, self._first = self._first, 0
        if isinstance(batches, Stream):
            batches.on_epoch_begin()
        if self._running is None or not self._resumes:
            self._running = _Begun(batches.once() if isinstance(batches, Stream) else batches)
        for number in range(first, self._steps):
            batch = next(self._running, None)
            if batch is None:
                self._running, self._seen = None, 0
                if number:  # of an epoch of nothing the loop speaks
                    warnings.warn(
                        tr(
                            "Your input ran out of data; interrupting the epoch. Make sure that your dataset "
                            "or generator can generate at least `steps_per_epoch * epochs` batches: this epoch "
                            "wanted {steps} and had {number}.",
                            steps=self._steps,
                            number=number,
                        ),
                        stacklevel=2,
                    )
                break
            self._seen += 1
            yield batch
        if self._seen == batches.length or not self._resumes:
            self._running, self._seen = None, 0
        if isinstance(batches, Stream):
            batches.on_epoch_end()
