"""One vector: all parameters of a model end to end, all their gradients in a second vector of the same layout.

A `Variable` owns its values until an `Arena` takes it in; from then on its `value` and `gradient` are views of the
arena's vectors, and whatever works on the whole (an optimizer step, a checkpoint, clipping) is one call on one vector.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from multilayer._core.tape import StoodFor, plain
from multilayer._names import registry
from multilayer.config import floatx
from multilayer.functional import Array

_VIEWS = {"value": "parameter", "gradient": "gradient"}


class Variable(StoodFor):
    """A named array of weights, whose memory may move into an arena.

    Args:
        initializer: Initial values, which are copied; or an initializer, or the name of one.
        shape: Its shape, where an initializer gives the values.
        dtype: Its type; by default that of the values, and `config.floatx()` for what is no array but has fractions.
        trainable: Whether an optimizer may change it.
        autocast: Accepted as Keras does: a variable is of one type.
        aggregation: Accepted as Keras does: there is one device.
        synchronization: Accepted as Keras does.
        name: Name within its layer, such as 'kernel'.

    Attributes:
        regularizer: The penalty on its values that a model adds to its loss, or None.
        constraint: What its values must fulfil after every step, or None.
        value: The values, always the array itself: to be read, and changed in place (`variable.value *= 0.5`).
        gradient: The gradient's view, of the same shape; None until an arena gives it one, and for frozen variables.
        version: How often it was changed by `assign` and its like: a tape sees by it that a gradient comes too late.

    Raises:
        AttributeError: `value` or `gradient` is set to another array, which the model would never hear of.
        ValueError: There is an initializer and no shape, or a name with '/' in it.

    Example:
        >>> kernel = Variable(np.zeros((2, 3)), name="kernel")
        >>> kernel.assign(np.ones((2, 3)))
        >>> kernel.numpy().sum()
        np.float64(6.0)
    """

    value: Array
    gradient: Array | None

    def __init__(
        self,
        initializer: ArrayLike | Callable[..., Any] | str,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,  # noqa: ARG002
        aggregation: str | None = "none",  # noqa: ARG002
        synchronization: str | None = "auto",  # noqa: ARG002
        name: str | None = None,
    ) -> None:
        if name is not None and not (isinstance(name, str) and "/" not in name):
            raise ValueError(
                f"Argument `name` must be a string and cannot contain character `/`. Received: name={name!r}"
            )
        vars(self).update(value=_initial(initializer, shape, dtype), gradient=None)
        self.name = name or "variable"
        self.path = self.name
        self.trainable = bool(trainable)
        self.regularizer: Callable[[Array], float] | None = None
        self.constraint: Callable[[Array], Array] | None = None
        self.arena: Arena | None = None
        self.version = 0

    def __setattr__(self, name: str, value: Any) -> None:
        """Guards `value` and `gradient` where they are set, so that reading them, as every step does, costs nothing."""
        if name in _VIEWS and value is not vars(self).get(name):  # `variable.value += 1` hands the same array back
            raise AttributeError(
                f"`{name}` of {self.path} is a view of the model's {_VIEWS[name]} vector and cannot be replaced. Write "
                f"into it: `variable.{name}[...] = array`; for values, you can also use `variable.assign(array)`."
            )
        super().__setattr__(name, value)
        if name == "value":
            self.version += 1

    def convert(self, dtype: str) -> None:
        """Takes the variable out of its arena, with values of another type."""
        vars(self).update(value=self.value.astype(dtype), gradient=None)
        self.arena = None

    def move(self, value: Array, gradient: Array | None, arena: Arena) -> None:
        """Lets the variable live in an arena from now on: its values, which are copied, and its gradient."""
        np.copyto(value, self.value)
        vars(self).update(value=value, gradient=gradient)
        self.arena = arena

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.value.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.value.size

    @property
    def dtype(self) -> str:
        """Name of the array's type, such as 'float32'."""
        return str(self.value.dtype)

    def assign(self, value: ArrayLike) -> None:
        """Copies `value` into the variable's own memory.

        Raises:
            ValueError: `value` has another shape, or does not hold real numbers.
        """
        value = self.real(value)
        if value.shape != self.shape:
            raise ValueError(
                f"The shape of the target variable and the shape of the target value in `variable.assign(value)` must "
                f"match. variable.shape={self.shape}, Received: value.shape={value.shape}. Target variable: {self}"
            )
        np.copyto(self.value, value, casting="unsafe")
        self.version += 1

    def assign_add(self, value: ArrayLike) -> None:
        """Adds to the values, in the variable's own memory."""
        self.assign(self.value + np.asarray(plain(value)))

    def assign_sub(self, value: ArrayLike) -> None:
        """Subtracts from the values, in the variable's own memory."""
        self.assign(self.value - np.asarray(plain(value)))

    def real(self, value: ArrayLike) -> Array:
        """The value as an array; raises ValueError where it does not hold real numbers."""
        array = np.asarray(plain(value))  # what is assigned is a constant, also where it was recorded
        if array.dtype.kind not in "fiub":
            raise ValueError(f"Weights are real numbers; got an array of type {array.dtype} for {self.path}.")
        return array

    def numpy(self) -> Array:
        """A copy of the values."""
        return np.array(self.value)

    def __getstate__(self) -> dict[str, Any]:
        """A copy stands on its own: the arena, and the views of it, stay with the original."""
        return {**self.__dict__, "value": self.numpy(), "gradient": None, "arena": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # `joblib.load(mmap_mode="r")` maps arrays to a file: read-only, and of a class that no kernel takes.
        self.__dict__.update(state, value=np.array(state["value"]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.value, dtype=dtype, copy=copy)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self.value}>"


def _initial(initializer: Any, shape: Sequence[int] | None, dtype: Any) -> Array:
    """The first values of a variable, in memory of their own."""
    if isinstance(initializer, str):
        initializer = registry.lookup("initializer", initializer)()
    if not callable(initializer):
        values = np.array(initializer, dtype)
        plain = dtype is None and not hasattr(initializer, "dtype")  # numbers of Python
        return values.astype(floatx()) if plain and values.dtype.kind == "f" else values
    if shape is None:
        raise ValueError(
            "When creating a Variable from an initializer, the `shape` argument should be specified. Received: "
            f"initializer={initializer} and shape={shape}"
        )
    return np.array(initializer(tuple(shape), dtype=dtype or floatx()))


class Effort(NamedTuple):
    """What an operation costs, in numbers.

    Attributes:
        computed: So many does it compute.
        held: So many are in memory at once.
    """

    computed: int
    held: int


class _Allowance:
    """What a description may still ask for."""

    def __init__(self, elements: int, calls: int, values_follow: bool) -> None:
        self.elements = elements
        # An operation is tried on batches of 2 and of 3. Where a layer with weights follows, it has one at least for
        # each number of a sample, and the file has that one: so a file is worth three samples.
        self.held = 3 * elements
        self.calls = calls
        self.effort = 2**26  # numbers that operations may compute on the small batches which tell what they give
        self.values_follow = values_follow


_allowance: ContextVar[_Allowance | None] = ContextVar("_allowance", default=None)


@contextmanager
def at_most(elements: int, calls: int = 5000, values_follow: bool = False) -> Iterator[None]:
    """Within it, a description is held to what its file can mean.

    Args:
        elements: So many elements may all weights have that layers declare.
        calls: So many layers may be made, and called with tensors; each call within a model that is called counts.
        values_follow: Whether all weights are about to be set, so that no initializer need draw any.
    """
    token = _allowance.set(_Allowance(elements, calls, values_follow))
    try:
        yield
    finally:
        _allowance.reset(token)


def claim(shape: Sequence[Any], path: str) -> None:
    """Called before the memory for a weight is taken.

    Raises:
        ValueError: Within `at_most`, the weight is one too many.
    """
    allowance = _allowance.get()
    if allowance is None:
        return
    size = math.prod(shape)
    if size > allowance.elements:
        raise ValueError(
            f"the weight '{path}' of shape {tuple(shape)} has {size:,} elements, and {allowance.elements:,} are left."
        )
    allowance.elements -= size


def claim_call() -> None:
    """Called when a layer is made, and when it is called with tensors.

    Raises:
        ValueError: Within `at_most`, it is one too many.
    """
    allowance = _allowance.get()
    if allowance is not None:
        allowance.calls -= 1
        if allowance.calls < 0:
            raise ValueError("it describes more layers, and calls of them, than any network has.")


def claim_effort(effort: Callable[[], Effort], name: str) -> None:
    """Called before an operation is tried on a small batch, to know what it gives.

    Args:
        effort: Gives what it will cost; asked within `at_most` alone.
        name: The operation's name.

    Raises:
        ValueError: Within `at_most`, it would be more than any network computes, or than its weights are worth.
    """
    allowance = _allowance.get()
    if allowance is None:
        return
    computed, held = effort()
    if computed > allowance.effort:
        raise ValueError(
            f"'{name}' would compute {computed:,} numbers, and {allowance.effort:,} are left to operations."
        )
    if held > allowance.held:
        raise ValueError(
            f"'{name}' would compute {held:,} numbers on a small batch, and {allowance.held:,} are what the weights "
            "are worth."
        )
    allowance.effort -= computed


def values_follow() -> bool:
    """Whether the values of weights that are declared now come from a file."""
    allowance = _allowance.get()
    return allowance is not None and allowance.values_follow


class Segment(NamedTuple):
    """Where in the vector a variable lies: elements start to stop."""

    variable: Variable
    start: int
    stop: int


class Arena:
    """The vectors of one model, and the table of who lies where in them.

    Trainable variables come first, each kind in the order given, so that `parameters` and `gradients` are one slice
    each. Laying out copies the current values; afterwards every variable's `value` is a view.

    Args:
        variables: All variables of the model; one that appears twice (a shared layer's) is laid out once.

    Attributes:
        vector: All values, shape (size,).
        parameters: The trainable values, the front of `vector`.
        gradients: Their gradients, of the same length.
        segments: The table, in the order of the vector.

    Raises:
        ValueError: The variables are of different types.

    Example:
        >>> W, b = Variable(np.ones((2, 3))), Variable(np.zeros(3))
        >>> arena = Arena([W, b])
        >>> arena.parameters[-3:] = 7.0
        >>> b.numpy()
        array([7., 7., 7.])
    """

    def __init__(self, variables: Iterable[Variable]) -> None:
        distinct = list(dict.fromkeys(variables))  # in their order, which a set would lose
        trainable = [v for v in distinct if v.trainable]
        frozen = [v for v in distinct if not v.trainable]
        counts = [v for v in frozen if v.value.dtype.kind != "f"]  # such as a number of steps: it keeps its own memory
        frozen = [v for v in frozen if v not in counts]
        types = {v.dtype for v in [*trainable, *frozen]}
        if len(types) > 1:
            raise ValueError(f"All weights of a model must have one type; got {', '.join(sorted(types))}.")
        self.dtype = types.pop() if types else "float32"
        self.segments = self._table([*trainable, *frozen])
        size = self.segments[-1].stop if self.segments else 0
        self.vector: Array = np.empty(size, self.dtype)
        num_trainable = sum(v.value.size for v in trainable)
        self.parameters: Array = self.vector[:num_trainable]
        self.gradients: Array = np.zeros(num_trainable, self.dtype)
        for segment in self.segments:
            self._take_in(segment)
        for variable in counts:
            variable.arena = self

    @staticmethod
    def _table(variables: Sequence[Variable]) -> list[Segment]:
        segments, start = [], 0
        for variable in variables:
            stop = start + math.prod(variable.shape)
            segments.append(Segment(variable, start, stop))
            start = stop
        return segments

    def _take_in(self, segment: Segment) -> None:
        variable, place = segment.variable, slice(segment.start, segment.stop)
        gradient = self.gradients[place].reshape(variable.shape) if variable.trainable else None
        variable.move(self.vector[place].reshape(variable.shape), gradient, self)

    def holds(self, variables: Iterable[Variable]) -> bool:
        """Whether every one of the variables still lies here, as trainable as when it was laid out."""
        return all(v.arena is self and v.trainable == (v.gradient is not None) for v in variables)


class Fresh:
    """New memory each time, for what may be kept: the place of `Scratch` where a result is a tensor's value."""

    def __call__(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any] | str) -> Array:  # noqa: ARG002
        """An array of this shape and type; its content is arbitrary."""
        return np.empty(shape, dtype)


class Scratch:
    """Working memory that stays: the same name gives the same memory at every step, so steady training allocates none.

    A smaller request, such as a last batch of fewer rows, is served from the front of the same memory.

    Example:
        >>> scratch = Scratch()
        >>> whole = scratch("dx", (32, 10), np.dtype("float32"))
        >>> np.shares_memory(whole, scratch("dx", (7, 10), np.dtype("float32")))
        True
    """

    def __init__(self) -> None:
        self._memory: dict[str, Array] = {}
        self._last: dict[str, tuple[tuple[int, ...], np.dtype[Any] | str, Array]] = {}

    def __call__(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any] | str) -> Array:
        """An array of this shape and type; its content is whatever was left there."""
        # A step asks a dozen times, nearly always for what it was given last: a request is compared with a request, as
        # an array would make a tuple of its shape each time.
        last = self._last.get(name)
        if last is not None and last[0] == shape and last[1] == dtype:
            return last[2]
        size = math.prod(shape)
        memory = self._memory.get(name)
        if memory is None or memory.size < size or memory.dtype != dtype:
            memory = self._memory[name] = np.empty(size, dtype)
        view = memory[:size].reshape(shape)
        self._last[name] = shape, dtype, view
        return view
