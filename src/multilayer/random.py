"""Where every random number comes from: one seed, from which each user of randomness gets a stream of its own.

`normal`, `uniform` and their like are Keras' `keras.random`: their numbers are of the same kinds, and repeat with the
same seed, but they are not the same numbers.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from multilayer import config
from multilayer._checks.arguments import numbers, sides
from multilayer._checks.scalars import is_real, is_whole, whole_number
from multilayer._core.tape import Tensor, as_tensor, recording
from multilayer._core.tape.eager import gives_eager
from multilayer._language import tr
from multilayer._names import naming
from multilayer._tracebacks import filter_traceback

Array = NDArray[Any]

_root: np.random.SeedSequence | None = None  # made at first use: NumPy itself loads `numpy.random` only then
_lock = threading.Lock()  # held while a stream, or a part of one, is handed out: to one thread alone


class _Mine(threading.local):
    taken = 0  # streams that this thread has been handed from the global seed


_mine = _Mine()


def _forget_lock() -> None:
    """Another thread may have held the lock when this process was forked, and is not here to let it go."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_lock)


@filter_traceback
def set_random_seed(seed: int) -> None:
    """Seeds everything: Python's `random`, NumPy's global generator, and every stream drawn here from now on.

    Two programs that set the same seed and then do the same get the same weights, batches and dropout masks.

    Args:
        seed: A whole number from 0 to 2^32 - 1.

    Raises:
        ValueError: `seed` is not such a number.

    Example:
        >>> set_random_seed(7)
        >>> first = new_generator().random()
        >>> set_random_seed(7)
        >>> new_generator().random() == first
        True
    """
    if not is_whole(seed, 0) or seed >= 2**32:
        raise ValueError(
            tr("Argument `seed` must be a whole number from 0 to 2**32 - 1. Received: seed={seed!r}.", seed=seed)
        )
    import random as python_random

    move_root([int(seed), 0])
    python_random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 - programs that use NumPy's global generator expect it


def checked_seed(seed: int | None) -> int | None:
    """The seed as a plain int; raises ValueError where it is neither None nor a whole number of at least 0."""
    if seed is None:
        return None
    if not is_whole(seed, 0):
        raise ValueError(
            tr("Argument `seed` must be None or a whole number of at least 0. Received: seed={seed!r}", seed=seed)
        )
    return int(seed)


class Stream:
    """A stream of random blocks (see `functional.philox`): its key and the blocks used are all the state it has.

    Args:
        key: Which stream, 64 bits.

    Example:
        >>> stream = Stream(7)
        >>> stream.take(16), stream.take(16)
        (0, 16)
    """

    def __init__(self, key: int) -> None:
        self.key = key
        self.counter = 0

    def take(self, blocks: int) -> int:
        """Sets so many blocks aside and returns the number of the first."""
        with _lock:
            first = self.counter
            self.counter += blocks
        return first

    def position(self) -> list[int]:
        """Its key and the blocks used, as they belong together."""
        with _lock:
            return [self.key, self.counter]

    def move(self, to: Sequence[int]) -> None:
        """Lets it go on from where `position` found it, while no other thread takes of it."""
        with _lock:
            self.key, self.counter = to


def new_stream(seed: int | None = None) -> Stream:
    """A stream of its own: from `seed`, or, where that is None, the next stream of the global seed."""
    return Stream(int(new_generator(seed).integers(2**64, dtype=np.uint64)))


def new_generator(seed: int | SeedGenerator | None = None) -> np.random.Generator:
    """A generator of its own: from `seed`, the next stream of a `SeedGenerator`, or, for None, of the global seed."""
    global _root
    if isinstance(seed, SeedGenerator):
        return _generator(seed)
    if seed is not None:
        return np.random.Generator(np.random.PCG64(seed))
    with _lock:
        if _root is None:
            _root = np.random.SeedSequence()
        stream = _root.spawn(1)[0]
        _mine.taken += 1
    return np.random.Generator(np.random.PCG64(stream))


