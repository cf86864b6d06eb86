"""The tape: a tensor remembers what it was computed from, so that its derivative can be found by going back.

There is no list of what happened. A `Tensor` holds its value and the `Node` that made it, a node the operands it was
made of: what nobody holds any more is freed at once, and nothing stands in a circle. Nodes are numbered in the order in
which they were made, which is an order in which derivatives can be passed on, backwards.

Something is recorded while a `Recording` is open in this thread, and of what is watched: variables that are trained,
and tensors that the recording was told to watch. Anything else stays plain NumPy.
"""

from __future__ import annotations

import inspect
import itertools
import sys
import threading
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np

from multilayer._core.tape.eager import EagerArray, eager
from multilayer._core.tape.operands import NOT_INTO, Operand, users_line, what_numpy_says
from multilayer._tracebacks import shorten
from multilayer.functional import Array

_numbers = itertools.count(1)


class Node:
    """One step of a computation: which rule made which value of which operands.

    Attributes:
        rule: How the value was made, and how its gradient is passed on; None for what is watched.
        values: The operands, arrays in the place of tensors.
        kwargs: Options of the operation.
        value: What it gave.
        ways: The operands that it can be differentiated by: each one's position, and its node.
        number: Its place in the order of all nodes.
        session: What it was recorded in: see `Recording`.
    """

    __slots__ = ("__weakref__", "kwargs", "number", "rule", "session", "value", "values", "ways")

    def __init__(
        self,
        session: Any,
        value: Any,
        rule: Rule | None = None,
        values: Sequence[Any] = (),
        kwargs: Mapping[str, Any] = MappingProxyType({}),
        ways: Sequence[tuple[int, Node]] = (),
    ) -> None:
        self.session = session
        self.value = value
        self.rule = rule
        self.values = values
        self.kwargs = kwargs
        self.ways = ways
        self.number = next(_numbers)

    @property
    def parents(self) -> list[Node]:
        """The nodes of the operands that it can be differentiated by."""
        return [node for _, node in self.ways]

    @property
    def operands(self) -> list[Any]:
        """The operands as tensors, where they can be differentiated by: for a derivative of the derivative."""
        operands = list(self.values)
        for position, parent in self.ways:
            operands[position] = Tensor(self.values[position], parent)
        return operands

    def check(self) -> None:
        """Raises where what was recorded is not what stands there now."""


class Leaf(Node):
    """What stands for a variable.

    Attributes:
        variable: The variable.
        copied: Whether its values were copied; otherwise what was recorded holds the variable's own memory.
        version: How often the variable had been changed when it was recorded.
    """

    __slots__ = ("copied", "variable", "version")

    def __init__(self, session: Any, variable: Any, copied: bool) -> None:
        Node.__init__(self, session, variable.value.copy() if copied else variable.value)
        self.variable = variable
        self.copied = copied
        self.version = variable.version

    def check(self) -> None:
        """Raises RuntimeError where the variable has been changed since: the gradient would be a wrong one."""
        if not self.copied and self.version != self.variable.version:
            raise RuntimeError(
                f"'{self.variable.path}' was changed after it had been recorded, by `assign` or an optimizer's step, "
                "and before the gradient was asked for, which needs the values of before. Ask for all gradients first, "
                f"or make the tape with `persistent=True`, which keeps copies of the weights.{users_line()}"
            )


