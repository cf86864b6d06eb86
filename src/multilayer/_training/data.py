"""What a user passes to fit, evaluate and predict: checked once, before the first step, then cut into batches."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from multilayer._checks.arrays import as_numbers, finite_as, read_only
from multilayer._checks.generators import check_numpy_position
from multilayer._checks.sparse import SparseRows, sparse_of
from multilayer._checks.states import ANYTHING, COUNT, require_entries
from multilayer._checks.texts import TEXT, as_texts
from multilayer._core import kernels
from multilayer._core.arena import Scratch
from multilayer._language import tr
from multilayer.functional import Array

Batch: TypeAlias = tuple[list[Array], list[Array | None], list[Array | None]]


class Prepared(NamedTuple):
    """What a user passed, checked: an array for each input, and for each output targets and weights, or None."""

    xs: list[Array]
    ys: list[Array | None]
    sample_weights: list[Array | None]


class Batches:
    """Samples in batches, in order or newly shuffled at every pass; the last batch may be smaller.

    Whole numbers (pixels as uint8, say) stay as they are in memory and become floats batch by batch. Batches share
    memory: one is valid until the next is taken. What is a piece of the user's own arrays can be read only.

    Args:
        xs: One array for each input of the model, shape (n, ...).
        ys: Targets for each output, shape (n, ...), or None where it has none.
        sample_weights: Weights for each output, shape (n,), or None.
        dtypes: The type that each input is wanted in.
        batch_size: Number of samples in a batch.
        generator: Where the order comes from; None keeps the samples in order.
        ahead: Whether another core may gather the next batch while this one is worked with. It pays where the matrix
            products leave that core idle, and costs where they do not; meanwhile nobody may change the samples. There
            is one such helper: with several inputs each is gathered when it is needed.

    Example:
        >>> batches = Batches([np.arange(5.0)[:, None]], dtypes=["float32"], batch_size=2)
        >>> len(batches), [len(xs[0]) for xs, ys, weights in batches]
        (3, [2, 2, 1])
    """

    dataset: Any = None  # what else gives batches by their number: here nothing

    def __init__(
        self,
        xs: Sequence[Array],
        ys: Sequence[Array | None] = (),
        sample_weights: Sequence[Array | None] = (),
        *,
        dtypes: Sequence[str],
        batch_size: int,
        generator: np.random.Generator | None = None,
        ahead: bool = False,
    ) -> None:
        self.dtypes = [np.dtype(dtype) for dtype in dtypes]
        # Floats of another width are converted here, once; the array then takes no more memory than the original.
        self.xs = [
            x.astype(dtype, copy=False) if x.dtype.kind == "f" else x for x, dtype in zip(xs, self.dtypes, strict=True)
        ]
        if generator is not None:
            self.xs = list(map(_row_by_row, self.xs))
        self.ys = list(ys)
        self.sample_weights = list(sample_weights)
        self.num_samples = len(self.xs[0])
        self.batch_size = batch_size
        self._generator = generator
        self._began: dict[str, Any] = {}  # where the generator stood before it gave the order of the last pass
        self._first = 0  # the batch that the next pass begins with
        self.ahead = ahead
        self._scratch = Scratch()

    def __len__(self) -> int:
        return -(-self.num_samples // self.batch_size)

    @property
    def length(self) -> int:
        """Number of batches."""
        return len(self)

    def __iter__(self) -> Iterator[Batch]:
        first, self._first = self._first, 0
        if self._generator is None:
            return self._in_order(first)
        self._began = dict(self._generator.bit_generator.state)
        return self._in(self._generator.permutation(self.num_samples), first)

    def used_up(self) -> bool:
        """Whether the next pass would find no batch: arrays are there as often as they are wanted."""
        return False

    def describe(self) -> dict[str, Any]:
        """What a run that goes on must find again: sizes, and a checksum of the first and the last sample."""
        columns = [column for column in (*self.xs, *self.ys, *self.sample_weights) if column is not None]
        return {
            "samples": self.num_samples,
            "batch_size": self.batch_size,
            "shuffle": self._generator is not None,
            "checksum": checksum([ends for column in columns for ends in (column[:1], column[-1:])]),
        }

    def get_state(self, taken: int) -> dict[str, Any]:
        """Where a pass stands, for `set_state`.

        Args:
            taken: How many of its batches have been taken; 0 for a pass that is still to begin.
        """
        if self._generator is None:
            return {"taken": taken, "generator": None}
        return {"taken": taken, "generator": self._began if taken else self._generator.bit_generator.state}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Has the next pass go on from there: the same order, without the batches that were taken."""
        self._first = state["taken"]
        if self._generator is not None:
            self._generator.bit_generator.state = state["generator"]

    def check_state(self, state: Any, epochs: int) -> None:  # noqa: ARG002 - as the other sources have it
        """Raises ValueError where `get_state` cannot have given this after so many epochs."""
        require_entries(state, "the data", {"taken": COUNT, "generator": ANYTHING})
        if state["taken"] > len(self):
            raise ValueError(
                tr(
                    "of the data it says that {state} of {count} batches were taken",
                    state=state["taken"],
                    count=len(self),
                )
            )
        if self._generator is not None:
            check_numpy_position(state["generator"], self._generator.bit_generator.state)

    def _in_order(self, first: int) -> Iterator[Batch]:
        for start in range(first * self.batch_size, self.num_samples, self.batch_size):
            part = slice(start, start + self.batch_size)
            xs = [self._converted(i, x[part]) for i, x in enumerate(self.xs)]
            yield xs, [_piece(y, part) for y in self.ys], [_piece(weight, part) for weight in self.sample_weights]

    def _converted(self, i: int, x: Array) -> Array:
        if x.dtype == self.dtypes[i]:
            return read_only(x)
        converted = self._scratch(f"x{i}", x.shape, self.dtypes[i])
        np.copyto(converted, x, casting="unsafe")
        return read_only(converted)

    def _in(self, order: Array, first: int) -> Iterator[Batch]:
        """Batches of rows in this order, the next one's inputs gathered while the last is worked with."""
        if first == len(self):
            return
        # What does not change from batch to batch, such as memory, is made here: a whole step takes but some 50 us.
        inputs = [
            (x, (self._memory(f"x{i}", x, dtype), self._memory(f"next x{i}", x, dtype)), self._unconverted(i))
            for i, (x, dtype) in enumerate(zip(self.xs, self.dtypes, strict=True))
        ]
        columns = [
            (column, None if column is None else self._memory(f"y{i}", column, column.dtype))
            for i, column in enumerate((*self.ys, *self.sample_weights))
        ]
        size, steps, outputs = self.batch_size, len(self), len(self.ys)
        following = order[first * size : (first + 1) * size]
        begun = [self._begin(*one, following, first % 2) for one in inputs]
        for number in range(first + 1, steps + 1):
            rows = following
            xs = [ready() for ready in begun]
            if number < steps:
                following = order[number * size : (number + 1) * size]
                begun = [self._begin(*one, following, number % 2) for one in inputs]
            n = len(rows)
            taken = [
                None if column is None else kernels.take_rows(column, rows, out[:n])  # type: ignore[index]
                for column, out in columns
            ]
            yield xs, taken[:outputs], taken[outputs:]

    def _memory(self, name: str, source: Array, dtype: np.dtype[Any]) -> Array:
        """Memory for a whole batch; a smaller one takes the front of it."""
        return self._scratch(name, (min(self.batch_size, self.num_samples), *source.shape[1:]), dtype)

    def _unconverted(self, i: int) -> Array | None:
        """Memory for a batch of an input as it is, where it is still to be converted."""
        x = self.xs[i]
        converted = x.dtype == self.dtypes[i] or isinstance(x, SparseRows)
        return None if converted else self._memory(f"x{i} as it is", x, x.dtype)

    def _begin(
        self, x: Array, memory: tuple[Array, Array], work: Array | None, rows: Array, turn: int
    ) -> Callable[[], Array]:
        n = len(rows)
        out = memory[turn][:n]
        work = None if work is None else work[:n]
        if isinstance(x, SparseRows):
            return functools.partial(_made_dense, x, rows, out)
        if x.dtype == TEXT:  # objects of Python's, which no kernel moves
            return functools.partial(np.take, x, rows, 0)
        if self.ahead and len(self.xs) == 1:
            return kernels.begin_rows(x, rows, out, work)
        return functools.partial(kernels.take_rows, x, rows, out, work)


