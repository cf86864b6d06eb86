"""Windows of a series, batch by batch."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from multilayer import ops, random
from multilayer._checks.arguments import require_flag
from multilayer._checks.scalars import whole_number
from multilayer._core.tape.eager import eager
from multilayer._tracebacks import filter_traceback
from multilayer.functional import Array, philox

_GLOBAL_SEED = 87654321  # TensorFlow's, where none was set


@filter_traceback
def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> TimeseriesDataset:
    """Windows that slide over a series, in batches, each with its target.

    The window that starts at step i holds the steps i, i + r, i + 2r, ..., `sequence_length` of them, r being the
    `sampling_rate`; its target is `targets[i]`. To predict the step that follows on each window of n steps, pass
    `data[:-n]` and `data[n:]`.

    The batches are those of Keras on TensorFlow, in its order, shuffled too: of the same seed the same, epoch by epoch.

    Args:
        data: The series, shape (steps, ...): an array, or what becomes one, such as a frame.
        targets: One for each step at which a window starts, shape (n, ...); None for windows without targets.
        sequence_length: Steps in a window.
        sequence_stride: Steps between the starts of windows that follow each other.
        sampling_rate: Steps between those in a window.
        batch_size: Windows in a batch, but for the last, which may have fewer; None for single windows.
        shuffle: Whether the windows come in another order, anew in every epoch: one among the next
            `8 * batch_size` (1024 without batches) of an order that the seed has drawn.
        seed: Seed of that order; by default one that NumPy's global generator draws.
        start_index: The first step that is used.
        end_index: The step before which the last is that is used: less than there are steps.
        format: For Keras' sake, "tf" or "grain": both give the same here. Keras' "grain" shuffles otherwise.

    Returns:
        What `fit`, `evaluate` and `predict` take, and what can be gone through again and again: batches `(x, y)`, or x
        without targets, x of shape (batch_size, sequence_length, ...). `len` is the number of batches, `take(n)` the
        first n of them.

    Raises:
        ValueError: An argument is no such number, no window fits, or windows have no target.

    Example:
        >>> series = np.arange(10.0)
        >>> windows = timeseries_dataset_from_array(series[:-3], series[3:], sequence_length=3, batch_size=5)
        >>> for x, y in windows.take(1):
        ...     print(x[:2], y[:2])
        [[0. 1. 2.]
         [1. 2. 3.]] [3. 4.]
    """
    require_flag("shuffle", shuffle)
    if format not in ("tf", "grain"):
        raise ValueError(f'`format` must be "tf" or "grain". Received: format={format!r}')
    series = _array(data)
    length = whole_number("sequence_length", sequence_length, 1)
    rate = _below("sampling_rate", sampling_rate, len(series))
    stride = _below("sequence_stride", sequence_stride, len(series))
    size = None if batch_size is None else whole_number("batch_size", batch_size, 1)
    first, end = _bounds(start_index, end_index, len(series))
    windows = end - first - (length - 1) * rate
    if windows < 1:
        raise ValueError(
            f"No window fits: with sequence_length={length} and sampling_rate={rate} one spans "
            f"{(length - 1) * rate + 1} steps, and there are {end - first}, from {first} to {end}. Make windows "
            "shorter, or give more data."
        )
    answers = None if targets is None else _array(targets)
    starts = np.arange(0, windows if answers is None else min(windows, len(answers)), stride)
    if answers is not None:
        answers = _enough(answers, starts, first)[first:end]
    drawn = None
    if shuffle:
        drawn = int(np.random.randint(10**6)) if seed is None else whole_number("seed", seed, 0)  # noqa: NPY002
        np.random.RandomState(drawn).shuffle(starts)
    steps = np.arange(0, length * rate, rate)
    return TimeseriesDataset(series[first:end], answers, starts, steps, batch_size=size, seed=drawn)


class TimeseriesDataset:
    """Batches of windows; `timeseries_dataset_from_array` makes them.

    Args:
        series: The steps.
        targets: One for each step at which a window starts, or None.
        starts: The steps at which windows start, in their order.
        steps: Which steps a window has, counted from its start.
        batch_size: Windows in a batch; None for single ones.
        seed: What the order of each epoch is drawn from; None keeps it.
    """

    def __init__(
        self,
        series: Array,
        targets: Array | None,
        starts: Array,
        steps: Array,
        batch_size: int | None,
        seed: int | None,
    ) -> None:
        self._series, self._targets, self._starts, self._steps = series, targets, starts, steps
        self._size = batch_size
        self._orders = None if seed is None else _Orders(seed)
        self._taken = -(-len(starts) // (batch_size or 1))

    def __len__(self) -> int:
        return self._taken

    def __iter__(self) -> Iterator[Any]:
        starts = self._starts
        if self._orders is not None:  # another one each time
            starts = starts[self._orders.next(len(starts), 1024 if self._size is None else 8 * self._size)]
        for number in range(len(self)):
            if self._size is None:
                yield self._batch(starts[number])
            else:
                yield self._batch(starts[number * self._size : (number + 1) * self._size])

    def take(self, count: int) -> TimeseriesDataset:
        """The first so many batches, of each epoch; all of them where there are no more, or for -1.

        Args:
            count: How many.
        """
        taken = copy.copy(self)
        count = whole_number("count", count, -1)
        taken._taken = len(self) if count < 0 else min(count, len(self))
        return taken

    def _batch(self, starts: Array) -> Any:
        x = self._series[np.asarray(starts)[..., None] + self._steps]
        return eager(x if self._targets is None else (x, self._targets[starts]))


def _array(values: Any) -> Array:
    """The values as an array; Python's own numbers become float32 and int32, as in Keras."""
    if isinstance(values, (list, tuple)):
        values = ops.convert_to_tensor(values)
    array = np.asarray(values)
    if not array.ndim:
        raise ValueError(f"`data` and `targets` must be arrays, whose first axis is time. Received: {values!r}")
    return array