class Tensor(Operand):
    """An array with a history: what NumPy's functions and `ops` compute of it can be differentiated.

    Outside a recording it is used as its value is. Within one it does not turn into an array by itself, as its
    derivative would be lost without a word: `ops.stop_gradient(tensor)`, or `tensor.numpy()`, says that this is wanted.

    Attributes:
        value: Its numbers, an array.

    Example:
        >>> from multilayer import GradientTape, ops
        >>> x = ops.convert_to_tensor([1.0, 2.0])
        >>> with GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = np.sum(x ** 3)
        array([1., 2.], dtype=float32)
        >>> type(y).__name__, y.shape
        ('Tensor', ())
        >>> tape.gradient(y, x)
        array([ 3., 12.], dtype=float32)
    """

    __slots__ = ("__weakref__", "node", "value")
    _precedence = 1

    def __init__(self, value: Any, node: Node | None = None) -> None:
        self.value = value
        self.node = node

    def _called(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            found = table.get(function)
            return record(found, args, kwargs) if type(found) is Rule else call(function, args, kwargs, found)
        except Exception as error:
            shorten(error)
            raise error

    def _into(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return into(function, args, kwargs)

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.value.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.value.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.value.size  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its elements."""
        return self.value.dtype  # type: ignore[no-any-return]

    def numpy(self) -> Any:
        """The numbers alone, as an array of its own, a single one as a number: a constant from here on."""
        return np.array(self.value)[()]  # what is written into it must not change what was recorded

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """The same numbers in another type."""
        return call(astype, (self, np.dtype(dtype)), {})

    def copy(self) -> Any:
        """The same numbers in memory of their own."""
        return call(np.copy, (self,), {})

    def item(self) -> Any:
        """The only number that it holds, as one of Python's."""
        return self._detached("a number of Python's").item()

    def tolist(self) -> Any:
        """The numbers in lists."""
        return self._detached("lists of numbers").tolist()

    def __getitem__(self, index: Any) -> Any:
        return call(getitem, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            f"{self._named()} cannot be written into: what stands there may be needed for a derivative. Make a new "
            "one: `np.where(condition, new, x)`, `ops.scatter_update(x, indices, new)` or `np.concatenate([...])`."
            f"{users_line()}"
        )

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError(f"A tensor without axes, a single number, cannot be iterated over.{users_line()}")
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self._detached("an array"), dtype=dtype, copy=copy is not False)

    def __bool__(self) -> bool:
        # Which way a program goes is a decision, and no step of the computation; its derivative is zero wherever there
        # is one.
        return bool(self.value)

    def __float__(self) -> float:
        return float(self._detached("a number of Python's"))

    def __int__(self) -> int:
        return int(self._detached("a number of Python's"))

    def __index__(self) -> int:
        return int(self._detached("an index").__index__())

    def __eq__(self, other: object) -> Any:
        return call(np.equal, (self, other), {})

    def __ne__(self, other: object) -> Any:
        return call(np.not_equal, (self, other), {})

    def __hash__(self) -> int:
        return id(self)

    def __reduce__(self) -> Any:
        return Tensor, (np.asarray(self.value),)

    def __deepcopy__(self, memo: Any) -> Tensor:
        return Tensor(np.array(self.value))

    def __format__(self, spec: str) -> str:
        return format(self.value if self.ndim == 0 else str(self), spec)

    def __repr__(self) -> str:
        return f"<Tensor shape={self.shape}, dtype={self.dtype}, value={self.value}>"

    def _named(self) -> str:
        return f"A tensor of shape {self.shape}"

    def _detached(self, kind: str) -> Any:
        """The value, unless it is being recorded."""
        if tracked(self):
            raise TypeError(
                f"{self._named()} that is being recorded cannot be turned into {kind}: its derivative would be lost. "
                "Compute with NumPy's functions or `ops` on the tensor itself; where a constant is wanted, say so by "
                f"`ops.stop_gradient(tensor)` or `tensor.numpy()`.{users_line()}"
            )
        return self.value


class Rule:
    """An operation: how its value is computed, and how a gradient at its value becomes gradients at its operands.

    Args:
        function: `function(*args, **options)` of arrays.
        vjps: For each operand that it can be differentiated by, the vector-Jacobian product
            `vjp(g, y, *args, **options)`, where g is the gradient at the value y; None for the others. They are written
            with NumPy's functions, which work on tensors: so they can be differentiated again.
        name: What it is called in messages; by default the function's name.

    Attributes:
        differentiable: The positions of the operands that there is a derivative by. A derived class, whose `backward`
            is its own, says which these are.
    """

    __slots__ = ("differentiable", "function", "name", "vjps")

    def __init__(self, function: Callable[..., Any], *vjps: Callable[..., Any] | None, name: str = "") -> None:
        self.function = function
        self.vjps = vjps
        self.name = name or function.__name__
        if vjps:
            self.differentiable: Container[int] = frozenset(i for i, vjp in enumerate(vjps) if vjp is not None)

    def before(self, node: Node, activation: str) -> Tensor | None:
        """What the activation of this name was applied to, where that is how the node's value came about; else None."""
        return None

    def backward(self, node: Node, g: Any, positions: Sequence[int], recorded: bool) -> list[Any]:
        """The gradients at the operands of these positions; where it is `recorded`, as tensors with a history."""
        y, args = (Tensor(node.value, node), node.operands) if recorded else (node.value, node.values)
        kwargs = node.kwargs
        return [self.vjps[i](g, y, *args, **kwargs) for i in positions]  # type: ignore[misc]


EVERY_POSITION = range(sys.maxsize)


def fitted(g: Any, x: Any) -> Any:
    """A gradient in the shape and type of its operand: summed over the axes along which that was broadcast."""
    if g.shape != x.shape:
        lead = g.ndim - x.ndim
        axes = tuple(i for i in range(g.ndim) if i < lead or (x.shape[i - lead] == 1 and g.shape[i] != 1))
        g = np.reshape(np.sum(g, axis=axes), x.shape) if axes else np.broadcast_to(g, x.shape)
    if g.dtype == x.dtype:
        return g
    if g.dtype.kind == "c":
        raise TypeError("Derivatives are taken of real numbers alone; complex ones came in between.")
    return call(astype, (g, x.dtype), {})


# --- What is recorded, and where ---


class _State(threading.local):
    """What this thread records at the moment."""

    session: _Session | None = None


class _Session:
    """What recordings that are open at once have in common: a tensor recorded in one belongs to all of them.

    Attributes:
        mark: What nodes know their session by; they do not hold the session, which holds leaves, which hold nodes.
        leaves: The tensors that stand for variables, by the variable's identity, with the variable.
        open: How many recordings of it are entered.
        strict: Whether a tensor of an earlier session is refused, rather than taken as a constant.
        copies: Whether variables are copied when they are met: where gradients are asked for several times, they may be
            changed between.
    """

    __slots__ = ("copies", "leaves", "mark", "open", "strict")

    def __init__(self, strict: bool) -> None:
        self.mark = object()
        self.leaves: dict[int, tuple[Any, Tensor]] = {}
        self.strict = strict
        self.copies = False
        self.open = 0

    def leaf(self, variable: Any) -> Tensor:
        """The tensor that stands for a variable."""
        found = self.leaves.get(id(variable))
        if found is None:
            learned = variable.trainable and variable.value.dtype.kind == "f"
            node = Leaf(self.mark, variable, self.copies) if learned else None
            found = self.leaves[id(variable)] = variable, Tensor(variable.value if node is None else node.value, node)
        tensor = found[1]
        node = tensor.node  # type: ignore[assignment]
        if node is not None and node.copied and node.version != variable.version:  # changed between two uses
            node.version = variable.version
            tensor.value = variable.value.copy()
        return tensor


_state = _State()


def recording() -> bool:
    """Whether this thread records what is computed."""
    return _state.session is not None


def as_tensor(x: Any) -> Any:
    """The same, with a tensor in the place of a variable."""
    return np.positive(x) if isinstance(x, Operand) and type(x) is not Tensor else x


def tracked(x: Any) -> bool:
    """Whether what is computed of x is being recorded."""
    session = _state.session
    return session is not None and type(x) is Tensor and x.node is not None and x.node.session is session.mark


@contextmanager
def not_recording() -> Iterator[None]:
    """Within it, tensors are what their values are."""
    before, _state.session = _state.session, None
    try:
        yield
    finally:
        _state.session = before


class Recording:
    """While it is entered, this thread records what is computed of what is watched.

    Args:
        strict: Whether tensors of an earlier recording are refused, rather than taken as constants. (What is entered
            within another recording follows that one.)
        copies: Whether variables are copied when they are met, so that they may be changed before a gradient is asked
            for.
    """

    __slots__ = ("_copies", "_strict", "session", "start")

    def __init__(self, strict: bool = False, copies: bool = False) -> None:
        self._strict = strict
        self._copies = copies
        self.session: _Session | None = None
        self.start = 0

    def __enter__(self) -> Recording:
        """Begins to record."""
        before = _state.session
        session = before or self.session or _Session(self._strict)
        if self._copies or before is not None:  # several may be asked, one after the other
            session.copies = True
        session.open += 1
        self.session = _state.session = session
        self.start = self.start or next(_numbers)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.session is not None
        self.session.open -= 1
        if not self.session.open:  # where a generator was left in between, others may have been entered since
            _state.session = None

    def watch(self, x: Any) -> Tensor:
        """A tensor of these values, of which what follows is recorded."""
        assert self.session is not None
        tensor = x if type(x) is Tensor else Tensor(np.asarray(x))
        if tensor.node is None or tensor.node.session is not self.session.mark:
            tensor.node = Node(self.session.mark, tensor.value)
        return tensor

    def leaf(self, variable: Any) -> Tensor | None:
        """The tensor that stood for a variable; None where it was not met."""
        found = None if self.session is None else self.session.leaves.get(id(variable))
        return None if found is None else found[1]

    def node(self, x: Any) -> Node | None:
        """What stands for a variable, or a tensor, on the way back; None where it was not met, or is a constant."""
        tensor = x if type(x) is Tensor else self.leaf(x)
        return None if tensor is None else tensor.node


# --- Calls ---

# What NumPy's functions are on tensors: a rule, or a function that is made of others. Filled by the tables beside.
table: dict[Any, Rule | Callable[..., Any]] = {}


def call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], found: Any = None) -> Any:
    """What a function of NumPy's gives for operands, recorded where one of them is.

    `found` is what the table says of the function, where that is known.
    """
    found = found or table.get(function)
    if found is None:
        return _without_rule(function, args, kwargs)
    if isinstance(found, Rule):
        return record(found, args, kwargs)
    session = _state.session
    if session is None:
        return _apart(function(*plain(args), **plain(kwargs)), args)
    try:
        return found(
            *[session.leaf(x) if type(x) is not Tensor and isinstance(x, Operand) else x for x in args], **kwargs
        )
    except TypeError as error:
        if error.__traceback__ is None or error.__traceback__.tb_next is not None:
            raise
        reason = str(error).split("() ", 1)[-1]  # these are no arguments that it takes
        raise TypeError(f"`{_named(function)}` of a tensor {reason}.{users_line()}") from None