def _row_by_row(x: Array) -> Array:
    """The samples one behind the other: rows of what lies column by column are gathered some 100 times as slowly.

    What is on disk stays there.
    """
    if isinstance(x, SparseRows) or abs(x.strides[0]) == max(map(abs, x.strides)) or isinstance(_owner(x), np.memmap):
        return x
    return np.ascontiguousarray(x)


def _owner(x: Array) -> Any:
    """Whose memory it is, where it is a view."""
    owner: Any = x
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    return owner


def _made_dense(x: SparseRows, rows: Array, out: Array) -> Array:
    np.copyto(out, x[rows], casting="unsafe")
    return out


def checksum(arrays: Iterable[Array]) -> int:
    """A checksum (CRC-32) of the numbers in some arrays, which tells whether they are still the same."""
    found = 0
    for array in arrays:
        content = "\0".join(array.flat).encode("utf-8", "surrogatepass") if array.dtype == TEXT else array
        found = zlib.crc32(content if isinstance(content, bytes) else np.ascontiguousarray(content).tobytes(), found)
    return found


def _piece(source: Array | None, part: slice) -> Array | None:
    return None if source is None else read_only(source[part])


def check_inputs(x: ArrayLike, dtype: DTypeLike, name: str = "x") -> Array:
    """Inputs as an array of finite numbers with at least one sample, floats in the type the model computes in.

    A sparse matrix stays one, as `SparseRows`, which `Batches` makes dense batch by batch.

    Raises:
        ValueError: They are anything else, or too large for that type.
    """
    # What is as it should be takes one look: where and what is wrong is found out by those who have to say so.
    texts = dtype == TEXT
    if not texts and type(x) is np.ndarray and x.dtype == dtype and x.size and x.ndim and kernels.all_finite(x):
        return x
    array: Any = as_texts(x, name) if texts else as_rows(x, name)
    if len(array) == 0:
        raise ValueError(
            tr("`{name}` is empty: its shape is {shape}. At least one sample is needed.", name=name, shape=array.shape)
        )
    if isinstance(array, SparseRows):
        finite_as(array.entries, dtype, name, array.place)
        return array  # type: ignore[return-value]
    if texts:
        return array  # type: ignore[no-any-return]
    return finite_as(array, dtype, name)