def _enough(targets: Array, starts: Array, first: int) -> Array:
    """The targets, where there is one for each window; `first` steps are left out of them as of the data."""
    if not len(targets) or starts[-1] >= len(targets) - first:
        raise ValueError(
            f"`targets` has {len(targets)}, and the last of the windows starts at step "
            f"{first + (int(starts[-1]) if len(starts) else 0)}: one is needed for each step at which a window starts, "
            "from step 0 of the data on, also where `start_index` leaves steps out."
        )
    return targets


def _below(name: str, value: int, steps: int) -> int:
    """A number of steps from one to the next, of which there is one at least."""
    number = whole_number(name, value)
    _require(number > 0, name, "higher than 0", number)
    _require(number < steps, name, f"lower than the length of the data, {steps}", number)
    return number


def _bounds(start_index: int | None, end_index: int | None, steps: int) -> tuple[int, int]:
    """The first step that is used, and the one behind the last."""
    first = 0 if start_index is None else whole_number("start_index", start_index)
    _require(first >= 0, "start_index", "0 or greater", first)
    _require(first < steps, "start_index", f"lower than the length of the data, {steps}", first)
    if end_index is None:
        return first, steps
    end = whole_number("end_index", end_index)
    _require(end > 0, "end_index", "higher than 0", end)
    _require(end > first, "end_index", f"higher than `start_index`, {first}", end)
    _require(end < steps, "end_index", f"lower than the length of the data, {steps}", end)
    return first, end


def _require(holds: bool, name: str, what: str, value: int) -> None:
    if not holds:
        raise ValueError(f"`{name}` must be {what}. Received: {name}={value}")


class _Orders:
    """The orders in which tf.data shuffles, one after the other.

    Each is drawn from a stream of two words, which a stream of the seed and the global seed has given.
    """

    def __init__(self, seed: int) -> None:
        position = random.root_position()
        # What was set is of 32 bits; what the system has drawn, where nothing was set, of 128.
        self._key = position[0] if position is not None and position[0] < 2**32 else _GLOBAL_SEED
        self._seed = seed
        self._given = 0

    def next(self, count: int, ahead: int) -> list[int]:
        """The numbers from 0 on, each drawn from a buffer of so many, which is filled up in turn."""
        words = philox(self._key, self._given // 2, 1, self._seed)[0].tolist()
        key, upper = words[2:] if self._given % 2 else words[:2]
        self._given += 1
        size = min(ahead, count)
        buffer, order = list(range(size)), []
        for drawn, word in enumerate(philox(key, 0, -(-count // 4), upper).ravel()[:count].tolist()):
            oldest = drawn % size
            place = (drawn + word % min(size, count - drawn)) % size
            order.append(buffer[place])
            buffer[place] = buffer[oldest]  # whose place the next one takes
            if drawn + size < count:
                buffer[oldest] = drawn + size
        return order