def into(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a function writes into an array that is there, which it may where nothing is recorded of the operands."""
    if _any_tracked(args) or any(isinstance(one, Operand) for one in _flat(kwargs["out"])):
        raise TypeError(f"{NOT_INTO.format(function.__name__)}{users_line()}")
    return function(*plain(args), **plain(kwargs))


def _flat(x: Any) -> Sequence[Any]:
    return x if isinstance(x, tuple) else (x,)


def _apart(value: Any, args: Sequence[Any]) -> Any:
    """What was computed of variables, in memory of its own: writing into a part of one must not change the weights."""
    if type(value) is np.ndarray and value.base is not None:
        shared = any(isinstance(one, Operand) and np.may_share_memory(value, plain(one)) for one in args)
        value = value.copy() if shared else value
    return eager(value)


def record(rule: Rule, args: Sequence[Any], kwargs: dict[str, Any], value: Any = None) -> Any:
    """What a rule gives for operands, recorded where it can be differentiated by one that is.

    `value` is what it gives, where that is known.
    """
    if kwargs:
        for one in kwargs.values():
            if isinstance(one, Operand):
                return record(rule, *_by_position(rule, args, kwargs))
    session = _state.session
    ways: list[tuple[int, Node]] = []
    if session is None:
        values = [plain(arg) if isinstance(arg, Operand) else arg for arg in args]
    else:
        values = list(args)
        mark, differentiable = session.mark, rule.differentiable
        for i, arg in enumerate(args):
            kind = type(arg)
            if kind is not Tensor:
                if kind in _CONSTANT:
                    continue
                if not isinstance(arg, Operand):
                    if kind is EagerArray:
                        values[i] = np.asarray(arg)
                    elif i in differentiable:
                        values[i] = _as_operand(rule, arg)
                    continue
                arg = session.leaf(arg)
            values[i] = arg.value
            node = arg.node
            if node is None:
                continue
            if node.session is mark:
                if i in differentiable:
                    ways.append((i, node))
            elif session.strict:
                raise _late(arg)
    try:
        value = rule.function(*values, **kwargs) if value is None else value
    except (ValueError, IndexError, TypeError) as error:
        raise type(error)(f"{_shapes(rule, values)}: {what_numpy_says(str(error))}.{users_line()}") from error
    if ways:
        return Tensor(value, Node(mark, value, rule, values, kwargs, ways))
    return _apart(value, args) if session is None else value


_CONSTANT = frozenset((np.ndarray, float, int, bool, type(None)))  # what is most often met beside tensors


def _as_operand(rule: Rule, x: Any) -> Any:
    """A constant beside a tensor as derivatives can reckon with it: a list has no `*`, a matrix another one."""
    if isinstance(x, (np.matrix, np.ma.MaskedArray)):
        raise TypeError(
            f"`{rule.name}` of a tensor takes arrays; got {type(x).__name__}, which reckons by rules of its own, whose "
            f"derivatives are not here. Take `np.asarray(x)`, or `np.where(mask, 0, x)`.{users_line()}"
        )
    return np.asarray(x) if isinstance(x, (list, tuple, np.ndarray)) or hasattr(x, "__array__") else x


def _by_position(rule: Rule, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Sequence[Any], dict[str, Any]]:
    """A call with the operands that it names among the others: `np.reshape(a=x, shape=...)`."""
    bound = inspect.signature(rule.function).bind(*args, **kwargs)
    bound.apply_defaults()
    named = {name: one for name, one in bound.kwargs.items() if one is not np._NoValue}
    for name, one in named.items():
        if isinstance(one, Operand):
            raise TypeError(f"`{rule.name}` of a tensor takes no tensor as `{name}`.{users_line()}")
    return bound.args, named


def _without_rule(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function without a rule: of constants it is NumPy's own, of anything recorded it is refused."""
    if _any_tracked((args, kwargs)):
        raise TypeError(
            f"`{_named(function)}` of a tensor that is being recorded has no derivative here. Write it with "
            "functions that have one (docs: `ops`), give its derivative by `ops.custom_gradient`, or, where "
            f"it is a constant, apply it to `ops.stop_gradient(tensor)`.{users_line()}"
        )
    if function in _WRITERS and args and isinstance(args[0], Operand):
        raise TypeError(
            f"`{_named(function)}` does not write into a tensor or a variable, which a tape could not know of. Make a "
            f"new tensor by `np.where` or `ops.scatter_update`; a variable has `assign`.{users_line()}"
        )
    return function(*plain(args), **plain(kwargs))


_WRITERS = (np.copyto, np.fill_diagonal, np.place, np.put, np.put_along_axis, np.putmask)


def _named(function: Callable[..., Any]) -> str:
    if isinstance(function, np.ufunc) and getattr(np, function.__name__, None) is not function:
        return str(function.__name__)  # SciPy's, or somebody else's
    ufunc = getattr(function, "__self__", None)  # of `np.add.at`
    of = f"numpy.{ufunc.__name__}" if isinstance(ufunc, np.ufunc) else getattr(function, "__module__", "") or "numpy"
    return f"{of}.{getattr(function, '__name__', function)}"


def require_constant(what: str, x: Any) -> Any:
    """The values of an operand that there is no derivative by; raises TypeError where it is being recorded."""
    if _any_tracked(x):
        raise TypeError(f"There is no derivative by {what}: take `ops.stop_gradient` of it.{users_line()}")
    return plain(x)


def constant(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose derivative is zero wherever there is one: of tensors it gives plain arrays."""

    def of_values(*args: Any, **kwargs: Any) -> Any:
        return function(*plain(args), **plain(kwargs))

    return of_values


def plain(x: Any) -> Any:
    """The same arguments with the values of tensors and variables in their places."""
    if isinstance(x, Operand):
        return x.value  # type: ignore[attr-defined]
    if isinstance(x, (list, tuple)):
        inner = [plain(one) for one in x]
        return type(x)(*inner) if hasattr(x, "_fields") else type(x)(inner)
    return {key: plain(value) for key, value in x.items()} if isinstance(x, dict) else x


def _any_tracked(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(_any_tracked(one) for one in x)
    if isinstance(x, dict):
        return any(_any_tracked(one) for one in x.values())
    if type(x) is Tensor:
        return tracked(x)
    return isinstance(x, Operand) and recording() and bool(x.trainable)  # type: ignore[attr-defined]


def _late(tensor: Tensor) -> Exception:
    return ValueError(
        f"A tensor of shape {tensor.shape} was used that belongs to an earlier batch, of which nothing is recorded any "
        "more: nothing could be learned through it. Keep `tensor.numpy()` or `ops.stop_gradient(tensor)` where a "
        f"constant is wanted.{users_line()}"
    )


def _shapes(rule: Any, values: Any) -> str:
    shapes = ", ".join(str(value.shape) for value in values if hasattr(value, "shape"))
    return f"`{rule.name}` of operands of shapes {shapes}" if shapes else f"`{rule.name}`"


# --- Two operations that NumPy has as methods alone ---


def astype(x: Any, dtype: Any) -> Any:
    """The values in another type."""
    return np.asarray(x).astype(dtype, copy=False)


def getitem(x: Any, index: Any) -> Any:
    """The entries at an index."""
    return x[index]