def as_rows(x: Any, name: str) -> Any:
    """Inputs as an array of real numbers, or, where they are mostly zeros, as `SparseRows`.

    Raises:
        ValueError: They hold anything else.
    """
    matrix = sparse_of(x)
    if matrix is None:
        return as_numbers(x, name)
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiub":
        raise ValueError(
            tr(
                "`{name}` must hold numbers in rows; got a sparse matrix of type {dtype} and shape {shape}.",
                name=name,
                dtype=matrix.dtype,
                shape=matrix.shape,
            )
        )
    return SparseRows(matrix)


def check_lengths(**arrays: Array | None) -> None:
    """Checks that all arrays given have the same number of samples.

    Raises:
        ValueError: They have not.
    """
    lengths = {name: len(array) for name, array in arrays.items() if array is not None}
    if len(set(lengths.values())) > 1:
        sizes = ", ".join(tr("{name!r} has {length}", name=name, length=length) for name, length in lengths.items())
        raise ValueError(
            tr(
                "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples: {sizes}.",
                sizes=sizes,
            )
        )


def check_weights(
    sample_weight: ArrayLike | None,
    class_weight: Mapping[int, float] | None,
    y: Array,
    dtype: str,
    output_shape: tuple[int | None, ...],
) -> Array | None:
    """The weight of each sample, from either argument; None where neither is given.

    Args:
        sample_weight: One weight a sample, shape (n,), or, where the output is (n, t, k), one for each of its rows,
            shape (n, t); a last axis of length 1 may follow. Any finite numbers: as in Keras, even negative ones.
        class_weight: Weight of each class that has one, at least 0; others have weight 1.
        y: Targets as the loss prepared them: labels, one-hot rows, or a column of zeros and ones.
        dtype: The type the model computes in.
        output_shape: Shape of the model's output, the batch None.

    Raises:
        ValueError: Both are given, or one does not fit.
    """
    if class_weight is not None:
        if sample_weight is not None:
            raise ValueError(tr("You cannot pass `class_weight` and `sample_weight` at the same time."))
        return _weights_of_classes(class_weight, y, dtype)
    if sample_weight is None:
        return None
    given = as_numbers(sample_weight, "sample_weight")
    check_lengths(y=y, sample_weight=given)
    weight = given
    while weight.ndim > 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    rows = y.shape[: max(len(output_shape) - 1, 1)]  # the loss has one value for each of these
    if weight.shape != rows[: weight.ndim]:
        each = tr(" or, one for each row of the output, {rows}", rows=rows) if len(rows) > 1 else ""
        raise ValueError(
            tr(
                "`sample_weight` must give one weight a sample, shape ({count},){each}; got an array of shape {shape}.",
                count=len(y),
                each=each,
                shape=given.shape,
            )
        )
    return finite_as(weight, dtype, "sample_weight").astype(dtype, copy=False)