def root_position() -> list[int] | None:
    """The global seed, and how many streams have been taken from it; None where nothing was drawn yet."""
    root = _root  # once, as another thread may move it
    if root is None:
        return None
    assert isinstance(root.entropy, int)  # as `set_random_seed` and `new_generator` make it
    return [root.entropy, root.n_children_spawned]


def move_root(to: Sequence[int] | None) -> None:
    """Lets the global seed go on from where `root_position` found it, while no other thread is given a stream."""
    with _lock:
        _move_root(to)


def _move_root(to: Sequence[int] | None) -> None:
    global _root
    _root = None if to is None else np.random.SeedSequence(to[0], n_children_spawned=to[1])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within this context all is drawn as after `set_random_seed(seed)`; after it, as if nothing had been drawn."""
    import random as python_random

    root, python, numpy = root_position(), python_random.getstate(), np.random.get_state()  # noqa: NPY002
    set_random_seed(seed)
    try:
        yield
    finally:
        move_root(root)
        python_random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


@contextmanager
def given_back_on_error() -> Iterator[None]:
    """Streams of the global seed that are taken within this context count as not taken where it ends in an error.

    Where another thread has taken one meanwhile they stay taken: that thread's would be handed out a second time.
    """
    before, had = root_position(), _mine.taken
    try:
        yield
    except BaseException:
        with _lock:
            now, own = root_position(), _mine.taken - had
            entropy, first = before or [now[0] if now else 0, 0]
            if now == [entropy, first + own]:  # every stream since then is this thread's
                _move_root(before)
                _mine.taken = had
        raise


class SeedGenerator:
    """A seed that gives another stream at every use: passed to the functions below, they draw new numbers every time.

    Args:
        seed: A whole number of at least 0; by default one drawn from the global seed.
        name: Its name.

    Attributes:
        state: The seed, and how many streams have been taken.

    Raises:
        ValueError: `seed` is something else.

    Example:
        >>> seeds = SeedGenerator(7)
        >>> first, second = normal((2,), seed=seeds), normal((2,), seed=seeds)
        >>> bool((first == normal((2,), seed=7)).all()), bool((second == first).any())
        (True, False)
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.name = name or naming.auto_name(type(self).__name__)
        self._initial_seed = checked_seed(seed)
        start = int(new_generator().integers(2**32)) if self._initial_seed is None else self._initial_seed
        self.state: Array = np.array([start, 0], np.uint64)

    def next(self) -> Array:
        """The seed and the number of the next stream, which is taken."""
        with _lock:
            taken: Array = self.state.copy()
            self.state[1] += np.uint64(1)
        return taken

    def position(self) -> list[int]:
        """The seed and the number of streams taken, as they belong together."""
        with _lock:
            return [int(number) for number in self.state]

    def move(self, to: Sequence[int]) -> None:
        """Lets it go on from where `position` found it, while no other thread takes a stream."""
        with _lock:
            self.state[...] = to

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """The generator with these constructor arguments."""
        return cls(**config)


@filter_traceback
@gives_eager
def normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> Array:
    """Numbers from a normal distribution.

    Args:
        shape: Their shape.
        mean: Mean of the distribution.
        stddev: Its standard deviation.
        dtype: A float type, `config.floatx()` by default.
        seed: A whole number, with which every call gives the same numbers; a `SeedGenerator`, with which every call
            gives others; by default the next stream of the global seed.

    Raises:
        ValueError: `dtype` is no float type, or `seed` neither of the two.

    Example:
        >>> normal((2, 3), seed=1).shape
        (2, 3)
    """
    return _floats(
        "normal",
        dtype,
        numbers("mean", mean) + numbers("stddev", stddev) * _generator(seed).standard_normal(sides("shape", shape)),
    )