def _weights_of_classes(class_weight: Mapping[int, float], y: Array, dtype: str) -> Array:
    if not isinstance(class_weight, Mapping):
        as_dict = "`class_weight.to_dict()`" if hasattr(class_weight, "to_dict") else "`dict(enumerate(weights))`"
        raise ValueError(
            tr(
                "`class_weight` must be a dict from classes to weights, such as {{0: 1.0, 1: 5.0}}. Received: "
                "class_weight={class_weight!r}. A list of weights becomes one by {as_dict}.",
                class_weight=class_weight,
                as_dict=as_dict,
            )
        )
    for label, value in class_weight.items():
        _check_class_weight(label, value)
    if y.ndim > 2:
        raise ValueError(tr("`class_weight` needs one label a sample; got targets of shape {shape}.", shape=y.shape))
    if y.ndim == 2 and y.shape[1] > 1:
        _require_one_class(y)
    labels = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1).round().astype(np.intp)
    weight = np.ones(len(labels), dtype)
    for label, value in class_weight.items():
        weight[labels == label] = value
    return weight


def _require_one_class(y: Array) -> None:
    """Raises ValueError where a row of targets names several classes alike: whose weight would it have?

    A row of zeros names none, and has that of class 0, as in Keras.
    """
    greatest = (y == y.max(axis=1, keepdims=True)).sum(axis=1) * (y.max(axis=1) > 0)
    if (greatest > 1).any():
        row = int(greatest.argmax())
        raise ValueError(
            tr(
                "`class_weight` needs one class a sample; row {row} of `y` is {y}, {greatest} of whose entries "
                "are the greatest. Where a sample has several labels, pass `sample_weight`, for example `(y * "
                "weights).max(axis=1)` with an array of each label's weight.",
                row=row,
                y=str(y[row])[:100],
                greatest=greatest[row],
            )
        )


def _check_class_weight(label: Any, value: Any) -> None:
    if not isinstance(label, (int, float, np.number)) or label != np.floor(label):
        raise ValueError(
            tr("The keys of `class_weight` are classes, whole numbers such as 0. Received: {label!r}", label=label)
        )
    if not isinstance(value, (int, float, np.number)) or not 0 <= value < np.inf:
        raise ValueError(
            tr(
                "The values of `class_weight` are finite numbers of at least 0. Received: {value!r} for class {label}",
                value=value,
                label=label,
            )
        )


def split_validation(prepared: Prepared, validation_split: float) -> tuple[Prepared, Prepared]:
    """The front of the arrays for training and the last `validation_split` of them for validation, as in Keras.

    Raises:
        ValueError: The share is not in (0, 1), or leaves one side empty.
    """
    if not 0.0 < validation_split < 1.0:
        raise ValueError(
            tr(
                "`validation_split` must be in [0, 1). Received: validation_split={validation_split}",
                validation_split=validation_split,
            )
        )
    n = len(prepared.xs[0])
    at = int(n * (1.0 - validation_split))
    if at in (0, n):
        raise ValueError(
            tr(
                "Training data contains {n} samples, which is not sufficient to split it into a validation and "
                "training set as specified by `validation_split={validation_split}`. Either provide more data, "
                "or a different value for the `validation_split` argument.",
                n=n,
                validation_split=validation_split,
            )
        )
    return _piece_of_all(prepared, slice(None, at)), _piece_of_all(prepared, slice(at, None))


def _piece_of_all(prepared: Prepared, part: slice) -> Prepared:
    ys, weights = (
        [None if column is None else column[part] for column in columns]
        for columns in (prepared.ys, prepared.sample_weights)
    )
    return Prepared([x.part(part) if isinstance(x, SparseRows) else x[part] for x in prepared.xs], ys, weights)