@filter_traceback
@gives_eager
def truncated_normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> Array:
    """Numbers from a normal distribution, drawn again where they lie beyond two standard deviations from the mean.

    Args:
        shape: Their shape.
        mean: Mean of the normal distribution.
        stddev: Its standard deviation.
        dtype: A float type, `config.floatx()` by default.
        seed: As in `normal`.

    Raises:
        ValueError: As in `normal`.

    Example:
        >>> bool(abs(truncated_normal((1000,), seed=1)).max() <= 2)
        True
    """
    drawn = standard_truncated_normal(_generator(seed), shape)
    return _floats("truncated_normal", dtype, numbers("mean", mean) + numbers("stddev", stddev) * drawn)


@filter_traceback
@gives_eager
def uniform(
    shape: Sequence[int],
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> Array:
    """Numbers spread evenly over [minval, maxval).

    Args:
        shape: Their shape.
        minval: The least number.
        maxval: What every number is less than.
        dtype: A float type, `config.floatx()` by default.
        seed: As in `normal`.

    Raises:
        ValueError: As in `normal`.

    Example:
        >>> numbers = uniform((1000,), 2.0, 3.0, seed=1)
        >>> bool(((2 <= numbers) & (numbers < 3)).all())
        True
    """
    kind = _float_type("uniform", dtype)
    minval, maxval = numbers("minval", minval), numbers("maxval", maxval)
    # In the type that is asked for, or rounding could bring a number up to `maxval`.
    drawn = (minval + (maxval - minval) * _generator(seed).random(sides("shape", shape))).astype(kind)
    below: Array = np.minimum(drawn, np.nextafter(kind.type(maxval), kind.type(minval)))
    return below


@filter_traceback
@gives_eager
def randint(
    shape: Sequence[int],
    minval: int,
    maxval: int,
    dtype: DTypeLike = "int32",
    seed: int | SeedGenerator | None = None,
) -> Array:
    """Whole numbers spread evenly over [minval, maxval).

    Args:
        shape: Their shape.
        minval: The least number.
        maxval: What every number is less than.
        dtype: A type of whole numbers.
        seed: As in `normal`.

    Raises:
        ValueError: `dtype` is no type of whole numbers, there is no number in the range, or `seed` is neither of the
            two.

    Example:
        >>> sorted(set(randint((100,), 0, 3, seed=1).tolist()))
        [0, 1, 2]
    """
    kind = np.dtype(dtype)
    if kind.kind not in "iu":
        raise ValueError(f"`random.randint` requires an integer `dtype`. Received: dtype={dtype}")
    minval, maxval = whole_number("minval", minval), whole_number("maxval", maxval)
    if minval >= maxval:
        raise ValueError(f"`minval` must be less than `maxval`. Received: minval={minval}, maxval={maxval}")
    return _generator(seed).integers(minval, maxval, sides("shape", shape)).astype(kind)


@filter_traceback
@gives_eager
def shuffle(x: ArrayLike, axis: int = 0, seed: int | SeedGenerator | None = None) -> Array:
    """A copy with its slices along an axis in another order.

    Args:
        x: Anything that is an array.
        axis: The axis along which slices change places.
        seed: As in `normal`.

    Raises:
        ValueError: `seed` is neither a whole number nor a `SeedGenerator`.

    Example:
        >>> sorted(shuffle([3, 1, 2], seed=1).tolist())
        [1, 2, 3]
    """
    axis, found, generator = whole_number("axis", axis), _operand(x), _generator(seed)
    if type(found) is Tensor:
        order = generator.permutation(found.shape[axis])
        shuffled: Array = np.take(found, order, axis=axis)
        return shuffled
    return generator.permutation(found, axis=axis)


@filter_traceback
@gives_eager
def gamma(
    shape: Sequence[int],
    alpha: ArrayLike,
    dtype: DTypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> Array:
    """Numbers from a gamma distribution of scale 1: its mean and its variance are alpha.

    Args:
        shape: Their shape.
        alpha: The form of the distribution, at least 0: a number, or an array that can be broadcast to the shape.
        dtype: A float type, `config.floatx()` by default.
        seed: As in `normal`.

    Raises:
        ValueError: As in `normal`, or `alpha` is less than 0 or does not fit the shape.

    Example:
        >>> bool((gamma((100,), 2.0, seed=1) > 0).all())
        True
    """
    return _floats(
        "gamma",
        dtype,
        _generator(seed).standard_gamma(np.asarray(numbers("alpha", alpha), float), sides("shape", shape)),
    )


@filter_traceback
@gives_eager
def beta(
    shape: Sequence[int],
    alpha: ArrayLike,
    beta: ArrayLike,
    dtype: DTypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> Array:
    """Numbers in [0, 1] from a beta distribution, whose mean is alpha / (alpha + beta).

    Args:
        shape: Their shape.
        alpha: The first number of the distribution, more than 0: a number, or an array that can be broadcast to the
            shape.
        beta: The second, of the same kind.
        dtype: A float type, `config.floatx()` by default.
        seed: As in `normal`.

    Raises:
        ValueError: As in `normal`, or `alpha` or `beta` is not more than 0 or does not fit the shape.

    Example:
        >>> numbers = beta((100,), 2.0, 3.0, seed=1)
        >>> bool(((0 < numbers) & (numbers < 1)).all())
        True
    """
    return _floats(
        "beta",
        dtype,
        _generator(seed).beta(
            np.asarray(numbers("alpha", alpha), float), np.asarray(numbers("beta", beta), float), sides("shape", shape)
        ),
    )


@filter_traceback
@gives_eager
def binomial(
    shape: Sequence[int],
    counts: ArrayLike,
    probabilities: ArrayLike,
    dtype: DTypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> Array:
    """How many of so many trials succeed, each of which does with a probability; whole numbers of a float type.

    Args:
        shape: Their shape.
        counts: Numbers of trials: one, or an array that can be broadcast to the shape.
        probabilities: The probability of each trial, of the same kind.
        dtype: A float type, `config.floatx()` by default.
        seed: As in `normal`.

    Raises:
        ValueError: As in `normal`, or a count is less than 0, a probability not in [0, 1], or they do not fit the
            shape.

    Example:
        >>> sorted(set(binomial((100,), 2, 0.5, seed=1).tolist()))
        [0.0, 1.0, 2.0]
    """
    trials = np.asarray(numbers("counts", counts)).astype(np.int64)
    drawn = _generator(seed).binomial(
        trials, np.asarray(numbers("probabilities", probabilities), float), sides("shape", shape)
    )
    return _floats("binomial", dtype, np.asarray(drawn))


@filter_traceback
@gives_eager
def categorical(
    logits: ArrayLike,
    num_samples: int,
    dtype: DTypeLike = "int32",
    seed: int | SeedGenerator | None = None,
) -> Array:
    """Numbers of classes, drawn with the probabilities softmax(logits).

    Args:
        logits: Logarithms of the probabilities but for a constant, (n, classes); -inf for a class that never comes.
        num_samples: How many are drawn for each row.
        dtype: A type of whole numbers.
        seed: As in `normal`.

    Returns:
        The numbers, (n, num_samples).

    Raises:
        ValueError: `logits` is no matrix, a row of it gives no probabilities, or `seed` is none.

    Example:
        >>> categorical([[0.0, -np.inf], [-np.inf, 0.0]], 3, seed=1)
        array([[0, 0, 0],
               [1, 1, 1]], dtype=int32)
    """
    found = np.asarray(numbers("logits", logits), float)
    if found.ndim != 2:
        raise ValueError(
            f"`logits` should be a 2-D tensor with shape [batch_size, num_classes]. Received: shape {found.shape}"
        )
    largest = found.max(axis=1, keepdims=True, initial=-np.inf)
    if not np.isfinite(largest).all():
        raise ValueError("Each row of `logits` must hold a number, and neither NaN nor infinity.")
    shares = np.cumsum(np.exp(found - largest), axis=1)
    shares /= shares[:, -1:]
    drawn = _generator(seed).random((len(found), whole_number("num_samples", num_samples, 0)))
    classes = np.zeros(drawn.shape, np.dtype(dtype))
    for below in shares[:, :-1].T:  # class after class: one comparison with all samples at once
        classes += (drawn >= below[:, None]).astype(classes.dtype)
    return classes


@filter_traceback
@gives_eager
def dropout(
    inputs: ArrayLike,
    rate: float,
    noise_shape: Sequence[int | None] | None = None,
    seed: int | SeedGenerator | None = None,
) -> Array:
    """The inputs, each 0 with probability `rate`, and the others times 1 / (1 - rate).

    Args:
        inputs: Anything that is an array; whole numbers become floats.
        rate: Share of them to drop, in [0, 1].
        noise_shape: Shape of what is drawn, None for a side of the inputs'; a side of 1 drops all along it together.
        seed: As in `normal`.

    Raises:
        ValueError: `rate` is not in [0, 1], `noise_shape` does not fit, or `seed` is none.

    Example:
        >>> sorted(set(dropout(np.ones(20), 0.5, seed=1).tolist()))
        [0.0, 2.0]
    """
    x = _operand(inputs)
    x = x if x.dtype.kind == "f" else x.astype(config.floatx())
    if not is_real(rate) or not 0 <= rate <= 1:
        raise ValueError(f"`rate` must be a number in [0, 1]. Received: rate={rate!r}")
    wanted = x.shape if noise_shape is None else tuple(noise_shape)
    sides = tuple(side if one is None else one for one, side in zip(wanted, x.shape, strict=False))
    if len(wanted) != x.ndim or any(one not in (1, side) for one, side in zip(sides, x.shape, strict=True)):
        raise ValueError(f"`noise_shape` {wanted} does not fit inputs of shape {x.shape}.")
    if rate == 1:
        return np.zeros(x.shape, x.dtype)
    kept = _generator(seed).random(sides) >= rate
    dropped: Array = np.where(kept, x / x.dtype.type(1.0 - rate), x.dtype.type(0.0))
    return dropped


def standard_truncated_normal(generator: np.random.Generator, shape: Sequence[int]) -> Array:
    """Standard normal numbers, drawn again where they lie beyond two standard deviations."""
    values = generator.standard_normal(sides("shape", shape))
    while (outside := np.abs(values) > 2.0).any():
        values[outside] = generator.standard_normal(int(outside.sum()))
    return values


def _operand(x: Any) -> Any:
    """An array, or a tensor where a tape records what is computed of it."""
    x = as_tensor(x) if recording() else x
    return x if type(x) is Tensor else np.asarray(x)


def _generator(seed: int | SeedGenerator | None) -> np.random.Generator:
    """A generator for one call."""
    if seed is None:
        return new_generator()
    if isinstance(seed, SeedGenerator):
        number, stream = (int(part) for part in seed.next())
    elif not is_whole(seed, 0):
        raise ValueError(
            "Argument `seed` must be either an integer of at least 0 or an instance of `SeedGenerator`. Received: "
            f"seed={seed!r} (of type {type(seed)})"
        )
    else:
        number, stream = int(seed), 0
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(number, spawn_key=(stream,))))


def _float_type(function: str, dtype: DTypeLike | None) -> np.dtype[Any]:
    kind = np.dtype(config.floatx() if dtype is None else dtype)
    if kind.kind != "f":
        raise ValueError(f"`random.{function}` requires a floating point `dtype`. Received: dtype={dtype}")
    return kind


def _floats(function: str, dtype: DTypeLike | None, values: Array) -> Array:
    return values.astype(_float_type(function, dtype))
